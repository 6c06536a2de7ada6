//! What unit tests of these rules share.

use std::time::Duration;

use super::super::evidence::Ended;
use crate::exchange::{End, ExchangeId};

/// A connection that ended after 2.2 s, with a close frame if there is a code.
pub(super) fn ended(code: Option<u16>, reason: &str) -> Ended {
    Ended {
        exchange: ExchangeId(7),
        at: Duration::from_secs(3),
        lived: Duration::from_millis(2_200),
        frame: code.is_some(),
        code,
        reason: reason.to_owned(),
        end: Some(End::Closed),
        told: None,
    }
}
