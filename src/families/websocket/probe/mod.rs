//! Opens streams, disturbs some, and collects what they say.

mod conduct;
mod ear;
mod gather;
pub(super) mod stimulus;

use super::{config::Config, evidence::Evidence};
use crate::families::{Conventions, PlannedCheck, Session};

/// Drives the streams and returns what was seen, however little.
pub(super) async fn probe(
    _config: &Config,
    _conventions: &Conventions,
    session: &dyn Session,
    _plan: &PlannedCheck,
) -> Evidence {
    Evidence { cut_short: session.stopping(), ..Evidence::default() }
}
