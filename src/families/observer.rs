//! What watches every exchange of a run.

use super::{Check, Evidence};
use crate::exchange::{Outcome, Request};

/// Watches every exchange that any check causes; bounded in memory, whatever the number of exchanges.
pub trait Observer: Send {
    /// Sees one exchange.
    fn see(&mut self, request: &Request, outcome: &Outcome);

    /// Takes note of what a check of its own family found.
    fn note(&mut self, _check: &str, _evidence: &Evidence) {}

    /// The check under whose name the traffic is judged, if there is one: it plans the rules (as `passive`), and its
    /// probe sends what makes the traffic worth judging, on behalf of these clients.
    fn check(&self, _clients: &[String]) -> Option<Box<dyn Check>> {
        None
    }

    /// What was seen.
    fn evidence(&self) -> Evidence;
}
