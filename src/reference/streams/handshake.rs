//! The opening handshake (RFC 6455 §4.2).

use data_encoding::BASE64;
use http::{HeaderMap, StatusCode, Version, header, request::Parts};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::reference::{
    behaviour::Behaviour,
    defects::stream::{UNOFFERED_PROTOCOL, WRONG_ACCEPT},
    http::Reply,
    problem::{Fault, Problem},
    variants::STREAM_DEFLATE,
};

/// The one subprotocol that is spoken.
const PROTOCOL: &str = "brokerage.v1";
const DEFLATE: &str = "permessage-deflate";

/// 101, and whether messages are compressed from now on.
pub(super) fn accept(head: &Parts, is: &Behaviour) -> Result<(Reply, bool), Problem> {
    let headers = &head.headers;
    let asks = tokens(headers, header::UPGRADE).any(|token| token.eq_ignore_ascii_case("websocket"))
        && tokens(headers, header::CONNECTION).any(|token| token.eq_ignore_ascii_case("upgrade"))
        && head.version == Version::HTTP_11;
    if !asks {
        return Err(upgrade("open a WebSocket here, over HTTP/1.1"));
    }
    if one(headers, header::SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(upgrade("only version 13 is spoken").header(header::SEC_WEBSOCKET_VERSION, "13"));
    }
    let key = one(headers, header::SEC_WEBSOCKET_KEY)
        .filter(|key| BASE64.decode(key.as_bytes()).is_ok_and(|nonce| nonce.len() == 16));
    let Some(key) = key else {
        let detail = "Sec-WebSocket-Key must be one, and 16 octets in base64";
        return Err(Problem::new(Fault::InvalidHandshake, detail));
    };
    let key = if is.has(WRONG_ACCEPT) { "another key" } else { key };
    let mut reply = Reply::empty(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::UPGRADE, "websocket")
        .header(header::CONNECTION, "Upgrade")
        .header(header::SEC_WEBSOCKET_ACCEPT, &derive_accept_key(key.as_bytes()));
    if is.has(UNOFFERED_PROTOCOL) {
        reply = reply.header(header::SEC_WEBSOCKET_PROTOCOL, "brokerage.v9");
    } else if tokens(headers, header::SEC_WEBSOCKET_PROTOCOL).any(|offered| offered == PROTOCOL) {
        reply = reply.header(header::SEC_WEBSOCKET_PROTOCOL, PROTOCOL);
    }
    let compression = is.is(STREAM_DEFLATE) && tokens(headers, header::SEC_WEBSOCKET_EXTENSIONS).any(takes);
    if compression {
        let taken = format!("{DEFLATE}; server_no_context_takeover; client_no_context_takeover");
        reply = reply.header(header::SEC_WEBSOCKET_EXTENSIONS, &taken);
    }
    Ok((reply, compression))
}

/// Whether an offered extension can be accepted: a smaller window for what is sent cannot (RFC 7692 §7.1.2.1).
fn takes(offer: &str) -> bool {
    let mut parts = offer.split(';').map(str::trim);
    parts.next() == Some(DEFLATE) && parts.all(|parameter| !parameter.starts_with("server_max_window_bits"))
}

fn upgrade(detail: &str) -> Problem {
    Problem::new(Fault::UpgradeRequired, detail)
        .header(header::UPGRADE, "websocket")
        .header(header::CONNECTION, "Upgrade")
}

/// The parts of a field that is a list, over all its lines.
fn tokens(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

/// The value of a field that must be sent once.
fn one(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut lines = headers.get_all(name).into_iter();
    lines.next().filter(|_| lines.next().is_none())?.to_str().ok()
}
