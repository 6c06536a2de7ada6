//! ERR-008: errors repeat no secret, no card number and no markup.

use super::{
    super::evidence::{Canary, Case, CaseOutcome, ErrorResponse, Traffic},
    AnyEvidence, Judgement, Rule, Severity, Strength, count, fail_with, judge, refused,
};

pub(super) static ECHO: Rule = Rule {
    id: "ERR-008",
    slug: "secret-or-markup-echoed",
    family: "errors",
    title: "Errors echo no secret, no card number and no markup",
    sent: "A bearer token that belongs to nobody, markup in the path and in parameters, and the test card numbers and \
           markers of the suite's own cases (`canary: true`, `client: forged`).",
    requirement: "Credentials and card numbers do not come back in full; markup does not come back, or escaped, or as \
                  JSON that browsers are told not to sniff.",
    not_applicable: "Never; it is inconclusive where no marker was sent.",
    severity: Severity::Critical,
    strength: Strength::Normative,
    source: "PCI DSS 4.0 requirement 3.4; OWASP API Security Top 10 2023, API3 and API8",
    remedy: "Name what was wrong without repeating it; mask card numbers to the first six and last four digits; send \
             X-Content-Type-Options: nosniff.",
    defects: &["errors.echoes-credential", "errors.reflects-markup", "errors.echoes-card-number"],
};

pub(super) fn echo(evidence: &AnyEvidence) -> Judgement {
    judge(evidence, traffic, case)
}

fn traffic(traffic: &Traffic) -> Judgement {
    let answers: Vec<&ErrorResponse> = traffic.answers.iter().collect();
    judged(&answers).unwrap_or_else(|| {
        let marked: Vec<_> = answers.iter().filter(|answer| !answer.canaries.is_empty()).collect();
        if marked.is_empty() {
            return Judgement::inconclusive("no marker was sent with a request that failed");
        }
        let mut kinds: Vec<&str> =
            marked.iter().flat_map(|answer| &answer.canaries).map(|canary| name(*canary)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let message = format!("nothing came back in {} ({})", count(marked.len(), "error"), kinds.join(", "));
        Judgement::pass(message).cite(marked.iter().map(|answer| answer.exchange).take(super::EXAMPLES))
    })
}

fn case(case: &Case) -> Judgement {
    if !case.expected.canary {
        return Judgement::not_applicable("the case sends no marker");
    }
    let errors = case.answers.iter().filter_map(|answer| match &answer.outcome {
        CaseOutcome::Response(response) if response.answer.status >= 400 => Some(&response.answer),
        _ => None,
    });
    if let Some(judgement) = judged(&errors.collect::<Vec<_>>()) {
        return judgement;
    }
    match refused(case) {
        Ok(refused) => Judgement::pass("what was sent did not come back")
            .cite(refused.iter().map(|response| response.answer.exchange)),
        Err(judgement) => *judgement,
    }
}

/// A failure, if anything came back that must not.
fn judged(answers: &[&ErrorResponse]) -> Option<Judgement> {
    let mut echoes: Vec<(Severity, &ErrorResponse, String)> = Vec::new();
    for answer in answers {
        for echo in &answer.echoes {
            if let Some(severity) = severity(echo.canary, answer) {
                let place = if echo.place == "body" { "the body" } else { echo.place.as_str() };
                echoes.push((severity, answer, format!("{} came back in {place}", name(echo.canary))));
            }
        }
    }
    echoes.sort_by_key(|(severity, ..)| std::cmp::Reverse(*severity));
    let (worst, _, what) = echoes.first()?.clone();
    let examples: Vec<_> = echoes.into_iter().map(|(_, answer, what)| (answer, what)).collect();
    Some(
        fail_with(what, &examples)
            .severity(worst)
            .expected("no credential, and of a card number at most the first six and last four digits")
            .expected("no markup, or escaped, or as JSON with X-Content-Type-Options: nosniff"),
    )
}

/// How bad an echo is; none if it does no harm.
fn severity(canary: Canary, answer: &ErrorResponse) -> Option<Severity> {
    match canary {
        Canary::Credential | Canary::Card => Some(Severity::Critical),
        Canary::Markup if !answer.is_json_type() => Some(Severity::Major),
        // No browser of today renders JSON as a page; saying so is advice.
        Canary::Markup if !answer.nosniff => Some(Severity::Info),
        Canary::Markup => None,
    }
}

fn name(canary: Canary) -> &'static str {
    match canary {
        Canary::Credential => "a credential",
        Canary::Card => "a card number",
        Canary::Markup => "markup",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{
            super::evidence::{Echo, Evidence, Expected},
            tests as made,
        },
        *,
    };
    use crate::rule::Verdict;

    fn answer(media_type: &str, nosniff: bool, sent: Canary, back: bool) -> ErrorResponse {
        let mut traffic = made::traffic(json!({}), [made::json(400, &json!({}))]);
        let mut answer = traffic.answers.remove(0);
        answer.media_type = Some(media_type.into());
        answer.nosniff = nosniff;
        answer.canaries = vec![sent];
        answer.echoes = if back { vec![Echo { canary: sent, place: "body".into() }] } else { vec![] };
        answer
    }

    fn judged(answers: Vec<ErrorResponse>) -> (Verdict, Option<Severity>) {
        let judgement = echo(&made::seen(Traffic { answers, ..Traffic::default() }));
        (judgement.verdict, judgement.severity)
    }

    #[test]
    fn markers_that_do_not_come_back_pass_and_none_sent_decides_nothing() {
        assert_eq!(judged(vec![answer("text/html", false, Canary::Markup, false)]), (Verdict::Pass, None));
        assert_eq!(judged(vec![]), (Verdict::Inconclusive, None));
        let mut unmarked = answer("text/html", false, Canary::Markup, false);
        unmarked.canaries.clear();
        assert_eq!(judged(vec![unmarked]), (Verdict::Inconclusive, None));
    }

    #[test]
    fn secrets_are_critical_and_markup_depends_on_how_it_is_sent() {
        let fail = |severity| (Verdict::Fail, Some(severity));
        let json = "application/json";
        assert_eq!(judged(vec![answer(json, true, Canary::Credential, true)]), fail(Severity::Critical));
        assert_eq!(judged(vec![answer(json, true, Canary::Card, true)]), fail(Severity::Critical));
        assert_eq!(judged(vec![answer("text/html", true, Canary::Markup, true)]), fail(Severity::Major));
        assert_eq!(judged(vec![answer(json, false, Canary::Markup, true)]), fail(Severity::Info));
        assert_eq!(judged(vec![answer(json, true, Canary::Markup, true)]), (Verdict::Pass, None));
    }

    #[test]
    fn a_case_judges_its_own_marker() {
        let judged = |canary: bool, status: u16, back: bool| {
            let expected = Expected { statuses: vec![400], canary, ..Expected::default() };
            let AnyEvidence::Errors(evidence) = made::case(json!({}), expected, [made::json(status, &json!({}))])
            else {
                panic!()
            };
            let Evidence::Case(mut case) = *evidence else { panic!() };
            if let CaseOutcome::Response(response) = &mut case.answers[0].outcome {
                response.answer = ErrorResponse { status, ..answer("text/html", false, Canary::Markup, back) };
            }
            echo(&AnyEvidence::Errors(Box::new(Evidence::Case(case)))).verdict
        };
        assert_eq!(judged(true, 400, false), Verdict::Pass);
        assert_eq!(judged(true, 400, true), Verdict::Fail);
        assert_eq!(judged(true, 403, false), Verdict::Inconclusive);
        assert_eq!(judged(true, 403, true), Verdict::Fail);
        assert_eq!(judged(true, 200, true), Verdict::Inconclusive);
        assert_eq!(judged(false, 400, false), Verdict::NotApplicable);
    }
}
