//! One effect for one key.

use super::{
    super::evidence::{Evidence, Repeated},
    effects, on, told, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength, Verdict},
};

pub(super) const IDM_001: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "IDM-001",
        slug: "repetition-takes-effect-again",
        family: "idempotency",
        title: "A repeated request with the same key takes effect once",
        sent: "A request that creates, with a fresh key, and three identical repetitions after it was answered; then \
               what exists is looked up by a reference that only these requests hold.",
        requirement: "Exactly one effect exists.",
        not_applicable: "The suite declares no idempotent operation.",
        severity: Severity::Critical,
        strength: Strength::Should,
        source: "draft-ietf-httpapi-idempotency-key-header §2.6; UK OBIE v4 \"Idempotency\"; AIP-155",
        remedy: "Write the key down in the same transaction as the effect, under a unique constraint, and answer a \
                 request whose key is known from what was written.",
        defects: &["idempotency.ignored"],
    },
    judge: |evidence| on(evidence, once),
};

fn once(evidence: &Evidence) -> Judgement {
    let Some(first) = evidence.repeated.first() else { return untried(evidence) };
    let mut judgement = rows(first);
    if judgement.verdict == Verdict::Pass
        && let Some(each) = &evidence.declared.each
    {
        judgement = balance(evidence, each, judgement);
    }
    if evidence.left_behind > 0 {
        judgement = judgement.detail(format!(
            "{} that this check created could not be taken back",
            if evidence.left_behind == 1 { "1 row".into() } else { format!("{} rows", evidence.left_behind) }
        ));
    }
    judgement
}

fn rows(repeated: &Repeated) -> Judgement {
    let Repeated { trial, repeats, after, .. } = repeated;
    let cited = || trial.first.exchange.into_iter().chain(repeats.iter().filter_map(|answer| answer.exchange));
    let number = match effects(&trial.before, after) {
        Ok(number) => number,
        Err(why) => return Judgement::inconclusive(why).cite(cited()),
    };
    let sent: u32 = 1 + repeats.iter().map(|answer| answer.tries).sum::<u32>();
    if number > 1 {
        let mut judgement = Judgement::fail(format!(
            "one key was sent {sent} times, one after another, and took effect {number} times"
        ))
        .expected("one effect, however often the request is repeated")
        .actual(format!("for reference {} found: {}", trial.reference, after.told()));
        for (place, answer) in repeats.iter().enumerate() {
            judgement = judgement.detail(format!("repetition {} got {}", place + 1, told(answer)));
        }
        return judgement.cite(cited()).cite(after.exchanges());
    }
    if number == 0 {
        let why = "what the first request created is not there any more, so effects cannot be counted";
        return Judgement::inconclusive(why).cite(cited()).cite(after.exchanges());
    }
    if repeats.iter().all(super::Answer::says_nothing) {
        let got = repeats.first().map_or_else(|| "nothing was sent again".to_owned(), told);
        return Judgement::inconclusive(format!("no repetition got through: {got}")).cite(cited());
    }
    Judgement::pass(format!("one key was sent {sent} times, one after another, and took effect once"))
        .cite(cited())
        .cite(after.exchanges())
}

/// What a balance says where the rows say that there is one effect; somebody else may have moved it, so it must say the
/// same twice.
fn balance(evidence: &Evidence, each: &str, judgement: Judgement) -> Judgement {
    let seen: Vec<Option<u64>> = evidence
        .repeated
        .iter()
        .map(|repeated| repeated.balance.as_ref().filter(|_| repeated.after.number() == Some(1))?.moves(each))
        .collect();
    let cited = || evidence.repeated.iter().filter_map(|r| r.balance.as_ref()).flat_map(|seen| seen.exchanges.clone());
    match seen.as_slice() {
        [Some(1), ..] => judgement.detail(format!("the balance moved once by {each}")).cite(cited()),
        [Some(one), Some(other), ..] if one == other && *one > 1 => {
            Judgement::fail(format!("one key took effect once by its rows, and {one} times by the balance"))
                .expected(format!("the balance moves by {each}"))
                .actual(format!("it moved by {one} times that, and so again with another key"))
                .cite(cited())
        }
        [Some(0), ..] => judgement.detail("the balance did not move"),
        _ => judgement.detail("the balance tells nothing: it did not rest, or moved by something else too"),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::evidence::{BalanceSeen, Count},
            testing::{answer, judged, repeated, seen},
        },
        *,
    };

    fn judge(repeated: Vec<Repeated>, each: Option<&str>) -> Judgement {
        let mut evidence = Evidence { repeated, ..Evidence::default() };
        evidence.declared.each = each.map(str::to_owned);
        judged(&IDM_001, evidence)
    }

    #[test]
    fn one_effect_passes_and_two_fail_on_one_observation() {
        assert_eq!(judge(vec![repeated(&[201, 200, 200])], None).verdict, Verdict::Pass);
        let twice = Repeated { after: seen(&["a", "b"]), ..repeated(&[201, 201, 201]) };
        let judgement = judge(vec![twice], None);
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, None));
        assert!(judgement.actual.contains("2 (a, b)"), "{}", judgement.actual);
    }

    #[test]
    fn a_natural_key_may_refuse_the_repetition() {
        assert_eq!(judge(vec![repeated(&[422, 422, 422])], None).verdict, Verdict::Pass);
    }

    #[test]
    fn what_could_not_be_counted_or_sent_is_no_pass() {
        let unseen = Count::Unseen { why: "status 500".into(), exchange: None };
        assert_eq!(judge(vec![Repeated { after: unseen, ..repeated(&[200]) }], None).verdict, Verdict::Inconclusive);
        assert_eq!(judge(vec![Repeated { after: seen(&[]), ..repeated(&[200]) }], None).verdict, Verdict::Inconclusive);
        assert_eq!(judge(vec![repeated(&[429, 401, 503])], None).verdict, Verdict::Inconclusive);
        assert_eq!(judge(Vec::new(), None).verdict, Verdict::Inconclusive);
        let mut foreign = repeated(&[200]);
        foreign.trial.before = seen(&["x"]);
        foreign.after = seen(&["x", "y"]);
        assert_eq!(judge(vec![foreign], None).verdict, Verdict::Inconclusive);
        assert!(answer(429).says_nothing());
    }

    #[test]
    fn a_balance_must_tell_of_more_effects_twice() {
        let moved = |after: &str| {
            let read = |value: &str| [Some(value.to_owned()), Some(value.to_owned())];
            let balance = BalanceSeen { before: read("100.00"), after: read(after), exchanges: Vec::new() };
            Repeated { balance: Some(balance), ..repeated(&[201]) }
        };
        assert_eq!(judge(vec![moved("90.00")], Some("-10.00")).verdict, Verdict::Pass);
        assert_eq!(judge(vec![moved("80.00"), moved("80.00")], Some("-10.00")).verdict, Verdict::Fail);
        assert_eq!(judge(vec![moved("80.00"), moved("90.00")], Some("-10.00")).verdict, Verdict::Pass);
        assert_eq!(judge(vec![moved("80.00")], Some("-10.00")).verdict, Verdict::Pass);
        assert_eq!(judge(vec![moved("85.00"), moved("85.00")], Some("-10.00")).verdict, Verdict::Pass);
    }
}
