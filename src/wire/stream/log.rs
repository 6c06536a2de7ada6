//! What is kept of a stream while it goes on: how much was said, and the first and the last frames.

use std::{collections::VecDeque, time::Duration};

use crate::exchange::{End, Opcode, Tally};

/// So many frames are kept of the beginning, and of the end.
const KEPT: usize = 50;
/// So many octets are kept of each.
const HEAD: usize = 256;

/// The account of a stream; nothing in it is redacted yet.
#[derive(Debug, Clone, Default)]
pub struct Log {
    /// The first frames.
    pub first: Vec<Noted>,
    /// How many came after them and are not kept.
    pub left_out: u64,
    /// The last frames.
    pub last: VecDeque<Noted>,
    /// What we sent.
    pub sent: Tally,
    /// What came.
    pub received: Tally,
    /// How it ended.
    pub ending: Option<Ending>,
}

/// A frame as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// When it was sent or read, since the wire was made.
    pub at: Duration,
    /// Whether we sent it.
    pub ours: bool,
    /// Whether the message ends with it.
    pub fin: bool,
    /// The three reserved bits, RSV1 as 4.
    pub rsv: u8,
    /// Whether it was masked.
    pub masked: bool,
    /// What it is.
    pub opcode: Opcode,
    /// The length of its content, in octets.
    pub length: u64,
    /// The first 256 octets of its content.
    pub head: Vec<u8>,
}

/// How a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// When, since the wire was made.
    pub at: Duration,
    /// Whether we ended it.
    pub ours: bool,
    /// How.
    pub how: End,
}

impl Log {
    /// Takes note of a frame, whose head is that of `payload`.
    pub(super) fn note(&mut self, frame: Noted, payload: &[u8]) {
        let tally = if frame.ours { &mut self.sent } else { &mut self.received };
        tally.frames += 1;
        tally.octets += frame.length;
        let head = &payload[..payload.len().min(HEAD)];
        if self.first.len() < KEPT {
            return self.first.push(Noted { head: head.to_vec(), ..frame });
        }
        let mut room = Vec::new();
        if self.last.len() >= KEPT {
            self.left_out += 1;
            // Its memory is used again: there may be millions of frames.
            room = self.last.pop_front().map_or_else(Vec::new, |old| old.head);
            room.clear();
        }
        room.extend_from_slice(head);
        self.last.push_back(Noted { head: room, ..frame });
    }

    /// Takes note of the end, the first time.
    pub(super) fn end(&mut self, at: Duration, ours: bool, how: End) {
        self.ending.get_or_insert(Ending { at, ours, how });
    }

    /// How many octets of content it holds.
    pub fn size(&self) -> usize {
        self.first.iter().chain(&self.last).map(|frame| frame.head.len()).sum()
    }

    /// The same without any frames.
    #[must_use]
    pub fn brief(&self) -> Self {
        let kept = (self.first.len() + self.last.len()) as u64;
        Self {
            left_out: self.left_out + kept,
            ending: self.ending.clone(),
            ..Self { sent: self.sent, received: self.received, ..Self::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(number: u64, ours: bool) -> Noted {
        let (at, opcode) = (Duration::from_millis(number), Opcode::Text);
        Noted { at, ours, fin: true, rsv: 0, masked: ours, opcode, length: 1_000, head: Vec::new() }
    }

    #[test]
    fn the_first_and_the_last_are_kept_and_everything_is_counted() {
        let mut log = Log::default();
        for number in 0..1_000 {
            let payload = vec![u8::try_from(number % 251).unwrap(); 1_000];
            log.note(noted(number, number % 10 == 0), &payload);
        }
        log.end(Duration::from_secs(1), false, End::Reset);
        log.end(Duration::from_secs(2), true, End::Closed);
        assert_eq!((log.first.len(), log.left_out, log.last.len()), (50, 900, 50));
        assert_eq!((log.last[0].at, log.last[0].head.len()), (Duration::from_millis(950), 256));
        assert_eq!(log.last[49].head[0], u8::try_from(999 % 251).unwrap());
        assert_eq!((log.sent, log.received.octets), (Tally { frames: 100, octets: 100_000 }, 900_000));
        assert!(log.ending.as_ref().is_some_and(|end| !end.ours && end.how == End::Reset));
        assert_eq!((log.size(), log.brief().size(), log.brief().left_out), (100 * 256, 0, 1_000));
    }
}
