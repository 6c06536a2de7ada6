//! Which checks may run side by side.
//!
//! Readers first, as many at once as there are jobs; a writer once no reader is left, beside writers of other things (what
//! judges the traffic of the whole run minds no writes, and holds up no writer); a check that spends the limits of clients beside whatever uses none of them; one that says not whose limits, alone and last.

use crate::families::{Footprint, PlannedCheck};

/// Checks that wait and checks that run.
pub(super) struct Schedule<'p> {
    jobs: usize,
    waiting: Vec<(usize, &'p PlannedCheck)>,
    running: Vec<(usize, &'p PlannedCheck)>,
}

impl<'p> Schedule<'p> {
    /// All of them wait; `jobs` readers may run at once.
    pub(super) fn new(jobs: usize, checks: impl IntoIterator<Item = (usize, &'p PlannedCheck)>) -> Self {
        Self { jobs: jobs.max(1), waiting: checks.into_iter().collect(), running: Vec::new() }
    }

    /// The next check that may start; it runs from now on.
    pub(super) fn start(&mut self) -> Option<usize> {
        let at = self.waiting.iter().position(|(_, check)| self.may_start(check))?;
        let started = self.waiting.remove(at);
        self.running.push(started);
        Some(started.0)
    }

    /// A check that ran has ended.
    pub(super) fn end(&mut self, number: usize) {
        self.running.retain(|(running, _)| *running != number);
    }

    fn may_start(&self, check: &PlannedCheck) -> bool {
        if self.running.iter().any(|(_, other)| conflict(check, other)) {
            return false;
        }
        let is_reader = |(_, other): &&(usize, &PlannedCheck)| other.footprint == Footprint::Reads;
        match check.footprint {
            Footprint::Reads => self.running.iter().filter(is_reader).count() < self.jobs,
            Footprint::Writes => {
                !self.running.iter().chain(&self.waiting).any(|other| is_reader(&other) && !other.1.passive)
            }
            Footprint::Saturates if is_alone(check) => {
                self.running.is_empty() && self.waiting.iter().all(|(_, other)| is_alone(other))
            }
            Footprint::Saturates => true,
        }
    }
}

fn is_alone(check: &PlannedCheck) -> bool {
    check.footprint == Footprint::Saturates && check.saturates.is_empty()
}

fn conflict(one: &PlannedCheck, other: &PlannedCheck) -> bool {
    let spends = |spender: &PlannedCheck, user: &PlannedCheck| {
        spender.saturates.iter().any(|client| user.clients.contains(client) || user.saturates.contains(client))
    };
    let writes = |check: &PlannedCheck| check.footprint == Footprint::Writes || !check.touches.is_empty();
    let same_place = || {
        let known = !one.touches.is_empty() && !other.touches.is_empty();
        !known || one.touches.iter().any(|place| other.touches.contains(place))
    };
    is_alone(one)
        || is_alone(other)
        || spends(one, other)
        || spends(other, one)
        || (writes(one) && writes(other) && same_place())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(footprint: Footprint, clients: &[&str], touches: &[&str], saturates: &[&str]) -> PlannedCheck {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        PlannedCheck {
            footprint,
            clients: owned(clients),
            touches: owned(touches),
            saturates: owned(saturates),
            ..PlannedCheck::default()
        }
    }

    /// Everything that runs side by side, in the order of starting; each group ends as a whole.
    fn groups(jobs: usize, checks: &[PlannedCheck]) -> Vec<Vec<usize>> {
        let mut schedule = Schedule::new(jobs, checks.iter().enumerate());
        let mut groups = Vec::new();
        loop {
            let group: Vec<usize> = std::iter::from_fn(|| schedule.start()).collect();
            if group.is_empty() {
                assert!(schedule.waiting.is_empty(), "nobody waits for ever");
                return groups;
            }
            for number in &group {
                schedule.end(*number);
            }
            groups.push(group);
        }
    }

    #[test]
    fn readers_go_first_and_writers_of_other_things_side_by_side() {
        use Footprint::{Reads, Writes};
        let checks = [
            check(Writes, &["a"], &["/x"], &[]),
            check(Reads, &["a"], &[], &[]),
            check(Writes, &["a"], &["/y"], &[]),
            check(Reads, &["a"], &[], &[]),
            check(Writes, &["a"], &["/x", "/z"], &[]),
            check(Reads, &["b"], &[], &[]),
            check(Writes, &["a"], &[], &[]),
        ];
        assert_eq!(groups(2, &checks), [vec![1, 3], vec![5], vec![0, 2], vec![4], vec![6]]);
    }

    #[test]
    fn what_judges_all_traffic_and_waits_for_a_limit_holds_up_no_writer() {
        use Footprint::{Reads, Saturates, Writes};
        let passive = PlannedCheck { passive: true, ..check(Reads, &["a", "b"], &[], &[]) };
        let checks = [check(Saturates, &["b"], &[], &["b"]), passive, check(Writes, &["a"], &["/x"], &[])];
        assert_eq!(groups(4, &checks), [vec![0, 2], vec![1]]);
    }

    #[test]
    fn who_spends_a_clients_limit_runs_beside_those_that_do_not_use_it() {
        use Footprint::{Reads, Saturates};
        let checks = [
            check(Saturates, &["a"], &[], &[]),
            check(Saturates, &["a", "b"], &[], &["a", "b"]),
            check(Reads, &["c"], &[], &[]),
            check(Saturates, &["d"], &[], &["d"]),
            check(Reads, &["a"], &[], &[]),
            check(Saturates, &["a"], &[], &["a"]),
        ];
        assert_eq!(groups(4, &checks), [vec![1, 2, 3], vec![4], vec![5], vec![0]]);
    }
}
