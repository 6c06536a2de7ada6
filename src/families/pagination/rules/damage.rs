//! What a walk did to rows that it owed exactly once, and which mistake explains it.

use std::collections::{BTreeSet, HashMap};

use crate::families::pagination::evidence::{
    ChurnKind, Churned, End, Repeat, RowId, Walk, WriteKind, missing, repeats,
};

/// The damage done by one walk with rows written meanwhile.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Damage {
    /// Stable rows that the walk passed by, in the order of the listing.
    pub(super) lost: Vec<RowId>,
    /// Rows, stable or created meanwhile, that it delivered more than once.
    pub(super) doubled: Vec<Repeat>,
    /// How many writes were acknowledged between two pages.
    pub(super) overlapping: usize,
    /// How many stable rows it owed.
    pub(super) owed: usize,
    /// The mistake that explains it, if one does.
    pub(super) diagnosis: Option<&'static str>,
    /// The pages on which it shows, counting from 0.
    pub(super) pages: Vec<usize>,
    /// Where it happened, in words.
    pub(super) places: Vec<String>,
}

const OFFSET: &str = "the position is a number of rows, not a row (an offset, perhaps behind a cursor): each write \
                      before the position shifts every later row by one";
const RESTART: &str = "the walk began again at its first page: a cursor whose row is gone is taken for no cursor";
const TIE: &str =
    "the position is a sort key without a tie-breaker: rows whose key equals the boundary's are passed by";
const BEHIND: &str = "where the row that the cursor points at is gone, the walk goes on one row too far: the first row \
                      behind it is taken for it";
const ANCHOR: &str = "the cursor points at a row that is looked up by its id, and the row is gone";

/// Weighs one walk. Owed are the rows that were there before, were not deleted, and were still there, in the same
/// relative order, afterwards.
pub(super) fn damage(churned: &Churned, name: &dyn Fn(RowId) -> String) -> Damage {
    let seen = churned.walk.rows(&[]);
    let deleted: BTreeSet<RowId> = churned
        .writes
        .iter()
        .filter(|w| !matches!(w.what, WriteKind::Insert | WriteKind::InsertTied) && (w.acknowledged || w.ambiguous))
        .filter_map(|w| w.row)
        .collect();
    let stable = stable(churned, &deleted);
    let owed = owed(&stable, churned, seen);
    let lost = missing(owed, seen);
    // A row that somebody else moved may come at both of its places.
    let steady: BTreeSet<RowId> = stable.iter().copied().collect();
    let created: BTreeSet<RowId> = churned.writes.iter().filter_map(|w| w.row).collect();
    let once = |row: RowId| !deleted.contains(&row) && (steady.contains(&row) || created.contains(&row));
    let doubled: Vec<Repeat> = repeats(seen).into_iter().filter(|repeat| once(repeat.row)).collect();
    let pages = churned.walk.pages.len();
    let overlapping =
        churned.writes.iter().filter(|w| w.acknowledged && w.after_pages >= 1 && w.after_pages < pages).count();
    let mut damage = Damage { owed: owed.len(), lost, doubled, overlapping, ..Damage::default() };
    damage.diagnosis = diagnosis(churned, seen, &damage, &stable);
    damage.pages = damage
        .doubled
        .iter()
        .map(|repeat| churned.walk.page_of(repeat.again))
        .chain(damage.lost.iter().filter_map(|row| boundary_of(&churned.walk, seen, &stable, *row)))
        .collect();
    damage.places = places(churned, &damage, &stable, seen, name);
    damage
}

fn stable(churned: &Churned, deleted: &BTreeSet<RowId>) -> Vec<RowId> {
    let after: HashMap<RowId, usize> = churned.after.iter().enumerate().map(|(at, row)| (*row, at)).collect();
    let kept: Vec<(RowId, usize)> = churned
        .before
        .iter()
        .filter(|row| !deleted.contains(row))
        .filter_map(|row| Some((*row, *after.get(row)?)))
        .collect();
    // A row that moved against its neighbours was written to by somebody else: nothing is owed for it.
    let mut steady = Vec::new();
    let mut highest = None;
    for (at, (row, place)) in kept.iter().enumerate() {
        let lowest_behind = kept[at + 1..].iter().take(50).map(|(_, p)| *p).min();
        if highest.is_none_or(|h| *place > h) && lowest_behind.is_none_or(|l| *place < l) {
            steady.push(*row);
        }
        highest = highest.max(Some(*place));
    }
    steady
}

/// The stable rows that the walk should have delivered: all of them if it went to the end of a listing that is
/// wholly known, else those before the last that it did deliver.
fn owed<'s>(stable: &'s [RowId], churned: &Churned, seen: &[RowId]) -> &'s [RowId] {
    if churned.walk.is_complete() && churned.before_complete {
        return stable;
    }
    let seen: BTreeSet<RowId> = seen.iter().copied().collect();
    let last = stable.iter().rposition(|row| seen.contains(row));
    last.map_or(&[], |last| &stable[..last])
}

fn diagnosis(churned: &Churned, seen: &[RowId], damage: &Damage, stable: &[RowId]) -> Option<&'static str> {
    let walk = &churned.walk;
    let restarts_at = (1..walk.pages.len()).find(|page| {
        let first = walk.first_of(*page);
        let rows = walk.pages[*page].rows as usize;
        rows > 0 && seen.get(first).is_some_and(|row| seen.iter().take(2).any(|r| r == row))
    });
    if let Some(page) = restarts_at
        && !damage.doubled.is_empty()
        && churned.writes.iter().any(|w| w.after_pages == page && w.what == WriteKind::DeleteAnchor)
    {
        return Some(RESTART);
    }
    if let End::Refused { .. } = walk.end
        && churned.writes.last().is_some_and(|w| w.after_pages == walk.pages.len() && w.what == WriteKind::DeleteAnchor)
    {
        return Some(ANCHOR);
    }
    let at_boundary = |repeat: &&Repeat| walk.page_of(repeat.again) == walk.page_of(repeat.first) + 1;
    if !damage.doubled.is_empty() && damage.doubled.iter().filter(at_boundary).count() * 2 >= damage.doubled.len() {
        return Some(OFFSET);
    }
    if damage.lost.is_empty() {
        return None;
    }
    let after_tie = damage
        .lost
        .iter()
        .all(|row| write_before(churned, seen, stable, *row).is_some_and(|w| w.what == WriteKind::InsertTied));
    if churned.kind == ChurnKind::Inserts {
        return after_tie.then_some(TIE);
    }
    let follows =
        |row: &RowId, what: WriteKind| write_before(churned, seen, stable, *row).is_some_and(|w| w.what == what);
    let tried = |what: WriteKind| churned.writes.iter().any(|w| w.what == what && w.acknowledged);
    if tried(WriteKind::DeleteRead) && damage.lost.iter().all(|row| follows(row, WriteKind::DeleteAnchor)) {
        return Some(BEHIND);
    }
    // Shifts add up, so that a loss may show only a page later than its cause.
    let after_delete = damage.lost.iter().filter(|row| {
        write_before(churned, seen, stable, **row)
            .is_some_and(|w| matches!(w.what, WriteKind::DeleteRead | WriteKind::DeleteAnchor))
    });
    (after_delete.count() * 2 >= damage.lost.len()).then_some(OFFSET)
}

/// The page boundary (pages read) at which a lost row was passed by: behind the page of the last stable row before
/// it that was delivered.
fn boundary_of(walk: &Walk, seen: &[RowId], stable: &[RowId], lost: RowId) -> Option<usize> {
    let at = stable.iter().position(|row| *row == lost)?;
    let before = stable[..at].iter().rev().find_map(|row| seen.iter().position(|s| s == row));
    Some(before.map_or(0, |index| walk.page_of(index) + 1))
}

fn write_before<'c>(
    churned: &'c Churned,
    seen: &[RowId],
    stable: &[RowId],
    lost: RowId,
) -> Option<&'c crate::families::pagination::evidence::WriteFact> {
    let boundary = boundary_of(&churned.walk, seen, stable, lost)?;
    churned.writes.iter().find(|w| w.after_pages == boundary)
}

fn places(
    churned: &Churned,
    damage: &Damage,
    stable: &[RowId],
    seen: &[RowId],
    name: &dyn Fn(RowId) -> String,
) -> Vec<String> {
    const SHOWN: usize = 6;
    let write_at = |pages: usize| {
        let write = churned.writes.iter().find(|w| w.after_pages == pages)?;
        let row = write.row.map_or_else(String::new, |row| format!(" ({})", name(row)));
        Some(format!("{}{row}", write.what.told()))
    };
    let doubled = damage.doubled.iter().map(|repeat| {
        let (first, again) = (churned.walk.page_of(repeat.first), churned.walk.page_of(repeat.again));
        let when = if again == first + 1 { "between them" } else { "just before that" };
        let between = write_at(again).map_or_else(String::new, |write| format!("; {when}: {write}"));
        format!("{} came on page {} and again on page {}{between}", name(repeat.row), first + 1, again + 1)
    });
    let lost = damage.lost.iter().map(|row| {
        let boundary = boundary_of(&churned.walk, seen, stable, *row).unwrap_or_default();
        let write = write_at(boundary).map_or_else(String::new, |write| format!(", after {write}"));
        format!("{} was never delivered: passed by between pages {} and {}{write}", name(*row), boundary, boundary + 1)
    });
    doubled.chain(lost).take(SHOWN).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        exchange::ExchangeId,
        families::pagination::evidence::{PageFact, RowList, WriteFact},
    };

    /// A walk with the given pages of rows.
    pub(in crate::families::pagination::rules) fn walk(pages: &[&[u128]]) -> Walk {
        let mut rows = Vec::new();
        let pages = pages
            .iter()
            .enumerate()
            .map(|(number, page)| {
                rows.extend(page.iter().copied().map(RowId));
                PageFact {
                    exchange: ExchangeId(u32::try_from(number).unwrap() + 1),
                    rows: u32::try_from(page.len()).unwrap(),
                    more: None,
                    total: None,
                    page_count: None,
                    estimate: false,
                }
            })
            .collect();
        Walk {
            asked: "limit=2".into(),
            size: Some(2),
            order: None,
            pages,
            rows: RowList::Listed(rows),
            keys: Vec::new(),
            nameless: 0,
            order_seen: None,
            tokens: Vec::new(),
            links: Vec::new(),
            end: End::Terminator("there is no cursor".into()),
        }
    }

    /// What two equal walks saw.
    pub(in crate::families::pagination::rules) fn twice(pages: &[&[u128]]) -> crate::families::pagination::Evidence {
        let quiet = vec![walk(pages), walk(pages)];
        crate::families::pagination::Evidence { quiet, ..Default::default() }
    }

    pub(in crate::families::pagination::rules) fn ids(rows: &[u128]) -> Vec<RowId> {
        rows.iter().copied().map(RowId).collect()
    }

    pub(in crate::families::pagination::rules) fn write(after_pages: usize, what: WriteKind, row: u128) -> WriteFact {
        WriteFact { after_pages, what, row: Some(RowId(row)), exchange: None, acknowledged: true, ambiguous: false }
    }

    pub(in crate::families::pagination::rules) fn churned(
        kind: ChurnKind,
        before: &[u128],
        pages: &[&[u128]],
        writes: Vec<WriteFact>,
        after: &[u128],
    ) -> Churned {
        Churned {
            kind,
            order: None,
            before: ids(before),
            before_complete: true,
            walk: walk(pages),
            writes,
            after: ids(after),
            restarted: None,
        }
    }

    fn weigh(churned: &Churned) -> Damage {
        damage(churned, &|row| row.0.to_string())
    }

    #[test]
    fn inserts_at_the_head_behind_an_offset_double_the_last_row_of_each_page() {
        let c = churned(
            ChurnKind::Inserts,
            &[1, 2, 3, 4, 5],
            &[&[1, 2], &[2, 3], &[3, 4], &[4, 5]],
            vec![write(1, WriteKind::Insert, 11), write(2, WriteKind::Insert, 12), write(3, WriteKind::Insert, 13)],
            &[13, 12, 11, 1, 2, 3, 4, 5],
        );
        let d = weigh(&c);
        assert_eq!((d.lost.len(), d.doubled.len(), d.overlapping, d.owed), (0, 3, 3, 5));
        assert_eq!(d.diagnosis, Some(OFFSET));
        assert_eq!(d.places[0], "2 came on page 1 and again on page 2; between them: a row created (11)");
    }

    #[test]
    fn deletes_behind_an_offset_lose_the_first_row_of_the_next_page() {
        let c = churned(
            ChurnKind::Deletes,
            &[1, 2, 3, 4, 5, 6],
            &[&[1, 2], &[4, 5], &[6]],
            vec![write(1, WriteKind::DeleteRead, 1)],
            &[2, 3, 4, 5, 6],
        );
        let d = weigh(&c);
        assert_eq!(d.lost, ids(&[3]));
        assert_eq!(d.diagnosis, Some(OFFSET));
        assert_eq!(
            d.places,
            ["3 was never delivered: passed by between pages 1 and 2, after a row already read deleted (1)"]
        );
    }

    #[test]
    fn rows_lost_only_behind_a_deleted_anchor_are_told_from_an_offset() {
        let c = churned(
            ChurnKind::Deletes,
            &[1, 2, 3, 4, 5, 6, 7, 8],
            &[&[1, 2], &[3, 4], &[6, 7], &[8]],
            vec![write(1, WriteKind::DeleteRead, 1), write(2, WriteKind::DeleteAnchor, 4)],
            &[2, 3, 5, 6, 7, 8],
        );
        let d = weigh(&c);
        assert_eq!((d.lost, d.diagnosis), (ids(&[5]), Some(BEHIND)));
    }

    #[test]
    fn rows_written_meanwhile_and_rows_of_others_are_not_owed() {
        // 2 deleted by us, 9 by somebody else, 7 moved by somebody else, 11 created: none of them is owed.
        let c = churned(
            ChurnKind::Deletes,
            &[1, 2, 9, 3, 7, 4],
            &[&[1, 2], &[3, 4]],
            vec![write(1, WriteKind::DeleteAnchor, 2)],
            &[7, 1, 11, 3, 4],
        );
        let d = weigh(&c);
        assert_eq!((d.lost, d.doubled), (vec![], vec![]));
    }

    #[test]
    fn a_row_that_somebody_else_moves_may_come_twice() {
        // 2 was moved behind 4 by somebody else after it had been read.
        let c = churned(
            ChurnKind::Inserts,
            &[1, 2, 3, 4],
            &[&[1, 2], &[3, 4], &[2]],
            vec![write(1, WriteKind::Insert, 11)],
            &[1, 3, 4, 2, 11],
        );
        assert_eq!(weigh(&c).doubled, []);
        // A row of our own is nobody else's to move.
        let c = churned(
            ChurnKind::Inserts,
            &[1, 2],
            &[&[1, 11], &[11, 2]],
            vec![write(1, WriteKind::Insert, 11)],
            &[1, 11, 2],
        );
        assert_eq!(weigh(&c).doubled.len(), 1);
    }

    #[test]
    fn a_walk_that_stopped_early_owes_only_what_it_passed() {
        let mut c = churned(ChurnKind::Inserts, &[1, 2, 3, 4, 5, 6], &[&[1, 2], &[4]], vec![], &[1, 2, 3, 4, 5, 6]);
        c.walk.end = End::Enough;
        assert_eq!(weigh(&c).lost, ids(&[3]));
    }

    #[test]
    fn a_walk_that_begins_again_after_its_anchor_is_gone_is_told_from_an_offset() {
        let c = churned(
            ChurnKind::Deletes,
            &[1, 2, 3, 4, 5],
            &[&[1, 2], &[1, 3], &[4, 5]],
            vec![write(1, WriteKind::DeleteAnchor, 2)],
            &[1, 3, 4, 5],
        );
        let d = weigh(&c);
        assert_eq!(d.diagnosis, Some(RESTART));
        assert_eq!(d.doubled.len(), 1);
    }

    #[test]
    fn rows_lost_only_beside_ties_point_at_the_tie_breaker() {
        let c = churned(
            ChurnKind::Inserts,
            &[1, 2, 3, 4],
            &[&[1, 2], &[4]],
            vec![write(1, WriteKind::InsertTied, 21)],
            &[1, 2, 21, 3, 4],
        );
        assert_eq!(weigh(&c).diagnosis, Some(TIE));
    }
}
