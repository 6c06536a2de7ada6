//! ERR-001 for one case: the request is refused, with a declared status and in the declared shape.

use super::{
    super::{
        difference,
        evidence::{Case, CaseOutcome, CaseResponse},
    },
    Judgement, count,
    envelope::{acceptable, flaw, unusable},
};

/// Judges the answers to a case.
pub(super) fn case(case: &Case) -> Judgement {
    if let Some(judgement) = unusable(&case.declared) {
        return judgement;
    }
    let mut failed: Vec<(&CaseResponse, String)> = Vec::new();
    let mut unclear = Vec::new();
    let mut good = Vec::new();
    for answer in &case.answers {
        let response = match &answer.outcome {
            CaseOutcome::Nothing(why, _) => {
                unclear.push(format!("no response: {why}"));
                continue;
            }
            CaseOutcome::Response(response) => response,
        };
        let status = response.answer.status;
        if !case.expected.statuses.contains(&status) {
            match status {
                // The request may have been kept from the fault it was made for.
                401 | 403 | 429 | 502 | 503 | 504 => unclear.push(response.answer.line()),
                200..=299 => failed.push((response, "the request that must fail succeeded".into())),
                _ => failed.push((response, "another status than declared".into())),
            }
        } else if let Some(flaw) = flaw(&response.answer, &case.declared, case.expected.schema.is_some()) {
            failed.push((response, flaw));
        } else if let Some(first) = response.schema_problems.first() {
            failed.push((response, format!("the body violates the case's schema: {first}")));
        } else {
            good.push(response.answer.exchange);
        }
    }
    if let Some((first, what)) = failed.first() {
        return explain(case, first, what, &failed);
    }
    if !unclear.is_empty() || good.is_empty() {
        let mut judgement = Judgement::inconclusive("something else answered before the fault was met");
        judgement.details = unclear;
        return judgement.expected(format!("status {}", difference::alternatives(case.expected.statuses.iter())));
    }
    Judgement::pass(format!("the request was refused as declared, {}", count(good.len(), "time"))).cite(good)
}

fn explain(case: &Case, first: &CaseResponse, what: &str, failed: &[(&CaseResponse, String)]) -> Judgement {
    let statuses = difference::alternatives(case.expected.statuses.iter());
    let mut judgement = Judgement::fail(what).expected(format!("status {statuses}"));
    judgement = acceptable(judgement, &case.declared).actual(first.answer.line());
    judgement.details.extend(difference::lines(&case.expected, &case.declared, first));
    for problem in &first.schema_problems {
        judgement = judgement.detail(format!("schema: {problem}"));
    }
    judgement.cite(failed.iter().map(|(response, _)| response.answer.exchange))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{super::evidence::Expected, envelope::machine_readable, tests as made};
    use crate::{
        exchange::Reply,
        rule::{Judgement, Verdict},
    };

    fn expect(statuses: &[u16]) -> Expected {
        Expected { statuses: statuses.to_vec(), ..Expected::default() }
    }

    fn case_judged(replies: Vec<Reply>) -> Judgement {
        let errors = json!({"code": "$.code", "message": "$.detail"});
        machine_readable(&made::case(errors, expect(&[404, 410]), replies))
    }

    #[test]
    fn a_case_passes_with_any_declared_status() {
        let body = json!({"code": "x", "detail": "y"});
        assert_eq!(case_judged(vec![made::json(404, &body), made::json(410, &body)]).verdict, Verdict::Pass);
    }

    #[test]
    fn a_case_fails_on_success_another_status_or_another_shape_and_shows_the_difference() {
        let body = json!({"code": "x", "detail": "y"});
        let success = case_judged(vec![made::json(200, &body)]);
        assert!(success.verdict == Verdict::Fail && success.message.contains("succeeded"));
        assert!(success.details.contains(&"- status 404 or 410".to_owned()), "{:?}", success.details);
        assert!(success.details.contains(&"+ status 200".to_owned()), "{:?}", success.details);
        assert!(case_judged(vec![made::json(500, &body)]).message.contains("another status"));
        let shape = case_judged(vec![made::json(404, &json!({"fault": 1}))]);
        assert!(shape.details.contains(&"+ $.fault: number".to_owned()), "{:?}", shape.details);
    }

    #[test]
    fn a_case_that_was_kept_from_its_fault_decides_nothing() {
        for status in [401, 403, 429, 503] {
            assert_eq!(case_judged(vec![made::json(status, &json!({}))]).verdict, Verdict::Inconclusive, "{status}");
        }
        assert_eq!(case_judged(vec![]).verdict, Verdict::Inconclusive);
        assert_eq!(machine_readable(&made::unanswered()).verdict, Verdict::Inconclusive);
    }
}
