//! A stream at the level of frames.

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::exchange::{End, Frame, Handshake, Loss, Outgoing, Received};

/// A WebSocket connection on which nothing happens by itself: no ping is answered, no message put together, nothing read
/// that is not asked for. What was said on it is recorded. Dropping it closes the connection (TCP FIN).
pub trait Line: Send {
    /// How the opening handshake was answered.
    fn handshake(&self) -> &Handshake;

    /// Waits until this instant of the run for frames and adds all that are there, at most 1,024 at once, one at least
    /// unless it says otherwise. Frames that came before an end are given out before it.
    fn receive<'a>(&'a mut self, frames: &'a mut Vec<Frame>, until: Duration) -> BoxFuture<'a, Received>;

    /// Sends a frame, all of it.
    fn send(&mut self, frame: Outgoing) -> BoxFuture<'_, Result<(), End>>;

    /// Gives the connection up on purpose.
    fn lose(self: Box<Self>, loss: Loss) -> BoxFuture<'static, ()>;
}
