//! The document as types: each part is read on its own, so that a mistake in one hides none in another.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    step::WrittenStep,
    written::{AsWritten, Version, WrittenTarget, WrittenWaiver},
    yaml::{Kind, Node},
};
use crate::{
    families::{Conventions, Family},
    rule::Severity,
    wire::{Credentials, Limits},
};

/// The parts that fit their types.
#[derive(Default)]
pub(super) struct Sections {
    pub(super) name: Option<String>,
    pub(super) target: Option<WrittenTarget>,
    pub(super) clients: BTreeMap<String, Credentials>,
    pub(super) limits: Option<Limits>,
    pub(super) vars: BTreeMap<String, AsWritten>,
    pub(super) conventions: Option<Conventions>,
    pub(super) setup: Vec<Option<WrittenStep>>,
    pub(super) teardown: Vec<Option<WrittenStep>>,
    pub(super) waivers: Vec<Option<WrittenWaiver>>,
    pub(super) severity: BTreeMap<String, Severity>,
    /// The parts that do not fit.
    pub(super) faults: Vec<Fault>,
}

/// A part that does not fit its type.
#[derive(Debug)]
pub(super) struct Fault {
    /// JSON Pointer from the root of the document.
    pub(super) at: String,
    /// What serde says; empty for a key that is missing or unknown.
    pub(super) message: String,
}

/// The most parts that do not fit of which note is taken.
const MOST_FAULTS: usize = 1_000;

/// Keys of the root that are no family.
const KEYS: &[&str] = &[
    "fincheck",
    "name",
    "extends",
    "preset",
    "target",
    "clients",
    "limits",
    "vars",
    "conventions",
    "setup",
    "teardown",
    "waivers",
    "severity",
];

/// The document as JSON. Where text is wanted whatever it looks like, numbers become the text they were written as.
pub(super) fn document(root: &Node) -> Map<String, Value> {
    let value = |key: &str, node: &Node| match (key, &node.kind) {
        ("vars" | "clients", _) => node.to_value(true),
        ("target", Kind::Map(_)) => written_texts(node, &["headers"]),
        ("setup" | "teardown", Kind::List(steps)) => {
            steps.iter().map(|step| written_texts(step, &["query", "headers", "form"])).collect()
        }
        _ => node.to_value(false),
    };
    root.entries().iter().map(|entry| (entry.key.clone(), value(&entry.key, &entry.value))).collect()
}

fn written_texts(node: &Node, keys: &[&str]) -> Value {
    match &node.kind {
        Kind::Map(entries) => {
            entries.iter().map(|e| (e.key.clone(), e.value.to_value(keys.contains(&e.key.as_str())))).collect()
        }
        _ => node.to_value(false),
    }
}

/// Reads every part.
pub(super) fn read(document: &Map<String, Value>, families: &[Family]) -> Sections {
    let mut reader = Reader { document, faults: Vec::new() };
    for required in ["fincheck", "name", "target"] {
        if !document.contains_key(required) {
            reader.fault(String::new(), String::new());
        }
    }
    for (key, value) in document {
        let family = families.iter().any(|family| family.name == key);
        if family && !value.is_array() || !family && !KEYS.contains(&key.as_str()) {
            reader.fault(format!("/{}", escape(key)), String::new());
        }
    }
    reader.part::<Version>("fincheck");
    reader.part::<Option<String>>("extends");
    reader.part::<Option<String>>("preset");
    Sections {
        name: reader.part("name"),
        target: reader.part("target"),
        clients: reader.map("clients"),
        limits: reader.part::<Option<Limits>>("limits").flatten(),
        vars: reader.map("vars"),
        conventions: reader.part::<Option<Conventions>>("conventions").flatten(),
        setup: reader.list("setup"),
        teardown: reader.list("teardown"),
        waivers: reader.list("waivers"),
        severity: reader.map("severity"),
        faults: reader.faults,
    }
}

struct Reader<'d> {
    document: &'d Map<String, Value>,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, at: String, message: String) {
        if self.faults.len() < MOST_FAULTS {
            self.faults.push(Fault { at, message });
        }
    }

    fn part<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let value = self.document.get(key)?;
        self.value(value, &format!("/{key}"))
    }

    fn list<T: DeserializeOwned>(&mut self, key: &str) -> Vec<Option<T>> {
        match self.document.get(key) {
            None => Vec::new(),
            Some(Value::Array(items)) => {
                items.iter().enumerate().map(|(index, item)| self.value(item, &format!("/{key}/{index}"))).collect()
            }
            Some(_) => {
                self.fault(format!("/{key}"), "this is not a list".into());
                Vec::new()
            }
        }
    }

    fn map<T: DeserializeOwned>(&mut self, key: &str) -> BTreeMap<String, T> {
        match self.document.get(key) {
            None => BTreeMap::new(),
            Some(Value::Object(entries)) => entries
                .iter()
                .filter_map(|(name, item)| Some((name.clone(), self.value(item, &format!("/{key}/{}", escape(name)))?)))
                .collect(),
            Some(_) => {
                self.fault(format!("/{key}"), "this is not a mapping".into());
                BTreeMap::new()
            }
        }
    }

    fn value<T: DeserializeOwned>(&mut self, value: &Value, at: &str) -> Option<T> {
        serde_path_to_error::deserialize(value)
            .map_err(|error| {
                let path: String = error.path().iter().map(step).collect();
                // A credential must not be quoted.
                let message = if at.starts_with("/clients") {
                    "this is not a client's credentials".into()
                } else {
                    error.inner().to_string()
                };
                self.fault(format!("{at}{path}"), message);
            })
            .ok()
    }
}

fn step(segment: &serde_path_to_error::Segment) -> String {
    use serde_path_to_error::Segment;
    match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", escape(key)),
        Segment::Enum { variant } => format!("/{}", escape(variant)),
        Segment::Unknown => String::new(),
    }
}

/// A key as a step of a JSON Pointer (RFC 6901 §3).
pub(super) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_read_are_those_of_the_schema() {
        let schema = crate::suite::schema(&[]);
        let mut keys: Vec<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        let mut read = KEYS.to_vec();
        read.sort_unstable();
        assert_eq!(keys, read);
    }
}
