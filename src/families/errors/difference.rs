//! The difference between the declared and the actual shape of an error, as lines of text.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::evidence::{CaseResponse, Declared, ErrorResponse, Expected, brief};

/// Most lines of a shape.
const LINES: usize = 60;
/// Deepest member shown.
const DEPTH: usize = 6;

/// The shape of a body, one member a line: `$.error.code: string`.
pub(super) fn members(body: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    flatten(body, "$", 0, &mut lines);
    lines.sort();
    lines.dedup();
    lines
}

fn flatten(value: &Value, at: &str, depth: usize, lines: &mut Vec<String>) {
    if lines.len() >= LINES {
        return;
    }
    match value {
        Value::Object(map) if depth < DEPTH && !map.is_empty() => {
            for (name, item) in map {
                flatten(item, &format!("{at}.{}", brief(name, 60)), depth + 1, lines);
            }
        }
        Value::Array(items) if depth < DEPTH && !items.is_empty() => {
            flatten(&items[0], &format!("{at}[*]"), depth + 1, lines);
        }
        other => lines.push(format!("{at}: {}", type_of(other))),
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// What differs between the declared shape and a response; empty if nothing does.
pub(super) fn lines(expected: &Expected, declared: &Declared, response: &CaseResponse) -> Vec<String> {
    let mut actual = head(&response.answer);
    let mut wanted = wanted_head(expected, declared, &response.answer);
    for (at, kind) in wanted_members(expected, declared) {
        let prefix = format!("{at}: ");
        let same = response.shape.iter().find(|line| line.strip_prefix(&prefix).is_some_and(|k| accepts(&kind, k)));
        wanted.push(same.cloned().unwrap_or(prefix + &kind));
    }
    wanted[2..].sort();
    wanted.dedup();
    actual.extend(response.shape.iter().cloned());
    let (wanted, actual): (Vec<&str>, Vec<&str>) =
        (wanted.iter().map(String::as_str).collect(), actual.iter().map(String::as_str).collect());
    let diff = TextDiff::from_slices(&wanted, &actual);
    if diff.iter_all_changes().all(|change| change.tag() == ChangeTag::Equal) {
        return Vec::new();
    }
    let marked = diff.iter_all_changes().map(|change| {
        let mark = match change.tag() {
            ChangeTag::Delete => '-',
            ChangeTag::Insert => '+',
            ChangeTag::Equal => ' ',
        };
        format!("{mark} {}", change.value())
    });
    ["--- declared".to_owned(), "+++ answered".to_owned()].into_iter().chain(marked).collect()
}

fn head(answer: &ErrorResponse) -> Vec<String> {
    let media = answer.media_type.as_deref().unwrap_or("none");
    vec![format!("status {}", answer.status), format!("content-type {media}")]
}

fn wanted_head(expected: &Expected, declared: &Declared, answer: &ErrorResponse) -> Vec<String> {
    let actual = head(answer);
    let status = if expected.statuses.contains(&answer.status) {
        actual[0].clone()
    } else {
        format!("status {}", alternatives(expected.statuses.iter()))
    };
    let media = match &declared.errors.media_type {
        Some(media) => format!("content-type {media}"),
        None if answer.is_json_type() => actual[1].clone(),
        None => "content-type application/json".to_owned(),
    };
    vec![status, media]
}

/// `404`, `404 or 410`.
pub(super) fn alternatives(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(" or ")
}

fn wanted_members(expected: &Expected, declared: &Declared) -> Vec<(String, String)> {
    let mut wanted = Vec::new();
    if let Some(schema) = &expected.schema {
        from_schema(schema, "$".to_owned(), 0, &mut wanted);
    }
    let errors = &declared.errors;
    let mut add = |path: &Option<crate::json::Path>, kind: &str| {
        if let Some(path) = path {
            wanted.push((path.to_string(), kind.to_owned()));
        }
    };
    add(&errors.code, "string or number");
    if !errors.message_optional {
        add(&errors.message, "string");
    }
    wanted
}

fn from_schema(schema: &Value, at: String, depth: usize, wanted: &mut Vec<(String, String)>) {
    if depth > DEPTH || wanted.len() >= LINES {
        return;
    }
    let properties = schema.get("properties").and_then(Value::as_object);
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for name in &required {
        let property = properties.and_then(|properties| properties.get(*name)).unwrap_or(&Value::Bool(true));
        from_schema(property, format!("{at}.{name}"), depth + 1, wanted);
    }
    match schema.get("items") {
        Some(items) => from_schema(items, format!("{at}[*]"), depth + 1, wanted),
        None if required.is_empty() && depth > 0 => {
            let kind = match schema.get("type") {
                Some(Value::String(kind)) if kind == "integer" => "number".to_owned(),
                Some(Value::String(kind)) => kind.clone(),
                Some(Value::Array(kinds)) => alternatives(kinds.iter().filter_map(Value::as_str)),
                _ => "any".to_owned(),
            };
            wanted.push((at, kind));
        }
        None => {}
    }
}

fn accepts(wanted: &str, actual: &str) -> bool {
    wanted == "any" || wanted.split(" or ").any(|kind| kind == actual || (kind == "integer" && actual == "number"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::testing::{answer, reply, shape},
        *,
    };

    fn difference(expected: &Expected, errors: Value, status: u16, media_type: &str, body: &Value) -> Vec<String> {
        let shape = shape(errors);
        let response = CaseResponse {
            answer: answer(1, &shape, reply(status, media_type, &body.to_string())),
            shape: members(body),
            schema_problems: Vec::new(),
            located: Vec::new(),
        };
        lines(expected, &shape.declared, &response)
    }

    #[test]
    fn declared_and_actual_stand_against_each_other() {
        let expected = Expected { statuses: vec![404, 410], ..Expected::default() };
        let errors = json!({"media_type": "application/problem+json", "code": "$.code", "message": "$.detail"});
        let found = difference(&expected, errors, 400, "application/json", &json!({"detail": "x", "fault": {"n": 1}}));
        assert_eq!(
            found,
            [
                "--- declared",
                "+++ answered",
                "- status 404 or 410",
                "- content-type application/problem+json",
                "- $.code: string or number",
                "+ status 400",
                "+ content-type application/json",
                "  $.detail: string",
                "+ $.fault.n: number",
            ]
        );
    }

    #[test]
    fn what_a_schema_requires_is_part_of_the_declared_shape() {
        let schema = json!({"type": "object", "required": ["errors"], "properties": {"errors": {"type": "array",
            "items": {"required": ["code", "n"], "properties": {"code": {"type": "string"}, "n": {"type": "integer"}}}}}});
        let expected = Expected { statuses: vec![400], schema: Some(schema), ..Expected::default() };
        let same = json!({"errors": [{"code": "x", "n": 1}]});
        assert_eq!(difference(&expected, json!({}), 400, "application/json", &same), Vec::<String>::new());
        let other = json!({"errors": [{"code": 5, "n": 1}]});
        let found = difference(&expected, json!({}), 400, "application/json", &other);
        assert!(found.contains(&"- $.errors[*].code: string".to_owned()), "{found:?}");
        assert!(found.contains(&"+ $.errors[*].code: number".to_owned()), "{found:?}");
    }

    #[test]
    fn huge_bodies_give_short_shapes() {
        let many: serde_json::Map<String, Value> = (0..5000).map(|n| (format!("m{n}"), json!(n))).collect();
        assert!(members(&Value::Object(many)).len() <= LINES);
    }
}
