//! Handshakes, offered and answered.

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::super::{
    config::Config,
    evidence::opening::{Handshakes, Shake, Shaken},
    feed::{How, opening, values},
};
use crate::{
    exchange::{Handshake, Headers, Opening, Request, Unopened},
    families::Session,
};

/// A version that does not exist.
const VERSION: u8 = 99;
/// The most connections and requests that this takes.
pub(in super::super) const MOST: u64 = 10;

/// Opens streams in several ways, twice where the answer raises doubts.
pub(super) async fn probe(session: &dyn Session, config: &Config) -> Handshakes {
    let mut seen = Handshakes::default();
    let how = How::to("see how the opening handshake is answered");
    let usual = match opening(config, &how, &values(session, None)) {
        Ok(usual) => usual,
        Err(why) => {
            seen.shakes.push(Shake { outcome: Shaken::Nothing(why), ..Shake::default() });
            return seen;
        }
    };
    let mut offers = vec![usual.clone()];
    if !usual.subprotocols.is_empty() {
        offers.push(Opening { subprotocols: Vec::new(), ..usual.clone() });
    }
    offers.push(Opening { compression: true, ..usual.clone() });
    for offer in offers {
        if session.stopping() {
            return seen;
        }
        let first = shake(session, &offer).await;
        let doubtful = first.flaw().is_some();
        seen.shakes.push(first);
        if doubtful {
            seen.shakes.push(shake(session, &offer).await);
        }
    }
    let another = Opening { version: VERSION, ..usual.clone() };
    for _ in 0..2 {
        if session.stopping() {
            return seen;
        }
        let shake = shake(session, &another).await;
        let refused =
            matches!(&shake.outcome, Shaken::Refused { status, versions } if *status != 426 || !versions.is_empty());
        seen.version.push(shake);
        if refused {
            break;
        }
    }
    for _ in 0..2 {
        let request = usual.request.clone().purpose("see what a plain GET of the stream is answered");
        let request = Request { stream: true, ..request };
        let Ok(reply) = session.send(request).await else { break };
        seen.plain.push((reply.status, reply.id));
        if reply.status != 101 {
            break;
        }
    }
    seen
}

async fn shake(session: &dyn Session, opening: &Opening) -> Shake {
    let protocols = opening.subprotocols.clone();
    let extensions = if opening.compression { vec!["permessage-deflate".to_owned()] } else { Vec::new() };
    let shake = Shake { exchange: None, protocols, extensions, outcome: Shaken::Untried };
    match session.open(opening.clone()).await {
        Ok(line) => Shake { exchange: Some(line.handshake().id), outcome: opened(line.handshake()), ..shake },
        Err(Unopened::Refused(reply)) => {
            let versions = all(&reply.headers, "sec-websocket-version");
            Shake { exchange: Some(reply.id), outcome: Shaken::Refused { status: reply.status, versions }, ..shake }
        }
        Err(Unopened::Failed(failure)) => {
            Shake { exchange: failure.id, outcome: Shaken::Nothing(failure.message), ..shake }
        }
    }
}

fn opened(handshake: &Handshake) -> Shaken {
    let headers = &handshake.headers;
    Shaken::Opened {
        upgrade: all(headers, "upgrade"),
        connection: all(headers, "connection"),
        accept: all(headers, "sec-websocket-accept"),
        expected: derive_accept_key(handshake.key.as_bytes()),
        protocols: all(headers, "sec-websocket-protocol"),
        extensions: all(headers, "sec-websocket-extensions"),
    }
}

fn all(headers: &Headers, name: &str) -> Vec<String> {
    // What a hostile answer may make of it stays small.
    headers.all(name).take(8).map(|value| value.chars().take(256).collect()).collect()
}
