//! Other ways in which numbers may be meant to follow one another.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::{
    super::config::Sequence,
    Message,
    track::{MOST_SCOPES, is_numbered, is_signal, scope_of},
};

/// Whether numbers follow one another if they are read like this; nothing is asked of them once they do not.
pub(in super::super) struct Reading {
    sequence: Sequence,
    scopes: HashMap<String, Option<u64>, RandomState>,
    /// Whether there is a scope without a name, and its last number.
    whole: (bool, Option<u64>),
    numbered: u64,
    regular: bool,
}

impl Reading {
    /// Of a stream numbered like this.
    pub(in super::super) fn new(sequence: Sequence) -> Self {
        Self { sequence, scopes: HashMap::default(), whole: (false, None), numbered: 0, regular: true }
    }

    /// Takes note of the next message.
    pub(in super::super) fn observe(&mut self, message: &Message) {
        if !self.regular {
            return;
        }
        if !is_numbered(message.kind, &self.sequence.counts) {
            if is_signal(message.kind) {
                self.scopes.values_mut().chain([&mut self.whole.1]).for_each(|last| *last = None);
            }
            return;
        }
        let (Some(first), Some(number)) = (message.first, message.last) else { return };
        self.numbered += 1;
        let name = scope_of(message, self.sequence.per);
        let known = if name.is_empty() { self.whole.0.then_some(&mut self.whole.1) } else { self.scopes.get_mut(name) };
        let Some(last) = known else {
            self.regular = self.scopes.len() < MOST_SCOPES;
            if name.is_empty() {
                self.whole = (true, Some(number));
            } else {
                self.scopes.insert(name.to_owned(), Some(number));
            }
            return;
        };
        if let Some(before) = *last {
            let first = first.min(number);
            let jumps = self.sequence.jumps && first > before;
            self.regular = jumps || first == before.saturating_add(1);
        }
        *last = Some(last.map_or(number, |before| before.max(number)));
    }

    /// Whether each number followed the one before, in at least so many messages for each row of numbers.
    pub(in super::super) fn is_regular(&self, messages: u64) -> bool {
        let scopes = self.scopes.len() as u64 + u64::from(self.whole.0);
        self.regular && self.numbered >= messages * scopes.max(2)
    }
}
