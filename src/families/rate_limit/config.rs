//! One item of a suite's `rate_limit:` list.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    families::{Call, Find},
    json::Path,
    notation::{RequestLine, Span, Template},
};

/// One limit of an API, and the request that spends it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The name of the check.
    pub name: String,
    /// Whose limit is spent; nobody's credentials are sent if absent.
    #[serde(default)]
    pub client: Option<String>,
    /// The request that spends the limit; it must be safe to send often.
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
    /// The limit, as the API declares it.
    #[serde(default)]
    pub limit: Option<Limit>,
    /// What a refusal looks like.
    #[serde(default)]
    pub refusal: Refusal,
    /// Whom the limit counts; each client by itself if absent. Only where that is said does the check run beside others,
    /// for what is not declared may be shared after all.
    #[serde(default)]
    pub scope: Option<Scope>,
    /// The header fields that tell of the limit; recognised if absent.
    #[serde(default)]
    pub signal: Signals,
    /// The most requests that provoking one refusal may take; twice the declared limit and 10 more if absent, else 100.
    #[serde(default)]
    #[schemars(range(min = 3, max = 10_000))]
    pub budget: Option<u64>,
    /// The longest wait that is waited out.
    #[serde(default = "thirty_seconds")]
    pub max_wait: Span,
    /// Another client with a limit of its own, who must not be refused because this one was.
    #[serde(default)]
    pub other_client: Option<String>,
    /// What stays possible while this limit is spent, or is declared to share it.
    #[serde(default)]
    pub others: Vec<Other>,
    /// A create that counts against this limit: a refused one must not have happened.
    #[serde(default)]
    pub write: Option<Write>,
    /// Whether to try to get around the spent limit (forged addresses, other spellings of the URL).
    #[serde(default)]
    pub evasion: bool,
    /// Further credentials of the same client, which share its limit; tried with `evasion`.
    #[serde(default)]
    pub second_client: Option<String>,
    /// What a request with bad credentials names this client by: such requests must not spend its limit.
    #[serde(default)]
    pub forged: Option<Forged>,
}

/// A limit as its API declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How many requests a window allows; for `concurrency`, how many at once.
    #[schemars(range(min = 1))]
    pub quota: u64,
    /// The window.
    #[serde(default)]
    pub window: Option<Span>,
    /// How many more are let through at once after a time of rest.
    #[serde(default)]
    pub burst: u64,
    /// What kind of limit it is.
    #[serde(default)]
    pub model: Option<Model>,
}

impl Limit {
    /// The most that a rested client is let through at once.
    pub fn most(&self) -> u64 {
        self.quota.saturating_add(self.burst)
    }
}

/// A kind of limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Tokens trickle into a bucket; each request takes some.
    TokenBucket,
    /// Requests are counted from the start of each window.
    FixedWindow,
    /// Requests of the last window are counted, each by its own instant.
    SlidingLog,
    /// Requests of this window and a part of those of the one before are counted.
    SlidingCounter,
    /// Requests under way are counted.
    Concurrency,
}

/// What a refusal looks like.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Its status; 429 if absent, or any status if `code` is given.
    #[serde(default)]
    pub status: Vec<u16>,
    /// What its body says, where the status alone does not.
    #[serde(default)]
    pub code: Option<Code>,
}

/// What the body of a refusal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// Where it says so.
    pub path: Path,
    /// What it says there, one of these.
    #[schemars(length(min = 1))]
    pub values: Vec<String>,
}

/// Whom a limit counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Each client by itself.
    #[default]
    Client,
    /// All clients of a tenant together.
    Tenant,
    /// All that comes from one network address.
    Address,
}

/// The header fields that tell of a limit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Signals {
    /// The spelling; only fields of it are read. All are recognised if absent.
    pub dialect: Dialect,
    /// The field that holds the limit, where it has a name of its own.
    pub limit: Option<String>,
    /// The field that holds how many requests are left.
    pub remaining: Option<String>,
    /// The field that says when there will be more.
    pub reset: Option<String>,
    /// The field that counts what was spent.
    pub used: Option<String>,
    /// What the reset field holds, where the API documents it.
    pub reset_unit: Option<ResetUnit>,
}

/// A spelling of header fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Whatever is recognised.
    #[default]
    Auto,
    /// `RateLimit-Policy` and `RateLimit` of the IETF draft from version 08 on: named items.
    Ietf,
    /// `RateLimit: limit=10, remaining=3, reset=2` of version 07 of the draft.
    Draft07,
    /// `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`.
    Triple,
    /// `X-RateLimit-Limit` and so on, or `X-Rate-Limit-Limit`.
    X,
}

/// What a reset field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResetUnit {
    /// Seconds from now.
    Delta,
    /// Seconds since 1970.
    Epoch,
    /// Milliseconds since 1970.
    EpochMs,
    /// An HTTP-date.
    Date,
    /// An instant as RFC 3339 spells it.
    Rfc3339,
}

/// Something else that a client may need to do while the limit is spent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Other {
    /// What it is.
    pub name: String,
    /// The request.
    pub call: Call,
    /// Whether money is at stake if it is refused, such as cancelling an order.
    #[serde(default)]
    pub safety: bool,
    /// Whether it has a limit of its own; `false` declares that it shares this one.
    #[serde(default = "yes")]
    pub separate: bool,
    /// The statuses that show that it was let through; any 2xx if absent.
    #[serde(default)]
    pub expect: Vec<u16>,
}

/// A create that counts against the limit.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Write {
    /// The create; it must use `{{reference}}`.
    pub call: Call,
    /// How what was created is found again.
    pub find: Find,
    /// How it is taken back; `{{id}}` is its id.
    #[serde(default)]
    pub undo: Option<Call>,
    /// How many creates are sent while the limit is spent, until one is refused.
    #[serde(default = "three")]
    #[schemars(range(min = 1, max = 100))]
    pub most: u64,
    /// How long what was created may take to be found.
    #[serde(default = "two_seconds")]
    pub settle: Span,
}

/// What a request with bad credentials names its victim by.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forged {
    /// Header fields to add to a request that carries a bearer token of nobody's.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// Query parameters to add to it.
    #[serde(default)]
    pub query: BTreeMap<String, Template>,
}

impl Config {
    /// The request that spends the limit.
    pub(super) fn call(&self) -> Call {
        Call {
            client: self.client.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            body: self.body.clone(),
            form: self.form.clone(),
            ..Call::new(self.request.clone())
        }
    }

    /// Whom the limit counts.
    pub(super) fn scope(&self) -> Scope {
        self.scope.unwrap_or_default()
    }

    /// The most requests that provoking one refusal may take.
    pub(super) fn budget(&self) -> u64 {
        let own = self.limit.as_ref().map(|limit| limit.most().saturating_mul(2).saturating_add(10));
        self.budget.or(own).unwrap_or(100)
    }

    /// How many requests another client sends, well within a limit like this one.
    pub(super) fn few(&self) -> u64 {
        self.limit.as_ref().map_or(10, |limit| limit.most().saturating_sub(2).clamp(1, 10))
    }

    /// How many requests with bad credentials are sent: enough to spend the limit, if they did.
    pub(super) fn drain(&self) -> u64 {
        self.limit.as_ref().map_or(20, |limit| limit.most().saturating_add(2)).min(self.budget())
    }
}

fn thirty_seconds() -> Span {
    Span(std::time::Duration::from_secs(30))
}

fn two_seconds() -> Span {
    Span(std::time::Duration::from_secs(2))
}

fn three() -> u64 {
    3
}

fn yes() -> bool {
    true
}
