//! Page sizes: PAG-002, PAG-003.

use super::{count, on, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::{
            config::Oversize,
            evidence::{Evidence, Got, OddSizeKind, Walk},
        },
    },
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const PAG_002: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-002",
        slug: "page-larger-than-asked",
        family: "pagination",
        title: "The page size asked for is an upper bound, also mid-walk",
        sent: "Walks with every declared page size, and a page size that changes between two pages.",
        requirement: "No page has more rows than were asked for; fewer, even none, are legal while a way on is given.",
        not_applicable: "The suite declares no page size parameter.",
        severity: Severity::Major,
        strength: Strength::Normative,
        source: "AIP-158 (MUST honour a new page size; MAY return fewer)",
        remedy: "Treat the page size as a limit of each page, and read it from each request.",
        defects: &["pagination.page-size-exceeded", "pagination.page-size-ignored"],
    },
    judge: |evidence| on(evidence, upper_bound),
};

fn upper_bound(evidence: &Evidence) -> Judgement {
    let Some(parameter) = &evidence.declared.size_parameter else {
        return Judgement::not_applicable("the suite declares no page size parameter");
    };
    let walks = || evidence.quiet.iter().take(1).chain(&evidence.sized).filter(|walk| walk.size.is_some());
    let largest = |walk: &Walk| walk.pages.iter().map(|page| u64::from(page.rows)).max().unwrap_or(0);
    let over = walks().filter(|walk| largest(walk) > walk.size.unwrap_or(u64::MAX)).min_by_key(|walk| walk.size);
    if let Some(walk) = over {
        let (size, rows) = (walk.size.unwrap_or_default(), largest(walk));
        let page = walk.pages.iter().find(|page| u64::from(page.rows) > size);
        let first_rows: Vec<u64> = walks().filter_map(|w| w.pages.first()).map(|page| u64::from(page.rows)).collect();
        let ignored = first_rows.len() > 1 && first_rows.iter().all(|rows| *rows == first_rows[0]);
        let judgement = Judgement::fail(if ignored {
            format!("`{parameter}` is ignored: pages have the same size whatever is asked for")
        } else {
            "a page has more rows than were asked for".to_owned()
        })
        .expected(format!("at most {size} rows with {parameter}={size}"))
        .actual(count(usize::try_from(rows).unwrap_or(usize::MAX), "row"))
        .cite(page.map(|page| page.exchange));
        return if ignored { judgement.severity(Severity::Minor) } else { judgement };
    }
    for change in &evidence.size_changes {
        let Got::Page { rows, .. } = &change.answer.got else { continue };
        if rows.len() as u64 > change.to {
            return Judgement::fail("a page size that changes in the middle of a walk is not honoured")
                .expected(format!("at most {} rows on the page asked for with that size", change.to))
                .actual(format!(
                    "{}; the page before had been asked for with {}",
                    count(rows.len(), "row"),
                    change.from
                ))
                .cite(change.answer.exchange);
        }
    }
    let tested = walks().filter(|walk| walk.pages.iter().any(|page| u64::from(page.rows) == walk.size.unwrap_or(0)));
    let tested = tested.count();
    if tested == 0 {
        return unseen(evidence, "no page was as large as was asked for: the listing has too few rows to show a bound");
    }
    let refused = evidence.size_changes.iter().filter(|change| change.answer.is_client_error()).count();
    let judgement = Judgement::pass(format!("no page was larger than asked for, with {}", count(tested, "page size")))
        .cite(walks().filter_map(|walk| walk.pages.first()).map(|page| page.exchange));
    if refused > 0 {
        judgement.detail("a change of page size in the middle of a walk is refused, which is legal")
    } else {
        judgement
    }
}

pub(super) const PAG_003: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-003",
        slug: "odd-page-size",
        family: "pagination",
        title: "Oversize and nonsense page sizes are handled as declared",
        sent: "A page size just over the declared maximum, one of 10^9, and 0, -1, `abc`, `1e3` and nothing.",
        requirement: "An oversize page is cut to the maximum or refused (as declared); nonsense gets the default or is \
                      refused. Never an error of the server, never more rows than the maximum.",
        not_applicable: "The suite declares no page size parameter.",
        severity: Severity::Major,
        strength: Strength::Should,
        source: "AIP-158 (SHOULD coerce, MUST refuse negative); CDR Field/InvalidPageSize",
        remedy: "Validate the page size before it reaches the query.",
        defects: &["pagination.oversize-page", "pagination.nonsense-size-500"],
    },
    judge: |evidence| on(evidence, odd),
};

fn odd(evidence: &Evidence) -> Judgement {
    if evidence.declared.size_parameter.is_none() {
        return Judgement::not_applicable("the suite declares no page size parameter");
    }
    let answered: Vec<_> = evidence.odd_sizes.iter().filter(|odd| !odd.answer.says_nothing()).collect();
    for odd in &answered {
        let answer = &odd.answer;
        let maximum = evidence.declared.maximum;
        let over = |rows: usize| maximum.is_some_and(|maximum| rows as u64 > maximum);
        let acceptable = match odd.kind {
            OddSizeKind::Nonsense => "the default page, or a refusal with 4xx".to_owned(),
            _ => match (evidence.declared.oversize, maximum) {
                (Some(Oversize::Clamped), Some(maximum)) => {
                    format!("a page of at most {maximum} rows (declared: clamped)")
                }
                (Some(Oversize::Rejected), _) => "a refusal with 4xx (declared: rejected)".to_owned(),
                (_, Some(maximum)) => format!("a page of at most {maximum} rows, or a refusal with 4xx"),
                _ => "a page, or a refusal with 4xx".to_owned(),
            },
        };
        let oversize = odd.kind != OddSizeKind::Nonsense;
        let wrong = match &answer.got {
            Got::Page { rows, .. } => {
                over(rows.len()) || (oversize && evidence.declared.oversize == Some(Oversize::Rejected))
            }
            Got::Refused { status } => {
                *status >= 500
                    || (odd.kind == OddSizeKind::OverMaximum && evidence.declared.oversize == Some(Oversize::Clamped))
            }
            Got::Unreadable { .. } => true,
            Got::Nothing { .. } => false,
        };
        if wrong {
            return Judgement::fail(format!("{} is not handled as it should be", answer.sent))
                .expected(acceptable)
                .actual(answer.told())
                .cite(answer.exchange);
        }
    }
    if answered.is_empty() {
        return unseen(evidence, "no answer to an odd page size says anything about the listing");
    }
    let empty = |odd: &&crate::families::pagination::evidence::OddSize| odd.answer.rows().is_some_and(<[_]>::is_empty);
    if answered.iter().all(empty) {
        return unseen(evidence, "the listing has no rows, so that no page size makes a difference");
    }
    Judgement::pass(format!("{} were cut, defaulted or refused", count(answered.len(), "odd page size")))
        .cite(answered.iter().filter_map(|odd| odd.answer.exchange))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::ExchangeId,
        families::pagination::{
            evidence::{Answer, Declared, OddSize, SizeChange},
            rules::damage::tests::{ids, walk},
        },
        rule::Verdict,
    };

    fn answer(got: Got) -> Answer {
        Answer { sent: "limit=x".into(), exchange: Some(ExchangeId(3)), got }
    }

    fn rows(rows: &[u128]) -> Got {
        Got::Page { status: 200, rows: ids(rows), continues: true, circles: false, total: None }
    }

    fn sized(size: u64, pages: &[&[u128]]) -> Walk {
        Walk { size: Some(size), ..walk(pages) }
    }

    fn evidence(walks: Vec<Walk>) -> Evidence {
        let mut walks = walks.into_iter();
        Evidence {
            declared: Declared { size_parameter: Some("limit".into()), maximum: Some(4), ..Declared::default() },
            quiet: walks.next().into_iter().collect(),
            sized: walks.collect(),
            ..Evidence::default()
        }
    }

    #[test]
    fn fewer_rows_are_legal_and_more_are_not() {
        let short = evidence(vec![sized(3, &[&[1, 2, 3], &[], &[4]]), sized(1, &[&[1], &[2]])]);
        assert_eq!(upper_bound(&short).verdict, Verdict::Pass);
        let over = evidence(vec![sized(3, &[&[1, 2, 3]]), sized(1, &[&[1], &[2, 3]])]);
        assert_eq!((upper_bound(&over).verdict, upper_bound(&over).severity), (Verdict::Fail, None));
        let ignored = evidence(vec![sized(3, &[&[1, 2]]), sized(1, &[&[1, 2]])]);
        assert_eq!(upper_bound(&ignored).severity, Some(Severity::Minor));
        let few = evidence(vec![sized(3, &[&[1]]), sized(2, &[&[1]])]);
        assert_eq!(upper_bound(&few).verdict, Verdict::Inconclusive);
        assert_eq!(upper_bound(&Evidence::default()).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn a_changed_size_is_honoured_or_refused() {
        let mut e = evidence(vec![sized(2, &[&[1, 2], &[3]])]);
        let change = |got| SizeChange { from: 3, to: 1, answer: answer(got) };
        e.size_changes = vec![change(rows(&[1, 2]))];
        assert_eq!(upper_bound(&e).verdict, Verdict::Fail);
        for got in [rows(&[1]), rows(&[]), Got::Refused { status: 400 }] {
            e.size_changes = vec![change(got)];
            assert_eq!(upper_bound(&e).verdict, Verdict::Pass);
        }
    }

    fn odd_size(kind: OddSizeKind, oversize: Option<Oversize>, got: Got) -> Verdict {
        let mut e = evidence(vec![]);
        e.declared.oversize = oversize;
        e.odd_sizes = vec![OddSize { value: "x".into(), kind, answer: answer(got) }];
        odd(&e).verdict
    }

    #[test]
    fn odd_sizes_are_cut_defaulted_or_refused() {
        use OddSizeKind::{Huge, Nonsense, OverMaximum};
        let refused = |status| Got::Refused { status };
        assert_eq!(odd_size(Nonsense, None, rows(&[1])), Verdict::Pass);
        assert_eq!(odd_size(Nonsense, None, refused(422)), Verdict::Pass);
        assert_eq!(odd_size(Nonsense, None, refused(500)), Verdict::Fail);
        assert_eq!(odd_size(Huge, None, rows(&[1, 2, 3, 4, 5])), Verdict::Fail);
        assert_eq!(odd_size(Huge, Some(Oversize::Clamped), refused(400)), Verdict::Pass);
        assert_eq!(odd_size(OverMaximum, Some(Oversize::Clamped), refused(400)), Verdict::Fail);
        assert_eq!(odd_size(OverMaximum, Some(Oversize::Rejected), rows(&[1])), Verdict::Fail);
        assert_eq!(odd_size(OverMaximum, Some(Oversize::Rejected), refused(400)), Verdict::Pass);
        assert_eq!(odd_size(Huge, None, refused(429)), Verdict::Inconclusive);
        assert_eq!(odd_size(Nonsense, None, rows(&[])), Verdict::Inconclusive, "a listing without rows");
    }
}
