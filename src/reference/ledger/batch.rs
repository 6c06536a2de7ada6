//! Batches of orders: made by an operation, in one piece.

use serde_json::{Value, json};

use super::{Ids, Key, Order, Row, instant};

/// One batch.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Batch {
    pub(in crate::reference) id: u32,
    pub(in crate::reference) reference: Box<str>,
    /// Id of the operation that made it.
    pub(in crate::reference) operation: String,
    /// As they were asked for; they stand in no other list.
    pub(in crate::reference) orders: Vec<Order>,
    /// Milliseconds since 1970.
    pub(in crate::reference) created_at: i64,
}

impl Row for Batch {
    const PREFIX: &'static str = "BAT";

    fn key(&self) -> Key {
        Key { at: self.created_at, id: self.id }
    }

    fn render(&self, ids: Ids) -> Value {
        json!({
            "id": ids.value(Self::PREFIX, self.id),
            "reference": self.reference,
            "operation_id": self.operation,
            "orders": self.orders.iter().map(Order::terms).collect::<Vec<_>>(),
            "count": self.orders.len(),
            "created_at": instant::text(self.created_at),
        })
    }
}
