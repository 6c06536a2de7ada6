//! Asynchronous operations: work that is accepted, followed on a monitor, and told of by webhooks.

mod evidence;
pub mod webhook;

pub use evidence::Evidence;
