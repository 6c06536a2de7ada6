//! Record → score: exact arithmetic over findings, no floats, percentages rounded down to a tenth.
//!
//! A rule has one weight. Where it was judged on several checks, each of them carries an equal share of it; what is
//! waived, inconclusive or not applicable carries none. A run (or family) whose judged findings weigh nothing, because
//! there are none or because all of them are `info` or waived, has no score and no grade: neither 0 nor 100. Its
//! ledger still counts them as judged, so that such a run is not mistaken for one that saw nothing.

mod gate;
mod grade;
mod ledger;
mod shares;
mod tenths;

pub use gate::{Decision, Gate};
pub use grade::Grade;
pub use ledger::Ledger;
pub use tenths::{NotAPercentage, Tenths};

use std::collections::HashMap;

use serde::Serialize;

use crate::{
    record::Record,
    rule::{Finding, Severity, Verdict},
};
use shares::Shares;

/// How a target did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Score {
    /// `100 * passed / (passed + failed)` by weight; none where nothing that weighs was judged.
    pub score: Option<Tenths>,
    /// The grade of that score; at most D where a critical failure is not waived.
    pub grade: Option<Grade>,
    /// `judged / (judged + inconclusive + not run)`, counted in findings; none where that is nothing over nothing.
    pub coverage: Option<Tenths>,
    /// The counts.
    pub ledger: Ledger,
    /// The same per family, in the order in which the record first names them.
    pub families: Vec<FamilyScore>,
}

/// How a target did in one family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FamilyScore {
    /// The family.
    pub family: String,
    /// Its score; none where nothing that weighs was judged.
    pub score: Option<Tenths>,
    /// Its counts.
    #[serde(flatten)]
    pub ledger: Ledger,
}

impl Score {
    /// Scores a record.
    pub fn of(record: &Record) -> Self {
        let mut judged_on: HashMap<&str, u32> = HashMap::new();
        for finding in record.findings.iter().filter(|f| is_scored(f)) {
            *judged_on.entry(&finding.rule).or_default() += 1;
        }
        let mut overall = Tally::default();
        let mut families: Vec<(&str, Tally)> = Vec::new();
        for finding in &record.findings {
            let among = judged_on.get(finding.rule.as_str()).copied().unwrap_or(1);
            overall.add(finding, among);
            family(&mut families, &finding.family).add(finding, among);
        }
        for left_out in &record.not_judged {
            overall.ledger.count_not_judged(left_out);
            family(&mut families, &left_out.family).ledger.count_not_judged(left_out);
        }
        let score = overall.shares.percentage();
        let critical = record.findings.iter().any(|f| f.counts_against() && f.severity == Severity::Critical);
        Self {
            score,
            grade: score.map(|score| Grade::of(score, critical)),
            coverage: overall.ledger.coverage(),
            ledger: overall.ledger,
            families: families
                .into_iter()
                .map(|(family, tally)| FamilyScore {
                    family: family.to_owned(),
                    score: tally.shares.percentage(),
                    ledger: tally.ledger,
                })
                .collect(),
        }
    }
}

/// What has been counted so far.
#[derive(Default)]
struct Tally {
    shares: Shares,
    ledger: Ledger,
}

impl Tally {
    fn add(&mut self, finding: &Finding, among: u32) {
        self.ledger.count(finding);
        if is_scored(finding) {
            self.shares.add(finding.severity.weight(), among, finding.verdict == Verdict::Pass);
        }
    }
}

fn family<'t, 'r>(families: &'t mut Vec<(&'r str, Tally)>, name: &'r str) -> &'t mut Tally {
    let at = families.iter().position(|(known, _)| *known == name).unwrap_or_else(|| {
        families.push((name, Tally::default()));
        families.len() - 1
    });
    &mut families[at].1
}

/// Whether the finding takes a share of its rule's weight.
fn is_scored(finding: &Finding) -> bool {
    match finding.verdict {
        Verdict::Pass => true,
        Verdict::Fail => !finding.waived,
        Verdict::NotApplicable | Verdict::Inconclusive => false,
    }
}

#[cfg(test)]
mod tests;
