//! Opens streams, disturbs some, and collects what they say.

mod access;
mod departure;
mod listener;
mod recovery;
mod session;
mod slow;
pub(super) mod stimulus;
#[cfg(test)]
mod tests;

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
    disturbed(config, session, plan, &mut evidence).await;
    evidence.cut_short = session.stopping();
    evidence
}

/// What becomes of streams that are not left alone: listened to by others, lost, read too slowly, held too long.
async fn disturbed(config: &Config, session: &dyn Session, plan: &PlannedCheck, evidence: &mut Evidence) {
    let goes_on = |rules: &[&str]| plan.wants_any(rules) && !session.stopping();
    if goes_on(&["WS-002"]) {
        evidence.access = Some(access::probe(session, config, plan).await);
    }
    if goes_on(&["WS-014", "WS-015"]) {
        evidence.recovery = Some(Box::pin(recovery::probe(session, config, plan)).await);
    }
    if goes_on(&["WS-018"]) {
        evidence.session = Some(session::probe(session, config, plan).await);
    }
    if goes_on(&["WS-016", "WS-017"]) {
        evidence.slow = Some(slow::probe(session, config, plan).await);
    }
}
