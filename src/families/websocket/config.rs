//! One item of a suite's `websocket:` list.

mod errors;
mod payloads;

pub use self::{
    errors::{Correlated, Errors, Wrong},
    payloads::{Payloads, Unit},
};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    families::{Call, Find},
    json::Path,
    notation::{Span, Template},
};

/// A stream of messages, and how it is lost and found again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The name of the check.
    pub name: String,
    /// The path of the stream below the target's base URL.
    pub path: Template,
    /// Query parameters of the handshake.
    #[serde(default)]
    pub query: BTreeMap<String, Template>,
    /// Header fields of the handshake.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// Whose credentials the handshake carries; nobody's if absent. They may be header fields or, as the client says, query
    /// parameters.
    #[serde(default)]
    pub client: Option<String>,
    /// How the client is made known by a message after connecting instead. Such a message may carry `{{credential}}`, the
    /// client's secret (`{{credential.NAME}}` where it has several: a header field, a parameter, `username`, `password`);
    /// the handshake then does not, and reports show neither.
    #[serde(default)]
    pub authenticate: Option<Exchange>,
    /// Whether the stream is private: whose events it carries depends on who asks. Then WS-002 is judged.
    #[serde(default)]
    pub private: bool,
    /// A client of another principal, who must not see our events.
    #[serde(default)]
    pub other_client: Option<String>,
    /// Subprotocols offered.
    #[serde(default)]
    pub subprotocols: Vec<String>,
    /// What is asked for after connecting; without it everything comes by itself.
    #[serde(default)]
    pub subscribe: Option<Exchange>,
    /// How that is taken back.
    #[serde(default)]
    pub unsubscribe: Option<Exchange>,
    /// How messages are told apart.
    #[serde(default)]
    pub messages: Messages,
    /// How amounts, instants and ids are written.
    #[serde(default)]
    pub payloads: Payloads,
    /// Where messages are numbered.
    #[serde(default)]
    pub sequence: Option<Sequence>,
    /// How the stream shows that it is alive.
    #[serde(default)]
    pub heartbeat: Option<Heartbeat>,
    /// How a stream is taken up where it was lost. Without it a fresh snapshot is all that can be asked for; without that,
    /// what is missed is missed, and only told.
    #[serde(default)]
    pub resume: Option<Resume>,
    /// A snapshot that is asked for over HTTP.
    #[serde(default)]
    pub snapshot: Option<Snapshot>,
    /// What makes events happen; without it the stream is taken to be busy by itself.
    #[serde(default)]
    pub stimulus: Option<Stimulus>,
    /// How long after something happened the stream may take to tell it.
    #[serde(default = "two_seconds")]
    pub lag: Span,
    /// What the stream does with a client that reads too slowly.
    #[serde(default)]
    pub slow: Option<Slow>,
    /// What bounds a session.
    #[serde(default)]
    pub session: Option<SessionBounds>,
    /// What the stream says of messages that cannot be understood.
    #[serde(default)]
    pub errors: Option<Errors>,
    /// How many messages are read at most for the sequence in steady state.
    #[serde(default = "ten_thousand")]
    pub most: u64,
    /// How long is listened at most for that.
    #[serde(default = "five_seconds")]
    pub listen: Span,
}

/// A message that is sent, and how its acknowledgement is known.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The message: JSON, in which texts may hold `{{names}}` (`{{request}}` is a fresh number, sent as a number where it
    /// is the whole text; `{{uuid}}` a fresh UUID; what a setup step captured, such as a short-lived token), or a text that
    /// is sent as it is.
    pub message: Value,
    /// Which message acknowledges it; none does if absent.
    #[serde(default)]
    pub acknowledged: Option<Pattern>,
    /// Which message refuses it.
    #[serde(default)]
    pub refused: Option<Pattern>,
}

/// Which messages are meant: each path must lead to one of the values (a `null` means: to anything).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Pattern(pub BTreeMap<Path, OneOf>);

/// One value or several; numbers are compared as they are written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum OneOf {
    /// Any of these.
    Several(Vec<Value>),
    /// This.
    One(Value),
}

/// How messages are told apart. What no pattern names is data.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Messages {
    /// Messages that bring events; all that nothing else names if absent.
    pub data: Option<Pattern>,
    /// Signs of life.
    pub heartbeat: Option<Pattern>,
    /// Errors.
    pub error: Option<Pattern>,
    /// Messages that tell of lost events: a gap, a resynchronisation.
    pub gap: Option<Pattern>,
    /// Snapshots of the whole state.
    pub snapshot: Option<Pattern>,
    /// Where a snapshot has the number of the last event it includes.
    pub snapshot_sequence: Option<Path>,
    /// The path of the rows of a snapshot, each with the members that `event` names; without it what a snapshot holds is
    /// unknown.
    pub snapshot_rows: Option<Path>,
    /// What an event is known by: its id, the same wherever it is told.
    pub id: Option<Path>,
    /// Where an event has the stimulus's `{{reference}}`.
    pub reference: Option<Path>,
    /// When it happened.
    pub time: Option<Path>,
    /// What it happened to: a symbol, an order.
    pub key: Option<Path>,
}

/// Where messages are numbered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sequence {
    /// The number of a message, or the last of the numbers it stands for.
    pub last: Path,
    /// The first of the numbers it stands for, where a message may stand for several.
    #[serde(default)]
    pub first: Option<Path>,
    /// What is numbered by itself.
    #[serde(default)]
    pub per: Per,
    /// Where a message has what is numbered by itself, if that is neither the connection nor the stream.
    #[serde(default)]
    pub key: Option<Path>,
    /// Which other messages take a number: `heartbeat`, `snapshot`, `acknowledgement`, `error`.
    #[serde(default)]
    pub counts: Vec<Counted>,
    /// Whether jumps are documented to occur, and to be the sign that something was left out.
    #[serde(default)]
    pub jumps: bool,
}

/// What is numbered by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// The stream: the same event has the same number on every connection.
    #[default]
    Stream,
    /// Each connection, from its beginning.
    Connection,
    /// Each key, the same on every connection.
    Key,
}

/// A kind of message beside data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Signs of life.
    Heartbeat,
    /// Snapshots.
    Snapshot,
    /// Acknowledgements.
    Acknowledgement,
    /// Errors.
    Error,
}

/// How the stream shows that it is alive.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// Something comes at least so often: data, a ping, a heartbeat.
    pub interval: Span,
    /// Whether the server pings (RFC 6455 §5.5.2) and closes connections on which no pong comes.
    #[serde(default)]
    pub pings: bool,
    /// A message that the client must answer, where pings are messages: the answer to `messages.heartbeat`.
    #[serde(default)]
    pub answer: Option<Value>,
    /// After so long without an answer the server gives a connection up. Without it, that is not judged.
    #[serde(default)]
    pub timeout: Option<Span>,
}

/// How a stream is taken up where it was lost: `{{last}}` is the last number seen, `{{token}}` the last token, `{{last_id}}`
/// the last event's id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// Query parameters of the handshake.
    #[serde(default)]
    pub query: BTreeMap<String, Template>,
    /// Header fields of the handshake.
    #[serde(default)]
    pub headers: BTreeMap<String, Template>,
    /// The message that subscribes, in place of `subscribe`'s.
    #[serde(default)]
    pub subscribe: Option<Value>,
    /// Where messages have the token.
    #[serde(default)]
    pub token: Option<Path>,
    /// How long after a loss a stream can be taken up.
    #[serde(default)]
    pub window: Option<Span>,
    /// How many events back a stream can be taken up.
    #[serde(default)]
    pub depth: Option<u64>,
    /// Which message says that it cannot be taken up, beside a refusal of the handshake, `messages.gap`,
    /// `messages.error`, a snapshot, and a close.
    #[serde(default)]
    pub refused: Option<Pattern>,
    /// Values of `{{last}}`/`{{token}}`/`{{last_id}}` that cannot be taken up: too old, from the future, garbage. Some are
    /// made up where none are given.
    #[serde(default)]
    pub impossible: Vec<String>,
}

/// A snapshot that is asked for over HTTP.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Asks for it.
    pub call: Call,
    /// Where it has the number of the last event it includes.
    pub sequence: Path,
    /// How deltas change it, so that it can be rebuilt; without it only the numbers are compared.
    #[serde(default)]
    pub book: Option<Book>,
}

/// A table of values by key that deltas change: an order book's levels, balances.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Book {
    /// The tables: where each is in the snapshot, and where in a delta.
    pub tables: Vec<Table>,
}

/// One table. Its rows are arrays `[key, value]` or objects with these members.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The path of its rows in the snapshot.
    pub snapshot: Path,
    /// The path of its changed rows in a delta.
    pub delta: Path,
    /// Where a row has its key.
    pub key: Path,
    /// Where a row has its value; a row whose value is zero is gone.
    pub value: Path,
}

/// What makes events happen.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stimulus {
    /// Makes one happen, best with `{{reference}}`, which is new each time.
    pub call: Call,
    /// Where the answer has what the event has as `messages.id` or `messages.key`; the reference is used if absent.
    #[serde(default)]
    pub id: Option<Path>,
    /// How many events one makes.
    #[serde(default = "one")]
    pub events: u64,
    /// Members that the event has like the answer: paths in the answer, and in the event.
    #[serde(default)]
    pub agrees: Vec<Agreement>,
    /// How what happened is found over HTTP.
    #[serde(default)]
    pub find: Option<Find>,
    /// Takes it back; `{{id}}` is what `id` leads to.
    #[serde(default)]
    pub undo: Option<Call>,
    /// How many are made for one judgement.
    #[serde(default = "five")]
    pub count: u64,
}

/// Two members that say the same.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// In the answer over HTTP.
    pub answer: Path,
    /// In the event.
    pub event: Path,
}

/// What the stream does with a client that reads too slowly.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slow {
    /// For how long reading is stopped, one after another.
    #[serde(default = "stalls")]
    pub stalls: Vec<Span>,
    /// What of it is documented.
    #[serde(default)]
    pub policy: Option<Policy>,
    /// Within what time the stream is live again after reading went on.
    #[serde(default = "five_seconds")]
    pub catch_up: Span,
    /// What makes many events happen at once, where the stream is not busy by itself and the stimulus makes too few.
    #[serde(default)]
    pub burst: Option<Call>,
    /// The largest number of messages that are waited for afterwards.
    #[serde(default = "hundred_thousand")]
    pub most: u64,
}

/// A documented way with clients that read too slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// The connection is closed, and the code or a message says why.
    Close,
    /// Updates of one key are merged; the last value is right.
    Conflate,
    /// Events are left out, a message says so, and a snapshot follows.
    Gap,
    /// Everything is delivered later.
    Buffer,
}

/// What bounds a session.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionBounds {
    /// A client whose credentials expire during the run.
    pub expiring_client: Option<String>,
    /// When they do, after they are first used.
    pub expires_after: Option<Span>,
    /// How long after that the stream may still bring events.
    pub grace: Option<Span>,
    /// The longest that a session lasts.
    pub longest: Option<Span>,
    /// The most connections of one client.
    pub connections: Option<u64>,
    /// The most messages that a client may send within `rate_window`.
    pub rate: Option<u64>,
    /// The time in which those are counted.
    pub rate_window: Option<Span>,
}

const fn two_seconds() -> Span {
    Span(std::time::Duration::from_secs(2))
}

const fn five_seconds() -> Span {
    Span(std::time::Duration::from_secs(5))
}

const fn one() -> u64 {
    1
}

const fn five() -> u64 {
    5
}

const fn ten_thousand() -> u64 {
    10_000
}

const fn hundred_thousand() -> u64 {
    100_000
}

fn stalls() -> Vec<Span> {
    vec![five_seconds()]
}
