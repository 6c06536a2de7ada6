//! How many rules were planned on how many checks, and what became of each.

use std::fmt;

use serde::Serialize;

use super::Tenths;
use crate::{
    record::NotJudged,
    rule::{Finding, Verdict},
};

/// Counts of findings: one per rule and check. `planned` is the sum of all but `judged`, and
/// `judged = passed + failed + waived`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Ledger {
    /// All of them.
    pub planned: u32,
    /// Seen either way.
    pub judged: u32,
    /// Seen to be met.
    pub passed: u32,
    /// Failed and not waived, `info` included.
    pub failed: u32,
    /// Failed and waived.
    pub waived: u32,
    /// Could not be seen either way.
    pub inconclusive: u32,
    /// The target does not offer what the rule speaks about.
    pub not_applicable: u32,
    /// The suite does not permit what it takes to find out.
    pub not_permitted: u32,
    /// The run ended before.
    pub not_run: u32,
}

impl Ledger {
    /// Counts a finding.
    pub(super) fn count(&mut self, finding: &Finding) {
        self.planned += 1;
        let (kind, judged) = match (finding.verdict, finding.waived) {
            (Verdict::Pass, _) => (&mut self.passed, true),
            (Verdict::Fail, false) => (&mut self.failed, true),
            (Verdict::Fail, true) => (&mut self.waived, true),
            (Verdict::Inconclusive, _) => (&mut self.inconclusive, false),
            (Verdict::NotApplicable, _) => (&mut self.not_applicable, false),
        };
        *kind += 1;
        self.judged += u32::from(judged);
    }

    /// Counts a rule that was planned and not judged.
    pub(super) fn count_not_judged(&mut self, left_out: &NotJudged) {
        self.planned += 1;
        *(if left_out.permit.is_some() { &mut self.not_permitted } else { &mut self.not_run }) += 1;
    }

    /// `judged / (judged + inconclusive + not run)`.
    pub fn coverage(&self) -> Option<Tenths> {
        Tenths::of(self.judged, self.judged + self.inconclusive + self.not_run)
    }
}

impl fmt::Display for Ledger {
    /// `61 planned = 40 passed + 2 failed + 19 not applicable`; of the other kinds, those that occur.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} planned = {} passed + {} failed", self.planned, self.passed, self.failed)?;
        for (count, kind) in [
            (self.waived, "waived"),
            (self.inconclusive, "inconclusive"),
            (self.not_applicable, "not applicable"),
            (self.not_permitted, "not permitted"),
            (self.not_run, "not run"),
        ] {
            if count > 0 {
                write!(f, " + {count} {kind}")?;
            }
        }
        Ok(())
    }
}
