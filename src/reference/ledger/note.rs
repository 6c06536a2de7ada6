//! Notes: small rows of a tenant, made under a rate limit.

use serde_json::{Value, json};

use super::{Ids, Key, Row, instant};

/// One note.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Note {
    pub(in crate::reference) id: u32,
    pub(in crate::reference) reference: Box<str>,
    /// Milliseconds since 1970.
    pub(in crate::reference) created_at: i64,
}

impl Row for Note {
    const PREFIX: &'static str = "NTE";

    fn key(&self) -> Key {
        Key { at: self.created_at, id: self.id }
    }

    fn render(&self, ids: Ids) -> Value {
        json!({
            "id": ids.value(Self::PREFIX, self.id),
            "reference": self.reference,
            "created_at": instant::text(self.created_at),
        })
    }
}
