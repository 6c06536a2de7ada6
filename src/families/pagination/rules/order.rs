//! Order: PAG-008, PAG-009.

use std::collections::{BTreeMap, BTreeSet};

use super::{count, named, on, reference, restless, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::evidence::{Evidence, RowId, Walk, repeats},
    },
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const PAG_008: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-008",
        slug: "no-tie-breaker",
        family: "pagination",
        title: "Ties in the sort key are broken totally",
        sent: "Walks in several page sizes over rows with equal sort keys: those that are there, and some that the \
               check creates.",
        requirement: "Each of them is delivered exactly once, and their order among themselves does not change.",
        not_applicable: "The suite declares no default order, so that the sort key is not known.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "Zalando RESTful API Guidelines, cursor best practice (tie-breaker)",
        remedy: "Add a unique column to the order and to the cursor.",
        defects: &["pagination.no-tie-breaker"],
    },
    judge: |evidence| on(evidence, ties),
};

fn ties(evidence: &Evidence) -> Judgement {
    if evidence.declared.orders.is_empty() {
        return Judgement::not_applicable("the suite declares no order, so that sort keys are not known");
    }
    if let Some(judgement) = restless(evidence) {
        return judgement;
    }
    let rows = reference(evidence).map_or(&[][..], |(_, rows)| rows);
    let before: Vec<&Walk> = evidence.quiet.iter().take(1).chain(&evidence.sized).collect();
    let created: Vec<&Walk> = evidence.tied.iter().collect();
    let mut cut = 0;
    for (walks, only) in [(before, None), (created, Some(&evidence.tied_rows))] {
        let mut groups = Groups::of(&walks, rows);
        if let Some(own) = only {
            // What others write may tie with anything; only rows that the probe itself created are known to be there.
            groups.keep(own);
        }
        for walk in &walks {
            match groups.test(walk, rows) {
                Tested::Sound(cuts) => cut += cuts,
                Tested::Broken { lost, doubled } => {
                    return Judgement::fail(
                        "rows with equal sort keys are lost or repeated where a page ends among them",
                    )
                    .expected("each of them exactly once")
                    .actual(format!(
                        "{} lost{}, {} repeated ({})",
                        count(lost.len(), "row"),
                        if lost.is_empty() { String::new() } else { format!(" ({})", named(&evidence.names, &lost)) },
                        doubled.len(),
                        walk.asked
                    ))
                    .detail("diagnosis: the cursor holds the sort key alone, without a unique tie-breaker")
                    .cite(walk.pages.iter().take(3).map(|page| page.exchange));
                }
            }
        }
        if let Some((one, other, moved)) = groups.reordered(&walks, rows) {
            return Judgement::fail("rows with equal sort keys change their order from walk to walk")
                .expected("one fixed order among rows with equal sort keys")
                .actual(format!("{} ({}; {})", named(&evidence.names, &moved), one.asked, other.asked))
                .cite([one, other].into_iter().filter_map(|walk| walk.pages.first()).map(|page| page.exchange));
        }
    }
    if cut == 0 {
        return unseen(evidence, "no page ended between rows with equal sort keys");
    }
    Judgement::pass(format!("{} between rows with equal sort keys, none lost or repeated", count(cut, "page end")))
        .cite(evidence.sized.iter().chain(&evidence.tied).filter_map(|walk| walk.pages.first()).map(|p| p.exchange))
}

/// Rows by sort key, of all walks together.
struct Groups {
    key_of: BTreeMap<RowId, u64>,
    members: BTreeMap<u64, BTreeSet<RowId>>,
}

enum Tested {
    /// Nothing lost or repeated; so many pages ended inside a group.
    Sound(usize),
    Broken {
        lost: Vec<RowId>,
        doubled: Vec<RowId>,
    },
}

impl Groups {
    fn of(walks: &[&Walk], reference: &[RowId]) -> Self {
        let mut key_of = BTreeMap::new();
        let mut members: BTreeMap<u64, BTreeSet<RowId>> = BTreeMap::new();
        for walk in walks {
            for (row, key) in walk.rows(reference).iter().zip(&walk.keys) {
                key_of.insert(*row, *key);
                members.entry(*key).or_default().insert(*row);
            }
        }
        members.retain(|_, rows| rows.len() > 1);
        Self { key_of, members }
    }

    fn keep(&mut self, own: &[RowId]) {
        for rows in self.members.values_mut() {
            rows.retain(|row| own.contains(row));
        }
        self.members.retain(|_, rows| rows.len() > 1);
    }

    /// The pages that end inside a group, and what became of the group there.
    fn test(&self, walk: &Walk, reference: &[RowId]) -> Tested {
        let rows = walk.rows(reference);
        if walk.keys.len() != rows.len() {
            return Tested::Sound(0);
        }
        let doubled: BTreeSet<RowId> = repeats(rows).into_iter().map(|repeat| repeat.row).collect();
        let mut cuts = 0;
        let mut end = 0;
        for page in &walk.pages {
            end += page.rows as usize;
            let Some(edge) = end.checked_sub(1).and_then(|at| rows.get(at)) else { continue };
            let Some(group) = self.key_of.get(edge).and_then(|key| self.members.get(key)) else { continue };
            // Only a group that the walk has left behind can be said to be incomplete.
            let key = self.key_of.get(edge);
            let left = walk.is_complete() || rows[end..].iter().any(|row| self.key_of.get(row) != key);
            if !left {
                continue;
            }
            let lost: Vec<RowId> = group.iter().filter(|row| !rows.contains(row)).copied().collect();
            let again: Vec<RowId> = group.intersection(&doubled).copied().collect();
            if !lost.is_empty() || !again.is_empty() {
                return Tested::Broken { lost, doubled: again };
            }
            let is_last = rows[end..].iter().all(|row| !group.contains(row));
            cuts += usize::from(!is_last);
        }
        Tested::Sound(cuts)
    }

    /// Two walks that deliver a whole group in different orders.
    fn reordered<'w>(&self, walks: &[&'w Walk], reference: &[RowId]) -> Option<(&'w Walk, &'w Walk, Vec<RowId>)> {
        let first = walks.first()?;
        let in_order = |walk: &Walk, group: &BTreeSet<RowId>| -> Vec<RowId> {
            walk.rows(reference).iter().filter(|row| group.contains(row)).copied().collect()
        };
        for other in walks.iter().skip(1) {
            for group in self.members.values() {
                let (one, two) = (in_order(first, group), in_order(other, group));
                if one.len() == group.len() && two.len() == group.len() && one != two {
                    return Some((first, other, one));
                }
            }
        }
        None
    }
}

pub(super) const PAG_009: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-009",
        slug: "order-not-held",
        family: "pagination",
        title: "The declared order holds inside and across pages",
        sent: "A walk in the default order and one in each declared order; an order that does not exist.",
        requirement: "Sort keys run in the declared direction from the first row to the last; every order delivers the \
                      same rows.",
        not_applicable: "The suite declares no order.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "PayPal API style guide (sorting); Coinbase, Square, GoCardless: newest first",
        remedy: "Order the whole set before it is cut into pages, and read the sort parameter on every page.",
        defects: &["pagination.order-ignored", "pagination.order-broken-across-pages"],
    },
    judge: |evidence| on(evidence, in_order),
};

fn in_order(evidence: &Evidence) -> Judgement {
    if evidence.declared.orders.is_empty() {
        return Judgement::not_applicable("the suite declares no order");
    }
    if let Some(judgement) = restless(evidence) {
        return judgement;
    }
    let rows = reference(evidence).map_or(&[][..], |(_, rows)| rows);
    let mut compared = 0;
    for walk in evidence.quiet.iter().take(1).chain(&evidence.ordered) {
        let Some(seen) = &walk.order_seen else { continue };
        compared += seen.compared;
        let Some(broken) = &seen.broken else { continue };
        let page = walk.page_of(broken.at);
        let across = page > 0 && walk.first_of(page) == broken.at;
        return Judgement::fail(format!("rows are not in the declared order ({})", walk.asked))
            .expected("sort keys in the declared direction, from row to row and from page to page")
            .actual(format!(
                "{} is followed by {} {}",
                broken.before,
                broken.after,
                if across {
                    format!("where page {page} ends and page {} begins", page + 1)
                } else {
                    format!("on page {}", page + 1)
                }
            ))
            .cite(across.then(|| walk.pages[page - 1].exchange))
            .cite(walk.exchange_of(broken.at));
    }
    if let Some(answer) = &evidence.unknown_order
        && matches!(answer.status(), Some(500..))
        && !answer.says_nothing()
    {
        return Judgement::fail("an order that does not exist is an error of the server")
            .expected("a refusal with 4xx, or the default order")
            .actual(answer.told())
            .cite(answer.exchange);
    }
    let complete: Vec<&Walk> =
        evidence.quiet.iter().take(1).chain(&evidence.ordered).filter(|w| w.is_complete()).collect();
    let set = |walk: &Walk| walk.rows(rows).iter().copied().collect::<BTreeSet<RowId>>();
    if let Some((first, others)) = complete.split_first() {
        for other in others {
            let (one, two) = (set(first), set(other));
            if one != two {
                let differing: Vec<RowId> = one.symmetric_difference(&two).copied().collect();
                return Judgement::fail(format!(
                    "the orders deliver different rows ({}; {})",
                    first.asked, other.asked
                ))
                .expected("the same rows in every order")
                .actual(format!("only in one of them: {}", named(&evidence.names, &differing)))
                .cite(other.pages.first().map(|page| page.exchange));
            }
        }
    }
    if compared == 0 {
        return unseen(evidence, "no two neighbouring rows had different sort keys");
    }
    let walks = evidence.ordered.len() + 1;
    Judgement::pass(format!(
        "{} in order, in {}",
        count(compared, "pair").replace("pairs", "pairs of neighbours"),
        count(walks, "walk")
    ))
    .cite(evidence.ordered.iter().filter_map(|walk| walk.pages.first()).map(|page| page.exchange))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::ExchangeId,
        families::pagination::{
            evidence::{Answer, Declared, End, Got, Inversion, OrderSeen},
            rules::damage::tests::walk,
        },
        json::Scalar,
        rule::Verdict,
    };

    fn keyed(pages: &[&[u128]], keys: &[u64]) -> Walk {
        Walk { keys: keys.to_vec(), ..walk(pages) }
    }

    fn evidence(quiet: Walk, sized: Vec<Walk>) -> Evidence {
        let declared = Declared { orders: vec!["newest".into()], ..Declared::default() };
        Evidence { declared, quiet: vec![quiet.clone(), quiet], sized, ..Evidence::default() }
    }

    #[test]
    fn rows_lost_among_equal_keys_fail() {
        let whole = keyed(&[&[1, 2, 3, 4, 5]], &[9, 8, 8, 8, 7]);
        let sound = keyed(&[&[1, 2], &[3, 4], &[5]], &[9, 8, 8, 8, 7]);
        assert_eq!(ties(&evidence(whole.clone(), vec![sound])).verdict, Verdict::Pass);
        let lossy = keyed(&[&[1, 2], &[5]], &[9, 8, 7]);
        let judged = ties(&evidence(whole.clone(), vec![lossy]));
        assert_eq!(judged.verdict, Verdict::Fail);
        assert!(judged.actual.contains("2 rows lost"), "{}", judged.actual);
        let reordered = keyed(&[&[1, 3], &[2, 4], &[5]], &[9, 8, 8, 8, 7]);
        assert_eq!(ties(&evidence(whole, vec![reordered])).verdict, Verdict::Fail);
    }

    #[test]
    fn ties_that_no_page_cuts_or_that_the_walk_did_not_leave_show_nothing() {
        let whole = keyed(&[&[1, 2, 3]], &[9, 8, 8]);
        assert_eq!(ties(&evidence(whole.clone(), vec![])).verdict, Verdict::Inconclusive);
        let mut early = keyed(&[&[1, 2]], &[9, 8]);
        early.end = End::Cap;
        assert_eq!(ties(&evidence(whole, vec![early])).verdict, Verdict::Inconclusive);
        assert_eq!(ties(&Evidence::default()).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn of_rows_created_for_it_only_those_are_judged() {
        let mut e = evidence(keyed(&[&[1]], &[9]), vec![]);
        e.tied = vec![keyed(&[&[1, 2], &[4]], &[8, 8, 7]), keyed(&[&[1, 2, 3], &[4]], &[8, 8, 8, 7])];
        e.tied_rows = vec![RowId(1), RowId(2)];
        assert_ne!(ties(&e).verdict, Verdict::Fail, "row 3 is somebody else's and may be new");
        e.tied_rows.push(RowId(3));
        assert_eq!(ties(&e).verdict, Verdict::Fail);
    }

    fn ordered(broken: Option<Inversion>, compared: usize) -> Walk {
        Walk { order_seen: Some(OrderSeen { compared, tied: 0, keyless: 0, broken }), ..walk(&[&[1, 2], &[3]]) }
    }

    #[test]
    fn an_inversion_fails_and_says_whether_it_is_at_a_page_end() {
        let key = |n: &str| Scalar::Number(n.into());
        let broken = Inversion { at: 2, before: key("1"), after: key("5") };
        let judged = in_order(&evidence(ordered(Some(broken), 2), vec![]));
        assert_eq!(judged.verdict, Verdict::Fail);
        assert_eq!(judged.actual, "1 is followed by 5 where page 1 ends and page 2 begins");
        assert_eq!(judged.exchanges, [ExchangeId(1), ExchangeId(2)]);
        assert_eq!(in_order(&evidence(ordered(None, 2), vec![])).verdict, Verdict::Pass);
        assert_eq!(in_order(&evidence(ordered(None, 0), vec![])).verdict, Verdict::Inconclusive);
        assert_eq!(in_order(&Evidence::default()).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn orders_deliver_the_same_rows_and_unknown_ones_no_server_error() {
        let mut e = evidence(ordered(None, 2), vec![]);
        e.ordered = vec![walk(&[&[3, 1]])];
        assert_eq!(in_order(&e).verdict, Verdict::Fail);
        e.ordered = vec![walk(&[&[3, 2, 1]])];
        assert_eq!(in_order(&e).verdict, Verdict::Pass);
        let answer = |status| Answer { sent: "x".into(), exchange: None, got: Got::Refused { status } };
        e.unknown_order = Some(answer(500));
        assert_eq!(in_order(&e).verdict, Verdict::Fail);
        e.unknown_order = Some(answer(400));
        assert_eq!(in_order(&e).verdict, Verdict::Pass);
    }
}
