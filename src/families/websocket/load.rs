//! From a block of a suite to a check: what a schema cannot say.

mod bounds;

use serde_json::Value;

use super::{
    StreamCheck,
    config::{Config, Exchange, OneOf, Pattern, Per},
    feed::is_credential,
};
use crate::{
    exchange::Who,
    families::{Call, Check, Conventions, Problem, Setting},
    notation::Template,
};

/// Names that the check supplies to messages.
const OWN: &[&str] = &["request", "uuid"];
/// Names that it supplies where a stream is taken up.
const RESUMED: &[&str] = &["request", "uuid", "last", "token", "last_id"];
/// Makes a check of one item of `websocket:`.
pub(super) fn load(item: Value, setting: &Setting<'_>) -> Result<Box<dyn Check>, Vec<Problem>> {
    let config: Config = serde_json::from_value(item).map_err(|e| vec![Problem::new("", e.to_string())])?;
    let mut problems = Vec::new();
    let sink = &mut problems;
    for (client, at) in [(&config.client, "/client"), (&config.other_client, "/other_client")] {
        if let Some(client) = client {
            setting.known_client(client, at, sink);
        }
    }
    handshake(&config, setting, sink);
    exchanges(&config, setting, sink);
    messages(&config, sink);
    numbers(&config, sink);
    resume(&config, setting, sink);
    snapshot(&config, setting, sink);
    stimulus(&config, setting, sink);
    rest(&config, setting, sink);
    bounds::bounds(&config, sink);
    if problems.is_empty() {
        Ok(Box::new(StreamCheck { config, conventions: Conventions::default() }))
    } else {
        Err(problems)
    }
}

fn handshake(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let path = config.path.to_string();
    if !path.starts_with('/') {
        let problem = Problem::new("/path", format!("`{path}` is not a path"));
        problems.push(
            problem.help("give the path below `target.base_url`, such as `/v1/stream`; ws or wss follows from it"),
        );
    }
    if path.contains('#') {
        let problem = Problem::new("/path", format!("`{path}` has a fragment, which is never sent (RFC 6455 §3)"));
        problems.push(problem.help("leave out what follows `#`; what belongs to the path is written `%23`"));
    }
    known_names(config.path.names(), &[], "/path", setting, problems);
    templates(&config.query, "/query", &[], setting, problems);
    templates(&config.headers, "/headers", &[], setting, problems);
    header_names(config.headers.keys(), "/headers", problems);
    for name in config.headers.keys().filter(|name| name.to_ascii_lowercase().starts_with("sec-websocket-")) {
        let problem = Problem::new(format!("/headers/{name}"), "the handshake has fields of this name of its own");
        problems.push(problem.help("name subprotocols under `subprotocols`"));
    }
    for (nth, name) in config.subprotocols.iter().enumerate().filter(|(_, name)| !is_token(name)) {
        let problem = Problem::new(format!("/subprotocols/{nth}"), format!("`{name}` is no name of a subprotocol"));
        problems.push(problem.help("name each by itself, such as `[v1.orders, v2.orders]`; a name has no spaces"));
    }
    for (nth, name) in config.subprotocols.iter().enumerate() {
        if config.subprotocols[..nth].contains(name) {
            let problem = Problem::new(format!("/subprotocols/{nth}"), format!("`{name}` is offered twice"));
            problems.push(problem.help("a handshake names each subprotocol once (RFC 6455 §4.1)"));
        }
    }
    if config.speaks_credentials() && config.owner() == Who::Anonymous {
        let problem = Problem::new("/client", "nobody has a `{{credential}}` that messages could carry");
        problems.push(problem.help("name the `client` whose secret it is; its handshake then does without"));
    }
    if config.private && config.client.is_none() && config.authenticate.is_none() {
        let problem = Problem::new("/private", "a private stream carries the events of whoever asks, and nobody asks");
        problems.push(problem.help("name a `client`, or say how one makes itself known (`authenticate`)"));
    }
    if let Some(other) = config.other_client.as_ref().filter(|other| config.client.as_ref() == Some(other)) {
        let problem = Problem::new("/other_client", format!("`{other}` is the check's own client"));
        problems.push(problem.help("name a client of another principal, who must not see our events"));
    }
}

fn is_token(name: &str) -> bool {
    http::HeaderName::from_bytes(name.as_bytes()).is_ok()
}

fn header_names<'n>(names: impl Iterator<Item = &'n String>, at: &str, problems: &mut Vec<Problem>) {
    for name in names.filter(|name| !is_token(name)) {
        problems.push(Problem::new(format!("{at}/{name}"), format!("`{name}` is not the name of a header field")));
    }
}

fn templates(
    map: &std::collections::BTreeMap<String, Template>,
    at: &str,
    own: &[&str],
    setting: &Setting<'_>,
    problems: &mut Vec<Problem>,
) {
    for (name, template) in map {
        known_names(template.names(), own, &format!("{at}/{name}"), setting, problems);
    }
}

/// Complains of names that nothing gives a value to; some have one only where a stream is taken up.
fn known_names<'n>(
    names: impl Iterator<Item = &'n str>,
    own: &[&str],
    at: &str,
    setting: &Setting<'_>,
    problems: &mut Vec<Problem>,
) {
    for name in names {
        if RESUMED.contains(&name) && !OWN.contains(&name) && !own.contains(&name) && !setting.names.contains(name) {
            let message = format!("`{{{{{name}}}}}` is known only where a stream is taken up");
            problems.push(Problem::new(at, message).help("use it in `query`, `headers` or `subscribe` of `resume`"));
        } else {
            setting.known_names([name], own, at, problems);
        }
    }
}

/// Every text of a message that holds names.
fn message(value: &Value, at: &str, own: &[&str], setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    match value {
        Value::String(text) if text.contains("{{") => match text.parse::<Template>() {
            Ok(template) => {
                let names = template.names().filter(|name| !is_credential(name));
                known_names(names, own, at, setting, problems);
            }
            Err(why) => problems.push(Problem::new(at, why)),
        },
        Value::Array(items) => {
            for (nth, item) in items.iter().enumerate() {
                message(item, &format!("{at}/{nth}"), own, setting, problems);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                let name = name.replace('~', "~0").replace('/', "~1");
                message(item, &format!("{at}/{name}"), own, setting, problems);
            }
        }
        _ => {}
    }
}

fn exchanges(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let all: [(&Option<Exchange>, &str); 3] = [
        (&config.authenticate, "/authenticate"),
        (&config.subscribe, "/subscribe"),
        (&config.unsubscribe, "/unsubscribe"),
    ];
    for (exchange, at) in all {
        let Some(exchange) = exchange else { continue };
        message(&exchange.message, &format!("{at}/message"), OWN, setting, problems);
        if exchange.message.is_null() {
            problems.push(Problem::new(format!("{at}/message"), "there is nothing to send"));
        }
        for (known, name) in [(&exchange.acknowledged, "acknowledged"), (&exchange.refused, "refused")] {
            if let Some(known) = known {
                pattern(known, &format!("{at}/{name}"), problems);
            }
        }
    }
    if config.unsubscribe.is_some() && config.subscribe.is_none() {
        let problem = Problem::new("/unsubscribe", "nothing was subscribed to that could be taken back");
        problems.push(problem.help("add `subscribe`"));
    }
}

fn pattern(known: &Pattern, at: &str, problems: &mut Vec<Problem>) {
    if known.0.is_empty() {
        let problem = Problem::new(at, "this matches every message");
        problems
            .push(problem.help("name a path and its value, such as `{ $.type: order }`; `null` stands for any value"));
    }
    for (path, one) in &known.0 {
        let several = match one {
            OneOf::One(value) => std::slice::from_ref(value),
            OneOf::Several(several) => several.as_slice(),
        };
        if several.is_empty() {
            problems.push(Problem::new(format!("{at}/{path}"), "no value is named, so nothing matches"));
        }
        if several.iter().any(|value| value.is_object() || value.is_array()) {
            let problem = Problem::new(format!("{at}/{path}"), "messages are told apart by simple values");
            problems.push(problem.help("lead the path to a text, a number, or true or false"));
        }
    }
}

fn messages(config: &Config, problems: &mut Vec<Problem>) {
    let messages = &config.messages;
    let all = [
        (&messages.data, "data"),
        (&messages.heartbeat, "heartbeat"),
        (&messages.error, "error"),
        (&messages.gap, "gap"),
        (&messages.snapshot, "snapshot"),
    ];
    for (known, name) in all {
        if let Some(known) = known {
            pattern(known, &format!("/messages/{name}"), problems);
        }
    }
    let needs = [
        (messages.snapshot_sequence.is_some(), "snapshot_sequence"),
        (messages.snapshot_rows.is_some(), "snapshot_rows"),
    ];
    for (given, name) in needs {
        if given && messages.snapshot.is_none() {
            let problem = Problem::new(format!("/messages/{name}"), "nothing says which messages are snapshots");
            problems.push(problem.help("add `snapshot`, such as `snapshot: { $.type: snapshot }`"));
        }
    }
    if config.heartbeat.as_ref().is_some_and(|heartbeat| heartbeat.answer.is_some()) && messages.heartbeat.is_none() {
        let problem = Problem::new("/heartbeat/answer", "nothing says which messages are answered");
        problems.push(problem.help("add `messages.heartbeat`"));
    }
}

fn numbers(config: &Config, problems: &mut Vec<Problem>) {
    let Some(sequence) = &config.sequence else { return };
    match (sequence.per, &sequence.key, &config.messages.key) {
        (Per::Key, None, None) => {
            let problem = Problem::new("/sequence/per", "nothing says which key a message is of");
            problems.push(problem.help("add `key`, such as `key: $.symbol`"));
        }
        (Per::Stream | Per::Connection, Some(_), _) => {
            let problem = Problem::new("/sequence/key", "the numbers are not those of a key");
            problems.push(problem.help("say `per: key`"));
        }
        _ => {}
    }
    if sequence.per == Per::Connection && config.snapshot.is_some() {
        let problem = Problem::new("/snapshot", "a snapshot cannot know the numbers of a connection");
        problems.push(problem.help("say `per: stream` or `per: key`, or leave the snapshot out"));
    }
}

fn resume(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let Some(resume) = &config.resume else { return };
    templates(&resume.query, "/resume/query", RESUMED, setting, problems);
    templates(&resume.headers, "/resume/headers", RESUMED, setting, problems);
    header_names(resume.headers.keys(), "/resume/headers", problems);
    if let Some(subscribe) = &resume.subscribe {
        message(subscribe, "/resume/subscribe", RESUMED, setting, problems);
    }
    if let Some(refused) = &resume.refused {
        pattern(refused, "/resume/refused", problems);
    }
    let used = |name: &str| {
        let templates = resume.query.values().chain(resume.headers.values());
        templates.flat_map(Template::names).any(|known| known == name)
            || resume.subscribe.as_ref().is_some_and(|message| mentions(message, name))
    };
    let sources = [
        ("last", config.sequence.is_some() || config.messages.snapshot_sequence.is_some(), "`sequence`"),
        ("token", resume.token.is_some() || setting.names.contains("token"), "`resume.token`"),
        ("last_id", config.messages.id.is_some(), "`messages.id`"),
    ];
    for (name, known, source) in sources {
        if used(name) && !known {
            let problem = Problem::new("/resume", format!("nothing says where messages have `{{{{{name}}}}}`"));
            problems.push(problem.help(format!("add {source}")));
        }
    }
    if !sources.iter().any(|(name, ..)| used(name)) {
        let problem = Problem::new("/resume", "nothing says where the stream is to be taken up");
        problems
            .push(problem.help("use `{{last}}`, `{{token}}` or `{{last_id}}` in `query`, `headers` or `subscribe`"));
    }
}

fn mentions(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text.parse::<Template>().is_ok_and(|template| template.names().any(|used| used == name)),
        Value::Array(items) => items.iter().any(|item| mentions(item, name)),
        Value::Object(map) => map.values().any(|item| mentions(item, name)),
        _ => false,
    }
}

fn reads(call: &Call, at: &str, problems: &mut Vec<Problem>) {
    if !call.is_safe() {
        let message = format!("`{}` looks something up, so it must be a GET", call.request.method);
        problems.push(Problem::new(format!("{at}/request"), message));
    }
}

fn snapshot(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let Some(snapshot) = &config.snapshot else { return };
    snapshot.call.problems("/snapshot/call", setting, &["key"], problems);
    reads(&snapshot.call, "/snapshot/call", problems);
    if config.sequence.is_none() {
        let problem = Problem::new("/snapshot", "nothing says where events are numbered, so that a snapshot fits them");
        problems.push(problem.help("add `sequence`, such as `sequence: { last: $.sequence }`"));
    }
    if snapshot.call.uses("key") && config.messages.key.is_none() {
        let problem = Problem::new("/snapshot/call", "nothing says where messages have their `{{key}}`");
        problems.push(problem.help("add `messages.key`"));
    }
    let Some(book) = &snapshot.book else { return };
    if book.tables.is_empty() {
        problems.push(Problem::new("/snapshot/book/tables", "no table is named"));
    }
    for (nth, table) in book.tables.iter().enumerate() {
        let all =
            [(&table.snapshot, "snapshot"), (&table.delta, "delta"), (&table.key, "key"), (&table.value, "value")];
        for (path, name) in all.into_iter().filter(|(path, _)| path.steps().is_none()) {
            let message = format!("`{path}` does more than name members and elements");
            problems.push(Problem::new(format!("/snapshot/book/tables/{nth}/{name}"), message));
        }
    }
}

fn stimulus(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let Some(stimulus) = &config.stimulus else { return };
    stimulus.call.problems("/stimulus/call", setting, &["reference", "uuid"], problems);
    if stimulus.call.is_safe() {
        let message = format!("`{}` makes nothing happen", stimulus.call.request.method);
        problems.push(Problem::new("/stimulus/call/request", message));
    }
    let messages = &config.messages;
    if stimulus.id.is_none() && !stimulus.call.uses("reference") {
        let problem = Problem::new("/stimulus", "nothing says which event is the one that was made to happen");
        problems
            .push(problem.help("send `{{reference}}` in the call, or say where the answer has the event's id (`id`)"));
    }
    if messages.reference.is_none() && messages.id.is_none() && messages.key.is_none() {
        let problem = Problem::new("/messages", "nothing says where an event has what the stimulus is known by");
        problems.push(problem.help("add `reference`, `id` or `key`"));
    }
    if let Some(find) = &stimulus.find {
        find.problems("/stimulus/find", setting, &["id"], problems);
    }
    if let Some(undo) = &stimulus.undo {
        undo.problems("/stimulus/undo", setting, &["id", "reference"], problems);
        if undo.uses("id") && stimulus.id.is_none() {
            let problem = Problem::new("/stimulus/undo", "nothing says where the answer has the `{{id}}`");
            problems.push(problem.help("add `id`, such as `id: $.id`"));
        }
    }
    for (value, name, most) in [(stimulus.events, "events", 1_000), (stimulus.count, "count", 100)] {
        if value == 0 || value > most {
            problems.push(Problem::new(format!("/stimulus/{name}"), format!("this is between 1 and {most}")));
        }
    }
}

fn rest(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    if let Some(slow) = &config.slow {
        if let Some(burst) = &slow.burst {
            burst.problems("/slow/burst", setting, &["reference", "uuid", "key"], problems);
        }
        if slow.stalls.is_empty() || slow.stalls.iter().any(|stall| stall.0.is_zero()) {
            problems.push(Problem::new("/slow/stalls", "reading is stopped for some time at least"));
        }
    }
    if let Some(session) = &config.session {
        if let Some(client) = &session.expiring_client {
            setting.known_client(client, "/session/expiring_client", problems);
            if session.expires_after.is_none() {
                let problem = Problem::new("/session/expiring_client", "nothing says when its credentials expire");
                problems.push(problem.help("add `expires_after`, such as `expires_after: 60s`"));
            }
        }
        if session.rate.is_some() != session.rate_window.is_some() {
            let problem = Problem::new("/session", "`rate` and `rate_window` belong together");
            problems.push(problem.help("such as `rate: 5` and `rate_window: 1s`"));
        }
        for (value, name) in [(session.connections, "connections"), (session.rate, "rate")] {
            if value == Some(0) {
                problems.push(Problem::new(format!("/session/{name}"), "nothing at all would be allowed"));
            }
        }
    }
    for (nth, wrong) in config.errors.iter().flat_map(|errors| &errors.messages).enumerate() {
        message(&wrong.message, &format!("/errors/messages/{nth}/message"), OWN, setting, problems);
    }
    if let Some(answer) = config.heartbeat.as_ref().and_then(|heartbeat| heartbeat.answer.as_ref()) {
        message(answer, "/heartbeat/answer", OWN, setting, problems);
    }
}

#[cfg(test)]
mod tests;
