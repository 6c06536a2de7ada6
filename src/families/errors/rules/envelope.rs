//! ERR-001: every error is machine readable, in one envelope.

use super::{
    super::{
        difference,
        evidence::{Content, Declared, Envelope, ErrorResponse, Traffic},
    },
    AnyEvidence, EXAMPLES, Judgement, Rule, Severity, Strength, count, fail_with, is_edge, judge, refusal,
};

pub(super) static MACHINE_READABLE: Rule = Rule {
    id: "ERR-001",
    slug: "error-not-machine-readable",
    family: "errors",
    title: "Every error is machine readable, in one envelope",
    sent: "Requests that must fail, and whatever other checks sent that failed.",
    requirement: "An error is a JSON object with a media type of the JSON family, in one of the declared shapes and \
                  with the declared status.",
    not_applicable: "Responses to HEAD, errors of an OAuth token endpoint, statuses whose body may be empty.",
    severity: Severity::Major,
    strength: Strength::Convention,
    source: "RFC 9457 §3; Zalando RESTful API Guidelines, rule 176; Google AIP-193",
    remedy: "Answer every error through one place that writes the envelope, including unknown routes, refused \
             methods and media types, and exceptions nobody caught.",
    defects: &["errors.html-not-found", "errors.empty-body", "errors.second-shape"],
};

pub(super) fn machine_readable(evidence: &AnyEvidence) -> Judgement {
    judge(evidence, traffic, refusal::case)
}

/// What is wrong with the form of an error, if anything.
pub(in crate::families) fn flaw(answer: &ErrorResponse, declared: &Declared, own_schema: bool) -> Option<String> {
    let errors = &declared.errors;
    match &answer.content {
        _ if answer.oauth => return None,
        Content::Unread(_) => return None,
        Content::Empty if errors.may_be_empty.contains(&answer.status) => return None,
        Content::Empty => return Some("the body is empty".into()),
        Content::NotJson(looks, start) => return Some(format!("{looks} instead of JSON: {start}")),
        Content::OtherJson(what) if answer.envelope == Envelope::Unknown && !own_schema => {
            return Some(format!("the body is {what}, not an object"));
        }
        Content::OtherJson(_) | Content::Object(_) => {}
    }
    if !answer.is_json_type() {
        let label = answer.media_type.as_deref().map_or("without a media type".into(), |m| format!("labelled {m}"));
        return Some(format!("JSON {label}"));
    }
    match &answer.envelope {
        Envelope::Foreign(why) if !own_schema => {
            return Some(format!("not in the declared envelope: {}", why.join("; ")));
        }
        Envelope::Also => return None,
        _ => {}
    }
    match (&errors.media_type, &answer.media_type) {
        (Some(declared), Some(actual)) if !declared.eq_ignore_ascii_case(actual) => {
            Some(format!("{actual} where {declared} is declared"))
        }
        _ => None,
    }
}

pub(in crate::families) fn acceptable(judgement: Judgement, declared: &Declared) -> Judgement {
    let errors = &declared.errors;
    let media = errors.media_type.as_deref().unwrap_or("application/json or another type of the JSON family");
    let mut judgement = judgement.expected(format!("a JSON object with Content-Type {media}"));
    if !errors.also.is_empty() {
        judgement = judgement.expected("JSON in one of the further shapes that `conventions.errors.also` lists");
    }
    if !errors.may_be_empty.is_empty() {
        let statuses = difference::alternatives(errors.may_be_empty.iter());
        judgement = judgement.expected(format!("no body, with status {statuses}"));
    }
    judgement
}

pub(in crate::families) fn unusable(declared: &Declared) -> Option<Judgement> {
    let first = declared.unusable.first()?;
    Some(Judgement::inconclusive(format!("the declared shape cannot be used: {first}")))
}

fn traffic(traffic: &Traffic) -> Judgement {
    if let Some(judgement) = unusable(&traffic.declared) {
        return judgement;
    }
    let judged: Vec<&ErrorResponse> = traffic.answers.iter().filter(|answer| !answer.oauth).collect();
    if judged.is_empty() {
        return Judgement::inconclusive("no error was met");
    }
    let flawed = judged.iter().filter_map(|answer| Some((*answer, flaw(answer, &traffic.declared, false)?)));
    let (edge, own): (Vec<_>, Vec<_>) = flawed.partition(|(answer, _)| is_edge(answer, traffic));
    if !own.is_empty() {
        let message = format!("{} of {} not machine readable", own.len(), count(judged.len(), "error"));
        return acceptable(fail_with(message, &own), &traffic.declared);
    }
    if let Some((one, other)) = disjoint(&judged) {
        let pair = [one, other].map(|answer| (answer, format!("members {}", names(answer))));
        return fail_with("two errors have no member in common".into(), &pair)
            .expected("one shape for all errors")
            .expected("further shapes declared under `conventions.errors.also`");
    }
    if !edge.is_empty() {
        let message = format!("edge: {} before the API answered out of shape", count(edge.len(), "error"));
        return acceptable(fail_with(message, &edge), &traffic.declared).severity(Severity::Minor);
    }
    let mut statuses: Vec<u16> = judged.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    statuses.dedup();
    let statuses = statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    Judgement::pass(format!("{} in one machine-readable shape (statuses {statuses})", count(judged.len(), "error")))
        .cite(judged.iter().take(EXAMPLES).map(|answer| answer.exchange))
}

/// Two errors that share no member at all, where the suite does not say which shapes are legal.
fn disjoint<'t>(answers: &[&'t ErrorResponse]) -> Option<(&'t ErrorResponse, &'t ErrorResponse)> {
    let mut kinds: Vec<(&'t ErrorResponse, &'t [String])> = Vec::new();
    for answer in answers {
        let Content::Object(members) = &answer.content else { continue };
        let undeclared = answer.envelope == Envelope::Unknown;
        if undeclared && !members.is_empty() && !kinds.iter().any(|(_, known)| *known == members.as_slice()) {
            kinds.push((answer, members));
        }
    }
    let pairs = kinds.iter().enumerate().flat_map(|(index, one)| kinds[..index].iter().map(move |other| (other, one)));
    pairs
        .filter(|((_, one), (_, other))| !one.iter().any(|member| other.contains(member)))
        .map(|((one, _), (other, _))| (*one, *other))
        .next()
}

fn names(answer: &ErrorResponse) -> String {
    match &answer.content {
        Content::Object(members) => members.join(", "),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{super::testing::reply, tests as made},
        *,
    };
    use crate::{
        exchange::{ExchangeId, Reply},
        rule::Verdict,
    };

    fn judged(errors: serde_json::Value, replies: Vec<Reply>) -> Judgement {
        machine_readable(&made::seen(made::traffic(errors, replies)))
    }

    #[test]
    fn errors_in_one_shape_pass() {
        let replies =
            vec![made::json(404, &json!({"code": "a", "message": "b"})), made::json(500, &json!({"code": "c"}))];
        let judgement = judged(json!({}), replies);
        assert_eq!(judgement.verdict, Verdict::Pass);
        assert!(
            judgement.message.contains("2 errors") && judgement.message.contains("404, 500"),
            "{}",
            judgement.message
        );
    }

    #[test]
    fn no_error_at_all_decides_nothing() {
        assert_eq!(judged(json!({}), vec![]).verdict, Verdict::Inconclusive);
        let broken = judged(json!({"schema": {"type": "x"}}), vec![made::json(404, &json!({}))]);
        assert_eq!(broken.verdict, Verdict::Inconclusive);
    }

    #[test]
    fn html_empty_mislabelled_and_unstructured_bodies_are_reported() {
        for (reply, what) in [
            (reply(404, "text/html", "<html>"), "HTML"),
            (reply(404, "application/json", ""), "empty"),
            (reply(404, "text/plain", "{}"), "labelled text/plain"),
            (reply(404, "", "{}"), "without a media type"),
            (reply(404, "application/json", "[\"x\"]"), "an array"),
            (reply(404, "application/json", "{\"a\":"), "broken JSON"),
        ] {
            let judgement = judged(json!({}), vec![made::json(400, &json!({"code": "a"})), reply]);
            assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, None), "{what}");
            assert!(judgement.actual.contains(what), "{what}: {}", judgement.actual);
            assert_eq!(judgement.exchanges, [ExchangeId(2)]);
        }
    }

    #[test]
    fn declared_exceptions_are_respected() {
        let errors = json!({"may_be_empty": [401], "also": [{"type": "array"}]});
        let replies = vec![reply(401, "", ""), made::json(400, &json!(["x"]))];
        assert_eq!(judged(errors, replies).verdict, Verdict::Pass);
    }

    #[test]
    fn a_second_shape_is_reported_against_a_declaration_and_without_one() {
        let (one, other) = (json!({"code": "a", "message": "b"}), json!({"fault": {"text": "x"}}));
        let replies = || vec![made::json(404, &one), made::json(400, &other)];
        let declared = judged(json!({"code": "$.code", "message": "$.message"}), replies());
        assert!(declared.actual.contains("there is no code at $.code"), "{}", declared.actual);
        assert_eq!(declared.exchanges, [ExchangeId(2)]);
        assert_eq!(judged(json!({}), replies()).exchanges, [ExchangeId(1), ExchangeId(2)]);
        let related = vec![made::json(404, &one), made::json(400, &json!({"message": "x", "errors": []}))];
        assert_eq!(judged(json!({}), related).verdict, Verdict::Pass);
    }

    #[test]
    fn another_media_type_than_declared_is_reported() {
        let errors = json!({"media_type": "application/problem+json"});
        let judgement = judged(errors.clone(), vec![made::json(404, &json!({"title": "x"}))]);
        assert_eq!(judgement.verdict, Verdict::Fail);
        assert_eq!(judged(errors, vec![made::problem(404, &json!({"title": "x"}))]).verdict, Verdict::Pass);
    }

    #[test]
    fn a_gateways_own_page_is_edge_and_minor() {
        let mut page = reply(503, "text/html", "<html>");
        page.headers.push("Server", "edge");
        let mut traffic = made::traffic(json!({}), vec![made::json(404, &json!({"code": "a"})), page.clone()]);
        assert_eq!(machine_readable(&made::seen(traffic.clone())).severity, None);
        traffic.origin = Some("gate".into());
        let judgement = machine_readable(&made::seen(traffic));
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, Some(Severity::Minor)));
        assert!(judgement.message.starts_with("edge:"));
        let gateway = judged(json!({}), vec![reply(502, "text/html", "<html>")]);
        assert_eq!(gateway.severity, Some(Severity::Minor));
    }

    #[test]
    fn a_token_endpoint_has_its_own_shape() {
        let shape = super::super::super::testing::shape(json!({"code": "$.code", "message": "$.message"}));
        let mut traffic = made::traffic_of(&shape, vec![made::json(401, &json!({"error": "invalid_client"}))]);
        assert_eq!(machine_readable(&made::seen(traffic.clone())).verdict, Verdict::Fail);
        traffic.answers[0].oauth = true;
        assert_eq!(machine_readable(&made::seen(traffic)).verdict, Verdict::Inconclusive);
    }
}
