//! From a block of a suite to a check: what a schema cannot say.

use serde_json::Value;

use super::{StreamCheck, config::Config};
use crate::families::{Check, Problem, Setting};

/// Makes a check of one item of `websocket:`.
pub(super) fn load(item: Value, setting: &Setting<'_>) -> Result<Box<dyn Check>, Vec<Problem>> {
    let config: Config = serde_json::from_value(item).map_err(|e| vec![Problem::new("", e.to_string())])?;
    let _ = setting;
    Ok(Box::new(StreamCheck { config, conventions: crate::families::Conventions::default() }))
}
