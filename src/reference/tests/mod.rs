//! The API from outside: every test speaks HTTP to a running one.

mod async_defects;
mod client;
mod defects;
mod error_defects;
mod errors;
mod idempotency_defects;
mod limit_defects;
mod limit_variants;
mod limits;
mod listener;
mod markets;
mod operations;
mod pagination_defects;
mod receiver;
mod stream_defects;
mod stream_variants;
mod streams;
mod surface;
mod transfers;
mod transport;
mod variants;
mod walks;
mod webhook_defects;
mod webhooks;
