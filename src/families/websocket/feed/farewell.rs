//! The end of a stream, as we make it.

use super::{FAREWELL, Feed, Heard, MOST_KEPT, MOST_OCTETS, Message, offered};
use crate::exchange::{Frame, Opcode, Outgoing, Received};

/// So many octets after a closing handshake was begun are more than was under way: the stream will not come to its end.
const FLOOD_OCTETS: u64 = 32 << 20;
/// So many frames say the same where they still come when the time is up.
const FLOOD: u64 = 50_000;

/// What closing came to.
#[derive(Debug)]
pub(in super::super) struct Farewell {
    /// Messages that came until the end.
    pub(in super::super) messages: Vec<Message>,
}

impl Feed<'_> {
    /// Closes it in order and waits up to two seconds for the peer to do the same; what comes meanwhile is not read. Says so
    /// if it is far too much.
    pub(in super::super) async fn leave(mut self) -> Option<String> {
        if self.ended.is_some() {
            return None;
        }
        let sent = offered(self.session, self.line.as_mut(), Outgoing::close(Some(1000), "")).await;
        if matches!(sent, Some(Err(_))) {
            return None;
        }
        let (mut count, mut octets) = (0, 0);
        let is_close = |frame: &Frame| frame.opcode == Opcode::Close;
        let until = self.session.now() + FAREWELL;
        let mut closed = self.frames.any(|frame| is_close(&frame));
        let mut frames = Vec::new();
        while !closed && self.line.receive(&mut frames, until).await == Received::Frames {
            count += frames.len() as u64;
            octets += frames.iter().map(|frame| frame.payload.len() as u64).sum::<u64>();
            closed = frames.drain(..).any(|frame| is_close(&frame));
            let late = self.session.now() >= until;
            if !closed && (octets > FLOOD_OCTETS || late && count > FLOOD) {
                return Some(format!(
                    "the stream does not come to its end: {count} frames, {octets} octets came after it was closed"
                ));
            }
            if late {
                break;
            }
        }
        None
    }

    /// Closes it in order, with this code or none, and waits up to two seconds for the peer to do the same.
    pub(in super::super) async fn close(mut self, code: Option<u16>) -> Farewell {
        let mut messages: Vec<Message> = std::mem::take(&mut self.kept).into();
        if self.ended.is_none() && self.line.send(Outgoing::close(code, "")).await.is_ok() {
            // The peer's close frame is an answer, not to be answered.
            self.muted = true;
            let until = self.session.now() + FAREWELL;
            let mut octets = 0;
            while let Heard::Message(message) = self.hear(until).await
                && self.session.now() < until + FAREWELL
            {
                octets += message.text.len();
                if messages.len() < MOST_KEPT && octets < MOST_OCTETS {
                    messages.push(*message);
                }
            }
        }
        Farewell { messages }
    }
}
