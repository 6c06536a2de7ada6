//! From frames to what they mean (RFC 6455 §5.4, §5.5, §8.1), and what must not be sent.

use super::{
    compression::inflate,
    frame::{BINARY, CLOSE, COMPRESSED, CONTINUATION, Frame, LARGEST, PING, PONG, TEXT},
};
use crate::reference::{
    behaviour::Behaviour,
    defects::stream::{DROPS_ON_FRAGMENTED_PING, TAKES_RESERVED, TAKES_UNMASKED},
};

/// What a frame came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// More is needed, or it means nothing.
    Nothing,
    Text(String),
    Ping(Vec<u8>),
    Pong,
    /// The peer sends nothing more; with its code, if it gave one.
    Close(Option<u16>),
    /// The connection has failed (RFC 6455 §7.1.7): the code and the reason to give.
    Failed(u16, &'static str),
}

/// Puts messages together.
pub(super) struct Assembly {
    is: Behaviour,
    /// Whether messages may be compressed.
    compression: bool,
    begun: Option<Begun>,
}

struct Begun {
    opcode: u8,
    compressed: bool,
    payload: Vec<u8>,
}

impl Assembly {
    pub(super) fn new(is: Behaviour, compression: bool) -> Self {
        Self { is, compression, begun: None }
    }

    pub(super) fn take(&mut self, frame: Frame) -> Heard {
        if !frame.masked && !self.is.has(TAKES_UNMASKED) {
            return Heard::Failed(1002, "a frame of a client must be masked");
        }
        let starts = [TEXT, BINARY].contains(&frame.opcode);
        let compressed = frame.rsv == COMPRESSED && self.compression && starts;
        if frame.rsv != 0 && !compressed && !self.is.has(TAKES_RESERVED) {
            return Heard::Failed(1002, "a reserved bit is set");
        }
        let is_control = frame.opcode >= CLOSE;
        if is_control && (!frame.fin || frame.payload.len() > 125) {
            return Heard::Failed(1002, "a control frame is fragmented or too long");
        }
        match frame.opcode {
            CONTINUATION | TEXT | BINARY => self.data(frame, compressed),
            PING if self.begun.is_some() && self.is.has(DROPS_ON_FRAGMENTED_PING) => {
                Heard::Failed(1002, "a ping came between the fragments of a message")
            }
            PING => Heard::Ping(frame.payload),
            PONG => Heard::Pong,
            CLOSE => close(&frame.payload),
            _ if self.is.has(TAKES_RESERVED) => Heard::Nothing,
            _ => Heard::Failed(1002, "the opcode is reserved"),
        }
    }

    fn data(&mut self, frame: Frame, compressed: bool) -> Heard {
        let begun = match (self.begun.take(), frame.opcode) {
            (Some(mut begun), CONTINUATION) => {
                begun.payload.extend_from_slice(&frame.payload);
                begun
            }
            (None, CONTINUATION) => return Heard::Failed(1002, "nothing was begun that this could continue"),
            (Some(_), _) => return Heard::Failed(1002, "a message was begun and is not complete"),
            (None, opcode) => Begun { opcode, compressed, payload: frame.payload },
        };
        if begun.payload.len() > LARGEST {
            return Heard::Failed(1009, TOO_LARGE);
        }
        if !frame.fin {
            self.begun = Some(begun);
            return Heard::Nothing;
        }
        if begun.opcode == BINARY {
            return Heard::Failed(1003, "messages are text");
        }
        let payload = if begun.compressed {
            match inflate(&begun.payload, LARGEST) {
                Ok(payload) => payload,
                Err(true) => return Heard::Failed(1009, TOO_LARGE),
                Err(false) => return Heard::Failed(1007, "the message cannot be decompressed"),
            }
        } else {
            begun.payload
        };
        String::from_utf8(payload).map_or(Heard::Failed(1007, "text must be UTF-8"), Heard::Text)
    }
}

/// The reason given for a message over [`LARGEST`].
pub(super) const TOO_LARGE: &str = "a message may have at most 65536 octets";

/// RFC 6455 §7.4: which codes may be sent.
fn close(payload: &[u8]) -> Heard {
    match payload {
        [] => Heard::Close(None),
        [_] => Heard::Failed(1002, "half a close code"),
        [high, low, reason @ ..] => {
            let code = u16::from_be_bytes([*high, *low]);
            let legal = matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999);
            if !legal {
                Heard::Failed(1002, "the close code must not be sent")
            } else if std::str::from_utf8(reason).is_err() {
                Heard::Failed(1007, "the reason must be UTF-8")
            } else {
                Heard::Close(Some(code))
            }
        }
    }
}
