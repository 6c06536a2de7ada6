//! Streams over WebSocket (RFC 6455): what they promise at rest, and what becomes of messages when the line breaks.

pub mod config;
