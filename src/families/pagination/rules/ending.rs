//! The end of a walk: PAG-004.

use super::{at_rest, count, on, reference, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::evidence::{End, Evidence, Walk},
    },
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const PAG_004: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-004",
        slug: "endless-walk",
        family: "pagination",
        title: "The walk terminates and says so one way",
        sent: "Walks from the first page on, following what leads to the next page until nothing does.",
        requirement: "The walk ends, no cursor comes back, and what says that more follows says how to get there.",
        not_applicable: "Never.",
        severity: Severity::Critical,
        strength: Strength::Normative,
        source: "AIP-158 (an empty token is the only way to signal the end); OBIE Links.Next; Stripe has_more; Azure nextLink",
        remedy: "Leave the cursor out (or make it null or empty) on the last page, and never return one that leads back.",
        defects: &["pagination.cursor-cycle"],
    },
    judge: |evidence| on(evidence, terminates),
};

fn terminates(evidence: &Evidence) -> Judgement {
    let walks = || evidence.quiet.iter().chain(&evidence.sized).chain(&evidence.ordered);
    let last_page = |walk: &Walk| walk.pages.last().map(|page| page.exchange);
    for walk in walks() {
        let (expected, severity) = match &walk.end {
            End::TokenCycle { .. } => ("cursors that lead on, and none on the last page", None),
            // Rows that keep changing places come again and again without leading in a circle.
            End::NoProgress if at_rest(evidence) == Some(false) => continue,
            End::NoProgress => ("rows that were not delivered before, or the end", None),
            End::MoreWithoutToken => ("a way to the rows that are said to follow", None),
            _ => continue,
        };
        let mut judgement = Judgement::fail(format!("a walk ({}) does not end", walk.asked))
            .expected(expected)
            .actual(walk.end.told())
            .detail(format!("{} with {} were read", count(walk.pages.len(), "page"), count(row_count(walk), "row")));
        if let End::TokenCycle { first, .. } = walk.end {
            judgement = judgement.cite(walk.pages.get(first).map(|page| page.exchange));
        }
        judgement.severity = severity;
        return judgement.cite(last_page(walk));
    }
    // A refusal in the middle of a walk counts once it happened in every walk that was tried alike.
    let refused =
        |walk: &Walk| matches!(walk.end, End::Refused { .. } | End::Unreadable { .. }) && !walk.end.says_nothing();
    if evidence.quiet.len() > 1 && evidence.quiet.iter().all(refused) {
        let walk = &evidence.quiet[0];
        return Judgement::fail("a walk cannot be finished: the target's own way to the next page does not work")
            .severity(Severity::Major)
            .expected("the next page")
            .actual(walk.end.told())
            .cite(last_page(walk))
            .cite(walk.end.exchange());
    }
    let Some((walk, _)) = reference(evidence) else { return unseen(evidence, "the listing was not walked") };
    if let Some(ended) = walks().find(|walk| walk.is_complete() && walk.pages.len() > 1) {
        if !walk.is_complete() && walk.end != End::Cap {
            return Judgement::inconclusive(walk.end.told()).cite(walk.end.exchange());
        }
        return Judgement::pass(format!("{}; {} were read", ended.end.told(), count(ended.pages.len(), "page")))
            .cite(last_page(ended));
    }
    match &walk.end {
        End::Terminator(_) => {
            Judgement::inconclusive("every row is on the first page: there was no walk to end").cite(last_page(walk))
        }
        end => Judgement::inconclusive(end.told()).cite(end.exchange().or_else(|| last_page(walk))),
    }
}

fn row_count(walk: &Walk) -> usize {
    walk.pages.iter().map(|page| page.rows as usize).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::ExchangeId,
        families::pagination::rules::damage::tests::{twice, walk},
        rule::Verdict,
    };

    #[test]
    fn walks_that_circle_stall_or_announce_more_fail() {
        for end in [End::TokenCycle { first: 0, again: 1 }, End::NoProgress, End::MoreWithoutToken] {
            let mut e = twice(&[&[1], &[2]]);
            e.quiet[0].end = end;
            assert_eq!(terminates(&e).verdict, Verdict::Fail);
        }
        let mut shuffled = twice(&[&[1, 2]]);
        shuffled.quiet[1] = walk(&[&[2, 1]]);
        shuffled.sized = vec![Walk { end: End::NoProgress, ..walk(&[&[1], &[2], &[1]]) }];
        assert_eq!(terminates(&shuffled).verdict, Verdict::Inconclusive, "rows change places");
        assert_eq!(terminates(&twice(&[&[1], &[2]])).verdict, Verdict::Pass);
        assert_eq!(terminates(&twice(&[&[1]])).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_capped_or_endlessly_empty_walk_is_not_called_endless() {
        for end in [End::Cap, End::Depth { status: 400 }, End::OnlyEmptyPages, End::Enough] {
            let mut e = twice(&[&[1], &[2]]);
            for walk in &mut e.quiet {
                walk.end = end.clone();
            }
            assert_eq!(terminates(&e).verdict, Verdict::Inconclusive, "{end:?}");
        }
    }

    #[test]
    fn a_refusal_mid_walk_counts_only_when_it_repeats() {
        let end = End::Refused { status: 500, exchange: ExchangeId(5), restart: false };
        let mut e = twice(&[&[1], &[2]]);
        e.quiet[0].end = end.clone();
        assert_eq!(terminates(&e).verdict, Verdict::Inconclusive);
        e.quiet[1].end = end;
        assert_eq!((terminates(&e).verdict, terminates(&e).severity), (Verdict::Fail, Some(Severity::Major)));
        for walk in &mut e.quiet {
            walk.end = End::Refused { status: 503, exchange: ExchangeId(5), restart: false };
        }
        assert_eq!(terminates(&e).verdict, Verdict::Inconclusive);
    }
}
