//! What the behaviour of the API makes of a kind of limit.

use std::time::Duration;

use super::{Kind, decision::Limit, model::Model};
use crate::reference::{
    behaviour::Behaviour,
    defects::rate as defect,
    times::Times,
    variants::{LIMITS_DELAYS, LIMITS_ONE_TOKEN, LIMITS_SILENCE_NEEDED, LIMITS_WINDOW_ALIGNED, LIMITS_ZERO_NOW},
};

/// By how much a told wait falls short where a defect shortens it: more than clients add for safety.
const SHORT_BY: Duration = Duration::from_secs(2);

/// How requests of one kind are limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) model: Model,
    /// What is enforced.
    pub(super) limit: Limit,
    /// The quota that is said.
    pub(super) advertised: u32,
    /// The window that is said; none for concurrency.
    pub(super) window: Option<Duration>,
    /// How long each admitted request is worked on.
    pub(super) hold: Duration,
    pub(super) never_refuses: bool,
    /// What a refused request brings about.
    pub(super) block: Option<Block>,
    /// A refused caller is told when one request is admitted, rather than when the quota is whole again.
    pub(super) tells_single: bool,
    /// A caller who could come within a second is told to come at once, and then admitted.
    pub(super) owes_at_once: bool,
}

/// A time in which nothing is admitted; each refused request restarts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) told: Duration,
    pub(super) lasts: Duration,
}

impl Terms {
    pub(super) fn of(kind: Kind, is: &Behaviour, times: &Times) -> Self {
        let quota = times.limit_quota.max(1);
        let enforced = if is.has(defect::ADMITS_DOUBLE) {
            quota.saturating_mul(2)
        } else if is.has(defect::THROTTLES_EARLY) {
            (quota / 2).max(1)
        } else {
            quota
        };
        let window = times.limit_window.clamp(Duration::from_millis(1), Duration::from_hours(24));
        let hold = if kind == Kind::Concurrency { times.limit_hold } else { Duration::ZERO };
        // Who is worked on counts, and each is worked on for the same time.
        let counted = if kind == Kind::Concurrency { hold.max(Duration::from_millis(1)) } else { window };
        let block = if is.has(defect::RETRY_AFTER_TOO_SHORT) {
            Some(Block { told: window, lasts: window + SHORT_BY })
        } else if is.is(LIMITS_SILENCE_NEEDED) && kind != Kind::Concurrency {
            Some(Block { told: window, lasts: window })
        } else {
            None
        };
        let is_bucket = kind == Kind::Bucket;
        Self {
            model: model(kind, is),
            limit: Limit { quota: enforced, window: counted },
            advertised: quota,
            window: (kind != Kind::Concurrency).then_some(window),
            hold,
            never_refuses: is.has(defect::NEVER_LIMITS),
            block,
            tells_single: is_bucket && (is.is(LIMITS_ONE_TOKEN) || is.is(LIMITS_ZERO_NOW)),
            owes_at_once: is_bucket && is.is(LIMITS_ZERO_NOW),
        }
    }
}

fn model(kind: Kind, is: &Behaviour) -> Model {
    let fixed_window = Model::FixedWindow { aligned: is.is(LIMITS_WINDOW_ALIGNED) };
    match kind {
        Kind::Concurrency => Model::SlidingLog,
        _ if is.is(LIMITS_DELAYS) => Model::Queue,
        Kind::Bucket | Kind::Log if is.has(defect::FIXED_WINDOW_INSTEAD) => fixed_window,
        Kind::Window => fixed_window,
        Kind::Bucket => Model::TokenBucket,
        Kind::Log => Model::SlidingLog,
        Kind::Counter => Model::SlidingCounter,
    }
}
