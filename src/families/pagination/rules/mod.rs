//! The rules of pagination, each with its judge; pure functions of the evidence.

mod bounds;
mod churn;
mod damage;
mod ending;
mod filters;
mod links;
mod once;
mod opacity;
mod order;
mod set;
mod shuffle;
mod sizes;
mod tokens;
mod totals;

use super::evidence::{End, Evidence, Names, RowId, TokenSample, Walk};
use crate::{
    families::{Evidence as AnyEvidence, JudgedRule},
    rule::{Judgement, Verdict},
};

/// Every rule of the family, by id.
pub(super) static RULES: &[JudgedRule] = &[
    bounds::PAG_001,
    sizes::PAG_002,
    sizes::PAG_003,
    ending::PAG_004,
    once::PAG_005,
    churn::PAG_006,
    churn::PAG_007,
    order::PAG_008,
    order::PAG_009,
    set::PAG_010,
    tokens::PAG_011,
    tokens::PAG_012,
    filters::PAG_013,
    tokens::PAG_014,
    opacity::PAG_015,
    links::PAG_016,
    totals::PAG_017,
    filters::PAG_018,
    churn::PAG_019,
];

/// Judges what was seen, unless nothing could be.
fn on(evidence: &AnyEvidence, judge: fn(&Evidence) -> Judgement) -> Judgement {
    let AnyEvidence::Pagination(evidence) = evidence else {
        return Judgement::inconclusive("the probe of this check saw nothing");
    };
    if let Some(blocked) = &evidence.blocked {
        let message = match blocked.status() {
            Some(_) => format!("the listing could not be read: {} was answered with {}", blocked.sent, blocked.told()),
            None => format!("the listing could not be read: {}: {}", blocked.sent, blocked.told()),
        };
        return Judgement::inconclusive(message).cite(blocked.exchange);
    }
    let judgement = judge(evidence);
    if judgement.verdict == Verdict::Fail
        && let Some(hint) = hint(evidence)
    {
        return judgement.detail(hint);
    }
    judgement
}

/// What a failure may come from besides the target: the suite's own words about how pages follow each other.
fn hint(evidence: &Evidence) -> Option<&'static str> {
    if evidence.declared.spelling.is_counted() {
        return None;
    }
    let walks = || evidence.quiet.iter().chain(&evidence.sized).chain(&evidence.ordered);
    let single = |walk: &Walk| walk.pages.len() == 1 && walk.is_complete();
    let full = |walk: &Walk| walk.size.is_some_and(|size| walk.pages.iter().any(|page| u64::from(page.rows) == size));
    if walks().all(single) && walks().any(full) {
        return Some("no page led to another, not even a full one: does the suite say rightly where the way on is?");
    }
    let rows = reference(evidence).map_or(&[][..], |(_, rows)| rows);
    let begins_again = |walk: &Walk| {
        let seen = walk.rows(rows);
        let second = walk.first_of(1);
        walk.pages.len() > 1 && !seen.is_empty() && seen.first() == seen.get(second)
    };
    let several = || walks().filter(|walk| walk.pages.len() > 1);
    (several().next().is_some() && several().all(begins_again)).then_some(
        "every second page is the first page again: does the suite say rightly which parameter sends the cursor?",
    )
}

/// What the run's end prevented.
fn unseen(evidence: &Evidence, what: &str) -> Judgement {
    if evidence.cut_short {
        Judgement::inconclusive("the run ended before this could be seen")
    } else {
        Judgement::inconclusive(what)
    }
}

/// The reference walk and its rows.
fn reference(evidence: &Evidence) -> Option<(&Walk, &[RowId])> {
    let walk = evidence.quiet.first()?;
    Some((walk, walk.rows(&[])))
}

/// Whether the repetitions of the reference walk agreed with it, the one at the end included; `None` if it was not
/// repeated to the same point.
fn at_rest(evidence: &Evidence) -> Option<bool> {
    let (_, rows) = reference(evidence)?;
    // Nobody writes to what is declared immutable: what differs later is the target's doing.
    let closing = evidence.closing.as_ref().filter(|_| !evidence.declared.immutable);
    let again = std::iter::once(evidence.quiet.get(1)?).chain(closing);
    let agreed = |walk: &Walk| (!walk.end.says_nothing()).then(|| walk.rows(rows) == rows);
    again.map(agreed).reduce(|one, other| match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    })?
}

/// Says so, if the listing was not at rest while it was looked at.
fn restless(evidence: &Evidence) -> Option<Judgement> {
    let again = evidence.quiet.iter().skip(1).chain(&evidence.closing);
    let cut = |walk: &&Walk| matches!(walk.end, End::Refused { .. } | End::Unreadable { .. });
    let complete = reference(evidence).is_some_and(|(walk, _)| walk.is_complete());
    if let Some(walk) = again.into_iter().find(cut).filter(|_| complete) {
        let message = format!("the walk could be finished once and not again: {}", walk.end.told());
        return Some(Judgement::inconclusive(message).cite(walk.end.exchange()));
    }
    match at_rest(evidence) {
        Some(true) => None,
        Some(false) => Some(
            Judgement::inconclusive("two walks with nothing written by fincheck differ: others write to the listing, or it has no fixed order")
                .cite(evidence.quiet.iter().take(2).chain(&evidence.closing).filter_map(|walk| walk.pages.first()).map(|page| page.exchange)),
        ),
        None => Some(unseen(evidence, "the listing could not be walked twice")),
    }
}

/// Whether what moves from page to page is a number that grows, whatever it is called: pages or rows are counted.
fn counts(evidence: &Evidence) -> bool {
    if evidence.declared.spelling.is_counted() {
        return true;
    }
    if matches!(evidence.declared.spelling, super::evidence::Spelling::LastId) {
        return false;
    }
    // The reference walk has large pages, often only one: the walk with the most cursors shows best how they move.
    let walks = evidence.quiet.iter().take(1).chain(&evidence.sized).chain(evidence.churned.iter().map(|c| &c.walk));
    let tokens: &[TokenSample] = walks.map(|walk| walk.tokens.as_slice()).max_by_key(|t| t.len()).unwrap_or_default();
    let numbers: Vec<u64> = tokens.iter().map_while(|token| token.text.parse().ok()).collect();
    // Of numbers that count rows, one may happen to be the id of a row.
    let ids = tokens.iter().all(|token| token.is_last_id);
    numbers.len() == tokens.len()
        && !ids
        && numbers.len() >= 2
        && numbers.windows(2).all(|pair| pair[1] > pair[0])
        && numbers.windows(3).all(|three| three[1] - three[0] == three[2] - three[1])
}

/// The rows' ids, the first few of them.
fn named(names: &Names, rows: &[RowId]) -> String {
    const SHOWN: usize = 5;
    let mut text = rows.iter().take(SHOWN).map(|row| names.of(*row)).collect::<Vec<_>>().join(", ");
    if rows.len() > SHOWN {
        text.push_str(&format!(" and {} more", rows.len() - SHOWN));
    }
    text
}

/// "1 row", "2 rows".
fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::{damage::tests::walk, *};

    fn walk_with(tokens: &[&str]) -> Walk {
        let sample = |(page, text): (usize, &&str)| TokenSample { page, text: (*text).into(), is_last_id: false };
        Walk { tokens: tokens.iter().enumerate().map(sample).collect(), ..walk(&[&[1], &[2], &[3]]) }
    }

    #[test]
    fn numbers_that_grow_evenly_count_pages_in_whatever_walk_they_are_seen() {
        let evidence = |quiet: &[&str], sized: &[&str]| Evidence {
            quiet: vec![walk_with(quiet)],
            sized: vec![walk_with(sized)],
            ..Evidence::default()
        };
        assert!(counts(&evidence(&["2", "3"], &[])));
        assert!(counts(&evidence(&[], &["5", "10", "15"])), "the reference walk has one page");
        assert!(!counts(&evidence(&[], &["5", "6", "9"])), "ids");
        assert!(!counts(&evidence(&[], &["5"])));
        let with_ids = |ids: [bool; 2]| {
            let mut walk = walk_with(&["5", "10"]);
            walk.tokens.iter_mut().zip(ids).for_each(|(token, is_id)| token.is_last_id = is_id);
            counts(&Evidence { quiet: vec![walk], ..Evidence::default() })
        };
        assert!(!with_ids([true, true]));
        assert!(with_ids([false, true]), "one offset happens to be an id");
        assert!(!counts(&evidence(&["cD0y", "cD0z", "cD1a"], &["2", "3"])));
    }

    #[test]
    fn a_failure_that_the_suite_may_have_caused_says_so() {
        let sized = |pages: &[&[u128]]| Walk { size: Some(2), ..walk(pages) };
        let seen = |quiet: Walk| Evidence { quiet: vec![quiet.clone(), quiet], ..Evidence::default() };
        assert!(hint(&seen(sized(&[&[1, 2]]))).unwrap().contains("where the way on is"));
        assert!(hint(&seen(sized(&[&[1, 2], &[1, 2]]))).unwrap().contains("which parameter"));
        assert_eq!(hint(&seen(sized(&[&[1, 2], &[3]]))), None);
        assert_eq!(hint(&seen(sized(&[&[1]]))), None);
    }
}
