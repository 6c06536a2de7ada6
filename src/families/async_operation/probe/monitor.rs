//! Where an accepted operation is followed.

use url::Url;

use super::{
    super::{config, evidence::Monitor},
    flow::{Run, short, value},
};
use crate::{
    exchange::{Reply, Request},
    json::Scalar,
};

/// The header fields that lead to a monitor, the plainest first.
const FIELDS: [&str; 3] = ["operation-location", "location", "content-location"];
/// Header fields of a start that say nothing about a monitor.
const OWN: [&str; 4] = ["idempotency-key", "prefer", "content-type", "expect"];

/// Where the answer to a start says that the operation is followed, and the request that does so.
pub(super) fn locate(
    base: &Url,
    spelling: &config::Monitor,
    start: &Request,
    reply: &Reply,
    run: &Run,
    config: &config::Config,
) -> (Monitor, Option<Request>) {
    if let (Some(call), Some(_)) = (&spelling.call, &run.operation.id) {
        return match call.build(call.who(config.client.as_deref()), &run.values, "ask the monitor") {
            Ok(request) => {
                (Monitor::At { target: short(&request.target), told: "the operation's id".into() }, Some(request))
            }
            Err(why) => (Monitor::Unreadable(why), None),
        };
    }
    let named = spelling.header.as_deref().and_then(|name| Some((name, reply.headers.get(name)?)));
    let body = spelling.url.as_ref().and_then(|path| Some((path.to_string(), value(&reply.body, path)?)));
    let known = || FIELDS.into_iter().find_map(|name| Some((name, reply.headers.get(name)?)));
    let (told, reference) = match (named, body) {
        (Some((name, value)), _) => (name.to_owned(), value.to_owned()),
        (None, Some((path, Scalar::Text(url)))) => (path, url),
        _ => match known() {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => return (Monitor::Missing, None),
        },
    };
    let url = match reply.url.join(reference.trim()) {
        Ok(url) if !reference.trim().is_empty() => url,
        _ => return (Monitor::Unreadable(format!("{told}: {}", short(&reference))), None),
    };
    if url.origin() != base.origin() {
        return (Monitor::Elsewhere(short(url.as_str())), None);
    }
    let mut request = Request::new(start.who.clone(), "GET", url.as_str()).purpose("ask the monitor");
    let kept = start.headers.iter().filter(|(name, _)| !OWN.contains(name) && !name.starts_with("if-"));
    request.headers = kept.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let target = short(&url[url::Position::BeforePath..url::Position::AfterQuery]);
    (Monitor::At { target, told }, Some(request))
}

/// The text of a value that says something.
pub(super) fn text(value: Option<&Scalar>) -> Option<String> {
    value.and_then(Scalar::text).map(|text| short(text.trim())).filter(|text| !text.is_empty())
}
