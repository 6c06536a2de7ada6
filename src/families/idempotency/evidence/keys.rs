//! Odd keys.

use serde::{Deserialize, Serialize};

use super::{Answer, Count};

/// A request with an odd key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyTry {
    /// What is odd.
    pub kind: KeyKind,
    /// How long the key is, in characters.
    pub length: usize,
    /// What the reference found before.
    pub before: Count,
    /// What it got.
    pub answer: Answer,
    /// What the same request got again, where it was repeated.
    pub again: Option<Answer>,
    /// What exists at the end.
    pub after: Count,
    /// Another request, with a key that differs in the last characters only.
    pub twin: Option<Twin>,
}

/// What is odd about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// There is none.
    Missing,
    /// It is empty.
    Empty,
    /// It holds a space.
    Space,
    /// It holds a control character (in a body).
    Control,
    /// It holds an octet outside ASCII.
    NotAscii,
    /// It is as others are, and another has the same beginning.
    Usual,
    /// It is of the declared maximum, and another has the same beginning.
    Longest,
    /// It is one longer than the declared maximum, and another has the same beginning.
    TooLong,
    /// It is repeated in the other written form: quoted instead of bare, or the reverse.
    OtherForm,
}

impl KeyKind {
    /// In words.
    pub const fn told(self) -> &'static str {
        match self {
            Self::Missing => "no key",
            Self::Empty => "an empty key",
            Self::Space => "a key with a space in it",
            Self::Control => "a key with a control character in it",
            Self::NotAscii => "a key with an octet outside ASCII in it",
            Self::Usual => "a usual key",
            Self::Longest => "a key of the declared maximum length",
            Self::TooLong => "a key over the declared maximum length",
            Self::OtherForm => "a key in the other written form",
        }
    }
}

/// Another request, with a key that differs in the last characters only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Twin {
    /// What its reference found before.
    pub before: Count,
    /// What it got.
    pub answer: Answer,
    /// What exists of it at the end.
    pub after: Count,
    /// If it was refused: what it got with quite another key of the same length.
    pub apart: Option<Answer>,
}
