//! Walks that differ although nobody writes: a listing without a fixed order.

use std::collections::{BTreeSet, HashMap};

use super::{count, reference};
use crate::{
    families::pagination::evidence::{Evidence, RowId, Walk, repeats},
    rule::Judgement,
};

/// Walks differ, and hardly because others write: each of them repeats rows and lacks others, while every page states
/// that there are exactly as many rows as were seen in all; or the same rows come in quite another order each time, so
/// that walks with smaller pages lose some. A row that somebody moves is lost or repeated by a walk in one direction,
/// not both, and comes with another sort key the second time.
pub(super) fn restless_but_wrong(evidence: &Evidence) -> Option<Judgement> {
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
