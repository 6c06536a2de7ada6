//! Opens streams, disturbs some, and collects what they say.
//!
//! The first connection shows whether there is a stream at all; if not, nothing else is opened. Then the groups run, side
//! by side where the number of connections allows it: each keeps to connections of its own.

mod access;
pub(super) mod alive;
pub(super) mod arrival;
mod book;
pub(super) mod closing;
mod conduct;
mod departure;
mod ear;
pub(super) mod errors;
#[cfg(test)]
mod fair_tests;
pub(super) mod first;
mod frames;
pub(super) mod framing;
mod gather;
#[cfg(test)]
mod keyed_tests;
mod listener;
#[cfg(test)]
mod loss_tests;
mod merged;
pub(super) mod opening;
pub(super) mod pressure;
mod protocol;
pub(super) mod recovery;
pub(super) mod session;
pub(super) mod slow;
mod snapshot;
mod steady;
pub(super) mod stimulus;
mod subscribe;
#[cfg(test)]
mod tests;

use futures_util::future::{FutureExt, join, join3};

use self::first::First;
use super::{
    config::Config,
    evidence::{Declared, Ended, Evidence},
};
use crate::families::{Conventions, PlannedCheck, Session};

/// So many connections of one client let the groups run side by side.
const ROOM: u64 = 16;

/// Drives the streams and returns what was seen, however little.
pub(super) async fn probe(
    config: &Config,
    conventions: &Conventions,
    session: &dyn Session,
    plan: &PlannedCheck,
) -> Evidence {
    let mut evidence = Evidence { declared: config.declared(), ..Evidence::default() };
    let mut silent = false;
    match first::probe(session, config).await {
        First::Stream => {}
        First::Nothing(why) => {
            evidence.blocked = Some(why);
            return evidence;
        }
        // What is wrong with the handshake itself is for its own rule to say.
        First::Handshakes(why, ends) => {
            (evidence.unusable, evidence.ends) = (Some(why), ends);
            if plan.wants("WS-001") && !session.stopping() {
                evidence.opening = Some(opening::probe(session, config).await);
            }
            evidence.cut_short = session.stopping();
            return evidence;
        }
        First::Silence(why) => (evidence.unusable, silent) = (Some(why), true),
    }
    let room = config.session.as_ref().and_then(|session| session.connections).is_none_or(|most| most >= ROOM);
    let steady = async {
        let wanted = plan.wants_any(&["WS-010", "WS-011", "WS-013", "WS-019"]) && !session.stopping();
        if wanted { Some(steady::probe(session, config, conventions, plan).await) } else { None }
    };
    let snapshot = async {
        let wanted = plan.wants("WS-012") && !silent && !session.stopping();
        if wanted { Some(snapshot::probe(session, config, plan).await) } else { None }
    };
    let protocol = protocol::probe(session, config, plan, room, silent);
    let (seen, (snapshots, protocol)) = if room {
        join(Box::pin(steady), join(Box::pin(snapshot), Box::pin(protocol))).await
    } else {
        let seen = Box::pin(steady).await;
        let snapshots = Box::pin(snapshot).await;
        (seen, (snapshots, Box::pin(protocol).await))
    };
    protocol.add_to(&mut evidence);
    if let Some((steady, record)) = seen {
        (evidence.steady, evidence.record) = (Some(steady), record);
    }
    evidence.snapshot = snapshots;
    // Where nothing is told nothing can be missed.
    if !silent {
        Box::pin(disturbed(config, session, plan, &mut evidence, room)).await;
    }
    let mut ends: Vec<Ended> = Vec::new();
    ends.extend(evidence.steady.iter_mut().flat_map(|seen| std::mem::take(&mut seen.ends)));
    ends.extend(evidence.snapshot.iter_mut().flat_map(|seen| std::mem::take(&mut seen.ends)));
    evidence.ends.extend(ends);
    evidence.cut_short = session.stopping();
    evidence
}

impl Config {
    /// What rules of several groups need to know of it.
    pub(super) fn declared(&self) -> Declared {
        let streamed = self.messages.snapshot.is_some();
        Declared {
            sequence: self.sequence.is_some(),
            jumps: self.sequence.as_ref().is_some_and(|sequence| sequence.jumps),
            subscribe: self.subscribe.is_some(),
            acknowledged: self.subscribe.as_ref().is_some_and(|subscribe| subscribe.acknowledged.is_some()),
            streamed_snapshot: streamed,
            rest_snapshot: self.snapshot.is_some(),
            snapshot_sequence: self.snapshot.is_some() || streamed && self.messages.snapshot_sequence.is_some(),
            resume: self.resume.is_some(),
            stimulus: self.stimulus.is_some(),
            id: self.messages.id.is_some(),
            lag: self.lag.0,
        }
    }
}

/// What becomes of streams that are not left alone: listened to by others, lost, held too long; then read too slowly; at
/// last more of them than are allowed.
async fn disturbed(config: &Config, session: &dyn Session, plan: &PlannedCheck, evidence: &mut Evidence, room: bool) {
    let goes_on = |rules: &[&str]| plan.wants_any(rules) && !session.stopping();
    let access = async { if goes_on(&["WS-002"]) { Some(access::probe(session, config, plan).await) } else { None } };
    let recovery = async {
        let wanted = goes_on(&["WS-014", "WS-015"]);
        if wanted { Some(Box::pin(recovery::probe(session, config, plan, room)).await) } else { None }
    };
    let lasts = async { if goes_on(&["WS-018"]) { Some(session::lasts(session, config, plan).await) } else { None } };
    let (access, recovery, lasts) = (access.boxed(), recovery.boxed(), lasts.boxed());
    let (access, recovery, sessions) =
        if room { join3(access, recovery, lasts).await } else { (access.await, recovery.await, lasts.await) };
    if let Some((access, ends)) = access {
        evidence.access = Some(access);
        evidence.ends.extend(ends);
    }
    if let Some((recovery, ends)) = recovery {
        evidence.recovery = Some(recovery);
        evidence.ends.extend(ends);
    }
    if goes_on(&["WS-016", "WS-017"]) {
        evidence.slow = Some(slow::probe(session, config, plan).await);
    }
    if let Some(mut seen) = sessions {
        session::limits(session, config, plan, &mut seen).await;
        evidence.session = Some(seen);
    }
}
