//! What a run must reach, and whether it did.

use serde::Serialize;

use super::{Score, Tenths};
use crate::{
    record::{Record, Stopped, WaiverState},
    rule::Severity,
};

/// What a run must reach to pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gate {
    /// The least severe failure that counts; none: failures do not count. `info` never counts.
    pub fail_on: Option<Severity>,
    /// The least score.
    pub fail_under: Option<Tenths>,
    /// The least coverage.
    pub min_coverage: Option<Tenths>,
}

impl Default for Gate {
    /// Any failure of severity minor or worse counts, whatever the score.
    fn default() -> Self {
        Self { fail_on: Some(Severity::Minor), fail_under: None, min_coverage: None }
    }
}

/// Whether a run reached what it must.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether it did.
    pub passed: bool,
    /// Every reason why it did not; empty where it did.
    pub reasons: Vec<String>,
    /// 0 passed, 1 the target fell short, 3 the run could not be completed or judged, 130 interrupted. The highest
    /// that applies, whatever else does: a failure that was seen says little about a run that did not see the rest.
    pub exit_code: u8,
}

/// The target fell short.
const SHORT: u8 = 1;
/// The run could not be completed or judged.
const UNJUDGED: u8 = 3;
/// Somebody interrupted the run.
const INTERRUPTED: u8 = 130;

impl Gate {
    /// Decides on a record and its score.
    pub fn decide(&self, record: &Record, score: &Score) -> Decision {
        let mut reasons = Vec::new();
        reasons.extend(record.stopped.as_ref().map(stopped));
        reasons.extend(self.not_seen_enough(score).map(|reason| (UNJUDGED, reason)));
        reasons.extend(unjudged(record).map(|reason| (UNJUDGED, reason)));
        reasons.extend(self.failures(record).map(|reason| (SHORT, reason)));
        reasons.extend(self.low_score(score));
        reasons.extend(waiver_trouble(record).map(|reason| (SHORT, reason)));
        let exit_code = reasons.iter().map(|(code, _)| *code).max().unwrap_or(0);
        let reasons = reasons.into_iter().map(|(_, reason)| reason).collect();
        Decision { passed: exit_code == 0, reasons, exit_code }
    }

    fn not_seen_enough(&self, score: &Score) -> Option<String> {
        if score.ledger.judged == 0 {
            return Some("nothing was judged".to_owned());
        }
        let (least, coverage) = (self.min_coverage?, score.coverage?);
        (coverage < least).then(|| format!("coverage {coverage} % is below the required {least} %"))
    }

    fn failures(&self, record: &Record) -> Option<String> {
        let least = self.fail_on?;
        let counts: Vec<_> = [Severity::Critical, Severity::Major, Severity::Minor]
            .into_iter()
            .filter(|severity| *severity >= least)
            .map(|severity| {
                let failures = record.findings.iter().filter(|f| f.counts_against() && f.severity == severity);
                (severity, failures.count())
            })
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| format!("{count} {}", severity.as_str()))
            .collect();
        (!counts.is_empty()).then(|| format!("failures that count: {}", counts.join(", ")))
    }

    /// A score that is too low, or that was asked for and does not exist although something was judged.
    fn low_score(&self, score: &Score) -> Option<(u8, String)> {
        let least = self.fail_under?;
        match score.score {
            Some(score) if score < least => Some((SHORT, format!("score {score} is below the required {least}"))),
            None if score.ledger.judged > 0 => {
                Some((UNJUDGED, format!("a score of {least} is required and nothing that is scored was judged")))
            }
            _ => None,
        }
    }
}

fn stopped(why: &Stopped) -> (u8, String) {
    match why {
        Stopped::Interrupted => (INTERRUPTED, "the run was interrupted".to_owned()),
        Stopped::Budget(message) => (UNJUDGED, format!("the budget is spent: {message}")),
        Stopped::Unreachable(message) => (UNJUDGED, format!("the target could not be reached: {message}")),
        Stopped::Unavailable(message) => (UNJUDGED, format!("the target was not available: {message}")),
        Stopped::LoginRefused(message) => (UNJUDGED, format!("the login was refused: {message}")),
        Stopped::Setup(message) => (UNJUDGED, format!("the setup failed: {message}")),
    }
}

/// Checks that show nothing at all: a gate that passes over them would pass over a wrong path in the suite.
fn unjudged(record: &Record) -> impl Iterator<Item = String> {
    // Why a run that ended early left checks unjudged is said once.
    let unjudged = record.unjudged.iter().filter(|_| record.stopped.is_none());
    unjudged.map(|one| format!("{} `{}` could not be judged: {}", one.family, one.check, one.why))
}

fn waiver_trouble(record: &Record) -> impl Iterator<Item = String> {
    record.waivers.iter().filter_map(|waiver| {
        let what = match &waiver.check {
            Some(check) => format!("{} on {check}", waiver.rule),
            None => waiver.rule.clone(),
        };
        match waiver.state {
            WaiverState::Expired => Some(format!("the waiver of {what} expired: it held until {}", waiver.expires)),
            WaiverState::Unmatched => Some(format!("the waiver of {what} matches no failure: remove it")),
            WaiverState::Used | WaiverState::NotJudged => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{finding, record, waiver};
    use super::*;
    use crate::rule::Verdict::{Fail, Inconclusive, Pass};

    fn decide(gate: Gate, record: &Record) -> Decision {
        gate.decide(record, &Score::of(record))
    }

    #[test]
    fn a_clean_run_passes_without_a_reason() {
        let decision = decide(Gate::default(), &record(vec![finding("A-1", "x", Pass, Severity::Major)]));
        assert_eq!(decision, Decision { passed: true, reasons: vec![], exit_code: 0 });
    }

    #[test]
    fn a_check_that_shows_nothing_is_not_passed_over() {
        let mut run = record(vec![
            finding("A-1", "x", Pass, Severity::Major),
            finding("B-1", "y", Inconclusive, Severity::Major),
        ]);
        let why = "the listing could not be read".to_owned();
        run.unjudged = vec![crate::record::Unjudged { family: "b".into(), check: "y".into(), why }];
        let decision = decide(Gate::default(), &run);
        assert_eq!(decision.exit_code, 3);
        assert_eq!(decision.reasons, ["b `y` could not be judged: the listing could not be read"]);
    }

    #[test]
    fn only_failures_at_least_as_severe_as_asked_count() {
        let run = record(vec![
            finding("A-1", "x", Pass, Severity::Major),
            finding("A-2", "x", Fail, Severity::Minor),
            finding("A-3", "x", Fail, Severity::Info),
        ]);
        let with = |fail_on| decide(Gate { fail_on, ..Gate::default() }, &run);
        assert_eq!(with(Some(Severity::Minor)).exit_code, 1);
        assert_eq!(with(Some(Severity::Minor)).reasons, ["failures that count: 1 minor"]);
        assert_eq!(with(Some(Severity::Info)).reasons, ["failures that count: 1 minor"]);
        assert_eq!(with(Some(Severity::Major)).exit_code, 0);
        assert_eq!(with(None).exit_code, 0);
    }

    #[test]
    fn a_waived_failure_does_not_count() {
        let mut waived = finding("A-1", "x", Fail, Severity::Critical);
        waived.waived = true;
        assert_eq!(decide(Gate::default(), &record(vec![waived])).exit_code, 0);
    }

    #[test]
    fn a_score_at_the_bound_passes_and_below_it_falls_short() {
        let run = record(vec![finding("A-1", "x", Pass, Severity::Minor), finding("A-2", "x", Fail, Severity::Minor)]);
        let under = |tenths| Gate { fail_on: None, fail_under: Some(Tenths::new(tenths)), min_coverage: None };
        assert_eq!(decide(under(500), &run).exit_code, 0);
        assert_eq!(decide(under(501), &run).exit_code, 1);
        assert_eq!(decide(under(501), &run).reasons, ["score 50.0 is below the required 50.1"]);
    }

    #[test]
    fn a_required_score_that_cannot_be_computed_is_not_passed() {
        let run = record(vec![finding("A-1", "x", Pass, Severity::Info)]);
        let gate = Gate { fail_under: Some(Tenths::new(900)), ..Gate::default() };
        assert_eq!(decide(gate, &run).exit_code, 3);
        assert_eq!(decide(Gate::default(), &run).exit_code, 0);
    }

    #[test]
    fn nothing_judged_and_low_coverage_are_not_the_targets_failure() {
        assert_eq!(decide(Gate { fail_on: None, ..Gate::default() }, &record(vec![])).reasons, ["nothing was judged"]);
        let half = record(vec![
            finding("A-1", "x", Pass, Severity::Minor),
            finding("A-2", "x", Inconclusive, Severity::Minor),
        ]);
        let least = |tenths| Gate { min_coverage: Some(Tenths::new(tenths)), ..Gate::default() };
        assert_eq!(decide(least(500), &half).exit_code, 0);
        assert_eq!(decide(least(501), &half).exit_code, 3);
    }

    #[test]
    fn an_incomplete_run_outranks_a_failure_and_an_interruption_outranks_both() {
        let mut run = record(vec![finding("A-1", "x", Fail, Severity::Major)]);
        for (stopped, code) in [
            (Stopped::Budget("5,000 requests".into()), 3),
            (Stopped::Unreachable("refused".into()), 3),
            (Stopped::Unavailable("500".into()), 3),
            (Stopped::LoginRefused("reader".into()), 3),
            (Stopped::Setup("order".into()), 3),
            (Stopped::Interrupted, 130),
        ] {
            run.stopped = Some(stopped);
            let decision = decide(Gate::default(), &run);
            assert_eq!((decision.passed, decision.exit_code), (false, code));
            assert_eq!(decision.reasons.len(), 2, "both reasons are said: {:?}", decision.reasons);
        }
    }

    #[test]
    fn expired_and_unmatched_waivers_fail_the_gate_and_others_do_not() {
        let mut run = record(vec![finding("A-1", "x", Pass, Severity::Major)]);
        for (state, code) in [
            (WaiverState::Used, 0),
            (WaiverState::NotJudged, 0),
            (WaiverState::Expired, 1),
            (WaiverState::Unmatched, 1),
        ] {
            run.waivers = vec![waiver("A-9", Some("x"), state)];
            assert_eq!(decide(Gate::default(), &run).exit_code, code, "{state:?}");
        }
    }
}
