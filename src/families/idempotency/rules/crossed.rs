//! What a key belongs to.

use super::{
    super::evidence::{Crossed, Evidence},
    effects, on, told, unless_ignored, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const IDM_006: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "IDM-006",
        slug: "key-crosses-its-scope",
        family: "idempotency",
        title: "A key belongs to its client and its operation",
        sent: "A request that creates; then a client of another tenant sends its own request with the same key, and the \
               same client sends the key with another operation. Both are first sent with keys of their own.",
        requirement: "The other request takes its own effect or is refused. It never gets the first one's answer: that \
                      is critical where it shows one client's data to another, major otherwise.",
        not_applicable: "The suite names neither another client nor another operation (`other_client`, \
                         `other_operation`).",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "draft-ietf-httpapi-idempotency-key-header §5 (composite keys); OWASP API Security 2023 API1",
        remedy: "Look keys up together with the authenticated client (or its tenant) and the operation.",
        defects: &["idempotency.leaks-across-clients", "idempotency.leaks-across-operations"],
    },
    judge: |evidence| on(evidence, scope),
};

fn scope(evidence: &Evidence) -> Judgement {
    let sides = [
        (evidence.declared.others[0], &evidence.other_client, true),
        (evidence.declared.others[1], &evidence.other_operation, false),
    ];
    let parts = sides.into_iter().filter(|(declared, ..)| *declared).map(|(_, crossed, foreign)| match crossed {
        Some(crossed) => one(crossed, foreign),
        None => untried(evidence),
    });
    let judgement = Judgement::worst(parts.collect(), "the suite names neither another client nor another operation");
    unless_ignored(evidence, judgement)
}

fn one(crossed: &Crossed, foreign: bool) -> Judgement {
    let Crossed { other, trial, control, control_effect, before, answer, shows_reference, after } = crossed;
    let cited = || trial.first.exchange.into_iter().chain(answer.exchange).chain(after.exchanges());
    if !trial.first.is_success() {
        return Judgement::inconclusive(format!("the first request got {}", told(&trial.first))).cite(cited());
    }
    let expected = |judgement: Judgement| {
        let judgement = judgement.expected("an effect of its own, or a refusal").actual(told(answer)).cite(cited());
        if foreign { judgement } else { judgement.severity(Severity::Major) }
    };
    // A refusal may say to the same client what it used the key for.
    if *shows_reference && (foreign || answer.is_success()) {
        return expected(Judgement::fail(format!(
            "{other} sends a used key and is shown what the first request created"
        )))
        .detail(format!("the answer holds the first request's reference {}", trial.reference));
    }
    if answer.says_nothing() {
        return Judgement::inconclusive(format!("{other} sent a used key and got {}", told(answer))).cite(cited());
    }
    if !answer.is_success() {
        let judgement = Judgement::pass(format!("{other} sends a used key and is refused")).cite(cited());
        return match answer.is_server_error() {
            true => Judgement::inconclusive(format!("{other} sent a used key and got {}", told(answer))).cite(cited()),
            false if control.is_success() => {
                judgement.detail(format!("a key is not free for {other} once somebody else has used it"))
            }
            false => {
                Judgement::inconclusive(format!("{other} is refused with a key of its own too: {}", told(control)))
                    .cite(cited())
            }
        };
    }
    let number = match effects(before, after) {
        Ok(number) => number,
        Err(why) => return Judgement::inconclusive(format!("of {other}: {why}")).cite(cited()),
    };
    // Ids may be counted for each client by itself, so the same id is the first one's only if it is not its own.
    let firsts = answer.same_as(&trial.first) == Some(true);
    let own = answer.id.as_ref().is_some_and(|id| after.ids().contains(id));
    if number == 0 {
        if !control.is_success() || control_effect.number() != Some(1) {
            let why = format!("what {other} creates does not show even with a key of its own");
            return Judgement::inconclusive(why).cite(control.exchange).cite(control_effect.exchanges());
        }
        if firsts && !own {
            let message = format!("{other} sends a used key and is answered with what the first request created");
            return expected(Judgement::fail(message)).detail("nothing of its own was created");
        }
        let message = format!("{other} sends a used key and is told of success, and nothing took effect");
        return expected(Judgement::fail(message)).severity(Severity::Major);
    }
    Judgement::pass(format!("{other} sends a used key and gets an effect of its own")).cite(cited())
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::evidence::{Answer, Count, Repeated},
            testing::{answer, judged, repeated, seen, trial},
        },
        *,
    };
    use crate::rule::Verdict;

    fn crossed(got: Answer, after: Count) -> Crossed {
        Crossed {
            other: "client rival".into(),
            trial: trial(),
            control: answer(201),
            control_effect: seen(&["c"]),
            before: seen(&[]),
            answer: got,
            shows_reference: false,
            after,
        }
    }

    fn judge(client: Option<Crossed>, operation: Option<Crossed>) -> Judgement {
        let mut evidence = Evidence::default();
        evidence.declared.others = [client.is_some(), operation.is_some()];
        evidence.other_client = client;
        evidence.other_operation = operation;
        judged(&IDM_006, evidence)
    }

    fn named(id: &str) -> Answer {
        Answer { id: Some(id.into()), ..answer(201) }
    }

    #[test]
    fn an_effect_of_its_own_and_a_refusal_pass() {
        assert_eq!(judge(Some(crossed(named("b"), seen(&["b"]))), None).verdict, Verdict::Pass);
        assert_eq!(judge(Some(crossed(answer(422), seen(&[]))), None).verdict, Verdict::Pass);
        // Ids counted for each client by itself.
        assert_eq!(judge(Some(crossed(named("a"), seen(&["a"]))), None).verdict, Verdict::Pass);
    }

    #[test]
    fn the_first_answer_shown_to_another_client_is_critical_and_to_another_operation_major() {
        let leaked = || crossed(named("a"), seen(&[]));
        let judgement = judge(Some(leaked()), None);
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, None));
        assert_eq!(judge(None, Some(leaked())).severity, Some(Severity::Major));
        let both = judge(Some(leaked()), Some(leaked()));
        assert_eq!((both.verdict, both.severity), (Verdict::Fail, None));
        let spoken = Crossed { shows_reference: true, ..crossed(answer(409), seen(&[])) };
        assert_eq!(judge(Some(spoken.clone()), None).verdict, Verdict::Fail);
        assert_eq!(judge(None, Some(spoken)).verdict, Verdict::Pass);
    }

    #[test]
    fn keys_that_are_ignored_are_not_kept_apart() {
        let mut evidence = Evidence::default();
        evidence.declared.others = [true, false];
        evidence.other_client = Some(crossed(named("b"), seen(&["b"])));
        evidence.repeated = vec![Repeated { after: seen(&["a", "x"]), ..repeated(&[201]) }];
        assert_eq!(judged(&IDM_006, evidence).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn success_without_effect_is_major_if_effects_can_be_seen() {
        let swallowed = || crossed(named("z"), seen(&[]));
        assert_eq!(judge(Some(swallowed()), None).severity, Some(Severity::Major));
        let unseen = Crossed { control_effect: seen(&[]), ..swallowed() };
        assert_eq!(judge(Some(unseen), None).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn who_is_refused_anyway_shows_nothing() {
        let refused = Crossed { control: answer(404), ..crossed(answer(404), seen(&[])) };
        assert_eq!(judge(Some(refused), None).verdict, Verdict::Inconclusive);
        assert_eq!(judge(Some(crossed(answer(403), seen(&[]))), None).verdict, Verdict::Inconclusive);
        assert_eq!(judge(None, None).verdict, Verdict::NotApplicable);
    }
}
