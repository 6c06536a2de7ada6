//! What a schema cannot say of a `webhook` block.

use url::Url;

use super::{
    config::{Place, Webhook},
    scheme::Scheme,
};
use crate::families::{Problem, Setting};

/// The names that calls of the block may use: the address, and a registration's id.
const OWN: [&str; 2] = ["callback_url", "id"];

impl Webhook {
    /// Says what is wrong with it; `at` is its place in the item.
    pub fn problems(&self, at: &str, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
        if let Some(register) = &self.register {
            register.call.problems(&format!("{at}/register/call"), setting, &OWN[..1], problems);
            if !register.call.uses("callback_url") {
                let problem = Problem::new(format!("{at}/register/call"), "the address to register is not sent");
                problems.push(problem.help("put `{{callback_url}}` where the target expects it"));
            }
        } else if self.secret.is_none() && self.signature.is_some() {
            let problem = Problem::new(format!("{at}/signature"), "no secret is known to check signatures with");
            problems.push(problem.help("give `secret`, such as ${WEBHOOK_SECRET}"));
        }
        for (key, call) in [("unregister", &self.unregister), ("test", &self.test)] {
            let Some(call) = call else { continue };
            let at = format!("{at}/{key}");
            call.problems(&at, setting, &OWN[1..], problems);
            let id = self.register.as_ref().is_some_and(|register| register.id.is_some());
            if call.uses("id") && !id && !setting.names.contains("id") {
                problems.push(Problem::new(at, "`{{id}}` is known only where `register` says where it is"));
            }
        }
        if let Some(signature) = &self.signature {
            let at = format!("{at}/signature");
            match Scheme::read(signature, &at) {
                Err(wrong) => problems.extend(wrong),
                Ok(scheme) => {
                    if let Some(Err(why)) = self.secret.as_ref().map(|secret| scheme.key(secret)) {
                        problems.push(Problem::new(at.trim_end_matches("signature").to_owned() + "secret", why));
                    }
                }
            }
        }
        if !(200..300).contains(&self.acknowledge.status) {
            problems.push(Problem::new(format!("{at}/acknowledge"), "a delivery is acknowledged with 200 to 299"));
        }
        self.event_problems(at, problems);
        self.address_problems(at, setting, problems);
    }

    fn event_problems(&self, at: &str, problems: &mut Vec<Problem>) {
        let event = &self.event;
        if event.subject.is_none() {
            let problem = Problem::new(format!("{at}/event"), "nothing ties an event to its operation");
            problems.push(problem.help("say with `subject` where an event holds the operation's id"));
        }
        let places = [&event.id, &event.kind, &event.created, &event.subject, &event.state, &event.version];
        let keys = ["id", "type", "created", "subject", "state", "version"];
        for (key, place) in keys.into_iter().zip(places) {
            if let Some(Place::Header(name)) = place
                && http::HeaderName::from_bytes(name.as_bytes()).is_err()
            {
                let message = format!("`{name}` is not the name of a header field");
                problems.push(Problem::new(format!("{at}/event/{key}"), message));
            }
        }
        if !event.states.is_empty() && event.state.is_none() {
            problems.push(Problem::new(format!("{at}/event/states"), "`states` belongs to `state`"));
        }
        for (index, path) in event.volatile.iter().enumerate() {
            if path.steps().is_none_or(<[_]>::is_empty) {
                let problem = Problem::new(format!("{at}/event/volatile/{index}"), "this must name one member");
                problems.push(problem.help("such as $.attempt"));
            }
        }
        if let Some(redelivery) = &self.redelivery
            && !(2..=4).contains(&redelivery.attempts)
        {
            problems.push(Problem::new(format!("{at}/redelivery/attempts"), "2 to 4 attempts are looked at"));
        }
    }

    fn address_problems(&self, at: &str, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
        let Some(addresses) = &self.addresses else { return };
        let at = format!("{at}/addresses");
        if self.register.is_none() {
            problems.push(Problem::new(&at, "without `register` no address can be tried"));
        }
        for (index, url) in addresses.refused.iter().enumerate() {
            if let Err(why) = url.parse::<Url>() {
                problems.push(Problem::new(format!("{at}/refused/{index}"), format!("`{url}` is not a URL: {why}")));
            }
        }
        if let Some(client) = &addresses.other_client {
            setting.known_client(client, &format!("{at}/other_client"), problems);
            if self.unregister.is_none() {
                let problem =
                    Problem::new(format!("{at}/other_client"), "nothing says how it would reach a registration");
                problems.push(problem.help("`unregister` is what is tried"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;

    fn problems(webhook: Value) -> Vec<String> {
        let webhook: Webhook = serde_json::from_value(webhook).unwrap();
        let (clients, names) = (BTreeSet::from(["trader".to_owned()]), BTreeSet::new());
        let mut problems = Vec::new();
        webhook.problems("/webhook", &Setting { clients: &clients, names: &names }, &mut problems);
        problems.into_iter().map(|problem| problem.at).collect()
    }

    #[test]
    fn a_complete_block_is_valid() {
        let webhook = json!({
            "register": {
                "call": {"request": "POST /hooks", "body": {"url": "{{callback_url}}"}}, "id": "$.id", "secret": "$.secret"
            },
            "unregister": {"request": "DELETE /hooks/{{id}}"},
            "event": {
                "id": {"header": "webhook-id"}, "type": "$.type", "created": "$.created_at", "subject": "$.data.id",
                "state": "$.data.status", "version": "$.sequence", "volatile": ["$.attempt"]
            },
            "signature": {"recipe": "standard-webhooks", "tolerance": "1m"},
            "deadline": "2s", "acknowledge": {"status": 202, "body": "[ok]"},
            "redelivery": {"first": "1500ms", "attempts": 3, "timeout": "500ms"},
            "addresses": {"refused": ["http://10.0.0.1/x"], "observed": ["127.0.0.2"], "other_client": "trader"}
        });
        assert!(problems(webhook).is_empty());
        assert!(problems(json!({"event": {"subject": "$.id"}})).is_empty());
    }

    #[test]
    fn everything_wrong_is_said_at_its_place() {
        let webhook = json!({
            "register": {"call": {"request": "POST /hooks/{{id}}"}},
            "unregister": {"request": "DELETE /hooks/{{id}}"},
            "secret": "*", "signature": {"recipe": "standard-webhooks"}, "acknowledge": 302,
            "event": {"id": {"header": "a b"}, "states": {"ok": "succeeded"}, "volatile": ["$..x"]},
            "redelivery": {"first": "1s", "attempts": 9},
            "addresses": {"refused": ["10.0.0.1"], "other_client": "nobody"}
        });
        let expected = [
            "/webhook/register/call/request",
            "/webhook/register/call",
            "/webhook/unregister",
            "/webhook/secret",
            "/webhook/acknowledge",
            "/webhook/event",
            "/webhook/event/id",
            "/webhook/event/states",
            "/webhook/event/volatile/0",
            "/webhook/redelivery/attempts",
            "/webhook/addresses/refused/0",
            "/webhook/addresses/other_client",
        ];
        assert_eq!(problems(webhook), expected);
        assert_eq!(
            problems(
                json!({"event": {"subject": "$.id"}, "signature": {"recipe": "x"}, "addresses": {"other_client": "trader"}})
            ),
            [
                "/webhook/signature",
                "/webhook/signature/recipe",
                "/webhook/addresses",
                "/webhook/addresses/other_client"
            ]
        );
    }
}
