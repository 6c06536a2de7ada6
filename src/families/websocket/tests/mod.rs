//! Probes and rules together, against other sides that functions play.

mod protocol;
mod server;
