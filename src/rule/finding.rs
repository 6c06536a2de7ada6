//! A judgement, with the check it was made for.

use serde::{Deserialize, Serialize};

use super::{Judgement, Rule, Severity, Verdict};
use crate::exchange::ExchangeId;

/// A verdict of one rule on one check, with what shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id.
    pub rule: String,
    /// The rule's family.
    pub family: String,
    /// The check it was judged on.
    pub check: String,
    /// What was decided.
    pub verdict: Verdict,
    /// How bad it is, after any adjustment of the suite.
    pub severity: Severity,
    /// Set when the suite changed the severity: what it was before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub severity_was: Option<Severity>,
    /// The rule's title.
    pub title: String,
    /// One sentence: why.
    pub message: String,
    /// Every acceptable outcome.
    pub expected: Vec<String>,
    /// What was seen instead.
    pub actual: String,
    /// Facts that let a reader follow.
    pub details: Vec<String>,
    /// A drawing in lines of text for a fixed-width font; shown whatever the verdict.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub drawing: Vec<String>,
    /// The exchanges that show it.
    pub exchanges: Vec<ExchangeId>,
    /// The clauses behind the rule.
    pub source: String,
    /// Whether a waiver of the suite accepts this failure.
    pub waived: bool,
}

impl Finding {
    /// Binds a judgement to the rule and the check it was made for.
    pub fn new(rule: &Rule, check: &str, judgement: Judgement) -> Self {
        Self {
            rule: rule.id.to_owned(),
            family: rule.family.to_owned(),
            check: check.to_owned(),
            verdict: judgement.verdict,
            severity: judgement.severity.unwrap_or(rule.severity),
            severity_was: None,
            title: rule.title.to_owned(),
            message: judgement.message,
            expected: judgement.expected,
            actual: judgement.actual,
            details: judgement.details,
            drawing: judgement.drawing,
            exchanges: judgement.exchanges,
            source: rule.source.to_owned(),
            waived: false,
        }
    }

    /// A failure that counts against the target: not waived, and not mere advice.
    pub fn counts_against(&self) -> bool {
        self.verdict == Verdict::Fail && !self.waived && self.severity > Severity::Info
    }
}
