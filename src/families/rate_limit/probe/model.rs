//! The traffic that shows which limiter decides: a silence, a burst until two refusals, a trickle until something is
//! let through again, what comes back at once, and silences chosen to tell apart the models that remain.
//!
//! Pitfalls: a refused request may prolong the wait, so the trickle is slow and ends with the first success; each run
//! begins at another place of the declared window, or a boundary could hide in the burst every time.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::families::{
    Session,
    rate_limit::{
        evidence::Decision,
        limiter::{
            Kept, Kind, Means, Next, infer, kept, next_experiment,
            runs::{Declared, Phase, PhaseKind, Run, Runs},
        },
    },
};

/// Sends the request whose limit is looked at.
pub(in crate::families::rate_limit) trait Limited: Sync {
    /// Sends it once; none if there was no answer, or one that is neither success nor refusal.
    fn send(&self) -> BoxFuture<'_, Option<Answered>>;

    /// Sends it so many times at once.
    fn together(&self, count: u32) -> BoxFuture<'_, Vec<Option<Answered>>>;
}

/// What an answer shows.
#[derive(Debug, Clone, Copy)]
pub(in crate::families::rate_limit) struct Answered {
    /// What was decided.
    pub(in crate::families::rate_limit) decision: Decision,
    /// How long it tells to wait.
    pub(in crate::families::rate_limit) told: Option<Duration>,
    /// How many requests it says are left.
    pub(in crate::families::rate_limit) remaining: Option<u64>,
    /// Whether it threatens worse than a refusal (a ban): nothing more is sent.
    pub(in crate::families::rate_limit) banned: bool,
}

/// What a drive may take.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::families::rate_limit) struct Allowance {
    /// What the suite declares.
    pub(in crate::families::rate_limit) declared: Declared,
    /// The most requests of a burst.
    pub(in crate::families::rate_limit) burst: u32,
    /// The most requests of one run.
    pub(in crate::families::rate_limit) requests: u64,
    /// About the longest time of one run, its first silence left out.
    pub(in crate::families::rate_limit) time: Duration,
    /// The silence before a run, at least.
    pub(in crate::families::rate_limit) silence: Duration,
}

/// The most runs: two, and a third if they disagree.
const RUNS: usize = 3;

/// How often a model is tried to be told apart in one run.
const EXPERIMENTS: usize = 3;

/// How many answers may be missing before a run is given up.
const PATIENCE: u32 = 3;

/// The window that is assumed where none is declared or told.
const USUAL: f64 = 2.0;

impl Allowance {
    /// For a declared limit; `burst` bounds a burst where no quota is declared, `silence` where no window is.
    pub(in crate::families::rate_limit) fn new(declared: Declared, burst: u32, silence: Duration) -> Self {
        let window = declared.window().unwrap_or(USUAL);
        let own = declared.horizon().map_or(silence, |horizon| seconds(horizon * 1.05));
        let burst = declared.at_once().map_or(burst, |at_once| at_once.saturating_mul(2).saturating_add(6));
        let of_quotas = declared.at_once().map_or(u64::from(burst) * 2, |at_once| u64::from(at_once) * 3) + 60;
        Self {
            burst,
            requests: of_quotas.max(u64::from(burst)),
            time: seconds(2.7 * window.max(declared.horizon().unwrap_or(window))),
            silence: own,
            declared,
        }
    }

    /// The most requests that everything takes.
    pub(in crate::families::rate_limit) fn most_requests(&self) -> u64 {
        3 * self.requests
    }

    /// About the longest time that everything takes, answers that are slow aside.
    pub(in crate::families::rate_limit) fn longest(&self) -> Duration {
        let window = self.declared.window().unwrap_or(USUAL);
        let rest = self.silence.max(seconds(window * 2.05)) + seconds(window * 0.6);
        3 * (self.time + rest)
    }
}

/// Drives two runs, and a third if just one of the two departs from what is declared.
pub(in crate::families::rate_limit) async fn drive(
    session: &dyn Session,
    limited: &dyn Limited,
    allowance: &Allowance,
) -> Runs {
    let mut runs = Runs { declared: allowance.declared.clone(), ..Runs::default() };
    let mut begun: Vec<Duration> = Vec::new();
    while runs.runs.len() < RUNS {
        if runs.runs.len() == RUNS - 1 && !disagree(&runs) {
            break;
        }
        let silence = rest(session, allowance, forgotten(&runs), &begun);
        session.pause(silence).await;
        begun.push(session.now());
        let mut driver = Driver::new(session, limited, allowance, &runs.runs, silence);
        driver.run().await;
        let Driver { run, ended, .. } = driver;
        runs.ended = ended;
        if run.phases.iter().any(|phase| !phase.decisions.is_empty()) {
            runs.runs.push(run);
        }
        if runs.ended.is_some() || session.stopping() {
            break;
        }
    }
    if session.stopping() && runs.ended.is_none() {
        runs.ended = Some("the run ended before it was done".to_owned());
    }
    runs
}

/// Whether just one of the runs departs from what is declared.
fn disagree(runs: &Runs) -> bool {
    let outside = |kept: &&Kept| matches!(kept, Kept::Over(_) | Kept::Early(_));
    kept(&runs.declared, &runs.runs).is_some_and(|all| all.iter().filter(outside).count() == 1)
}

/// After how long a limiter remembers nothing: a sliding counter, if it may be one, after two windows.
fn forgotten(runs: &Runs) -> Duration {
    let (Some(run), Some(window)) = (runs.runs.last(), runs.declared.window()) else { return Duration::ZERO };
    let kinds = infer(&runs.declared, std::slice::from_ref(run)).kinds();
    if kinds.contains(&Kind::SlidingCounter) { seconds(window * 2.05) } else { Duration::ZERO }
}

/// How long to be silent before a run: long enough for a fresh limiter, and so that the run begins at another place of
/// the window than those before.
fn rest(session: &dyn Session, allowance: &Allowance, forgotten: Duration, begun: &[Duration]) -> Duration {
    let least = allowance.silence.max(forgotten);
    let Some(window) = allowance.declared.window() else { return least };
    let near = |silence: f64| {
        begun.iter().any(|begun| {
            let at = session.now().as_secs_f64() + silence - begun.as_secs_f64();
            let place = (at / window).fract();
            !(0.17..=0.83).contains(&place)
        })
    };
    let shifts = [0.0, 0.2, 0.4, 0.6].map(|share| least.as_secs_f64() + share * window);
    shifts.into_iter().find(|silence| !near(*silence)).map_or(least, seconds)
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)
}

/// One run.
struct Driver<'a> {
    session: &'a dyn Session,
    limited: &'a dyn Limited,
    allowance: &'a Allowance,
    /// The runs before.
    before: &'a [Run],
    run: Run,
    sent: u64,
    begun: Duration,
    /// What the last refusal told to wait.
    told: Option<Duration>,
    missing: u32,
    ended: Option<String>,
}

impl<'a> Driver<'a> {
    fn new(
        session: &'a dyn Session,
        limited: &'a dyn Limited,
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

    async fn run(&mut self) {
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
