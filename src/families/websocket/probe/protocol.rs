//! What the protocol itself demands of a stream.

use futures_util::future::{OptionFuture, join};

use super::{
    super::{
        config::Config,
        evidence::{
            Evidence,
            alive::Alive,
            closing::Closings,
            errors::Wrongs,
            frames::{Faults, Pings},
            opening::Handshakes,
        },
    },
    alive, closing, errors, framing, opening,
};
use crate::families::{PlannedCheck, Session};

/// What was seen.
#[derive(Default)]
pub(super) struct Protocol {
    opening: Option<Handshakes>,
    pings: Option<Pings>,
    faults: Option<Faults>,
    alive: Option<Alive>,
    closings: Option<Closings>,
    wrongs: Option<Wrongs>,
}

impl Protocol {
    /// Puts it beside what else was seen.
    pub(super) fn add_to(self, evidence: &mut Evidence) {
        let Self { opening, pings, faults, alive, closings, wrongs } = self;
        (evidence.opening, evidence.pings, evidence.faults) = (opening, pings, faults);
        (evidence.alive, evidence.closings, evidence.wrongs) = (alive, closings, wrongs);
    }
}

/// Watches connections and, beside that or afterwards, does the rest one after another.
pub(super) async fn probe(session: &dyn Session, config: &Config, plan: &PlannedCheck, room: bool) -> Protocol {
    let watching = plan.wants_any(&["WS-004", "WS-005"]).then(|| Box::pin(alive::probe(session, config, plan)));
    let watching = OptionFuture::from(watching);
    let speaking = Box::pin(speak(session, config, plan));
    let (alive, rest) = if room { join(watching, speaking).await } else { (watching.await, speaking.await) };
    Protocol { alive, ..rest }
}

async fn speak(session: &dyn Session, config: &Config, plan: &PlannedCheck) -> Protocol {
    let mut seen = Protocol::default();
    if plan.wants("WS-001") {
        seen.opening = Some(opening::probe(session, config).await);
    }
    if plan.wants("WS-003") {
        seen.pings = Some(framing::pings(session, config).await);
    }
    if plan.wants("WS-007") {
        seen.closings = Some(closing::probe(session, config).await);
    }
    if plan.wants("WS-006") {
        seen.faults = Some(framing::faults(session, config).await);
    }
    if plan.wants("WS-009") {
        seen.wrongs = Some(errors::probe(session, config, plan).await);
    }
    seen
}

/// How many of these connections may be open at once.
pub(super) fn together(config: &Config, most: usize) -> usize {
    let bound = config.session.as_ref().and_then(|session| session.connections).unwrap_or(u64::MAX);
    usize::try_from(bound).unwrap_or(usize::MAX).clamp(1, most)
}
