//! ERR-006: the members of problem details are what RFC 9457 says they are.

use std::collections::BTreeMap;

use super::{
    super::evidence::{ErrorResponse, ProblemDetails, Traffic},
    AnyEvidence, EXAMPLES, Judgement, Rule, Severity, Strength, count, fail_with, judge, only_traffic,
};
use crate::json::Scalar;

pub(super) static MEMBERS: Rule = Rule {
    id: "ERR-006",
    slug: "malformed-problem-details",
    family: "errors",
    title: "Problem details have well-formed members",
    sent: "Requests that must fail, and whatever other checks sent that failed.",
    requirement: "`type` is a URI reference, `status` the HTTP status as a number, `title`, `detail` and `instance` are \
                  strings, and one type has one title (per language).",
    not_applicable: "No error has the media type application/problem+json.",
    severity: Severity::Major,
    strength: Strength::Normative,
    source: "RFC 9457 §3.1.1 to §3.1.5, §4.2.1",
    remedy: "Write `status` from the response's own status, and take `title` from a table keyed by `type`.",
    defects: &["errors.status-mismatch", "errors.title-varies"],
};

pub(super) fn members(evidence: &AnyEvidence) -> Judgement {
    judge(evidence, traffic, only_traffic)
}

fn traffic(traffic: &Traffic) -> Judgement {
    let judged: Vec<(&ErrorResponse, &ProblemDetails)> =
        traffic.answers.iter().filter_map(|answer| Some((answer, answer.problem.as_ref()?))).collect();
    if judged.is_empty() {
        return Judgement::not_applicable("no error was sent as application/problem+json");
    }
    let mut flaws: Vec<(Severity, &ErrorResponse, String)> = Vec::new();
    for (answer, problem) in &judged {
        flaws.extend(own_flaws(answer, problem).into_iter().map(|(severity, what)| (severity, *answer, what)));
    }
    flaws.extend(titles(&judged));
    let Some(worst) = flaws.iter().map(|(severity, ..)| *severity).max() else {
        return Judgement::pass(format!("{} with well-formed members", count(judged.len(), "problem")))
            .cite(judged.iter().take(EXAMPLES).map(|(answer, _)| answer.exchange));
    };
    flaws.sort_by_key(|(severity, ..)| std::cmp::Reverse(*severity));
    let examples: Vec<_> = flaws.into_iter().map(|(_, answer, what)| (answer, what)).collect();
    fail_with(examples[0].1.clone(), &examples)
        .severity(worst)
        .expected("`status` absent or equal to the HTTP status, as a number")
        .expected("`type` absent or a URI reference; `title`, `detail`, `instance` absent or strings")
        .expected("one `title` for each `type`")
}

fn own_flaws(answer: &ErrorResponse, problem: &ProblemDetails) -> Vec<(Severity, String)> {
    let mut flaws = Vec::new();
    match &problem.status {
        None => {}
        Some(Scalar::Number(status)) if status.parse() == Ok(answer.status) => {}
        Some(Scalar::Number(status)) => {
            flaws.push((Severity::Major, format!("`status` is {status}, the HTTP status is {}", answer.status)));
        }
        Some(other) => flaws.push((Severity::Minor, format!("`status` is {other}, not a number"))),
    }
    let strings = [
        ("type", &problem.kind),
        ("title", &problem.title),
        ("detail", &problem.detail),
        ("instance", &problem.instance),
    ];
    for (name, member) in strings {
        match member {
            Some(Scalar::Text(text)) if name == "type" && !is_reference(text) => {
                flaws.push((Severity::Minor, format!("`type` is {text:?}, not a URI reference")));
            }
            None | Some(Scalar::Text(_)) => {}
            Some(other) => flaws.push((Severity::Minor, format!("`{name}` is {other}, not a string"))),
        }
    }
    // That the title of about:blank is the status phrase is a SHOULD, and translations are free.
    if let (true, Some(Scalar::Text(title))) = (is_blank(problem), &problem.title)
        && is_english(answer)
        && !is_phrase(answer.status, title)
    {
        flaws.push((Severity::Info, format!("the type is about:blank and the title {title:?}, not the status phrase")));
    }
    flaws
}

/// Whether a text can be a URI reference (RFC 3986 §4.1): it has no character that must be encoded, and resolves.
fn is_reference(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_graphic() && !"<>\"{}|\\^`".contains(c));
    let base = url::Url::parse("https://target.invalid/");
    plain && base.is_ok_and(|base| base.join(text).is_ok())
}

fn is_blank(problem: &ProblemDetails) -> bool {
    problem.kind.as_ref().is_none_or(|kind| kind.text() == Some("about:blank"))
}

fn is_english(answer: &ErrorResponse) -> bool {
    answer.language.as_deref().is_none_or(|language| language.to_ascii_lowercase().starts_with("en"))
}

fn is_phrase(status: u16, title: &str) -> bool {
    let registered = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let also = match status {
        408 => "Request Time-out",
        413 => "Content Too Large",
        416 => "Requested Range Not Satisfiable",
        422 => "Unprocessable Content",
        504 => "Gateway Time-out",
        _ => "",
    };
    // A status without a registered phrase has nothing to be compared with.
    registered.is_none_or(|phrase| [phrase, also].iter().any(|phrase| phrase.eq_ignore_ascii_case(title.trim())))
}

/// Types with several titles in one language.
fn titles<'t>(judged: &[(&'t ErrorResponse, &'t ProblemDetails)]) -> Vec<(Severity, &'t ErrorResponse, String)> {
    let mut known: BTreeMap<(&str, Option<&str>), (&str, &ErrorResponse)> = BTreeMap::new();
    let mut flaws = Vec::new();
    for (answer, problem) in judged {
        let (Some(Scalar::Text(kind)), Some(Scalar::Text(title))) = (&problem.kind, &problem.title) else { continue };
        if is_blank(problem) {
            continue;
        }
        let (first, by) = known.entry((kind, answer.language.as_deref())).or_insert((title, answer));
        if *first != title {
            let what = format!("the title of {kind} is {title:?} here and {first:?} in {}", by.exchange);
            flaws.push((Severity::Minor, *answer, what));
        }
    }
    flaws
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{super::tests as made, *};
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn judged(bodies: &[Value]) -> Judgement {
        members(&made::seen(made::traffic(json!({}), bodies.iter().map(|body| made::problem(404, body)))))
    }

    #[test]
    fn well_formed_problems_pass() {
        let judgement = judged(&[
            json!({}),
            json!({"type": "urn:problem:unknown", "title": "Unknown", "status": 404, "detail": "d", "instance": "/x", "more": []}),
            json!({"type": "/problems/other#x", "title": "Other"}),
            json!({"type": "about:blank", "title": "Not Found"}),
            json!({"title": "not found", "status": 404}),
        ]);
        assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:?}");
    }

    #[test]
    fn another_status_in_the_body_is_major() {
        let judgement = judged(&[json!({"type": "u:x", "status": 404}), json!({"type": "u:x", "status": 500})]);
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, Some(Severity::Major)));
        assert_eq!(judgement.exchanges, [ExchangeId(2)]);
    }

    #[test]
    fn wrong_types_and_two_titles_are_minor() {
        for bodies in [
            vec![json!({"type": "u:x", "status": "404"})],
            vec![json!({"type": "not a reference"})],
            vec![json!({"type": 7})],
            vec![json!({"type": "u:x", "title": null})],
            vec![json!({"type": "u:x", "detail": {}})],
            vec![json!({"type": "u:x", "title": "A"}), json!({"type": "u:x", "title": "B"})],
        ] {
            let judgement = judged(&bodies);
            assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, Some(Severity::Minor)), "{bodies:?}");
        }
    }

    #[test]
    fn titles_may_differ_by_language_and_about_blank_has_the_phrase() {
        let mut traffic = made::traffic(
            json!({}),
            ["A", "B"].map(|title| made::problem(404, &json!({"type": "u:x", "title": title}))),
        );
        traffic.answers[1].language = Some("de".into());
        assert_eq!(members(&made::seen(traffic)).verdict, Verdict::Pass);
        let own = judged(&[json!({"title": "Account unknown"})]);
        assert_eq!((own.verdict, own.severity), (Verdict::Fail, Some(Severity::Info)));
    }

    #[test]
    fn other_media_types_and_cases_are_not_judged() {
        let other = made::traffic(json!({}), [made::json(404, &json!({"status": 500}))]);
        assert_eq!(members(&made::seen(other)).verdict, Verdict::NotApplicable);
        assert_eq!(members(&made::unanswered()).verdict, Verdict::NotApplicable);
    }
}
