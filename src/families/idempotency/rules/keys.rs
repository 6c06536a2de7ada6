//! Missing and malformed keys.

use super::{
    super::evidence::{Answer, Evidence, KeyKind, KeyTry, Twin},
    SHOWS_NOTHING_NEW, effects, on, told, unless_ignored, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const IDM_007: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "IDM-007",
        slug: "odd-key-unprotected",
        family: "idempotency",
        title: "A missing or malformed key is refused, and no key is cut short",
        sent: "Requests without a key (where one is required), with an empty and a malformed one, with keys at and over \
               the declared length, and pairs of requests whose keys differ at the end only.",
        requirement: "Where a key is required, a request without one is refused (400). No odd key is answered with an \
                      error of the server. Two different keys are never taken for one, and a key that is accepted \
                      protects.",
        not_applicable: "The suite declares no idempotent operation.",
        severity: Severity::Major,
        strength: Strength::Should,
        source: "draft-ietf-httpapi-idempotency-key-header §2.1, §2.7 (SHOULD 400); UK OBIE v4 (400 above 40 characters)",
        remedy: "Check the key before anything else; refuse what is missing, empty or too long instead of cutting it.",
        defects: &["idempotency.key-optional", "idempotency.truncates-key", "idempotency.empty-key-500"],
    },
    judge: |evidence| on(evidence, keys),
};

fn keys(evidence: &Evidence) -> Judgement {
    if evidence.keys.is_empty() {
        return untried(evidence);
    }
    let parts = evidence.keys.iter().map(|tried| one(evidence, tried)).collect();
    let mut judgement = unless_ignored(evidence, Judgement::worst(parts, ""));
    if let Some(form) = evidence.keys.iter().find(|tried| tried.kind == KeyKind::OtherForm).and_then(forms) {
        judgement = judgement.detail(form);
    }
    judgement
}

fn one(evidence: &Evidence, tried: &KeyTry) -> Judgement {
    let KeyTry { kind, answer, before, after, again, twin, .. } = tried;
    let kind = *kind;
    // A repetition that fails as every repetition does has nothing to do with its key.
    let replays_fail = evidence.repeated.iter().flat_map(|seen| &seen.repeats).any(Answer::is_server_error);
    let again = again.as_ref().filter(|_| !replays_fail);
    let answers = [Some(answer), again, twin.as_ref().map(|twin| &twin.answer)];
    let cited = || answers.iter().flatten().filter_map(|answer| answer.exchange).chain(after.exchanges());
    if let Some(broken) = answers.iter().flatten().find(|answer| answer.is_server_error()) {
        return Judgement::fail(format!("{} is answered with an error of the server", kind.told()))
            .expected("a refusal (400), or success")
            .actual(told(broken))
            .cite(cited());
    }
    // Quoted and bare keys may be the same or not.
    if kind == KeyKind::OtherForm {
        return Judgement::not_applicable("either is right");
    }
    if answer.says_nothing() {
        return Judgement::inconclusive(format!("{} got {}", kind.told(), told(answer))).cite(cited());
    }
    if kind == KeyKind::Usual && !answer.is_success() {
        return Judgement::inconclusive(format!(
            "{} ({} characters) is refused: {}",
            kind.told(),
            tried.length,
            told(answer)
        ))
        .cite(cited());
    }
    let number = match effects(before, after) {
        Ok(number) => number,
        Err(why) => return Judgement::inconclusive(why).cite(cited()),
    };
    if !answer.is_success() {
        return if number == 0 {
            Judgement::pass(format!("{} is refused ({})", kind.told(), answer.told())).cite(cited())
        } else {
            Judgement::fail(format!("{} is refused, and takes effect all the same", kind.told()))
                .expected("a refusal (400) without effect")
                .actual(format!("{}; found: {}", told(answer), after.told()))
                .cite(cited())
        };
    }
    if evidence.declared.required && matches!(kind, KeyKind::Missing | KeyKind::Empty) && number > 0 {
        return Judgement::fail(format!("a request with {} takes effect without protection", kind.told()))
            .expected("a refusal (400): the suite declares that a key is required")
            .actual(format!("{}; found: {}", told(answer), after.told()))
            .cite(cited());
    }
    if number > 1 {
        return Judgement::fail(format!(
            "{} is accepted and does not protect: its request took effect {number} times",
            kind.told()
        ))
        .expected("a refusal (400), or one effect")
        .actual(format!("found: {}", after.told()))
        .cite(cited());
    }
    if let Some(judgement) = twin.as_ref().and_then(|twin| collision(evidence, tried, twin)) {
        return judgement;
    }
    let what = if twin.is_some() { " and counts as a whole" } else { "" };
    Judgement::pass(format!("{} is accepted{what}", kind.told())).cite(cited())
}

/// Whether two keys that differ at the end only were taken for one; none if they were not.
fn collision(evidence: &Evidence, tried: &KeyTry, twin: &Twin) -> Option<Judgement> {
    let Twin { before, answer, after, apart } = twin;
    let cited = || tried.answer.exchange.into_iter().chain(answer.exchange).chain(after.exchanges());
    let fail = |actual: String| {
        Judgement::fail(format!(
            "two keys of {} characters that differ at the end only are taken for one: a payment can be lost",
            tried.length
        ))
        .expected("an effect for each of two different keys, or a refusal of both")
        .actual(actual)
        .cite(cited())
    };
    if answer.says_nothing() {
        return Some(Judgement::inconclusive(format!("the second of two keys got {}", told(answer))).cite(cited()));
    }
    if !answer.is_success() {
        return match apart {
            Some(apart) if apart.is_success() => Some(
                fail(format!("the second got {}, and {} with quite another key", told(answer), apart.told()))
                    .cite(apart.exchange),
            ),
            _ => {
                Some(Judgement::inconclusive(format!("the second of two requests got {}", told(answer))).cite(cited()))
            }
        };
    }
    match effects(before, after) {
        Ok(0) if answer.same_as(&tried.answer) == Some(true) => {
            Some(fail(format!("the second got {}, as the first did, and had no effect", told(answer))))
        }
        Ok(0) if !evidence.still_shows() => Some(Judgement::inconclusive(SHOWS_NOTHING_NEW).cite(cited())),
        Ok(0) => Some(fail(format!("the second got {}, and had no effect", told(answer)))),
        Ok(_) => None,
        Err(why) => Some(Judgement::inconclusive(why).cite(cited())),
    }
}

/// Whether a key counts as the same with and without quotes.
fn forms(tried: &KeyTry) -> Option<String> {
    let again = tried.again.as_ref()?;
    if !tried.answer.is_success() || tried.before.number() != Some(0) {
        return None;
    }
    match tried.after.number()? {
        1 if again.is_success() => Some("a key is the same quoted and bare".into()),
        1 => Some(format!("a key in the other of its forms, quoted and bare, got {}", told(again))),
        _ => Some("a key is not the same quoted and bare".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::evidence::Count,
            testing::{answer, judged, seen},
        },
        *,
    };
    use crate::rule::Verdict;

    fn tried(kind: KeyKind, status: u16, after: Count) -> KeyTry {
        KeyTry { kind, length: 64, before: seen(&[]), answer: answer(status), again: None, after, twin: None }
    }

    fn twin(status: u16, after: Count) -> Twin {
        let answer = Answer { id: Some("b".into()), ..answer(status) };
        Twin { before: seen(&[]), answer, after, apart: None }
    }

    fn judge(keys: Vec<KeyTry>, required: bool) -> Judgement {
        let mut evidence = Evidence { keys, ..Evidence::default() };
        evidence.declared.required = required;
        judged(&IDM_007, evidence)
    }

    #[test]
    fn a_missing_or_empty_key_must_be_refused_where_one_is_required() {
        for kind in [KeyKind::Missing, KeyKind::Empty] {
            assert_eq!(judge(vec![tried(kind, 400, seen(&[]))], true).verdict, Verdict::Pass);
            assert_eq!(judge(vec![tried(kind, 201, seen(&["a"]))], true).verdict, Verdict::Fail);
            assert_eq!(judge(vec![tried(kind, 400, seen(&["a"]))], true).verdict, Verdict::Fail);
        }
        assert_eq!(judge(vec![tried(KeyKind::Empty, 201, seen(&["a"]))], false).verdict, Verdict::Pass);
    }

    #[test]
    fn no_odd_key_may_be_an_error_of_the_server() {
        for kind in [KeyKind::Empty, KeyKind::Space, KeyKind::TooLong, KeyKind::OtherForm] {
            assert_eq!(judge(vec![tried(kind, 500, seen(&[]))], false).verdict, Verdict::Fail, "{kind:?}");
            assert_ne!(judge(vec![tried(kind, 503, seen(&[]))], false).verdict, Verdict::Fail, "{kind:?}");
        }
        assert_eq!(judge(Vec::new(), false).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn keys_that_differ_at_the_end_are_two() {
        let pair =
            |twin: Twin| judge(vec![KeyTry { twin: Some(twin), ..tried(KeyKind::Longest, 201, seen(&["a"])) }], true);
        assert_eq!(pair(twin(201, seen(&["b"]))).verdict, Verdict::Pass);
        assert_eq!(pair(twin(201, seen(&[]))).verdict, Verdict::Inconclusive);
        let replayed = Twin { answer: answer(201), ..twin(201, seen(&[])) };
        assert_eq!(pair(replayed).verdict, Verdict::Fail);
        // Refused only because of its key: quite another one is accepted.
        assert_eq!(pair(Twin { apart: Some(answer(201)), ..twin(422, seen(&["b"])) }).verdict, Verdict::Fail);
        assert_eq!(pair(Twin { apart: Some(answer(422)), ..twin(422, seen(&[])) }).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_key_that_is_too_long_may_be_refused_or_must_protect() {
        assert_eq!(judge(vec![tried(KeyKind::TooLong, 400, seen(&[]))], true).verdict, Verdict::Pass);
        let taken = KeyTry {
            again: Some(answer(201)),
            twin: Some(twin(201, seen(&["b"]))),
            ..tried(KeyKind::TooLong, 201, seen(&["a"]))
        };
        assert_eq!(judge(vec![taken.clone()], true).verdict, Verdict::Pass);
        assert_eq!(judge(vec![KeyTry { after: seen(&["a", "c"]), ..taken }], true).verdict, Verdict::Fail);
    }

    #[test]
    fn the_two_forms_are_only_told_of() {
        let form = |after: Count| KeyTry { again: Some(answer(201)), ..tried(KeyKind::OtherForm, 201, after) };
        let judgement = judge(vec![form(seen(&["a", "b"])), tried(KeyKind::Empty, 400, seen(&[]))], true);
        assert_eq!(judgement.verdict, Verdict::Pass);
        assert!(judgement.details.iter().any(|detail| detail.contains("not the same")), "{:?}", judgement.details);
    }
}
