//! Whether fincheck itself was late: on a machine that is busy with other things, what looks like a slow target may be
//! a slow observer.

use std::{
    convert::Infallible,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::lock;

/// How often the clock is looked at.
const TICK: Duration = Duration::from_millis(50);
/// Being late by less is what schedulers do.
const LEAST: Duration = Duration::from_millis(50);

/// When fincheck was late, and by how much.
#[derive(Debug, Default)]
pub(super) struct Lateness(Mutex<Watch>);

#[derive(Debug, Default)]
struct Watch {
    /// When the clock was looked at last, since the start of the run; never if absent.
    last: Option<Duration>,
    spells: Vec<Spell>,
}

/// A time at which fincheck did not get to work.
#[derive(Debug, Clone, Copy)]
struct Spell {
    /// When it ended, since the start of the run.
    end: Duration,
    /// How long it was.
    long: Duration,
}

impl Lateness {
    /// Looks at the clock again and again, and never ends.
    pub(super) async fn watch(&self, now: impl Fn() -> Duration) -> Infallible {
        loop {
            let before = Instant::now();
            tokio::time::sleep(TICK).await;
            self.woke(before.elapsed(), now());
        }
    }

    fn woke(&self, after: Duration, now: Duration) {
        let mut watch = lock(&self.0);
        watch.last = Some(now);
        let long = after.saturating_sub(TICK);
        if long >= LEAST {
            watch.spells.push(Spell { end: now, long });
        }
    }

    /// How long in all it was late between two instants of the run, where it is `now`. When a thread goes on after it was
    /// held up, whoever asks may be earlier than the watch: the time since it looked last counts, too.
    pub(super) fn between(&self, from: Duration, to: Duration, now: Duration) -> Duration {
        let watch = lock(&self.0);
        let long = watch.last.map_or(Duration::ZERO, |last| now.saturating_sub(last).saturating_sub(TICK));
        let current = Some(Spell { end: now, long }).filter(|spell| spell.long >= LEAST);
        let within = current.iter().chain(watch.spells.iter().rev()).take_while(|spell| spell.end > from);
        within.map(|spell| spell.end.min(to).saturating_sub(spell.end.saturating_sub(spell.long).max(from))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_between_two_instants_counts() {
        let ms = Duration::from_millis;
        let lateness = Lateness::default();
        lateness.woke(ms(60), ms(100));
        assert_eq!(lateness.between(ms(0), ms(200), ms(100)), ms(0));
        lateness.woke(ms(750), ms(1_000));
        lateness.woke(ms(250), ms(2_000));
        let between = |from, to| lateness.between(ms(from), ms(to), ms(2_010)).as_millis();
        assert_eq!(
            [between(0, 3_000), between(900, 1_900), between(1_000, 1_800), between(2_000, 3_000)],
            [900, 200, 0, 0]
        );
        // What goes on now: the clock was to be looked at at 2,050.
        let current = |from, to| lateness.between(ms(from), ms(to), ms(9_000)).as_millis();
        assert_eq!([current(2_000, 9_000), current(5_000, 9_000), current(2_000, 3_000)], [6_950, 4_000, 950]);
    }

    #[tokio::test]
    async fn a_thread_that_is_held_up_is_late() {
        let lateness = Lateness::default();
        let begun = Instant::now();
        let held_up = async {
            tokio::task::yield_now().await;
            std::thread::sleep(Duration::from_millis(300));
            while lateness.between(Duration::ZERO, Duration::MAX, begun.elapsed()).is_zero() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            never = lateness.watch(|| begun.elapsed()) => match never {},
            () = held_up => {}
        }
        assert!(lateness.between(Duration::ZERO, Duration::MAX, begun.elapsed()) >= Duration::from_millis(200));
    }
}
