//! Bursts that spend the limit.

use std::time::Duration;

use super::{
    super::{
        config::{Limit, Model},
        evidence::{Answer, Burst, Kind},
    },
    prober::Prober,
};

/// The longest that requests go on one after another.
const LONGEST: Duration = Duration::from_mins(1);
/// Where no window is known: how long requests go one after another before they go side by side.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most requests side by side.
const SIDE_BY_SIDE: u64 = 64;

impl Prober<'_> {
    /// Asks until two requests in a row are refused, or the budget is spent; says whether one was refused.
    pub(super) async fn spend(&mut self) -> bool {
        let mut burst = Burst::default();
        let mut left = self.config.budget();
        let concurrency = self.config.limit.as_ref().is_some_and(|limit| limit.model == Some(Model::Concurrency));
        if !concurrency {
            left = self.one_after_another(&mut burst, left).await;
        }
        burst.sequential = burst.answers.len();
        if burst.given_up.is_none() && burst.refusal().is_none() {
            self.side_by_side(&mut burst, left).await;
        }
        let refused = burst.refusal().is_some();
        self.evidence.bursts.push(burst);
        refused
    }

    async fn one_after_another(&mut self, burst: &mut Burst, mut left: u64) -> u64 {
        let begin = self.session.now();
        let mut stops = 0;
        while left > 0 && stops < 2 {
            if self.session.stopping() {
                burst.given_up = Some("the run ended".into());
                break;
            }
            left -= 1;
            let Some(answer) = self.ask_limited().await else {
                burst.unanswered += 1;
                if burst.unanswered >= 3 {
                    burst.given_up = Some(format!("requests got no answer: {}", self.trouble()));
                    break;
                }
                continue;
            };
            let kind = answer.kind;
            burst.answers.push(answer);
            match kind {
                Kind::Admitted => stops = 0,
                Kind::Refused | Kind::Banned | Kind::Unavailable => stops += 1,
                Kind::Other => {
                    stops += 1;
                    if stops == 2 {
                        let status = burst.answers.last().map_or(0, |answer| answer.status);
                        burst.given_up = Some(format!("requests were answered with status {status}"));
                    }
                }
            }
            if stops == 2 && kind == Kind::Unavailable && burst.refusal().is_none() {
                burst.given_up = Some("requests were answered with status 503".into());
            }
            let elapsed = self.session.now().saturating_sub(begin);
            if stops == 0 && (elapsed > LONGEST || self.is_too_slow(burst, elapsed)) {
                break;
            }
        }
        left
    }

    /// Whether requests one after another take so long that they never spend the limit.
    fn is_too_slow(&self, burst: &Burst, elapsed: Duration) -> bool {
        let Some((most, window)) = self.config.limit.as_ref().map(Limit::most).zip(self.window()) else {
            return elapsed > PATIENCE;
        };
        let Some(last) = burst.answers.last_chunk::<3>() else { return false };
        let each = last.iter().map(Answer::took).sum::<Duration>() / 3;
        each.saturating_mul(u32::try_from(most.saturating_add(2)).unwrap_or(u32::MAX)) > window
    }

    async fn side_by_side(&mut self, burst: &mut Burst, mut left: u64) {
        let begin = self.session.now();
        let most = self.config.limit.as_ref().map_or(20, Limit::most);
        while left > 0 && !self.session.stopping() && self.session.now().saturating_sub(begin) < LONGEST {
            let count = left.min(most.saturating_add(5)).min(SIDE_BY_SIDE);
            left -= count;
            let mut answers = self.ask_together(count).await;
            burst.unanswered += u32::try_from(count.saturating_sub(answers.len() as u64)).unwrap_or(u32::MAX);
            answers.sort_by_key(|answer| answer.received_us);
            let stopped = answers.is_empty() || answers.iter().any(|answer| !answer.is_admitted());
            burst.answers.extend(answers);
            if stopped {
                break;
            }
        }
    }
}
