//! Every mistake of shape in a document, by its JSON Schema: unknown and missing keys, wrong types, wrong forms.
//!
//! The schema is compiled only when a part did not fit its type. Where it offers alternatives (`anyOf`, `oneOf`),
//! the one the author was after is guessed from what it has in common with the document.

use jsonschema::{
    JsonType, PatternOptions, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind as Kind},
};
use serde_json::Value;

use super::{
    diagnostic::{crop, nearest},
    schema::is_known_family,
    sections::escape,
    written::FORMATS,
};
use crate::notation;

/// A mistake of shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misfit {
    /// JSON Pointer from the root of the document.
    pub(super) at: String,
    /// Whether the key is meant rather than its value.
    pub(super) key: bool,
    /// Whether it speaks of a key that is not there.
    pub(super) missing: bool,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// Every mistake of shape, in no particular order.
pub(super) fn misfits(schema: &Value, document: &Value) -> Result<Vec<Misfit>, String> {
    let validator = validator(schema)?;
    let mut found = Finder { schema, misfits: Vec::new() };
    for error in validator.iter_errors(document).take(MOST) {
        found.error(&error);
    }
    Ok(found.misfits)
}

/// The most mistakes looked for.
const MOST: usize = 1_000;

/// The schema of the format, ready to be held against documents; it reads nothing from anywhere else.
pub(super) fn validator(schema: &Value) -> Result<Validator, String> {
    let mut options = jsonschema::options()
        .with_draft(jsonschema::Draft::Draft202012)
        .should_validate_formats(true)
        .with_pattern_options(PatternOptions::regex())
        .offline();
    for format in notation::FORMATS.iter().chain(FORMATS) {
        options = options.with_format(format.name, |text: &str| (format.check)(text).is_ok());
    }
    options.build(schema).map_err(|error| error.to_string())
}

struct Finder<'s> {
    schema: &'s Value,
    misfits: Vec<Misfit>,
}

impl<'s> Finder<'s> {
    fn add(&mut self, at: impl Into<String>, message: impl Into<String>) -> &mut Misfit {
        let misfit = Misfit { at: at.into(), key: false, missing: false, message: message.into(), help: None };
        self.misfits.push(misfit);
        let last = self.misfits.len() - 1;
        &mut self.misfits[last]
    }

    fn error(&mut self, error: &ValidationError<'_>) {
        let at = error.instance_path().as_str();
        let instance = error.instance().as_ref();
        match error.kind() {
            Kind::AdditionalProperties { unexpected } => {
                let known = self.beside(error, "properties");
                let known: Vec<&str> =
                    known.and_then(Value::as_object).into_iter().flatten().map(|(k, _)| k.as_str()).collect();
                unexpected.iter().take(MOST).for_each(|key| self.unknown_key(at, key, &known));
            }
            Kind::Required { property } => self.missing_key(error, at, property.as_str().unwrap_or_default()),
            // What the values are says more than what type they have.
            Kind::Type { .. } if self.beside(error, "enum").or(self.beside(error, "const")).is_some() => {}
            Kind::Type { kind } => {
                let format = self.beside(error, "format").and_then(Value::as_str);
                match format.and_then(|format| misread(format, instance)) {
                    Some(message) => {
                        self.add(at, message);
                    }
                    None => self.wrong_type(at, instance, &wanted(kind)),
                }
            }
            Kind::Enum { options } => {
                let options: Vec<&Value> = options.as_array().into_iter().flatten().collect();
                self.none_of(at, instance, &options);
            }
            Kind::Constant { .. } if at == "/fincheck" => {
                let found = found(at, instance);
                self.add(at, format!("this fincheck reads version 1 of the suite format, not {found}")).help =
                    Some("write `fincheck: 1`".into());
            }
            Kind::Constant { expected_value } => self.none_of(at, instance, &[expected_value]),
            Kind::Format { format } => {
                let message = misread(format, instance);
                self.add(at, message.unwrap_or_else(|| format!("{} is not a {format}", found(at, instance))));
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => self.alternatives(at, instance, context),
            Kind::Pattern { .. } => {
                let example = self.beside(error, "examples").and_then(|examples| examples.get(0)?.as_str());
                let about = self.beside(error, "description").and_then(Value::as_str).map(first_line);
                let help = example.map(|example| format!("write it like `{example}`")).or(about.map(str::to_owned));
                self.add(at, format!("{} does not have the form wanted here", found(at, instance))).help = help;
            }
            Kind::PropertyNames { error } => self.error(error),
            _ => {
                let shown = found(at, instance);
                self.add(at, error.masked_with(shown).to_string());
            }
        }
    }

    fn unknown_key(&mut self, at: &str, key: &str, known: &[&str]) {
        let shown = crop(key, 60);
        let (message, help) = match (at, key) {
            ("", _) if is_known_family(key) => {
                (format!("`{shown}` is a family that this version does not check yet"), None)
            }
            (_, "oauth2" | "hmac" | "mtls") if at.starts_with("/clients/") => (
                format!("`{shown}` is a kind of credentials that this version does not know yet"),
                Some("this version knows `bearer`, `basic`, `header` and `query`".into()),
            ),
            _ => (format!("unknown key `{shown}`"), Some(nearest(key, known.iter().copied()))),
        };
        let misfit = self.add(format!("{at}/{}", escape(key)), message);
        misfit.key = true;
        misfit.help = help;
    }

    fn missing_key(&mut self, error: &ValidationError<'_>, at: &str, key: &str) {
        let about = self.beside(error, "properties").and_then(|p| self.description(p.get(key)?));
        let help = match (at, key) {
            ("", "fincheck") => Some("write `fincheck: 1`: the version of the format the suite is written in".into()),
            _ => about.map(|about| format!("`{key}`: {about}")),
        };
        let misfit = self.add(at, format!("the key `{key}` is missing"));
        misfit.key = true;
        misfit.missing = true;
        misfit.help = help;
    }

    fn wrong_type(&mut self, at: &str, instance: &Value, wanted: &[&str]) {
        let message = format!("found {}, wanted {}", found(at, instance), or(wanted));
        let help = match instance {
            Value::Number(_) | Value::Bool(_) if wanted == [TEXT] => Some("put quotes around it to make it text"),
            Value::String(text)
                if text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
                    && !wanted.contains(&TEXT)
                    && wanted.iter().any(|w| [NUMBER, WHOLE].contains(w)) =>
            {
                Some("write it without quotes and unit")
            }
            _ => None,
        };
        self.add(at, message).help = help.map(str::to_owned);
    }

    fn none_of(&mut self, at: &str, instance: &Value, options: &[&Value]) {
        let names: Vec<&str> = options.iter().filter_map(|option| option.as_str()).collect();
        let message = format!("{} is not one of the values allowed here", found(at, instance));
        let help = match instance.as_str() {
            Some(text) if !names.is_empty() => nearest(text, names),
            _ => {
                let options: Vec<String> = options.iter().map(|option| format!("`{option}`")).collect();
                format!("write {}", or(&options.iter().map(String::as_str).collect::<Vec<_>>()))
            }
        };
        self.add(at, message).help = Some(help);
    }

    /// None of several alternatives fits.
    fn alternatives(&mut self, at: &str, instance: &Value, branches: &[Vec<ValidationError<'static>>]) {
        let here = |error: &ValidationError<'_>| error.instance_path().as_str() == at;
        let typed = |branch: &&Vec<ValidationError<'static>>| {
            branch
                .iter()
                .any(|e| here(e) && matches!(e.kind(), Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. }))
        };
        let tagged = |branch: &&Vec<ValidationError<'static>>| {
            branch.iter().any(|e| here(e) && matches!(e.kind(), Kind::Required { .. }))
        };
        let of_type: Vec<_> = branches.iter().filter(|branch| !typed(branch)).collect();
        let engaged: Vec<_> = of_type.iter().copied().filter(|branch| !tagged(branch)).collect();
        let closest = match (of_type.as_slice(), engaged.as_slice()) {
            ([only], _) | (_, [only]) => Some(*only),
            _ => None,
        };
        if let Some(branch) = closest {
            for error in branch {
                self.error(error);
            }
        } else if !of_type.is_empty() {
            self.tags(at, instance, &of_type);
        } else {
            self.kinds(at, instance, branches);
        }
    }

    /// A mapping that should hold exactly one of several keys.
    fn tags(&mut self, at: &str, instance: &Value, branches: &[&Vec<ValidationError<'static>>]) {
        let mut tags: Vec<&str> = Vec::new();
        for error in branches.iter().copied().flatten() {
            match error.kind() {
                Kind::Required { property } => tags.extend(property.as_str()),
                Kind::AdditionalProperties { .. } => {
                    let beside = self.beside(error, "properties").and_then(Value::as_object);
                    tags.extend(beside.into_iter().flatten().map(|(key, _)| key.as_str()));
                }
                _ => {}
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        tags.retain(|tag| seen.insert(*tag));
        let tags: Vec<String> = tags.into_iter().map(str::to_owned).collect();
        let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
        let keys: Vec<&str> = instance.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let unknown: Vec<&str> = keys.iter().copied().filter(|key| !tags.contains(key)).collect();
        for key in &unknown {
            self.unknown_key(at, key, &tags);
        }
        if unknown.is_empty() {
            let quoted: Vec<String> = tags.iter().map(|tag| format!("`{tag}`")).collect();
            let quoted: Vec<&str> = quoted.iter().map(String::as_str).collect();
            let count = if keys.is_empty() { "one key is missing" } else { "only one key can stand here" };
            self.add(at, format!("{count}: {}", or(&quoted))).key = true;
        }
    }

    /// A value whose type, or which itself, fits none of several alternatives.
    fn kinds(&mut self, at: &str, instance: &Value, branches: &[Vec<ValidationError<'static>>]) {
        let (mut types, mut values): (Vec<&str>, Vec<&Value>) = (Vec::new(), Vec::new());
        for error in branches.iter().flatten().filter(|e| e.instance_path().as_str() == at) {
            match error.kind() {
                Kind::Type { kind } => types.extend(wanted(kind)),
                Kind::Constant { expected_value } => values.push(expected_value),
                Kind::Enum { options } => values.extend(options.as_array().into_iter().flatten()),
                _ => {}
            }
        }
        types.retain(|wanted| *wanted != NOTHING);
        types.dedup();
        let has_values = |branch: &Vec<ValidationError<'static>>| {
            branch.iter().any(|e| matches!(e.kind(), Kind::Constant { .. } | Kind::Enum { .. }))
        };
        if !values.is_empty() && (instance.is_string() || branches.iter().all(has_values)) {
            self.none_of(at, instance, &values);
        } else {
            self.wrong_type(at, instance, &types);
        }
    }

    /// A keyword of the schema beside the one that was violated.
    fn beside(&self, error: &ValidationError<'_>, keyword: &str) -> Option<&'s Value> {
        let (parent, _) = error.schema_path().as_str().rsplit_once('/')?;
        self.schema.pointer(parent)?.get(keyword)
    }

    /// What a schema, or the one it refers to, says about itself.
    fn description(&self, schema: &Value) -> Option<String> {
        let target = schema.get("$ref").and_then(Value::as_str).and_then(|r| self.schema.pointer(r.strip_prefix('#')?));
        let text = schema.get("description").or_else(|| target?.get("description"))?.as_str()?;
        Some(first_line(text).to_owned())
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_end_matches('.')
}

/// What is wrong with a scalar as one of our written forms, in the words of its own parser.
fn misread(format: &str, instance: &Value) -> Option<String> {
    let known = notation::FORMATS.iter().chain(FORMATS).find(|known| known.name == format)?;
    match instance {
        Value::String(text) => (known.check)(text).err(),
        Value::Number(_) | Value::Bool(_) => (known.check)(&instance.to_string()).err(),
        _ => None,
    }
}

const TEXT: &str = "text";
const NUMBER: &str = "a number";
const WHOLE: &str = "a whole number";
const NOTHING: &str = "nothing";

fn wanted(kind: &TypeKind) -> Vec<&'static str> {
    let word = |kind: JsonType| match kind {
        JsonType::Null => NOTHING,
        JsonType::Boolean => "true or false",
        JsonType::Integer => WHOLE,
        JsonType::Number => NUMBER,
        JsonType::String => TEXT,
        JsonType::Array => "a list",
        JsonType::Object => "a mapping",
    };
    match kind {
        TypeKind::Single(kind) => vec![word(*kind)],
        TypeKind::Multiple(kinds) => kinds.iter().map(word).filter(|word| *word != NOTHING).collect(),
    }
}

/// What stands there, for people; nothing of a client is quoted.
fn found(at: &str, instance: &Value) -> String {
    let secret = at.starts_with("/clients/") || at.starts_with("/target/headers/");
    match instance {
        Value::Null => "nothing".into(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) if secret => "a value".into(),
        Value::Bool(b) => format!("`{b}`"),
        Value::Number(n) => format!("the number {n}"),
        Value::String(s) if s.is_empty() => "empty text".into(),
        Value::String(s) => format!("the text `{}`", crop(s, 60)),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "a mapping".into(),
    }
}

fn or(words: &[&str]) -> String {
    match words {
        [] => "something else".into(),
        [only] => (*only).to_owned(),
        [some @ .., last] => format!("{} or {last}", some.join(", ")),
    }
}
