//! A used key with another body.

use std::str::FromStr;

use rust_decimal::Decimal;

use super::{
    super::{
        config::Mismatch,
        evidence::{Changed, Evidence},
    },
    effects, on, told, untried,
};
use crate::{
    families::JudgedRule,
    json::Scalar,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const IDM_003: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "IDM-003",
        slug: "used-key-with-another-body",
        family: "idempotency",
        title: "A used key with another body is refused and changes nothing",
        sent: "A request that creates; another one (such as another amount) with the same key; and that other one with a \
               key of its own, to see that nothing but the key can be wrong with it.",
        requirement: "The second is refused (4xx: 422, 409 or 400), one effect exists and it is the first. A second \
                      effect and a changed first one are critical; a success that only repeats the first answer is a \
                      major failure, advice where the suite declares it (`mismatch: replayed`).",
        not_applicable: "The suite does not say what makes it another request (`changed`).",
        severity: Severity::Critical,
        strength: Strength::Should,
        source: "draft-ietf-httpapi-idempotency-key-header §2.7 (SHOULD 422); UK OBIE v4 (must not modify); PayPal API \
                 style guide (422)",
        remedy: "Store a digest of the request with the key, and answer 422 when a known key comes with another one.",
        defects: &[
            "idempotency.second-body-executed",
            "idempotency.second-body-overwrites",
            "idempotency.second-body-replayed",
        ],
    },
    judge: |evidence| on(evidence, changed),
};

fn changed(evidence: &Evidence) -> Judgement {
    let Some(seen) = &evidence.changed else {
        if evidence.declared.changed {
            return untried(evidence);
        }
        return Judgement::not_applicable("the suite does not say what makes it another request (`changed`)");
    };
    let Changed { trial, answer, after, control } = seen;
    let cited = || trial.first.exchange.into_iter().chain(answer.exchange).chain(after.exchanges());
    if !trial.first.is_success() {
        return Judgement::inconclusive(format!("the first request got {}", told(&trial.first))).cite(cited());
    }
    let number = match effects(&trial.before, after) {
        Ok(number) => number,
        Err(why) => return Judgement::inconclusive(why).cite(cited()),
    };
    if number > 1 {
        return Judgement::fail(format!("a used key with another body took effect: there are {number}"))
            .expected("a refusal (4xx: 422, 409 or 400), and one effect")
            .actual(format!("{}; for reference {} found: {}", told(answer), trial.reference, after.told()))
            .cite(cited());
    }
    if number == 0 {
        return Judgement::inconclusive("what the first request created does not show").cite(cited());
    }
    let before = trial.alone.as_ref().and_then(|count| count.amount());
    if let (Some(was), Some(is)) = (before, after.amount())
        && !equal(was, is)
    {
        return Judgement::fail("a used key with another body changed what the first request created")
            .expected(format!("it stays {was}"))
            .actual(format!("it is {is}; the second request got {}", told(answer)))
            .cite(trial.alone.iter().flat_map(super::Count::exchanges))
            .cite(cited());
    }
    let judgement = answered(evidence, seen);
    let judgement = match (evidence.declared.amount, before) {
        (false, _) => judgement.detail("whether the first one was changed was not looked at (`amount`)"),
        (true, None) => judgement.detail("the row shows no amount, so a change of it would not be seen"),
        _ => judgement,
    };
    if control.is_success() {
        return judgement.cite(cited());
    }
    // Whatever is wrong with the other body may be why it was refused.
    match judgement.verdict {
        crate::rule::Verdict::Pass => {
            let why =
                "the other body is not accepted with a key of its own either, so its refusal says nothing about keys";
            Judgement::inconclusive(format!("{why}: {}", told(control))).cite(cited()).cite(control.exchange)
        }
        _ => judgement.cite(cited()),
    }
}

/// What the answer alone says, once it is known that there is one effect.
fn answered(evidence: &Evidence, seen: &Changed) -> Judgement {
    let (answer, mismatch) = (&seen.answer, evidence.declared.mismatch);
    if answer.says_nothing() {
        return Judgement::inconclusive(format!("the request with another body got {}", told(answer)));
    }
    if mismatch == Mismatch::Undefined && !answer.is_server_error() {
        return Judgement::pass("a used key with another body had no effect; what it gets is left open")
            .detail(format!("it got {}", told(answer)));
    }
    if answer.is_success() {
        let severity = if mismatch == Mismatch::Replayed { Severity::Info } else { Severity::Major };
        let judgement = Judgement::fail("a used key with another body is answered as if that had been done")
            .severity(severity)
            .expected("a refusal (4xx: 422, 409 or 400)")
            .actual(format!("{}, and one effect: the first", told(answer)));
        return match mismatch {
            Mismatch::Replayed => judgement.detail("the suite declares this (`mismatch: replayed`)"),
            _ => judgement.detail("the client believes that the new amount was taken"),
        };
    }
    if answer.is_server_error() {
        return Judgement::fail("a used key with another body is answered with an error of the server")
            .severity(Severity::Minor)
            .expected("a refusal (4xx: 422, 409 or 400)")
            .actual(told(answer));
    }
    if answer.status() == Some(409) && answer.tries > 1 {
        return Judgement::pass(format!(
            "a used key with another body is refused ({}) and changes nothing",
            told(answer)
        ));
    }
    Judgement::pass(format!("a used key with another body is refused ({}) and changes nothing", answer.told()))
}

/// Whether two values are the same amount.
fn equal(one: &Scalar, other: &Scalar) -> bool {
    let number = |value: &Scalar| value.text().and_then(|text| Decimal::from_str(text).ok());
    match (number(one), number(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::evidence::{Answer, Count},
            testing::{answer, judged, seen, trial},
        },
        *,
    };
    use crate::rule::Verdict;

    fn priced(ids: &[&str], amount: &str) -> Count {
        let Count::Seen { number, ids, exchanges, .. } = seen(ids) else { unreachable!() };
        Count::Seen { number, amounts: vec![Some(Scalar::Text(amount.into())); number], ids, exchanges }
    }

    fn judge(answer: Answer, after: Count, mismatch: Mismatch) -> Judgement {
        let control = super::super::testing::answer(201);
        with(Changed { trial: first(), answer, after, control }, mismatch)
    }

    fn first() -> super::super::super::evidence::Trial {
        super::super::super::evidence::Trial { alone: Some(priced(&["a"], "10.00")), ..trial() }
    }

    fn with(changed: Changed, mismatch: Mismatch) -> Judgement {
        let mut evidence = Evidence { changed: Some(changed), ..Evidence::default() };
        evidence.declared.mismatch = mismatch;
        evidence.declared.amount = true;
        judged(&IDM_003, evidence)
    }

    #[test]
    fn a_refusal_without_effect_passes() {
        for status in [400, 409, 422] {
            let judgement = judge(answer(status), priced(&["a"], "10.0"), Mismatch::Refused);
            assert_eq!(judgement.verdict, Verdict::Pass, "{status}");
        }
        assert_eq!(judge(answer(429), priced(&["a"], "10.00"), Mismatch::Refused).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_second_effect_and_a_changed_first_are_critical_whatever_is_declared() {
        for mismatch in [Mismatch::Refused, Mismatch::Replayed, Mismatch::Undefined] {
            let twice = judge(answer(201), priced(&["a", "b"], "10.00"), mismatch);
            assert_eq!((twice.verdict, twice.severity), (Verdict::Fail, None));
            let changed = judge(answer(422), priced(&["a"], "11.00"), mismatch);
            assert_eq!((changed.verdict, changed.severity), (Verdict::Fail, None));
        }
    }

    #[test]
    fn a_silent_replay_is_major_and_advice_where_declared() {
        let severity = |mismatch| {
            let judgement = judge(answer(201), priced(&["a"], "10.00"), mismatch);
            (judgement.verdict, judgement.severity)
        };
        assert_eq!(severity(Mismatch::Refused), (Verdict::Fail, Some(Severity::Major)));
        assert_eq!(severity(Mismatch::Replayed), (Verdict::Fail, Some(Severity::Info)));
        assert_eq!(severity(Mismatch::Undefined), (Verdict::Pass, None));
        let broken = judge(answer(500), priced(&["a"], "10.00"), Mismatch::Refused);
        assert_eq!((broken.verdict, broken.severity), (Verdict::Fail, Some(Severity::Minor)));
    }

    #[test]
    fn a_body_that_is_wrong_by_itself_shows_nothing() {
        let changed = |answered, after| Changed { trial: first(), answer: answered, after, control: answer(422) };
        let refused = with(changed(answer(422), priced(&["a"], "10.00")), Mismatch::Refused);
        assert_eq!(refused.verdict, Verdict::Inconclusive);
        let executed = with(changed(answer(201), priced(&["a", "b"], "10.00")), Mismatch::Refused);
        assert_eq!(executed.verdict, Verdict::Fail);
    }

    #[test]
    fn nothing_declared_is_not_applicable() {
        assert_eq!(judged(&IDM_003, Evidence::default()).verdict, Verdict::NotApplicable);
    }
}
