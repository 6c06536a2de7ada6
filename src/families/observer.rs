//! What watches every exchange of a run.

use super::Evidence;
use crate::exchange::{Outcome, Request};

/// Watches every exchange that any check causes; bounded in memory, whatever the number of exchanges.
pub trait Observer: Send {
    /// Sees one exchange.
    fn see(&mut self, request: &Request, outcome: &Outcome);

    /// What was seen.
    fn evidence(&self) -> Evidence;
}
