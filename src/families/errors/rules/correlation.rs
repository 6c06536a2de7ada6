//! ERR-004: every error carries an id of its own by which it can be found again.

use std::collections::BTreeMap;

use super::{
    super::evidence::{Declared, ErrorResponse, Traffic},
    AnyEvidence, EXAMPLES, Judgement, Rule, Severity, Strength, count, fail_with, is_edge, judge, only_traffic,
};

/// So many pairwise distinct ids are a full sample.
const FULL: usize = 20;

pub(super) static CORRELATION: Rule = Rule {
    id: "ERR-004",
    slug: "no-unique-correlation-id",
    family: "errors",
    title: "Every error carries a correlation id, unique to its request",
    sent: "Requests that must fail, and whatever other checks sent that failed; each with a correlation id of its own \
           where the suite names a header field for it.",
    requirement: "There is an id in the body or a response header field; no two requests share one; body and header \
                  agree; where the suite says that ids are echoed, it is the one that was sent.",
    not_applicable: "Never: without an id nobody can find out what happened to a payment.",
    severity: Severity::Major,
    strength: Strength::Domain,
    source: "UK Open Banking v4 and AU CDR (x-fapi-interaction-id, on errors too); PayPal (debug_id); Stripe (Request-Id)",
    remedy: "Give each request an id at the edge, send it back with every response, errors above all, and log it.",
    defects: &["errors.no-correlation-id", "errors.reused-correlation-id", "errors.body-header-id-differ"],
};

pub(super) fn correlation(evidence: &AnyEvidence) -> Judgement {
    judge(evidence, traffic, only_traffic)
}

fn traffic(traffic: &Traffic) -> Judgement {
    let judged: Vec<&ErrorResponse> =
        traffic.answers.iter().filter(|answer| !answer.oauth && !is_edge(answer, traffic)).collect();
    if judged.is_empty() {
        return Judgement::inconclusive("no error was met");
    }
    let all = count(judged.len(), "error");
    let missing = judged.iter().filter(|answer| answer.ids.header.is_none() && answer.ids.body.is_none());
    let missing: Vec<_> = missing.map(|answer| (*answer, "no correlation id".to_owned())).collect();
    if !missing.is_empty() {
        let message = format!("{} of {all} without a correlation id", missing.len());
        return fail_with(message, &missing).expected(place(&traffic.declared));
    }
    let differing: Vec<_> = judged.iter().filter_map(|answer| Some((*answer, disagreement(answer)?))).collect();
    if !differing.is_empty() {
        let message = format!("{} of {all} with one id in the body and another in the header", differing.len());
        return fail_with(message, &differing).expected("the same id in both places");
    }
    let foreign: Vec<_> =
        judged.iter().filter_map(|answer| Some((*answer, not_echoed(answer, &traffic.declared)?))).collect();
    if !foreign.is_empty() {
        let message = format!("{} of {all} without the id that was sent", foreign.len());
        return fail_with(message, &foreign).expected("the id of the request, as `conventions.correlation.echo` says");
    }
    let reused = reused(&judged);
    if !reused.is_empty() {
        return fail_with("several requests share a correlation id".into(), &reused)
            .expected("an id of its own for each request");
    }
    if judged.len() < 2 {
        return Judgement::inconclusive("only one error was met: whether its id is its own cannot be seen")
            .cite(judged.iter().map(|answer| answer.exchange));
    }
    let sample = if judged.len() < FULL { format!(" ({FULL} would be a full sample)") } else { String::new() };
    Judgement::pass(format!("{all} seen, none shares its correlation id with another{sample}"))
        .cite(judged.iter().take(EXAMPLES).map(|answer| answer.exchange))
}

fn place(declared: &Declared) -> String {
    let header = declared.correlation.response.as_ref().map(|name| format!("in the header field {name}"));
    let body = declared.errors.correlation_id.as_ref().map(|path| format!("at {path}"));
    let places: Vec<String> = [header, body].into_iter().flatten().collect();
    if places.is_empty() {
        return "an id in a header field such as X-Request-Id or a member such as request_id; the suite can name \
                another place (`conventions.correlation.response`, `conventions.errors.correlation_id`)"
            .into();
    }
    format!("an id {}", places.join(" or "))
}

fn disagreement(answer: &ErrorResponse) -> Option<String> {
    let ((header, one), (member, other)) = (answer.ids.header.as_ref()?, answer.ids.body.as_ref()?);
    (answer.ids.comparable && one != other).then(|| format!("{header}: {one}, but {member} is {other}"))
}

fn not_echoed(answer: &ErrorResponse, declared: &Declared) -> Option<String> {
    let sent = answer.ids.sent.as_ref().filter(|_| declared.correlation.echo)?;
    let (place, id) = answer.ids.header.as_ref().or(answer.ids.body.as_ref())?;
    (id != sent).then(|| format!("{sent} was sent, {place} is {id}"))
}

/// Errors whose id another one had before, header fields and members apart.
fn reused<'t>(judged: &[&'t ErrorResponse]) -> Vec<(&'t ErrorResponse, String)> {
    let mut known: BTreeMap<(&str, &str), &ErrorResponse> = BTreeMap::new();
    let mut found = Vec::new();
    for answer in judged {
        let mut again = None;
        for (place, id) in [&answer.ids.header, &answer.ids.body].into_iter().flatten() {
            match known.get(&(place.as_str(), id.as_str())) {
                Some(first) if !may_repeat(first, answer) => {
                    again.get_or_insert_with(|| format!("{place} is {id}, as in {}", first.exchange));
                }
                Some(_) => {}
                None => drop(known.insert((place, id), answer)),
            }
        }
        found.extend(again.map(|what| (*answer, what)));
    }
    found
}

/// A response out of a cache, or a replay under the same idempotency key, legally repeats the first one's id.
fn may_repeat(first: &ErrorResponse, again: &ErrorResponse) -> bool {
    let replay = again.idempotency_key.is_some() && again.idempotency_key == first.idempotency_key;
    again.cached || first.cached || replay || first.exchange == again.exchange
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::{super::testing::shape, tests as made},
        *,
    };
    use crate::{
        exchange::{ExchangeId, Reply},
        families::Correlation,
        rule::Verdict,
    };

    fn with_header(name: &str, id: &str) -> Reply {
        let mut reply = made::json(404, &json!({"code": "x"}));
        reply.headers.push(name, id);
        reply
    }

    fn judged(traffic: Traffic) -> Judgement {
        correlation(&made::seen(traffic))
    }

    fn ids(ids: &[&str]) -> Traffic {
        made::traffic(json!({}), ids.iter().map(|id| with_header("X-Request-Id", id)))
    }

    #[test]
    fn distinct_ids_pass_and_their_number_is_said() {
        let few = judged(ids(&["a", "b"]));
        assert_eq!(few.verdict, Verdict::Pass);
        assert!(few.message.contains("2 errors seen") && few.message.contains("full sample"), "{}", few.message);
        let many: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let full = judged(ids(&many.iter().map(String::as_str).collect::<Vec<_>>()));
        assert!(full.verdict == Verdict::Pass && !full.message.contains("full sample"));
    }

    #[test]
    fn one_error_or_none_decides_nothing() {
        assert_eq!(judged(ids(&["a"])).verdict, Verdict::Inconclusive);
        assert_eq!(judged(ids(&[])).verdict, Verdict::Inconclusive);
        assert_eq!(correlation(&made::unanswered()).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn a_missing_id_is_reported_wherever_ids_should_be() {
        let mut replies = vec![with_header("X-Request-Id", "a"), made::json(404, &json!({"code": "x"}))];
        let missing = judged(made::traffic(json!({}), replies.clone()));
        assert_eq!((missing.verdict, missing.exchanges), (Verdict::Fail, vec![ExchangeId(2)]));
        replies[1] = made::json(404, &json!({"request_id": "b"}));
        assert_eq!(judged(made::traffic(json!({}), replies.clone())).verdict, Verdict::Pass);
        let declared = judged(made::traffic(json!({"correlation_id": "$.meta.id"}), vec![replies[1].clone()]));
        assert_eq!(declared.expected, ["an id at $.meta.id"]);
    }

    #[test]
    fn a_reused_id_is_reported_unless_it_may_repeat() {
        let mut traffic = ids(&["a", "b", "a"]);
        let judgement = judged(traffic.clone());
        assert_eq!((judgement.verdict, judgement.exchanges), (Verdict::Fail, vec![ExchangeId(3)]));
        traffic.answers[2].cached = true;
        assert_eq!(judged(traffic.clone()).verdict, Verdict::Pass);
        traffic.answers[2].cached = false;
        for index in [0, 2] {
            traffic.answers[index].idempotency_key = Some("k".into());
        }
        assert_eq!(judged(traffic).verdict, Verdict::Pass);
    }

    #[test]
    fn body_and_header_must_agree() {
        let both = |member: &str| {
            let mut reply = made::json(404, &json!({ member: "b" }));
            reply.headers.push("X-Request-Id", "a");
            let mut other = made::json(404, &json!({ member: "d" }));
            other.headers.push("X-Request-Id", "c");
            judged(made::traffic(json!({}), [reply, other])).verdict
        };
        assert_eq!(both("request_id"), Verdict::Fail);
        assert_eq!(both("trace_id"), Verdict::Pass);
    }

    #[test]
    fn an_echo_must_be_what_was_sent_where_that_is_declared() {
        let judged = |echo: bool, sent: Option<&str>| {
            let mut traffic = ids(&["a", "b"]);
            traffic.declared.correlation = Correlation { echo, ..Correlation::default() };
            traffic.answers[1].ids.sent = sent.map(Into::into);
            judged(traffic).verdict
        };
        assert_eq!(judged(true, Some("z")), Verdict::Fail);
        assert_eq!(judged(true, Some("b")), Verdict::Pass);
        assert_eq!(judged(true, None), Verdict::Pass);
        assert_eq!(judged(false, Some("z")), Verdict::Pass);
    }

    #[test]
    fn a_gateways_page_and_a_token_endpoint_need_no_id() {
        let shape = shape(Value::Object(serde_json::Map::new()));
        let mut page = made::json(502, &json!({}));
        page.body = "<html>".into();
        let replies = [with_header("X-Request-Id", "a"), with_header("X-Request-Id", "b"), page];
        assert_eq!(judged(made::traffic_of(&shape, replies)).verdict, Verdict::Pass);
    }
}
