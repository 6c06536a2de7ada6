//! ERR-005: the same fault has the same code, different faults have different ones.

use std::collections::BTreeSet;

use super::{
    super::evidence::{Case, CaseResponse, Fault, Traffic},
    AnyEvidence, Judgement, Rule, Severity, Strength, fail_with, judge, refused,
};
use crate::json::Scalar;

/// With fewer faults, or fewer occurrences of one, nothing is decided.
const FEWEST: usize = 3;
/// From so many different faults on, hardly any two may look the same.
const FULL: usize = 5;

pub(super) static STABLE: Rule = Rule {
    id: "ERR-005",
    slug: "unstable-or-catch-all-code",
    family: "errors",
    title: "Error codes are stable and tell faults apart",
    sent: "The same fault several times with other instance data (a case's `values`); and all cases of the suite.",
    requirement: "One fault always has the same code, and the same message but for the data; of m different faults at \
                  least m-1 differ in status or code.",
    not_applicable: "The suite lists no cases, or does not say where codes are.",
    severity: Severity::Major,
    strength: Strength::Normative,
    source: "AU CDR Standards (title constant per code); Google AIP-193; Microsoft Azure REST API Guidelines (errors)",
    remedy: "Choose codes by the kind of fault alone, and give each kind its own.",
    defects: &["errors.random-code", "errors.catch-all-code"],
};

pub(super) fn stable(evidence: &AnyEvidence) -> Judgement {
    judge(evidence, telling, repeated)
}

fn telling(traffic: &Traffic) -> Judgement {
    if traffic.faults.is_empty() {
        return Judgement::not_applicable("no case of the suite's `errors` provoked its fault");
    }
    // An error without a code is another rule's matter.
    let coded = || traffic.faults.iter().filter(|fault| fault.seen_code.is_some());
    if coded().next().is_none() {
        return Judgement::not_applicable("no fault of the suite's cases came with a code that could be read");
    }
    // Cases that declare the same outcome may well be the same fault: each declared outcome counts once.
    let mut declared = BTreeSet::new();
    let different: Vec<&Fault> = coded().filter(|fault| declared.insert((&fault.statuses, &fault.code))).collect();
    let seen: BTreeSet<_> = different.iter().map(|fault| (fault.status, &fault.seen_code)).collect();
    let (faults, pairs) = (different.len(), seen.len());
    let judgement = if faults >= FEWEST && pairs + 1 >= faults {
        Judgement::pass(format!("{faults} different faults show {pairs} different pairs of status and code"))
    } else if faults >= FULL {
        Judgement::fail(format!("{faults} different faults show only {pairs} different pairs of status and code"))
            .expected(format!("at least {} different pairs", faults - 1))
            .severity(Severity::Minor)
    } else {
        Judgement::inconclusive(format!("{faults} different faults are too few to tell"))
    };
    let mut judgement = judgement.cite(different.iter().map(|fault| fault.exchange));
    for fault in different {
        let code = fault.seen_code.as_deref().unwrap_or("none");
        judgement = judgement.detail(format!("{}: status {}, code {code}", fault.check, fault.status));
    }
    judgement
}

fn repeated(case: &Case) -> Judgement {
    if case.answers.iter().all(|answer| answer.value.is_none()) {
        return Judgement::not_applicable("the case does not repeat its fault with other `values`");
    }
    let refused = match refused(case) {
        Ok(refused) => refused,
        Err(judgement) => return *judgement,
    };
    if refused.len() < FEWEST {
        return Judgement::inconclusive(format!("the fault was met {} of at least {FEWEST} times", refused.len()));
    }
    let codes: BTreeSet<Option<&Scalar>> = refused.iter().map(|response| response.answer.code.as_ref()).collect();
    if codes.len() > 1 {
        let show = |code: &Option<Scalar>| code.as_ref().map_or_else(|| "no code".to_owned(), |c| format!("code {c}"));
        let examples: Vec<_> = refused.iter().map(|response| (&response.answer, show(&response.answer.code))).collect();
        return fail_with(format!("one fault showed {} different codes", codes.len()), &examples)
            .expected("the same code each time");
    }
    if codes.contains(&None) {
        return match case.declared.errors.code {
            Some(_) => Judgement::inconclusive("the errors carry no code"),
            None => Judgement::not_applicable("the suite does not say where codes are (`conventions.errors.code`)"),
        };
    }
    let templates: BTreeSet<String> = refused.iter().filter_map(|response| template(case, response)).collect();
    if templates.len() > 1 {
        let examples: Vec<_> = refused
            .iter()
            .filter_map(|response| Some((&response.answer, format!("message {}", response.answer.message.as_ref()?))))
            .collect();
        // Wording is nobody's contract, so this is advice.
        return fail_with("one fault was put in different words".into(), &examples)
            .expected("the same message each time but for the data")
            .severity(Severity::Info);
    }
    Judgement::pass(format!("the fault had the same code and message {} times", refused.len()))
        .cite(refused.iter().map(|response| response.answer.exchange))
}

/// The message without the data: the value that was sent, what holds digits, what stands in quotes.
fn template(case: &Case, response: &CaseResponse) -> Option<String> {
    let text = response.answer.message.as_ref()?.text()?;
    let values = case.answers.iter().filter_map(|answer| answer.value.as_deref());
    // Longest first: one value may be part of another.
    let mut values: Vec<&str> = values.filter(|value| !value.is_empty()).collect();
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    let text = values.into_iter().fold(text.to_owned(), |text, value| text.replace(value, "#"));
    let mask = |word: &str| if word.bytes().any(|b| b.is_ascii_digit() || b == b'#') { "#" } else { word }.to_owned();
    Some(text.split_whitespace().map(mask).collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{
        super::{
            super::evidence::{Evidence, Expected},
            tests as made,
        },
        *,
    };
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn judged(errors: Value, replies: &[(u16, Value)]) -> Judgement {
        let expected = Expected { statuses: vec![404], ..Expected::default() };
        let replies = replies.iter().map(|(status, body)| made::json(*status, body));
        let AnyEvidence::Errors(evidence) = made::case(errors, expected, replies) else { panic!() };
        let Evidence::Case(mut case) = *evidence else { panic!() };
        for (index, answer) in case.answers.iter_mut().enumerate() {
            answer.value = Some(format!("NOPE-{}", ["A", "AB", "C", "D"][index]));
        }
        stable(&AnyEvidence::Errors(Box::new(Evidence::Case(case))))
    }

    fn errors() -> Value {
        json!({"code": "$.code", "message": "$.message"})
    }

    fn body(code: &str, message: &str) -> (u16, Value) {
        (404, json!({"code": code, "message": message}))
    }

    #[test]
    fn one_code_and_one_template_pass() {
        let replies = [
            body("u", "no account NOPE-A (ref 17)"),
            body("u", "no account NOPE-AB (ref 4)"),
            body("u", "no account NOPE-C (ref 999)"),
        ];
        assert_eq!(judged(errors(), &replies).verdict, Verdict::Pass);
    }

    #[test]
    fn another_code_for_the_same_fault_is_reported() {
        let judgement = judged(errors(), &[body("u", "m"), body("v", "m"), body("u", "m")]);
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, None));
        assert!(judgement.details.iter().any(|d| d.ends_with("code \"v\"")), "{:?}", judgement.details);
        let missing = judged(errors(), &[body("u", "m"), (404, json!({"message": "m"})), body("u", "m")]);
        assert_eq!(missing.verdict, Verdict::Fail);
    }

    #[test]
    fn other_words_are_advice() {
        let judgement =
            judged(errors(), &[body("u", "no account"), body("u", "unknown thing"), body("u", "no account")]);
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, Some(Severity::Info)));
    }

    #[test]
    fn what_was_not_met_or_cannot_be_read_is_not_judged() {
        let two = [body("u", "m"), (429, json!({})), body("u", "m")];
        assert_eq!(judged(errors(), &two).verdict, Verdict::Inconclusive);
        assert_eq!(judged(errors(), &[(200, json!({}))]).verdict, Verdict::Inconclusive);
        let without = || (404, json!({"message": "m"}));
        let three = [without(), without(), without()];
        assert_eq!(judged(errors(), &three).verdict, Verdict::Inconclusive);
        assert_eq!(judged(json!({}), &three).verdict, Verdict::NotApplicable);
        assert_eq!(stable(&made::unanswered()).verdict, Verdict::NotApplicable);
    }

    fn faults(seen: &[(u16, &str, &str)]) -> Judgement {
        let faults = (1..).zip(seen).map(|(id, (status, declared, code))| Fault {
            check: format!("case {id}"),
            statuses: vec![*status],
            code: Some((*declared).to_owned()),
            exchange: ExchangeId(id),
            status: *status,
            seen_code: Some((*code).to_owned()),
        });
        stable(&made::seen(Traffic { faults: faults.collect(), ..Traffic::default() }))
    }

    #[test]
    fn different_faults_with_different_codes_pass() {
        let judgement = faults(&[(400, "a", "a"), (400, "b", "b"), (404, "c", "c"), (404, "d", "d"), (422, "e", "e")]);
        assert_eq!((judgement.verdict, judgement.details.len()), (Verdict::Pass, 5));
        let same = faults(&[(400, "a", "x"), (400, "b", "x"), (404, "c", "c"), (404, "d", "d"), (422, "e", "e")]);
        assert_eq!(same.verdict, Verdict::Pass);
    }

    #[test]
    fn a_catch_all_code_is_reported_from_five_different_faults_on() {
        let all = [(400, "a", "x"), (400, "b", "x"), (400, "c", "x"), (404, "d", "x"), (404, "e", "x")];
        let judgement = faults(&all);
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, Some(Severity::Minor)));
        assert!(judgement.message.contains("only 2"), "{}", judgement.message);
        assert_eq!(faults(&all[..4]).verdict, Verdict::Inconclusive);
        assert_eq!(faults(&[(400, "a", "a"); 6]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn without_cases_or_codes_the_rule_says_nothing() {
        assert_eq!(faults(&[]).verdict, Verdict::NotApplicable);
        let fault = Fault {
            check: "c".into(),
            statuses: vec![404],
            code: None,
            exchange: ExchangeId(1),
            status: 404,
            seen_code: None,
        };
        let traffic = Traffic { faults: vec![fault], ..Traffic::default() };
        assert_eq!(stable(&made::seen(traffic)).verdict, Verdict::NotApplicable);
    }
}
