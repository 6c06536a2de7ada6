//! The declared shape of errors, ready to be held against bodies.

use jsonschema::Validator;
use serde_json::Value;

use super::{
    evidence::{Declared, Envelope, is_problem},
    schema,
};
use crate::families::{Conventions, ErrorShape};

/// The declared shape of errors.
#[derive(Debug)]
pub(in crate::families) struct Shape {
    pub(in crate::families) declared: Declared,
    main: Option<Validator>,
    also: Vec<Validator>,
}

impl Shape {
    /// Compiles what the conventions declare; schemas that are none are noted as unusable.
    pub(in crate::families) fn new(conventions: &Conventions) -> Self {
        let errors = conventions.errors.clone().unwrap_or_default();
        let mut unusable = Vec::new();
        let mut compile = |schema: &Value, at: String| {
            schema::compile(schema).map_err(|why| unusable.push(format!("{at}: {why}"))).ok()
        };
        let main = errors.schema.as_ref().and_then(|s| compile(s, "conventions.errors.schema".into()));
        let also: Vec<Validator> = errors
            .also
            .iter()
            .enumerate()
            .filter_map(|(index, s)| compile(s, format!("conventions.errors.also[{index}]")))
            .collect();
        let correlation = conventions.correlation.clone().unwrap_or_default();
        Self { declared: Declared { errors, correlation, unusable }, main, also }
    }

    /// How a body relates to the declared shape.
    pub(super) fn envelope(&self, media_type: Option<&str>, body: &Value) -> Envelope {
        if self.also.iter().any(|schema| schema.is_valid(body)) {
            return Envelope::Also;
        }
        if let Some(main) = &self.main {
            let problems = schema::problems(main, body);
            return if problems.is_empty() { Envelope::Declared } else { Envelope::Foreign(problems) };
        }
        let places = pointers(&self.declared.errors);
        if places.is_empty() {
            return Envelope::Unknown;
        }
        let standard = media_type.is_some_and(is_problem)
            && ["type", "title", "status", "detail"].iter().any(|member| body.get(member).is_some());
        // With one declared place, a body without it may lack just that, which is another rule's matter.
        let found = places.iter().any(|(_, path)| path.first(body).is_some());
        if found || standard || (places.len() == 1 && body.is_object()) {
            return Envelope::Declared;
        }
        Envelope::Foreign(places.iter().map(|(name, path)| format!("there is no {name} at {path}")).collect())
    }
}

/// The declared places that make up the envelope.
pub(super) fn pointers(errors: &ErrorShape) -> Vec<(&'static str, &crate::json::Path)> {
    [("code", &errors.code), ("message", &errors.message)]
        .into_iter()
        .filter_map(|(name, path)| Some((name, path.as_ref()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(errors: serde_json::Value) -> Shape {
        let errors = serde_json::from_value(errors).unwrap();
        Shape::new(&Conventions { errors: Some(errors), ..Conventions::default() })
    }

    #[test]
    fn a_body_with_any_declared_place_has_the_shape_and_one_with_none_has_another() {
        let shape = shape(json!({"code": "$.error.code", "message": "$.error.message"}));
        assert_eq!(shape.envelope(None, &json!({"error": {"code": "x"}})), Envelope::Declared);
        let Envelope::Foreign(why) = shape.envelope(None, &json!({"fault": {"text": "x"}})) else { panic!() };
        assert_eq!(why, ["there is no code at $.error.code", "there is no message at $.error.message"]);
    }

    #[test]
    fn problem_details_without_the_declared_extension_are_still_problem_details() {
        let shape = shape(json!({"code": "$.code", "message": "$.text"}));
        let body = json!({"type": "about:blank", "title": "Not Found"});
        assert_eq!(shape.envelope(Some("application/problem+json"), &body), Envelope::Declared);
        assert!(matches!(shape.envelope(Some("application/json"), &body), Envelope::Foreign(_)));
    }

    #[test]
    fn further_shapes_and_the_schema_decide_where_declared() {
        let shape = shape(json!({"schema": {"required": ["error"]}, "also": [{"required": ["fault"]}]}));
        assert_eq!(shape.envelope(None, &json!({"error": 1})), Envelope::Declared);
        assert_eq!(shape.envelope(None, &json!({"fault": 1})), Envelope::Also);
        assert!(matches!(shape.envelope(None, &json!({"x": 1})), Envelope::Foreign(_)));
    }

    #[test]
    fn nothing_declared_says_nothing_and_a_bad_schema_is_noted() {
        assert_eq!(shape(json!({})).envelope(None, &json!({"x": 1})), Envelope::Unknown);
        let bad = shape(json!({"schema": {"type": "nonsense"}}));
        assert_eq!(bad.declared.unusable.len(), 1);
        assert!(bad.declared.unusable[0].starts_with("conventions.errors.schema: "));
    }
}
