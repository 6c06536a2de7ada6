//! Links between pages: PAG-016.

use super::{at_rest, count, named, on, reference, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::{
            config::Relation,
            evidence::{End, Evidence, Got, LinkFollowed, RowId},
        },
    },
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const PAG_016: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-016",
        slug: "wrong-link",
        family: "pagination",
        title: "Continuation links are correct",
        sent: "Every `next`, `prev`, `first`, `last` and `self` link of the first two pages of a filtered walk.",
        requirement: "A link resolves against the request, stays at the target's origin, keeps filter, order and page \
                      size (a cursor may hold them), carries no credential and leads to the page it names; there is no `prev` on the first page \
                      and no `next` on the last.",
        not_applicable: "Pages carry no links.",
        severity: Severity::Major,
        strength: Strength::Normative,
        source: "RFC 8288 §3.1, §3.3; OBIE Links; CDR links; Open Finance Brasil Links",
        remedy: "Build links from the public URL of the request, query included; mind gateways that rewrite the host.",
        defects: &["pagination.link-loses-filter", "pagination.link-internal-host", "pagination.prev-link-wrong"],
    },
    judge: |evidence| on(evidence, correct),
};

fn correct(evidence: &Evidence) -> Judgement {
    if let Some((walk, _)) = reference(evidence)
        && let End::ForeignOrigin(url) = &walk.end
    {
        return Judgement::fail("the way to the next page leads to another origin; it was not followed")
            .expected("a link to the target's own origin")
            .actual(url.clone())
            .cite(walk.pages.last().map(|page| page.exchange));
    }
    for link in &evidence.links {
        if let Some(judgement) = wrong(evidence, link) {
            let told = format!("`{}` of page {}: {}", link.relation.as_str(), link.page + 1, link.target);
            return judgement
                .detail(told)
                .cite([link.carried_by])
                .cite(link.answer.as_ref().and_then(|answer| answer.exchange));
        }
    }
    if evidence.links.is_empty() {
        return if evidence.cut_short {
            unseen(evidence, "")
        } else {
            Judgement::not_applicable("pages carry no links")
        };
    }
    let followed = evidence.links.iter().filter(|l| l.answer.as_ref().is_some_and(|a| a.rows().is_some())).count();
    if followed == 0 {
        return unseen(evidence, "no link was answered");
    }
    Judgement::pass(format!("{} followed, each led where it says", count(followed, "link")))
        .cite(evidence.links.iter().map(|link| link.carried_by))
}

fn wrong(evidence: &Evidence, link: &LinkFollowed) -> Option<Judgement> {
    let fail = |message: &str, expected: &str, actual: String| {
        Some(Judgement::fail(message).expected(expected).actual(actual))
    };
    if link.page == 0 && link.relation == Relation::Prev {
        return fail("the first page has a `prev` link", "no `prev` link on the first page", link.target.clone());
    }
    if link.on_last && link.relation == Relation::Next {
        return fail("the last page has a `next` link", "no `next` link on the last page", link.target.clone());
    }
    if !link.same_origin {
        return fail("a link leads to another origin", "the target's own origin and scheme", link.target.clone());
    }
    if let Some(parameter) = &link.credential {
        return fail(
            "a link carries a credential in its URL",
            "no credential in a URL",
            format!("parameter `{parameter}`"),
        );
    }
    // While others write, the same link may lead to other rows by itself.
    if !link.lost.is_empty() && at_rest(evidence) != Some(false) {
        return fail(
            "a link loses parameters of the request",
            "filter, order and page size kept",
            format!("lost: {}", link.lost.join(", ")),
        );
    }
    let answer = link.answer.as_ref()?;
    if answer.says_nothing() {
        return None;
    }
    match &answer.got {
        Got::Page { rows, .. } => {
            let expected = link.should_be.as_ref()?;
            if leads_there(evidence, link.relation, rows, expected) {
                return None;
            }
            fail(
                "a link leads to another page than it says",
                "the page it names",
                format!("{} instead of {}", named(&evidence.names, rows), named(&evidence.names, expected)),
            )
        }
        // The walk has followed it once, which is all that such a link promises.
        _ if evidence.declared.single_use => None,
        _ => fail("a link cannot be followed", "200 and a page", answer.told()),
    }
}

/// Whether rows are those of the page a link names. Pages may have other lengths when asked for again: what counts is
/// where they begin, or for links that lead back, where they end.
fn leads_there(evidence: &Evidence, relation: Relation, rows: &[RowId], expected: &[RowId]) -> bool {
    let common = rows.iter().filter(|row| expected.contains(row)).count();
    if rows.is_empty() || expected.is_empty() || common == expected.len() && rows.len() == common {
        return true;
    }
    if at_rest(evidence) != Some(true) {
        // Rows may have come or gone meanwhile: no row in common is what a wrong link looks like then.
        return common > 0;
    }
    match relation {
        Relation::Prev | Relation::Last => rows.last() == expected.last(),
        Relation::First | Relation::Next | Relation::This => rows.first() == expected.first(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::ExchangeId,
        families::pagination::{
            evidence::Answer,
            rules::damage::tests::{ids, walk},
        },
        rule::Verdict,
    };

    fn link() -> LinkFollowed {
        let got = Got::Page { status: 200, rows: ids(&[3, 4]), continues: false, circles: false, total: None };
        LinkFollowed {
            page: 0,
            on_last: false,
            relation: Relation::Next,
            target: "/x?cursor=a".into(),
            carried_by: ExchangeId(1),
            same_origin: true,
            lost: vec![],
            credential: None,
            answer: Some(Answer { sent: "link".into(), exchange: Some(ExchangeId(2)), got }),
            should_be: Some(ids(&[3, 4])),
        }
    }

    fn judge(change: impl FnOnce(&mut LinkFollowed)) -> Verdict {
        let mut link = link();
        change(&mut link);
        let walk = walk(&[&[1, 2], &[3, 4]]);
        correct(&Evidence { quiet: vec![walk.clone(), walk], links: vec![link], ..Evidence::default() }).verdict
    }

    fn answered(link: &mut LinkFollowed, got: Got) {
        if let Some(answer) = &mut link.answer {
            answer.got = got;
        }
    }

    #[test]
    fn a_right_link_passes_and_each_fault_fails() {
        assert_eq!(judge(|_| {}), Verdict::Pass);
        assert_eq!(judge(|link| link.relation = Relation::Prev), Verdict::Fail);
        assert_eq!(judge(|link| link.on_last = true), Verdict::Fail);
        assert_eq!(judge(|link| link.same_origin = false), Verdict::Fail);
        assert_eq!(judge(|link| link.credential = Some("access_token".into())), Verdict::Fail);
        assert_eq!(judge(|link| link.lost = vec!["symbol=AAPL".into()]), Verdict::Fail);
        assert_eq!(judge(|link| link.should_be = Some(ids(&[1, 2]))), Verdict::Fail);
        assert_eq!(judge(|link| answered(link, Got::Refused { status: 404 })), Verdict::Fail);
    }

    #[test]
    fn pages_may_have_other_lengths_but_begin_or_end_where_they_should() {
        assert_eq!(judge(|link| link.should_be = Some(ids(&[3, 4, 5]))), Verdict::Pass);
        assert_eq!(judge(|link| link.should_be = Some(ids(&[4, 5]))), Verdict::Fail);
        let back = |expected: &'static [u128]| {
            judge(|link| {
                (link.page, link.relation, link.should_be) = (1, Relation::Prev, Some(ids(expected)));
            })
        };
        assert_eq!(back(&[2, 4]), Verdict::Pass);
        assert_eq!(back(&[2, 3]), Verdict::Fail, "one row too late");
    }

    #[test]
    fn moving_rows_and_throttled_links_prove_nothing() {
        let mut moved = link();
        moved.should_be = Some(ids(&[4, 5]));
        let walks = vec![walk(&[&[1, 2], &[3, 4]]), walk(&[&[9, 1], &[2, 3], &[4]])];
        let evidence = Evidence { quiet: walks, links: vec![moved], ..Evidence::default() };
        assert_eq!(correct(&evidence).verdict, Verdict::Pass);
        assert_eq!(judge(|link| answered(link, Got::Refused { status: 429 })), Verdict::Inconclusive);
        assert_eq!(correct(&Evidence::default()).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn a_walk_led_to_another_origin_fails() {
        let mut walk = walk(&[&[1]]);
        walk.end = End::ForeignOrigin("http://10.0.0.5/x".into());
        assert_eq!(correct(&Evidence { quiet: vec![walk], ..Evidence::default() }).verdict, Verdict::Fail);
    }
}
