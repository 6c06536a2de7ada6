//! A list that nobody asked to page: PAG-001.

use super::{at_rest, count, on, reference, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::evidence::{Evidence, Got},
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::ExchangeId,
        families::pagination::{
            evidence::Answer,
            rules::damage::tests::{ids, twice},
        },
        rule::Verdict,
    };

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
}
