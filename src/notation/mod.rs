//! How values are written in a suite: durations, sizes, rates, request lines, templates.
//!
//! Each type parses from the text a person writes (`250ms`, `16MiB`, `50/s`, `GET /v1/x`, `{{name}}`), says in
//! one line what would be right when it does not, and names its JSON Schema `format`, so that the schema of the
//! suite format and the parser are one definition (see [`FORMATS`]).

mod duration;
mod rate;
mod request_line;
mod size;
mod template;

pub use duration::Span;
pub use rate::Rate;
pub use request_line::RequestLine;
pub use size::ByteSize;
pub use template::{Template, Unknown, Values, render_json};

/// A named check of one written form: the JSON Schema `format` and what is wrong with a text, if anything.
pub struct Format {
    /// The name in the schema.
    pub name: &'static str,
    /// Says what is wrong, or nothing.
    pub check: fn(&str) -> Result<(), String>,
}

/// Every written form a suite's schema may name.
pub static FORMATS: &[Format] = &[
    Format { name: duration::FORMAT, check: |text| text.parse::<Span>().map(drop) },
    Format { name: size::FORMAT, check: |text| text.parse::<ByteSize>().map(drop) },
    Format { name: rate::FORMAT, check: |text| text.parse::<Rate>().map(drop) },
    Format { name: request_line::FORMAT, check: |text| text.parse::<RequestLine>().map(drop) },
    Format { name: template::FORMAT, check: |text| text.parse::<Template>().map(drop) },
    Format { name: crate::json::PATH_FORMAT, check: |text| text.parse::<crate::json::Path>().map(drop) },
];

/// Implements `Deserialize`, `Serialize` and `JsonSchema` for a type that is written as text.
macro_rules! written_as_text {
    ($type:ty, $name:literal, $format:expr, $description:literal, $example:literal) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string", "format": $format, "description": $description, "examples": [$example]
                })
            }
        }
    };
}
pub(crate) use written_as_text;
