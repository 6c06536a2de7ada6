//! ERR-007: errors tell nothing of the inside of the API.

use super::{
    super::evidence::{Disclosure, ErrorResponse, Inside, Traffic},
    AnyEvidence, Judgement, Rule, Severity, Strength, count, fail_with, is_edge, judge, only_traffic,
};

pub(super) static INTERNALS: Rule = Rule {
    id: "ERR-007",
    slug: "internals-disclosed",
    family: "errors",
    title: "Errors disclose no internals",
    sent: "Requests that must fail, and whatever other checks sent that failed.",
    requirement: "No error holds stack frames, SQL, source files with their line, pages for developers, exception \
                  classes, private addresses or internal host names, nor a product with its version.",
    not_applicable: "Never.",
    severity: Severity::Critical,
    strength: Strength::Normative,
    source: "Zalando RESTful API Guidelines, rule 177; OWASP API Security Top 10 2023, API8",
    remedy: "Log what happened under the correlation id and answer with the envelope alone; switch debug pages off, in \
             sandboxes too.",
    defects: &["errors.stack-trace", "errors.sql-fragment", "errors.internal-address"],
};

pub(super) fn internals(evidence: &AnyEvidence) -> Judgement {
    judge(evidence, traffic, only_traffic)
}

fn traffic(traffic: &Traffic) -> Judgement {
    if traffic.answers.is_empty() {
        return Judgement::inconclusive("no error was met");
    }
    let told = traffic.answers.iter().flat_map(|answer| answer.disclosures.iter().map(move |told| (answer, told)));
    let mut told: Vec<(Severity, &ErrorResponse, String)> = told
        .map(|(answer, told)| {
            let edge = if is_edge(answer, traffic) { "edge: " } else { "" };
            let place = if told.place == "body" { String::new() } else { format!(" in {}", told.place) };
            (severity(answer, told, traffic), answer, format!("{edge}{}{place}: {}", told.name, told.text))
        })
        .collect();
    told.sort_by_key(|(severity, ..)| std::cmp::Reverse(*severity));
    let Some((worst, ..)) = told.first() else {
        return Judgement::pass(format!("{} disclose nothing", count(traffic.answers.len(), "error")));
    };
    let worst = *worst;
    let examples: Vec<_> = told.into_iter().map(|(_, answer, what)| (answer, what)).collect();
    fail_with(format!("an error discloses {}", examples[0].1), &examples)
        .expected("nothing but the envelope")
        .severity(worst)
}

fn severity(answer: &ErrorResponse, told: &Disclosure, traffic: &Traffic) -> Severity {
    match told.kind {
        _ if is_edge(answer, traffic) => Severity::Minor,
        Inside::StackTrace | Inside::Sql | Inside::DebugPage | Inside::SourcePath => Severity::Critical,
        Inside::Address if told.place == "body" => Severity::Major,
        Inside::Address | Inside::ExceptionClass | Inside::Product => Severity::Minor,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::{super::testing::reply, tests as made},
        *,
    };
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn judged(bodies: &[Value]) -> Judgement {
        internals(&made::seen(made::traffic(json!({}), bodies.iter().map(|body| made::json(500, body)))))
    }

    #[test]
    fn a_plain_error_discloses_nothing() {
        assert_eq!(judged(&[json!({"detail": "the order was refused"})]).verdict, Verdict::Pass);
        assert_eq!(judged(&[]).verdict, Verdict::Inconclusive);
        assert_eq!(internals(&made::unanswered()).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn what_is_disclosed_decides_how_bad_it_is() {
        for (text, severity) in [
            ("at a.B.c(B.java:1)", Severity::Critical),
            ("SELECT a FROM b WHERE c = 1", Severity::Critical),
            ("bad thing in /srv/app/x.py:1", Severity::Critical),
            ("http://10.1.2.3:8080/x", Severity::Major),
            ("com.example.web.ParseException", Severity::Minor),
        ] {
            let judgement = judged(&[json!({"detail": "fine"}), json!({ "detail": text })]);
            assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, Some(severity)), "{text}");
            assert_eq!(judgement.exchanges, [ExchangeId(2)]);
        }
    }

    #[test]
    fn the_worst_comes_first_and_an_edge_page_is_minor() {
        let both = judged(&[json!({"a": "http://10.1.2.3/"}), json!({"a": "at a.B.c(B.java:1)"})]);
        assert!(both.message.contains("Java") && both.severity == Some(Severity::Critical), "{}", both.message);
        let page = reply(502, "text/html", "<html>upstream 10.1.2.3:80 <center>nginx/1.18.0</center>");
        let edge = internals(&made::seen(made::traffic(json!({}), [page])));
        assert_eq!((edge.verdict, edge.severity), (Verdict::Fail, Some(Severity::Minor)));
        assert!(edge.message.contains("edge: "), "{}", edge.message);
    }
}
