//! One run in seconds since its first request, ready to be held against models.

use std::time::Duration;

use super::runs::Run;
use crate::families::rate_limit::evidence::Decision;

/// A decision at an unknown instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    pub(super) sent: f64,
    pub(super) received: f64,
    pub(super) admitted: bool,
    /// Of one that was refused while others were under way that were let through: how many of those follow, and how
    /// many of any kind. Which was decided first is not known, so all of them may have come before.
    pub(super) beside: Option<(u32, u32)>,
}

impl Sample {
    /// How many more than those before it may have counted when it was decided.
    pub(super) fn more(&self, counted: Counted) -> u32 {
        match (self.beside, counted) {
            (None, _) => 0,
            (Some((admitted, _)), Counted::Admitted) => admitted,
            (Some((_, all)), Counted::All) => all,
        }
    }

    /// Whether it was refused, after whatever comes before it.
    pub(super) fn refused(&self) -> bool {
        !self.admitted && self.beside.is_none()
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.sent <= other.received && other.sent <= self.received
    }
}

/// What counts against a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// Requests that were let through.
    Admitted,
    /// Every request.
    All,
}

/// Some instants, each known to lie between two bounds: the n-th earliest lies between the n-th earliest bounds.
#[derive(Debug, Clone, Default)]
pub(super) struct Instants {
    pub(super) earliest: Vec<f64>,
    pub(super) latest: Vec<f64>,
}

impl Instants {
    fn new<'a>(samples: impl Iterator<Item = &'a Sample> + Clone) -> Self {
        let sorted = |mut instants: Vec<f64>| {
            instants.sort_by(f64::total_cmp);
            instants
        };
        Self {
            earliest: sorted(samples.clone().map(|sample| sample.sent).collect()),
            latest: sorted(samples.map(|sample| sample.received).collect()),
        }
    }

    /// How many surely lie before an instant.
    pub(super) fn surely_before(&self, instant: f64) -> usize {
        self.latest.partition_point(|latest| *latest < instant)
    }

    /// How many may lie before an instant.
    pub(super) fn maybe_before(&self, instant: f64) -> usize {
        self.earliest.partition_point(|earliest| *earliest <= instant)
    }
}

/// One run in seconds since its first request.
#[derive(Debug, Clone)]
pub(super) struct Trace {
    /// In the order of sending; requests that were under way at once, in the order of their answers.
    pub(super) samples: Vec<Sample>,
    /// How long nothing was sent before; without end if a limiter of the declared window is known to be fresh.
    pub(super) silence: f64,
    /// The same for limiters that remember more than one window.
    pub(super) silence_seen: f64,
    admitted: Instants,
    all: Instants,
}

impl Trace {
    /// A run, with every instant made less certain by so many seconds in both directions. A limiter is taken to be
    /// fresh after a silence of `horizon` seconds.
    pub(super) fn new(run: &Run, blur: f64, horizon: Option<f64>) -> Self {
        let zero = run.decisions().map(|decision| decision.sent_us).min().unwrap_or_default();
        let seconds = |us: u64| Duration::from_micros(us.saturating_sub(zero)).as_secs_f64();
        let sample = |decision: &Decision| Sample {
            sent: seconds(decision.sent_us) - blur,
            received: seconds(decision.received_us.max(decision.sent_us)) + blur,
            admitted: decision.admitted,
            beside: None,
        };
        let mut samples: Vec<Sample> = run.decisions().map(sample).collect();
        samples.sort_by(|one, other| one.sent.total_cmp(&other.sent));
        let mut from = 0;
        while from < samples.len() {
            let mut end = samples[from].received - 2.0 * blur;
            let mut to = from + 1;
            while to < samples.len() && samples[to].sent < end {
                end = end.max(samples[to].received - 2.0 * blur);
                to += 1;
            }
            // Of requests that were sent at once and fared alike, the order of their answers will do.
            samples[from..to].sort_by(|one, other| one.received.total_cmp(&other.received));
            mark(&mut samples[from..to]);
            from = to;
        }
        let admitted = Instants::new(samples.iter().filter(|sample| sample.admitted));
        let all = Instants::new(samples.iter());
        let silence_seen = run.silence();
        let fresh = horizon.is_some_and(|horizon| silence_seen >= horizon);
        // Without a horizon to wait for, it is what was seen that says so, of every kind.
        let surely = horizon.is_some_and(|horizon| horizon <= 0.0);
        Self {
            samples,
            silence: if fresh { f64::INFINITY } else { silence_seen },
            silence_seen: if surely { f64::INFINITY } else { silence_seen },
            admitted,
            all,
        }
    }

    pub(super) const fn counted(&self, counted: Counted) -> &Instants {
        match counted {
            Counted::Admitted => &self.admitted,
            Counted::All => &self.all,
        }
    }

    /// Every request.
    pub(super) const fn all(&self) -> &Instants {
        &self.all
    }

    pub(super) fn has_refusals(&self) -> bool {
        self.samples.iter().any(|sample| !sample.admitted)
    }

    /// From the first request to the last answer, in seconds.
    pub(super) fn length(&self) -> f64 {
        self.all.latest.last().copied().unwrap_or_default()
    }

    /// How many were let through before the first refusal, and in how many seconds.
    pub(super) fn first_burst(&self) -> (u32, f64) {
        let burst = self.samples.iter().take_while(|sample| !sample.refused()).filter(|sample| sample.admitted);
        let (count, end) = burst.fold((0, 0.0), |(count, _), sample| (count + 1, sample.received));
        (count, end)
    }

    /// How many were let through.
    pub(super) fn admitted(&self) -> u32 {
        u32::try_from(self.admitted.earliest.len()).unwrap_or(u32::MAX)
    }

    /// How long an exchange takes.
    pub(super) fn exchange(&self) -> f64 {
        let taken = self.samples.iter().map(|sample| sample.received - sample.sent);
        let (sum, count) = taken.fold((0.0, 0.0), |(sum, count), taken| (sum + taken, count + 1.0));
        if count > 0.0 { sum / count } else { 0.0 }
    }
}

/// Marks refusals whose order among those let through is not known.
fn mark(together: &mut [Sample]) {
    if together.iter().all(|sample| !sample.admitted) {
        return;
    }
    let (mut admitted, mut all) = (0, 0);
    for sample in together.iter_mut().rev() {
        if sample.admitted {
            admitted += 1;
        } else {
            sample.beside = Some((admitted, all));
        }
        all += 1;
    }
}
