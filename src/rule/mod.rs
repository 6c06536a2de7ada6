//! What a rule is: one requirement on an API, with a permanent id, and what judging it can say.
//!
//! A rule's judge is a pure function from a family's evidence to a [`Judgement`]; a judgement becomes a
//! [`Finding`] once it is known which check it was made for.

mod finding;
mod judgement;

pub use finding::Finding;
pub use judgement::Judgement;

use serde::{Deserialize, Serialize};

/// One requirement, as data. The function that judges it stands beside it in its family's `rules`.
#[derive(Debug)]
pub struct Rule {
    /// Permanent id, such as `PAG-005`.
    pub id: &'static str,
    /// Names the defect, in kebab case: `repeated-row-across-pages`.
    pub slug: &'static str,
    /// The family the rule belongs to, as a suite spells it.
    pub family: &'static str,
    /// One line a report shows.
    pub title: &'static str,
    /// What is sent to find out.
    pub sent: &'static str,
    /// What must happen.
    pub requirement: &'static str,
    /// When the rule says nothing about a target.
    pub not_applicable: &'static str,
    /// How bad a failure is.
    pub severity: Severity,
    /// What kind of obligation stands behind it.
    pub strength: Strength,
    /// The clauses it stands on.
    pub source: &'static str,
    /// What whoever runs the API can do.
    pub remedy: &'static str,
    /// Defects of the reference API that show a failure.
    pub defects: &'static [&'static str],
}

/// Ids of rules in brief: neighbours in the catalogue become a range, such as `PAG-001 to PAG-004, PAG-007`.
pub fn ids(rules: &[&str]) -> String {
    let number =
        |id: &str| id.rsplit_once('-').and_then(|(family, n)| Some((family.to_owned(), n.parse::<u32>().ok()?)));
    let mut runs: Vec<Vec<&str>> = Vec::new();
    for rule in rules {
        let follows = |before: &str| match (number(before), number(rule)) {
            (Some((one, first)), Some((other, second))) => one == other && second == first + 1,
            _ => false,
        };
        match runs.last_mut() {
            Some(run) if run.last().is_some_and(|before| follows(before)) => run.push(rule),
            _ => runs.push(vec![rule]),
        }
    }
    let told = runs.iter().map(|run| match run.as_slice() {
        [first, _, .., last] => format!("{first} to {last}"),
        few => few.join(", "),
    });
    told.collect::<Vec<_>>().join(", ")
}

/// How bad a failure is, worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Good practice: never scored, never fails a gate.
    Info,
    /// A client must work around it.
    Minor,
    /// An integration breaks.
    Major,
    /// Money or data is lost, duplicated or shown to the wrong party.
    Critical,
}

impl Severity {
    /// What one rule of this severity weighs in the score.
    pub const fn weight(self) -> u32 {
        match self {
            Self::Info => 0,
            Self::Minor => 2,
            Self::Major => 5,
            Self::Critical => 10,
        }
    }

    /// The word a report prints.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }
}

/// What kind of obligation stands behind a rule; reported apart from its severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strength {
    /// A standard says MUST or shall.
    Normative,
    /// A standard says SHOULD.
    Should,
    /// Vendors agree on it, no standard says it.
    Convention,
    /// What handling money and securities demands, whoever wrote it down.
    Domain,
}

impl Strength {
    /// The word a report prints.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normative => "normative (MUST)",
            Self::Should => "normative (SHOULD)",
            Self::Convention => "convention across vendors",
            Self::Domain => "domain requirement",
        }
    }
}

/// What judging a rule can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The obligation was seen to be met.
    Pass,
    /// A counter-example was seen.
    Fail,
    /// The target does not offer what the rule speaks about.
    NotApplicable,
    /// It could not be seen either way.
    Inconclusive,
}

impl Verdict {
    /// The word a report prints.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotApplicable => "not applicable",
            Self::Inconclusive => "inconclusive",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ids;

    #[test]
    fn neighbours_become_a_range() {
        assert_eq!(
            ids(&["PAG-001", "PAG-002", "PAG-003", "PAG-007", "ERR-008"]),
            "PAG-001 to PAG-003, PAG-007, ERR-008"
        );
        assert_eq!(ids(&["PAG-001", "PAG-002", "X"]), "PAG-001, PAG-002, X");
        assert_eq!(ids(&[]), "");
    }
}
