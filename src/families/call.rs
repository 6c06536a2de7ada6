//! A request as a suite writes it.

use std::collections::BTreeMap;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Problem, Setting};
use crate::{
    exchange::{Payload, Request, Who},
    notation::{RequestLine, Template, Values, render_json},
};

/// A request; texts in it may hold `{{names}}`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The client whose credentials are sent, or `anonymous`; the check's own if absent.
    #[serde(default)]
    pub client: Option<String>,
    /// Method and path.
    pub request: RequestLine,
    /// Query parameters to add.
    #[serde(default)]
    pub query: BTreeMap<String, Template>,
    /// Header fields to add.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// A JSON body.
    #[serde(default)]
    pub body: Option<Value>,
    /// A form.
    #[serde(default)]
    pub form: Option<BTreeMap<String, Template>>,
    /// A body as it is.
    #[serde(default)]
    pub text: Option<Template>,
    /// The media type of `text`.
    #[serde(default)]
    pub content_type: Option<String>,
}

impl Call {
    /// A request without content, of the check's own client.
    pub fn new(request: RequestLine) -> Self {
        Self {
            client: None,
            request,
            query: BTreeMap::new(),
            headers: BTreeMap::new(),
            body: None,
            form: None,
            text: None,
            content_type: None,
        }
    }

    /// Whose credentials are sent, where the check's own client is `own`.
    pub fn who(&self, own: Option<&str>) -> Who {
        Who::named(self.client.as_deref().or(own))
    }

    /// Whether the method is safe (RFC 9110 §9.2.1).
    pub fn is_safe(&self) -> bool {
        matches!(self.request.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE")
    }

    /// The path as the suite spells it, without a query: what a writing check touches.
    pub fn resource(&self) -> String {
        let target = self.request.target.to_string();
        target.split('?').next().unwrap_or_default().to_owned()
    }

    /// The request with every name filled in; the error says which name has no value.
    pub fn build(&self, who: Who, values: &Values, purpose: &'static str) -> Result<Request, String> {
        let text = |template: &Template| template.render(values).map_err(|unknown| unknown.to_string());
        let pairs = |map: &BTreeMap<String, Template>| -> Result<Vec<(String, String)>, String> {
            map.iter().map(|(name, value)| Ok((name.clone(), text(value)?))).collect()
        };
        let target = self.request.target.render_path(values).map_err(|unknown| unknown.to_string())?;
        let mut request = Request::new(who, self.request.method.clone(), target).purpose(purpose);
        request.query = pairs(&self.query)?;
        for (name, value) in pairs(&self.headers)? {
            request.headers.push(&name, value);
        }
        request.payload = match (&self.body, &self.form, &self.text) {
            (Some(body), ..) => Payload::Json(render_json(body, values)?),
            (None, Some(form), _) => Payload::Form(pairs(form)?),
            (None, None, Some(raw)) => Payload::Raw(Bytes::from(text(raw)?), self.content_type.clone()),
            (None, None, None) => Payload::None,
        };
        Ok(request)
    }

    /// Says what is wrong with it; `at` is its place in the item, `own` are names that the check itself supplies.
    pub fn problems(&self, at: &str, setting: &Setting<'_>, own: &[&str], problems: &mut Vec<Problem>) {
        if let Some(client) = &self.client {
            setting.known_client(client, &format!("{at}/client"), problems);
        }
        setting.known_names(self.request.target.names(), own, &format!("{at}/request"), problems);
        for (key, map) in [("query", Some(&self.query)), ("headers", Some(&self.headers)), ("form", self.form.as_ref())]
        {
            for (name, template) in map.into_iter().flatten() {
                setting.known_names(template.names(), own, &format!("{at}/{key}/{}", escape(name)), problems);
            }
        }
        for name in self.headers.keys().filter(|name| http::HeaderName::from_bytes(name.as_bytes()).is_err()) {
            let message = format!("`{name}` is not the name of a header field");
            problems.push(Problem::new(format!("{at}/headers/{}", escape(name)), message));
        }
        if let Some(text) = &self.text {
            setting.known_names(text.names(), own, &format!("{at}/text"), problems);
        }
        if let Some(body) = &self.body {
            names_in(body, &format!("{at}/body"), setting, own, problems);
        }
        let bodies = [("body", self.body.is_some()), ("form", self.form.is_some()), ("text", self.text.is_some())];
        let given: Vec<&str> = bodies.into_iter().filter_map(|(name, given)| given.then_some(name)).collect();
        if let [first, second, ..] = given.as_slice() {
            let message = format!("`{first}` and `{second}` are both given; a request has one body");
            problems.push(Problem::new(format!("{at}/{second}"), message));
        }
        if self.content_type.is_some() && self.text.is_none() {
            let problem = Problem::new(format!("{at}/content_type"), "`content_type` belongs to `text`");
            problems.push(problem.help("a `body` is sent as application/json, a `form` as a form"));
        }
    }

    /// Whether any part of it uses this name.
    pub fn uses(&self, name: &str) -> bool {
        let maps = [Some(&self.query), Some(&self.headers), self.form.as_ref()];
        let templates = maps.into_iter().flatten().flat_map(BTreeMap::values).chain(&self.text);
        let mut all = templates.chain([&self.request.target]);
        all.any(|template| template.names().any(|used| used == name))
            || self.body.as_ref().is_some_and(|body| value_uses(body, name))
    }
}

fn names_in(value: &Value, at: &str, setting: &Setting<'_>, own: &[&str], problems: &mut Vec<Problem>) {
    match value {
        Value::String(text) if text.contains("{{") => match text.parse::<Template>() {
            Ok(template) => setting.known_names(template.names(), own, at, problems),
            Err(why) => problems.push(Problem::new(at, why)),
        },
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                names_in(item, &format!("{at}/{index}"), setting, own, problems);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                names_in(item, &format!("{at}/{}", escape(name)), setting, own, problems);
            }
        }
        _ => {}
    }
}

fn value_uses(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => text.parse::<Template>().is_ok_and(|template| template.names().any(|used| used == name)),
        Value::Array(items) => items.iter().any(|item| value_uses(item, name)),
        Value::Object(map) => map.values().any(|item| value_uses(item, name)),
        _ => false,
    }
}

/// A member's name as a step of a JSON Pointer (RFC 6901 §3).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn call(value: Value) -> Call {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn every_name_is_filled_in() {
        let call = call(json!({
            "request": "POST /v1/{{a}}/x", "query": {"q": "{{a}}"}, "headers": {"X-Key": "k-{{a}}"}, "body": {"r": ["{{a}}"]}
        }));
        let values = Values::from([("a".into(), "1/2".into())]);
        let request = call.build(call.who(Some("trader")), &values, "made up").unwrap();
        assert_eq!((request.target.as_str(), request.who.name()), ("/v1/1%2F2/x", "trader"));
        assert_eq!(request.headers.get("x-key"), Some("k-1/2"));
        assert!(matches!(&request.payload, Payload::Json(body) if *body == json!({"r": ["1/2"]})));
        assert!(call.build(Who::Anonymous, &Values::new(), "").is_err());
        assert!(call.uses("a") && !call.uses("b"));
    }

    #[test]
    fn everything_wrong_is_said_at_its_place() {
        let call = call(json!({
            "client": "nobody", "request": "GET /{{x}}", "headers": {"a b": "{{y}}"}, "body": {"a/b": "{{z}}"}, "text": "t"
        }));
        let (clients, names) = (BTreeSet::from(["trader".to_owned()]), BTreeSet::from(["x".to_owned()]));
        let mut problems = Vec::new();
        call.problems("/start", &Setting { clients: &clients, names: &names }, &["y"], &mut problems);
        let places: Vec<_> = problems.iter().map(|problem| problem.at.as_str()).collect();
        assert_eq!(places, ["/start/client", "/start/headers/a b", "/start/body/a~1b", "/start/text"]);
    }
}
