//! From an HTTP request to a [`Call`] a resource can answer, and from its [`Reply`] back.

mod access;
mod body;
mod correlation;
mod negotiation;
mod prefer;
mod query;
mod reply;
mod route;
mod service;

pub(super) use prefer::Preferences;
pub(super) use query::Query;
pub(super) use reply::Reply;
pub(super) use route::Route;
pub(super) use service::{Api, Call, Peer, answer};
