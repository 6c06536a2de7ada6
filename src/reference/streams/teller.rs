//! Puts what is told into words: one message after the other, as one connection says them.

use std::{mem, sync::Arc};

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    event::{BookEvent, Event, Level, OrderEvent, levels},
    outbox::Item,
};
use crate::reference::{
    behaviour::Behaviour,
    defects::stream::{
        BOOK_DIVERGES, DELTAS_BEFORE_SNAPSHOT, DROPS_SILENTLY, DUPLICATE, GAP, LOCAL_TIME, MONEY_AS_NUMBER,
        OUT_OF_ORDER, WRONG_VALUE,
    },
    http::Api,
    ledger::{SYMBOLS, decimal, instant},
    tokens::Tenant,
    variants::{STREAM_ACK_AFTER_DATA, STREAM_NUMBERS_PER_CONNECTION},
};

/// How many events come before a snapshot that comes too late.
const EARLY: u8 = 2;

/// What one connection has said.
pub(super) struct Teller {
    api: Arc<Api>,
    tenant: Tenant,
    /// The number of the last event of orders, as it was said.
    last: Option<u64>,
    /// The last number of each book, as it was said.
    books: [Option<u64>; SYMBOLS.len()],
    /// Waits for the event after it.
    held: Option<Event>,
    /// Waits for the message after it.
    late: Option<Value>,
    /// Waits for so many events.
    snapshot: Option<(u8, Value)>,
}

impl Teller {
    pub(super) fn new(api: Arc<Api>, tenant: Tenant) -> Self {
        Self { api, tenant, last: None, books: [None; SYMBOLS.len()], held: None, late: None, snapshot: None }
    }

    /// The messages that an item makes now.
    pub(super) fn tell(&mut self, item: Item) -> Vec<String> {
        let mut messages = Vec::new();
        match item {
            Item::Acknowledgement(mut value) => {
                self.number(&mut value);
                if self.is().is(STREAM_ACK_AFTER_DATA) {
                    messages.extend(self.late.replace(value));
                    return texts(&messages);
                }
                messages.push(value);
            }
            Item::Snapshot(mut value) => {
                self.number(&mut value);
                if self.is().has(DELTAS_BEFORE_SNAPSHOT) {
                    self.snapshot = Some((EARLY, value));
                } else {
                    messages.push(value);
                }
            }
            Item::Told(value) => messages.push(value),
            Item::Event(event) | Item::Replayed(event) => self.events(event, &mut messages),
            Item::Heartbeat => {
                if let Some(event) = self.held.take() {
                    messages.push(self.event(&event, false));
                }
                let mut value = json!({ "type": "heartbeat", "time": self.time(instant::now()) });
                if let Some(last) = self.last {
                    value["sequence"] = json!(last);
                }
                messages.push(value);
            }
            Item::Control(..) | Item::Close(..) | Item::Drop => {}
        }
        if !messages.is_empty() {
            messages.extend(self.late.take());
        }
        texts(&messages)
    }

    fn events(&mut self, event: Event, messages: &mut Vec<Value>) {
        let is_third = event.number() % 3 == 0;
        if is_third && self.is().has(GAP) {
            // Left out.
        } else if is_third && self.is().has(OUT_OF_ORDER) && self.held.is_none() {
            self.held = Some(event);
        } else {
            messages.push(self.event(&event, false));
            if is_third && self.is().has(DUPLICATE) {
                messages.push(self.event(&event, true));
            }
            if let Some(held) = self.held.take() {
                messages.push(self.event(&held, false));
            }
        }
        if let Some((wait, snapshot)) = self.snapshot.take() {
            if wait > 1 {
                self.snapshot = Some((wait - 1, snapshot));
            } else {
                messages.push(snapshot);
            }
        }
    }

    /// An acknowledgement or a snapshot, with the number it has here.
    fn number(&mut self, value: &mut Value) {
        let Some(sequence) = value.get("sequence").and_then(Value::as_u64) else { return };
        if self.is().is(STREAM_NUMBERS_PER_CONNECTION) {
            value["sequence"] = json!(self.last.unwrap_or(0));
        } else {
            self.last = Some(sequence);
        }
        value["resume_token"] = json!(self.api.streams.tokens.issue(self.tenant, sequence));
    }

    fn event(&mut self, event: &Event, again: bool) -> Value {
        match event {
            Event::Order(event) => self.order(event, again),
            Event::Book(event) => self.book(event, again),
        }
    }

    fn order(&mut self, event: &OrderEvent, again: bool) -> Value {
        let mut sequence = event.sequence;
        if self.is().is(STREAM_NUMBERS_PER_CONNECTION) {
            sequence = self.last.unwrap_or(0) + u64::from(!again);
        } else if self.is().has(DROPS_SILENTLY)
            && let Some(last) = self.last
        {
            sequence = last + 1;
        }
        self.last = Some(sequence.max(self.last.unwrap_or(0)));
        let mut order = event.order.clone();
        if self.is().has(WRONG_VALUE)
            && let Some(quantity) = order["quantity"].as_str().and_then(decimal)
        {
            order["quantity"] = json!((quantity + Decimal::ONE).to_string());
        }
        if again {
            order["version"] = json!(order["version"].as_u64().unwrap_or(0) + 1);
        }
        if self.is().has(MONEY_AS_NUMBER) {
            number(&mut order["quantity"]);
            if let Some(amount) = order.pointer_mut("/limit_price/amount") {
                number(amount);
            }
        }
        json!({
            "type": "order",
            "sequence": sequence,
            "event_id": event.id,
            "time": self.time(event.at),
            "order": order,
            "resume_token": self.api.streams.tokens.issue(event.tenant, event.sequence),
        })
    }

    fn book(&mut self, event: &BookEvent, again: bool) -> Value {
        let last = &mut self.books[event.symbol];
        let mut first = event.first;
        if self.api.behaviour.has(DROPS_SILENTLY) {
            first = last.map_or(first, |last| last + 1);
        }
        *last = Some(event.last);
        let altered = again || event.last % 3 == 0 && self.is().has(BOOK_DIVERGES);
        let mut sides = [&event.bids, &event.asks].map(|side| {
            let more = i64::from(altered);
            let side: Vec<Level> = side.iter().map(|(price, quantity)| (*price, quantity + more)).collect();
            levels(&side)
        });
        if self.is().has(MONEY_AS_NUMBER) {
            let rows = sides.iter_mut().filter_map(Value::as_array_mut).flatten();
            rows.filter_map(Value::as_array_mut).flatten().for_each(number);
        }
        let [bids, asks] = sides.each_mut().map(mem::take);
        let mut value = json!({
            "type": "book",
            "symbol": SYMBOLS[event.symbol].0,
            "first": first,
            "last": event.last,
            "time": self.time(event.at),
            "bids": bids,
            "asks": asks,
        });
        if event.padding > 0 {
            value["pad"] = json!("x".repeat(event.padding));
        }
        value
    }

    fn time(&self, at: i64) -> String {
        let text = instant::text(at);
        if self.is().has(LOCAL_TIME) { text.trim_end_matches('Z').to_owned() } else { text }
    }

    fn is(&self) -> &Behaviour {
        &self.api.behaviour
    }
}

fn texts(messages: &[Value]) -> Vec<String> {
    messages.iter().map(Value::to_string).collect()
}

/// Decimal text as a number.
fn number(value: &mut Value) {
    if let Some(read) = value.as_str().and_then(|text| serde_json::from_str(text).ok()) {
        *value = read;
    }
}
