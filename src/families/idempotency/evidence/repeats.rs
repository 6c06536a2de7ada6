//! Requests that were sent again, and what became of them.

use serde::{Deserialize, Serialize};

use super::{Answer, BalanceSeen, Count};
use crate::{exchange::ExchangeId, families::Cut, notation::Span};

/// A request with a key and a reference of its own, sent once or again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// The reference by which its effects are found.
    pub reference: String,
    /// Its key.
    pub key: String,
    /// What the reference found before anything was sent: nothing, if the lookup can be believed.
    pub before: Count,
    /// What it got.
    pub first: Answer,
    /// What exists after that.
    pub alone: Option<Count>,
}

/// A request repeated after it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repeated {
    /// The request.
    pub trial: Trial,
    /// What the repetitions got.
    pub repeats: Vec<Answer>,
    /// What exists at the end.
    pub after: Count,
    /// What a balance says.
    pub balance: Option<BalanceSeen>,
}

/// A key that came again with another body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The first request.
    pub trial: Trial,
    /// What the changed one got.
    pub answer: Answer,
    /// What exists at the end.
    pub after: Count,
    /// What the changed one gets with a key of its own.
    pub control: Answer,
}

/// Duplicates at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The reference.
    pub reference: String,
    /// The key.
    pub key: String,
    /// What the reference found before.
    pub before: Count,
    /// What each got.
    pub answers: Vec<Answer>,
    /// What one more got after all of them were answered.
    pub later: Answer,
    /// What exists at the end.
    pub after: Count,
}

impl Round {
    /// How many were under way together with the first success (with the first, if nothing succeeded) and let in: one
    /// that was throttled or got no answer competes with nobody.
    pub fn overlapping(&self) -> usize {
        let let_in = |answer: &&Answer| answer.status().is_some_and(|status| !matches!(status, 401 | 403 | 429));
        let competing = || self.answers.iter().filter(let_in);
        let winner = competing().filter(|answer| answer.is_success()).min_by_key(|answer| answer.received_us);
        let Some(winner) = winner.or(competing().next()) else { return 0 };
        competing().filter(|answer| answer.overlaps(winner)).count()
    }
}

/// A request whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Where the connection was cut.
    pub cut: Cut,
    /// The reference.
    pub reference: String,
    /// The key.
    pub key: String,
    /// What the reference found before.
    pub before: Count,
    /// The exchange that was cut.
    pub exchange: Option<ExchangeId>,
    /// Why the connection was not cut, if so.
    pub whole: Option<String>,
    /// What the same request got afterwards.
    pub retry: Answer,
    /// What exists at the end.
    pub after: Count,
}

/// A key that somebody, or something, else uses too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Crossed {
    /// Whose request, or which operation, it is.
    pub other: String,
    /// The first request with the key.
    pub trial: Trial,
    /// What the other gets with a key of its own.
    pub control: Answer,
    /// What then exists of it.
    pub control_effect: Count,
    /// What the other's reference found before.
    pub before: Count,
    /// What the other gets with the used key.
    pub answer: Answer,
    /// Whether that answer holds the first request's reference.
    pub shows_reference: bool,
    /// What exists of the other's at the end.
    pub after: Count,
}

/// A request repeated after longer whiles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The request.
    pub trial: Trial,
    /// What it got how long after the first answer.
    pub repeats: Vec<(Span, Answer)>,
    /// What exists at the end.
    pub after: Count,
    /// Whether the run ended before every repetition was sent.
    pub cut_short: bool,
}

/// A key first used with an invalid request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reused {
    /// What the reference found before.
    pub before: Count,
    /// What the invalid request got.
    pub invalid: Answer,
    /// What the corrected one got.
    pub corrected: Answer,
    /// What exists at the end.
    pub after: Count,
}

/// What else showed the effects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSeen {
    /// What is counted.
    pub name: String,
    /// What a request that was never repeated has.
    pub control: Count,
    /// What repeated requests have, by reference; the first was repeated after its answer, the others at one instant.
    pub repeated: Vec<(String, Count)>,
}
