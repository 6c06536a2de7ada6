//! Opens streams, disturbs some, and collects what they say.

pub(super) mod alive;
pub(super) mod closing;
pub(super) mod errors;
mod frames;
pub(super) mod framing;
pub(super) mod opening;

use futures_util::future::{OptionFuture, join};

use super::{config::Config, evidence::Evidence};
use crate::families::{Conventions, PlannedCheck, Session};

/// Drives the streams and returns what was seen, however little.
pub(super) async fn probe(
    config: &Config,
    _conventions: &Conventions,
    session: &dyn Session,
    plan: &PlannedCheck,
) -> Evidence {
    let mut evidence = Evidence::default();
    protocol(session, config, plan, &mut evidence).await;
    Evidence { cut_short: session.stopping(), ..evidence }
}

/// What the protocol itself demands: each group by itself, watching beside the rest.
async fn protocol(session: &dyn Session, config: &Config, plan: &PlannedCheck, evidence: &mut Evidence) {
    let watched = OptionFuture::from(
        plan.wants_any(&["WS-004", "WS-005", "WS-008"]).then(|| alive::probe(session, config, plan)),
    );
    let spoken = async {
        if plan.wants("WS-001") {
            evidence.opening = Some(opening::probe(session, config, plan).await);
        }
        if plan.wants("WS-003") {
            evidence.pings = Some(framing::pings(session, config, plan).await);
        }
        if plan.wants("WS-007") {
            evidence.closings = Some(closing::probe(session, config, plan).await);
        }
        if plan.wants("WS-006") {
            evidence.faults = Some(framing::faults(session, config, plan).await);
        }
        if plan.wants("WS-009") {
            evidence.wrongs = Some(errors::probe(session, config, plan).await);
        }
    };
    let (watched, ()) = join(watched, spoken).await;
    evidence.alive = watched;
}
