//! Totals: PAG-017.

use super::{at_rest, count, on, reference, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::evidence::{Evidence, Got, Walk},
    },
    json::Scalar,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const PAG_017: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-017",
        slug: "incoherent-total",
        family: "pagination",
        title: "Totals are typed and coherent",
        sent: "Nothing of its own: totals of the quiet walks; where pages are numbered, a page far beyond the end.",
        requirement: "A total is a whole number, as many as there are rows (within the declared tolerance, unless it is \
                      flagged as an estimate); a page beyond the end is empty or refused.",
        not_applicable: "The suite declares no total, and pages are not numbered.",
        severity: Severity::Minor,
        strength: Strength::Normative,
        source: "CDR meta (MUST); AIP-158 (MAY estimate); PayPal API style guide; Zalando RESTful API Guidelines rule 254",
        remedy: "Count what the listing delivers, or say that the number is an estimate.",
        defects: &["pagination.total-too-low", "pagination.total-as-text"],
    },
    judge: |evidence| on(evidence, coherent),
};

fn coherent(evidence: &Evidence) -> Judgement {
    for answer in &evidence.beyond {
        if answer.says_nothing() {
            continue;
        }
        let wrong = match &answer.got {
            Got::Page { rows, .. } => !rows.is_empty(),
            Got::Refused { status } => *status >= 500,
            _ => false,
        };
        if wrong {
            return Judgement::fail("a page beyond the end is neither empty nor refused")
                .expected("an empty page, or a refusal with 4xx")
                .actual(format!("{} was answered with {}", answer.sent, answer.told()))
                .cite(answer.exchange);
        }
    }
    let Some(tolerance) = evidence.declared.total else {
        return if evidence.beyond.iter().any(|answer| !answer.says_nothing()) {
            Judgement::pass("a page beyond the end is empty or refused")
                .cite(evidence.beyond.iter().filter_map(|answer| answer.exchange))
        } else {
            Judgement::not_applicable("the suite declares no total")
        };
    };
    let Some((walk, rows)) = reference(evidence) else { return unseen(evidence, "the listing was not walked") };
    let Some(first) = walk.pages.first() else { return unseen(evidence, "the listing was not walked") };
    let Some(total) = &first.total else {
        return Judgement::inconclusive("the first page states no total where the suite says it is")
            .cite([first.exchange]);
    };
    let typed = match total {
        Scalar::Number(text) => whole(text),
        Scalar::Text(text) if evidence.declared.total_as_text => whole(text),
        _ => None,
    };
    let Some(stated) = typed else {
        return Judgement::fail("the total is not a whole number")
            .expected("a non-negative whole number")
            .actual(total.to_string())
            .cite([first.exchange]);
    };
    if first.estimate {
        return Judgement::pass(format!("{stated}, flagged as an estimate")).cite([first.exchange]);
    }
    if !walk.is_complete() || at_rest(evidence) != Some(true) {
        return unseen(
            evidence,
            "the total could not be held against all rows: the walk did not see them all, or others write to them",
        );
    }
    let seen = rows.len() as u64;
    let later = walk.pages.iter().skip(1).filter(|page| !page.estimate).find_map(|page| {
        let stated = whole(page.total.as_ref()?.text()?)?;
        (stated.abs_diff(seen) * 100 > u64::from(tolerance) * seen.max(1)).then_some((page, stated))
    });
    if let Some((page, later)) = later
        && stated == seen
    {
        return Judgement::fail("the total changes from page to page although nothing was written")
            .expected(format!("{seen} on every page, or a flag that says it is an estimate"))
            .actual(later.to_string())
            .cite([first.exchange, page.exchange])
            .severity(if tolerance == 0 { Severity::Major } else { Severity::Minor });
    }
    let off = stated.abs_diff(seen);
    if off * 100 > u64::from(tolerance) * seen.max(1) {
        let judgement = Judgement::fail("the total is not the number of rows that the listing delivers")
            .expected(if tolerance == 0 {
                format!("{seen}, or a flag that says it is an estimate")
            } else {
                format!("{seen}, give or take {tolerance} %")
            })
            .actual(stated.to_string())
            .cite([first.exchange])
            .cite(walk.pages.last().map(|page| page.exchange));
        return judgement.severity(if tolerance == 0 { Severity::Major } else { Severity::Minor });
    }
    if let Some(judgement) = page_count(walk, stated) {
        return judgement;
    }
    Judgement::pass(format!("a total of {stated} for {}", count(rows.len(), "row"))).cite([first.exchange])
}

/// The number of pages must be the total divided by the page size, rounded up.
fn page_count(walk: &Walk, total: u64) -> Option<Judgement> {
    let first = walk.pages.first()?;
    let stated = whole(first.page_count.as_ref()?.text()?)?;
    let size = walk.size.unwrap_or(u64::from(first.rows)).min(u64::from(first.rows).max(1));
    let expected = total.div_ceil(size.max(1));
    // One empty page is a way to count no rows.
    (stated != expected && !(total == 0 && stated <= 1)).then(|| {
        Judgement::fail("the number of pages does not fit the total and the page size")
            .expected(format!("{expected} pages for {total} rows, {size} to a page"))
            .actual(stated.to_string())
            .cite([first.exchange])
    })
}

fn whole(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        families::pagination::{
            evidence::{Answer, Declared, End},
            rules::damage::tests::{ids, walk},
        },
        rule::Verdict,
    };

    fn evidence(total: &Scalar, tolerance: u8) -> Evidence {
        let mut walk = walk(&[&[1, 2], &[3]]);
        walk.pages[0].total = Some(total.clone());
        let declared = Declared { total: Some(tolerance), ..Declared::default() };
        Evidence { declared, quiet: vec![walk.clone(), walk], ..Evidence::default() }
    }

    #[test]
    fn a_total_that_changes_while_nothing_is_written_fails() {
        let mut seen = evidence(&number("3"), 0);
        assert_eq!(coherent(&seen).verdict, Verdict::Pass);
        seen.quiet[0].pages[1].total = Some(number("2"));
        assert_eq!(coherent(&seen).verdict, Verdict::Fail);
        seen.quiet[0].pages[1].estimate = true;
        assert_eq!(coherent(&seen).verdict, Verdict::Pass);
    }

    fn number(text: &str) -> Scalar {
        Scalar::Number(text.into())
    }

    #[test]
    fn an_exact_total_is_exact_and_a_tolerant_one_near() {
        assert_eq!(coherent(&evidence(&number("3"), 0)).verdict, Verdict::Pass);
        let judged = coherent(&evidence(&number("2"), 0));
        assert_eq!((judged.verdict, judged.severity), (Verdict::Fail, Some(Severity::Major)));
        assert_eq!(coherent(&evidence(&number("4"), 34)).verdict, Verdict::Pass);
        assert_eq!(coherent(&evidence(&number("4"), 33)).severity, Some(Severity::Minor));
    }

    #[test]
    fn a_total_is_a_whole_number() {
        for wrong in [number("3.0"), number("-1"), Scalar::Text("3".into()), Scalar::Bool(true), Scalar::Null] {
            assert_eq!(coherent(&evidence(&wrong, 0)).verdict, Verdict::Fail, "{wrong}");
        }
        let mut text = evidence(&Scalar::Text("3".into()), 0);
        text.declared.total_as_text = true;
        assert_eq!(coherent(&text).verdict, Verdict::Pass);
    }

    #[test]
    fn estimates_and_unfinished_walks_are_not_held_against_it() {
        let mut estimate = evidence(&number("9"), 0);
        estimate.quiet[0].pages[0].estimate = true;
        assert_eq!(coherent(&estimate).verdict, Verdict::Pass);
        let mut capped = evidence(&number("9"), 0);
        capped.quiet[0].end = End::Cap;
        assert_eq!(coherent(&capped).verdict, Verdict::Inconclusive);
        assert_eq!(coherent(&Evidence::default()).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn the_number_of_pages_fits() {
        let mut e = evidence(&number("3"), 0);
        e.quiet[0].pages[0].page_count = Some(number("2"));
        assert_eq!(coherent(&e).verdict, Verdict::Pass);
        e.quiet[0].pages[0].page_count = Some(number("3"));
        assert_eq!(coherent(&e).verdict, Verdict::Fail);
    }

    #[test]
    fn beyond_the_end_is_nothing() {
        let judge = |got| {
            let answer = Answer { sent: "page=999999".into(), exchange: None, got };
            coherent(&Evidence { beyond: vec![answer], ..Evidence::default() }).verdict
        };
        let page =
            |rows: &[u128]| Got::Page { status: 200, rows: ids(rows), continues: false, circles: false, total: None };
        assert_eq!(judge(page(&[])), Verdict::Pass);
        assert_eq!(judge(Got::Refused { status: 404 }), Verdict::Pass);
        assert_eq!(judge(page(&[1])), Verdict::Fail);
        assert_eq!(judge(Got::Refused { status: 500 }), Verdict::Fail);
    }
}
