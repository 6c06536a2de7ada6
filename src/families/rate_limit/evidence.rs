//! What a check saw of a limit: every decision with its instants, what the answers told, and what was tried meanwhile.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    clock::Clock,
    config::{Limit, Refusal, Scope, Signals},
    limiter::runs::Runs,
};
use crate::{
    exchange::ExchangeId,
    families::{
        Found,
        errors::evidence::{Declared as ErrorsDeclared, ErrorResponse},
    },
};

/// What a check saw.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What the suite declares.
    pub declared: Declared,
    /// Why nothing could be seen; the rules then decide nothing.
    pub blocked: Option<Blocked>,
    /// The first answer to the limited request.
    pub baseline: Option<Answer>,
    /// The bursts that were to spend the limit, in order; the first began with a client at rest.
    pub bursts: Vec<Burst>,
    /// The silent waits after a refusal, in order, each with what came after.
    pub waits: Vec<Wait>,
    /// Why the limit was not seen to recover, if it was refused and did not.
    pub unrecovered: Option<String>,
    /// Another client, while the limit was spent.
    pub isolation: Option<Isolation>,
    /// What else was asked for while the limit was spent.
    pub others: Vec<OtherTrial>,
    /// Creates that were sent while the limit was spent.
    pub writes: Option<Writes>,
    /// Ways around the spent limit that were tried.
    pub evasion: Vec<Detour>,
    /// Requests with bad credentials that named the client.
    pub drains: Vec<Drain>,
    /// What was sent to find out which limiter decides, and what it decided.
    pub model: Option<Runs>,
    /// One retry before the time was up, after everything else; it counts for nothing.
    pub early: Option<Early>,
    /// The bodies of refusals, those alike once.
    pub bodies: Vec<ErrorResponse>,
    /// `Server` and `Via` of an answer that was no refusal.
    pub origin: Option<String>,
    /// The target's clock.
    pub clock: Clock,
    /// Whether the run ended before the check did.
    pub cut_short: bool,
}

/// What the suite declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// The request line as written.
    pub request: String,
    /// The limit.
    pub limit: Option<Limit>,
    /// What a refusal looks like.
    pub refusal: Refusal,
    /// Whom it counts.
    pub scope: Scope,
    /// The header fields that tell of it.
    pub signal: Signals,
    /// The most requests that provoking a refusal may take.
    pub budget: u64,
    /// The longest wait that is waited out, in milliseconds.
    pub max_wait_ms: u64,
    /// The shape of errors.
    pub errors: ErrorsDeclared,
}

/// Why nothing could be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// Why.
    pub why: String,
    /// The exchange that shows it.
    pub exchange: Option<ExchangeId>,
}

/// Whether one request was let through, decided at some instant between sending and receiving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The exchange.
    pub id: ExchangeId,
    /// When it was sent, in microseconds since the start of the run.
    pub sent_us: u64,
    /// When its answer was complete.
    pub received_us: u64,
    /// Whether it was let through.
    pub admitted: bool,
    /// What it costs of the limit.
    pub cost: u32,
    /// The status of the answer.
    pub status: u16,
}

/// What an answer means for a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Let through.
    Admitted,
    /// Refused for the limit: 429, or what the suite declares.
    Refused,
    /// 403 or 418 after refusals: shut out for going on.
    Banned,
    /// 503, undeclared: a limit may speak so, and so may trouble.
    Unavailable,
    /// Anything else.
    Other,
}

/// One answer, with the header fields that tell of limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The exchange.
    pub exchange: ExchangeId,
    /// When the request was sent, in microseconds since the start of the run.
    pub sent_us: u64,
    /// When the answer was complete.
    pub received_us: u64,
    /// Its status.
    pub status: u16,
    /// What it means.
    pub kind: Kind,
    /// Header fields that tell of limits, waits and caches, as received, cut where long.
    pub fields: Vec<(String, String)>,
}

impl Answer {
    /// Whether the limit, or a ban that followed, kept the request out.
    pub fn is_kept_out(&self) -> bool {
        matches!(self.kind, Kind::Refused | Kind::Banned)
    }

    /// Whether it was refused for the limit.
    pub fn is_refused(&self) -> bool {
        self.kind == Kind::Refused
    }

    /// Whether it was let through.
    pub fn is_admitted(&self) -> bool {
        self.kind == Kind::Admitted
    }

    /// As a decision about a request that costs 1.
    pub fn decision(&self) -> Decision {
        Decision {
            id: self.exchange,
            sent_us: self.sent_us,
            received_us: self.received_us,
            admitted: self.is_admitted(),
            cost: 1,
            status: self.status,
        }
    }

    /// The whole value of a header field (RFC 9110 §5.3: its lines joined), if it was sent.
    pub fn field(&self, name: &str) -> Option<String> {
        let lines: Vec<&str> =
            self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).collect();
        (!lines.is_empty()).then(|| lines.join(", "))
    }

    /// Whether a cache says that it answered.
    pub fn is_cached(&self) -> bool {
        self.field("age").and_then(|age| age.trim().parse::<u64>().ok()).is_some_and(|age| age > 0)
    }

    /// From sending to the end of the answer.
    pub fn took(&self) -> Duration {
        Duration::from_micros(self.received_us.saturating_sub(self.sent_us))
    }
}

/// Requests one after another, or side by side, until the limit was spent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burst {
    /// The answers, in the order of sending.
    pub answers: Vec<Answer>,
    /// How many of the first were sent one after another; those behind went side by side.
    pub sequential: usize,
    /// Requests without any answer.
    pub unanswered: u32,
    /// Why it was given up before its budget was spent, other than for refusals.
    pub given_up: Option<String>,
}

impl Burst {
    /// The first refusal.
    pub fn refusal(&self) -> Option<&Answer> {
        self.answers.iter().find(|answer| answer.is_refused())
    }

    /// How many were let through before the first refusal; all, if there was none.
    pub fn admitted_first(&self) -> u64 {
        self.answers.iter().take_while(|answer| !answer.is_refused()).filter(|answer| answer.is_admitted()).count()
            as u64
    }

    /// The decisions, in the order of sending; answers that are neither are left out.
    pub fn decisions(&self) -> Vec<Decision> {
        self.answers.iter().filter(|a| a.is_admitted() || a.is_kept_out()).map(Answer::decision).collect()
    }
}

/// A silent wait after a refusal, and what came after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// The refusal it began with.
    pub refusal: Answer,
    /// What the refusal told to wait, in milliseconds; none if it told nothing usable.
    pub told_ms: Option<u64>,
    /// Where the refusal told it.
    pub told_by: Option<String>,
    /// How long the client was silent, in milliseconds.
    pub waited_ms: u64,
    /// Whether the wait follows a refusal after a wait, not a burst.
    pub chained: bool,
    /// What came then.
    pub answer: Answer,
}

/// Another client while the limit was spent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// The other client.
    pub client: String,
    /// Its answer before the limit was spent.
    pub before: Option<Answer>,
    /// Its answers at once after.
    pub trial: Vec<Answer>,
    /// If it was refused: as many requests of it alone, after a rest.
    pub control: Vec<Answer>,
    /// And again at once after the limit was spent again.
    pub again: Vec<Answer>,
}

/// Something else that was asked for while the limit was spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OtherTrial {
    /// What it is.
    pub name: String,
    /// Whether money is at stake if it is refused.
    pub safety: bool,
    /// Whether it is declared to have a limit of its own.
    pub separate: bool,
    /// The statuses that show that it was let through.
    pub expect: Vec<u16>,
    /// Why it was not asked for.
    pub skipped: Option<String>,
    /// The answer while the limit was spent.
    pub answer: Option<Answer>,
    /// The refusal of the limit that came before.
    pub refusal: Option<Answer>,
    /// If it was refused: the answer to the same after a rest.
    pub control: Option<Answer>,
}

/// Creates that were sent while the limit was spent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writes {
    /// Each create.
    pub creates: Vec<Create>,
    /// One that was sent with the limit not spent: it must be found, or the lookup shows nothing.
    pub control: Option<Create>,
}

/// A create and what was found of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Create {
    /// Its reference.
    pub reference: String,
    /// The answer; none if there was none.
    pub answer: Option<Answer>,
    /// What was found after recovery; none if it was not looked for.
    pub found: Option<Found>,
}

/// A way around the spent limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detour {
    /// What was changed of the request.
    pub change: String,
    /// Each try, between two plain requests.
    pub tries: Vec<Try>,
}

/// One try of a way around, between two plain requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    /// The plain request before.
    pub before: Answer,
    /// The changed request.
    pub changed: Answer,
    /// The plain request after.
    pub after: Answer,
}

impl Try {
    /// Whether the change got the request through while plain ones stayed out.
    pub fn got_through(&self) -> bool {
        self.is_controlled() && self.changed.is_admitted()
    }

    /// Whether plain requests stayed out, before and after.
    pub fn is_controlled(&self) -> bool {
        self.before.is_kept_out() && self.after.is_kept_out()
    }
}

/// Requests with bad credentials that named the client, who was at rest, and its own requests at once after.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// The answers to the requests with bad credentials.
    pub forged: Vec<Answer>,
    /// The client's own requests then.
    pub own: Vec<Answer>,
}

/// A retry before the time was up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Early {
    /// What the refusal told to wait, in milliseconds.
    pub told_ms: u64,
    /// After how many milliseconds it was retried.
    pub after_ms: u64,
    /// What came.
    pub answer: Answer,
}

impl Evidence {
    /// Every answer of the limited request to the limited client, in the order of sending.
    pub fn own_answers(&self) -> impl Iterator<Item = &Answer> {
        let bursts = self.bursts.iter().flat_map(|burst| &burst.answers);
        let waits = self.waits.iter().map(|wait| &wait.answer);
        let drains = self.drains.iter().flat_map(|drain| &drain.own);
        let early = self.early.iter().map(|early| &early.answer);
        self.baseline.iter().chain(bursts).chain(waits).chain(drains).chain(early)
    }

    /// Every answer that was kept, whoever asked for whatever.
    pub fn answers(&self) -> impl Iterator<Item = &Answer> {
        let isolation = self.isolation.iter();
        let isolation = isolation.flat_map(|i| i.before.iter().chain(&i.trial).chain(&i.control).chain(&i.again));
        let others = self.others.iter().flat_map(|other| other.answer.iter().chain(&other.control));
        let creates = self.writes.iter().flat_map(|writes| writes.creates.iter().chain(&writes.control));
        let creates = creates.filter_map(|create| create.answer.as_ref());
        let tries = self.evasion.iter().flat_map(|detour| &detour.tries);
        let tries = tries.flat_map(|one| [&one.before, &one.changed, &one.after]);
        let forged = self.drains.iter().flat_map(|drain| &drain.forged);
        self.own_answers().chain(isolation).chain(others).chain(creates).chain(tries).chain(forged)
    }
}
