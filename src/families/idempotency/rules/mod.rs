//! The rules of idempotency, each with its judge; pure functions of the evidence.

mod changed;
mod channels;
mod crossed;
mod cuts;
mod kept;
mod keys;
mod once;
mod replay;
mod rounds;
#[cfg(test)]
mod testing;

use super::evidence::{Answer, Count, Evidence};
use crate::{
    families::{Evidence as AnyEvidence, JudgedRule},
    rule::{Judgement, Verdict},
};

/// Every rule of the family, by id.
pub(super) static RULES: &[JudgedRule] = &[
    once::IDM_001,
    replay::IDM_002,
    changed::IDM_003,
    rounds::IDM_004,
    cuts::IDM_005,
    crossed::IDM_006,
    keys::IDM_007,
    channels::IDM_008,
    kept::IDM_009,
];

/// Judges what was seen, unless nothing could be.
fn on(evidence: &AnyEvidence, judge: fn(&Evidence) -> Judgement) -> Judgement {
    let AnyEvidence::Idempotency(evidence) = evidence else {
        return Judgement::inconclusive("the probe of this check saw nothing");
    };
    if let Some(blocked) = &evidence.blocked {
        return Judgement::inconclusive(blocked.why.clone()).cite(blocked.exchanges.iter().copied());
    }
    judge(evidence)
}

/// A pass that means nothing where a repetition takes effect again: keys are not looked at, so nothing is done by them.
fn unless_ignored(evidence: &Evidence, judgement: Judgement) -> Judgement {
    let again = evidence.repeated.first().filter(|seen| seen.after.number().is_some_and(|number| number > 1));
    match again {
        Some(seen) if judgement.verdict == Verdict::Pass => {
            let why =
                "a repetition with the same key takes effect again, so what is done with other keys shows nothing";
            Judgement::inconclusive(why).cite(seen.trial.first.exchange).cite(seen.after.exchanges())
        }
        _ => judgement,
    }
}

/// What was not tried, although it is declared.
fn untried(evidence: &Evidence) -> Judgement {
    Judgement::inconclusive(if evidence.cut_short {
        "the run ended before this could be seen"
    } else {
        "this could not be tried"
    })
}

/// How many effects there are, if the lookup can be believed: it must have shown nothing before.
fn effects(before: &Count, after: &Count) -> Result<usize, String> {
    match before.number() {
        Some(0) => after.number().ok_or_else(|| format!("what exists: {}", after.told())),
        Some(_) => Err(format!("the lookup of a reference that was never used showed {}", before.told())),
        None => Err(format!("what existed before: {}", before.told())),
    }
}

/// Why what does not show may exist.
const SHOWS_NOTHING_NEW: &str = "something was answered with success and does not show, but neither does what was created last: does \
                                 the lookup reach the newest rows?";

/// An answer in words, with how often it was asked for.
fn told(answer: &Answer) -> String {
    match answer.tries {
        0 | 1 => answer.told(),
        tries => format!("{} (sent {tries} times)", answer.told()),
    }
}
