//! One run: what is sent, and when.

use std::time::Duration;

use super::{Allowance, Limited, allowance::USUAL, seconds};
use crate::families::{
    Session,
    rate_limit::limiter::{
        Kind, Means, Next, next_experiment,
        runs::{Phase, PhaseKind, Run},
    },
};

/// How often a model is tried to be told apart in one run.
const EXPERIMENTS: usize = 3;

/// How many answers may be missing before a run is given up.
const PATIENCE: u32 = 3;

/// One run.
pub(super) struct Driver<'a> {
    session: &'a dyn Session,
    limited: &'a mut dyn Limited,
    allowance: &'a Allowance,
    /// The runs before.
    before: &'a [Run],
    pub(super) run: Run,
    sent: u64,
    begun: Duration,
    /// What the last refusal told to wait.
    told: Option<Duration>,
    missing: u32,
    pub(super) ended: Option<String>,
}

impl<'a> Driver<'a> {
    pub(super) fn new(
        session: &'a dyn Session,
        limited: &'a mut dyn Limited,
        allowance: &'a Allowance,
        before: &'a [Run],
        silence: Duration,
    ) -> Self {
        let silence_us = u64::try_from(silence.as_micros()).unwrap_or(u64::MAX);
        Self {
            session,
            limited,
            allowance,
            before,
            run: Run { silence_us, ..Run::default() },
            sent: 0,
            begun: session.now(),
            told: None,
            missing: 0,
            ended: None,
        }
    }

    /// Drives it.
    pub(super) async fn run(&mut self) {
        let alone = self.allowance.declared.model == Some(Kind::Concurrency);
        let most = if alone { 5 } else { self.allowance.burst };
        self.begin(PhaseKind::Burst);
        let refused = self.burst(most).await;
        if self.over() {
            return;
        }
        if !refused {
            self.parallel().await;
            return;
        }
        if self.trickle().await {
            self.begin(PhaseKind::Return);
            let half = self.quota().div_ceil(2).saturating_sub(1);
            let refused = self.burst(half.max(2)).await;
            let back = self.run.phases.last().map_or(0, |phase| phase.decisions.iter().filter(|d| d.admitted).count());
            if refused && back * 4 <= self.quota() as usize {
                self.seep().await;
            }
            if !refused && self.settled().is_some_and(|kinds| kinds == [Kind::FixedWindow]) {
                // What a boundary lets through twice is worth to be seen.
                self.burst(self.allowance.burst).await;
            }
        }
        self.experiments().await;
        self.whole_window().await;
    }

    /// What else comes back before the declared window is over: one request now and then, and whatever follows one
    /// that is let through.
    async fn whole_window(&mut self) {
        const TIMES: f64 = 12.0;
        let Some(window) = self.allowance.declared.window() else { return };
        let end = self.begun + seconds(window * 1.02);
        while !self.over() && self.session.now() < end {
            self.begin(PhaseKind::Trickle);
            self.session.pause(seconds(window / TIMES).max(self.short_wait())).await;
            if self.send(1).await == [true] {
                self.begin(PhaseKind::Return);
                self.burst(self.allowance.burst).await;
            }
        }
    }

    /// What the last refusal told to wait, where that is little: then nothing is sent earlier.
    fn short_wait(&self) -> Duration {
        let told = self.told.unwrap_or_default();
        if told.as_secs_f64() < self.window() / 5.0 { told } else { Duration::ZERO }
    }

    /// As fast as answers come, until two refusals in a row; whether they came.
    async fn burst(&mut self, most: u32) -> bool {
        let mut refused = 0;
        let mut sent = 0;
        while sent < most && !self.over() {
            let chunk = self.chunk().min(most - sent);
            sent += chunk;
            for admitted in self.send(chunk).await {
                refused = if admitted { 0 } else { refused + 1 };
                if refused == 2 {
                    return true;
                }
            }
        }
        false
    }

    /// How many requests are sent at once so that the quota can be spent within a fraction of the window.
    fn chunk(&self) -> u32 {
        const SETTLED: usize = 4;
        let (Some(quota), Some(window)) = (self.allowance.declared.at_once(), self.allowance.declared.window()) else {
            return 1;
        };
        if self.run.decisions().take(SETTLED).count() < SETTLED {
            return 1;
        }
        let parts = f64::from(quota) * self.exchange() / (window / 8.0);
        (1..=32).find(|chunk| f64::from(*chunk) >= parts / 2.0).unwrap_or(32)
    }

    /// One request now and then, until one is let through; whether one was.
    async fn trickle(&mut self) -> bool {
        const MOST: u32 = 40;
        self.begin(PhaseKind::Trickle);
        let window = self.window();
        let period = (window / 25.0).max(self.short_wait().as_secs_f64());
        let horizon = self.allowance.declared.horizon().unwrap_or(window).max(window) * 1.25;
        let begun = self.session.now();
        for n in 1..=MOST {
            let next = begun + seconds(period * f64::from(n));
            if (next.saturating_sub(begun)).as_secs_f64() > horizon || self.over() {
                break;
            }
            self.session.pause(next.saturating_sub(self.session.now())).await;
            if self.send(1).await == [true] {
                return true;
            }
        }
        if self.over() {
            return false;
        }
        // Refused requests may prolong the wait: be silent as long as is told, then ask once more.
        self.begin(PhaseKind::Experiment);
        let silence = self.told.unwrap_or_default().min(self.allowance.silence * 2).max(self.allowance.silence);
        self.session.pause(silence).await;
        self.send(1).await == [true]
    }

    /// Little came back at once: one request now and then for half a window shows whether it goes on so.
    async fn seep(&mut self) {
        const TIMES: u32 = 14;
        self.begin(PhaseKind::Trickle);
        let begun = self.session.now();
        let window = self.window();
        let period = (window / 25.0).max(self.short_wait().as_secs_f64());
        for n in 1..=TIMES {
            let next = begun + seconds(period * f64::from(n));
            if self.over() || period * f64::from(n) > window {
                return;
            }
            self.session.pause(next.saturating_sub(self.session.now())).await;
            self.send(1).await;
        }
    }

    /// Silences and bursts that tell apart what remains.
    async fn experiments(&mut self) {
        for _ in 0..EXPERIMENTS {
            if self.over() {
                return;
            }
            let elapsed = self.session.now().saturating_sub(self.begun);
            let means = Means {
                requests: self.allowance.requests.saturating_sub(self.sent),
                seconds: self.allowance.time.saturating_sub(elapsed).as_secs_f64(),
                exchange: self.exchange(),
            };
            let next = next_experiment(&self.allowance.declared, self.before, &self.run, &means);
            let Next::Try(experiment) = next else {
                return;
            };
            for (silence, most) in experiment.stages {
                self.begin(PhaseKind::Experiment);
                self.session.pause(seconds(silence)).await;
                self.burst(most).await;
            }
        }
    }

    /// What happens to requests that are under way at once.
    async fn parallel(&mut self) {
        const TIMES: u32 = 4;
        let many = self.quota().saturating_add(2);
        self.begin(PhaseKind::Parallel);
        for _ in 0..TIMES {
            if self.over() || self.sent + u64::from(many) > self.allowance.requests {
                return;
            }
            self.send(many).await;
        }
    }

    /// The kinds that still explain the run, if it is settled.
    fn settled(&self) -> Option<Vec<Kind>> {
        let means = Means { requests: 0, seconds: 0.0, exchange: 0.0 };
        match next_experiment(&self.allowance.declared, self.before, &self.run, &means) {
            Next::Settled(kinds) => Some(kinds),
            Next::Indistinct | Next::Try(_) => None,
        }
    }

    fn begin(&mut self, kind: PhaseKind) {
        self.run.phases.push(Phase { kind, decisions: Vec::new() });
    }

    /// Sends so many requests at once; whether each was let through, as far as there was an answer.
    async fn send(&mut self, count: u32) -> Vec<bool> {
        let left = self.allowance.requests.saturating_sub(self.sent);
        let count = u32::try_from(left).unwrap_or(u32::MAX).min(count);
        self.sent += u64::from(count);
        let answers = match count {
            0 => Vec::new(),
            1 => vec![self.limited.send().await],
            _ => self.limited.together(count).await,
        };
        let first = self.run.decisions().next().is_none();
        let mut admitted = Vec::with_capacity(answers.len());
        for answer in answers {
            let Some(answer) = answer else {
                self.missing += 1;
                if self.missing >= PATIENCE {
                    self.ended = Some("requests had no answer that says whether they were let through".to_owned());
                }
                continue;
            };
            if first && admitted.is_empty() {
                self.run.remaining = answer.remaining;
            }
            if answer.banned {
                self.ended = Some(format!("the client was shut out with status {}", answer.decision.status));
            }
            if !answer.decision.admitted {
                self.told = answer.told.or(self.told);
            }
            admitted.push(answer.decision.admitted);
            if let Some(phase) = self.run.phases.last_mut() {
                phase.decisions.push(answer.decision);
            }
        }
        admitted
    }

    /// Whether nothing more may be sent.
    fn over(&self) -> bool {
        self.ended.is_some() || self.sent >= self.allowance.requests || self.session.stopping()
    }

    /// What a rested limiter lets through at once, as declared or as seen.
    fn quota(&self) -> u32 {
        let seen = self
            .run
            .phases
            .first()
            .map_or(0, |burst| burst.decisions.iter().take_while(|decision| decision.admitted).count());
        self.allowance.declared.at_once().unwrap_or_else(|| u32::try_from(seen).unwrap_or(u32::MAX))
    }

    /// The window as declared, as told, or a usual one; in seconds.
    fn window(&self) -> f64 {
        let told = self.told.map(|told| told.as_secs_f64()).filter(|told| *told > 0.0);
        self.allowance.declared.window().or(told).unwrap_or(USUAL)
    }

    /// How long an exchange takes, in seconds.
    fn exchange(&self) -> f64 {
        let taken = self.run.decisions().map(|d| d.received_us.saturating_sub(d.sent_us));
        let (sum, count) =
            taken.fold((Duration::ZERO, 0_u32), |(sum, count), us| (sum + Duration::from_micros(us), count + 1));
        if count == 0 { 0.0 } else { (sum / count).as_secs_f64() }
    }
}
