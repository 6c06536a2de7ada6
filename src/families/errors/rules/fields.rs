//! ERR-009: a validation error says which field is wrong.

use super::{
    super::{
        difference,
        evidence::{Case, CaseResponse},
    },
    AnyEvidence, Judgement, Rule, Severity, Strength, judge, only_cases, refused,
};

pub(super) static LOCATED: Rule = Rule {
    id: "ERR-009",
    slug: "validation-error-without-locator",
    family: "errors",
    title: "Validation errors locate what is wrong",
    sent: "A request with invalid fields that the case names.",
    requirement: "The error names at least one of the invalid fields: as JSON Pointer, JSONPath, dotted path or bare \
                  name, in camel or snake spelling. Reporting only the first is legal.",
    not_applicable: "The case names no invalid fields, or the request has but one field.",
    severity: Severity::Minor,
    strength: Strength::Should,
    source: "RFC 9457 §3 (example, errors[].pointer); AU CDR Standards (detail); UK Open Banking v4 (Path); PayPal \
             (details[].field)",
    remedy: "Add a list of errors with a JSON Pointer to each invalid field.",
    defects: &["errors.no-pointer"],
};

pub(super) fn located(evidence: &AnyEvidence) -> Judgement {
    judge(evidence, only_cases, case)
}

fn case(case: &Case) -> Judgement {
    let fields = &case.expected.fields;
    if fields.is_empty() {
        return Judgement::not_applicable("the case names no invalid fields");
    }
    let refused = match refused(case) {
        Ok(refused) => refused,
        Err(judgement) => return *judgement,
    };
    let silent: Vec<&CaseResponse> = refused.iter().copied().filter(|response| response.located.is_empty()).collect();
    if let Some(first) = silent.first() {
        if case.expected.sent_fields == 1 {
            return Judgement::not_applicable("the request has but one field, which needs no locator");
        }
        let place = match &case.declared.errors.fields {
            Some(path) => format!("at {path}"),
            None => "anywhere in the error".into(),
        };
        return Judgement::fail("the error names none of the invalid fields")
            .expected(format!("{} {place}", difference::alternatives(fields.iter())))
            .actual(first.answer.line())
            .cite(silent.iter().map(|response| response.answer.exchange));
    }
    let mut judgement = Judgement::pass("the error names an invalid field");
    for located in refused.iter().flat_map(|response| &response.located) {
        judgement = judgement.detail(format!("{} is named by {}", located.field, located.by));
    }
    judgement.cite(refused.iter().map(|response| response.answer.exchange))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{
            super::evidence::{CaseOutcome, Evidence, Expected, Located, Traffic},
            tests as made,
        },
        *,
    };
    use crate::rule::Verdict;

    fn judged(status: u16, fields: &[&str], sent_fields: usize, found: bool) -> Judgement {
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        let expected = Expected { statuses: vec![422], fields, sent_fields, ..Expected::default() };
        let AnyEvidence::Errors(evidence) = made::case(json!({}), expected, [made::json(status, &json!({}))]) else {
            panic!()
        };
        let Evidence::Case(mut case) = *evidence else { panic!() };
        if let (true, CaseOutcome::Response(response)) = (found, &mut case.answers[0].outcome) {
            response.located = vec![Located { field: "/quantity".into(), by: "`quantity`".into() }];
        }
        located(&AnyEvidence::Errors(Box::new(Evidence::Case(case))))
    }

    #[test]
    fn one_named_field_is_enough() {
        let judgement = judged(422, &["/quantity", "/symbol"], 5, true);
        assert_eq!(judgement.verdict, Verdict::Pass);
        assert_eq!(judgement.details, ["/quantity is named by `quantity`"]);
    }

    #[test]
    fn no_named_field_is_reported_unless_there_is_only_one() {
        let judgement = judged(422, &["/quantity", "/symbol"], 5, false);
        assert_eq!(judgement.verdict, Verdict::Fail);
        assert_eq!(judgement.expected, ["/quantity or /symbol anywhere in the error"]);
        assert_eq!(judged(422, &["/quantity"], 1, false).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn what_was_not_refused_for_its_fields_decides_nothing() {
        assert_eq!(judged(401, &["/quantity"], 5, false).verdict, Verdict::Inconclusive);
        assert_eq!(judged(422, &[], 5, false).verdict, Verdict::NotApplicable);
        assert_eq!(located(&made::seen(Traffic::default())).verdict, Verdict::NotApplicable);
    }
}
