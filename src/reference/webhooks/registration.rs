//! Who wants to be told what.

use serde_json::{Value, json};
use url::Url;

use super::signature::Secret;
use crate::reference::{
    events::{Event, KINDS},
    ledger::instant,
    tokens::Tenant,
};

/// One registered address.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Registration {
    pub(super) number: u32,
    pub(super) tenant: Tenant,
    pub(super) url: Url,
    patterns: Vec<Pattern>,
    pub(super) secret: Secret,
    /// Until the receiver says that it is gone.
    pub(super) enabled: bool,
    /// Milliseconds since 1970.
    created_at: i64,
}

impl Registration {
    pub(super) fn new(number: u32, tenant: Tenant, url: Url, patterns: Vec<Pattern>, secret: Secret) -> Self {
        Self { number, tenant, url, patterns, secret, enabled: true, created_at: instant::now() }
    }

    /// `WH-00000001`
    pub(in crate::reference) fn id(&self) -> String {
        id(self.number)
    }

    pub(super) fn wants(&self, event: &Event) -> bool {
        self.enabled && self.tenant == event.tenant && self.patterns.iter().any(|pattern| pattern.matches(event.kind))
    }

    /// The registration as it is sent; its secret is told once, to whoever registers.
    pub(in crate::reference) fn render(&self, with_secret: bool) -> Value {
        let mut members = json!({
            "id": self.id(),
            "url": self.url.as_str(),
            "events": self.patterns.iter().map(|pattern| &*pattern.0).collect::<Vec<_>>(),
            "status": if self.enabled { "enabled" } else { "disabled" },
            "created_at": instant::text(self.created_at),
        });
        if with_secret {
            members["secret"] = json!(self.secret.text());
        }
        members
    }
}

/// The id of a registration, which is text under every variant: it is no row of a list.
fn id(number: u32) -> String {
    format!("WH-{number:08}")
}

/// Reads an id.
pub(in crate::reference) fn number(text: &str) -> Option<u32> {
    let number = text.strip_prefix("WH-")?.parse().ok()?;
    (id(number) == text).then_some(number)
}

/// Events that are wanted: one kind, all of a family (`operation.*`), or all (`*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::reference) struct Pattern(Box<str>);

impl Pattern {
    /// A pattern that matches at least one kind.
    pub(in crate::reference) fn parse(text: &str) -> Option<Self> {
        let pattern = Self(text.into());
        KINDS.iter().any(|kind| pattern.matches(kind)).then_some(pattern)
    }

    fn matches(&self, kind: &str) -> bool {
        let family = self.0.strip_suffix(".*");
        &*self.0 == "*" || &*self.0 == kind || family.is_some_and(|family| kind.split('.').next() == Some(family))
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, number};

    #[test]
    fn a_pattern_names_a_kind_a_family_or_all() {
        for (text, kind, matches) in [
            ("*", "transfer.booked", true),
            ("operation.*", "operation.failed", true),
            ("operation.*", "transfer.booked", false),
            ("operation.failed", "operation.failed", true),
            ("operation.failed", "operation.running", false),
        ] {
            assert_eq!(Pattern::parse(text).map(|pattern| pattern.matches(kind)), Some(matches), "{text} {kind}");
        }
        for text in ["", "operation", "oper.*", "operation.*.*", ".*", "order.*", "**"] {
            assert_eq!(Pattern::parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_id_has_one_spelling() {
        assert_eq!(number("WH-00000017"), Some(17));
        assert_eq!((number("WH-17"), number("OP-00000017")), (None, None));
    }
}
