//! From an item of a suite's `errors:` list to a check, or everything that is wrong with it.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_path_to_error::Segment;

use super::{
    config::{ErrorCase, Literal, escape},
    evidence::is_json,
    probe::CaseCheck,
    schema,
};
use crate::families::{Check, Conventions, Problem, Setting};

/// Fewest values with which a fault is repeated: two that agree may agree by accident.
const FEWEST: usize = 3;
/// Most values with which a fault is repeated.
const MOST: usize = 20;

/// Makes a check of an item, or says everything that is wrong with it.
pub(super) fn load(item: Value, setting: &Setting<'_>) -> Result<Box<dyn Check>, Vec<Problem>> {
    let case: ErrorCase = serde_path_to_error::deserialize(item)
        .map_err(|error| vec![Problem::new(pointer(error.path()), error.inner().to_string())])?;
    let mut problems = Vec::new();
    if case.name.trim().is_empty() {
        problems.push(Problem::new("/name", "a check needs a name"));
    }
    if let Some(client) = case.named_client() {
        setting.known_client(client, "/client", &mut problems);
    }
    names(&case, setting, &mut problems);
    request(&case, &mut problems);
    statuses(&case, &mut problems);
    values(&case, &mut problems);
    for (index, field) in case.fields.iter().enumerate() {
        if !field.chars().any(char::is_alphabetic) {
            problems.push(Problem::new(format!("/fields/{index}"), format!("`{field}` names no field")));
        }
    }
    let compiled = case.schema.as_ref().map(schema::compile).transpose();
    match compiled {
        Ok(schema) if problems.is_empty() => Ok(Box::new(CaseCheck::new(case, schema))),
        Ok(_) => Err(problems),
        Err(why) => {
            problems.push(Problem::new("/schema", format!("this is not a JSON Schema: {why}")));
            Err(problems)
        }
    }
}

/// What is wrong with `conventions.errors` beyond its types; places are within `conventions`.
pub fn problems_of_conventions(conventions: &Conventions) -> Vec<Problem> {
    let Some(errors) = &conventions.errors else { return Vec::new() };
    let main = errors.schema.iter().map(|schema| ("/errors/schema".to_owned(), schema));
    let also = errors.also.iter().enumerate().map(|(index, schema)| (format!("/errors/also/{index}"), schema));
    let bad = |(at, value): (String, &Value)| {
        let why = schema::compile(value).err()?;
        Some(Problem::new(at, format!("this is not a JSON Schema: {why}")))
    };
    let mut problems: Vec<Problem> = main.chain(also).filter_map(bad).collect();
    if let Some(media) = errors.media_type.as_ref().filter(|media| !is_json(media) || media.contains([' ', ';'])) {
        let problem = Problem::new("/errors/media_type", format!("`{media}` is not a JSON media type"));
        problems.push(problem.help("write it in lower case without parameters, such as application/problem+json"));
    }
    problems
}

fn names(case: &ErrorCase, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let (mut uses_value, mut uses_canary) = (false, false);
    let mut check = |at: &str, names: Vec<&str>, problems: &mut Vec<Problem>| {
        uses_value |= names.contains(&"value");
        uses_canary |= names.contains(&"canary");
        setting.known_names(names, &["value", "canary"], at, problems);
    };
    for (at, template) in case.templates() {
        check(&at, template.names().collect(), problems);
    }
    for (at, template) in case.body_templates() {
        match &template {
            Ok(template) => check(&at, template.names().collect(), problems),
            Err(why) => problems.push(Problem::new(at, why.clone())),
        }
    }
    let known = |name: &str| setting.names.contains(name);
    if uses_value && case.values.is_empty() && !known("value") {
        problems.push(Problem::new("/request", "`{{value}}` is used but there is no list of `values`"));
    }
    if !uses_value && !case.values.is_empty() {
        problems.push(Problem::new("/values", "no part of the request uses `{{value}}`"));
    }
    if uses_canary && !case.canary && !known("canary") {
        problems.push(Problem::new("/request", "`{{canary}}` is used; write `canary: true` with it"));
    }
    if !uses_canary && case.canary {
        problems.push(Problem::new("/canary", "no part of the request uses `{{canary}}`"));
    }
}

fn request(case: &ErrorCase, problems: &mut Vec<Problem>) {
    if case.request.method == "HEAD" {
        problems.push(Problem::new("/request", "a response to HEAD has no body to judge").help("write GET"));
    }
    let bodies = [("body", case.body.is_some()), ("form", case.form.is_some()), ("text", case.text.is_some())];
    let given: Vec<&str> = bodies.into_iter().filter_map(|(name, given)| given.then_some(name)).collect();
    if let [first, second, ..] = given.as_slice() {
        let message = format!("`{first}` and `{second}` are both given; a request has one body");
        problems.push(Problem::new(format!("/{second}"), message));
    }
    if case.content_type.is_some() && case.text.is_none() {
        let problem = Problem::new("/content_type", "`content_type` belongs to `text`");
        problems.push(problem.help("a `body` is sent as application/json, a `form` as a form"));
    }
    for name in case.headers.keys() {
        if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
            let at = format!("/headers/{}", escape(name));
            problems.push(Problem::new(at, format!("`{name}` is not the name of a header field")));
        }
    }
}

fn statuses(case: &ErrorCase, problems: &mut Vec<Problem>) {
    if case.status.0.is_empty() {
        problems.push(Problem::new("/status", "the list of acceptable statuses is empty"));
    }
    for status in case.status.0.iter().filter(|status| !(400..=599).contains(*status)) {
        let problem = Problem::new("/status", format!("{status} is not the status of an error"));
        problems.push(problem.help("it lies between 400 and 599"));
    }
}

fn values(case: &ErrorCase, problems: &mut Vec<Problem>) {
    let count = case.values.len();
    if count > 0 && !(FEWEST..=MOST).contains(&count) {
        let message = format!("the same fault is repeated with {FEWEST} to {MOST} values, not {count}");
        problems.push(Problem::new("/values", message));
    }
    let mut seen = BTreeSet::new();
    for (index, Literal(value)) in case.values.iter().enumerate() {
        if !seen.insert(value) {
            problems.push(Problem::new(format!("/values/{index}"), format!("`{value}` is there twice")));
        }
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => Some(format!("/{index}")),
        Segment::Map { key } => Some(format!("/{}", escape(key))),
        Segment::Enum { .. } | Segment::Unknown => None,
    };
    path.iter().filter_map(step).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wrong(item: Value) -> Vec<(String, String)> {
        let clients = BTreeSet::from(["reader".to_owned()]);
        let names = BTreeSet::from(["account".to_owned()]);
        let setting = Setting { clients: &clients, names: &names };
        let mut found: Vec<_> =
            load(item, &setting).err().unwrap_or_default().into_iter().map(|p| (p.at, p.message)).collect();
        found.sort();
        found
    }

    fn places(item: Value) -> Vec<String> {
        wrong(item).into_iter().map(|(at, _)| at).collect()
    }

    #[test]
    fn a_full_case_loads() {
        let case = json!({
            "name": "unknown account", "client": "reader", "request": "POST /v1/{{account}}/{{value}}",
            "query": {"q": "{{canary}}"}, "headers": {"X-A": "{{account}}"}, "body": {"a": ["{{value}}", 1]},
            "status": [404, 410], "code": -1121, "schema": {"type": "object"}, "values": ["A", "B", 3],
            "fields": ["/a"], "canary": true
        });
        assert_eq!(wrong(case), []);
        for client in ["anonymous", "forged"] {
            assert_eq!(wrong(json!({"name": "x", "request": "GET /x", "status": 404, "client": client})), []);
        }
    }

    #[test]
    fn everything_wrong_is_said_at_once_with_its_place() {
        let case = json!({
            "name": " ", "client": "raeder", "request": "HEAD /v1/{{acount}}", "body": {"a": ["{{nope}}", "{{"]},
            "form": {"b": "{{nope}}"}, "headers": {"bad name": "x"}, "content_type": "text/plain", "status": [200, 600],
            "schema": {"type": "nonsense"}, "values": ["A", "A"], "fields": ["/"], "canary": true
        });
        assert_eq!(
            places(case),
            [
                "/body/a/0",
                "/body/a/1",
                "/canary",
                "/client",
                "/content_type",
                "/fields/0",
                "/form",
                "/form/b",
                "/headers/bad name",
                "/name",
                "/request",
                "/request",
                "/schema",
                "/status",
                "/status",
                "/values",
                "/values",
                "/values/1"
            ]
        );
    }

    #[test]
    fn wrong_types_and_unknown_keys_are_placed() {
        assert_eq!(places(json!({"name": "x", "request": "GET /x", "status": "404"})), ["/status"]);
        assert_eq!(places(json!({"name": "x", "request": "get /x", "status": 404})), ["/request"]);
        assert_eq!(places(json!({"name": "x", "request": "GET /x", "status": 404, "values": [1.5]})), ["/values/0"]);
        let unknown = wrong(json!({"name": "x", "request": "GET /x", "status": 404, "stauts": 1}));
        assert!(unknown[0].1.contains("stauts"), "{unknown:?}");
    }

    #[test]
    fn own_names_need_their_block() {
        let case = |request: &str| json!({"name": "x", "request": request, "status": 404});
        assert!(wrong(case("GET /{{value}}"))[0].1.contains("no list of `values`"));
        assert!(wrong(case("GET /{{canary}}"))[0].1.contains("canary: true"));
    }

    #[test]
    fn bad_schemas_and_media_types_of_conventions_are_named() {
        let conventions = super::super::testing::conventions(
            json!({"schema": {"type": 5}, "also": [{}, {"type": "x"}], "media_type": "text/html"}),
        );
        let found: Vec<String> = problems_of_conventions(&conventions).into_iter().map(|p| p.at).collect();
        assert_eq!(found, ["/errors/schema", "/errors/also/1", "/errors/media_type"]);
    }
}
