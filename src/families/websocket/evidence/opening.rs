//! How opening handshakes are answered (RFC 6455 §4).

use serde::{Deserialize, Serialize};

use crate::exchange::ExchangeId;

/// How opening handshakes are answered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in super::super) struct Handshakes {
    /// Handshakes in order; each that raised doubts is followed by the same once more.
    pub(in super::super) shakes: Vec<Shake>,
    /// Handshakes for a version that does not exist, the second one where the first raised doubts.
    pub(in super::super) version: Vec<Shake>,
    /// The statuses of plain GET requests, and the exchanges.
    pub(in super::super) plain: Vec<(u16, ExchangeId)>,
}

/// One handshake.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in super::super) struct Shake {
    /// The exchange, unless nothing was sent.
    pub(in super::super) exchange: Option<ExchangeId>,
    /// The subprotocols offered.
    pub(in super::super) protocols: Vec<String>,
    /// The extensions offered.
    pub(in super::super) extensions: Vec<String>,
    /// What came.
    pub(in super::super) outcome: Shaken,
}

/// What came of a handshake.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Shaken {
    /// Nothing, and why.
    Nothing(String),
    /// Not tried.
    #[default]
    Untried,
    /// An answer with another status than 101.
    Refused {
        /// The status.
        status: u16,
        /// The values of `Sec-WebSocket-Version`.
        versions: Vec<String>,
    },
    /// An answer with 101.
    Opened {
        /// The values of `Upgrade`.
        upgrade: Vec<String>,
        /// The values of `Connection`.
        connection: Vec<String>,
        /// The values of `Sec-WebSocket-Accept`.
        accept: Vec<String>,
        /// What that must be.
        expected: String,
        /// The values of `Sec-WebSocket-Protocol`.
        protocols: Vec<String>,
        /// The values of `Sec-WebSocket-Extensions`.
        extensions: Vec<String>,
    },
}

/// The items of a list in header fields (RFC 9110 §5.6.1), commas within quotes aside.
pub(in super::super) fn items(values: &[String]) -> Vec<String> {
    let mut items = Vec::new();
    for value in values {
        let (mut item, mut quoted) = (String::new(), false);
        for letter in value.chars() {
            quoted ^= letter == '"';
            if letter == ',' && !quoted {
                items.push(std::mem::take(&mut item));
            } else {
                item.push(letter);
            }
        }
        items.push(item);
    }
    items.into_iter().map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

impl Shake {
    /// What is wrong with an answer 101, if anything.
    pub(in super::super) fn flaw(&self) -> Option<String> {
        let Shaken::Opened { upgrade, connection, accept, expected, protocols, extensions } = &self.outcome else {
            return None;
        };
        let has = |values: &[String], token: &str| items(values).iter().any(|item| item.eq_ignore_ascii_case(token));
        if !has(upgrade, "websocket") {
            return Some(format!("Upgrade is `{}`, not `websocket`", upgrade.join(", ")));
        }
        if !has(connection, "upgrade") {
            return Some(format!("Connection is `{}`, without `Upgrade`", connection.join(", ")));
        }
        match accept.as_slice() {
            [] => return Some("Sec-WebSocket-Accept is missing".into()),
            values if values.iter().any(|value| value.trim() != expected) => {
                return Some(format!("Sec-WebSocket-Accept is `{}`, not `{expected}`", values.join(", ")));
            }
            _ => {}
        }
        self.protocol_flaw(protocols).or_else(|| self.extension_flaw(extensions))
    }

    fn protocol_flaw(&self, values: &[String]) -> Option<String> {
        let chosen = items(values);
        match chosen.as_slice() {
            [] if values.is_empty() => None,
            [] => Some("Sec-WebSocket-Protocol is empty, which names no subprotocol".into()),
            [one] if self.protocols.contains(one) => None,
            [one] => Some(format!("the subprotocol `{one}` was chosen, offered were: {}", list(&self.protocols))),
            several => Some(format!("{} subprotocols were chosen: {}", several.len(), list(several))),
        }
    }

    fn extension_flaw(&self, values: &[String]) -> Option<String> {
        items(values).iter().find_map(|extension| {
            let name = extension.split(';').next().unwrap_or_default().trim();
            (!self.extensions.iter().any(|offered| offered.eq_ignore_ascii_case(name)))
                .then(|| format!("the extension `{name}` was chosen, offered were: {}", list(&self.extensions)))
        })
    }

    /// Whether the handshake was answered with 101.
    pub(in super::super) const fn is_open(&self) -> bool {
        matches!(self.outcome, Shaken::Opened { .. })
    }
}

fn list(items: &[String]) -> String {
    if items.is_empty() { "none".into() } else { items.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_over_fields_and_quotes() {
        let values = ["a, b;x=\"1,2\"".to_owned(), String::new(), " c".to_owned()];
        assert_eq!(items(&values), ["a", "b;x=\"1,2\"", "c"]);
    }
}
