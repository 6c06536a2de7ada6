//! Text with `{{names}}` that are filled in when a request is built.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde_json::Value;

pub(super) const FORMAT: &str = "fincheck-template";

/// Names and what they stand for while a run goes on: suite variables, captures, and what a probe supplies.
pub type Values = BTreeMap<String, String>;

/// A name that stands for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{{{{{0}}}}}` has no value: it is not in `vars` and no step captured it")]
pub struct Unknown(pub String);

/// Text with `{{name}}` in it; `{{{{` stands for two opening braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    source: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(String),
}

impl Template {
    /// The names it uses.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The text with every name filled in.
    pub fn render(&self, values: &Values) -> Result<String, Unknown> {
        self.render_with(values, |value, out| out.push_str(value))
    }

    /// The text with every name filled in, values percent-encoded as a path segment needs it; a name that begins the
    /// text stands for a whole path or URL (such as a captured `Location`) and is taken as it is.
    pub fn render_path(&self, values: &Values) -> Result<String, Unknown> {
        self.render_with(values, |value, out| {
            if out.is_empty() {
                out.push_str(value);
                return;
            }
            for byte in value.bytes() {
                if byte.is_ascii_alphanumeric() || b"-._~:@!$'()*,;".contains(&byte) {
                    out.push(char::from(byte));
                } else {
                    out.push_str(&format!("%{byte:02X}"));
                }
            }
        })
    }

    fn render_with(&self, values: &Values, put: impl Fn(&str, &mut String)) -> Result<String, Unknown> {
        let mut out = String::with_capacity(self.source.len());
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Name(name) => put(values.get(name).ok_or_else(|| Unknown(name.clone()))?, &mut out),
            }
        }
        Ok(out)
    }
}

impl FromStr for Template {
    type Err = String;

    fn from_str(source: &str) -> Result<Self, String> {
        let (mut pieces, mut text, mut rest) = (Vec::new(), String::new(), source);
        while let Some(at) = rest.find("{{") {
            text.push_str(&rest[..at]);
            rest = &rest[at + 2..];
            if let Some(escaped) = rest.strip_prefix("{{") {
                text.push_str("{{");
                rest = escaped;
                continue;
            }
            let end = rest
                .find("}}")
                .ok_or_else(|| format!("`{{{{` without `}}}}` in `{source}`; write {{{{{{{{ for two opening braces"))?;
            let name = rest[..end].trim();
            if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
                return Err(format!("`{{{{{name}}}}}` is not a name; names hold letters, digits, `_`, `-` and `.`"));
            }
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(Piece::Name(name.to_owned()));
            rest = &rest[end + 2..];
        }
        text.push_str(rest);
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Self { source: source.to_owned(), pieces })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

super::written_as_text!(
    Template,
    "Template",
    FORMAT,
    "Text; `{{name}}` stands for a variable or captured value, `{{{{` for two opening braces.",
    "ACC-{{run_id}}"
);

/// A JSON value with every `{{name}}` in its strings (values, not keys) filled in.
pub fn render_json(value: &Value, values: &Values) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) if text.contains("{{") => {
            let template: Template = text.parse()?;
            Value::String(template.render(values).map_err(|unknown| unknown.to_string())?)
        }
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| render_json(item, values)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, item)| Ok((key.clone(), render_json(item, values)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => other.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        Values::from([("a".into(), "1 2/3".into()), ("b.c".into(), "x".into())])
    }

    #[test]
    fn names_are_filled_in_and_braces_escape() {
        let template: Template = "/{{ a }}/{{b.c}}/{{{{a}}".parse().unwrap();
        assert_eq!(template.render(&values()).unwrap(), "/1 2/3/x/{{a}}");
        assert_eq!(template.render_path(&values()).unwrap(), "/1%202%2F3/x/{{a}}");
        let whole: Template = "{{a}}/{{a}}".parse().unwrap();
        assert_eq!(whole.render_path(&values()).unwrap(), "1 2/3/1%202%2F3");
        assert_eq!(template.names().collect::<Vec<_>>(), ["a", "b.c"]);
    }

    #[test]
    fn unknown_names_and_broken_braces_are_named() {
        let template: Template = "{{z}}".parse().unwrap();
        assert_eq!(template.render(&values()), Err(Unknown("z".into())));
        for bad in ["{{", "{{a", "{{}}", "{{a b}}"] {
            assert!(bad.parse::<Template>().is_err(), "{bad}");
        }
    }

    #[test]
    fn json_is_filled_in_at_any_depth() {
        let value = serde_json::json!({"x": ["{{a}}", 1, {"y": "-{{b.c}}-"}]});
        assert_eq!(render_json(&value, &values()).unwrap(), serde_json::json!({"x": ["1 2/3", 1, {"y": "-x-"}]}));
        assert!(render_json(&serde_json::json!("{{z}}"), &values()).is_err());
    }
}
