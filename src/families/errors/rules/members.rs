//! ERR-002 and ERR-003: a code for machines and a message for people.

use super::{
    super::evidence::{Case, Declared, ErrorResponse, Traffic, is_problem},
    AnyEvidence, EXAMPLES, Judgement, Rule, Severity, Strength, count, fail_with, judge, only_traffic, own, refused,
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

pub(super) static MESSAGE: Rule = Rule {
    id: "ERR-003",
    slug: "no-error-message",
    family: "errors",
    title: "Every error carries a message for people",
    sent: "Requests that must fail, and whatever other checks sent that failed.",
    requirement: "The message is a non-empty string that is not the code again and has no placeholder left in it.",
    not_applicable: "The suite says that messages are optional and there are none, or not where messages are.",
    severity: Severity::Minor,
    strength: Strength::Should,
    source: "RFC 9457 §3.1.3 and §3.1.4; Google AIP-193 (message)",
    remedy: "Say in one sentence what was wrong with this request and what would be right.",
    defects: &["errors.no-message", "errors.unexpanded-template"],
};

pub(super) fn code(evidence: &AnyEvidence) -> Judgement {
    judge(evidence, codes_of_traffic, code_of_case)
}

pub(super) fn message(evidence: &AnyEvidence) -> Judgement {
    judge(evidence, messages_of_traffic, only_traffic)
}

fn is_problem_details(answer: &ErrorResponse) -> bool {
    answer.media_type.as_deref().is_some_and(is_problem)
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
    let carries = |answer: &ErrorResponse| {
        let kind = answer.problem.as_ref().and_then(|problem| problem.kind.as_ref());
        [answer.code.as_ref(), kind].into_iter().flatten().any(|code| code.text() == Some(wanted))
    };
    let other: Vec<_> = refused
        .iter()
        .map(|response| &response.answer)
        .filter(|answer| !carries(answer))
        .map(|answer| {
            let found = answer.code.as_ref().map_or_else(|| "no code".to_owned(), |code| format!("the code {code}"));
            (answer, found)
        })
        .collect();
    if other.is_empty() {
        return Judgement::pass(format!("the error carries the code `{wanted}`"))
            .cite(refused.iter().map(|response| response.answer.exchange));
    }
    fail_with(format!("the error does not carry the code `{wanted}`"), &other)
        .expected(expected_code(wanted, &case.declared))
}

fn expected_code(wanted: &str, declared: &Declared) -> String {
    let at = declared.errors.code.as_ref().map(|path| format!(" at {path}")).unwrap_or_default();
    format!("`{wanted}`{at}, or as the `type` of problem details")
}

/// What is wrong with a message, if anything.
fn bad_message(answer: &ErrorResponse, optional: bool) -> Option<String> {
    let text = match &answer.message {
        None | Some(Scalar::Null) if optional => return None,
        None | Some(Scalar::Null) => return Some("there is no message".into()),
        Some(Scalar::Text(text)) => text.trim(),
        Some(other) => return Some(format!("the message is {other}, not a string")),
    };
    if text.is_empty() {
        return Some("the message is empty".into());
    }
    if let Some(placeholder) = &answer.placeholder {
        return Some(format!("`{placeholder}` is left in the message \"{text}\""));
    }
    let code = answer.code.as_ref().and_then(Scalar::text)?;
    if text.eq_ignore_ascii_case(code) {
        return Some(format!("the message is the code again: {text}"));
    }
    // A single word shorter than the code adds nothing to it; "Not found" beside a long URN does.
    let stub = !text.contains(char::is_whitespace) && text.is_ascii() && text.len() < code.len();
    stub.then(|| format!("the message is no more than \"{text}\""))
}

fn messages_of_traffic(traffic: &Traffic) -> Judgement {
    let errors = &traffic.declared.errors;
    let judged: Vec<&ErrorResponse> =
        own(traffic).filter(|answer| errors.message.is_some() || is_problem_details(answer)).collect();
    let optional = errors.message_optional;
    if judged.is_empty() {
        return match &errors.message {
            Some(_) => Judgement::inconclusive("no error in the declared shape was met"),
            None => {
                Judgement::not_applicable("the suite does not say where messages are (`conventions.errors.message`)")
            }
        };
    }
    if optional && judged.iter().all(|answer| answer.message.is_none()) {
        return Judgement::not_applicable("messages are optional and no error carried one");
    }
    // Title and detail of problem details are optional; none at all is what a reader cannot work with.
    let bad: Vec<_> = judged.iter().filter_map(|answer| Some((*answer, bad_message(answer, optional)?))).collect();
    if bad.is_empty() {
        return Judgement::pass(format!("{} carry a message", count(judged.len(), "error")))
            .cite(judged.iter().take(EXAMPLES).map(|answer| answer.exchange));
    }
    let at = errors.message.as_ref().map_or_else(|| "`detail` or `title`".to_owned(), ToString::to_string);
    fail_with(format!("{} of {} without a usable message", bad.len(), count(judged.len(), "error")), &bad)
        .expected(format!("a non-empty string at {at} that is not the code and has no placeholder in it"))
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

    fn judged(judge: fn(&AnyEvidence) -> Judgement, errors: Value, bodies: &[Value]) -> Judgement {
        judge(&made::seen(made::traffic(errors, bodies.iter().map(|body| made::json(404, body)))))
    }

    #[test]
    fn strings_and_whole_numbers_are_codes() {
        let bodies =
            [json!({"code": "unknown"}), json!({"code": -1121}), json!({"code": "101"}), json!({"code": "a b"})];
        assert_eq!(judged(code, errors(), &bodies).verdict, Verdict::Pass);
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
            let judgement = judged(code, errors(), &[json!({"code": "ok"}), body.clone()]);
            assert_eq!((judgement.verdict, judgement.exchanges), (Verdict::Fail, vec![ExchangeId(2)]), "{body}");
        }
    }

    #[test]
    fn without_a_declared_place_only_a_type_is_a_code() {
        assert_eq!(judged(code, json!({}), &[json!({"code": 404})]).verdict, Verdict::NotApplicable);
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
        assert_eq!(judged(None, made::json(404, &body)), Verdict::NotApplicable);
        let undeclared = code(&made::case(json!({}), expected(Some("unknown")), [made::json(404, &body)]));
        assert_eq!(undeclared.verdict, Verdict::Inconclusive);
    }

    #[test]
    fn sentences_are_messages_and_short_ones_beside_long_codes_too() {
        let bodies = [
            json!({"code": "unknown_account", "message": "Not found"}),
            json!({"code": 7, "message": "Unbekannt"}),
            json!({"message": "quantity must not be null"}),
        ];
        assert_eq!(judged(message, errors(), &bodies).verdict, Verdict::Pass);
    }

    #[test]
    fn what_is_no_message_is_reported() {
        for body in [
            json!({"code": "x"}),
            json!({"code": "x", "message": ""}),
            json!({"code": "x", "message": 7}),
            json!({"code": "NOT_FOUND", "message": "not_found"}),
            json!({"code": "account_unknown", "message": "unknown"}),
            json!({"code": "x", "message": "request {0} failed"}),
            json!({"code": "x", "message": "undefined"}),
        ] {
            assert_eq!(judged(message, errors(), std::slice::from_ref(&body)).verdict, Verdict::Fail, "{body}");
        }
    }

    #[test]
    fn messages_may_be_optional_or_in_an_unknown_place() {
        let optional = json!({"code": "$.code", "message": "$.message", "message_optional": true});
        let none = [json!({"code": "x"})];
        assert_eq!(judged(message, optional.clone(), &none).verdict, Verdict::NotApplicable);
        let some = [json!({"code": "x"}), json!({"code": "x", "message": "It is gone"})];
        assert_eq!(judged(message, optional, &some).verdict, Verdict::Pass);
        assert_eq!(judged(message, json!({}), &none).verdict, Verdict::NotApplicable);
        assert_eq!(judged(message, errors(), &[]).verdict, Verdict::Inconclusive);
        assert_eq!(message(&made::case(errors(), expected(None), [])).verdict, Verdict::NotApplicable);
        let titled = made::traffic(json!({}), [made::problem(404, &json!({"title": "Gone for good"}))]);
        assert_eq!(message(&made::seen(titled)).verdict, Verdict::Pass);
        let bare = made::traffic(json!({}), [made::problem(404, &json!({"type": "urn:x"}))]);
        assert_eq!(message(&made::seen(bare)).verdict, Verdict::Fail);
    }
}
