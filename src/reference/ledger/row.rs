//! What the rows of every list have in common.

use serde_json::Value;

/// Where a row stands in its list: by time, then by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::reference) struct Key {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub(in crate::reference) at: i64,
    /// The row's number, unique in its list: the tie-breaker.
    pub(in crate::reference) id: u32,
}

/// How ids of rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) enum Ids {
    /// `"POS-00000017"`: of fixed width, so that text sorts as numbers do.
    Text,
    /// `17`
    Number,
}

impl Ids {
    /// The id as it stands in a body.
    pub(in crate::reference) fn value(self, prefix: &str, id: u32) -> Value {
        match self {
            Self::Text => Value::from(format!("{prefix}-{id:08}")),
            Self::Number => Value::from(id),
        }
    }

    /// The id as it stands in a path.
    pub(in crate::reference) fn segment(self, prefix: &str, id: u32) -> String {
        match self {
            Self::Text => format!("{prefix}-{id:08}"),
            Self::Number => id.to_string(),
        }
    }

    /// Reads an id written the same way.
    pub(in crate::reference) fn parse(self, prefix: &str, text: &str) -> Option<u32> {
        let id = match self {
            Self::Text => text.strip_prefix(prefix)?.strip_prefix('-')?.parse().ok()?,
            Self::Number => text.parse().ok()?,
        };
        (self.segment(prefix, id) == text).then_some(id)
    }
}

/// A row of a list.
pub(in crate::reference) trait Row {
    /// Starts each id: `POS`.
    const PREFIX: &'static str;

    /// Where the row stands.
    fn key(&self) -> Key;

    /// The row as it is sent.
    fn render(&self, ids: Ids) -> Value;
}

#[cfg(test)]
mod tests {
    use super::Ids;

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!(Ids::Text.parse("POS", "POS-00000017"), Some(17));
        assert_eq!(Ids::Number.parse("POS", "17"), Some(17));
        for text in ["POS-17", "POS-000000017", "ORD-00000017", "17", "POS-+0000017", ""] {
            assert_eq!(Ids::Text.parse("POS", text), None, "{text}");
        }
        for text in ["017", "+17", "POS-00000017", "4294967296"] {
            assert_eq!(Ids::Number.parse("POS", text), None, "{text}");
        }
    }
}
