//! How a problem is said: problem details when clean, and every defect of errors.

use std::sync::atomic::{AtomicU32, Ordering};

use http::StatusCode;
use serde_json::{Map, Value, json};
use url::form_urlencoded::byte_serialize;
use uuid::Uuid;

use super::{Fault, Problem};
use crate::reference::{
    behaviour::Behaviour,
    defects::{errors as defect, rate},
    http::Reply,
    variants::{HOUSE_ERRORS, LIMITS_HOUSE_CODE_200},
};

/// Says problems, and counts them.
#[derive(Debug, Default)]
pub(in crate::reference) struct Voice {
    spoken: AtomicU32,
}

impl Voice {
    /// The answer to a problem, and the correlation id its header is to carry.
    pub(in crate::reference) fn speak(&self, problem: Problem, id: &str, is: &Behaviour) -> (Reply, Option<String>) {
        let occurrence = self.spoken.fetch_add(1, Ordering::Relaxed) + 1;
        let (header_id, body_id) = correlation_ids(id, is);
        let mut reply = unstructured(&problem, is).unwrap_or_else(|| {
            let members = members(&problem, body_id.as_deref(), occurrence, is);
            envelope(&problem, members, is)
        });
        if problem.fault.is_about_limits() && is.has(rate::STATUS_200) {
            reply.status = StatusCode::OK;
        }
        for (name, value) in problem.context.headers {
            reply = reply.header(name, &value);
        }
        (reply, header_id)
    }
}

fn correlation_ids(id: &str, is: &Behaviour) -> (Option<String>, Option<String>) {
    let own = || Some(id.to_owned());
    if is.has(defect::NO_CORRELATION_ID) {
        return (None, None);
    }
    if is.has(defect::REUSED_CORRELATION_ID) {
        let fixed = "c0a8017e-0000-4000-8000-000000000001".to_owned();
        return (Some(fixed.clone()), Some(fixed));
    }
    if is.has(defect::BODY_HEADER_ID_DIFFER) {
        return (own(), Some(Uuid::now_v7().to_string()));
    }
    (own(), own())
}

/// Answers that are not JSON at all: only defects give them.
fn unstructured(problem: &Problem, is: &Behaviour) -> Option<Reply> {
    let status = problem.fault.status();
    if problem.fault.is_about_limits() && is.has(rate::HTML_REFUSAL) {
        let page = "<!DOCTYPE html><html><head><title>429 Too Many Requests</title></head>\
            <body><h1>Too Many Requests</h1></body></html>";
        return Some(Reply::typed(status, "text/html; charset=utf-8", page.to_owned()));
    }
    if status == StatusCode::NOT_FOUND && is.has(defect::HTML_NOT_FOUND) {
        let page =
            "<!DOCTYPE html><html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>";
        return Some(Reply::typed(status, "text/html; charset=utf-8", page.to_owned()));
    }
    if status == StatusCode::NOT_FOUND && is.has(defect::EMPTY_BODY) {
        return Some(Reply::empty(status));
    }
    let markup =
        problem.context.received.as_deref().filter(|text| text.contains('<') && problem.fault.is_about_parameters())?;
    is.has(defect::REFLECTS_MARKUP).then(|| {
        let page = format!("<!DOCTYPE html><html><body><p>bad parameter: {markup}</p></body></html>");
        Reply::typed(status, "text/html; charset=utf-8", page)
    })
}

/// The members of the problem details (RFC 9457 §3.1), in the order they are sent.
fn members(problem: &Problem, id: Option<&str>, occurrence: u32, is: &Behaviour) -> Map<String, Value> {
    let status = problem.fault.status();
    let (kind, code, title) = naming(problem.fault, occurrence, is);
    let mut members = Map::new();
    members.insert("type".into(), json!(kind));
    if !is.has(defect::NO_MESSAGE) {
        members.insert("title".into(), json!(title));
    }
    let shown_status = if is.has(defect::STATUS_MISMATCH) { 500 } else { status.as_u16() };
    members.insert("status".into(), json!(shown_status));
    if let Some(detail) = detail(problem, is) {
        members.insert("detail".into(), json!(detail));
    }
    if let Some(code) = code {
        members.insert("code".into(), json!(code));
    }
    if let Some(id) = id {
        let urn: String = byte_serialize(id.as_bytes()).collect();
        members.insert("instance".into(), json!(format!("urn:correlation:{urn}")));
        members.insert("correlationId".into(), json!(id));
    }
    if let Some(parameter) = &problem.context.parameter {
        members.insert("parameter".into(), json!(parameter));
    }
    if !problem.context.fields.is_empty() && !is.has(defect::NO_POINTER) {
        let fields =
            problem.context.fields.iter().map(|field| json!({ "pointer": field.pointer, "detail": field.detail }));
        members.insert("errors".into(), fields.collect());
    }
    disclose(problem, &mut members, is);
    members
}

/// The `type`, the code and the title.
fn naming(fault: Fault, occurrence: u32, is: &Behaviour) -> (String, Option<String>, String) {
    let named =
        |slug: &str, title: &str| (format!("urn:problem:{slug}"), Some(slug.replace('-', "_")), title.to_owned());
    // Without a code of its own a type must not stand in for it: then it is about:blank, titled by the status phrase.
    let blank = |code| {
        let phrase = fault.status().canonical_reason().unwrap_or_default();
        ("about:blank".to_owned(), code, phrase.to_owned())
    };
    if is.has(defect::NO_CODE) {
        return blank(None);
    }
    if is.has(defect::CODE_IS_STATUS) {
        return blank(Some(fault.status().as_str().to_owned()));
    }
    if is.has(defect::CATCH_ALL_CODE) {
        return named("request-failed", "The request failed");
    }
    if is.has(defect::RANDOM_CODE) {
        return named(&format!("e-{}", Uuid::new_v4().simple()), fault.title());
    }
    if is.has(defect::TITLE_VARIES) {
        return named(fault.slug(), &format!("{} (no. {occurrence})", fault.title()));
    }
    named(fault.slug(), fault.title())
}

fn detail(problem: &Problem, is: &Behaviour) -> Option<String> {
    if is.has(defect::NO_MESSAGE) {
        return None;
    }
    if is.has(defect::UNEXPANDED_TEMPLATE) {
        return Some("request {0} could not be served: %s".to_owned());
    }
    if is.has(defect::NO_POINTER) && !problem.context.fields.is_empty() {
        return Some("the request body cannot be accepted".to_owned());
    }
    match &problem.context.credential {
        Some(credential) if is.has(defect::ECHOES_CREDENTIAL) => Some(format!("the token {credential} is not known")),
        _ => Some(problem.detail.clone()),
    }
}

/// What must never leave the API: only defects say it.
fn disclose(problem: &Problem, members: &mut Map<String, Value>, is: &Behaviour) {
    if let Some(received) = &problem.context.received
        && is.has(defect::ECHOES_CARD_NUMBER)
    {
        members.insert("received".into(), json!(received));
    }
    if !problem.fault.is_about_parameters() && problem.fault != Fault::InvalidJson {
        return;
    }
    if is.has(defect::STACK_TRACE) {
        let trace = "com.example.brokerage.ParseException: unexpected token\n\
            \tat com.example.brokerage.web.RequestReader.parse(RequestReader.java:118)\n\
            \tat com.example.brokerage.web.ListController.list(ListController.java:64)\n\
            \tat java.base/java.lang.Thread.run(Thread.java:1583)";
        members.insert("trace".into(), json!(trace));
    }
    if is.has(defect::SQL_FRAGMENT) {
        let sql = "ERROR: invalid input syntax for type bigint (SQLSTATE 22P02): \
            SELECT id, as_of FROM positions WHERE account_id = $1 ORDER BY as_of DESC LIMIT $2";
        members.insert("cause".into(), json!(sql));
    }
    if is.has(defect::INTERNAL_ADDRESS) {
        members.insert("upstream".into(), json!("http://10.20.0.17:8443/internal/query"));
    }
}

/// Wraps the members: problem details, the house envelope, or a second shape where one shape is promised.
fn envelope(problem: &Problem, members: Map<String, Value>, is: &Behaviour) -> Reply {
    let status = problem.fault.status();
    let member = |name: &str| members.get(name).cloned();
    if problem.fault.is_about_limits() && is.is(LIMITS_HOUSE_CODE_200) {
        return Reply::json(StatusCode::OK, &json!({ "error": ["EAPI:Rate limit exceeded"] }));
    }
    if is.is(HOUSE_ERRORS) {
        let named = [("code", "code"), ("message", "detail"), ("request_id", "correlationId"), ("errors", "errors")];
        let error: Map<_, _> =
            named.into_iter().filter_map(|(house, standard)| Some((house.to_owned(), member(standard)?))).collect();
        return Reply::json(status, &json!({ "error": error }));
    }
    if is.has(defect::SECOND_SHAPE) && problem.fault.is_about_parameters() {
        let fault = json!({ "reason": member("code"), "text": member("detail"), "trace": member("correlationId") });
        return Reply::json(status, &json!({ "fault": fault }));
    }
    Reply::typed(status, "application/problem+json", Value::Object(members).to_string())
}
