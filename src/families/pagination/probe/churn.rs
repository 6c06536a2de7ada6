//! Walks while rows are created and deleted between pages.
//!
//! The probe creates rows of its own, waits until two quiet walks agree and show them, and then walks again with
//! small pages, writing once between two pages at a time. Only its own rows are ever deleted. What the rows were
//! before and after the walk tells which of them were stable; those alone are judged.

use std::time::Duration;

use super::{
    Ask, Probe, SHORT_WALK, Walker, Watching,
    writes::{Own, OwnRows},
};
use crate::families::pagination::evidence::{ChurnKind, Churned, End, RowId, WriteKind};

/// Writes made during one walk.
const WRITES: usize = 9;
/// Own rows with the same sort key.
const TIED: usize = 5;
/// The most rows of its own that a probe creates ahead of a walk.
const MOST_SEEDED: usize = 60;
/// Pages of its own rows that a probe would like to have.
const OWN_PAGES: usize = 5;

/// What a listing holds while nothing changes.
struct Settled {
    rows: Vec<RowId>,
    complete: bool,
}

impl Probe<'_> {
    pub(super) async fn churn(&mut self) {
        let Some(churn) = &self.config.churn else { return };
        // The plan has no writes where the suite does not permit them, whatever rules it has.
        if self.plan.writes == 0 || !self.wants(&["PAG-006", "PAG-007", "PAG-019"]) {
            return;
        }
        let deletes = churn.delete.is_some() && self.wants(&["PAG-007", "PAG-019"]);
        let mut own = OwnRows::default();
        let page = self.rows_a_page();
        let trouble = self.churned_walks(&mut own, page, deletes).await;
        self.evidence.churn_trouble = trouble.err();
        self.evidence.left_behind = self.clean_up(&mut own).await;
    }

    async fn churned_walks(&mut self, own: &mut OwnRows, page: usize, deletes: bool) -> Result<(), String> {
        let wanted = (page * OWN_PAGES).clamp(6, MOST_SEEDED);
        let seeds = if deletes || self.reference.len() < wanted { wanted } else { 2 };
        self.seed(own, seeds).await?;
        let order = self.order_with_own_rows_early(own, page).await?;
        if let Some(key) = self.key_of_own_row(own, order.as_deref()).await {
            for _ in 0..TIED.min(seeds) {
                let fact = self.create(own, Some(&key), 0).await;
                self.evidence.tied_rows.extend(fact.row);
            }
            if self.wants(&["PAG-008"]) {
                self.tied_walks(own, order.as_deref()).await?;
            }
        }
        if self.wants(&["PAG-006", "PAG-019"]) {
            // New rows stand at one end of each order: both ends are tried, where the listing offers both.
            let mut orders = vec![order.clone()];
            orders.extend(self.other_order(order.as_deref()).map(Some));
            for order in orders {
                let before = self.settled(own, order.as_deref(), false).await?;
                self.churned_walk(ChurnKind::Inserts, own, order, before, page).await;
            }
        }
        if deletes {
            let before = self.settled(own, order.as_deref(), true).await?;
            let other = self.other_order(order.as_deref());
            self.churned_walk(ChurnKind::Deletes, own, order, before, page).await;
            // What pages one way need not page the other; where the rows created stand too far behind, one must do.
            if let Some(other) = other
                && let Ok(before) = self.settled(own, Some(&other), true).await
                && before.complete
                && before.rows.len() <= reach(page)
            {
                self.churned_walk(ChurnKind::Deletes, own, Some(other), before, page).await;
            }
        }
        Ok(())
    }

    /// How many rows a page of the churned walks has.
    fn rows_a_page(&self) -> usize {
        let first = self.evidence.quiet.first().and_then(|walk| walk.pages.first());
        let default = first.map_or(10, |page| page.rows as usize).max(1);
        self.small().and_then(|size| usize::try_from(size).ok()).unwrap_or(default)
    }

    async fn seed(&mut self, own: &mut OwnRows, count: usize) -> Result<(), String> {
        for _ in 0..count {
            let fact = self.create(own, None, 0).await;
            if own.repeated {
                return Err("`churn.insert` was answered with a row that was there before: make its body unique, with `{{n}}` or `{{uuid}}`".into());
            }
            if !fact.acknowledged {
                let shown = fact.exchange.map_or_else(String::new, |id| format!(" ({id})"));
                return Err(format!("a row could not be created by `churn.insert`{shown}"));
            }
            if fact.row.is_none() {
                return Err("the answer to `churn.insert` holds no id where `churn.insert.id` says it is".into());
            }
        }
        Ok(())
    }

    /// The order in which own rows come within a short walk: the default one if they do, else another.
    async fn order_with_own_rows_early(&mut self, own: &OwnRows, page: usize) -> Result<Option<String>, String> {
        let reach = reach(page);
        let sort = self.config.sort.as_ref().filter(|sort| sort.parameter.is_some());
        let others: Vec<Option<String>> = sort.iter().flat_map(|s| s.orders.keys().cloned().map(Some)).collect();
        let mut why = String::new();
        for order in std::iter::once(None).chain(others) {
            match self.settled(own, order.as_deref(), true).await {
                Ok(settled) => {
                    let last = settled.rows.iter().rposition(|row| own.find(*row).is_some());
                    if settled.complete && settled.rows.len() <= reach || last.is_some_and(|at| at < reach) {
                        return Ok(order);
                    }
                    why = "the rows created stand too far behind to be reached by a walk with small pages".into();
                }
                Err(reason) => why = reason,
            }
        }
        Err(why)
    }

    /// Another declared order that can be asked for.
    fn other_order(&self, order: Option<&str>) -> Option<String> {
        let sort = self.config.sort.as_ref().filter(|sort| sort.parameter.is_some())?;
        let current = order.or(sort.default.as_deref());
        sort.orders.keys().find(|name| Some(name.as_str()) != current).cloned()
    }

    /// The sort key of a row of its own, where equal keys can be made.
    async fn key_of_own_row(&mut self, own: &OwnRows, order: Option<&str>) -> Option<String> {
        self.config.churn.as_ref()?.insert_tied.as_ref()?;
        let watching = self.watching(order, false);
        watching.order?;
        let ask =
            Ask::start("the listing, for the sort key of a new row").size(self.large()).order(order.map(Into::into));
        let key = watching.order.map(|(key, _)| key)?;
        let watching = Watching { fields: vec![key], ..Watching::default() };
        let walker = Walker::new(self.listing, ask, &watching, SHORT_WALK);
        let walker = walker.until_the_end(&mut self.names).await;
        let found = walker.fields.iter().find(|(row, _)| own.find(*row).is_some());
        found.and_then(|(_, values)| values[0].as_ref()?.text().map(str::to_owned))
    }

    /// Two quiet walks that agree and, if asked, show every own row, within the time that rows may take to appear.
    async fn settled(&mut self, own: &OwnRows, order: Option<&str>, with_own: bool) -> Result<Settled, String> {
        let deadline = self.session.now() + self.config.list_lag.0;
        let mut previous: Option<Vec<RowId>> = None;
        loop {
            let ask = Ask::start("quiet walk").size(self.large()).order(order.map(Into::into));
            let pages = self.config.max_pages.min(SHORT_WALK);
            let walker = Walker::new(self.listing, ask, &Watching::default(), pages);
            let mut walk = walker.until_the_end(&mut self.names).await.finish();
            let complete = walk.is_complete();
            if !complete && !matches!(walk.end, End::Cap | End::Depth { .. }) {
                return Err(format!("the listing could not be walked quietly: {}", walk.end.told()));
            }
            let crate::families::pagination::evidence::RowList::Listed(rows) = std::mem::take(&mut walk.rows) else {
                return Err("the listing could not be walked quietly".into());
            };
            let unseen = own.alive().filter(|own| with_own && !rows.contains(&own.row)).count();
            if previous.as_ref() == Some(&rows) && unseen == 0 {
                return Ok(Settled { rows, complete });
            }
            if self.session.now() >= deadline || self.session.stopping() {
                return Err(match unseen {
                    0 => "the listing did not come to rest: others write to it".into(),
                    n if complete => {
                        format!(
                            "{n} of the rows created are not in the listing after {} (`list_lag`)",
                            self.config.list_lag
                        )
                    }
                    n => format!("{n} of the rows created are not among the first {} rows of the listing", rows.len()),
                });
            }
            if previous.is_some() {
                self.session.pause(Duration::from_millis(100)).await;
            }
            previous = Some(rows);
        }
    }

    /// Walks over own rows with equal sort keys, in sizes that cut their group.
    async fn tied_walks(&mut self, own: &OwnRows, order: Option<&str>) -> Result<(), String> {
        if self.config.page_size.is_none() {
            return Ok(());
        }
        let settled = self.settled(own, order, true).await?;
        let last = settled.rows.iter().rposition(|row| own.find(*row).is_some()).unwrap_or_default();
        for size in [1, 2, TIED as u64 - 1] {
            let watching = self.watching(order, true);
            let ask = Ask::start("walk over rows with equal sort keys").size(Some(size)).order(order.map(Into::into));
            let pages = (last as u64 + 2).div_ceil(size) + 2;
            let walker = Walker::new(self.listing, ask, &watching, pages.min(SHORT_WALK * 3));
            let walk = walker.until_rows(last + 2, &mut self.names).await.finish();
            self.evidence.tied.push(walk);
        }
        // Rows of others may have come between the walks, with the same key.
        if self.settled(own, order, true).await?.rows != settled.rows {
            self.evidence.tied.clear();
        }
        Ok(())
    }

    /// The walk itself.
    async fn churned_walk(
        &mut self,
        kind: ChurnKind,
        own: &mut OwnRows,
        order: Option<String>,
        before: Settled,
        page: usize,
    ) {
        let purpose = match kind {
            ChurnKind::Inserts => "walk while rows are created",
            ChurnKind::Deletes => "walk while rows are deleted",
        };
        let ask = Ask::start(purpose).size(self.small()).order(order.clone());
        let watching = self.watching(order.as_deref(), false);
        let most = self.config.max_pages.min((before.rows.len() / page.max(1)) as u64 + 30).min(SHORT_WALK * 2);
        let mut walker = Walker::new(self.listing, ask, &watching, most);
        let mut writes = Vec::new();
        let mut read: Vec<RowId> = Vec::new();
        let mut first_page_hit = false;
        while walker.step(&mut self.names).await {
            read.extend(walker.last_page());
            if writes.len() >= WRITES {
                let behind = before.rows.len().saturating_sub(read.len());
                let last =
                    writes.last().map_or(0, |w: &crate::families::pagination::evidence::WriteFact| w.after_pages);
                if behind > page * 60 && walker.pages() > last + 4 {
                    break;
                }
                continue;
            }
            let pages = walker.pages();
            match kind {
                ChurnKind::Inserts => {
                    let key = walker.last_key().and_then(|key| key.text()).map(str::to_owned);
                    let tied = writes.len() % 2 == 1;
                    writes.push(self.create(own, key.as_deref().filter(|_| tied), pages).await);
                }
                ChurnKind::Deletes => {
                    let chosen =
                        choose(own, &before.rows, &read, walker.last_page(), writes.len(), &mut first_page_hit);
                    if let Some((row, what)) = chosen {
                        writes.push(self.delete(own, row, what, pages).await);
                    }
                }
            }
        }
        let walk = walker.finish();
        let restarted = if matches!(walk.end, End::Refused { restart: true, .. }) {
            let ask = Ask::start("walk started again, as asked").size(self.small()).order(order.clone());
            let walker = Walker::new(self.listing, ask, &Watching::default(), most);
            Some(Box::new(walker.until_the_end(&mut self.names).await.finish()))
        } else {
            None
        };
        let after = self.rows_after(order.as_deref(), before.rows.len() + own.rows.len()).await;
        self.evidence.churned.push(Churned {
            kind,
            order,
            before: before.rows,
            before_complete: before.complete,
            walk,
            writes,
            after,
            restarted,
        });
    }

    async fn rows_after(&mut self, order: Option<&str>, count: usize) -> Vec<RowId> {
        let ask = Ask::start("quiet walk afterwards").size(self.large()).order(order.map(Into::into));
        let pages = self.config.max_pages.min(SHORT_WALK + 2);
        let walker = Walker::new(self.listing, ask, &Watching::default(), pages);
        let walk = walker.until_rows(count, &mut self.names).await.finish();
        walk.rows(&[]).to_vec()
    }
}

/// How many rows a walk with small pages reaches.
fn reach(page: usize) -> usize {
    usize::try_from(SHORT_WALK).unwrap_or(40) * page
}

/// The own row to delete next: a row already read, what the cursor points at, a row not read yet, in turns. While no
/// own row was read, none is deleted: a row not read yet shifts nothing, and the writes of a walk are few.
fn choose(
    own: &OwnRows,
    before: &[RowId],
    read: &[RowId],
    page: &[RowId],
    turn: usize,
    first_page_hit: &mut bool,
) -> Option<(RowId, WriteKind)> {
    let alive = |row: &RowId| own.find(*row).map(|own: &Own| own.row);
    let anchor = page.last().and_then(alive).map(|row| (row, WriteKind::DeleteAnchor));
    let body = &read[..read.len().saturating_sub(1)];
    let first = read.first().and_then(alive).filter(|_| !*first_page_hit && read.len() > 1);
    let passed = first.or_else(|| body.iter().rev().find_map(alive)).map(|row| (row, WriteKind::DeleteRead));
    // Not a row that the walk has passed by: its loss is what this is about.
    let behind = before.iter().rposition(|row| read.contains(row)).map_or(0, |at| at + 1);
    let ahead = before[behind..].iter().find_map(alive).map(|row| (row, WriteKind::DeleteUnread));
    let chosen = match turn % 3 {
        0 => passed.or(anchor),
        1 => anchor.or(passed),
        _ => ahead.or(passed).or(anchor),
    };
    if chosen.is_some_and(|(row, _)| Some(row) == first) {
        *first_page_hit = true;
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is deleted on three turns, with rows 7, 8 and 9 of our own.
    fn chosen(before: &[u128], read: &[u128], page: &[u128]) -> [Option<(u128, WriteKind)>; 3] {
        let ids = |rows: &[u128]| rows.iter().copied().map(RowId).collect::<Vec<_>>();
        let mut own = OwnRows::default();
        own.rows.extend([7, 8, 9].map(|id| Own::new(RowId(id), id.to_string())));
        [0, 1, 2].map(|turn| {
            let chosen = choose(&own, &ids(before), &ids(read), &ids(page), turn, &mut false);
            chosen.map(|(row, what)| (row.0, what))
        })
    }

    #[test]
    fn a_row_already_read_the_anchor_and_one_ahead_are_deleted_in_turns() {
        assert_eq!(
            chosen(&[7, 8, 9, 1], &[7, 8], &[7, 8]),
            [Some((7, WriteKind::DeleteRead)), Some((8, WriteKind::DeleteAnchor)), Some((9, WriteKind::DeleteUnread))]
        );
    }

    #[test]
    fn a_row_passed_by_is_not_deleted_as_one_not_read_yet() {
        let [_, _, ahead] = chosen(&[7, 8, 1, 9], &[7, 1], &[7, 1]);
        assert_eq!(ahead, Some((9, WriteKind::DeleteUnread)), "8 was lost");
    }

    #[test]
    fn no_turn_is_spent_on_a_row_ahead_while_own_rows_are_all_ahead() {
        assert_eq!(chosen(&[1, 2, 3, 7, 8, 9], &[1, 2], &[1, 2])[..2], [None, None]);
    }
}
