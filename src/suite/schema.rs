//! The JSON Schema of the format, made from the types that read it and from what each family says of its checks.

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};

use super::{preset::PRESETS, written::Written};
use crate::families::Family;

/// Families of the format that a later version checks, if they are not among those at hand.
const KNOWN_FAMILIES: &[&str] = &[
    "pagination",
    "rate_limit",
    "async_operation",
    "versioning",
    "errors",
    "rest",
    "auth",
    "websocket",
    "bulk",
    "data",
    "transport",
    "scenario",
];

/// Whether a key is a family of the format, be it one of this version or not.
pub(super) fn is_known_family(name: &str) -> bool {
    KNOWN_FAMILIES.contains(&name)
}

/// The JSON Schema (draft 2020-12) of the whole format.
pub fn schema(families: &[Family]) -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut root = Written::json_schema(&mut generator).to_value();
    for family in families {
        let item = (family.schema)(&mut generator).to_value();
        let list = json!({"description": family.summary, "type": "array", "items": item});
        root["properties"][family.name] = list;
    }
    let presets: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    root["properties"]["preset"]["examples"] = json!(presets);
    root["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    root["title"] = json!("fincheck suite");
    root["$defs"] = Value::Object(generator.take_definitions(true));
    root
}
