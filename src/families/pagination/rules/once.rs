//! Every row exactly once, while nothing is written: PAG-005.

use std::collections::HashSet;

use super::{at_rest, count, named, on, reference, restless, shuffle::restless_but_wrong, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::evidence::{Evidence, RowId, Walk, repeats},
    },
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const PAG_005: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-005",
        slug: "repeated-or-lost-row",
        family: "pagination",
        title: "A quiet walk returns every row exactly once",
        sent: "Two equal walks with nothing written meanwhile (three if they differ), and walks with other page sizes.",
        requirement: "Every row that exists comes exactly once.",
        not_applicable: "Never; it is inconclusive while others write to the listing.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "AIP-158; Zalando RESTful API Guidelines rule 160",
        remedy: "Order by a unique key (add the id as the last sort column) and continue strictly behind the last row.",
        defects: &["pagination.lost-row", "pagination.duplicate-row"],
    },
    judge: |evidence| on(evidence, exactly_once),
};

fn exactly_once(evidence: &Evidence) -> Judgement {
    let Some((walk, rows)) = reference(evidence) else { return unseen(evidence, "the listing was not walked") };
    if walk.nameless > 0 {
        let message = format!("{} had no id where the suite says it is (`id`)", count(walk.nameless, "row"));
        return Judgement::inconclusive(message).cite(walk.pages.first().map(|page| page.exchange));
    }
    match at_rest(evidence) {
        Some(true) => {}
        Some(false) => {
            return restless_but_wrong(evidence).or_else(|| restless(evidence)).unwrap_or_else(|| unseen(evidence, ""));
        }
        None => return unseen(evidence, "the listing could not be walked twice"),
    }
    for walk in evidence.quiet.iter().take(1).chain(&evidence.sized).chain(&evidence.ordered) {
        let seen = walk.rows(rows);
        let doubled = repeats(seen);
        if let Some(first) = doubled.first() {
            let again: Vec<RowId> = doubled.iter().map(|repeat| repeat.row).collect();
            return Judgement::fail("a walk with nothing written meanwhile delivers rows more than once")
                .expected("every row once")
                .actual(format!(
                    "{} delivered again ({}): {}",
                    count(again.len(), "row"),
                    walk.asked,
                    named(&evidence.names, &again)
                ))
                .detail(format!(
                    "{} came on page {} and again on page {}",
                    evidence.names.of(first.row),
                    walk.page_of(first.first) + 1,
                    walk.page_of(first.again) + 1
                ))
                .cite(walk.exchange_of(first.first))
                .cite(walk.exchange_of(first.again));
        }
    }
    if let Some((walk, lost)) = lost_anywhere(evidence, rows) {
        let page = boundary_before(walk, walk.rows(rows), &lost, evidence, rows);
        return Judgement::fail("a walk with nothing written meanwhile does not deliver rows that exist")
            .expected("every row that other walks deliver")
            .actual(format!("{} missing ({}): {}", count(lost.len(), "row"), walk.asked, named(&evidence.names, &lost)))
            .detail("the rows were delivered by another walk of the same listing, before or after")
            .cite(page.and_then(|page| walk.pages.get(page)).map(|page| page.exchange))
            .cite(page.and_then(|page| walk.pages.get(page + 1)).map(|page| page.exchange));
    }
    if !walk.is_complete() {
        return Judgement::inconclusive(format!(
            "none of the first {} is lost or repeated, but the walk did not see the end: {}",
            count(rows.len(), "row"),
            walk.end.told()
        ))
        .cite(walk.pages.last().map(|page| page.exchange));
    }
    if walk.pages.len() < 2 && !evidence.sized.iter().any(|walk| walk.pages.len() > 1) {
        return Judgement::inconclusive("every row is on one page: there is no boundary to lose a row at")
            .cite(walk.pages.first().map(|page| page.exchange));
    }
    Judgement::pass(format!("{} came exactly once in {}", count(rows.len(), "row"), count(walk.pages.len(), "page")))
        .cite(walk.pages.first().map(|page| page.exchange))
}

/// A walk that passes by rows which another walk of the same listing delivers.
fn lost_anywhere<'e>(evidence: &'e Evidence, rows: &[RowId]) -> Option<(&'e Walk, Vec<RowId>)> {
    let walks: Vec<&Walk> = evidence.quiet.iter().take(1).chain(&evidence.sized).collect();
    for walk in &walks {
        let seen = walk.rows(rows);
        for truth in &walks {
            if std::ptr::eq(*walk, *truth) {
                continue;
            }
            let lost = passed_by(truth.rows(rows), seen, walk.is_complete());
            if !lost.is_empty() {
                return Some((walk, lost));
            }
        }
    }
    // Other orders begin elsewhere; only complete walks can be compared with them.
    let complete: Vec<&Walk> =
        walks.iter().copied().chain(&evidence.ordered).filter(|walk| walk.is_complete()).collect();
    for walk in &complete {
        for truth in &complete {
            let lost = passed_by(truth.rows(rows), walk.rows(rows), true);
            if !lost.is_empty() {
                return Some((walk, lost));
            }
        }
    }
    None
}

/// Rows of `truth` that `seen` should have held: all of them if it is complete, else those before the last that both
/// hold.
pub(super) fn passed_by(truth: &[RowId], seen: &[RowId], complete: bool) -> Vec<RowId> {
    if truth.starts_with(seen) && !complete || truth == seen {
        return Vec::new();
    }
    let known: HashSet<RowId> = seen.iter().copied().collect();
    let until = if complete { truth.len() } else { truth.iter().rposition(|row| known.contains(row)).unwrap_or(0) };
    truth[..until].iter().filter(|row| !known.contains(row)).copied().collect()
}

/// The page of `walk` behind which the first lost row should have come.
fn boundary_before(walk: &Walk, seen: &[RowId], lost: &[RowId], evidence: &Evidence, rows: &[RowId]) -> Option<usize> {
    let first = lost.first()?;
    let truth = std::iter::once(rows).chain(evidence.sized.iter().map(|w| w.rows(rows))).find(|t| t.contains(first))?;
    let at = truth.iter().position(|row| row == first)?;
    let before = truth[..at].iter().rev().find_map(|row| seen.iter().position(|s| s == row))?;
    Some(walk.page_of(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::ExchangeId,
        families::pagination::{
            evidence::End,
            rules::{
                damage::tests::{twice, walk},
                set::same_set,
            },
        },
        json::Scalar,
        rule::Verdict,
    };

    #[test]
    fn repeated_and_lost_rows_fail_and_clean_walks_pass() {
        assert_eq!(exactly_once(&twice(&[&[1, 2], &[3]])).verdict, Verdict::Pass);
        let judged = exactly_once(&twice(&[&[1, 2], &[2, 3]]));
        assert_eq!(judged.verdict, Verdict::Fail);
        assert!(judged.details[0].contains("page 1 and again on page 2"), "{:?}", judged.details);
        let mut e = twice(&[&[1, 2], &[4]]);
        e.sized = vec![walk(&[&[1], &[2], &[3], &[4]])];
        let judged = exactly_once(&e);
        assert_eq!((judged.verdict, judged.exchanges), (Verdict::Fail, vec![ExchangeId(1), ExchangeId(2)]));
    }

    #[test]
    fn a_short_walk_owes_only_what_it_passed() {
        let mut e = twice(&[&[1, 2], &[3, 4]]);
        e.sized = vec![walk(&[&[1], &[2]])];
        e.sized[0].end = End::Cap;
        assert_eq!(exactly_once(&e).verdict, Verdict::Pass);
    }

    #[test]
    fn differing_walks_fail_only_where_others_cannot_be_the_cause() {
        let mut e = twice(&[&[1, 2], &[3]]);
        e.quiet[1] = walk(&[&[9, 1], &[2, 3]]);
        e.quiet.push(walk(&[&[9, 1], &[2, 3]]));
        assert_eq!(exactly_once(&e).verdict, Verdict::Inconclusive, "a row was added");
        e.quiet[1] = walk(&[&[1, 2], &[2]]);
        e.quiet[2] = walk(&[&[1, 2], &[3]]);
        assert_eq!(exactly_once(&e).verdict, Verdict::Inconclusive, "somebody may have moved rows");
        let totals = |mut walk: Walk| {
            walk.pages[0].total = Some(Scalar::Number("3".into()));
            walk
        };
        e.quiet = vec![totals(walk(&[&[1, 2], &[2]])), totals(walk(&[&[2, 3], &[3]])), totals(walk(&[&[1, 2], &[1]]))];
        assert_eq!(exactly_once(&e).verdict, Verdict::Fail, "three rows, three stated, and none of the walks has them");
        e.quiet[0].keys = vec![7, 8, 9];
        assert_eq!(exactly_once(&e).verdict, Verdict::Inconclusive, "row 2 came with another key");
        e.quiet[0].keys = vec![7, 8, 8];
        assert_eq!(exactly_once(&e).verdict, Verdict::Fail, "row 2 came with the same key");
        e.quiet = ["1", "2", "3"].map(|_| totals(walk(&[&[1, 2], &[3]]))).into();
        e.quiet[1] = totals(walk(&[&[2], &[3]]));
        assert_eq!(exactly_once(&e).verdict, Verdict::Inconclusive, "row 1 moved to where the walk had been");
    }

    #[test]
    fn rows_that_others_write_after_two_equal_walks_are_not_called_lost() {
        let mut e = twice(&[&[1, 2], &[3]]);
        e.sized = vec![walk(&[&[9], &[1], &[2], &[3]])];
        assert_eq!(exactly_once(&e).verdict, Verdict::Fail, "nothing says that a row was added");
        e.closing = Some(walk(&[&[9, 1], &[2, 3]]));
        assert_eq!(exactly_once(&e).verdict, Verdict::Inconclusive);
        assert_eq!(same_set(&e).verdict, Verdict::Inconclusive);
        e.closing = Some(walk(&[&[1, 2], &[3]]));
        assert_eq!(exactly_once(&e).verdict, Verdict::Fail, "the row is in one walk only, between two without it");
        e.closing = Some(walk(&[&[1, 2], &[3]]));
        e.closing.as_mut().unwrap().end = End::Refused { status: 410, exchange: ExchangeId(5), restart: false };
        let judged = same_set(&e);
        assert_eq!((judged.verdict, judged.exchanges), (Verdict::Inconclusive, vec![ExchangeId(5)]));
    }

    #[test]
    fn rows_shuffled_in_every_walk_are_lost_by_smaller_pages_and_not_by_others() {
        let first: &[u128] = &[1, 2, 3, 4, 5, 6, 7, 8];
        let evidence = |second: &[u128], third: &[u128], sized: &[&[u128]]| {
            let quiet = vec![walk(&[first]), walk(&[second]), walk(&[third])];
            exactly_once(&Evidence { quiet, sized: vec![walk(sized)], ..Evidence::default() }).verdict
        };
        let (second, third): (&[u128], &[u128]) = (&[7, 3, 8, 2, 6, 1, 5, 4], &[5, 1, 4, 6, 2, 8, 3, 7]);
        let lossy: &[&[u128]] = &[&[3, 1, 5, 8], &[8, 2, 5, 7]];
        assert_eq!(evidence(second, third, lossy), Verdict::Fail);
        assert_eq!(evidence(second, third, &[&[3, 1, 5, 8], &[6, 2, 4, 7]]), Verdict::Inconclusive, "nothing was lost");
        let moved: &[u128] = &[8, 1, 2, 3, 4, 5, 6, 7];
        assert_eq!(evidence(moved, first, lossy), Verdict::Inconclusive, "others wrote to one row");
        assert_eq!(evidence(second, &[5, 1, 4, 6, 2, 8, 3, 9], lossy), Verdict::Inconclusive, "others created a row");
    }

    #[test]
    fn rows_without_ids_and_single_pages_show_nothing() {
        let mut e = twice(&[&[1, 2], &[3]]);
        e.quiet[0].nameless = 1;
        assert_eq!(exactly_once(&e).verdict, Verdict::Inconclusive);
        assert_eq!(exactly_once(&twice(&[&[1, 2]])).verdict, Verdict::Inconclusive);
    }
}
