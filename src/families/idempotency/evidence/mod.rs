//! What the idempotency probe saw, as facts that rules can judge years later.

mod answer;
mod count;
mod keys;
mod repeats;

pub use answer::{Answer, Got};
pub use count::{BalanceSeen, Count};
pub use keys::{KeyKind, KeyTry, Twin};
pub use repeats::{Changed, ChannelSeen, Crossed, Kept, Lost, Repeated, Reused, Round, Trial};

use serde::{Deserialize, Serialize};

use super::config::{AfterInvalid, Mismatch, Replay};
use crate::{exchange::ExchangeId, notation::Span};

/// Everything the probe of one check saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What the suite declares, as far as rules need it.
    pub declared: Declared,
    /// Why nothing could be seen, if so.
    pub blocked: Option<Blocked>,
    /// A request that was never repeated: what one effect shows elsewhere.
    pub control: Option<Trial>,
    /// A request repeated after it was answered; once more where a balance told another story than the rows.
    pub repeated: Vec<Repeated>,
    /// A key that came again with another body.
    pub changed: Option<Changed>,
    /// Duplicates at one instant.
    pub rounds: Vec<Round>,
    /// Requests whose answer was lost.
    pub cuts: Vec<Lost>,
    /// A key that another client sends too.
    pub other_client: Option<Crossed>,
    /// A key that the same client sends with another operation.
    pub other_operation: Option<Crossed>,
    /// Odd keys.
    pub keys: Vec<KeyTry>,
    /// A request that was sent once at the very end, where something did not show: whether anything new still shows.
    pub closing: Option<Trial>,
    /// What else showed the effects.
    pub channels: Vec<ChannelSeen>,
    /// A request repeated after longer whiles.
    pub kept: Option<Kept>,
    /// A key first used with an invalid request.
    pub reused: Option<Reused>,
    /// How many rows this check created and could not take back, although the suite says how.
    pub left_behind: usize,
    /// Whether the run ended before the probe did.
    pub cut_short: bool,
}

impl Evidence {
    /// Whether anything that was told of success does not show.
    pub fn misses_something(&self) -> bool {
        let missing = |answer: &Answer, count: &Count| answer.is_success() && count.number() == Some(0);
        self.rounds.iter().any(|round| round.answers.iter().any(|answer| missing(answer, &round.after)))
            || self.cuts.iter().any(|lost| missing(&lost.retry, &lost.after))
            || self.keys.iter().filter_map(|tried| tried.twin.as_ref()).any(|twin| missing(&twin.answer, &twin.after))
            || self.reused.iter().any(|reused| missing(&reused.corrected, &reused.after))
    }

    /// Whether what was created last showed: what does not show then does not exist.
    pub fn still_shows(&self) -> bool {
        self.closing.as_ref().and_then(|trial| trial.alone.as_ref()?.number()) == Some(1)
    }
}

/// What the suite declares, as far as rules need it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a statement of the suite")]
pub struct Declared {
    /// The header field that carries the key, if one does.
    pub field: Option<String>,
    /// Whether a request without a key must be refused.
    pub required: bool,
    /// The longest key.
    pub max_length: Option<usize>,
    /// What makes it another request: whether the suite says so.
    pub changed: bool,
    /// Whether the suite says where a row holds what changes.
    pub amount: bool,
    /// What a used key with another body gets.
    pub mismatch: Mismatch,
    /// What a repetition gets.
    pub replay: Option<Replay>,
    /// How long a key may be in progress.
    pub processing: Option<Span>,
    /// How long keys are kept.
    pub retention: Option<Span>,
    /// By how much an effect moves the balance.
    pub each: Option<String>,
    /// Whether the suite names another client, and another operation.
    pub others: [bool; 2],
    /// Whether the suite names anything else that shows an effect.
    pub channels: bool,
    /// Whether the suite says what an invalid request is.
    pub invalid: bool,
    /// What a key gets that was first used with one.
    pub after_invalid: Option<AfterInvalid>,
}

/// Why nothing could be seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// In words.
    pub why: String,
    /// The exchanges that show it.
    pub exchanges: Vec<ExchangeId>,
}
