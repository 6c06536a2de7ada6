//! Whether numbers follow one another, in memory that does not grow with the stream.

use std::{collections::HashMap, hash::BuildHasher, time::Duration};

use foldhash::fast::RandomState;
use serde::{Deserialize, Serialize};

use super::{
    super::config::{Counted, Per, Sequence},
    Kind, Message,
};

/// The most keys whose numbers are followed; messages of further ones are only counted.
pub(super) const MOST_SCOPES: usize = 10_000;
/// The most irregularities that are kept.
const MOST_KEPT: usize = 100;
/// How many numbers back a repetition can be compared with what it repeats.
const RECENT: usize = 4_096;
/// How much is kept of the message before, in octets.
const HEAD: usize = 160;

/// What was seen of the numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Counts {
    /// Messages that have a number and should.
    pub(in super::super) numbered: u64,
    /// Messages that should have a number and have none.
    pub(in super::super) unnumbered: u64,
    /// What is numbered by itself.
    pub(in super::super) scopes: u64,
    /// Messages that were not followed, because there were too many of those.
    pub(in super::super) unfollowed: u64,
    /// Messages that tell of a gap, snapshots, and messages too long to be read: what follows them begins anew.
    pub(in super::super) signals: u64,
    /// Irregularities by kind.
    pub(in super::super) flaws: Vec<(FlawKind, u64)>,
    /// The first of them.
    pub(in super::super) examples: Vec<Flaw>,
}

/// How numbers do not follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum FlawKind {
    /// Numbers were skipped.
    Gap,
    /// Numbers that were skipped came after all, out of order.
    Late,
    /// A number came again with the same content.
    Repeated,
    /// A number came again with other content, or a range overlaps the one before.
    Altered,
    /// A number that is too old to say what was there before.
    Backwards,
}

/// One irregularity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Flaw {
    /// Which.
    pub(in super::super) kind: FlawKind,
    /// What is numbered by itself; empty for the whole stream.
    pub(in super::super) scope: String,
    /// The number before.
    pub(in super::super) before: u64,
    /// The numbers concerned, skipped or come again, first and last.
    pub(in super::super) first: u64,
    /// See `first`.
    pub(in super::super) last: u64,
    /// How many skipped numbers never came.
    pub(in super::super) missing: u64,
    /// When it was noticed, since the start of the run.
    pub(in super::super) at: Duration,
    /// The beginning of the message before.
    pub(in super::super) earlier: String,
    /// The beginning of the message.
    pub(in super::super) message: String,
}

impl Counts {
    /// How many irregularities of this kind.
    pub(in super::super) fn of(&self, kind: FlawKind) -> u64 {
        self.flaws.iter().find(|(known, _)| *known == kind).map_or(0, |(_, number)| *number)
    }

    fn add(&mut self, flaw: Flaw) {
        match self.flaws.iter_mut().find(|(known, _)| *known == flaw.kind) {
            Some((_, number)) => *number += 1,
            None => self.flaws.push((flaw.kind, 1)),
        }
        if self.examples.len() < MOST_KEPT {
            self.examples.push(flaw);
        }
    }
}

#[derive(Clone, Default)]
struct Scope {
    /// The last number; none right after the beginning or a signal.
    last: Option<u64>,
    /// The beginning of the last message.
    head: Vec<u8>,
    /// Whether there was more of it.
    cut: bool,
}

/// A number that was given out.
#[derive(Clone)]
struct Given {
    scope: usize,
    number: u64,
    /// Of the whole message.
    digest: u64,
}

/// Follows the numbers of a feed.
#[derive(Clone)]
pub(in super::super) struct Tracker {
    per: Per,
    jumps: bool,
    counts: Vec<Counted>,
    names: HashMap<String, usize, RandomState>,
    /// The scope without a name.
    whole: Option<usize>,
    scopes: Vec<Scope>,
    /// The last ones, written over in turn; looked through only where numbers are irregular.
    recent: Vec<Given>,
    next: usize,
    hasher: RandomState,
    seen: Counts,
}

impl Tracker {
    /// Of a stream numbered like this.
    pub(in super::super) fn new(sequence: &Sequence) -> Self {
        Self {
            per: sequence.per,
            jumps: sequence.jumps,
            counts: sequence.counts.clone(),
            names: HashMap::default(),
            whole: None,
            scopes: Vec::new(),
            recent: Vec::new(),
            next: 0,
            hasher: RandomState::default(),
            seen: Counts::default(),
        }
    }

    /// Takes note of the next message.
    pub(in super::super) fn observe(&mut self, message: &Message) {
        if !is_numbered(message.kind, &self.counts) {
            // What a message says that is too long to be read is not known; it may have had numbers.
            if message.cut || is_signal(message.kind) {
                self.seen.signals += 1;
                self.scopes.iter_mut().for_each(|scope| scope.last = None);
            }
            return;
        }
        let (Some(first), Some(last)) = (message.first, message.last) else {
            // A message of another kind need not have one of its own.
            self.seen.unnumbered += u64::from(message.kind == Kind::Data);
            return;
        };
        let first = first.min(last);
        let name = scope_of(message, self.per);
        // Comparing texts of no length is far from free on some processors.
        let known = if name.is_empty() { self.whole } else { self.names.get(name).copied() };
        let index = if let Some(index) = known {
            index
        } else {
            if self.scopes.len() >= MOST_SCOPES {
                self.seen.unfollowed += 1;
                return;
            }
            if name.is_empty() {
                self.whole = Some(self.scopes.len());
            } else {
                self.names.insert(name.to_owned(), self.scopes.len());
            }
            self.scopes.push(Scope::default());
            self.seen.scopes += 1;
            self.scopes.len() - 1
        };
        let Some(scope) = self.scopes.get_mut(index) else { return };
        self.seen.numbered += 1;
        let given = Given { scope: index, number: last, digest: self.hasher.hash_one(&message.text[..]) };
        if let Some(before) = scope.last
            && first != before.saturating_add(1)
        {
            let flaw = |kind, first: u64, last: u64, missing| Flaw {
                kind,
                scope: name.to_owned(),
                before,
                first,
                last,
                missing,
                at: message.at,
                earlier: format!("{}{}", String::from_utf8_lossy(&scope.head), if scope.cut { "…" } else { "" }),
                message: message.excerpt(),
            };
            if first > before {
                let missing = first - before - 1;
                if !self.jumps {
                    self.seen.add(flaw(FlawKind::Gap, before + 1, first - 1, missing));
                }
            } else {
                let (newer, older) = (&self.recent[..self.next], &self.recent[self.next..]);
                let mut known = newer.iter().rev().chain(older.iter().rev());
                let kind = match known.find(|known| known.scope == index && known.number == last) {
                    Some(known) if known.digest == given.digest => FlawKind::Repeated,
                    Some(_) => FlawKind::Altered,
                    None if last > before => FlawKind::Altered,
                    None if fill(&mut self.seen.examples, name, first, last) => FlawKind::Late,
                    None => FlawKind::Backwards,
                };
                self.seen.add(flaw(kind, first, last, 0));
            }
        }
        match self.recent.get_mut(self.next) {
            Some(oldest) => *oldest = given,
            None => self.recent.push(given),
        }
        self.next = (self.next + 1) % RECENT;
        scope.last = Some(scope.last.map_or(last, |before| before.max(last)));
        scope.head.clear();
        scope.head.extend_from_slice(&message.text[..message.text.len().min(HEAD)]);
        scope.cut = message.text.len() > HEAD;
    }

    /// What was seen.
    pub(in super::super) fn finish(self) -> Counts {
        self.seen
    }
}

/// Whether messages of this kind have a number, these kinds beside data being numbered.
pub(super) fn is_numbered(kind: Kind, counts: &[Counted]) -> bool {
    let counted = match kind {
        Kind::Data => return true,
        Kind::Heartbeat => Counted::Heartbeat,
        Kind::Acknowledgement => Counted::Acknowledgement,
        Kind::Error => Counted::Error,
        Kind::Snapshot => Counted::Snapshot,
        Kind::Gap | Kind::Other => return false,
    };
    counts.contains(&counted)
}

/// Whether what follows may begin anew.
pub(super) const fn is_signal(kind: Kind) -> bool {
    matches!(kind, Kind::Gap | Kind::Snapshot)
}

/// What a message is numbered within; empty for the whole stream.
pub(super) fn scope_of(message: &Message, per: Per) -> &str {
    match per {
        Per::Key => message.scope.as_deref().unwrap_or_default(),
        Per::Stream | Per::Connection => "",
    }
}

/// Whether numbers were skipped before; then they are missing no more.
fn fill(examples: &mut [Flaw], scope: &str, first: u64, last: u64) -> bool {
    let gap = examples
        .iter_mut()
        .find(|flaw| flaw.kind == FlawKind::Gap && flaw.scope == scope && flaw.first <= first && last <= flaw.last);
    gap.map(|gap| gap.missing = gap.missing.saturating_sub(last - first + 1)).is_some()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;

    fn sequence(more: &serde_json::Value) -> Sequence {
        let mut whole = json!({"last": "$.n"});
        whole.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    fn data(first: u64, last: u64, scope: &str, text: &str) -> Message {
        Message {
            kind: Kind::Data,
            first: Some(first),
            last: Some(last),
            scope: Some(scope.into()),
            ..Message::other(Bytes::copy_from_slice(text.as_bytes()))
        }
    }

    fn counted(sequence: &Sequence, messages: &[Message]) -> Counts {
        let mut tracker = Tracker::new(sequence);
        for message in messages {
            tracker.observe(message);
        }
        tracker.finish()
    }

    fn numbers(numbers: &[u64]) -> Vec<Message> {
        numbers.iter().map(|n| data(*n, *n, "", &format!("m{n}"))).collect()
    }

    #[test]
    fn numbers_that_follow_one_another_are_regular_wherever_they_begin() {
        let counts = counted(&sequence(&json!({})), &numbers(&[41, 42, 43]));
        assert_eq!((counts.numbered, counts.flaws.len()), (3, 0));
        let ranges = [data(5, 5, "", "a"), data(6, 9, "", "b"), data(10, 10, "", "c")];
        assert_eq!(counted(&sequence(&json!({"first": "$.m"})), &ranges).flaws, []);
        let keys = [data(1, 1, "A", "a"), data(7, 7, "B", "b"), data(2, 2, "A", "c"), data(8, 8, "B", "d")];
        assert_eq!(counted(&sequence(&json!({"per": "key", "key": "$.k"})), &keys).flaws, []);
        assert_eq!(counted(&sequence(&json!({})), &keys).of(FlawKind::Gap), 1);
    }

    #[test]
    fn every_irregularity_has_a_name() {
        let of = |list: &[u64]| counted(&sequence(&json!({})), &numbers(list));
        let gap = of(&[1, 2, 5, 6]);
        assert_eq!((gap.of(FlawKind::Gap), gap.examples[0].first, gap.examples[0].last), (1, 3, 4));
        assert_eq!((gap.examples[0].missing, gap.examples[0].earlier.as_str()), (2, "m2"));
        let late = of(&[1, 3, 2, 4]);
        assert_eq!((late.of(FlawKind::Gap), late.of(FlawKind::Late), late.examples[0].missing), (1, 1, 0));
        assert_eq!(of(&[1, 2, 2, 3]).flaws, [(FlawKind::Repeated, 1)]);
        assert_eq!(of(&[100, 3]).flaws, [(FlawKind::Backwards, 1)]);
        let altered = [data(1, 1, "", "a"), data(2, 2, "", "b"), data(2, 2, "", "c"), data(3, 3, "", "d")];
        assert_eq!(counted(&sequence(&json!({})), &altered).flaws, [(FlawKind::Altered, 1)]);
        assert_eq!(
            counted(&sequence(&json!({})), &[data(1, 5, "", "a"), data(4, 8, "", "b")]).of(FlawKind::Altered),
            1
        );
    }

    #[test]
    fn what_follows_a_signal_begins_anew_and_declared_jumps_are_regular() {
        let mut messages = numbers(&[1, 2]);
        messages.push(Message { kind: Kind::Gap, ..Message::other(Bytes::new()) });
        messages.extend(numbers(&[9, 10]));
        messages.push(Message { cut: true, ..Message::other(Bytes::new()) });
        messages.extend(numbers(&[12, 13]));
        let counts = counted(&sequence(&json!({})), &messages);
        assert_eq!((counts.signals, counts.flaws.len()), (2, 0));
        assert_eq!(counted(&sequence(&json!({"jumps": true})), &numbers(&[1, 5])).flaws, []);
    }

    #[test]
    fn only_messages_that_take_a_number_count() {
        let mut messages = numbers(&[1]);
        messages.push(Message { kind: Kind::Acknowledgement, ..data(2, 2, "", "ack") });
        messages.extend(numbers(&[2, 3]));
        assert_eq!(counted(&sequence(&json!({})), &messages).flaws, []);
        assert_eq!(counted(&sequence(&json!({"counts": ["acknowledgement"]})), &messages).flaws.len(), 1);
    }

    #[test]
    fn memory_is_bounded() {
        let mut tracker = Tracker::new(&sequence(&json!({"per": "key", "key": "$.k"})));
        for n in 0..30_000_u64 {
            tracker.observe(&data(2 * n, 2 * n, &format!("k{}", n % 12_000), "x"));
        }
        assert!(tracker.recent.len() <= RECENT && tracker.scopes.len() <= MOST_SCOPES);
        let counts = tracker.finish();
        assert_eq!((counts.scopes, counts.examples.len()), (10_000, MOST_KEPT));
        assert!(counts.unfollowed > 0 && counts.of(FlawKind::Gap) > 100);
    }
}
