//! Errors shaped as well-known APIs shape them, under the conventions a suite would declare for each.

use serde_json::{Value, json};

use super::{
    observer::Watch,
    rules::RULES,
    testing::{conventions, reply},
};
use crate::{
    exchange::{ExchangeId, Reply, Request, Who},
    families::{Conventions, Correlation, Observer},
    rule::{Judgement, Verdict},
};

/// What the first four rules say: envelope, code, message, correlation id.
fn judged(conventions: &Conventions, replies: Vec<Reply>) -> Vec<Judgement> {
    let mut watch = Watch::new(conventions);
    for (id, mut reply) in (1..).zip(replies) {
        reply.id = ExchangeId(id);
        watch.see(&Request::new(Who::Client("reader".into()), "GET", "/v1/things/T-1"), &Ok(reply));
    }
    let evidence = watch.evidence();
    RULES[..4].iter().map(|judged| (judged.judge)(&evidence)).collect()
}

fn verdicts(conventions: &Conventions, replies: Vec<Reply>) -> Vec<Verdict> {
    let judged = judged(conventions, replies);
    judged.iter().map(|judgement| judgement.verdict).collect()
}

const PASS: [Verdict; 4] = [Verdict::Pass; 4];

fn json_reply(status: u16, header: Option<(&str, &str)>, body: &Value) -> Reply {
    let mut reply = reply(status, "application/json; charset=utf-8", &body.to_string());
    if let Some((name, value)) = header {
        reply.headers.push(name, value);
    }
    reply
}

fn with_header(errors: Value, header: &str) -> Conventions {
    let correlation = Correlation { response: Some(header.into()), ..Correlation::default() };
    Conventions { correlation: Some(correlation), ..conventions(errors) }
}

#[test]
fn stripe() {
    let declared = with_header(json!({"code": "$.error.code", "message": "$.error.message"}), "Request-Id");
    let error = |id: &str, status, code: &str, message: &str| {
        let body = json!({"error": {"type": "invalid_request_error", "code": code, "message": message, "param": "id"}});
        json_reply(status, Some(("Request-Id", id)), &body)
    };
    let first = error("req_1", 404, "resource_missing", "No such customer: 'cus_9'");
    assert_eq!(verdicts(&declared, vec![first.clone(), error("req_2", 400, "parameter_unknown", "Unknown x")]), PASS);
    // Without `code`, which such an API leaves out of some errors, the second rule must speak and no other.
    let bare = json!({"error": {"type": "invalid_request_error", "message": "Unrecognized URL"}});
    let bare = json_reply(404, Some(("Request-Id", "req_3")), &bare);
    let found = verdicts(&declared, vec![first, bare]);
    assert_eq!(found, [Verdict::Pass, Verdict::Fail, Verdict::Pass, Verdict::Pass]);
}

#[test]
fn plaid() {
    let errors = json!({"code": "$.error_code", "message": "$.error_message", "correlation_id": "$.request_id"});
    let error = |id: &str, code: &str| {
        let body = json!({"error_type": "INVALID_INPUT", "error_code": code, "error_message": "the token is not known",
            "display_message": null, "request_id": id});
        json_reply(400, None, &body)
    };
    let replies = vec![error("m8MDnv9", "INVALID_ACCESS_TOKEN"), error("HNTDNrA", "INVALID_FIELD")];
    assert_eq!(verdicts(&conventions(errors.clone()), replies), PASS);
    let again = vec![error("m8MDnv9", "INVALID_FIELD"), error("m8MDnv9", "INVALID_FIELD")];
    assert_eq!(verdicts(&conventions(errors), again)[3], Verdict::Fail);
}

#[test]
fn binance() {
    let declared = conventions(json!({"code": "$.code", "message": "$.msg"}));
    let error = |code: i32, text: &str| json_reply(400, None, &json!({"code": code, "msg": text}));
    let replies = vec![error(-1121, "Invalid symbol."), error(-1102, "Mandatory parameter 'side' was not sent.")];
    // Numbers are codes; that there is no request id at all is a finding.
    assert_eq!(verdicts(&declared, replies), [Verdict::Pass, Verdict::Pass, Verdict::Pass, Verdict::Fail]);
}

#[test]
fn uk_open_banking() {
    let errors = json!({"code": "$.Errors[*].ErrorCode", "message": "$.Errors[*].Message", "message_optional": true,
        "may_be_empty": [401, 403]});
    let declared = with_header(errors, "x-fapi-interaction-id");
    let header = |id: &'static str| Some(("x-fapi-interaction-id", id));
    let body =
        |error: Value| json!({"Code": "400 Bad Request", "Id": "b1", "Message": "see Errors", "Errors": [error]});
    let replies = vec![
        json_reply(
            400,
            header("93bac548"),
            &body(json!({"ErrorCode": "UK.OBIE.Resource.NotFound", "Message": "Not found"})),
        ),
        json_reply(
            400,
            header("0d1f3c77"),
            &body(json!({"ErrorCode": "UK.OBIE.Field.Missing", "Path": "Data.Amount"})),
        ),
        Reply { body: bytes::Bytes::new(), ..json_reply(401, header("5af2c3d0"), &json!(null)) },
    ];
    assert_eq!(verdicts(&declared, replies.clone()), PASS);
    let strict = with_header(json!({"code": "$.Errors[*].ErrorCode"}), "x-fapi-interaction-id");
    assert_eq!(verdicts(&strict, replies)[0], Verdict::Fail);
}

#[test]
fn au_consumer_data_right() {
    let errors = json!({"code": "$.errors[0].code", "message": "$.errors[0].title",
        "schema": {"type": "object", "required": ["errors"], "properties": {"errors": {"type": "array", "minItems": 1,
            "items": {"required": ["code", "title", "detail"]}}}}});
    let declared = with_header(errors, "x-fapi-interaction-id");
    let error = |id: &str, code: &str, title: &str| {
        let code = format!("urn:au-cds:error:cds-all:{code}");
        let body = json!({"errors": [{"code": code, "title": title, "detail": "page-size", "meta": {}}]});
        json_reply(400, Some(("x-fapi-interaction-id", id)), &body)
    };
    let good = error("a1", "Field/InvalidPageSize", "Invalid Page Size");
    assert_eq!(verdicts(&declared, vec![good.clone(), error("a2", "Field/Missing", "Missing Required Field")]), PASS);
    let untitled = json!({"errors": [{"code": "urn:au-cds:error:cds-all:Field/Missing", "detail": "x"}]});
    let untitled = json_reply(400, Some(("x-fapi-interaction-id", "a3")), &untitled);
    // Outside the declared schema: the envelope is wrong, and what it holds is not judged besides.
    let found = verdicts(&declared, vec![good, untitled]);
    assert_eq!(found, [Verdict::Fail, Verdict::Pass, Verdict::Pass, Verdict::Pass]);
}

#[test]
fn paypal() {
    let errors = json!({"code": "$.name", "message": "$.message", "correlation_id": "$.debug_id",
        "fields": "$.details[*].field"});
    let declared = with_header(errors, "Paypal-Debug-Id");
    let error = |header: &str, member: &str| {
        let body = json!({"name": "INVALID_REQUEST", "message": "Request is not well-formed.", "debug_id": member,
            "details": [{"field": "/purchase_units/0/amount/value", "issue": "DECIMAL_PRECISION"}]});
        json_reply(422, Some(("Paypal-Debug-Id", header)), &body)
    };
    assert_eq!(verdicts(&declared, vec![error("90957fca61718", "90957fca61718"), error("b1d1", "b1d1")]), PASS);
    let differing = judged(&declared, vec![error("90957fca61718", "c0ffee"), error("b1d1", "b1d1")]);
    assert_eq!((differing[3].verdict, &differing[3].exchanges[..]), (Verdict::Fail, &[ExchangeId(1)][..]));
}

#[test]
fn django_rest_framework() {
    let general = |text: &str| json_reply(404, Some(("X-Request-Id", text)), &json!({ "detail": text }));
    let fields = json_reply(400, Some(("X-Request-Id", "c")), &json!({"quantity": ["A valid number is required."]}));
    let replies = vec![general("No such account."), general("Page not there."), fields];
    // The two shapes of this framework share no member; a suite that knows them says so.
    assert_eq!(verdicts(&conventions(json!({})), replies.clone())[0], Verdict::Fail);
    let also = json!([{"type": "object", "minProperties": 1, "additionalProperties": {"type": "array", "items": {"type": "string"}}}]);
    let declared = conventions(json!({"message": "$.detail", "also": also}));
    let expected = [Verdict::Pass, Verdict::NotApplicable, Verdict::Pass, Verdict::Pass];
    assert_eq!(verdicts(&declared, replies), expected);
}
