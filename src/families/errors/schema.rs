//! JSON Schemas of error bodies: compiled without any way to fetch or read what a `$ref` names, and with values
//! masked in what they report.

use jsonschema::Validator;
use serde_json::Value;

/// Most problems reported of one body.
const MOST: usize = 5;

/// Compiles a schema, or says why it is none.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    jsonschema::options().offline().build(schema).map_err(|error| super::evidence::brief(&error.to_string(), 300))
}

/// Where a body violates a schema, the first few places.
pub(super) fn problems(validator: &Validator, body: &Value) -> Vec<String> {
    validator
        .iter_errors(body)
        .take(MOST)
        .map(|error| {
            let at = error.instance_path().to_string();
            let at = if at.is_empty() { "the body".to_owned() } else { at };
            super::evidence::brief(&format!("{at}: {}", error.masked()), 300)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn problems_name_the_place_and_hide_the_value() {
        let validator = compile(&json!({"type": "object", "properties": {"code": {"type": "string"}}})).unwrap();
        let found = problems(&validator, &json!({"code": 4711}));
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("/code: ") && !found[0].contains("4711"), "{}", found[0]);
        assert_eq!(problems(&validator, &json!({"code": "x"})), Vec::<String>::new());
    }

    #[test]
    fn a_reference_to_another_document_is_refused_not_fetched() {
        assert!(compile(&json!({"$ref": "http://schema.example/error.json"})).is_err());
        assert!(compile(&json!({"type": "no such type"})).is_err());
    }
}
