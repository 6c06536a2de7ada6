//! What is sent for one event: rendered once, so that every attempt carries the same octets.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::reference::{
    behaviour::Behaviour,
    defects::webhook::{REUSED_ID, UNORDERED, WRONG_STATE},
    events::Event,
    ledger::instant,
    variants::THIN,
};

/// One event on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// The same for every receiver and every attempt.
    pub(super) id: String,
    body: Value,
    pub(super) payload: Bytes,
}

impl Message {
    pub(super) fn new(event: &Event, is: &Behaviour) -> Self {
        let id = if is.has(REUSED_ID) { format!("EVT-{}", event.subject) } else { fresh() };
        let (kind, status) = if is.has(WRONG_STATE) { contrary(event) } else { (event.kind, event.status) };
        let family = event.kind.split('.').next().unwrap_or_default();
        let mut data = Map::new();
        data.insert(format!("{family}_id"), json!(event.subject));
        if !is.is(THIN) && !is.has(UNORDERED) {
            data.insert("status".into(), json!(status));
            data.insert("reference".into(), json!(event.reference));
        }
        let mut body = Map::new();
        body.insert("id".into(), json!(id));
        body.insert("type".into(), json!(kind));
        if !is.has(UNORDERED) {
            body.insert("created_at".into(), json!(instant::text(instant::now())));
            body.insert("sequence".into(), json!(event.sequence));
        }
        body.insert("data".into(), Value::Object(data));
        Self::of(id, Value::Object(body))
    }

    fn of(id: String, body: Value) -> Self {
        let payload = Bytes::from(body.to_string());
        Self { id, body, payload }
    }

    /// The same under another id: a defect.
    pub(super) fn renamed(&self) -> Self {
        let id = fresh();
        let mut body = self.body.clone();
        body["id"] = json!(id);
        Self::of(id, body)
    }
}

fn fresh() -> String {
    format!("EVT-{}", Uuid::new_v4().simple())
}

/// The opposite of what happened, where it has one.
fn contrary(event: &Event) -> (&'static str, &'static str) {
    match event.kind {
        "operation.succeeded" => ("operation.failed", "failed"),
        "operation.failed" => ("operation.succeeded", "succeeded"),
        _ => (event.kind, event.status),
    }
}
