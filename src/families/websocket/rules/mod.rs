//! The rules of streams, each with its judge; pure functions of the evidence.

mod access;
mod alive;
mod closing;
mod errors;
mod framing;
mod opening;
mod payload;
mod record;
mod recovery;
mod sequence;
mod session;
mod slow;
mod snapshot;
mod subscribe;
#[cfg(test)]
mod testing;
mod tries;

use std::str::FromStr;

use rust_decimal::Decimal;

use super::evidence::{Blocked, Evidence};
use crate::{
    families::{Evidence as AnyEvidence, JudgedRule},
    rule::{Judgement, Verdict},
};

/// Every rule of the family, by id.
pub(super) static RULES: &[JudgedRule] = &[
    opening::WS_001,
    access::WS_002,
    framing::WS_003,
    alive::WS_004,
    alive::WS_005,
    framing::WS_006,
    closing::WS_007,
    closing::WS_008,
    errors::WS_009,
    subscribe::WS_010,
    sequence::WS_011,
    snapshot::WS_012,
    record::WS_013,
    recovery::WS_014,
    recovery::WS_015,
    slow::WS_016,
    slow::WS_017,
    session::WS_018,
    payload::WS_019,
];

/// What a rule says where its probe did not come to it.
const NOT_TRIED: &str = "this could not be tried";
/// The same, where it would have come to it later.
const CUT_SHORT: &str = "the run ended before this could be seen";

/// Most examples that a finding shows.
const EXAMPLES: usize = 5;

/// Judges what was seen, unless nothing could be.
fn on(evidence: &AnyEvidence, judge: fn(&Evidence) -> Judgement) -> Judgement {
    let AnyEvidence::WebSocket(evidence) = evidence else {
        return Judgement::inconclusive("the probe of this check saw nothing");
    };
    match &evidence.blocked {
        Some(blocked) => Judgement::inconclusive(blocked.why.clone()).cite(blocked.exchange),
        None => explained(judge(evidence), evidence),
    }
}

/// What could not be tried, with the reason where the stream as a whole is one.
fn explained(mut judgement: Judgement, evidence: &Evidence) -> Judgement {
    if let Some(why) = evidence.unusable.as_ref().filter(|_| is_untried(&judgement)) {
        judgement.message.clone_from(&why.why);
        return judgement.cite(why.exchange);
    }
    judgement
}

fn is_untried(judgement: &Judgement) -> bool {
    judgement.verdict == Verdict::Inconclusive && [NOT_TRIED, CUT_SHORT].contains(&judgement.message.as_str())
}

/// What was not tried, although it is declared.
fn untried(evidence: &Evidence, blocked: Option<&Blocked>) -> Judgement {
    if let Some(blocked) = blocked {
        return Judgement::inconclusive(blocked.why.clone()).cite(blocked.exchange);
    }
    Judgement::inconclusive(if evidence.cut_short { CUT_SHORT } else { NOT_TRIED })
}

/// One or several, in words.
fn number(count: u64, one: &str, several: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {several}") }
}

/// A decimal in its shortest form, so that `1.50` and `1.5` are the same; anything else as it is.
pub(super) fn canonical(text: &str) -> String {
    let decimal = Decimal::from_str(text).or_else(|_| Decimal::from_scientific(text));
    decimal.map_or_else(|_| text.to_owned(), |decimal| decimal.normalize().to_string())
}

/// Members of an event that are not as the answer had them: the path in the event, and both values. What the answer does
/// not have is not compared.
pub(super) fn disagreements<'a>(
    agrees: &'a [(String, Option<String>)],
    values: &'a [Option<String>],
) -> impl Iterator<Item = (&'a str, &'a str, Option<&'a str>)> {
    agrees.iter().zip(values).filter_map(|((path, answer), event)| {
        let answer = answer.as_deref()?;
        let same = event.as_deref().is_some_and(|event| canonical(event) == canonical(answer));
        (!same).then_some((path.as_str(), answer, event.as_deref()))
    })
}
