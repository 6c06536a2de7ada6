//! What a stream's check would send for the selected rules.

use super::{WEBSOCKET, config::Config};
use crate::families::{PlannedCheck, Selection};

/// What a check would do; no traffic.
pub(super) fn plan(_config: &Config, selection: &Selection<'_>) -> PlannedCheck {
    let rules = WEBSOCKET.rules.iter().filter(|judged| (selection.wants)(judged.rule));
    PlannedCheck { rules: rules.map(|judged| judged.rule.id).collect(), ..PlannedCheck::default() }
}
