//! What the tests stand on: the program as a process, peers on loopback, and the reference API.

mod api;
mod peer;
mod program;

pub(crate) use api::Api;
pub(crate) use peer::{Asked, Peer, answer, html, json};
pub(crate) use program::{Ended, Program};
