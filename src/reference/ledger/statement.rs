//! Statements: issued once a month and never changed.

use serde_json::{Value, json};

use super::{Money, instant};

/// One monthly statement.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Statement {
    /// `STM-2025-12`
    pub(in crate::reference) id: String,
    /// `2025-12`
    pub(in crate::reference) period: String,
    pub(in crate::reference) closing_balance: Money,
    /// Milliseconds since 1970.
    pub(in crate::reference) issued_at: i64,
}

impl Statement {
    /// The statement as it is sent.
    pub(in crate::reference) fn render(&self) -> Value {
        json!({
            "id": self.id,
            "period": self.period,
            "closing_balance": self.closing_balance.render(),
            "issued_at": instant::text(self.issued_at),
        })
    }
}
