//! What a rule's judge returns.

use std::{cmp::Reverse, collections::HashSet};

use serde::{Deserialize, Serialize};

use super::{Severity, Verdict};
use crate::exchange::ExchangeId;

/// The outcome of judging one rule on one check's evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// What was decided.
    pub verdict: Verdict,
    /// Set when this manifestation is less (or more) severe than the rule in general.
    pub severity: Option<Severity>,
    /// One sentence: why.
    pub message: String,
    /// Every acceptable outcome.
    pub expected: Vec<String>,
    /// What was seen instead.
    pub actual: String,
    /// Facts that let a reader follow: which rows, between which pages, what mistake explains them.
    pub details: Vec<String>,
    /// A drawing in lines of text for a fixed-width font, at most 76 columns wide; shown whatever the verdict.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub drawing: Vec<String>,
    /// The exchanges that show it.
    pub exchanges: Vec<ExchangeId>,
}

impl Judgement {
    /// The obligation was met.
    pub fn pass(message: impl Into<String>) -> Self {
        Self::new(Verdict::Pass, message)
    }

    /// A counter-example was seen.
    pub fn fail(message: impl Into<String>) -> Self {
        Self::new(Verdict::Fail, message)
    }

    /// The target does not offer what the rule speaks about.
    pub fn not_applicable(message: impl Into<String>) -> Self {
        Self::new(Verdict::NotApplicable, message)
    }

    /// It could not be seen either way.
    pub fn inconclusive(message: impl Into<String>) -> Self {
        Self::new(Verdict::Inconclusive, message)
    }

    /// The worst of the judgements of a rule's parts: a failure counts before what could not be seen, that before a pass.
    /// Parts that do not apply are left out; with no others, nothing applies, for this reason.
    pub fn worst(parts: Vec<Self>, nothing: &str) -> Self {
        let badness = |judgement: &Self| match judgement.verdict {
            Verdict::Fail => 3,
            Verdict::Inconclusive => 2,
            Verdict::Pass => 1,
            Verdict::NotApplicable => 0,
        };
        let mut parts: Vec<Self> = parts.into_iter().filter(|part| badness(part) > 0).collect();
        // Stable, and the severest failure first; one without a severity of its own is as severe as the rule.
        parts.sort_by_key(|part| Reverse((badness(part), part.severity.is_none(), part.severity)));
        let mut parts = parts.into_iter();
        let Some(mut first) = parts.next() else { return Self::not_applicable(nothing) };
        for other in parts {
            let text = match other.verdict {
                // What went right is no news where something went wrong.
                Verdict::Pass if first.verdict == Verdict::Fail => continue,
                Verdict::Fail => format!("also: {} ({})", other.message, other.actual),
                _ => format!("also: {}", other.message),
            };
            if other.verdict == first.verdict {
                first = first.cite(other.exchanges);
            }
            let news = other.message != first.message;
            first.details.extend(news.then_some(text).into_iter().chain(other.details));
        }
        let mut known = HashSet::new();
        first.details.retain(|detail| known.insert(detail.clone()));
        first
    }

    fn new(verdict: Verdict, message: impl Into<String>) -> Self {
        Self {
            verdict,
            severity: None,
            message: message.into(),
            expected: Vec::new(),
            actual: String::new(),
            details: Vec::new(),
            drawing: Vec::new(),
            exchanges: Vec::new(),
        }
    }

    /// Names one acceptable outcome.
    #[must_use]
    pub fn expected(mut self, outcome: impl Into<String>) -> Self {
        self.expected.push(outcome.into());
        self
    }

    /// Says what was seen.
    #[must_use]
    pub fn actual(mut self, seen: impl Into<String>) -> Self {
        self.actual = seen.into();
        self
    }

    /// Adds a fact.
    #[must_use]
    pub fn detail(mut self, fact: impl Into<String>) -> Self {
        self.details.push(fact.into());
        self
    }

    /// Draws what was seen.
    #[must_use]
    pub fn drawing(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.drawing.extend(lines);
        self
    }

    /// Cites exchanges.
    #[must_use]
    pub fn cite(mut self, exchanges: impl IntoIterator<Item = ExchangeId>) -> Self {
        for id in exchanges {
            if !self.exchanges.contains(&id) {
                self.exchanges.push(id);
            }
        }
        self
    }

    /// Weighs this manifestation differently from the rule in general.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }
}
