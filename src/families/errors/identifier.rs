//! Correlation ids of an exchange: where the suite says they are, else where they usually are.

use serde_json::Value;

use super::evidence::{Declared, Ids, brief};
use crate::{
    exchange::{Reply, Request},
    json::Scalar,
};

/// Response header fields in which APIs give a request a name; `traceparent` is the caller's own.
const HEADERS: &[&str] = &[
    "x-request-id",
    "request-id",
    "x-correlation-id",
    "correlation-id",
    "x-fapi-interaction-id",
    "x-amzn-requestid",
    "x-ms-request-id",
    "paypal-debug-id",
    "x-trace-id",
    "x-flow-id",
];

/// Members of error bodies that do, spelled without case, `_` and `-`.
const MEMBERS: &[&str] =
    &["requestid", "correlationid", "traceid", "debugid", "interactionid", "flowid", "pspreference"];

/// Objects of an error body that may hold such a member.
const HOLDERS: &[&str] = &["error", "meta", "fault"];

/// Longest id kept, in characters; two ids that only differ beyond would be no ids.
const LONGEST: usize = 200;

/// The ids of an exchange.
pub(super) fn read(request: &Request, reply: &Reply, body: Option<&Value>, declared: &Declared) -> Ids {
    let correlation = &declared.correlation;
    let header = match &correlation.response {
        Some(name) => reply.headers.get(name).map(|id| (name.clone(), id)),
        None => HEADERS.iter().find_map(|name| Some(((*name).to_owned(), reply.headers.get(name)?))),
    };
    let header = header.map(|(name, id)| (name, brief(id, LONGEST))).filter(|(_, id)| !id.is_empty());
    let body = match (&declared.errors.correlation_id, body) {
        (Some(path), Some(body)) => path.first(body).and_then(id_of).map(|id| (path.to_string(), id)),
        (None, Some(body)) => usual_member(body),
        (_, None) => None,
    };
    let declared_both = correlation.response.is_some() && declared.errors.correlation_id.is_some();
    let comparable = declared_both
        || matches!((&header, &body), (Some((header, _)), Some((member, _))) if same_name(header, member));
    let sent = correlation.request.as_deref().and_then(|name| request.headers.get(name)).map(|id| brief(id, LONGEST));
    Ids { header, body, sent, comparable }
}

fn usual_member(body: &Value) -> Option<(String, String)> {
    let own = members(body, "");
    let held = HOLDERS.iter().filter_map(|name| Some(members(body.get(name)?, name))).flatten();
    own.into_iter().chain(held).next()
}

fn members(value: &Value, within: &str) -> Vec<(String, String)> {
    let Some(map) = value.as_object() else { return Vec::new() };
    let found = map.iter().filter(|(name, _)| MEMBERS.contains(&plain(name).as_str()));
    found
        .filter_map(|(name, value)| {
            let dot = if within.is_empty() { "" } else { "." };
            Some((format!("$.{within}{dot}{name}"), id_of(value)?))
        })
        .collect()
}

fn id_of(value: &Value) -> Option<String> {
    Scalar::from_value(value).text().map(|id| brief(id, LONGEST)).filter(|id| !id.is_empty())
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// `X-Request-Id` and `$.error.request_id` name the same thing; `X-Request-Id` and `$.trace_id` need not.
fn same_name(header: &str, member: &str) -> bool {
    let member = plain(member.rsplit('.').next().unwrap_or_default());
    !member.is_empty() && plain(header).ends_with(&member)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::testing::reply, *};
    use crate::{exchange::Who, families::Correlation};

    fn ids(declared: &Declared, header: Option<(&str, &str)>, body: &Value) -> Ids {
        let mut reply = reply(404, "application/json", "");
        if let Some((name, value)) = header {
            reply.headers.push(name, value);
        }
        let request = Request::new(Who::Anonymous, "GET", "/x").header("X-Corr", "sent-1");
        read(&request, &reply, Some(body), declared)
    }

    fn pair(name: &str, id: &str) -> (String, String) {
        (name.to_owned(), id.to_owned())
    }

    #[test]
    fn declared_places_are_the_only_ones_looked_at() {
        let correlation = Correlation { request: Some("X-Corr".into()), response: Some("X-Corr".into()), echo: true };
        let mut declared = Declared { correlation, ..Declared::default() };
        declared.errors.correlation_id = Some("$.meta.id".parse().unwrap());
        let found = ids(&declared, Some(("x-corr", "a")), &json!({"request_id": "z", "meta": {"id": "b"}}));
        assert_eq!((found.header, found.body), (Some(pair("X-Corr", "a")), Some(pair("$.meta.id", "b"))));
        assert_eq!((found.sent.as_deref(), found.comparable), (Some("sent-1"), true));
        let other = ids(&declared, Some(("X-Request-Id", "a")), &json!({"request_id": "z"}));
        assert_eq!((other.header, other.body), (None, None));
    }

    #[test]
    fn usual_places_are_searched_otherwise() {
        let none = Declared::default();
        let found = ids(&none, Some(("X-Request-Id", "a")), &json!({"error": {"requestId": "b"}}));
        assert_eq!(
            (&found.header, &found.body),
            (&Some(pair("x-request-id", "a")), &Some(pair("$.error.requestId", "b")))
        );
        assert!(found.comparable);
        let apart = ids(&none, Some(("X-Request-Id", "a")), &json!({"trace_id": "b"}));
        assert!(apart.body.is_some() && !apart.comparable);
        let empty = ids(&none, Some(("traceparent", "00-1-2-01")), &json!({"request_id": ""}));
        assert_eq!((empty.header, empty.body), (None, None));
    }
}
