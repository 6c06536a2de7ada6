//! What clients of streams ask for, and what cannot be understood.

use serde_json::{Value, json};

use super::{
    Channel,
    connection::Connection,
    event::{Symbols, symbol},
    hub::{From, Subscriber, with_request},
    orders,
    outbox::Item,
};
use crate::reference::{
    defects::stream::{DROPS_ON_ERROR, IGNORES_TOO_OLD, RESUMES_FOR_RIVAL, SILENT_ON_ERROR},
    variants::STREAM_NUMBERS_PER_CONNECTION,
};

/// Why a message is not followed: a code and words.
struct Wrong(&'static str, &'static str);

/// Does what a message asks, or says why not.
pub(super) fn follow(connection: &Connection, text: &str) {
    let message: Option<Value> = serde_json::from_str(text).ok().filter(Value::is_object);
    let Some(message) = message else {
        return refuse(connection, &Wrong("malformed", "a message is a JSON object"), None);
    };
    let request = message.get("request_id");
    let done = match (message["op"].as_str(), message["channel"].as_str()) {
        (Some("subscribe" | "unsubscribe"), Some("orders")) if connection.channel == Channel::Orders => {
            follow_orders(connection, &message, request)
        }
        (Some("subscribe" | "unsubscribe"), Some("book")) if connection.channel == Channel::Market => {
            follow_books(connection, &message, request)
        }
        (Some("subscribe" | "unsubscribe"), _) => Err(Wrong("unknown_channel", "this stream has no such channel")),
        _ => Err(Wrong("unknown_op", "op must be subscribe or unsubscribe")),
    };
    if let Err(wrong) = done {
        refuse(connection, &wrong, request);
    }
}

fn refuse(connection: &Connection, wrong: &Wrong, request: Option<&Value>) {
    let is = &connection.api.behaviour;
    if is.has(DROPS_ON_ERROR) {
        connection.outbox.fail(1008, "", false);
    } else if !is.has(SILENT_ON_ERROR) {
        connection.outbox.push(error(wrong.0, wrong.1, request));
    }
}

/// An error, as it is told.
pub(super) fn error(code: &str, message: &str, request: Option<&Value>) -> Item {
    Item::Told(with_request(json!({ "type": "error", "code": code, "message": message }), request))
}

fn follow_orders(connection: &Connection, message: &Value, request: Option<&Value>) -> Result<(), Wrong> {
    let api = &connection.api;
    let tenant = connection.principal.tenant;
    let who = Subscriber { outbox: &connection.outbox, client: connection.principal.client, request };
    let hub = api.streams.hub(tenant);
    if message["op"] == "unsubscribe" {
        hub.unsubscribe(&who);
        return Ok(());
    }
    let mut others = None;
    let from = match (message.get("resume"), message.get("since")) {
        (Some(token), _) => match token.as_str().and_then(|token| api.streams.tokens.read(token)) {
            Some((owner, sequence)) if owner == tenant => From::After(sequence),
            Some((owner, sequence)) if api.behaviour.has(RESUMES_FOR_RIVAL) => {
                others = Some(api.streams.hub(owner));
                From::After(sequence)
            }
            None if api.behaviour.has(IGNORES_TOO_OLD) => From::Nowhere,
            _ => return Err(Wrong("invalid_resume_token", "this token was not issued for this stream")),
        },
        (None, Some(_)) if api.behaviour.is(STREAM_NUMBERS_PER_CONNECTION) => From::Nowhere,
        (None, Some(since)) => {
            let text = || since.as_str().filter(|text| text.bytes().all(|octet| octet.is_ascii_digit()))?.parse().ok();
            since.as_u64().or_else(text).map_or(From::Nowhere, From::After)
        }
        (None, None) => From::Now,
    };
    // Locked until the subscription stands, so that the snapshot and the events after it are of one piece.
    let ledger = api.ledger();
    hub.subscribe(&who, &from, others, orders::snapshot(&ledger, tenant, api.ids()));
    Ok(())
}

fn follow_books(connection: &Connection, message: &Value, request: Option<&Value>) -> Result<(), Wrong> {
    let market = &connection.api.streams.market;
    let who = Subscriber { outbox: &connection.outbox, client: connection.principal.client, request };
    let is_subscribing = message["op"] == "subscribe";
    let symbols = match message.get("symbols") {
        None if !is_subscribing => Symbols::ALL,
        named => {
            let named = named.and_then(Value::as_array).filter(|named| !named.is_empty());
            let named = named.ok_or(Wrong("invalid_symbols", "symbols must be an array of symbols"))?;
            named.iter().try_fold(Symbols::default(), |all, name| {
                let place = name.as_str().and_then(symbol);
                place.map(|place| all.with(place)).ok_or(Wrong("unknown_symbol", "no book is kept for that symbol"))
            })?
        }
    };
    if is_subscribing {
        market.subscribe(&connection.api, &who, symbols);
    } else {
        market.unsubscribe(&who, symbols);
    }
    Ok(())
}
