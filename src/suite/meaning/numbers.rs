//! Numbers that may not be sent as they were written.

use super::Meaning;
use crate::suite::{
    diagnostic::Complaints,
    yaml::{Kind, Node},
};

impl Meaning<'_> {
    /// Warns of numbers that a float may change: any decimal in a request body, elsewhere what does change.
    pub(super) fn numbers(&self, complaints: &mut Complaints) {
        for entry in self.root.entries() {
            if self.options.families.iter().any(|family| family.name == entry.key) {
                walk(&entry.value, false, complaints);
            } else if matches!(entry.key.as_str(), "setup" | "teardown") {
                // Query, headers and forms of a step are text, exactly as written.
                entry
                    .value
                    .items()
                    .iter()
                    .filter_map(|step| step.get("body"))
                    .for_each(|body| walk(body, true, complaints));
            }
        }
    }
}

fn walk(node: &Node, in_body: bool, complaints: &mut Complaints) {
    match &node.kind {
        Kind::Number(text) => {
            let value = node.to_value(false);
            let read = value.to_string();
            let decimal = text.contains(['.', 'e', 'E']);
            if in_body && decimal || value.is_string() || read != *text {
                let message = format!("the number {text} is sent as {read}: as a float it may lose digits");
                complaints
                    .warning(node.place, message)
                    .help("put quotes around it, unless the API wants a JSON number");
            }
        }
        Kind::List(items) => items.iter().for_each(|item| walk(item, in_body, complaints)),
        Kind::Map(entries) => {
            for entry in entries {
                walk(&entry.value, in_body || entry.key == "body", complaints);
            }
        }
        _ => {}
    }
}
