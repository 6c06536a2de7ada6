//! The stream agrees with the system of record.

use std::collections::HashMap;

use super::{
    super::evidence::{Evidence, Record, Stimulated},
    EXAMPLES, disagreements, number, on, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_013: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-013",
        slug: "stream-apart-from-record",
        family: "websocket",
        title: "What happens over HTTP appears on the stream, with the same values",
        sent: "Requests that make something happen, each with a reference of its own, while two connections listen until \
               the declared lag has passed twice.",
        requirement: "Each appears, as often as the suite says, and has the values that the answer had.",
        not_applicable: "The suite does not say what makes something happen.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "Jepsen total-queue analysis: what was acknowledged is delivered",
        remedy: "Publish from what was written down (an outbox in the same transaction), never beside it, and from the \
                 same values.",
        defects: &["stream.misses-event", "stream.wrong-value"],
    },
    judge: |evidence| on(evidence, record),
};

fn record(evidence: &Evidence) -> Judgement {
    if !evidence.declared.stimulus {
        return Judgement::not_applicable("the suite does not say what makes something happen");
    }
    let blocked = evidence.steady.as_ref().and_then(|steady| steady.blocked.as_ref());
    let Some(record) = &evidence.record else { return untried(evidence, blocked) };
    let happened: Vec<&Stimulated> = record.made.iter().filter(|made| made.failed.is_none()).collect();
    if happened.is_empty() {
        let Some(first) = record.made.first() else { return untried(evidence, blocked) };
        let why = format!("nothing was made to happen: {}", first.failed.as_deref().unwrap_or_default());
        return Judgement::inconclusive(why).cite(first.exchange);
    }
    Judgement::worst(vec![appeared(record, &happened), agreed(record, &happened), once(record, &happened)], "")
}

fn appeared(record: &Record, happened: &[&Stimulated]) -> Judgement {
    let missing: Vec<&&Stimulated> = happened.iter().filter(|made| made.appearances.is_empty()).collect();
    let unripe = missing.iter().filter(|made| !made.awaited).count();
    let streams = || record.streams.iter().copied();
    if missing.len() == happened.len() && missing.iter().all(|made| made.witnessed == 0 && made.found.unwrap_or(1) > 0)
    {
        let heard = happened.len();
        if unripe > 0 || heard < 2 {
            return Judgement::inconclusive(
                "nothing that was made to happen appeared, and it was not waited for long enough",
            )
            .cite(streams());
        }
    }
    // What somebody else saw exists; what only the answer says may not.
    let proven = missing.iter().filter(|made| made.witnessed > 0 || made.found.is_some_and(|rows| rows > 0)).count();
    let vanished = missing.iter().filter(|made| made.found == Some(0) && made.witnessed == 0).count();
    let lost = missing.len() - vanished - unripe.min(missing.len() - vanished);
    if lost >= 2 || lost == 1 && proven == 1 && missing.iter().any(|made| made.witnessed > 0) {
        let mut judgement = Judgement::fail("something that happened did not appear on the stream")
            .expected(format!("{} for each, within the declared lag", number(record.events, "event", "events")))
            .actual(format!("{} of {} did not appear within twice the lag", missing.len(), happened.len()))
            .cite(missing.iter().filter_map(|made| made.exchange))
            .cite(streams());
        for made in missing.iter().take(EXAMPLES) {
            let mut proof = Vec::new();
            if made.witnessed > 0 {
                proof.push("another connection heard it".to_owned());
            }
            if let Some(rows) = made.found {
                proof.push(format!("HTTP shows {}", number(rows, "row", "rows")));
            }
            if proof.is_empty() {
                proof.push("it was answered with success".to_owned());
            }
            judgement = judgement.detail(format!("{}: {}", made.reference, proof.join(", ")));
        }
        return judgement;
    }
    if !missing.is_empty() {
        let why = format!("{} of {} did not appear, which could not be confirmed", missing.len(), happened.len());
        return Judgement::inconclusive(why).cite(missing.iter().filter_map(|made| made.exchange)).cite(streams());
    }
    let few = happened.iter().filter(|made| (made.appearances.len() as u64) < record.events).count();
    if few > 0 && !record.merges {
        let why = format!(
            "{few} of {} appeared less often than the suite says: state changes may have been merged",
            happened.len()
        );
        return Judgement::inconclusive(why).cite(streams());
    }
    Judgement::pass(format!(
        "{} appeared on the stream",
        number(happened.len() as u64, "thing that happened", "things that happened")
    ))
    .cite(streams())
}

fn agreed(record: &Record, happened: &[&Stimulated]) -> Judgement {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for made in happened {
        let wanted = made.agrees.iter().filter(|(_, answer)| answer.is_some()).count();
        if wanted == 0 || made.appearances.is_empty() {
            continue;
        }
        compared += 1;
        // Where one makes several events, one of them is like the answer.
        let right = made.appearances.iter().any(|one| disagreements(&made.agrees, &one.values).next().is_none());
        if !right && let Some(first) = made.appearances.first() {
            wrong.push((made, first));
        }
    }
    if compared == 0 {
        return Judgement::not_applicable("nothing is declared to be the same");
    }
    let cited = || wrong.iter().filter_map(|(made, _)| made.exchange).chain(record.streams.iter().copied());
    match wrong.len() {
        0 => Judgement::pass(format!("{compared} of them had the values of the answer")),
        1 if compared > 1 => Judgement::inconclusive(
            "one event has other values than the answer; what it tells of may have changed since",
        )
        .cite(cited()),
        1 => Judgement::inconclusive("an event has other values than the answer, and that could not be confirmed")
            .cite(cited()),
        several => {
            let mut judgement = Judgement::fail("events have other values than the answers over HTTP")
                .expected("the values of the answer")
                .actual(format!("{several} of {compared} events differ"))
                .cite(cited());
            for (made, event) in wrong.iter().take(EXAMPLES) {
                for (path, answer, got) in disagreements(&made.agrees, &event.values) {
                    let got = got.unwrap_or("nothing");
                    judgement =
                        judgement.detail(format!("{}: {path} is {got}, the answer had {answer}", made.reference));
                }
            }
            judgement
        }
    }
}

/// The same event told twice so that a client cannot see that it is the same.
fn once(record: &Record, happened: &[&Stimulated]) -> Judgement {
    let mut twice = Vec::new();
    for made in happened.iter().filter(|made| made.appearances.len() as u64 > record.events) {
        let mut seen: HashMap<&str, &super::super::evidence::Appearance> = HashMap::new();
        for one in &made.appearances {
            let before = seen.insert(one.message.as_str(), one);
            // With an id or a number a client can tell.
            if before.is_some() && one.id.is_none() && one.number.is_none() {
                twice.push((made, one));
                break;
            }
        }
    }
    match twice.len() {
        0 => Judgement::not_applicable("nothing came twice"),
        1 => Judgement::inconclusive("an event that cannot be told from another one came twice, once"),
        several => Judgement::fail("events come twice, and nothing says that they are the same")
            .expected("each once, or with an id or a number that says that it is the same")
            .actual(format!("{several} of {} came twice", happened.len()))
            .detail(format!("such as {}", twice[0].1.message))
            .cite(twice.iter().filter_map(|(made, _)| made.exchange))
            .cite(record.streams.iter().copied()),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::evidence::{Appearance, Declared},
        *,
    };
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn made(appearances: usize, value: &str) -> Stimulated {
        let one = Appearance { values: vec![Some(value.into())], number: Some(1), ..Appearance::default() };
        Stimulated {
            reference: "R".into(),
            exchange: Some(ExchangeId(7)),
            agrees: vec![("$.q".into(), Some("1.50".into()))],
            awaited: appearances == 0,
            appearances: vec![one; appearances],
            witnessed: 1,
            ..Stimulated::default()
        }
    }

    fn judged(made: Vec<Stimulated>) -> Verdict {
        let declared = Declared { stimulus: true, ..Declared::default() };
        let record = Record { streams: vec![ExchangeId(1)], made, events: 1, ids: true, merges: false };
        super::record(&Evidence { declared, record: Some(record), ..Evidence::default() }).verdict
    }

    #[test]
    fn what_happened_must_appear() {
        assert_eq!(judged(vec![made(1, "1.5"), made(1, "1.50")]), Verdict::Pass);
        assert_eq!(judged(vec![made(1, "1.5"), made(0, "")]), Verdict::Fail);
        let alone = || Stimulated { witnessed: 0, ..made(0, "") };
        assert_eq!(judged(vec![made(1, "1.5"), alone()]), Verdict::Inconclusive);
        assert_eq!(judged(vec![made(1, "1.5"), alone(), alone()]), Verdict::Fail);
        let vanished = || Stimulated { found: Some(0), ..alone() };
        assert_eq!(judged(vec![made(1, "1.5"), vanished(), vanished()]), Verdict::Inconclusive);
        let early = || Stimulated { awaited: false, ..alone() };
        assert_eq!(judged(vec![early(), early()]), Verdict::Inconclusive);
    }

    #[test]
    fn other_values_fail_when_they_repeat() {
        assert_eq!(judged(vec![made(1, "2"), made(1, "1.5")]), Verdict::Inconclusive);
        assert_eq!(judged(vec![made(1, "2"), made(1, "3")]), Verdict::Fail);
    }

    #[test]
    fn nothing_made_proves_nothing() {
        let failed = Stimulated { failed: Some("status 500".into()), ..made(0, "") };
        assert_eq!(judged(vec![failed]), Verdict::Inconclusive);
        assert_eq!(super::record(&Evidence::default()).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn repetitions_are_known_by_their_number() {
        assert_eq!(judged(vec![made(2, "1.5"), made(2, "1.5")]), Verdict::Pass);
        let mut nameless = made(2, "1.5");
        nameless.appearances.iter_mut().for_each(|one| one.number = None);
        assert_eq!(judged(vec![nameless.clone(), nameless]), Verdict::Fail);
    }
}
