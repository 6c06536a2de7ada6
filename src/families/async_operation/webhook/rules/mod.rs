//! ASY-008 to ASY-012, each with its judge; pure functions of the evidence.

mod addresses;
mod arrival;
mod attempts;
mod identity;
mod redelivery;
mod signature;

use super::evidence::{Event, Evidence};
use crate::{
    families::{Evidence as AnyEvidence, JudgedRule},
    rule::Judgement,
};

/// The rules, by id.
pub static RULES: &[JudgedRule] = &[ASY_008, ASY_009, ASY_010, ASY_011, ASY_012];

pub use addresses::ASY_012;
pub use arrival::ASY_008;
pub use identity::ASY_011;
pub use redelivery::ASY_010;
pub use signature::ASY_009;

/// Most examples that a finding shows.
const EXAMPLES: usize = 5;

/// Hands the evidence to the judge, where callbacks could be received.
fn on(evidence: &AnyEvidence, judge: fn(&Evidence) -> Judgement) -> Judgement {
    let AnyEvidence::AsyncOperation(evidence) = evidence else {
        return Judgement::inconclusive("nothing was seen");
    };
    let Some(evidence) = &evidence.webhook else { return Judgement::inconclusive("no callbacks were received") };
    if let Some((why, exchange)) = &evidence.unavailable {
        return Judgement::inconclusive(why.clone()).cite(*exchange);
    }
    judge(evidence)
}

/// The events that could be read.
fn readable(evidence: &Evidence) -> impl Iterator<Item = &Event> {
    evidence.events.iter().filter(|event| event.unreadable.is_none())
}

/// Whether an event tells of an operation, as far as the suite says where. What does not is not what was asked for.
fn tells(evidence: &Evidence, event: &Event) -> bool {
    !evidence.declared.subject || event.facts.subject.is_some()
}

/// Why nothing is known, where no callback came.
fn nothing_came(evidence: &Evidence) -> Judgement {
    let judgement = Judgement::inconclusive("no callback came, so nothing can be said of them");
    if evidence.reachable == Some(true) { judgement } else { judgement.detail(PROVE) }
}

/// What to do where it is not known whether the target can reach us.
const PROVE: &str = "prove that the target can reach the address for callbacks: `test` has a test event sent, \
                     --webhook-url says how this machine is reached";

/// A judgement with events that show it.
fn shown<'e>(mut judgement: Judgement, events: impl IntoIterator<Item = &'e Event>) -> Judgement {
    let events: Vec<&Event> = events.into_iter().collect();
    for event in events.iter().take(EXAMPLES) {
        judgement = judgement.detail(event.line()).cite([event.exchange]);
    }
    if events.len() > EXAMPLES {
        judgement = judgement.detail(format!("and {} more", events.len() - EXAMPLES));
    }
    judgement
}

/// `1 event`, `7 events`.
fn count(number: usize, noun: &str) -> String {
    let plural = noun.strip_suffix('y').map_or_else(|| format!("{noun}s"), |stem| format!("{stem}ies"));
    if number == 1 { format!("1 {noun}") } else { format!("{number} {plural}") }
}

/// Milliseconds as a reader likes them.
fn time(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Verdict;

    #[test]
    fn rules_are_in_order_and_of_this_family() {
        let ids: Vec<&str> = RULES.iter().map(|judged| judged.rule.id).collect();
        assert_eq!(ids, ["ASY-008", "ASY-009", "ASY-010", "ASY-011", "ASY-012"]);
        assert!(RULES.iter().all(|judged| judged.rule.family == "async_operation" && !judged.rule.defects.is_empty()));
    }

    #[test]
    fn without_callbacks_nothing_is_decided() {
        let unavailable = Evidence { unavailable: Some(("no address".into(), None)), ..Evidence::default() };
        for judged in RULES {
            for seen in [None, Some(Evidence::default()), Some(unavailable.clone())] {
                let verdict = (judged.judge)(&crate::families::async_operation::webhook::testing::of(seen)).verdict;
                assert!(matches!(verdict, Verdict::Inconclusive | Verdict::NotApplicable), "{}", judged.rule.id);
            }
            assert_eq!((judged.judge)(&AnyEvidence::None).verdict, Verdict::Inconclusive);
        }
    }
}
