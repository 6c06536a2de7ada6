//! Filters and windows: PAG-013, PAG-018.

use std::collections::BTreeSet;

use super::{count, named, on, reference, restless, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::{
            config::Inclusive,
            evidence::{End, Evidence, Got, NOTHING, RowId, Windows, missing},
        },
    },
    rule::{Judgement, Rule, Severity, Strength, Verdict},
};

pub(super) const PAG_013: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-013",
        slug: "cursor-not-bound-to-its-query",
        family: "pagination",
        title: "A cursor is bound to its query",
        sent: "A cursor of a filtered listing, sent with another value of the filter.",
        requirement: "A refusal with 4xx, or rows that all satisfy one of the two filters.",
        not_applicable: "The suite declares no filter with two values (`value` and `other`), or the way on is a URL.",
        severity: Severity::Minor,
        strength: Strength::Should,
        source: "AIP-158 (SHOULD refuse); Zalando RESTful API Guidelines, cursor with query hash",
        remedy: "Keep a hash of the query in the cursor and refuse it with any other query.",
        defects: &["pagination.cursor-ignores-filter"],
    },
    judge: |evidence| on(evidence, bound),
};

fn bound(evidence: &Evidence) -> Judgement {
    let Some(rebound) = &evidence.rebound else {
        return if evidence.cut_short {
            unseen(evidence, "")
        } else {
            Judgement::not_applicable(
                "there is no cursor to send with another filter (`filters`, with `value` and `other`)",
            )
        };
    };
    let answer = &rebound.answer;
    if answer.says_nothing() {
        return Judgement::inconclusive(format!("the answer says nothing: {}", answer.told())).cite(answer.exchange);
    }
    let told = || format!("a cursor issued for {} and sent with {}", rebound.issued_for, rebound.sent_with);
    match &answer.got {
        Got::Refused { status } if *status < 500 => {
            Judgement::pass(format!("refused with status {status}")).cite(answer.exchange)
        }
        Got::Page { rows, .. } => {
            let all = rows.len();
            if rebound.first == all || rebound.second == all {
                return Judgement::pass("the rows all satisfy one of the two filters").cite(answer.exchange);
            }
            Judgement::fail("a cursor sent with another filter gives a mixture")
                .expected("a refusal with 4xx")
                .expected(format!("only rows with {}", rebound.issued_for))
                .expected(format!("only rows with {}", rebound.sent_with))
                .actual(format!(
                    "{}: of {}, {} satisfy the first filter, {} the second, {} neither",
                    told(),
                    count(all, "row"),
                    rebound.first,
                    rebound.second,
                    rebound.neither
                ))
                .cite(answer.exchange)
        }
        _ => Judgement::fail("a cursor sent with another filter is an error of the server")
            .expected("a refusal with 4xx, or rows that satisfy one of the filters")
            .actual(format!("{}: {}", told(), answer.told()))
            .cite(answer.exchange),
    }
}

pub(super) const PAG_018: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-018",
        slug: "filter-leaks-or-loses",
        family: "pagination",
        title: "Filters and time windows partition the set",
        sent: "A walk with each filter; walks of two windows that meet at the instant of a row, and of both together.",
        requirement: "A filter delivers all rows that satisfy it and no other; the two windows together deliver what \
                      the whole one does, the row at the boundary as often as the declared ends say.",
        not_applicable: "The suite declares neither filters nor a window.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "Segura et al., Metamorphic Testing of RESTful Web APIs (subset, disjoint, complete); OBIE filtering",
        remedy: "Apply the filter before the page is cut, and make windows half-open: from inclusive, to exclusive.",
        defects: &["pagination.filter-leak", "pagination.window-boundary-lost", "pagination.window-boundary-doubled"],
    },
    judge: |evidence| on(evidence, partition),
};

fn partition(evidence: &Evidence) -> Judgement {
    if evidence.filtered.is_empty() && evidence.windows.is_none() {
        return if evidence.cut_short {
            unseen(evidence, "")
        } else {
            Judgement::not_applicable("the suite declares no filter, and no window that this listing has rows for")
        };
    }
    if let Some(judgement) = restless(evidence) {
        return judgement;
    }
    let mut tested = 0;
    for filtered in &evidence.filtered {
        let rows = filtered.walk.rows(&[]).len();
        let pathless = filtered.violating.len() == rows && filtered.violating.iter().all(|(_, value)| value == NOTHING);
        if rows > 0 && pathless && filtered.matching.is_empty() {
            return Judgement::inconclusive(format!(
                "no row holds anything where the suite says that {} is (`filters[].row`)",
                filtered.filter
            ))
            .cite(filtered.walk.pages.iter().take(1).map(|page| page.exchange));
        }
        if let Some((row, value)) = filtered.violating.first() {
            return Judgement::fail(format!("the filter {} delivers rows that do not satisfy it", filtered.filter))
                .expected(format!("only rows with {}", filtered.filter))
                .actual(format!(
                    "{} of them, such as {} with {value}",
                    filtered.violating.len(),
                    evidence.names.of(*row)
                ))
                .cite(filtered.walk.pages.iter().take(2).map(|page| page.exchange));
        }
        let seen = filtered.walk.rows(&[]);
        let lost = super::once::passed_by(&filtered.matching, seen, filtered.walk.is_complete());
        if evidence.rewritten > 0 && !lost.is_empty() {
            return rewritten(evidence);
        }
        if !lost.is_empty() {
            return Judgement::fail(format!("the filter {} does not deliver rows that satisfy it", filtered.filter))
                .expected("every row of the unfiltered listing that satisfies the filter")
                .actual(format!("{} missing: {}", count(lost.len(), "row"), named(&evidence.names, &lost)))
                .cite(filtered.walk.pages.iter().take(2).map(|page| page.exchange));
        }
        let complete = reference(evidence).is_some_and(|(walk, _)| walk.is_complete());
        let unknown = missing(seen, reference(evidence).map_or(&[], |(_, rows)| rows));
        if complete && !unknown.is_empty() {
            return Judgement::fail(format!(
                "the filter {} delivers rows that the unfiltered listing does not",
                filtered.filter
            ))
            .expected("a subset of the unfiltered listing")
            .actual(named(&evidence.names, &unknown))
            .cite(filtered.walk.pages.iter().take(2).map(|page| page.exchange));
        }
        tested += usize::from(!seen.is_empty());
    }
    if let Some(windows) = &evidence.windows {
        match windowed(evidence, windows) {
            Some(judgement) if evidence.rewritten > 0 && windows.outside.is_empty() => {
                return if judgement.verdict == Verdict::Fail { rewritten(evidence) } else { judgement };
            }
            Some(judgement) => return judgement,
            None => tested += 1,
        }
    }
    if tested == 0 {
        return Judgement::inconclusive("no filter delivered any row");
    }
    Judgement::pass(format!(
        "{} and {} deliver what they say",
        count(evidence.filtered.len(), "filter"),
        if evidence.windows.is_some() { "three windows" } else { "no window" }
    ))
    .cite(evidence.filtered.iter().filter_map(|f| f.walk.pages.first()).map(|page| page.exchange))
}

fn rewritten(evidence: &Evidence) -> Judgement {
    let rows = count(evidence.rewritten, "row");
    Judgement::inconclusive(format!(
        "others write to the listing: {rows} came with other values at the end of the check"
    ))
    .cite(evidence.closing.iter().filter_map(|walk| walk.pages.first()).map(|page| page.exchange))
}

fn windowed(evidence: &Evidence, windows: &Windows) -> Option<Judgement> {
    let walks = [&windows.early, &windows.late, &windows.whole];
    let first_pages = || walks.into_iter().filter_map(|walk| walk.pages.first()).map(|page| page.exchange);
    if let Some(walk) = walks.iter().find(|walk| !walk.is_complete()) {
        let refused = matches!(walk.end, End::Refused { .. });
        let why = if refused { "a window was refused" } else { "a window could not be walked to its end" };
        return Some(Judgement::inconclusive(format!("{why}: {}", walk.end.told())).cite(walk.end.exchange()));
    }
    let set = |rows: &[RowId]| rows.iter().copied().collect::<BTreeSet<_>>();
    let [early, late, whole] = walks.map(|walk| set(walk.rows(&[])));
    let [from, at, to] = &windows.instants;
    let fail = |message: String, expected: String, actual: String| {
        Some(Judgement::fail(message).expected(expected).actual(actual).cite(first_pages()))
    };
    if let Some((row, instant)) = windows.outside.first() {
        return fail(
            "a window delivers rows that lie outside it".into(),
            "only rows inside the window".into(),
            format!("{} of them, such as {} at {instant}", windows.outside.len(), evidence.names.of(*row)),
        );
    }
    let parts: BTreeSet<RowId> = early.union(&late).copied().collect();
    let boundary = set(&windows.at_boundary);
    let differing: Vec<RowId> =
        parts.symmetric_difference(&whole).filter(|row| !boundary.contains(row)).copied().collect();
    if !differing.is_empty() {
        return fail(
            format!("the windows {from} to {at} and {at} to {to} do not add up to {from} to {to}"),
            "the same rows in the two parts and in the whole".into(),
            format!("only on one side: {}", named(&evidence.names, &differing)),
        );
    }
    let lost: Vec<RowId> = set(&windows.inside).difference(&whole).copied().collect();
    if !lost.is_empty() {
        return fail(
            format!("the window {from} to {to} does not deliver rows inside it"),
            "every row inside the window".into(),
            format!("{} missing: {}", count(lost.len(), "row"), named(&evidence.names, &lost)),
        );
    }
    let in_neither: Vec<RowId> = boundary.difference(&parts).copied().collect();
    if !in_neither.is_empty() && windows.inclusive != Inclusive::Neither {
        return fail(
            format!("rows at the instant {at}, where two windows meet, are in neither of them"),
            "them in one of the two windows, as declared by `inclusive`".into(),
            named(&evidence.names, &in_neither),
        );
    }
    let in_both: Vec<RowId> = early.intersection(&late).copied().collect();
    if !in_both.is_empty() && windows.inclusive != Inclusive::Both {
        return fail(
            format!("rows at the instant {at}, where two windows meet, are in both of them"),
            "them in one of the two windows, as declared by `inclusive`".into(),
            named(&evidence.names, &in_both),
        );
    }
    let at_end = matches!(windows.inclusive, Inclusive::Both | Inclusive::To);
    let not_at_end: Vec<RowId> = boundary.difference(&early).copied().collect();
    if at_end && !not_at_end.is_empty() {
        // What is shown to the second may be a fraction later, and then outside; what is shown to the microsecond is not.
        let digits = at.rsplit_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
        let message =
            format!("rows at the instant {at} are not in the window that ends there, although `to` is inclusive");
        if digits >= 6 {
            return fail(message, "them in the window".into(), named(&evidence.names, &not_at_end));
        }
        let message = format!("{message}; their instants may have fractions that are not shown");
        return Some(Judgement::inconclusive(message).cite(first_pages()));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::ExchangeId,
        families::pagination::{
            evidence::{Answer, Filtered, Rebound},
            rules::damage::tests::{ids, walk},
        },
        rule::Verdict,
    };

    fn evidence() -> Evidence {
        let walk = walk(&[&[1, 2], &[3, 4], &[5]]);
        Evidence { quiet: vec![walk.clone(), walk], ..Evidence::default() }
    }

    #[test]
    fn a_cursor_with_another_filter_is_refused_or_keeps_to_one() {
        let judge = |got, first, second, neither| {
            let answer = Answer { sent: "x".into(), exchange: Some(ExchangeId(4)), got };
            let rebound = Rebound { issued_for: "a=1".into(), sent_with: "a=2".into(), answer, first, second, neither };
            bound(&Evidence { rebound: Some(rebound), ..evidence() }).verdict
        };
        let page = || Got::Page { status: 200, rows: ids(&[1, 2]), continues: false, circles: false, total: None };
        assert_eq!(judge(Got::Refused { status: 400 }, 0, 0, 0), Verdict::Pass);
        assert_eq!(judge(page(), 2, 0, 0), Verdict::Pass);
        assert_eq!(judge(page(), 0, 2, 0), Verdict::Pass);
        assert_eq!(judge(page(), 1, 1, 0), Verdict::Fail);
        assert_eq!(judge(page(), 0, 1, 1), Verdict::Fail);
        assert_eq!(judge(Got::Refused { status: 500 }, 0, 0, 0), Verdict::Fail);
        assert_eq!(judge(Got::Refused { status: 429 }, 0, 0, 0), Verdict::Inconclusive);
        assert_eq!(bound(&evidence()).verdict, Verdict::NotApplicable);
    }

    fn judge_filter(seen: &[u128], matching: &[u128], violating: &[u128]) -> Verdict {
        let filtered = Filtered {
            filter: "a=1".into(),
            walk: walk(&[seen]),
            violating: ids(violating).into_iter().map(|row| (row, "2".into())).collect(),
            matching: ids(matching),
        };
        partition(&Evidence { filtered: vec![filtered], ..evidence() }).verdict
    }

    #[test]
    fn a_filter_delivers_all_that_satisfies_it_and_nothing_else() {
        assert_eq!(judge_filter(&[1, 3], &[1, 3], &[]), Verdict::Pass);
        assert_eq!(judge_filter(&[1, 3], &[1, 3], &[3]), Verdict::Fail);
        assert_eq!(judge_filter(&[1], &[1, 3], &[]), Verdict::Fail);
        assert_eq!(judge_filter(&[1, 9], &[1], &[]), Verdict::Fail, "not in the unfiltered listing");
        assert_eq!(judge_filter(&[], &[], &[]), Verdict::Inconclusive);
    }

    #[test]
    fn a_path_that_no_row_has_is_the_suites_fault_and_rewritten_rows_nobodys() {
        let filtered = |value: &str, seen: &[u128]| Filtered {
            filter: "a=1".into(),
            walk: walk(&[seen]),
            violating: ids(seen).into_iter().map(|row| (row, value.into())).collect(),
            matching: vec![],
        };
        let judge = |filtered| partition(&Evidence { filtered: vec![filtered], ..evidence() }).verdict;
        assert_eq!(judge(filtered(NOTHING, &[1, 3])), Verdict::Inconclusive);
        assert_eq!(judge(filtered("null", &[1, 3])), Verdict::Fail);
        let lost = Filtered { matching: ids(&[1, 3]), violating: vec![], ..filtered("1", &[1]) };
        let seen = Evidence { filtered: vec![lost], ..evidence() };
        assert_eq!(partition(&seen).verdict, Verdict::Fail);
        assert_eq!(partition(&Evidence { rewritten: 1, ..seen }).verdict, Verdict::Inconclusive);
    }

    fn judge_windows(inclusive: Inclusive, early: &[u128], late: &[u128], whole: &[u128]) -> Verdict {
        let windows = Windows {
            inclusive,
            instants: ["t0".into(), "t1".into(), "t2".into()],
            early: walk(&[early]),
            late: walk(&[late]),
            whole: walk(&[whole]),
            at_boundary: ids(&[3]),
            inside: ids(&[2, 3, 4]),
            outside: vec![],
        };
        partition(&Evidence { windows: Some(windows), ..evidence() }).verdict
    }

    #[test]
    fn windows_add_up_and_the_boundary_is_counted_as_declared() {
        use Inclusive::{Both, From, Neither};
        assert_eq!(judge_windows(From, &[1, 2], &[3, 4], &[1, 2, 3, 4]), Verdict::Pass);
        assert_eq!(judge_windows(From, &[1, 2], &[4], &[1, 2, 3, 4]), Verdict::Fail, "lost");
        assert_eq!(judge_windows(From, &[1, 2, 3], &[3, 4], &[1, 2, 3, 4]), Verdict::Fail, "doubled");
        assert_eq!(judge_windows(Both, &[1, 2, 3], &[3, 4], &[1, 2, 3, 4]), Verdict::Pass);
        assert_eq!(judge_windows(Both, &[1, 2], &[3, 4], &[1, 2, 3, 4]), Verdict::Inconclusive, "hidden fractions");
        assert_eq!(judge_windows(Neither, &[1, 2], &[4], &[1, 2, 3, 4]), Verdict::Pass);
        assert_eq!(judge_windows(From, &[1], &[3, 4], &[1, 2, 3, 4]), Verdict::Fail, "does not add up");
        assert_eq!(judge_windows(From, &[1], &[3, 4], &[1, 3, 4]), Verdict::Fail, "a row inside is missing");
    }
}
