//! What the protocol itself demands of a stream.

use futures_util::future::{FutureExt, OptionFuture, join, join5};

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
pub(super) async fn probe(
    session: &dyn Session,
    config: &Config,
    plan: &PlannedCheck,
    room: bool,
    silent: bool,
) -> Protocol {
    let watching = plan.wants_any(&["WS-004", "WS-005"]).then(|| Box::pin(alive::probe(session, config, plan)));
    let watching = OptionFuture::from(watching);
    let speaking = Box::pin(speak(session, config, plan, room && silent));
    let (alive, rest) = if room { join(watching, speaking).await } else { (watching.await, speaking.await) };
    Protocol { alive, ..rest }
}

/// Speaks in one way after another, or in all at once: where nothing answers, each is waited for as long as can be.
async fn speak(session: &dyn Session, config: &Config, plan: &PlannedCheck, at_once: bool) -> Protocol {
    if at_once {
        let pings = plan.wants("WS-003").then(|| framing::pings(session, config));
        let closings = plan.wants("WS-007").then(|| closing::probe(session, config));
        let faults = plan.wants("WS-006").then(|| framing::faults(session, config));
        let wrongs = plan.wants("WS-009").then(|| errors::probe(session, config, plan));
        let opening = plan.wants("WS-001").then(|| opening::probe(session, config));
        let (pings, closings, faults, wrongs, opening) = join5(
            OptionFuture::from(pings).boxed(),
            OptionFuture::from(closings).boxed(),
            OptionFuture::from(faults).boxed(),
            OptionFuture::from(wrongs).boxed(),
            OptionFuture::from(opening).boxed(),
        )
        .await;
        return Protocol { opening, pings, faults, alive: None, closings, wrongs };
    }
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
