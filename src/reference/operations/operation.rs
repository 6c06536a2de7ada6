//! One operation, and the states it passes through.

use std::time::Instant;

use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::reference::{
    ledger::{Order, instant},
    tokens::Tenant,
};

/// How far an operation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) enum Status {
    Queued,
    Running,
    Succeeded,
    Failed,
    Cancelled,
}

impl Status {
    pub(in crate::reference) fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The kind of the event that tells of it.
    pub(super) fn event(self) -> Option<&'static str> {
        match self {
            Self::Queued => None,
            Self::Running => Some("operation.running"),
            Self::Succeeded => Some("operation.succeeded"),
            Self::Failed => Some("operation.failed"),
            Self::Cancelled => Some("operation.cancelled"),
        }
    }

    /// Whether nothing follows.
    pub(in crate::reference) fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// What is to be done: place a batch of orders.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Task {
    pub(in crate::reference) tenant: Tenant,
    pub(in crate::reference) account: String,
    pub(in crate::reference) reference: Box<str>,
    pub(in crate::reference) orders: Vec<Order>,
}

/// One operation.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Operation {
    pub(super) number: u32,
    pub(in crate::reference) task: Task,
    pub(in crate::reference) status: Status,
    /// None while that is not known.
    pub(in crate::reference) percent: Option<u8>,
    /// Grows with every change.
    pub(super) sequence: u64,
    /// Milliseconds since 1970.
    created_at: i64,
    updated_at: i64,
    /// Number and path segment of the batch it made.
    pub(super) result: Option<(u32, Value, String)>,
    pub(in crate::reference) began: Instant,
    /// How often its owner asked for it.
    pub(in crate::reference) readings: u32,
    /// Cancelled when it ends.
    pub(in crate::reference) end: CancellationToken,
}

impl Operation {
    pub(super) fn new(number: u32, task: Task, percent: Option<u8>) -> Self {
        let now = instant::now();
        Self {
            number,
            task,
            status: Status::Queued,
            percent,
            sequence: 1,
            created_at: now,
            updated_at: now,
            result: None,
            began: Instant::now(),
            readings: 0,
            end: CancellationToken::new(),
        }
    }

    pub(in crate::reference) fn number(&self) -> u32 {
        self.number
    }

    /// `OP-00000001`
    pub(in crate::reference) fn id(&self) -> String {
        id(self.number)
    }

    /// Where it can be asked for.
    pub(in crate::reference) fn location(&self) -> String {
        format!("/v1/operations/{}", self.id())
    }

    /// Where its result is, if it has one.
    pub(in crate::reference) fn href(&self) -> Option<String> {
        let (_, _, segment) = self.result.as_ref()?;
        Some(format!("/v1/accounts/{}/order-batches/{segment}", self.task.account))
    }

    /// The number of the batch it made.
    pub(in crate::reference) fn batch(&self) -> Option<u32> {
        self.result.as_ref().map(|(number, ..)| *number)
    }

    pub(super) fn enter(&mut self, status: Status) {
        self.status = status;
        self.sequence += 1;
        self.updated_at = instant::now().max(self.updated_at);
        if status.is_final() {
            self.end.cancel();
        }
    }

    /// Turns a success into a failure: a defect.
    pub(in crate::reference) fn flip(&mut self) {
        self.result = None;
        self.enter(Status::Failed);
    }

    /// The operation as it is sent.
    pub(in crate::reference) fn render(&self) -> Value {
        let mut members = Map::new();
        members.insert("id".into(), json!(self.id()));
        members.insert("status".into(), json!(self.status.name()));
        members.extend(self.percent.map(|percent| ("percent".to_owned(), json!(percent))));
        members.insert("created_at".into(), json!(instant::text(self.created_at)));
        members.insert("updated_at".into(), json!(instant::text(self.updated_at)));
        members.insert("sequence".into(), json!(self.sequence));
        if let (Some(href), Some((_, id, _))) = (self.href(), &self.result) {
            members.insert("result".into(), json!({ "href": href, "batch_id": id }));
        }
        if self.status == Status::Failed {
            let message = "an order was rejected; nothing was placed";
            members.insert("error".into(), json!({ "code": "order_rejected", "message": message }));
        }
        Value::Object(members)
    }
}

/// The id of an operation, which is text under every variant: it is no row of a list.
fn id(number: u32) -> String {
    format!("OP-{number:08}")
}

/// Reads an id.
pub(in crate::reference) fn number(text: &str) -> Option<u32> {
    let number = text.strip_prefix("OP-")?.parse().ok()?;
    (id(number) == text).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::{Operation, Status, Task, Tenant, number};

    #[test]
    fn an_id_has_one_spelling() {
        let task = Task { tenant: Tenant::One, account: "ACC-001".into(), reference: "r".into(), orders: Vec::new() };
        let operation = Operation::new(17, task, Some(0));
        assert_eq!((operation.id().as_str(), number(&operation.id())), ("OP-00000017", Some(17)));
        for text in ["OP-17", "OP-+0000017", "ORD-00000017", "17", "", "OP-99999999999"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn a_change_shows_in_the_sequence_and_the_end_is_told() {
        let task = Task { tenant: Tenant::One, account: "ACC-001".into(), reference: "r".into(), orders: Vec::new() };
        let mut operation = Operation::new(1, task, None);
        assert!(operation.render().get("percent").is_none());
        operation.enter(Status::Running);
        assert_eq!((operation.sequence, operation.end.is_cancelled()), (2, false));
        operation.enter(Status::Cancelled);
        assert_eq!((operation.sequence, operation.end.is_cancelled()), (3, true));
        assert_eq!(operation.render()["status"], "cancelled");
    }
}
