//! ERR-003: a message for people.

use super::{
    super::evidence::{ErrorResponse, Traffic},
    AnyEvidence, EXAMPLES, Judgement, Rule, Severity, Strength, count, fail_with, is_problem_details, judge,
    only_traffic, own,
};
use crate::json::Scalar;

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

pub(super) fn message(evidence: &AnyEvidence) -> Judgement {
    judge(evidence, messages_of_traffic, only_traffic)
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
    // A `type` that is a URI is longer than any word, and "Forbidden" is what RFC 9457 itself puts beside it.
    let uri = code.contains(['/', ':']);
    let stub = !uri && !text.contains(char::is_whitespace) && text.is_ascii() && text.len() < code.len();
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

    use super::{super::tests as made, *};
    use crate::rule::Verdict;

    fn errors() -> Value {
        json!({"code": "$.code", "message": "$.message"})
    }

    fn judged(errors: Value, bodies: &[Value]) -> Judgement {
        message(&made::seen(made::traffic(errors, bodies.iter().map(|body| made::json(404, body)))))
    }

    #[test]
    fn sentences_are_messages_and_short_ones_beside_long_codes_too() {
        let bodies = [
            json!({"code": "unknown_account", "message": "Not found"}),
            json!({"code": 7, "message": "Unbekannt"}),
            json!({"code": "https://api.example/errors/forbidden", "message": "Forbidden"}),
            json!({"message": "quantity must not be null"}),
        ];
        assert_eq!(judged(errors(), &bodies).verdict, Verdict::Pass);
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
            assert_eq!(judged(errors(), std::slice::from_ref(&body)).verdict, Verdict::Fail, "{body}");
        }
    }

    #[test]
    fn messages_may_be_optional_or_in_an_unknown_place() {
        let optional = json!({"code": "$.code", "message": "$.message", "message_optional": true});
        let none = [json!({"code": "x"})];
        assert_eq!(judged(optional.clone(), &none).verdict, Verdict::NotApplicable);
        let some = [json!({"code": "x"}), json!({"code": "x", "message": "It is gone"})];
        assert_eq!(judged(optional, &some).verdict, Verdict::Pass);
        assert_eq!(judged(json!({}), &none).verdict, Verdict::NotApplicable);
        assert_eq!(judged(errors(), &[]).verdict, Verdict::Inconclusive);
        assert_eq!(message(&made::unanswered()).verdict, Verdict::NotApplicable);
        let titled = made::traffic(json!({}), [made::problem(404, &json!({"title": "Gone for good"}))]);
        assert_eq!(message(&made::seen(titled)).verdict, Verdict::Pass);
        let bare = made::traffic(json!({}), [made::problem(404, &json!({"type": "urn:x"}))]);
        assert_eq!(message(&made::seen(bare)).verdict, Verdict::Fail);
    }
}
