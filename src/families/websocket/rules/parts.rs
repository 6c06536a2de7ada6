//! Judgements that are made of several.

use std::{cmp::Reverse, collections::HashSet};

use super::super::evidence::Evidence;
use crate::rule::{Judgement, Verdict};

/// What was not tried, although it is wanted.
pub(super) fn untried(evidence: &Evidence) -> Judgement {
    Judgement::inconclusive(if evidence.cut_short { super::CUT_SHORT } else { super::NOT_TRIED })
}

/// The worst of the judgements of a rule's parts: a failure counts before what could not be seen, that before a pass.
/// Parts that do not apply are left out.
pub(super) fn worst(parts: Vec<Judgement>, nothing: &str) -> Judgement {
    let badness = |judgement: &Judgement| match judgement.verdict {
        Verdict::Fail => 3,
        Verdict::Inconclusive => 2,
        Verdict::Pass => 1,
        Verdict::NotApplicable => 0,
    };
    let mut parts: Vec<Judgement> = parts.into_iter().filter(|part| badness(part) > 0).collect();
    // Stable, and the severest failure first; one without a severity of its own is as severe as the rule.
    parts.sort_by_key(|part| Reverse((badness(part), part.severity.is_none(), part.severity)));
    let mut parts = parts.into_iter();
    let Some(mut first) = parts.next() else { return Judgement::not_applicable(nothing) };
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
