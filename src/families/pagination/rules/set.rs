//! The same rows whatever the page size: PAG-010.

use super::{count, named, on, once::passed_by, reference, restless, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::evidence::{Evidence, RowId, repeats},
    },
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const PAG_010: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-010",
        slug: "page-size-changes-the-set",
        family: "pagination",
        title: "The page size does not change the set",
        sent: "Walks with every declared page size, nothing written meanwhile.",
        requirement: "Each delivers the same rows in the same order.",
        not_applicable: "The suite declares fewer than two page sizes.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "Segura et al., Metamorphic Testing of RESTful Web APIs (equality); AIP-158",
        remedy: "Let the page size decide only where pages end; signal a limit on the depth of a walk.",
        defects: &["pagination.size-dependent"],
    },
    judge: |evidence| on(evidence, same_set),
};

pub(super) fn same_set(evidence: &Evidence) -> Judgement {
    if evidence.sized.is_empty() {
        return if evidence.declared.size_parameter.is_some() && evidence.cut_short {
            unseen(evidence, "")
        } else {
            Judgement::not_applicable("the suite declares fewer than two page sizes")
        };
    }
    if let Some(judgement) = restless(evidence) {
        return judgement;
    }
    let Some((walk, rows)) = reference(evidence) else { return unseen(evidence, "the listing was not walked") };
    let mut compared = 0;
    for other in &evidence.sized {
        let seen = other.rows(rows);
        let missing = passed_by(rows, seen, other.is_complete() && walk.is_complete());
        let extra = passed_by(seen, rows, other.is_complete() && walk.is_complete());
        if !missing.is_empty() || !extra.is_empty() {
            return Judgement::fail(format!("walks with {} and {} deliver different rows", walk.asked, other.asked))
                .expected("the same rows whatever the page size")
                .actual(format!(
                    "{} only with {}{}; {} only with {}{}",
                    count(missing.len(), "row"),
                    walk.asked,
                    told(evidence, &missing),
                    count(extra.len(), "row"),
                    other.asked,
                    told(evidence, &extra)
                ))
                .cite(other.pages.iter().take(2).map(|page| page.exchange));
        }
        let common = seen.len().min(rows.len());
        let ties_only = !walk.keys.is_empty() && walk.keys.get(..common) == other.keys.get(..common);
        if seen[..common] != rows[..common]
            && evidence.declared.default_order.is_some()
            && !ties_only
            && repeats(seen).is_empty()
        {
            return Judgement::fail(format!(
                "walks with {} and {} deliver rows in another order",
                walk.asked, other.asked
            ))
            .expected("the same order whatever the page size")
            .actual("the same rows in another order")
            .cite(other.pages.iter().take(2).map(|page| page.exchange));
        }
        if other.pages.len() > 1 || walk.pages.len() > 1 {
            compared += 1;
        }
    }
    if compared == 0 {
        return Judgement::inconclusive("every row is on one page whatever the page size");
    }
    Judgement::pass(format!("{} page sizes delivered the same rows in the same order", compared + 1))
        .cite(evidence.sized.iter().filter_map(|walk| walk.pages.first()).map(|page| page.exchange))
}

fn told(evidence: &Evidence, rows: &[RowId]) -> String {
    if rows.is_empty() { String::new() } else { format!(" ({})", named(&evidence.names, rows)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        families::pagination::{
            evidence::Declared,
            rules::damage::tests::{twice, walk},
        },
        rule::Verdict,
    };

    #[test]
    fn page_sizes_must_agree_in_set_and_order() {
        let mut e = twice(&[&[1, 2], &[3]]);
        assert_eq!(same_set(&e).verdict, Verdict::NotApplicable);
        e.sized = vec![walk(&[&[1], &[2], &[3]])];
        assert_eq!(same_set(&e).verdict, Verdict::Pass);
        e.sized = vec![walk(&[&[1], &[3]])];
        assert_eq!(same_set(&e).verdict, Verdict::Fail);
        e.sized = vec![walk(&[&[2], &[1], &[3]])];
        assert_eq!(same_set(&e).verdict, Verdict::Pass, "no order is declared");
        e.declared = Declared { default_order: Some("newest".into()), ..Declared::default() };
        assert_eq!(same_set(&e).verdict, Verdict::Fail);
    }
}
