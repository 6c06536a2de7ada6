//! Finds out which kind of limiter decides, with the limited request and within what the plan allows.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{
    super::{
        config::{Config, Model},
        evidence::{Answer, Kind as AnswerKind},
        limiter::{Kind, runs::Declared},
        signal,
    },
    model::{Allowance, Answered, Limited, drive},
    prober::Prober,
};

/// What finding out may take.
pub(in super::super) fn allowance(config: &Config) -> Allowance {
    let limit = config.limit.as_ref();
    let number = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
    let declared = Declared {
        quota: limit.map(|limit| number(limit.quota)),
        window_us: limit
            .and_then(|limit| limit.window)
            .map(|window| u64::try_from(window.0.as_micros()).unwrap_or(u64::MAX)),
        burst: limit.map_or(0, |limit| number(limit.burst)),
        model: limit.and_then(|limit| limit.model).map(kind),
    };
    Allowance::new(declared, number(config.budget()), Duration::from_secs(2))
}

fn kind(model: Model) -> Kind {
    match model {
        Model::TokenBucket => Kind::TokenBucket,
        Model::FixedWindow => Kind::FixedWindow,
        Model::SlidingLog => Kind::SlidingLog,
        Model::SlidingCounter => Kind::SlidingCounter,
        Model::Concurrency => Kind::Concurrency,
    }
}

impl Prober<'_> {
    pub(super) async fn drive_model(&mut self) {
        let session = self.session;
        let mut allowance = allowance(self.config);
        // A limit that takes longer than its window to recover, for a block is on top of it, begins at rest all the same.
        let told = self.evidence.waits.iter().filter_map(|wait| wait.told_ms).max().map(Duration::from_millis);
        let known = self.window().max(told).unwrap_or_default();
        allowance.silence = allowance.silence.max(known);
        let mut limited = Plain { prober: self };
        let runs = drive(session, &mut limited, &allowance).await;
        self.evidence.model = Some(runs);
    }

    fn answered(&self, answer: &Answer) -> Option<Answered> {
        let told = || signal::told(answer, &self.config.signal, &self.evidence.clock).map(|told| told.wait);
        let remaining = || signal::remaining(answer, &self.config.signal);
        match answer.kind {
            AnswerKind::Admitted => {
                Some(Answered { decision: answer.decision(), told: None, remaining: remaining(), banned: false })
            }
            AnswerKind::Refused | AnswerKind::Banned => Some(Answered {
                decision: answer.decision(),
                told: told(),
                remaining: remaining(),
                banned: answer.kind == AnswerKind::Banned,
            }),
            AnswerKind::Unavailable | AnswerKind::Other => None,
        }
    }
}

/// The limited request.
struct Plain<'p, 'a> {
    prober: &'p mut Prober<'a>,
}

impl Limited for Plain<'_, '_> {
    fn send(&mut self) -> BoxFuture<'_, Option<Answered>> {
        async move {
            let answer = self.prober.ask_limited().await?;
            self.prober.answered(&answer)
        }
        .boxed()
    }

    fn together(&mut self, count: u32) -> BoxFuture<'_, Vec<Option<Answered>>> {
        async move {
            let answers = self.prober.ask_together(u64::from(count)).await;
            answers.iter().map(|answer| self.prober.answered(answer)).collect()
        }
        .boxed()
    }
}
