//! One item of `idempotency:`, as a suite writes it.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    families::{Call, Find},
    json::Path,
    notation::{Span, Template},
};

/// An operation that takes effect once per key. `{{reference}}` is fresh for each thing that is asked for, `{{key}}` is
/// the key, `{{uuid}}` stays the same when a request is repeated.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// What reports call it.
    pub(super) name: String,
    /// The client whose credentials are sent.
    #[serde(default)]
    pub(super) client: Option<String>,
    /// What creates; it must send `{{reference}}`, by which the effect is found.
    pub(super) create: Call,
    /// How the key is sent.
    #[serde(default)]
    pub(super) key: Key,
    /// Where the answer holds the id of what was created.
    pub(super) id: Path,
    /// How what was created is found.
    pub(super) effects: Find,
    /// A balance that each effect moves, looked at besides the rows.
    #[serde(default)]
    pub(super) balance: Option<Balance>,
    /// Where else an effect shows: ledger postings, notifications.
    #[serde(default)]
    pub(super) downstream: Vec<Channel>,
    /// The callbacks that tell of an effect.
    #[serde(default)]
    pub(super) events: Option<Events>,
    /// What makes it another request (merge patch onto the body or form, RFC 7396), such as another amount.
    #[serde(default)]
    pub(super) changed: Option<Map<String, Value>>,
    /// The same as a whole request, where a patch cannot say it.
    #[serde(default)]
    pub(super) changed_call: Option<Call>,
    /// Where a row of `effects` holds what `changed` changes, from the row.
    #[serde(default)]
    pub(super) amount: Option<Path>,
    /// What a used key with another body gets.
    #[serde(default)]
    pub(super) mismatch: Mismatch,
    /// The same operation of a client of another tenant, who must not meet our keys.
    #[serde(default)]
    pub(super) other_client: Option<Operation>,
    /// Another operation that takes keys, of the same client.
    #[serde(default)]
    pub(super) other_operation: Option<Operation>,
    /// What of an answer may differ when it is repeated; each names members and elements only.
    #[serde(default)]
    pub(super) volatile: Vec<Path>,
    /// What a repetition gets. Without it any success with the id of the first is taken.
    #[serde(default)]
    pub(super) replay: Option<Replay>,
    /// The least time between two requests with the same key.
    #[serde(default = "no_time")]
    pub(super) spacing: Span,
    /// How long 409 (in progress) is legal. Without it a key that stays in progress is no failure.
    #[serde(default)]
    pub(super) processing: Option<Span>,
    /// How late a row may appear in `effects` and `downstream`.
    #[serde(default = "usual_lag")]
    pub(super) list_lag: Span,
    /// How long keys are kept. Without it nothing is said about it.
    #[serde(default)]
    pub(super) retention: Option<Span>,
    /// When to repeat, from the first answer, to see that keys are kept.
    #[serde(default = "usual_horizon")]
    pub(super) horizon: Vec<Span>,
    /// What makes the request invalid (merge patch), to see whether its key can be used again.
    #[serde(default)]
    pub(super) invalid: Option<Map<String, Value>>,
    /// What a key gets that was first used with an invalid request; either is legal without it.
    #[serde(default)]
    pub(super) after_invalid: Option<AfterInvalid>,
    /// Takes back what was created; `{{id}}` is the row's id.
    #[serde(default)]
    pub(super) undo: Option<Call>,
}

/// How the key is sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Key {
    /// The header field; `Idempotency-Key` unless the key goes into the body.
    pub(super) header: Option<String>,
    /// Whether the key goes into the request by `{{key}}` instead of a header field.
    pub(super) body: bool,
    /// What keys look like; `{{uuid}}` is fresh for each.
    pub(super) value: Template,
    /// Whether a request without a key must be refused.
    pub(super) required: bool,
    /// The longest key; a longer one must be refused or count as a whole.
    #[schemars(range(min = 1))]
    pub(super) max_length: Option<usize>,
    /// Whether the key is sent as a quoted string (RFC 9651 §3.3.3).
    pub(super) quoted: bool,
}

impl Default for Key {
    fn default() -> Self {
        let value = "{{uuid}}".parse().unwrap_or_else(|_| unreachable!("the text is a template"));
        Self { header: None, body: false, value, required: false, max_length: None, quoted: false }
    }
}

impl Key {
    /// The header field that carries it, if one does.
    pub(super) fn field(&self) -> Option<&str> {
        match &self.header {
            Some(name) => Some(name),
            None if self.body => None,
            None => Some("Idempotency-Key"),
        }
    }
}

/// A balance that each effect moves.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Balance {
    /// What reads it.
    pub(super) call: Call,
    /// Where it is.
    pub(super) path: Path,
    /// By how much one effect moves it, such as "-10.00".
    pub(super) each: String,
}

/// Where else an effect shows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Channel {
    /// What is counted, such as `ledger postings`.
    pub(super) name: String,
    /// The request, best with `{{reference}}` as a filter.
    pub(super) call: Call,
    /// Where the rows are.
    #[serde(default)]
    pub(super) rows: Option<Path>,
    /// Where a row holds the reference, from the row.
    #[serde(default)]
    pub(super) reference: Option<Path>,
    /// Where a row holds its id, from the row.
    pub(super) id: Path,
    /// Where a page holds the cursor of the next one.
    #[serde(default)]
    pub(super) next: Option<crate::families::Next>,
}

impl Channel {
    /// How its rows are found.
    pub(super) fn find(&self) -> Find {
        Find {
            call: self.call.clone(),
            rows: self.rows.clone(),
            reference: self.reference.clone(),
            id: self.id.clone(),
            next: self.next.clone(),
        }
    }
}

/// The callbacks that tell of an effect.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Events {
    /// Asks for them; `{{callback_url}}` is where they are to be sent.
    pub(super) register: Call,
    /// Where the answer holds the id of the registration.
    #[serde(default)]
    pub(super) registration: Option<Path>,
    /// Ends it; `{{id}}` is the registration's id.
    #[serde(default)]
    pub(super) unregister: Option<Call>,
    /// Where an event holds its id.
    pub(super) id: Path,
    /// Where an event holds the reference.
    pub(super) reference: Path,
}

/// Another operation, or the same of another client.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Operation {
    /// The client whose credentials are sent; the check's own if absent.
    #[serde(default)]
    pub(super) client: Option<String>,
    /// What creates; it must send `{{reference}}`.
    pub(super) create: Call,
    /// Where the answer holds the id of what was created; as in the check if absent.
    #[serde(default)]
    pub(super) id: Option<Path>,
    /// How what was created is found.
    pub(super) effects: Find,
    /// Takes back what was created; `{{id}}` is the row's id.
    #[serde(default)]
    pub(super) undo: Option<Call>,
}

/// What a used key with another body gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mismatch {
    /// 4xx.
    #[default]
    Refused,
    /// The first answer, as documented: reported as advice.
    Replayed,
    /// The documentation leaves it open; only a second effect or a changed first one is a failure.
    Undefined,
}

/// What a repetition gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Replay {
    /// The first answer, as it was.
    Stored,
    /// What was created, as it is now.
    Current,
    /// 4xx: a natural key that must not come twice.
    Refused,
}

/// What a key gets that was first used with an invalid request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterInvalid {
    /// It is as good as new.
    Reusable,
    /// It is spent: 4xx.
    Refused,
}

fn no_time() -> Span {
    Span(Duration::ZERO)
}

fn usual_lag() -> Span {
    Span(Duration::from_secs(5))
}

fn usual_horizon() -> Vec<Span> {
    vec![Span(Duration::from_secs(1)), Span(Duration::from_secs(3))]
}
