//! One item of a suite's `async_operation:` list.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de::Error};

use super::webhook::{self, Kind};
use crate::{
    families::{Call, Find},
    json::Path,
    notation::{Span, Template},
};

/// An operation that goes on after its request was accepted, and how it is followed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The name of the check.
    pub name: String,
    /// Whose operations are started; nobody's credentials are sent if absent.
    #[serde(default)]
    pub client: Option<String>,
    /// The request that starts one, best with `{{reference}}`, which is new each time.
    pub start: Call,
    /// How an accepted start is answered.
    #[serde(default = "accepted")]
    pub accepted: Vec<u16>,
    /// Where the monitor is told; `Operation-Location`, `Location` and `Content-Location` are recognised.
    #[serde(default)]
    pub monitor: Monitor,
    /// How the monitor spells states.
    pub state: States,
    /// Where the monitor tells how much is done.
    #[serde(default)]
    pub progress: Option<Path>,
    /// Where the monitor has a number or instant that grows with every change.
    #[serde(default)]
    pub version: Option<Path>,
    /// Where the monitor, or else the answer to the start, has the operation's id: `{{operation}}`.
    #[serde(default)]
    pub id: Option<Path>,
    /// How often the monitor is asked where it does not say.
    #[serde(default)]
    pub poll: Option<Poll>,
    /// Within what time an operation ends. Without it, how long one took is only told.
    #[serde(default)]
    pub deadline: Option<Span>,
    /// How long what was accepted or done may take to be seen.
    #[serde(default = "two_seconds")]
    pub settle: Span,
    /// The result of an operation that succeeded.
    #[serde(default)]
    pub result: Option<ResultAt>,
    /// How what operations made is found: one for each that succeeded, none for one that failed.
    #[serde(default)]
    pub effects: Option<Find>,
    /// An operation that is accepted and fails.
    #[serde(default)]
    pub failing: Option<Failing>,
    /// Calls an operation off, `{{operation}}`: it ends cancelled, or as it would have.
    #[serde(default)]
    pub cancel: Option<Call>,
    /// Whether nothing exists of an operation that ended cancelled. By default a part may.
    #[serde(default)]
    pub cancelled_leaves_nothing: bool,
    /// A client of another principal, who must not see our operations.
    #[serde(default)]
    pub other_client: Option<String>,
    /// Preferences (RFC 7240) that the API supports: `respond-async`, `wait=1`.
    #[serde(default)]
    pub prefer: Vec<String>,
    /// Takes back what an operation made; `{{operation}}`, `{{reference}}`, and `{{result}}` is the result's id.
    #[serde(default)]
    pub undo: Option<Call>,
    /// How operations are told of by callbacks.
    #[serde(default)]
    pub webhook: Option<webhook::Webhook>,
}

/// Where the monitor of an operation is told.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Monitor {
    /// In this header field.
    pub header: Option<String>,
    /// In the body of the answer, as a URL.
    pub url: Option<Path>,
    /// In the body of the answer, as an id for `call`.
    pub id: Option<Path>,
    /// The request that asks for `{{operation}}`.
    pub call: Option<Call>,
    /// Whether its URL is a secret that opens it to whoever has it, for a limited time.
    pub signed: bool,
    /// Whether it is documented to be on another origin. It is then not asked, for credentials stay with the target.
    pub elsewhere: bool,
}

impl Monitor {
    /// Whether the suite says what leads to it, so that callbacks do not stand in for it.
    pub(super) fn is_declared(&self) -> bool {
        self.header.is_some() || self.url.is_some() || self.call.is_some()
    }
}

/// How the monitor spells states; spellings are compared exactly.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct States {
    /// Where the state is.
    pub path: Path,
    /// It has not begun.
    #[serde(default)]
    pub pending: Vec<String>,
    /// It goes on.
    #[serde(default)]
    pub running: Vec<String>,
    /// It is done.
    pub succeeded: Vec<String>,
    /// It came to nothing.
    #[serde(default)]
    pub failed: Vec<String>,
    /// It was called off.
    #[serde(default)]
    pub cancelled: Vec<String>,
    /// Whether what goes on may have to wait again and begin anew.
    #[serde(default)]
    pub retryable: bool,
}

impl States {
    /// What a word means.
    pub fn means(&self, word: &str) -> Option<Kind> {
        self.words().find(|(known, _)| *known == word).map(|(_, kind)| kind)
    }

    /// Every word with its meaning.
    pub fn words(&self) -> impl Iterator<Item = (&str, Kind)> {
        let kinds = [
            (&self.pending, Kind::Queued),
            (&self.running, Kind::Running),
            (&self.succeeded, Kind::Succeeded),
            (&self.failed, Kind::Failed),
            (&self.cancelled, Kind::Cancelled),
        ];
        kinds.into_iter().flat_map(|(words, kind)| words.iter().map(move |word| (word.as_str(), kind)))
    }
}

/// How often a monitor is asked that does not say.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Poll {
    /// The first wait, and the shortest.
    pub interval: Span,
    /// The longest wait; waits grow by half each time.
    pub longest: Span,
    /// The most requests for one operation until it ends.
    #[schemars(range(min = 5, max = 1000))]
    pub most: u64,
}

impl Default for Poll {
    fn default() -> Self {
        let millis = |ms| Span(Duration::from_millis(ms));
        Self { interval: millis(250), longest: millis(5_000), most: 60 }
    }
}

/// Where the result of an operation is, and what it must say.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultAt {
    /// Where the monitor links to it.
    #[serde(default)]
    pub href: Option<Path>,
    /// The request for it, with `{{operation}}`.
    #[serde(default)]
    pub call: Option<Call>,
    /// Whether the monitor holds it itself; paths of the result then begin at the monitor's root.
    #[serde(default)]
    pub inline: bool,
    /// Where it has its id.
    #[serde(default)]
    pub id: Option<Path>,
    /// What it says at these paths: text, or a number whatever its spelling.
    #[serde(default, deserialize_with = "expected")]
    #[schemars(with = "BTreeMap<String, Template>")]
    pub expect: Vec<(Path, Template)>,
    /// What it says as the monitor does.
    #[serde(default)]
    pub agrees: Vec<Agreement>,
}

/// A value that the monitor and the result both have.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// Where the monitor has it.
    pub monitor: Path,
    /// Where the result has it.
    pub result: Path,
}

/// An operation that is accepted and fails.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failing {
    /// The request that starts it.
    pub start: Call,
    /// What the monitor tells of the failure.
    #[serde(default)]
    pub error: Reason,
    /// The status with which the monitor tells of a failure.
    #[serde(default = "ok")]
    pub status: u16,
    /// Whether what could be done stays done, and the monitor says what.
    #[serde(default)]
    pub partial: bool,
}

/// Where the monitor tells why an operation failed.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reason {
    /// Where the machine-readable code is.
    pub code: Option<Path>,
    /// Where the message for people is.
    pub message: Option<Path>,
}

impl Config {
    /// How often a monitor is asked that does not say.
    pub(super) fn pace(&self) -> Poll {
        self.poll.clone().unwrap_or_default()
    }
}

/// A mapping from paths to what is there.
fn expected<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(Path, Template)>, D::Error> {
    let written = BTreeMap::<String, Template>::deserialize(deserializer)?;
    let parsed = written.into_iter().map(|(path, template)| Ok((path.parse::<Path>()?, template)));
    parsed.collect::<Result<_, String>>().map_err(D::Error::custom)
}

fn accepted() -> Vec<u16> {
    vec![202, 201, 200]
}

fn two_seconds() -> Span {
    Span(Duration::from_secs(2))
}

fn ok() -> u16 {
    200
}
