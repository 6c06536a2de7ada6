//! Callbacks: what a target sends to us, and how we answer it.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, SystemTime},
};

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

/// Which deliveries bring the same, by their header fields and content: those for which it says the same.
pub type Sameness = Arc<dyn Fn(&Headers, &[u8]) -> String + Send + Sync>;

/// How the deliveries to one address are answered.
pub struct Answers {
    next: VecDeque<Answer>,
    alike: Vec<Answer>,
    otherwise: Answer,
    sameness: Option<Sameness>,
    /// How often what brings the same was answered by `alike`.
    seen: HashMap<String, usize>,
}

/// So many different things are told apart.
const DIFFERENT: usize = 1_000;

impl Default for Answers {
    fn default() -> Self {
        Self {
            next: VecDeque::new(),
            alike: Vec::new(),
            otherwise: Answer::status(200),
            sameness: None,
            seen: HashMap::new(),
        }
    }
}

impl Answers {
    /// The deliveries that come from now on are answered like this, in their order, before anything else applies.
    pub fn next(&mut self, answers: Vec<Answer>) {
        self.next = answers.into();
    }

    /// From now on the first delivery of what is the same is answered with the first of these, the next one with the
    /// second, and so on; then, and where there is too much to tell apart, with `otherwise`.
    pub fn alike(&mut self, sameness: Sameness, answers: Vec<Answer>, otherwise: Answer) {
        (self.sameness, self.alike, self.otherwise) = (Some(sameness), answers, otherwise);
        self.seen.clear();
    }

    /// From now on, every delivery is answered like this once those of [`Answers::next`] are used up.
    pub fn always(&mut self, answer: Answer) {
        (self.alike, self.otherwise) = (Vec::new(), answer);
    }

    /// The answer to a delivery.
    pub fn take(&mut self, headers: &Headers, body: &[u8]) -> Answer {
        if let Some(answer) = self.next.pop_front() {
            return answer;
        }
        let Some(sameness) = self.sameness.as_ref().filter(|_| !self.alike.is_empty()) else {
            return self.otherwise.clone();
        };
        let what = sameness(headers, body);
        if self.seen.len() >= DIFFERENT && !self.seen.contains_key(&what) {
            return self.otherwise.clone();
        }
        let times = self.seen.entry(what).or_default();
        *times += 1;
        self.alike.get(*times - 1).unwrap_or(&self.otherwise).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_content() -> Sameness {
        Arc::new(|_, body| String::from_utf8_lossy(body).into_owned())
    }

    fn take(answers: &mut Answers, body: &str) -> Answer {
        answers.take(&Headers::default(), body.as_bytes())
    }

    #[test]
    fn what_is_the_same_has_its_own_sequence_of_answers() {
        let mut answers = Answers::default();
        assert_eq!(take(&mut answers, "x"), Answer::status(200));
        answers.alike(by_content(), vec![Answer::status(500), Answer::Reset], Answer::status(202));
        answers.next(vec![Answer::status(410)]);
        let taken: Vec<_> = ["a", "a", "b", "a", "b", "a"].iter().map(|body| take(&mut answers, body)).collect();
        let expected = [
            Answer::status(410),
            Answer::status(500),
            Answer::status(500),
            Answer::Reset,
            Answer::Reset,
            Answer::status(202),
        ];
        assert_eq!(taken, expected);
        answers.always(Answer::status(204));
        assert_eq!(take(&mut answers, "new"), Answer::status(204));
    }

    #[test]
    fn what_is_different_without_end_is_acknowledged() {
        let mut answers = Answers::default();
        answers.alike(by_content(), vec![Answer::Reset], Answer::status(200));
        for number in 0..DIFFERENT {
            assert_eq!(take(&mut answers, &number.to_string()), Answer::Reset);
        }
        assert!(take(&mut answers, "one more").is_acknowledgement());
    }
}
