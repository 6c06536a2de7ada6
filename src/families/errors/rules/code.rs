//! ERR-002: a code for machines.

use super::{
    super::evidence::{Case, Declared, ErrorResponse, Traffic},
    AnyEvidence, EXAMPLES, Judgement, Rule, Severity, Strength, count, fail_with, is_problem_details, is_shaped, judge,
    own, refused,
};
use crate::json::Scalar;

pub(super) static CODE: Rule = Rule {
    id: "ERR-002",
    slug: "no-stable-error-code",
    family: "errors",
    title: "Every error carries a stable code for machines",
    sent: "Requests that must fail, and whatever other checks sent that failed.",
    requirement: "The code is a non-empty string or whole number that is not merely the HTTP status and no running \
                  text about the request; a case's own code is the declared one.",
    not_applicable: "The suite says nowhere where codes are, and the errors are not problem details with a `type`.",
    severity: Severity::Major,
    strength: Strength::Domain,
    source: "AU CDR Standards, error payload (code is mandatory); Google AIP-193 (reason); RFC 9457 §3.1.1 (type)",
    remedy: "Give every kind of fault one documented code and send it with each of its occurrences.",
    defects: &["errors.no-code", "errors.code-is-status"],
};

pub(super) fn code(evidence: &AnyEvidence) -> Judgement {
    judge(evidence, codes_of_traffic, code_of_case)
}

/// What is wrong with a code, if anything.
fn bad_code(answer: &ErrorResponse) -> Option<String> {
    match &answer.code {
        None => Some("there is no code".into()),
        Some(Scalar::Text(code) | Scalar::Number(code)) if *code == answer.status.to_string() => {
            Some(format!("the code {code} is only the HTTP status"))
        }
        Some(Scalar::Text(code)) if code.trim().is_empty() => Some("the code is empty".into()),
        Some(Scalar::Text(code)) if answer.code_quotes_request => Some(format!("the code is running text: {code}")),
        Some(Scalar::Number(code)) if code.contains(['.', 'e', 'E']) => Some(format!("the code is the number {code}")),
        Some(Scalar::Text(_) | Scalar::Number(_)) => None,
        Some(other) => Some(format!("the code is {other}")),
    }
}

fn codes_of_traffic(traffic: &Traffic) -> Judgement {
    let declared = traffic.declared.errors.code.as_ref();
    // Without a declared place only problem details have a code, and only if their `type` is one.
    let judged: Vec<&ErrorResponse> = own(traffic)
        .filter(|answer| declared.is_some() || (is_problem_details(answer) && answer.code.is_some()))
        .collect();
    if judged.is_empty() {
        return match declared {
            Some(_) => Judgement::inconclusive("no error in the declared shape was met"),
            None => Judgement::not_applicable("the suite does not say where codes are (`conventions.errors.code`)"),
        };
    }
    let bad: Vec<_> = judged.iter().filter_map(|answer| Some((*answer, bad_code(answer)?))).collect();
    if bad.is_empty() {
        return Judgement::pass(format!("{} carry a code", count(judged.len(), "error")))
            .cite(judged.iter().take(EXAMPLES).map(|answer| answer.exchange));
    }
    let at = declared.map_or_else(|| "`type`".to_owned(), ToString::to_string);
    fail_with(format!("{} of {} without a usable code", bad.len(), count(judged.len(), "error")), &bad)
        .expected(format!("a non-empty string or whole number at {at} that is not the HTTP status"))
}

fn code_of_case(case: &Case) -> Judgement {
    let Some(wanted) = &case.expected.code else {
        return Judgement::not_applicable("the case does not say which code it expects");
    };
    let refused = match refused(case) {
        Ok(refused) => refused,
        Err(judgement) => return *judgement,
    };
    if case.declared.errors.code.is_none() && !refused.iter().any(|response| response.answer.problem.is_some()) {
        return Judgement::inconclusive("the suite does not say where codes are (`conventions.errors.code`)");
    }
    // What has no code because it has another shape is another rule's matter.
    let shaped: Vec<&ErrorResponse> =
        refused.iter().map(|response| &response.answer).filter(|answer| is_shaped(answer)).collect();
    if shaped.is_empty() {
        return Judgement::inconclusive("the error has not the shape in which codes are declared");
    }
    let carries = |answer: &ErrorResponse| {
        let kind = answer.problem.as_ref().and_then(|problem| problem.kind.as_ref());
        [answer.code.as_ref(), kind].into_iter().flatten().any(|code| code.text() == Some(wanted))
    };
    let other: Vec<_> = shaped
        .iter()
        .copied()
        .filter(|answer| !carries(answer))
        .map(|answer| {
            let found = answer.code.as_ref().map_or_else(|| "no code".to_owned(), |code| format!("the code {code}"));
            (answer, found)
        })
        .collect();
    if other.is_empty() {
        return Judgement::pass(format!("the error carries the code `{wanted}`"))
            .cite(shaped.iter().map(|answer| answer.exchange));
    }
    fail_with(format!("the error does not carry the code `{wanted}`"), &other)
        .expected(expected_code(wanted, &case.declared))
}

fn expected_code(wanted: &str, declared: &Declared) -> String {
    let at = declared.errors.code.as_ref().map(|path| format!(" at {path}")).unwrap_or_default();
    format!("`{wanted}`{at}, or as the `type` of problem details")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::{super::evidence::Expected, tests as made},
        *,
    };
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn errors() -> Value {
        json!({"code": "$.code", "message": "$.message"})
    }

    fn judged(errors: Value, bodies: &[Value]) -> Judgement {
        code(&made::seen(made::traffic(errors, bodies.iter().map(|body| made::json(404, body)))))
    }

    #[test]
    fn strings_and_whole_numbers_are_codes() {
        let bodies =
            [json!({"code": "unknown"}), json!({"code": -1121}), json!({"code": "101"}), json!({"code": "a b"})];
        assert_eq!(judged(errors(), &bodies).verdict, Verdict::Pass);
    }

    #[test]
    fn what_is_no_code_is_reported() {
        for body in [
            json!({"message": "m"}),
            json!({"code": null, "message": "m"}),
            json!({"code": " "}),
            json!({"code": 404}),
            json!({"code": "404"}),
            json!({"code": 1.5}),
            json!({"code": ["x"]}),
            json!({"code": "account ACC-9 not found"}),
        ] {
            let judgement = judged(errors(), &[json!({"code": "ok"}), body.clone()]);
            assert_eq!((judgement.verdict, judgement.exchanges), (Verdict::Fail, vec![ExchangeId(2)]), "{body}");
        }
    }

    #[test]
    fn without_a_declared_place_only_a_type_is_a_code() {
        assert_eq!(judged(json!({}), &[json!({"code": 404})]).verdict, Verdict::NotApplicable);
        let judged =
            |kind: &str| code(&made::seen(made::traffic(json!({}), [made::problem(404, &json!({"type": kind}))])));
        assert_eq!(judged("urn:problem:unknown").verdict, Verdict::Pass);
        assert_eq!(judged("about:blank").verdict, Verdict::NotApplicable);
        let other = made::traffic(errors(), [made::json(404, &json!({"fault": 1}))]);
        assert_eq!(code(&made::seen(other)).verdict, Verdict::Inconclusive);
    }

    fn expected(code: Option<&str>) -> Expected {
        Expected { statuses: vec![404], code: code.map(Into::into), ..Expected::default() }
    }

    #[test]
    fn a_case_expects_its_own_code_or_type() {
        let judged = |wanted: Option<&str>, reply| code(&made::case(errors(), expected(wanted), [reply])).verdict;
        let body = json!({"code": "unknown", "type": "urn:p:unknown"});
        assert_eq!(judged(Some("unknown"), made::json(404, &body)), Verdict::Pass);
        assert_eq!(judged(Some("urn:p:unknown"), made::problem(404, &body)), Verdict::Pass);
        assert_eq!(judged(Some("other"), made::json(404, &body)), Verdict::Fail);
        assert_eq!(judged(Some("other"), made::json(404, &json!({"message": "m"}))), Verdict::Fail);
        assert_eq!(judged(Some("unknown"), made::json(200, &body)), Verdict::Inconclusive);
        assert_eq!(judged(Some("unknown"), made::json(404, &json!({"fault": "unknown"}))), Verdict::Inconclusive);
        assert_eq!(judged(None, made::json(404, &body)), Verdict::NotApplicable);
        let undeclared = code(&made::case(json!({}), expected(Some("unknown")), [made::json(404, &body)]));
        assert_eq!(undeclared.verdict, Verdict::Inconclusive);
    }
}
