//! What is kept of operations: typed, bounded, without the bodies.

use serde::{Deserialize, Serialize};

use super::webhook::{self, Kind};
use crate::{exchange::ExchangeId, families::Found, json::Scalar};

/// What the family's rules judge. Instants are milliseconds since the start of the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What the suite declares.
    pub declared: Declared,
    /// The operations that were started, but for those of webhooks.
    pub operations: Vec<Operation>,
    /// What came of preferences.
    pub preferences: Vec<Preference>,
    /// Whether the run ended before everything was seen.
    pub cut_short: bool,
    /// What was seen of webhooks.
    pub webhook: Option<webhook::Evidence>,
}

/// What the suite declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct Declared {
    /// Within what time an operation ends, in milliseconds.
    pub deadline_ms: Option<u64>,
    /// How long what was done may take to be seen, in milliseconds.
    pub settle_ms: u64,
    /// Whether it says how often the monitor may be asked.
    pub paced: bool,
    /// Whether it says what leads to the monitor.
    pub monitor: bool,
    /// Whether callbacks tell of an end.
    pub webhook: bool,
    /// Whether the monitor's URL opens it to whoever has it.
    pub signed: bool,
    /// Whether the monitor is documented to be on another origin.
    pub elsewhere: bool,
    /// Whether what goes on may have to wait again.
    pub retryable: bool,
    /// Whether a failure may leave a part of the effect, and says which.
    pub partial: bool,
    /// The status with which the monitor tells of a failure.
    pub failure_status: u16,
    /// Where a failure's code is.
    pub code: Option<String>,
    /// Where a failure's message is.
    pub message: Option<String>,
    /// The preferences that are supported.
    pub prefer: Vec<String>,
}

/// What an operation was started for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To succeed.
    #[default]
    Success,
    /// To succeed, alone and more slowly asked for, because the first one was too late or asked for too often.
    Again,
    /// To fail.
    Failure,
    /// To fail, because the first one did not end.
    FailureAgain,
    /// To be called off.
    Cancel,
}

/// One operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// What it was started for.
    pub purpose: Purpose,
    /// Its reference.
    pub reference: String,
    /// The answer to the start, or why there is none.
    pub start: Option<Start>,
    /// Why there is no answer, or nothing was sent.
    pub trouble: Option<(String, Option<ExchangeId>)>,
    /// Where it is followed.
    pub monitor: Monitor,
    /// What the monitor said, in order; those after the end too.
    pub readings: Vec<Reading>,
    /// Why asking ended.
    pub ending: Ending,
    /// Its id, as far as known.
    pub id: Option<String>,
    /// Who else asked for it.
    pub access: Vec<Access>,
    /// What came of calling it off while it went on.
    pub cancelled: Option<Cancelled>,
    /// What came of calling it off after its end.
    pub cancelled_late: Option<Cancelled>,
    /// Its result, where it succeeded.
    pub result: Option<ResultSeen>,
    /// What exists of it.
    pub effects: Option<Found>,
}

/// The answer to a start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    /// The exchange.
    pub exchange: Option<ExchangeId>,
    /// When it was sent.
    pub sent_ms: u64,
    /// When the answer was there.
    pub received_ms: u64,
    /// For how long of that time fincheck itself did not get to work.
    pub late_ms: u64,
    /// Its status.
    pub status: u16,
    /// Whether the status says that the work was accepted.
    pub accepted: bool,
    /// The state in its body, and what it means.
    pub state: Option<(String, Kind)>,
    /// `Preference-Applied`, as received.
    pub applied: Option<String>,
}

/// Where an operation is followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Monitor {
    /// Nothing leads to it.
    #[default]
    Missing,
    /// What should lead to it cannot be read.
    Unreadable(String),
    /// It is not a place of the target's origin.
    Elsewhere(String),
    /// Here, as told there.
    At {
        /// The path and query.
        target: String,
        /// What told it.
        told: String,
    },
}

/// One answer of a monitor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The exchange.
    pub exchange: Option<ExchangeId>,
    /// When it was sent.
    pub sent_ms: u64,
    /// When the answer was there.
    pub received_ms: u64,
    /// The status; none if there was no answer.
    pub status: Option<u16>,
    /// Whether the answer came from elsewhere, after a redirect.
    pub redirected: bool,
    /// The state, as written.
    pub word: Option<String>,
    /// What it means; success too where a redirect led to the result.
    pub kind: Option<Kind>,
    /// How much is done, as written.
    pub progress: Option<String>,
    /// What orders readings, as written.
    pub version: Option<Scalar>,
    /// How it was timed.
    pub pace: Pace,
    /// What it tells of a failure: code and message.
    pub error: (Option<String>, Option<String>),
}

/// How a request for a monitor was timed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// Nothing says how often it may be asked.
    #[default]
    Own,
    /// As the suite declares, at the least.
    Declared,
    /// After as long as the answer before told (`Retry-After`), at the least.
    Told(u64),
}

/// Why asking a monitor ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// It was not asked.
    #[default]
    NotAsked,
    /// The end was seen, with the reading of that index.
    Ended(usize),
    /// Twice the deadline was over.
    Overdue,
    /// The most requests were sent, or the run was at its end.
    Budget,
    /// The monitor could not be read: 401, 403, 404 or 410 twice, or 5xx three times.
    Unreadable,
    /// There was no answer several times.
    Unanswered(String),
}

/// A request of somebody else for a monitor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// The client.
    pub client: String,
    /// Whether it had no credentials.
    pub anonymous: bool,
    /// The exchange.
    pub exchange: Option<ExchangeId>,
    /// The status, or why there is none.
    pub outcome: Option<Result<u16, String>>,
    /// Whether the answer shows the operation: its state or its id.
    pub shows: bool,
}

/// What came of calling an operation off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancelled {
    /// The exchange.
    pub exchange: Option<ExchangeId>,
    /// The status, or none without an answer.
    pub status: Option<u16>,
    /// The state that the answer tells.
    pub state: Option<(String, Kind)>,
}

/// The result of an operation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultSeen {
    /// Where it was asked for, or why it could not be.
    pub place: Option<Result<String, String>>,
    /// Whether it is only what the monitor says.
    pub inline: bool,
    /// The exchange of the last answer.
    pub exchange: Option<ExchangeId>,
    /// The status of the last answer, or why there was none.
    pub outcome: Option<Result<u16, String>>,
    /// How long it was asked for, in milliseconds.
    pub waited_ms: u64,
    /// Its id.
    pub id: Option<String>,
    /// What it was compared in.
    pub compared: Vec<Compared>,
}

/// One value of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// Where it is.
    pub path: String,
    /// What it should be and who says so; none where that is not known.
    pub expected: Option<Scalar>,
    /// Where the monitor has it; as was asked for otherwise.
    pub monitor: Option<String>,
    /// What it is.
    pub actual: Option<Scalar>,
}

/// What came of a preference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preference {
    /// What was sent in `Prefer`.
    pub sent: String,
    /// Whether the API is declared to support it.
    pub declared: bool,
    /// The answers: at most two.
    pub starts: Vec<Start>,
    /// The answer to the same request without a preference, between them.
    pub plain: Option<Start>,
}

impl Operation {
    /// The reading that showed the end.
    pub fn end(&self) -> Option<&Reading> {
        match self.ending {
            Ending::Ended(at) => self.readings.get(at),
            _ => None,
        }
    }

    /// How it ended.
    pub fn ended(&self) -> Option<Kind> {
        self.end().and_then(|reading| reading.kind)
    }

    /// Whether it was accepted.
    pub fn is_accepted(&self) -> bool {
        self.start.as_ref().is_some_and(|start| start.accepted)
    }

    /// The exchange that started it.
    pub fn started(&self) -> Option<ExchangeId> {
        self.start.as_ref().and_then(|start| start.exchange)
    }

    /// The first reading that shows that it went on after its deadline.
    pub fn overdue(&self, deadline_ms: u64) -> Option<&Reading> {
        self.readings.iter().find(|reading| reading.goes_on() && self.since(reading.sent_ms) > deadline_ms)
    }

    /// Milliseconds from the answer to the start to an instant.
    pub fn since(&self, instant_ms: u64) -> u64 {
        instant_ms.saturating_sub(self.start.as_ref().map_or(0, |start| start.received_ms))
    }
}

impl Reading {
    /// Whether the monitor answered with a success.
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }

    /// Whether asking was refused although it was no faster than allowed.
    pub fn is_throttled(&self) -> bool {
        self.status == Some(429) && self.pace != Pace::Own
    }

    /// Whether it shows a state of which is known that the operation goes on.
    pub fn goes_on(&self) -> bool {
        self.kind.is_some_and(|kind| !kind.is_end())
    }

    /// In a few words, such as `#12 running 40 %`.
    pub fn line(&self) -> String {
        let number = self.exchange.map(|id| id.to_string()).unwrap_or_default();
        let what = match (&self.word, self.status) {
            (Some(word), Some(200)) => word.clone(),
            (Some(word), Some(status)) => format!("{word} (status {status})"),
            (None, Some(status)) if self.redirected => format!("its result (status {status})"),
            (None, Some(status)) => format!("status {status}"),
            (_, None) => "no answer".into(),
        };
        let progress = self.progress.as_ref().map(|progress| format!(", progress {progress}")).unwrap_or_default();
        format!("{number} {what}{progress}")
    }
}

impl Start {
    /// Whether it was answered with work that goes on, rather than with its result.
    pub fn is_asynchronous(&self) -> bool {
        self.status == 202 || self.state.is_some()
    }

    /// Whether `Preference-Applied` names a preference (RFC 7240 §3).
    pub fn applies(&self, preference: &str) -> bool {
        let spelled = |text: &str| text.split(';').next().unwrap_or_default().replace([' ', '"'], "").to_lowercase();
        let wanted = spelled(preference);
        self.applied.iter().flat_map(|applied| applied.split(',')).any(|applied| spelled(applied) == wanted)
    }
}

impl Preference {
    /// The seconds of `wait=N` (RFC 7240 §4.3).
    pub fn wait_s(&self) -> Option<u64> {
        self.sent.strip_prefix("wait=")?.trim().parse().ok()
    }

    /// Whether an answer raises doubts, so that it is asked for again.
    pub fn is_doubtful(&self, start: &Start) -> bool {
        !start.accepted || self.breaks(start)
    }

    /// Whether an accepted start was answered otherwise than the answer, or the suite, says.
    pub fn breaks(&self, start: &Start) -> bool {
        match self.wait_s() {
            _ if !start.accepted => false,
            None if self.sent == "respond-async" => {
                (self.declared || start.applies(&self.sent)) && !start.is_asynchronous()
            }
            Some(seconds) => {
                let took_ms = start.received_ms.saturating_sub(start.sent_ms + start.late_ms);
                // One second of grace: whole seconds are all that the preference can say.
                start.applies(&self.sent) && took_ms > (seconds + 1).saturating_mul(1_000)
            }
            None => false,
        }
    }
}
