//! The traffic that shows which limiter decides: a silence, a burst until two refusals, a trickle until something is
//! let through again, what comes back at once, and silences chosen to tell apart the models that remain.
//!
//! Pitfalls: a refused request may prolong the wait, so the trickle is slow and ends with the first success; each run
//! begins at another place of the declared window, or a boundary could hide in the burst every time.

mod allowance;
mod driver;

pub(in crate::families::rate_limit) use allowance::Allowance;

use std::time::Duration;

use futures_util::future::BoxFuture;

use self::driver::Driver;
use crate::families::{
    Session,
    rate_limit::{
        evidence::Decision,
        limiter::{Kept, Kind, infer, kept, runs::Runs},
    },
};

/// Sends the request whose limit is looked at.
pub(in crate::families::rate_limit) trait Limited: Send {
    /// Sends it once; none if there was no answer, or one that is neither success nor refusal.
    fn send(&mut self) -> BoxFuture<'_, Option<Answered>>;

    /// Sends it so many times at once.
    fn together(&mut self, count: u32) -> BoxFuture<'_, Vec<Option<Answered>>>;
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

/// The most runs: two, and a third if they disagree.
const RUNS: usize = 3;

/// Drives two runs, and a third if just one of the two departs from what is declared.
pub(in crate::families::rate_limit) async fn drive(
    session: &dyn Session,
    limited: &mut dyn Limited,
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
        let mut driver = Driver::new(session, &mut *limited, allowance, &runs.runs, silence);
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
