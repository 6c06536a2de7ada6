//! Everything a run produced; the only thing that scoring and reporting may see.

use serde::{Deserialize, Serialize};

use crate::{exchange::Exchange, rule::Finding};

/// The record of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The version of fincheck that made it.
    pub fincheck: String,
    /// The suite that was run.
    pub suite: SuiteRef,
    /// The target's base URL.
    pub target: String,
    /// When the run started: RFC 3339, UTC.
    pub started_at: String,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The check that waited longest, and so the least that a run of it can take; none if no check waited.
    #[serde(default)]
    pub longest_wait: Option<Wait>,
    /// The seed of every random choice.
    pub seed: u64,
    /// How many requests were sent.
    pub requests: u64,
    /// Why the run ended before its plan did; none if it did not.
    pub stopped: Option<Stopped>,
    /// Every verdict, in the order of the plan.
    pub findings: Vec<Finding>,
    /// Every rule that was planned for a check and not judged.
    pub not_judged: Vec<NotJudged>,
    /// Checks of the suite none of whose rules could be judged.
    pub unjudged: Vec<Unjudged>,
    /// The exchanges that findings cite, and those that failed, by number.
    pub exchanges: Vec<Exchange>,
    /// The suite's waivers and what became of them.
    pub waivers: Vec<WaiverUse>,
    /// What a reader should know besides: clock trouble, waits, cleaning up that failed.
    pub notes: Vec<String>,
}

/// How long a check waited: for a limit to recover, an operation to end, a callback to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Its family.
    pub family: String,
    /// Its name.
    pub check: String,
    /// All its waits, in milliseconds; those that overlap count once.
    pub waited_ms: u64,
}

/// The suite that was run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteRef {
    /// Its name.
    pub name: String,
    /// Its file, as given.
    pub file: String,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
}

/// Why a run ended before its plan did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", content = "message", rename_all = "snake_case")]
pub enum Stopped {
    /// Somebody interrupted it.
    Interrupted,
    /// The budget of requests or time is spent.
    Budget(String),
    /// The target could not be reached.
    Unreachable(String),
    /// The target answered nothing but errors of its own.
    Unavailable(String),
    /// Every request of a client was refused for its credentials.
    LoginRefused(String),
    /// A setup step failed.
    Setup(String),
}

/// A rule that was planned for a check and not judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotJudged {
    /// The rule's id.
    pub rule: String,
    /// Its family.
    pub family: String,
    /// The check.
    pub check: String,
    /// The permit that was missing; none if the run ended before.
    pub permit: Option<String>,
    /// Why, for people.
    pub why: String,
}

/// A check of the suite none of whose rules could be judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unjudged {
    /// Its family.
    pub family: String,
    /// Its name.
    pub check: String,
    /// Why, in the words of the first rule that could not be judged.
    pub why: String,
}

/// A waiver and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverUse {
    /// The rule it waives.
    pub rule: String,
    /// The check it is limited to, if any.
    pub check: Option<String>,
    /// Why the failure is accepted.
    pub reason: String,
    /// Who accepted it.
    pub owner: String,
    /// The last day it holds: `2027-03-31`.
    pub expires: String,
    /// What became of it.
    pub state: WaiverState,
}

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaiverState {
    /// It waived at least one failure.
    Used,
    /// Its day has passed: it waives nothing, and the gate fails.
    Expired,
    /// What it waives did not fail although it was judged: the gate fails until it is removed.
    Unmatched,
    /// What it waives was not judged in this run.
    NotJudged,
}
