//! What is sent: names filled in, a client's secrets among them.

use serde_json::Value;

use super::{super::config::Config, Resumed};
use crate::{
    exchange::Who,
    families::Session,
    notation::{Template, Values, render_json},
};

/// The name that stands for a client's secret; those of one that has several follow it and a dot.
const CREDENTIAL: &str = "credential";

/// Whether a name stands for a secret of the client.
pub(in super::super) fn is_credential(name: &str) -> bool {
    name.strip_prefix(CREDENTIAL).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The names in a message that stand for secrets of the client.
fn credential_names(message: &Value) -> Vec<String> {
    match message {
        Value::String(text) => {
            let names =
                text.parse::<Template>().map(|template| template.names().map(str::to_owned).collect::<Vec<_>>());
            names.unwrap_or_default().into_iter().filter(|name| is_credential(name)).collect()
        }
        Value::Array(items) => items.iter().flat_map(credential_names).collect(),
        Value::Object(map) => map.values().flat_map(credential_names).collect(),
        _ => Vec::new(),
    }
}

impl Config {
    /// The messages that a client may be made known by.
    fn tellers(&self) -> impl Iterator<Item = &Value> {
        let exchanges = [&self.authenticate, &self.subscribe, &self.unsubscribe].into_iter().flatten();
        let resumed = self.resume.iter().filter_map(|resume| resume.subscribe.as_ref());
        exchanges.map(|exchange| &exchange.message).chain(resumed)
    }

    /// Whose stream it is.
    pub(in super::super) fn owner(&self) -> Who {
        Who::named(self.client.as_deref())
    }

    /// Whether messages carry the client's secrets: then the handshake does not.
    pub(in super::super) fn speaks_credentials(&self) -> bool {
        self.tellers().any(|message| !credential_names(message).is_empty())
    }

    /// Whether another client can be made known in the same way.
    pub(in super::super) fn changes_hands(&self) -> bool {
        self.client.is_some() && (self.authenticate.is_none() || self.speaks_credentials())
    }
}

/// The values that messages may name, with a fresh `{{request}}`.
pub(in super::super) fn values(session: &dyn Session, resume: Option<&Resumed>) -> Values {
    let mut values = session.values();
    values.insert("request".into(), (session.random() % 1_000_000_000 + 1).to_string());
    if let Some(resume) = resume {
        resume.fill(&mut values);
    }
    values
}

/// The same with the secrets of whoever speaks, which nobody has none of and a forger has made up.
pub(in super::super) fn spoken(session: &dyn Session, config: &Config, who: &Who, resume: Option<&Resumed>) -> Values {
    let mut values = values(session, resume);
    let false_one = match who {
        Who::Client(client) => {
            values.extend(session.credentials(client));
            return values;
        }
        Who::Anonymous => "",
        Who::Forged(token) => token.as_str(),
    };
    let names = config.tellers().flat_map(credential_names);
    values.extend(names.map(|name| (name, false_one.to_owned())));
    values
}

/// A message as it is sent: a text as it is, anything else as JSON, in which a text that is nothing but `{{request}}` (or
/// `{{last}}`) and turns out to be a number is sent as one.
pub(in super::super) fn render(message: &Value, values: &Values) -> Result<String, String> {
    if let Value::String(_) = message {
        return match render_json(message, values)? {
            Value::String(text) => Ok(text),
            other => Ok(other.to_string()),
        };
    }
    let mut rendered = render_json(message, values)?;
    numbers(message, &mut rendered);
    Ok(rendered.to_string())
}

fn numbers(before: &Value, after: &mut Value) {
    match (before, after) {
        (Value::String(template), after) if matches!(template.as_str(), "{{request}}" | "{{last}}") => {
            if let Some(number) = after.as_str().and_then(|text| text.parse::<u64>().ok()) {
                *after = number.into();
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            before.iter().zip(after).for_each(|(before, after)| numbers(before, after));
        }
        (Value::Object(before), Value::Object(after)) => {
            for (name, before) in before {
                if let Some(after) = after.get_mut(name) {
                    numbers(before, after);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::families::testing::{Fake, given};

    #[test]
    fn messages_carry_the_secret_of_whoever_speaks() {
        let fake = Fake::new(|_, _| Ok(given(200, &json!({}))));
        let config: Config = serde_json::from_value(json!({
            "name": "s", "path": "/s", "client": "reader",
            "authenticate": {"message": {"op": "auth", "args": ["{{credential}}", "{{credential.pin}}"]}}
        }))
        .unwrap();
        assert!(config.speaks_credentials() && config.changes_hands());
        let message = json!({"key": "{{credential}}"});
        let said = |who: Who| render(&message, &spoken(&fake, &config, &who, None)).unwrap();
        assert_eq!(said(Who::Client("reader".into())), r#"{"key":"secret-of-reader"}"#);
        assert_eq!(said(Who::Client("rival".into())), r#"{"key":"secret-of-rival"}"#);
        assert_eq!(said(Who::Forged("forged-1".into())), r#"{"key":"forged-1"}"#);
        assert_eq!(said(Who::Anonymous), r#"{"key":""}"#);
        assert!(!is_credential("credentials") && is_credential("credential.x"));
    }
}
