//! One JSON value as a rule compares it: numbers keep the text they were written with.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// A JSON value; numbers as written, so that `0.10` is not `0.1` and no amount passes through a float.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scalar {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string, unescaped.
    Text(String),
    /// An array or an object.
    Composite,
}

impl Scalar {
    /// Reads a raw value; a string whose escapes are not valid Unicode is taken as written.
    pub fn from_raw(raw: &RawValue) -> Self {
        Self::from_raw_in(raw, String::new())
    }

    /// The same, with the memory of a text that is no longer needed.
    pub(super) fn from_raw_in(raw: &RawValue, mut memory: String) -> Self {
        let text = raw.get();
        let mut kept = |text: &str| {
            memory.clear();
            memory.push_str(text);
            std::mem::take(&mut memory)
        };
        match text.as_bytes().first() {
            Some(b'"') => Self::Text(kept(&unescape(text))),
            Some(b'n') => Self::Null,
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'{' | b'[') => Self::Composite,
            _ => Self::Number(kept(text)),
        }
    }

    /// The memory of its text.
    pub(super) fn into_memory(self) -> Option<String> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }

    /// Reads a value of a tree.
    pub fn from_value(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => Self::Number(n.to_string()),
            Value::String(s) => Self::Text(s.clone()),
            Value::Array(_) | Value::Object(_) => Self::Composite,
        }
    }

    /// The text of a string or number; neither of the other kinds.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }
}

impl std::fmt::Display for Scalar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Number(n) => f.write_str(n),
            Self::Text(t) => write!(f, "{}", Value::from(t.as_str())),
            Self::Composite => f.write_str("an array or object"),
        }
    }
}

/// The content of a JSON string literal, borrowed where nothing is escaped.
pub(super) fn unescape(literal: &str) -> Cow<'_, str> {
    let inner = literal.strip_prefix('"').and_then(|s| s.strip_suffix('"')).unwrap_or(literal);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str::<String>(literal).map_or(Cow::Borrowed(inner), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Scalar {
        Scalar::from_raw(serde_json::from_str(text).unwrap())
    }

    #[test]
    fn numbers_keep_their_text_and_strings_lose_their_escapes() {
        assert_eq!(read("0.10"), Scalar::Number("0.10".into()));
        assert_eq!(read("-12345678901234567890123"), Scalar::Number("-12345678901234567890123".into()));
        assert_eq!(read(r#""a\u00e9\"b""#), Scalar::Text("aé\"b".into()));
        assert_eq!(read(r#""\ud800""#), Scalar::Text(r"\ud800".into()));
        assert_eq!(read("[1]"), Scalar::Composite);
        assert_eq!((read("null"), read("true")), (Scalar::Null, Scalar::Bool(true)));
    }
}
