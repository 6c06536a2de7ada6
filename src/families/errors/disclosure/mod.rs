//! Finds in an error response what belongs inside the API: stack frames, SQL, source paths, debug pages, addresses.
//!
//! Only patterns that hardly occur by accident are looked for. What the request itself contained is no disclosure,
//! nor is the target's own address.

mod address;
mod patterns;

use std::borrow::Cow;

use serde_json::Value;

use super::evidence::{Disclosure, brief};
use crate::exchange::Reply;

/// Most disclosures kept of one response.
const MOST: usize = 4;
/// How much of a body is searched, in bytes; a stack trace that is longer begins before.
const SEARCHED: usize = 64 * 1024;

/// What a response discloses; `sent` is everything the request said.
pub(super) fn find(reply: &Reply, body: Option<&Value>, sent: &str) -> Vec<Disclosure> {
    let mut found = Vec::new();
    search(&text_of(reply, body), "body", reply, sent, &mut found);
    for (name, value) in reply.headers.iter() {
        // Cookies are opaque, and dates and lengths say nothing.
        if !matches!(name, "set-cookie" | "date" | "content-length" | "content-type") {
            let text = if is_version(name) { Cow::Owned(format!("version {value}")) } else { Cow::Borrowed(value) };
            search(&text, name, reply, sent, &mut found);
        }
    }
    found
}

fn search(text: &str, place: &str, reply: &Reply, sent: &str, found: &mut Vec<Disclosure>) {
    let patterns = patterns::find(text).chain(address::find(text, &reply.url));
    for (kind, name, shown) in patterns {
        if found.len() == MOST {
            return;
        }
        if !sent.contains(shown) && !found.iter().any(|known| known.name == name) {
            let text = brief(shown, 160);
            found.push(Disclosure { kind, name: name.to_owned(), place: place.to_owned(), text });
        }
    }
}

/// The text of the body: of JSON its strings, free of escapes, so that a line break in a trace is one.
fn text_of<'r>(reply: &'r Reply, body: Option<&Value>) -> Cow<'r, str> {
    let Some(body) = body else {
        return String::from_utf8_lossy(&reply.body[..reply.body.len().min(SEARCHED)]);
    };
    let mut text = String::new();
    strings(body, &mut text);
    Cow::Owned(text)
}

fn strings(value: &Value, out: &mut String) {
    if out.len() > SEARCHED {
        return;
    }
    match value {
        Value::String(text) => {
            out.push_str(text);
            out.push('\n');
        }
        Value::Array(items) => items.iter().for_each(|item| strings(item, out)),
        Value::Object(map) => {
            for (name, item) in map {
                if is_version(name) {
                    out.push_str("version ");
                }
                strings(item, out);
            }
        }
        _ => {}
    }
}

/// Whether a name says that four numbers with dots between them are a version, not an address.
fn is_version(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["version", "build", "release"].iter().any(|word| name.contains(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::testing::reply, *};
    use crate::families::errors::evidence::Inside;

    fn kinds(body: &Value, sent: &str) -> Vec<(Inside, String)> {
        let reply = reply(500, "application/json", &body.to_string());
        find(&reply, Some(body), sent).into_iter().map(|d| (d.kind, d.name)).collect()
    }

    #[test]
    fn a_trace_inside_a_json_string_is_found_and_quoted_in_one_line() {
        let trace = "x.ParseException: bad\n\tat com.example.web.Reader.parse(Reader.java:118)\n\tat b.c(D.java:1)";
        let body = json!({"trace": trace});
        assert_eq!(kinds(&body, ""), [(Inside::StackTrace, "a Java stack frame".to_owned())]);
        let reply = reply(500, "application/json", &body.to_string());
        assert_eq!(find(&reply, Some(&body), "")[0].text, "at com.example.web.Reader.parse(Reader.java:118)");
    }

    #[test]
    fn what_the_request_said_itself_is_no_disclosure() {
        let body = json!({"detail": "cannot parse `SELECT a FROM b WHERE c`"});
        assert_eq!(kinds(&body, "").len(), 1);
        assert_eq!(kinds(&body, "q=SELECT a FROM b WHERE c"), []);
    }

    #[test]
    fn four_numbers_under_the_name_of_a_version_are_no_address() {
        assert_eq!(kinds(&json!({"apiVersion": "10.2.0.1", "build": "192.168.1.7"}), ""), []);
        assert_eq!(kinds(&json!({"upstream": "10.2.0.1"}), "").len(), 1);
        let mut reply = reply(400, "application/json", "{}");
        reply.headers.push("X-Api-Version", "10.0.0.1");
        assert_eq!(find(&reply, Some(&json!({})), "").len(), 0);
    }

    #[test]
    fn header_fields_are_searched_too() {
        let mut reply = reply(502, "application/json", "{}");
        reply.headers.push("X-Backend", "ledger-db-2.internal");
        let found = find(&reply, Some(&json!({})), "");
        assert_eq!((found[0].kind, found[0].place.as_str()), (Inside::Address, "x-backend"));
    }
}
