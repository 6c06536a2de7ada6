//! How long keys are kept.

use super::{
    super::{
        config::AfterInvalid,
        evidence::{Evidence, Kept, Reused},
    },
    SHOWS_NOTHING_NEW, effects, on, told, untried,
};
use crate::{
    families::JudgedRule,
    notation::Span,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const IDM_009: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "IDM-009",
        slug: "key-forgotten-too-soon",
        family: "idempotency",
        title: "Keys are kept as long as declared, and behave as declared after a refusal",
        sent: "A request that creates, repeated after longer whiles (`horizon`) within the declared retention; and an \
               invalid request whose corrected form is sent with the same key.",
        requirement: "There is one effect as long as keys are kept. After an invalid request the key can be used again, \
                      or is refused, as declared (advice).",
        not_applicable: "The suite declares neither how long keys are kept (`retention`) nor what an invalid request is \
                         (`invalid`).",
        severity: Severity::Critical,
        strength: Strength::Should,
        source: "draft-ietf-httpapi-idempotency-key-header §2.3; the target's own documentation",
        remedy: "Keep keys for as long as clients are told to repeat, in storage that outlives a restart.",
        defects: &["idempotency.forgets-soon"],
    },
    judge: |evidence| on(evidence, kept),
};

fn kept(evidence: &Evidence) -> Judgement {
    let retention = evidence.declared.retention.map(|retention| match &evidence.kept {
        Some(kept) => repeated(kept, retention),
        None => untried(evidence),
    });
    let invalid = evidence.declared.invalid.then(|| match &evidence.reused {
        Some(reused) => corrected(evidence, reused),
        None => untried(evidence),
    });
    let nothing = "the suite declares neither how long keys are kept nor what an invalid request is";
    Judgement::worst(retention.into_iter().chain(invalid).collect(), nothing)
}

fn repeated(kept: &Kept, retention: Span) -> Judgement {
    let Kept { trial, repeats, after, .. } = kept;
    let exchanges = || trial.first.exchange.into_iter().chain(repeats.iter().filter_map(|(_, answer)| answer.exchange));
    let cited = || exchanges().chain(after.exchanges());
    if !trial.first.is_success() {
        return Judgement::inconclusive(format!("the first request got {}", told(&trial.first))).cite(cited());
    }
    let number = match effects(&trial.before, after) {
        Ok(number) => number,
        Err(why) => return Judgement::inconclusive(why).cite(cited()),
    };
    if number > 1 {
        let mut judgement = Judgement::fail(format!(
            "a key was forgotten within the declared {retention}: its request took effect {number} times"
        ))
        .expected(format!("one effect for {retention}"))
        .actual(format!("for reference {} found: {}", trial.reference, after.told()));
        for (span, answer) in repeats {
            judgement = judgement.detail(format!("repeated after {span} it got {}", told(answer)));
        }
        return judgement.cite(cited());
    }
    if number == 0 {
        return Judgement::inconclusive("what the first request created does not show").cite(cited());
    }
    let Some((longest, _)) = repeats.iter().rev().find(|(_, answer)| !answer.says_nothing()) else {
        let why = if kept.cut_short {
            "the run ended before the request could be repeated"
        } else {
            "no repetition got through"
        };
        return Judgement::inconclusive(format!("{why}; {retention} are declared")).cite(cited());
    };
    Judgement::pass(format!("a request repeated up to {longest} later took effect once"))
        .detail(format!("tested up to {longest} of the declared {retention}"))
        .cite(cited())
}

fn corrected(evidence: &Evidence, reused: &Reused) -> Judgement {
    let Reused { before, invalid, corrected, after } = reused;
    let cited = || invalid.exchange.into_iter().chain(corrected.exchange).chain(after.exchanges());
    if !invalid.is_refusal() {
        let why = format!("the invalid request was not refused as such: {}", told(invalid));
        return Judgement::inconclusive(why).cite(cited());
    }
    if corrected.says_nothing() {
        return Judgement::inconclusive(format!("the corrected request got {}", told(corrected))).cite(cited());
    }
    let number = match effects(before, after) {
        Ok(number) => number,
        Err(why) => return Judgement::inconclusive(why).cite(cited()),
    };
    let fail = |message: &str, expected: &str| {
        Judgement::fail(message).severity(Severity::Info).expected(expected).actual(told(corrected)).cite(cited())
    };
    let can = "the corrected request takes effect";
    let cannot = "the key is refused (4xx)";
    match (evidence.declared.after_invalid, corrected.is_success()) {
        (_, true) if number == 0 && !evidence.still_shows() => Judgement::inconclusive(SHOWS_NOTHING_NEW).cite(cited()),
        (_, true) if number == 0 => fail("the corrected request is told of success, and nothing took effect", can),
        (_, false) if corrected.is_server_error() => {
            fail("a key used with an invalid request is an error of the server", can).expected(cannot)
        }
        (Some(AfterInvalid::Reusable), false) => {
            fail("a key used with an invalid request cannot be used again, although it is declared to be", can)
        }
        (Some(AfterInvalid::Refused), true) => {
            fail("a key used with an invalid request can be used again, although it is declared to be spent", cannot)
        }
        (_, true) => {
            Judgement::pass("a key used with an invalid request can be used for the corrected one").cite(cited())
        }
        (_, false) => Judgement::pass("a key used with an invalid request is spent").cite(cited()),
    }
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

    fn judge(statuses: &[u16], after: Count) -> Judgement {
        let repeats = statuses.iter().map(|status| ("3s".parse().unwrap(), answer(*status))).collect();
        let mut evidence = Evidence::default();
        evidence.declared.retention = Some("24h".parse().unwrap());
        evidence.kept = Some(Kept { trial: trial(), repeats, after, cut_short: false });
        judged(&IDM_009, evidence)
    }

    fn reuse(corrected: u16, after: Count, declared: Option<AfterInvalid>) -> Judgement {
        let mut evidence = Evidence::default();
        evidence.declared.invalid = true;
        evidence.declared.after_invalid = declared;
        evidence.reused = Some(Reused { before: seen(&[]), invalid: answer(422), corrected: answer(corrected), after });
        judged(&IDM_009, evidence)
    }

    #[test]
    fn one_effect_passes_with_the_horizon_told() {
        let judgement = judge(&[201], seen(&["a"]));
        assert_eq!(judgement.verdict, Verdict::Pass);
        assert!(judgement.details[0].contains("3s of the declared 24h"), "{:?}", judgement.details);
        assert_eq!(judge(&[422], seen(&["a"])).verdict, Verdict::Pass);
    }

    #[test]
    fn a_second_effect_is_critical() {
        let judgement = judge(&[201], seen(&["a", "b"]));
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, None));
    }

    #[test]
    fn without_a_repetition_nothing_was_seen() {
        assert_eq!(judge(&[], seen(&["a"])).verdict, Verdict::Inconclusive);
        assert_eq!(judge(&[503], seen(&["a"])).verdict, Verdict::Inconclusive);
        assert_eq!(judged(&IDM_009, Evidence::default()).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn a_key_after_an_invalid_request_does_as_declared() {
        use AfterInvalid::{Refused, Reusable};
        for (status, after, declared, verdict) in [
            (201, &["a"][..], None, Verdict::Pass),
            (409, &[][..], None, Verdict::Pass),
            (201, &["a"][..], Some(Reusable), Verdict::Pass),
            (409, &[][..], Some(Reusable), Verdict::Fail),
            (409, &[][..], Some(Refused), Verdict::Pass),
            (201, &["a"][..], Some(Refused), Verdict::Fail),
            (500, &[][..], None, Verdict::Fail),
            (503, &[][..], None, Verdict::Inconclusive),
        ] {
            let judgement = reuse(status, seen(after), declared);
            assert_eq!(judgement.verdict, verdict, "{status} {declared:?}");
            assert!(verdict != Verdict::Fail || judgement.severity == Some(Severity::Info));
        }
    }
}
