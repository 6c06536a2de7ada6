//! Quiet walks: PAG-001, PAG-004, PAG-005, PAG-010.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{at_rest, count, named, on, reference, restless, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::evidence::{End, Evidence, Got, RowId, Walk, repeats},
    },
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const PAG_001: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-001",
        slug: "unbounded-list",
        family: "pagination",
        title: "A list is bounded without being asked",
        sent: "The listing without any paging parameter.",
        requirement: "It returns at most the declared default (or maximum) of rows and says that more follow.",
        not_applicable: "Never; it is inconclusive for a listing with too few rows.",
        severity: Severity::Critical,
        strength: Strength::Normative,
        source: "Zalando RESTful API Guidelines rule 159 (MUST); AIP-158; CDR pagination (default page size 25)",
        remedy: "Apply the default page size when none is asked for, and give the way to the next page.",
        defects: &["pagination.silent-cut", "pagination.unbounded-by-default"],
    },
    judge: |evidence| on(evidence, bounded),
};

/// Where nothing is declared, a list of more rows than this is called unbounded.
const UNDECLARED_BOUND: u64 = 1_000;

fn bounded(evidence: &Evidence) -> Judgement {
    let Some(bare) = &evidence.bare else {
        return unseen(evidence, "the listing was not asked for without parameters");
    };
    let Got::Page { rows, continues, total, .. } = &bare.got else {
        let message = format!("the listing without paging parameters was answered with {}", bare.told());
        return Judgement::inconclusive(message).cite(bare.exchange);
    };
    let declared = evidence.declared.default_size.or(evidence.declared.maximum);
    let bound = evidence.declared.maximum.or(evidence.declared.default_size).unwrap_or(UNDECLARED_BOUND);
    let known = reference(evidence).map_or(0, |(_, rows)| rows.len()) as u64;
    let returned = rows.len() as u64;
    if returned > bound {
        return Judgement::fail("without paging parameters the listing returns more rows than a page may have")
            .severity(Severity::Major)
            .expected(format!("at most {bound} rows and the way to the next page"))
            .actual(format!("{returned} rows"))
            .cite(bare.exchange);
    }
    // Rows may have been added meanwhile, so a handful fewer proves nothing.
    let exist = known.max(total.unwrap_or(0));
    if !continues && returned < exist && at_rest(evidence) != Some(false) {
        if evidence.declared.spelling.is_counted() && total.is_none() && declared.is_none_or(|size| returned >= size) {
            return Judgement::pass(format!("{returned} rows; a full page says that the next may be asked for"))
                .cite(bare.exchange);
        }
        return Judgement::fail("without paging parameters the listing is cut and says that it is complete")
            .expected("all rows, or the way to the next page")
            .actual(format!("{returned} rows, no way on, although there are at least {exist}"))
            .cite(bare.exchange)
            .cite(reference(evidence).and_then(|(walk, _)| walk.pages.first()).map(|page| page.exchange));
    }
    if *continues {
        return Judgement::pass(format!("{returned} rows and the way to the next page")).cite(bare.exchange);
    }
    Judgement::inconclusive(format!(
        "the listing has only {}: too few to see whether it is bounded{}",
        count(rows.len(), "row"),
        declared.map_or_else(String::new, |size| format!(" (a page has {size})"))
    ))
    .cite(bare.exchange)
}

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

/// Walks differ, and hardly because others write: each of them repeats rows and lacks others, while every page states
/// that there are exactly as many rows as were seen in all; or the same rows come in quite another order each time, so
/// that walks with smaller pages lose some. A row that somebody moves is lost or repeated by a walk in one direction,
/// not both, and comes with another sort key the second time.
fn restless_but_wrong(evidence: &Evidence) -> Option<Judgement> {
    let (_, rows) = reference(evidence)?;
    let [first, second, third] = evidence.quiet.as_slice() else { return None };
    if ![first, second, third].iter().all(|walk| walk.is_complete()) {
        return None;
    }
    let set = |walk: &Walk| walk.rows(rows).iter().copied().collect::<BTreeSet<RowId>>();
    let sets = [set(first), set(second), set(third)];
    let all: BTreeSet<RowId> = sets.iter().flatten().copied().collect();
    let closed = evidence.quiet.iter().all(|walk| {
        let mut totals = walk.pages.iter().filter_map(|page| page.total.as_ref());
        let total = totals.next().and_then(|total| total.text()?.parse::<usize>().ok());
        total == Some(all.len()) && totals.next().is_none()
    });
    let both = evidence
        .quiet
        .iter()
        .zip(&sets)
        .all(|(walk, set)| set.len() < all.len() && !repeats(walk.rows(rows)).is_empty());
    let shuffled = lost_to_shuffling(evidence, rows, &all);
    if shuffled.is_none() && (!closed || !both || moved(first, rows)) {
        return None;
    }
    let (missing, doubled) = (all.len() - sets[0].len(), repeats(rows).len());
    let (actual, walk) = shuffled.unwrap_or_else(|| {
        let total = all.len();
        let told =
            format!("{doubled} repeated and {missing} missing in one walk, while every page states {total} in all");
        (told, first)
    });
    Some(
        Judgement::fail("walks with nothing written meanwhile lose and repeat rows")
            .expected("every row exactly once in every walk")
            .actual(actual)
            .detail("diagnosis: the listing has no fixed order, so that pages of one walk overlap and leave gaps")
            .cite(walk.pages.iter().take(2).map(|page| page.exchange)),
    )
}

/// Every quiet walk gives the same rows, shuffled, and a walk with other pages does not give them all once.
fn lost_to_shuffling<'e>(evidence: &'e Evidence, rows: &[RowId], all: &BTreeSet<RowId>) -> Option<(String, &'e Walk)> {
    let quiet: Vec<&[RowId]> = evidence.quiet.iter().map(|walk| walk.rows(rows)).collect();
    let same_rows = quiet.iter().all(|seen| seen.len() == all.len());
    if !same_rows || !quiet.windows(2).all(|pair| shuffled(pair[0], pair[1])) {
        return None;
    }
    evidence.sized.iter().filter(|walk| walk.is_complete()).find_map(|walk| {
        let seen = walk.rows(rows);
        let delivered: BTreeSet<RowId> = seen.iter().copied().collect();
        let missing = all.difference(&delivered).count();
        let doubled = repeats(seen).len();
        let told = format!(
            "{doubled} repeated and {missing} missing ({}), while {} walks gave the same {} in another order each",
            walk.asked,
            quiet.len(),
            count(all.len(), "row")
        );
        (missing > 0 || doubled > 0).then_some((told, walk))
    })
}

/// Whether most rows changed places. Rows that others write to move alone, past the rest, which stays in order.
fn shuffled(before: &[RowId], after: &[RowId]) -> bool {
    const TOO_FEW: usize = 8;
    let places: HashMap<RowId, usize> = before.iter().enumerate().map(|(at, row)| (*row, at)).collect();
    // The ends of the longest rising sequences of each length, by patience sorting.
    let mut ends: Vec<usize> = Vec::new();
    for place in after.iter().filter_map(|row| places.get(row)) {
        let pile = ends.partition_point(|end| end < place);
        if pile == ends.len() { ends.push(*place) } else { ends[pile] = *place }
    }
    before.len() >= TOO_FEW && ends.len() * 2 < before.len()
}

/// Whether the rows that a walk repeats came with another sort key the second time, as far as keys were kept.
fn moved(walk: &Walk, rows: &[RowId]) -> bool {
    repeats(rows).iter().any(|repeat| walk.keys.get(repeat.first) != walk.keys.get(repeat.again))
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

pub(super) const PAG_010: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-010",
        slug: "page-size-changes-the-set",
        family: "pagination",
        title: "The page size does not change the set",
        sent: "Walks with every declared page size, nothing written meanwhile.",
        requirement: "Each delivers the same rows in the same order.",
        not_applicable: "The suite declares fewer than two page sizes.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "Segura et al., Metamorphic Testing of RESTful Web APIs (equality); AIP-158",
        remedy: "Let the page size decide only where pages end; signal a limit on the depth of a walk.",
        defects: &["pagination.size-dependent"],
    },
    judge: |evidence| on(evidence, same_set),
};

fn same_set(evidence: &Evidence) -> Judgement {
    if evidence.sized.is_empty() {
        return if evidence.declared.size_parameter.is_some() && evidence.cut_short {
            unseen(evidence, "")
        } else {
            Judgement::not_applicable("the suite declares fewer than two page sizes")
        };
    }
    if let Some(judgement) = restless(evidence) {
        return judgement;
    }
    let Some((walk, rows)) = reference(evidence) else { return unseen(evidence, "the listing was not walked") };
    let mut compared = 0;
    for other in &evidence.sized {
        let seen = other.rows(rows);
        let missing = passed_by(rows, seen, other.is_complete() && walk.is_complete());
        let extra = passed_by(seen, rows, other.is_complete() && walk.is_complete());
        if !missing.is_empty() || !extra.is_empty() {
            return Judgement::fail(format!("walks with {} and {} deliver different rows", walk.asked, other.asked))
                .expected("the same rows whatever the page size")
                .actual(format!(
                    "{} only with {}{}; {} only with {}{}",
                    count(missing.len(), "row"),
                    walk.asked,
                    told(evidence, &missing),
                    count(extra.len(), "row"),
                    other.asked,
                    told(evidence, &extra)
                ))
                .cite(other.pages.iter().take(2).map(|page| page.exchange));
        }
        let common = seen.len().min(rows.len());
        let ties_only = !walk.keys.is_empty() && walk.keys.get(..common) == other.keys.get(..common);
        if seen[..common] != rows[..common]
            && evidence.declared.default_order.is_some()
            && !ties_only
            && repeats(seen).is_empty()
        {
            return Judgement::fail(format!(
                "walks with {} and {} deliver rows in another order",
                walk.asked, other.asked
            ))
            .expected("the same order whatever the page size")
            .actual("the same rows in another order")
            .cite(other.pages.iter().take(2).map(|page| page.exchange));
        }
        if other.pages.len() > 1 || walk.pages.len() > 1 {
            compared += 1;
        }
    }
    if compared == 0 {
        return Judgement::inconclusive("every row is on one page whatever the page size");
    }
    Judgement::pass(format!("{} page sizes delivered the same rows in the same order", compared + 1))
        .cite(evidence.sized.iter().filter_map(|walk| walk.pages.first()).map(|page| page.exchange))
}

fn told(evidence: &Evidence, rows: &[RowId]) -> String {
    if rows.is_empty() { String::new() } else { format!(" ({})", named(&evidence.names, rows)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::ExchangeId,
        families::pagination::{
            evidence::{Answer, Declared},
            rules::damage::tests::{ids, walk},
        },
        json::Scalar,
        rule::Verdict,
    };

    fn twice(pages: &[&[u128]]) -> Evidence {
        Evidence { quiet: vec![walk(pages), walk(pages)], ..Evidence::default() }
    }

    fn page(rows: &[u128], continues: bool) -> Answer {
        let got = Got::Page { status: 200, rows: ids(rows), continues, circles: false, total: None };
        Answer { sent: "GET /x".into(), exchange: Some(ExchangeId(9)), got }
    }

    #[test]
    fn a_bare_list_is_bounded_cut_or_unbounded() {
        let mut e = twice(&[&[1, 2], &[3, 4]]);
        e.declared.default_size = Some(2);
        e.bare = Some(page(&[1, 2], true));
        assert_eq!(bounded(&e).verdict, Verdict::Pass);
        e.bare = Some(page(&[1, 2], false));
        assert_eq!((bounded(&e).verdict, bounded(&e).severity), (Verdict::Fail, None));
        e.bare = Some(page(&[1, 2, 3, 4], false));
        assert_eq!((bounded(&e).verdict, bounded(&e).severity), (Verdict::Fail, Some(Severity::Major)));
        e.declared.default_size = Some(10);
        assert_eq!(bounded(&e).verdict, Verdict::Inconclusive);
        e.bare = Some(Answer { got: Got::Refused { status: 400 }, ..page(&[], false) });
        assert_eq!(bounded(&e).verdict, Verdict::Inconclusive);
    }

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

    #[test]
    fn page_sizes_must_agree_in_set_and_order() {
        let mut e = twice(&[&[1, 2], &[3]]);
        assert_eq!(same_set(&e).verdict, Verdict::NotApplicable);
        e.sized = vec![walk(&[&[1], &[2], &[3]])];
        assert_eq!(same_set(&e).verdict, Verdict::Pass);
        e.sized = vec![walk(&[&[1], &[3]])];
        assert_eq!(same_set(&e).verdict, Verdict::Fail);
        e.sized = vec![walk(&[&[2], &[1], &[3]])];
        assert_eq!(same_set(&e).verdict, Verdict::Pass, "no order is declared");
        e.declared = Declared { default_order: Some("newest".into()), ..Declared::default() };
        assert_eq!(same_set(&e).verdict, Verdict::Fail);
    }
}
