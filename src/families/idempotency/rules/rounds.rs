//! Duplicates at one instant.

use super::{
    super::{
        config::Replay,
        evidence::{Answer, Evidence, Round},
    },
    SHOWS_NOTHING_NEW, effects, on, told, untried,
};
use crate::{
    exchange::ExchangeId,
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength, Verdict},
};

pub(super) const IDM_004: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "IDM-004",
        slug: "concurrent-duplicates-take-effect",
        family: "idempotency",
        title: "Duplicates that arrive at one instant take effect once",
        sent: "Ten identical requests, each on a connection of its own, their last octets at one instant; five rounds, \
               each with a fresh key and reference. Afterwards the same once more.",
        requirement: "Each round has one effect. Each duplicate gets the result, 409 while the first is at work, or \
                      another refusal that ends; the request sent afterwards gets the result.",
        not_applicable: "The suite declares no idempotent operation.",
        severity: Severity::Critical,
        strength: Strength::Should,
        source: "draft-ietf-httpapi-idempotency-key-header §2.6-2.7 (SHOULD 409)",
        remedy: "Reserve the key (a unique insert) before the work begins, not after it; answer 409 while it is reserved.",
        defects: &["idempotency.race"],
    },
    judge: |evidence| on(evidence, raced),
};

fn raced(evidence: &Evidence) -> Judgement {
    if evidence.rounds.is_empty() {
        return untried(evidence);
    }
    let parts: Vec<Judgement> = evidence.rounds.iter().map(|round| judge_round(evidence, round)).collect();
    // One round that shows nothing takes nothing from the others; a failure needs no second one.
    let shown: Vec<Judgement> = parts.iter().filter(|part| part.verdict != Verdict::Inconclusive).cloned().collect();
    let rounds = parts.len();
    let passed = shown.iter().filter(|part| part.verdict == Verdict::Pass).count();
    let judgement = Judgement::worst(if shown.is_empty() { parts } else { shown }, "");
    match judgement.verdict {
        Verdict::Pass => {
            let mut pass = Judgement::pass(format!(
                "duplicates that were under way at one instant took effect once ({passed} of {rounds} rounds)"
            ))
            .cite(judgement.exchanges)
            .detail(format!(
                "at 95 % confidence, at most {} in 100 rounds would show otherwise",
                300_usize.div_ceil(passed).min(100)
            ));
            if passed < rounds {
                pass = pass.detail(format!("{} of {rounds} rounds showed nothing", rounds - passed));
            }
            pass
        }
        Verdict::Fail => {
            let failed = rounds - passed;
            judgement.detail(format!("{failed} of {rounds} rounds did not pass"))
        }
        _ => judgement,
    }
}

fn judge_round(evidence: &Evidence, round: &Round) -> Judgement {
    let Round { reference, before, answers, later, after, .. } = round;
    let succeeded = || answers.iter().filter(|answer| answer.is_success());
    let cited = || -> Vec<ExchangeId> {
        let some = succeeded().chain(answers.iter().filter(|answer| !answer.is_success()));
        some.filter_map(|answer| answer.exchange).take(2).chain(later.exchange).chain(after.exchanges()).collect()
    };
    let number = match effects(before, after) {
        Ok(number) => number,
        Err(why) => return Judgement::inconclusive(why).cite(cited()),
    };
    let got = || summary(answers);
    if number > 1 {
        return Judgement::fail(format!(
            "one key was sent {} times at one instant, and once more, and took effect {number} times",
            answers.len()
        ))
        .expected("one effect")
        .actual(format!("for reference {reference} found: {}", after.told()))
        .detail(format!("the duplicates got {}", got()))
        .cite(cited());
    }
    let overlapping = round.overlapping();
    if overlapping < 2 {
        let why = "the duplicates were not let in at the same time, so nothing was seen of a race: they got";
        return Judgement::inconclusive(format!("{why} {}", got())).cite(cited());
    }
    let expected = |judgement: Judgement| {
        judgement
            .expected("one effect, and its id in every success")
            .expected("409 while the first request is at work, and the result afterwards")
            .detail(format!("the duplicates got {}", got()))
            .cite(cited())
    };
    if number == 0 {
        return if succeeded().next().is_some() && !evidence.still_shows() {
            Judgement::inconclusive(SHOWS_NOTHING_NEW).cite(cited())
        } else if succeeded().next().is_some() {
            expected(Judgement::fail("a duplicate was told of success, and nothing took effect"))
                .actual(format!("for reference {reference} there is nothing"))
        } else {
            Judgement::inconclusive(format!("no duplicate took effect: they got {}", got())).cite(cited())
        };
    }
    if let Some(first) = succeeded().next()
        && let Some(other) =
            succeeded().chain(later.is_success().then_some(later)).find(|a| a.same_as(first) == Some(false))
    {
        return expected(Judgement::fail("duplicates that took effect once are told of different results"))
            .severity(Severity::Major)
            .actual(format!("{} and {}", first.told(), other.told()));
    }
    if let Some(judgement) = afterwards(evidence, later) {
        return if judgement.verdict == Verdict::Fail { expected(judgement) } else { judgement.cite(cited()) };
    }
    if let Some(error) = answers.iter().find(|answer| answer.is_server_error()) {
        return expected(Judgement::fail("a duplicate is answered with an error of the server"))
            .severity(Severity::Minor)
            .actual(told(error));
    }
    Judgement::pass("one effect").cite(cited())
}

/// What is wrong with what the request got once the duplicates were done, if anything.
fn afterwards(evidence: &Evidence, later: &Answer) -> Option<Judgement> {
    if later.is_success() || later.is_refusal() && evidence.declared.replay == Some(Replay::Refused) {
        return None;
    }
    if later.says_nothing() {
        return Some(Judgement::inconclusive(format!("the request sent afterwards got {}", told(later))));
    }
    if later.status() == Some(409) && evidence.declared.processing.is_none() {
        let why = "the key was in progress for longer than was waited; the suite does not say how long it may be (`processing`)";
        return Some(Judgement::inconclusive(why));
    }
    if evidence.declared.field.is_none() && evidence.declared.replay.is_none() && later.is_refusal() {
        return None;
    }
    let message = "the request that took effect is never answered with its result";
    Some(Judgement::fail(message).severity(Severity::Major).actual(told(later)))
}

/// `201 (1), 409 (9)`
fn summary(answers: &[Answer]) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for answer in answers {
        let told = answer.status().map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        match counts.iter_mut().find(|(known, _)| *known == told) {
            Some((_, count)) => *count += 1,
            None => counts.push((told, 1)),
        }
    }
    counts.sort();
    counts.iter().map(|(told, count)| format!("{told} ({count})")).collect::<Vec<_>>().join(", ")
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

    fn round(statuses: &[u16], later: u16, after: Count) -> Round {
        Round {
            reference: "r".into(),
            key: "k".into(),
            before: seen(&[]),
            answers: statuses.iter().map(|status| answer(*status)).collect(),
            later: answer(later),
            after,
        }
    }

    fn judge(rounds: Vec<Round>) -> Judgement {
        let mut evidence = Evidence { rounds, ..Evidence::default() };
        evidence.declared.field = Some("Idempotency-Key".into());
        judged(&IDM_004, evidence)
    }

    #[test]
    fn one_effect_with_results_and_conflicts_passes() {
        let judgement = judge(vec![round(&[201, 409, 429, 503], 201, seen(&["a"])); 5]);
        assert_eq!(judgement.verdict, Verdict::Pass);
        assert!(judgement.details[0].contains("60 in 100"), "{:?}", judgement.details);
    }

    #[test]
    fn two_effects_in_one_round_fail_even_if_the_overlap_is_not_shown() {
        let mut double = round(&[201, 201], 201, seen(&["a", "b"]));
        double.answers[1].sent_us = 5_000;
        double.answers[1].received_us = 6_000;
        let judgement = judge(vec![round(&[201, 409], 201, seen(&["a"])), double]);
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, None));
    }

    #[test]
    fn without_overlap_nothing_was_seen() {
        let mut apart = round(&[201, 201], 201, seen(&["a"]));
        apart.answers[1].sent_us = 5_000;
        apart.answers[1].received_us = 6_000;
        assert_eq!(judge(vec![apart.clone(), apart.clone()]).verdict, Verdict::Inconclusive);
        let judgement = judge(vec![apart, round(&[201, 409], 200, seen(&["a"]))]);
        assert_eq!(judgement.verdict, Verdict::Pass);
        assert!(judgement.details.iter().any(|detail| detail.contains("1 of 2 rounds")));
    }

    #[test]
    fn duplicates_that_are_throttled_show_nothing() {
        assert_eq!(judge(vec![round(&[429, 429, 429], 201, seen(&["a"]))]).verdict, Verdict::Inconclusive);
        assert_eq!(judge(vec![round(&[201, 429, 429], 201, seen(&["a"]))]).verdict, Verdict::Inconclusive);
        assert_eq!(judge(vec![round(&[201, 429, 503], 201, seen(&["a"]))]).verdict, Verdict::Pass);
    }

    #[test]
    fn a_success_without_effect_fails_and_no_success_shows_nothing() {
        let lost = || vec![round(&[201, 409], 201, seen(&[]))];
        assert_eq!(judge(lost()).verdict, Verdict::Inconclusive);
        let evidence = Evidence { rounds: lost(), closing: Some(trial()), ..Evidence::default() };
        assert_eq!(judged(&IDM_004, evidence).verdict, Verdict::Fail);
        assert_eq!(judge(vec![round(&[503, 503], 503, seen(&[]))]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn different_results_and_errors_are_no_safety_failures() {
        let mut two = round(&[201, 201], 201, seen(&["a"]));
        two.answers[1].id = Some("b".into());
        assert_eq!(judge(vec![two]).severity, Some(Severity::Major));
        assert_eq!(judge(vec![round(&[201, 500], 201, seen(&["a"]))]).severity, Some(Severity::Minor));
        assert_eq!(judge(vec![round(&[201, 409], 422, seen(&["a"]))]).severity, Some(Severity::Major));
        assert_eq!(judge(vec![round(&[201, 409], 409, seen(&["a"]))]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_natural_key_may_refuse_the_duplicates() {
        let mut evidence = Evidence { rounds: vec![round(&[202, 422, 422], 422, seen(&["a"]))], ..Evidence::default() };
        evidence.declared.replay = Some(Replay::Refused);
        assert_eq!(judged(&IDM_004, evidence).verdict, Verdict::Pass);
    }
}
