//! YAML text as a tree that knows where each of its parts was written.
//!
//! The tree is composed from the events of serde-saphyr's own parser rather than through serde, because a
//! suite needs what serde drops: both places of a repeated key, whether a scalar was quoted, and numbers as they
//! were written. Depth, number of nodes and copies made for aliases are bounded.

mod compose;
mod scalar;

pub(super) use compose::{BEGIN, compose};
pub(super) use scalar::resolve;

use serde_json::{Map, Value};

use super::source::Place;

/// A value with its place.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
    /// Whether a scalar was written without quotes.
    pub(super) plain: bool,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    /// As written; always a JSON number (RFC 8259 §6).
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a mapping with its value.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) key_place: Place,
    pub(super) value: Node,
}

impl Node {
    /// The value of a key, if this is a mapping that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// A key with its value, if this is a mapping that has it.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The keys of a mapping; none if it is something else.
    pub(super) fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none if it is something else.
    pub(super) fn items(&self) -> &[Node] {
        match &self.kind {
            Kind::List(items) => items,
            _ => &[],
        }
    }

    /// How many entries or items it has.
    pub(super) fn len(&self) -> usize {
        self.entries().len() + self.items().len()
    }

    /// The text of a text.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The scalar as written, whatever its type; none for nothing, a list or a mapping.
    pub(super) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) | Kind::Number(text) => Some(text),
            Kind::Bool(true) => Some("true"),
            Kind::Bool(false) => Some("false"),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// Puts a value under a key of a mapping under a key of this one; neither needs to be there.
    pub(super) fn put(&mut self, section: &str, key: &str, value: Node) {
        let place = value.place;
        let Kind::Map(sections) = &mut self.kind else { return };
        let at = sections.iter().position(|entry| entry.key == section).unwrap_or_else(|| {
            let empty = Node { place, kind: Kind::Map(Vec::new()), plain: false };
            sections.push(Entry { key: section.to_owned(), key_place: place, value: empty });
            sections.len() - 1
        });
        let Kind::Map(entries) = &mut sections[at].value.kind else { return };
        entries.retain(|entry| entry.key != key);
        entries.push(Entry { key: key.to_owned(), key_place: place, value });
    }

    /// Where a JSON Pointer leads, as far as it leads anywhere.
    pub(super) fn locate(&self, pointer: &str) -> Located<'_> {
        let mut at = Located { node: self, key: None, complete: true };
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            if let Some(entry) = at.node.entry(&step) {
                at = Located { node: &entry.value, key: Some(entry.key_place), complete: true };
            } else if let Some(item) = step.parse().ok().and_then(|index: usize| at.node.items().get(index)) {
                at = Located { node: item, key: None, complete: true };
            } else {
                at.complete = false;
                break;
            }
        }
        at
    }

    /// The value as JSON; with `as_written`, numbers and booleans become the text they were written as.
    pub(super) fn to_value(&self, as_written: bool) -> Value {
        match &self.kind {
            Kind::Null => Value::Null,
            Kind::Bool(_) | Kind::Number(_) if as_written => Value::from(self.scalar().unwrap_or_default()),
            Kind::Bool(b) => Value::Bool(*b),
            Kind::Number(number) => scalar::number(number),
            Kind::Text(text) => Value::String(text.clone()),
            Kind::List(items) => items.iter().map(|item| item.to_value(as_written)).collect(),
            Kind::Map(entries) => Value::Object(
                entries.iter().map(|e| (e.key.clone(), e.value.to_value(as_written))).collect::<Map<_, _>>(),
            ),
        }
    }
}

/// What a JSON Pointer leads to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Located<'n> {
    pub(super) node: &'n Node,
    /// Where its key is, if it is the value of one.
    pub(super) key: Option<Place>,
    /// Whether the whole pointer was followed.
    pub(super) complete: bool,
}
