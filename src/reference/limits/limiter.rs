//! What one key may still send: a model, and what the terms do with a refusal.

use std::time::Duration;

use super::{
    decision::{Decision, Standing},
    model::{Model, State},
    terms::Terms,
};

/// One key's limit.
#[derive(Debug, Clone)]
pub(super) struct Limiter {
    state: State,
    /// Nothing is admitted before.
    blocked_until: Duration,
    /// How many requests in a row were refused.
    refused: u32,
    /// The next request was told to come at once.
    is_owed: bool,
    /// When that was last said.
    owed_at: Option<Duration>,
}

impl Limiter {
    pub(super) fn new(model: Model) -> Self {
        Self { state: State::new(model), blocked_until: Duration::ZERO, refused: 0, is_owed: false, owed_at: None }
    }

    /// Decides on one request. Instants must not go backwards.
    pub(super) fn decide(&mut self, terms: &Terms, at: Duration) -> Decision {
        let (mut standing, queued) = self.stand(terms, at);
        if terms.never_refuses {
            standing.admitted = true;
        }
        let mut told = if terms.tells_single && !standing.admitted { standing.wait } else { standing.reset };
        if standing.admitted {
            self.refused = 0;
        } else {
            self.refused = self.refused.saturating_add(1);
            told = self.refuse(terms, at, told);
        }
        Decision {
            admitted: standing.admitted,
            used: terms.limit.quota.saturating_sub(standing.remaining),
            refused: self.refused,
            told,
            delay: if standing.admitted { queued.max(terms.hold) } else { Duration::ZERO },
        }
    }

    fn stand(&mut self, terms: &Terms, at: Duration) -> (Standing, Duration) {
        if std::mem::take(&mut self.is_owed) {
            let standing = Standing { admitted: true, remaining: 0, wait: Duration::ZERO, reset: terms.limit.window };
            return (standing, Duration::ZERO);
        }
        if at < self.blocked_until {
            let wait = self.blocked_until.saturating_sub(at);
            return (Standing { admitted: false, remaining: 0, wait, reset: wait }, Duration::ZERO);
        }
        self.state.take(terms.limit, at)
    }

    /// What follows from a refusal: returns the wait that is told.
    fn refuse(&mut self, terms: &Terms, at: Duration, told: Duration) -> Duration {
        if let Some(block) = terms.block {
            self.blocked_until = at + block.lasts;
            return block.told;
        }
        let is_time = self.owed_at.is_none_or(|last| last + terms.limit.window <= at);
        if terms.owes_at_once && told < Duration::from_secs(1) && is_time {
            self.is_owed = true;
            self.owed_at = Some(at);
            return Duration::ZERO;
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            decision::Limit,
            terms::{Block, Terms},
        },
        Decision, Duration, Limiter, Model,
    };

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn terms(model: Model) -> Terms {
        Terms {
            model,
            limit: Limit { quota: 3, window: at(2_000) },
            advertised: 3,
            window: Some(at(2_000)),
            hold: Duration::ZERO,
            never_refuses: false,
            block: None,
            tells_single: false,
            owes_at_once: false,
        }
    }

    fn burst(limiter: &mut Limiter, terms: &Terms, millis: u64, count: usize) -> Vec<Decision> {
        (0..count).map(|_| limiter.decide(terms, at(millis))).collect()
    }

    const WINDOW: Model = Model::FixedWindow { aligned: false };

    #[test]
    fn a_refusal_tells_the_wait_and_refusals_in_a_row_are_counted() {
        let (terms, mut limiter) = (terms(WINDOW), Limiter::new(WINDOW));
        let all = burst(&mut limiter, &terms, 500, 5);
        assert_eq!(
            all.iter().map(|d| (d.admitted, d.used, d.refused)).collect::<Vec<_>>(),
            [(true, 1, 0), (true, 2, 0), (true, 3, 0), (false, 3, 1), (false, 3, 2)]
        );
        assert_eq!(limiter.decide(&terms, at(1_200)).told, at(1_300));
        assert_eq!(limiter.decide(&terms, at(2_500)).refused, 0);
    }

    #[test]
    fn silence_as_told_ends_a_block_and_each_request_before_restarts_it() {
        let mut terms = terms(Model::TokenBucket);
        terms.block = Some(Block { told: at(2_000), lasts: at(2_000) });
        let mut limiter = Limiter::new(terms.model);
        assert_eq!(burst(&mut limiter, &terms, 0, 4)[3].told, at(2_000));
        assert_eq!(limiter.decide(&terms, at(1_999)).told, at(2_000));
        assert!(!limiter.decide(&terms, at(3_998)).admitted);
        assert!(limiter.decide(&terms, at(5_998)).admitted);
    }

    #[test]
    fn a_wait_that_is_told_too_short_is_refused_every_time() {
        let mut terms = terms(WINDOW);
        terms.block = Some(Block { told: at(2_000), lasts: at(4_000) });
        let mut limiter = Limiter::new(terms.model);
        assert_eq!(burst(&mut limiter, &terms, 0, 4)[3].told, at(2_000));
        for millis in [3_500, 7_000, 10_500] {
            let again = limiter.decide(&terms, at(millis));
            assert_eq!((again.admitted, again.told), (false, at(2_000)));
        }
        assert!(limiter.decide(&terms, at(14_500)).admitted);
    }

    #[test]
    fn who_is_told_zero_is_admitted_once_per_window() {
        let mut terms = terms(Model::TokenBucket);
        (terms.tells_single, terms.owes_at_once) = (true, true);
        let mut limiter = Limiter::new(terms.model);
        let all = burst(&mut limiter, &terms, 0, 6);
        assert_eq!(all.iter().map(|d| d.admitted).collect::<Vec<_>>(), [true, true, true, false, true, false]);
        assert_eq!((all[3].told, all[5].told), (Duration::ZERO, Duration::from_nanos(666_666_667)));
        assert_eq!(burst(&mut limiter, &terms, 2_000, 4)[3].told, Duration::ZERO);
    }

    #[test]
    fn a_limit_that_never_refuses_still_counts() {
        let mut terms = terms(WINDOW);
        terms.never_refuses = true;
        let all = burst(&mut Limiter::new(terms.model), &terms, 0, 9);
        assert!(all.iter().all(|decision| decision.admitted && decision.refused == 0));
        assert_eq!(all[8].used, 3);
    }

    #[test]
    fn a_held_request_keeps_its_place_until_it_is_answered() {
        let mut terms = terms(Model::SlidingLog);
        terms.limit.window = at(100);
        terms.hold = at(100);
        let mut limiter = Limiter::new(terms.model);
        let all = burst(&mut limiter, &terms, 0, 4);
        assert_eq!((all[0].delay, all[3].admitted, all[3].delay), (at(100), false, Duration::ZERO));
        assert!(!limiter.decide(&terms, at(99)).admitted);
        assert!(limiter.decide(&terms, at(100)).admitted);
    }
}
