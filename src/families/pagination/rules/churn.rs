//! Walks while rows are written: PAG-006, PAG-007, PAG-019.

use super::{count, counts, damage::damage, named, on, unseen};
use crate::{
    exchange::ExchangeId,
    families::{
        Evidence as AnyEvidence, JudgedRule,
        pagination::evidence::{ChurnKind, Churned, End, Evidence, RowId, WriteFact, WriteKind, missing},
    },
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const PAG_006: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-006",
        slug: "repeated-or-lost-row-under-inserts",
        family: "pagination",
        title: "Stable rows come exactly once while rows are created",
        sent: "A walk with small pages; between two pages a row is created, by turns where the target puts new rows \
               and with the sort key of the last row read.",
        requirement: "Every row that was there before the walk and stayed untouched is delivered exactly once. A row \
                      created meanwhile is delivered once or not at all.",
        not_applicable: "The suite declares no `churn`, or that the collection is immutable.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "Zalando RESTful API Guidelines rule 160; OBIE and CDR pagination notes (which allow repeats)",
        remedy: "Let the cursor hold the sort key and the id of the last row delivered, and continue behind them \
                 (`WHERE (key, id) < (?, ?)`), not a number of rows to skip.",
        defects: &["pagination.offset-behind-cursor", "pagination.insert-repeats"],
    },
    judge: |evidence| with_leftovers(evidence, on(evidence, under_inserts)),
};

fn under_inserts(evidence: &Evidence) -> Judgement {
    under(evidence, ChurnKind::Inserts, "rows were created")
}

pub(super) const PAG_007: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-007",
        slug: "lost-row-under-deletes",
        family: "pagination",
        title: "Stable rows survive deletes, also that of the cursor's row",
        sent: "A walk with small pages; between two pages a row that the check itself created is deleted: one already \
               read, the last of the page just read, one not read yet.",
        requirement: "Every row that stays is delivered exactly once, and the walk goes on; a declared answer that \
                      asks to start again is accepted once.",
        not_applicable: "The suite declares no `churn.delete`: rows cannot be deleted.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "Zalando RESTful API Guidelines rule 160 (anchor deleted)",
        remedy: "Compare with the cursor's sort key and id instead of looking its row up or skipping a number of rows.",
        defects: &["pagination.offset-behind-cursor", "pagination.anchor-lookup", "pagination.anchor-restart"],
    },
    judge: |evidence| with_leftovers(evidence, on(evidence, under_deletes)),
};

fn under_deletes(evidence: &Evidence) -> Judgement {
    under(evidence, ChurnKind::Deletes, "rows were deleted")
}

/// Says which rows the check has left behind: whoever owns the target must know.
fn with_leftovers(evidence: &AnyEvidence, judgement: Judgement) -> Judgement {
    let AnyEvidence::Pagination(evidence) = evidence else { return judgement };
    if evidence.left_behind.is_empty() {
        return judgement;
    }
    let rows = named(&evidence.names, &evidence.left_behind);
    judgement.detail(format!(
        "{} that this check created could not be deleted: {rows}",
        count(evidence.left_behind.len(), "row")
    ))
}

fn under(evidence: &Evidence, kind: ChurnKind, what: &str) -> Judgement {
    let walks: Vec<&Churned> = evidence.churned.iter().filter(|churned| churned.kind == kind).collect();
    if walks.is_empty() {
        return match &evidence.churn_trouble {
            Some(why) => Judgement::inconclusive(format!("no walk while {what}: {why}")),
            None if evidence.declared.immutable => Judgement::not_applicable("the collection is declared immutable"),
            None if evidence.cut_short => unseen(evidence, ""),
            None => Judgement::not_applicable(format!("the suite does not say how {what} (`churn`)")),
        };
    }
    let name = |row: RowId| evidence.names.of(row);
    let (mut owed, mut overlapping, mut boundaries) = (0, 0, 0);
    for churned in &walks {
        let damage = damage(churned, &name);
        if !damage.doubled.is_empty() || !damage.lost.is_empty() {
            return damaged(evidence, churned, kind, what);
        }
        if let Some(judgement) = refused(evidence, churned) {
            return judgement;
        }
        owed += damage.owed;
        overlapping += damage.overlapping;
        boundaries += churned.walk.pages.len().saturating_sub(1);
    }
    if let Some(broken) = walks.iter().find(|c| {
        !c.walk.is_complete()
            && !matches!(c.walk.end, End::Cap | End::Depth { .. } | End::Enough | End::Refused { restart: true, .. })
    }) {
        let message = format!("the walk while {what} did not come to its end: {}", broken.walk.end.told());
        return Judgement::inconclusive(message).cite(broken.walk.end.exchange());
    }
    let restarted = walks.iter().filter_map(|churned| churned.restarted.as_deref()).find(|again| again.is_complete());
    if let Some(again) = restarted
        && overlapping == 0
    {
        return Judgement::pass(
            "the walk was asked to start again, as declared, and then delivered every row that stayed",
        )
        .cite(again.pages.iter().take(2).map(|page| page.exchange));
    }
    if overlapping == 0 || owed == 0 {
        let why =
            evidence.churn_trouble.clone().unwrap_or_else(|| "no write was acknowledged between two pages".into());
        return Judgement::inconclusive(format!("no walk while {what}: {why}"));
    }
    let shifts =
        |write: &WriteFact| write.acknowledged && matches!(write.what, WriteKind::DeleteRead | WriteKind::DeleteAnchor);
    if kind == ChurnKind::Deletes && !walks.iter().flat_map(|c| &c.writes).any(shifts) {
        return Judgement::inconclusive("only rows not read yet could be deleted, which moves nothing: the rows created stand at the end of the walk")
            .cite(walks.iter().filter_map(|c| c.walk.pages.first()).map(|page| page.exchange));
    }
    let created: Vec<RowId> =
        walks.iter().flat_map(|c| &c.writes).filter(|w| w.what == WriteKind::Insert).filter_map(|w| w.row).collect();
    let met = walks.iter().flat_map(|c| c.walk.rows(&[])).filter(|row| created.contains(row)).count();
    let mut judgement = Judgement::pass(format!(
        "{} came exactly once while {what} between pages ({} acknowledged)",
        count(owed, "stable row"),
        count(overlapping, "write")
    ))
    .detail(format!(
        "{} tried without a violation: at 95 % confidence fewer than {} in 100 are affected",
        count(boundaries, "page boundary").replace("boundarys", "boundaries"),
        (300_usize.div_ceil(boundaries.max(1))).min(100)
    ));
    if kind == ChurnKind::Inserts {
        judgement = judgement.detail(format!("{met} of {} rows created meanwhile were delivered too", created.len()));
    }
    judgement.cite(walks.iter().filter_map(|c| c.walk.pages.first()).map(|page| page.exchange))
}

fn damaged(evidence: &Evidence, churned: &Churned, kind: ChurnKind, what: &str) -> Judgement {
    let name = |row: RowId| evidence.names.of(row);
    let damage = damage(churned, &name);
    let mut told = Vec::new();
    if !damage.lost.is_empty() {
        told.push(format!(
            "{} never delivered: {}",
            count(damage.lost.len(), "row"),
            named(&evidence.names, &damage.lost)
        ));
    }
    if !damage.doubled.is_empty() {
        let rows: Vec<RowId> = damage.doubled.iter().map(|repeat| repeat.row).collect();
        told.push(format!("{} delivered again: {}", count(rows.len(), "row"), named(&evidence.names, &rows)));
    }
    let order = churned.order.as_ref().map_or_else(String::new, |order| format!(" in order `{order}`"));
    let mut judgement =
        Judgement::fail(format!("a walk{order} while {what} did not deliver every stable row exactly once"))
            .expected(format!(
                "each of {} exactly once{}",
                count(damage.owed, "stable row"),
                if kind == ChurnKind::Inserts { ", a row created meanwhile once or not at all" } else { "" }
            ))
            .actual(told.join("; "));
    if let Some(diagnosis) = damage.diagnosis {
        judgement = judgement.detail(format!("diagnosis: {diagnosis}"));
    }
    for place in &damage.places {
        judgement = judgement.detail(place.clone());
    }
    if kind == ChurnKind::Inserts {
        let only_repeats = damage.lost.is_empty();
        if evidence.declared.duplicates_allowed && only_repeats {
            judgement = judgement.severity(Severity::Info).detail("the suite declares that a row may be on two pages");
        } else if counts(evidence) {
            judgement = judgement.severity(Severity::Minor).detail("pages or rows are counted: see PAG-019");
        }
    }
    judgement.cite(exchanges_of(churned, &damage.pages))
}

/// The pages where it happened, and the writes between them.
fn exchanges_of(churned: &Churned, pages: &[usize]) -> Vec<ExchangeId> {
    let mut exchanges = Vec::new();
    for page in pages.iter().copied().take(2) {
        let before = page.checked_sub(1).and_then(|before| churned.walk.pages.get(before));
        exchanges.extend(before.map(|page| page.exchange));
        exchanges.extend(churned.writes.iter().find(|w| w.after_pages == page).and_then(|w| w.exchange));
        exchanges.extend(churned.walk.pages.get(page).map(|page| page.exchange));
    }
    exchanges
}

/// The walk was refused after the row its cursor points at was deleted.
fn refused(evidence: &Evidence, churned: &Churned) -> Option<Judgement> {
    let End::Refused { status, exchange, restart } = churned.walk.end else { return None };
    let pages = churned.walk.pages.len();
    let write = churned.writes.iter().find(|write| write.after_pages == pages)?;
    let told = format!("page {} was refused with status {status} after {}", pages + 1, write.what.told());
    if restart {
        let again = churned.restarted.as_deref()?;
        let stayed: Vec<RowId> = missing(&churned.before, &missing(&churned.before, &churned.after));
        let lost = missing(&stayed, again.rows(&[]));
        if again.is_complete() && !lost.is_empty() {
            return Some(
                Judgement::fail("the walk was asked to start again, and then did not deliver every row")
                    .expected("each row that stayed")
                    .actual(format!("{} missing: {}", count(lost.len(), "row"), named(&evidence.names, &lost)))
                    .cite([exchange])
                    .cite(again.pages.iter().take(1).map(|page| page.exchange)),
            );
        }
        if again.is_complete() {
            return None;
        }
        return Some(
            Judgement::fail("the walk was asked to start again, and starting again did not work either")
                .expected("a complete walk from the first page")
                .actual(again.end.told())
                .cite([exchange]),
        );
    }
    if matches!(status, 401 | 403 | 408 | 425 | 429 | 502 | 503 | 504) {
        return Some(Judgement::inconclusive(told).cite([exchange]));
    }
    let mut judgement = Judgement::fail("a walk cannot go on after a row was written")
        .expected("the rows behind the cursor's position")
        .actual(told)
        .severity(Severity::Major);
    if let Some(restart) = &evidence.declared.restart {
        judgement = judgement.expected(format!("the declared answer that asks to start again ({restart})"));
    }
    if write.what == WriteKind::DeleteAnchor {
        judgement = judgement.detail(format!(
            "diagnosis: {}",
            damage(churned, &|row| evidence.names.of(row)).diagnosis.unwrap_or("the cursor's row is gone")
        ));
    }
    Some(judgement.cite(write.exchange).cite([exchange]))
}

pub(super) const PAG_019: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-019",
        slug: "counted-pages-over-changing-rows",
        family: "pagination",
        title: "Changing collections are paged by cursor",
        sent: "Nothing of its own: what the suite declares, and the walks of PAG-005, PAG-006 and PAG-007.",
        requirement: "Pages or rows are counted (page number, offset) only where rows do not change while they are walked.",
        not_applicable: "The listing is paged by cursor, link or id.",
        severity: Severity::Minor,
        strength: Strength::Should,
        source: "Zalando RESTful API Guidelines rule 160 (SHOULD prefer cursor)",
        remedy: "Offer a cursor beside the page number, or serve the pages from a snapshot.",
        defects: &["pagination.moving-pages"],
    },
    judge: |evidence| on(evidence, counted),
};

fn counted(evidence: &Evidence) -> Judgement {
    if !counts(evidence) {
        return Judgement::not_applicable("the listing is not paged by page number or offset");
    }
    let name = |row: RowId| evidence.names.of(row);
    for churned in &evidence.churned {
        let damage = damage(churned, &name);
        if !damage.lost.is_empty() || !damage.doubled.is_empty() {
            return Judgement::fail("pages or rows are counted, and writes shift them while they are walked")
                .expected("a cursor, or pages that stay as they are")
                .actual(format!("{} lost, {} repeated", damage.lost.len(), damage.doubled.len()))
                .cite(exchanges_of(churned, &damage.pages));
        }
    }
    if evidence.declared.immutable {
        return match super::at_rest(evidence) {
            Some(false) => Judgement::fail("the collection is declared immutable, and two walks of it differ")
                .expected("the same rows on the same pages")
                .actual("rows moved between the walks")
                .cite(evidence.quiet.iter().take(2).filter_map(|walk| walk.pages.first()).map(|page| page.exchange)),
            Some(true) if moved_while_walked(evidence) => {
                Judgement::fail("the collection is declared immutable, and rows moved while it was walked")
                    .expected("the same rows on the same pages")
                    .actual("a walk with other pages delivered rows anew, or lost some")
                    .cite(evidence.sized.iter().filter_map(|walk| walk.pages.first()).map(|page| page.exchange))
            }
            Some(true) => {
                Judgement::pass("pages are counted over a collection that is declared immutable and stayed so")
            }
            None => unseen(evidence, "the listing could not be walked twice"),
        };
    }
    if evidence.churned.is_empty() {
        return Judgement::fail("pages or rows are counted, and nothing says that the collection is immutable")
            .severity(Severity::Info)
            .expected("a cursor, or `immutable: true` in the suite")
            .actual("a page number or offset; what writes do to it was not tried");
    }
    Judgement::pass("pages or rows are counted, and no write shifted them while they were walked")
}

/// Whether a complete walk with other page sizes differs from the reference walk.
fn moved_while_walked(evidence: &Evidence) -> bool {
    let Some((reference, rows)) = super::reference(evidence) else { return false };
    reference.is_complete() && evidence.sized.iter().any(|walk| walk.is_complete() && walk.rows(rows) != rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        families::pagination::{
            evidence::{Declared, Spelling},
            rules::damage::tests::{churned, walk, write},
        },
        rule::Verdict,
    };

    fn evidence(churned: Vec<Churned>) -> Evidence {
        Evidence { quiet: vec![walk(&[&[1, 2], &[3]]), walk(&[&[1, 2], &[3]])], churned, ..Evidence::default() }
    }

    fn doubled() -> Churned {
        churned(
            ChurnKind::Inserts,
            &[1, 2, 3],
            &[&[1, 2], &[2, 3]],
            vec![write(1, WriteKind::Insert, 9)],
            &[9, 1, 2, 3],
        )
    }

    #[test]
    fn a_repeated_row_fails_and_is_lighter_where_rows_are_counted_or_repeats_declared() {
        let judged = under_inserts(&evidence(vec![doubled()]));
        assert_eq!((judged.verdict, judged.severity), (Verdict::Fail, None));
        assert!(judged.details[0].starts_with("diagnosis: the position is a number of rows"), "{:?}", judged.details);
        let mut counted = evidence(vec![doubled()]);
        counted.declared = Declared { spelling: Spelling::Offset, ..Declared::default() };
        assert_eq!(under_inserts(&counted).severity, Some(Severity::Minor));
        let mut allowed = evidence(vec![doubled()]);
        allowed.declared.duplicates_allowed = true;
        assert_eq!(under_inserts(&allowed).severity, Some(Severity::Info));
    }

    #[test]
    fn a_clean_walk_passes_only_if_writes_overlapped_it() {
        let clean = |writes| churned(ChurnKind::Inserts, &[1, 2, 3], &[&[1, 2], &[3]], writes, &[9, 1, 2, 3]);
        let judged = under_inserts(&evidence(vec![clean(vec![write(1, WriteKind::Insert, 9)])]));
        assert_eq!(judged.verdict, Verdict::Pass);
        assert_eq!(under_inserts(&evidence(vec![clean(vec![])])).verdict, Verdict::Inconclusive);
        let mut failed = write(1, WriteKind::Insert, 9);
        failed.acknowledged = false;
        assert_eq!(under_inserts(&evidence(vec![clean(vec![failed])])).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn deletes_of_rows_not_read_yet_alone_show_nothing() {
        let unread = vec![write(1, WriteKind::DeleteUnread, 4)];
        let unread = churned(ChurnKind::Deletes, &[1, 2, 3, 4], &[&[1, 2], &[3]], unread, &[1, 2, 3]);
        assert_eq!(under_deletes(&evidence(vec![unread])).verdict, Verdict::Inconclusive);
        let read = churned(
            ChurnKind::Deletes,
            &[1, 2, 3],
            &[&[1, 2], &[3]],
            vec![write(1, WriteKind::DeleteRead, 1)],
            &[2, 3],
        );
        assert_eq!(under_deletes(&evidence(vec![read])).verdict, Verdict::Pass);
    }

    #[test]
    fn a_row_created_meanwhile_may_come_once_but_not_twice() {
        let c = |pages: &[&[u128]]| {
            churned(
                ChurnKind::Inserts,
                &[1, 2, 3, 4],
                pages,
                vec![write(1, WriteKind::InsertTied, 9)],
                &[1, 2, 9, 3, 4],
            )
        };
        assert_eq!(under_inserts(&evidence(vec![c(&[&[1, 2], &[9, 3], &[4]])])).verdict, Verdict::Pass);
        assert_eq!(under_inserts(&evidence(vec![c(&[&[1, 2], &[9, 3], &[9, 4]])])).verdict, Verdict::Fail);
    }

    #[test]
    fn without_churn_or_with_trouble_nothing_is_claimed() {
        assert_eq!(under_deletes(&evidence(vec![])).verdict, Verdict::NotApplicable);
        let mut trouble = evidence(vec![]);
        trouble.churn_trouble = Some("a row could not be created".into());
        assert_eq!(under_deletes(&trouble).verdict, Verdict::Inconclusive);
    }

    fn refused_with(
        status: u16,
        restart: bool,
        again: Option<crate::families::pagination::evidence::Walk>,
    ) -> Judgement {
        let mut c =
            churned(ChurnKind::Deletes, &[1, 2, 3], &[&[1, 2]], vec![write(1, WriteKind::DeleteAnchor, 2)], &[1, 3]);
        c.walk.end = End::Refused { status, exchange: ExchangeId(7), restart };
        c.restarted = again.map(Box::new);
        under_deletes(&evidence(vec![c]))
    }

    #[test]
    fn a_vanished_anchor_may_be_answered_only_by_the_declared_restart() {
        let judged = refused_with(404, false, None);
        assert_eq!((judged.verdict, judged.severity), (Verdict::Fail, Some(Severity::Major)));
        assert!(judged.details[0].contains("looked up by its id"), "{:?}", judged.details);
        assert_eq!(refused_with(503, false, None).verdict, Verdict::Inconclusive);
        let mut broken = walk(&[&[1]]);
        broken.end = End::Cap;
        assert_eq!(refused_with(409, true, Some(broken)).verdict, Verdict::Fail);
        assert_eq!(refused_with(409, true, Some(walk(&[&[1, 3]]))).verdict, Verdict::Pass);
        assert_eq!(refused_with(409, true, Some(walk(&[&[1]]))).verdict, Verdict::Fail, "row 3 stayed");
    }

    #[test]
    fn counting_is_advice_until_rows_were_seen_to_shift() {
        let mut seen = evidence(vec![]);
        assert_eq!(counted(&seen).verdict, Verdict::NotApplicable);
        seen.declared.spelling = Spelling::Page;
        assert_eq!(counted(&seen).severity, Some(Severity::Info));
        seen.churned = vec![doubled()];
        let judged = counted(&seen);
        assert_eq!((judged.verdict, judged.severity), (Verdict::Fail, None));
        seen.churned.clear();
        seen.declared.immutable = true;
        assert_eq!(counted(&seen).verdict, Verdict::Pass);
        seen.sized = vec![walk(&[&[1], &[9], &[1], &[2], &[3]])];
        assert_eq!(counted(&seen).verdict, Verdict::Fail);
        seen.sized.clear();
        seen.quiet[1] = walk(&[&[1, 3], &[2]]);
        assert_eq!(counted(&seen).verdict, Verdict::Fail);
    }
}
