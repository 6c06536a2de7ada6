//! Who is told of every exchange.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use url::Url;

use super::stream::Log;
use crate::exchange::{Delivery, ExchangeId, Handshake, Headers, Outcome, Request};

/// Numbers and keeps every exchange; called from many tasks at once and must not block for long.
pub trait Recorder: Send + Sync {
    /// The number of the exchange about to be sent.
    fn next_id(&self) -> ExchangeId;

    /// An exchange ended, well or badly.
    fn heard(&self, heard: &Heard<'_>);

    /// The handshake of a stream was answered with 101; answered otherwise or not at all, it is an exchange like others.
    fn opened(&self, _request: &Request, _handshake: &Handshake) {}

    /// A stream is over.
    fn streamed(&self, _streamed: &Streamed<'_>) {}

    /// A callback arrived, and is being answered.
    fn called(&self, _called: &Called<'_>) {}

    /// A request of this client is held back for that long, for the reason given.
    fn waiting(&self, client: &str, time: Duration, why: &str);
}

/// One exchange as it was on the wire; nothing in it is redacted yet.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// Its number.
    pub id: ExchangeId,
    /// The request it belongs to; a redirect or a repeat has the same one.
    pub request: &'a Request,
    /// The URL requested, credentials in its query included.
    pub url: &'a Url,
    /// The header fields as sent, credentials included; `Host` and `Content-Length` are added below this layer.
    pub headers: &'a Headers,
    /// The content as sent.
    pub body: &'a Bytes,
    /// The protocol of the response (`HTTP/1.1`, `HTTP/2`); empty if there was none.
    pub version: &'static str,
    /// The address that answered, if one did.
    pub remote: Option<SocketAddr>,
    /// What came back.
    pub outcome: &'a Outcome,
    /// When sending began, since the wire was made.
    pub sent: Duration,
    /// How long until the last byte or the failure.
    pub took: Duration,
}

/// One stream as it was on the wire; nothing in it is redacted yet.
#[derive(Debug, Clone, Copy)]
pub struct Streamed<'a> {
    /// The request that opened it.
    pub request: &'a Request,
    /// The URL requested, credentials in its query included.
    pub url: &'a Url,
    /// The header fields of the handshake as sent, credentials included.
    pub sent_headers: &'a Headers,
    /// The protocol of the handshake's response: `HTTP/1.1`.
    pub version: &'static str,
    /// The address that answered.
    pub remote: Option<SocketAddr>,
    /// How the handshake was answered, and the number of the exchange.
    pub handshake: &'a Handshake,
    /// What was said.
    pub log: &'a Log,
    /// How long it lasted, from the handshake on.
    pub took: Duration,
}

/// One callback as it was on the wire; nothing in it is redacted yet.
#[derive(Debug, Clone, Copy)]
pub struct Called<'a> {
    /// What arrived, with its number and how it is answered.
    pub delivery: &'a Delivery,
    /// The check whose address it came to.
    pub check: &'a str,
    /// Who sent it.
    pub remote: SocketAddr,
    /// When its head had come, since the wire was made.
    pub began: Duration,
}
