//! Reads an error response once: everything the rules ask about, nothing else kept.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;
use url::form_urlencoded;

use super::{
    disclosure, echo,
    evidence::{Content, Envelope, ErrorResponse, ProblemDetails, brief, is_problem},
    identifier,
    shape::Shape,
};
use crate::{
    exchange::{Payload, Reply, Request},
    json::{Path, Scalar},
};

/// Longest body that is parsed, in bytes.
const LONGEST: usize = 1024 * 1024;
/// How much of a request is kept for comparison, in bytes.
const SENT: usize = 64 * 1024;
/// Longest text kept of a member, in characters.
const TEXT: usize = 300;

/// An error response as the rules see it, and its body if that is JSON.
pub(in crate::families) fn read(request: &Request, reply: &Reply, shape: &Shape) -> (ErrorResponse, Option<Value>) {
    let media_type = reply.headers.media_type();
    let body = parse(&reply.body);
    let sent = sent_text(request);
    let canaries = echo::canaries(request, &sent);
    let errors = &shape.declared.errors;
    let problem = body.as_ref().filter(|_| media_type.as_deref().is_some_and(is_problem)).map(problem_details);
    let declared = |path: &Option<Path>| path.as_ref().and_then(|path| Some(scalar(path.first(body.as_ref()?)?)));
    let code = match (&errors.code, &problem) {
        (None, Some(problem)) => problem.kind.clone().filter(|kind| kind.text() != Some("about:blank")),
        (path, _) => declared(path),
    };
    let message = match (&errors.message, &problem) {
        (None, Some(problem)) => problem.detail.clone().or_else(|| problem.title.clone()),
        (path, _) => declared(path),
    };
    let target = path_of(&request.target);
    let mut kinds: Vec<_> = canaries.iter().map(|(kind, _)| *kind).collect();
    kinds.dedup();
    let answer = ErrorResponse {
        exchange: reply.id,
        check: request.check.clone(),
        method: request.method.clone(),
        path: brief(target, TEXT),
        status: reply.status,
        nosniff: reply.headers.get("x-content-type-options").is_some_and(|v| v.trim().eq_ignore_ascii_case("nosniff")),
        language: reply.headers.get("content-language").map(|v| brief(v, 40)),
        origin: origin(reply),
        cached: is_cached(reply),
        idempotency_key: idempotency_key(request),
        oauth: is_oauth(target, body.as_ref()),
        content: content(reply, body.as_ref()),
        envelope: body.as_ref().map_or(Envelope::Unknown, |body| shape.envelope(media_type.as_deref(), body)),
        code_quotes_request: code.as_ref().and_then(Scalar::text).is_some_and(|code| quotes(code, &sent)),
        code,
        placeholder: message.as_ref().and_then(Scalar::text).and_then(|text| placeholder(text, &sent)),
        message,
        ids: identifier::read(request, reply, body.as_ref(), &shape.declared),
        problem,
        disclosures: disclosure::find(reply, body.as_ref(), &sent),
        echoes: echo::echoes(&canaries, reply),
        canaries: kinds,
        media_type,
    };
    (answer, body)
}

/// `Server` and `Via`: who answered.
pub(in crate::families) fn origin(reply: &Reply) -> String {
    let part = |name| brief(reply.headers.get(name).unwrap_or_default(), 80);
    match (part("server"), part("via")) {
        (server, via) if via.is_empty() => server,
        (server, via) => format!("{server} via {via}"),
    }
}

fn parse(body: &[u8]) -> Option<Value> {
    (body.len() <= LONGEST).then(|| serde_json::from_slice(body).ok())?
}

fn content(reply: &Reply, body: Option<&Value>) -> Content {
    match body {
        Some(Value::Object(map)) => Content::Object(map.keys().take(32).map(|name| brief(name, 60)).collect()),
        Some(Value::Array(_)) => Content::OtherJson("an array".into()),
        Some(scalar) => Content::OtherJson(brief(&scalar.to_string(), 60)),
        None if reply.body.iter().all(u8::is_ascii_whitespace) => Content::Empty,
        None if reply.body.len() > LONGEST => Content::Unread(reply.body.len() as u64),
        None => {
            let text = String::from_utf8_lossy(&reply.body[..reply.body.len().min(1024)]);
            let start = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
            let looks = match start.as_bytes() {
                _ if start.starts_with("<!doctype html") || start.contains("<html") => "HTML",
                [b'<', ..] => "XML",
                [b'{' | b'[', ..] => "broken JSON",
                _ => "plain text",
            };
            Content::NotJson(looks.into(), brief(&text, 120))
        }
    }
}

fn problem_details(body: &Value) -> ProblemDetails {
    let member = |name: &str| body.get(name).map(scalar);
    ProblemDetails {
        kind: member("type"),
        title: member("title"),
        status: member("status"),
        detail: member("detail"),
        instance: member("instance"),
    }
}

fn scalar(value: &Value) -> Scalar {
    match Scalar::from_value(value) {
        Scalar::Text(text) if text.chars().count() > TEXT => Scalar::Text(brief(&text, TEXT)),
        scalar => scalar,
    }
}

fn path_of(target: &str) -> &str {
    target.split(['?', '#']).next().unwrap_or_default()
}

fn is_cached(reply: &Reply) -> bool {
    let aged = reply.headers.get("age").and_then(|age| age.trim().parse::<u64>().ok()).is_some_and(|age| age > 0);
    aged || reply.headers.get("x-cache").is_some_and(|value| value.to_ascii_lowercase().starts_with("hit"))
}

fn idempotency_key(request: &Request) -> Option<String> {
    ["idempotency-key", "x-idempotency-key", "x-idempotence-uuid", "paypal-request-id"]
        .iter()
        .find_map(|name| request.headers.get(name))
        .map(|key| brief(key, 100))
}

fn is_oauth(path: &str, body: Option<&Value>) -> bool {
    path.trim_end_matches('/').ends_with("/token")
        && body.and_then(|body| body.get("error")).is_some_and(Value::is_string)
}

/// Everything a request says, percent-decoded too: what is found in it again is an echo.
fn sent_text(request: &Request) -> String {
    let mut text = String::new();
    let mut add = |piece: &str| {
        if text.len() + piece.len() < SENT {
            text.push_str(piece);
            text.push('\n');
        }
    };
    add(&request.target);
    for (name, value) in form_urlencoded::parse(request.target.replace('+', "%2B").as_bytes()) {
        add(&name);
        add(&value);
    }
    request.query.iter().for_each(|(_, value)| add(value));
    request.headers.iter().for_each(|(_, value)| add(value));
    match &request.payload {
        Payload::None => {}
        Payload::Json(value) => {
            add(&value.to_string());
            add_strings(value, &mut add);
        }
        Payload::Form(fields) => fields.iter().for_each(|(_, value)| add(value)),
        Payload::Raw(bytes, _) => add(&String::from_utf8_lossy(&bytes[..bytes.len().min(SENT)])),
    }
    text
}

fn add_strings(value: &Value, add: &mut impl FnMut(&str)) {
    match value {
        Value::String(text) => add(text),
        Value::Array(items) => items.iter().for_each(|item| add_strings(item, add)),
        Value::Object(map) => map.values().for_each(|item| add_strings(item, add)),
        _ => {}
    }
}

/// Whether a code is running text that repeats data of the request: words, and an identifier that was sent.
fn quotes(code: &str, sent: &str) -> bool {
    let word = |c: char| !(c.is_alphanumeric() || "_-".contains(c));
    code.contains(' ')
        && code
            .split(word)
            .filter(|token| token.len() >= 3 && token.bytes().any(|b| b.is_ascii_digit()))
            .any(|token| sent.split(word).any(|part| part == token))
}

/// Placeholders of the usual template languages; a regex quantifier such as `{3}` follows what it repeats.
static PLACEHOLDER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?:^|[\s'"`:=(\[<])(\{\d\}|%(?:\d\$)?[sd]|\$\{[A-Za-z_][\w.]*\}|\{\{\s*[A-Za-z_][\w.]*\s*\}\}|#\{[A-Za-z_][\w.]*\})(?:$|[\s'"`:;,.)\]>])|(\[object Object\])"#,
    )
    .expect("the pattern is written here")
});

fn placeholder(message: &str, sent: &str) -> Option<String> {
    if matches!(message.trim(), "null" | "undefined" | "None" | "nil" | "NaN") {
        return Some(message.trim().to_owned());
    }
    let captures = PLACEHOLDER.captures(message)?;
    let found = captures.get(1).or_else(|| captures.get(2))?.as_str();
    (!sent.contains(found)).then(|| found.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::testing::{reply, shape},
        *,
    };
    use crate::exchange::Who;

    fn get(target: &str) -> Request {
        Request::new(Who::Anonymous, "GET", target)
    }

    fn answer(media_type: &str, body: &str) -> ErrorResponse {
        read(&get("/accounts/ACC-9?q=1"), &reply(404, media_type, body), &shape(json!({}))).0
    }

    #[test]
    fn bodies_are_told_apart() {
        assert_eq!(answer("application/json", "{\"a\":1}").content, Content::Object(vec!["a".into()]));
        assert_eq!(answer("application/json", "[]").content, Content::OtherJson("an array".into()));
        assert_eq!(answer("application/json", " \n").content, Content::Empty);
        for (body, looks) in
            [("<!DOCTYPE html><p>", "HTML"), ("<e/>", "XML"), ("{\"a\":", "broken JSON"), ("gone", "plain text")]
        {
            assert!(matches!(answer("x/y", body).content, Content::NotJson(l, _) if l == looks), "{body}");
        }
        let long = format!("\"{}\"", "x".repeat(LONGEST));
        assert_eq!(answer("application/json", &long).content, Content::Unread(long.len() as u64));
    }

    #[test]
    fn code_and_message_come_from_the_declared_places_or_from_problem_details() {
        let body = r#"{"type":"urn:p:unknown","title":"Unknown","detail":"no such account","error":{"code":-7}}"#;
        let problem = answer("application/problem+json", body);
        assert_eq!(problem.code, Some(Scalar::Text("urn:p:unknown".into())));
        assert_eq!(problem.message, Some(Scalar::Text("no such account".into())));
        assert_eq!(answer("application/json", body).code, None);
        let house = shape(json!({"code": "$.error.code", "message": "$.error.text"}));
        let (house, _) = read(&get("/x"), &reply(404, "application/json", body), &house);
        assert_eq!((house.code, house.message), (Some(Scalar::Number("-7".into())), None));
        assert_eq!(house.path, "/x");
    }

    #[test]
    fn a_code_that_is_a_sentence_about_the_request_is_noticed() {
        let sent = sent_text(&get("/accounts/ACC-9?depth=12%201"));
        assert!(quotes("account ACC-9 not found", &sent));
        for code in ["ACC-9", "EAPI:Rate limit exceeded", "account not found 404", "account_not_found"] {
            assert!(!quotes(code, &sent), "{code}");
        }
    }

    #[test]
    fn placeholders_are_told_from_quantifiers_and_words() {
        for text in
            ["request {0} failed", "no %s", "bad ${field.name}", "hi {{ name }}.", "undefined", "[object Object]"]
        {
            assert!(placeholder(text, "").is_some(), "{text}");
        }
        for text in ["must match ^[A-Z]{3}$", "quantity must not be null", "100%", "undefined parameter x", "5%s off"] {
            assert_eq!(placeholder(text, ""), None, "{text}");
        }
        assert_eq!(placeholder("bad ${x}", "{\"a\":\"${x}\"}"), None);
    }

    #[test]
    fn token_endpoints_caches_and_retries_are_recognised() {
        let body = r#"{"error":"invalid_client"}"#;
        let read = |target: &str, reply: &Reply| {
            read(&get(target).header("Idempotency-Key", "k1"), reply, &shape(json!({}))).0
        };
        assert!(read("/oauth/token?x=1", &reply(401, "application/json", body)).oauth);
        assert!(!read("/tokens", &reply(401, "application/json", body)).oauth);
        let mut cached = reply(404, "application/json", "{}");
        cached.headers.push("Age", "7");
        cached.headers.push("Server", "gate");
        cached.headers.push("Via", "1.1 edge");
        let cached = read("/x", &cached);
        assert!(cached.cached);
        assert_eq!(cached.origin, "gate via 1.1 edge");
        assert_eq!(cached.idempotency_key.as_deref(), Some("k1"));
    }
}
