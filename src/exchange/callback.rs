//! Callbacks: what a target sends to us, and how we answer it.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, SystemTime},
};

use aws_lc_rs::digest;
use bytes::Bytes;
use url::Url;

use super::{ExchangeId, Headers};

/// The purpose under which callbacks are recorded.
pub const CALLBACK: &str = "callback from the target";
/// The name under which whoever sends them is recorded.
pub const CALLER: &str = "target";

/// How a delivery is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// With this status, these header fields, and this content.
    Respond(u16, Headers, Bytes),
    /// Not at all: the connection is held until the caller gives up, or this long.
    Hang(Duration),
    /// With a connection reset in place of a response.
    Reset,
}

impl Answer {
    /// With this status and nothing else.
    pub fn status(status: u16) -> Self {
        Self::Respond(status, Headers::default(), Bytes::new())
    }

    /// Whether it tells the caller that the delivery arrived.
    pub const fn is_acknowledgement(&self) -> bool {
        matches!(self, Self::Respond(200..=299, ..))
    }
}

/// A callback as it arrived.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The number it is cited by.
    pub id: ExchangeId,
    /// The method.
    pub method: String,
    /// The whole URL it was sent to, as registered, with any query.
    pub url: Url,
    /// The header fields as received.
    pub headers: Headers,
    /// The exact octets of the content.
    pub body: Bytes,
    /// When its last octet came, since the start of the run (monotonic).
    pub received: Duration,
    /// The same instant on this machine's clock.
    pub clock: SystemTime,
    /// How it was answered.
    pub answered: Answer,
}

/// How the deliveries to one address are answered.
#[derive(Debug)]
pub struct Answers {
    next: VecDeque<Answer>,
    alike: Vec<Answer>,
    otherwise: Answer,
    /// How often each content was answered by `alike`.
    seen: HashMap<Vec<u8>, usize>,
}

/// So many different contents are told apart.
const CONTENTS: usize = 1_000;

impl Default for Answers {
    fn default() -> Self {
        Self { next: VecDeque::new(), alike: Vec::new(), otherwise: Answer::status(200), seen: HashMap::new() }
    }
}

impl Answers {
    /// The deliveries that come from now on are answered like this, in their order, before anything else applies.
    pub fn next(&mut self, answers: Vec<Answer>) {
        self.next = answers.into();
    }

    /// From now on the first delivery of each content is answered with the first of these, the next one with the same
    /// content with the second, and so on; then, and where contents become too many to tell apart, with `otherwise`.
    pub fn alike(&mut self, answers: Vec<Answer>, otherwise: Answer) {
        (self.alike, self.otherwise) = (answers, otherwise);
        self.seen.clear();
    }

    /// The answer to a delivery with this content.
    pub fn take(&mut self, body: &[u8]) -> Answer {
        if let Some(answer) = self.next.pop_front() {
            return answer;
        }
        if self.alike.is_empty() {
            return self.otherwise.clone();
        }
        let content = digest::digest(&digest::SHA256, body).as_ref().to_vec();
        if self.seen.len() >= CONTENTS && !self.seen.contains_key(&content) {
            return self.otherwise.clone();
        }
        let times = self.seen.entry(content).or_default();
        *times += 1;
        self.alike.get(*times - 1).unwrap_or(&self.otherwise).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_content_has_its_own_sequence_of_answers() {
        let mut answers = Answers::default();
        assert_eq!(answers.take(b"x"), Answer::status(200));
        answers.alike(vec![Answer::status(500), Answer::Reset], Answer::status(202));
        answers.next(vec![Answer::status(410)]);
        let taken: Vec<_> = [b"a", b"a", b"b", b"a", b"b", b"a"].iter().map(|body| answers.take(*body)).collect();
        let expected = [
            Answer::status(410),
            Answer::status(500),
            Answer::status(500),
            Answer::Reset,
            Answer::Reset,
            Answer::status(202),
        ];
        assert_eq!(taken, expected);
    }

    #[test]
    fn contents_without_end_are_acknowledged() {
        let mut answers = Answers::default();
        answers.alike(vec![Answer::Reset], Answer::status(200));
        for number in 0..CONTENTS {
            assert_eq!(answers.take(number.to_string().as_bytes()), Answer::Reset);
        }
        assert!(answers.take(b"one more").is_acknowledgement());
    }
}
