//! A lost answer.

use super::{
    super::{
        config::Replay,
        evidence::{Evidence, Lost},
    },
    SHOWS_NOTHING_NEW, effects, on, told, untried,
};
use crate::{
    families::{Cut, JudgedRule},
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const IDM_005: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "IDM-005",
        slug: "lost-answer-cannot-be-asked-for",
        family: "idempotency",
        title: "After a lost answer the same request can be sent again",
        sent: "A request whose connection is cut after its last octet, and one whose connection is cut after the first \
               octet of the answer; then the same again with the same key, until it is answered or the key may no \
               longer be in progress.",
        requirement: "One effect exists, and the request sent again is answered with its id; 409 is right for the \
                      declared time (`processing`). A second effect is critical, a key that stays in progress major.",
        not_applicable: "The suite declares no idempotent operation.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "draft-ietf-httpapi-idempotency-key-header §1; RFC 9110 §9.2.2",
        remedy: "Finish what was begun whether or not anybody listens, and write its result under the key; let a key \
                 whose request died expire.",
        defects: &["idempotency.stuck-after-cut", "idempotency.forgets-after-cut"],
    },
    judge: |evidence| on(evidence, lost),
};

fn lost(evidence: &Evidence) -> Judgement {
    if evidence.cuts.is_empty() {
        return untried(evidence);
    }
    let parts = evidence.cuts.iter().map(|cut| one(evidence, cut)).collect();
    Judgement::worst(parts, "")
}

fn place(cut: Cut) -> &'static str {
    match cut {
        Cut::AfterRequest => "after the request",
        Cut::AfterFirstByte => "after the first octet of the answer",
    }
}

fn one(evidence: &Evidence, lost: &Lost) -> Judgement {
    let Lost { cut, reference, before, exchange, whole, retry, after, .. } = lost;
    let at = place(*cut);
    let cited = || exchange.iter().copied().chain(retry.exchange).chain(after.exchanges());
    let number = match effects(before, after) {
        Ok(number) => number,
        Err(why) => return Judgement::inconclusive(why).cite(cited()),
    };
    if number > 1 {
        return Judgement::fail(format!("a request cut {at} and sent again with its key took effect {number} times"))
            .expected("one effect")
            .actual(format!("for reference {reference} found: {}", after.told()))
            .detail(format!("sent again it got {}", told(retry)))
            .cite(cited());
    }
    if let Some(why) = whole {
        return Judgement::inconclusive(format!("the connection could not be cut {at}: {why}")).cite(cited());
    }
    if retry.is_success() && number == 0 && !evidence.still_shows() {
        return Judgement::inconclusive(SHOWS_NOTHING_NEW).cite(cited());
    }
    if retry.is_success() && number == 0 {
        return Judgement::fail(format!(
            "a request cut {at} and sent again is told of success, and nothing took effect"
        ))
        .expected("one effect")
        .actual(format!("{}; for reference {reference} there is nothing", told(retry)))
        .cite(cited());
    }
    let refused = retry.is_refusal() && evidence.declared.replay == Some(Replay::Refused) && number == 1;
    if retry.is_success() || refused {
        return Judgement::pass(format!("a request cut {at} can be sent again: one effect")).cite(cited());
    }
    if retry.says_nothing() {
        return Judgement::inconclusive(format!("after the cut {at}, the same again got {}", told(retry)))
            .cite(cited());
    }
    let expected = |judgement: Judgement| {
        judgement
            .severity(Severity::Major)
            .expected("success with the id of what took effect")
            .actual(format!("{}; for reference {reference} found: {}", told(retry), after.told()))
            .cite(cited())
    };
    if retry.status() == Some(409) {
        let Some(processing) = evidence.declared.processing else {
            let why = "the key was in progress for longer than was waited; the suite does not say how long it may be (`processing`)";
            return Judgement::inconclusive(format!("after the cut {at}, {why}")).cite(cited());
        };
        return expected(Judgement::fail(format!(
            "after the cut {at}, the key stays in progress beyond the declared {processing}"
        )));
    }
    if retry.is_refusal() && evidence.declared.field.is_none() && evidence.declared.replay.is_none() && number == 1 {
        let why = "the same again is refused; the suite does not say whether that is right (`replay: refused`)";
        return Judgement::inconclusive(format!("after the cut {at}, {why}")).cite(cited());
    }
    expected(Judgement::fail(format!("a request cut {at} and sent again is not answered with its result")))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::evidence::Count,
            testing::{answer, judged, seen, trial},
        },
        *,
    };
    use crate::rule::Verdict;

    fn cut(retry: u16, after: Count) -> Lost {
        Lost {
            cut: Cut::AfterRequest,
            reference: "r".into(),
            key: "k".into(),
            before: seen(&[]),
            exchange: None,
            whole: None,
            retry: answer(retry),
            after,
        }
    }

    fn judge(cuts: Vec<Lost>, declare: impl Fn(&mut Evidence)) -> Judgement {
        let mut evidence = Evidence { cuts, ..Evidence::default() };
        evidence.declared.field = Some("Idempotency-Key".into());
        evidence.declared.processing = Some("2s".parse().unwrap());
        declare(&mut evidence);
        judged(&IDM_005, evidence)
    }

    #[test]
    fn one_effect_and_its_id_pass() {
        let other = Lost { cut: Cut::AfterFirstByte, ..cut(200, seen(&["b"])) };
        assert_eq!(judge(vec![cut(201, seen(&["a"])), other], |_| {}).verdict, Verdict::Pass);
        assert_eq!(
            judge(vec![cut(422, seen(&["a"]))], |e| e.declared.replay = Some(Replay::Refused)).verdict,
            Verdict::Pass
        );
    }

    #[test]
    fn two_effects_are_critical_even_if_the_cut_did_not_work() {
        let whole = Lost { whole: Some("too late".into()), ..cut(201, seen(&["a", "b"])) };
        let judgement = judge(vec![cut(201, seen(&["a"])), whole], |_| {});
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, None));
    }

    #[test]
    fn a_key_that_stays_in_progress_fails_where_its_time_is_declared() {
        let judgement = judge(vec![cut(409, seen(&["a"]))], |_| {});
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, Some(Severity::Major)));
        assert_eq!(
            judge(vec![cut(409, seen(&["a"]))], |e| e.declared.processing = None).verdict,
            Verdict::Inconclusive
        );
    }

    #[test]
    fn success_without_effect_fails() {
        assert_eq!(judge(vec![cut(201, seen(&[]))], |_| {}).verdict, Verdict::Inconclusive);
        assert_eq!(judge(vec![cut(201, seen(&[]))], |e| e.closing = Some(trial())).verdict, Verdict::Fail);
        assert_eq!(judge(vec![cut(422, seen(&["a"]))], |_| {}).verdict, Verdict::Fail);
    }

    #[test]
    fn what_was_not_cut_or_not_answered_shows_nothing() {
        let whole = Lost { whole: Some("too late".into()), ..cut(201, seen(&["a"])) };
        assert_eq!(judge(vec![whole], |_| {}).verdict, Verdict::Inconclusive);
        assert_eq!(judge(vec![cut(503, seen(&["a"]))], |_| {}).verdict, Verdict::Inconclusive);
        assert_eq!(judge(Vec::new(), |_| {}).verdict, Verdict::Inconclusive);
    }
}
