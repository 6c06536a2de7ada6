//! A stream that keeps RFC 6455 and its own contract, but for what it is told to do otherwise.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    exchange::{End, Opcode, Outgoing},
    families::testing::{
        given,
        line::{Asked, Due, Opened, Said, Stage, switching},
    },
};

pub(super) const MS: Duration = Duration::from_millis(1);
const PING: Duration = Duration::from_millis(700);
const TIMEOUT: Duration = Duration::from_millis(1_500);

/// The suite's block for it.
pub(super) fn block() -> Value {
    json!({
        "name": "orders", "path": "/v1/streams/orders", "subprotocols": ["brokerage.v1"],
        "subscribe": {
            "message": {"op": "subscribe", "channel": "orders", "request_id": "{{request}}"},
            "acknowledged": {"$.type": "subscribed"}
        },
        "messages": {"data": {"$.type": "order"}, "heartbeat": {"$.type": "heartbeat"}, "error": {"$.type": "error"}},
        "heartbeat": {"interval": "1s", "pings": true, "timeout": "1500ms"},
        "errors": {
            "code": "$.code", "largest": 65_536,
            "messages": [{
                "name": "unknown op", "message": {"op": "dance", "request_id": "r-7"},
                "correlation": {"message": "$.request_id", "error": "$.request_id"}
            }]
        }
    })
}

/// The connection at the server's end.
struct Side {
    does: &'static str,
    /// Whether a ping went without pong, on any connection.
    spared: Arc<AtomicBool>,
    opened: Duration,
    /// Since when a pong is missing.
    unanswered: Option<Duration>,
    partial: Option<Vec<u8>>,
    closed: bool,
}

/// A stage on which every connection does this; `clean` for nothing unusual.
pub(super) fn stage(does: &'static str) -> Arc<Stage> {
    let spared = Arc::new(AtomicBool::new(false));
    Stage::new(move |asked: &Asked<'_>| {
        if asked.opening.version != 13 && does != "any-version" {
            return Opened::Refuse(given(426, &json!({})).header("sec-websocket-version", "13"));
        }
        let mut answer = match does {
            "wrong-accept" => switching("another key"),
            _ => switching(asked.key),
        };
        let offered = asked.opening.subprotocols.iter().any(|one| one == "brokerage.v1");
        if does == "unoffered-protocol" || offered {
            let chosen = if does == "unoffered-protocol" { "brokerage.v9" } else { "brokerage.v1" };
            answer = answer.header("sec-websocket-protocol", chosen);
        }
        let mut side = Side {
            does,
            spared: Arc::clone(&spared),
            opened: asked.now,
            unanswered: None,
            partial: None,
            closed: false,
        };
        Opened::Accept(answer, Box::new(move |said, now| side.hear(said, now)))
    })
}

impl Side {
    fn does(&self, what: &str) -> bool {
        self.does == what
    }

    fn hear(&mut self, said: Said<'_>, now: Duration) -> Vec<Due> {
        if self.closed {
            return Vec::new();
        }
        match said {
            Said::Opened => vec![Due::wake(now + PING)],
            Said::Woken => self.wake(now),
            Said::Frame(frame) => self.frame(frame, now),
            Said::Lost(_) => Vec::new(),
        }
    }

    fn end(&mut self, now: Duration, code: u16, reason: &str) -> Vec<Due> {
        self.closed = true;
        match self.does {
            "ends-without-close" | "resets" => vec![Due::end(now + MS, End::Reset)],
            "close-without-code" => vec![Due::close(now + MS, None, ""), Due::end(now + 2 * MS, End::Closed)],
            _ => vec![Due::close(now + MS, Some(code), reason), Due::end(now + 2 * MS, End::Closed)],
        }
    }

    fn wake(&mut self, now: Duration) -> Vec<Due> {
        let age = now.saturating_sub(self.opened);
        if self.does("unexplained-drop") && age > Duration::from_millis(1_200) {
            self.closed = true;
            return vec![Due::end(now, End::Closed)];
        }
        if self.does("goes-away") && age > Duration::from_millis(1_200) {
            return self.end(now, 1001, "");
        }
        let dropped = self.does("drops-the-living") && age > 2 * TIMEOUT;
        let missing = self.unanswered.is_some_and(|since| now.saturating_sub(since) >= TIMEOUT);
        if dropped || missing && !self.does("never-drops-dead") {
            return self.end(now, 1011, "keepalive ping timeout");
        }
        if self.does("silent") {
            return vec![Due::wake(now + PING)];
        }
        self.unanswered.get_or_insert(now);
        vec![Due::frame(now, Opcode::Ping, "beat"), Due::wake(now + PING)]
    }

    fn frame(&mut self, frame: &Outgoing, now: Duration) -> Vec<Due> {
        let broken = !frame.masked && !self.does("takes-unmasked")
            || frame.rsv != 0
            || matches!(frame.opcode, Opcode::Reserved(_)) && !self.does("takes-reserved")
            || frame.opcode.is_control() && (!frame.fin || frame.payload.len() > 125)
            || frame.opcode == Opcode::Continuation && self.partial.is_none();
        if broken {
            return self.end(now, 1002, "");
        }
        match frame.opcode {
            Opcode::Ping => self.ping(frame, now),
            Opcode::Pong => {
                self.unanswered = None;
                Vec::new()
            }
            Opcode::Close => self.close(frame, now),
            Opcode::Reserved(_) | Opcode::Binary => Vec::new(),
            Opcode::Text | Opcode::Continuation => {
                let mut whole = self.partial.take().unwrap_or_default();
                whole.extend_from_slice(&frame.payload);
                if !frame.fin {
                    self.partial = Some(whole);
                    return Vec::new();
                }
                self.message(&whole, now)
            }
        }
    }

    fn ping(&mut self, frame: &Outgoing, now: Duration) -> Vec<Due> {
        let mut octets = frame.payload.to_vec();
        match self.does {
            "no-pong" => return Vec::new(),
            "no-pong-once" if !self.spared.swap(true, Ordering::Relaxed) => return Vec::new(),
            "pong-altered" if !octets.is_empty() => octets[0] ^= 1,
            "drops-on-fragmented-ping" if self.partial.is_some() => return self.end(now, 1002, ""),
            _ => {}
        }
        vec![Due::frame(now + MS, Opcode::Pong, octets)]
    }

    fn close(&mut self, frame: &Outgoing, now: Duration) -> Vec<Due> {
        match self.does {
            "no-close-reply" => return Vec::new(),
            "closes-tcp-only" => {
                self.closed = true;
                return vec![Due::end(now + MS, End::Closed)];
            }
            "illegal-close-code" => {
                return vec![Due::close(now + MS, Some(1005), ""), Due::end(now + 2 * MS, End::Closed)];
            }
            "data-after-close" => {
                let data = Due::text(now + 2 * MS, r#"{"type":"order"}"#);
                return vec![Due::close(now + MS, Some(1000), ""), data, Due::end(now + 3 * MS, End::Closed)];
            }
            _ => {}
        }
        self.closed = true;
        let close = if self.does("close-without-code") {
            Due::close(now + MS, None, "")
        } else {
            Due::frame(now + MS, Opcode::Close, frame.payload.clone())
        };
        vec![close, Due::end(now + 2 * MS, End::Closed)]
    }

    fn message(&mut self, octets: &[u8], now: Duration) -> Vec<Due> {
        let Ok(text) = std::str::from_utf8(octets) else { return self.end(now, 1007, "") };
        if text.len() > 65_536 && !self.does("takes-anything") {
            return self.end(now, 1009, "");
        }
        let message: Value = serde_json::from_str(text).unwrap_or_default();
        if message["op"] == "subscribe" {
            return vec![Due::text(now + MS, r#"{"type":"subscribed"}"#)];
        }
        match self.does {
            "silent-on-error" | "takes-anything" => return Vec::new(),
            "drops-on-error" => return self.end(now, 1003, ""),
            _ => {}
        }
        let error = json!({"type": "error", "code": "malformed", "request_id": message["request_id"]});
        vec![Due::text(now + MS, error.to_string())]
    }
}
