//! One connection that is listened to.

use std::time::Duration;

use super::super::{
    config::{Config, Counted, Per, Sequence},
    evidence::Side,
    feed::{Feed, FlawKind, Kind, Message, Reading, Tracker},
};
use crate::families::Session;

/// So few numbered messages on average say nothing of how keys are numbered.
const PER_SCOPE: u64 = 4;

/// Counts what a connection says.
pub(super) struct Ear {
    tracker: Option<Tracker>,
    /// Other readings of the numbers, with what the suite would have to say.
    others: Vec<(Reading, &'static str)>,
    from: Duration,
    messages: u64,
    /// Events.
    pub(super) data: u64,
}

impl Ear {
    /// From now on.
    pub(super) fn new(config: &Config, session: &dyn Session) -> Self {
        let sequence = config.sequence.as_ref();
        let others = sequence.map(|sequence| others(config, sequence)).unwrap_or_default();
        Self { tracker: sequence.map(Tracker::new), others, from: session.now(), messages: 0, data: 0 }
    }

    /// The next message.
    pub(super) fn hear(&mut self, message: &Message) {
        self.messages += 1;
        self.data += u64::from(message.kind == Kind::Data);
        if let Some(tracker) = &mut self.tracker {
            tracker.observe(message);
        }
        self.others.iter_mut().for_each(|(reading, _)| reading.observe(message));
    }

    /// What there was to hear.
    pub(super) fn finish(self, feed: &Feed<'_>, session: &dyn Session) -> Side {
        let counts = self.tracker.map(Tracker::finish);
        let (from, to) = (self.from, session.now());
        let mut otherwise = None;
        if counts.as_ref().is_some_and(|counts| !counts.flaws.is_empty()) {
            let regular = self.others.into_iter().find(|(reading, _)| reading.is_regular(PER_SCOPE));
            otherwise = regular.map(|(_, how)| how.to_owned());
        }
        Side {
            exchange: feed.exchange(),
            lasted: to.saturating_sub(from),
            messages: self.messages,
            data: self.data,
            counts,
            otherwise,
            behind: feed.seen().behind.max(session.late(from, to)),
            ended: feed.ended().cloned(),
        }
    }
}

/// Readings of the numbers that suites may have meant.
fn others(config: &Config, sequence: &Sequence) -> Vec<(Reading, &'static str)> {
    let mut others = Vec::new();
    let whole = sequence.per != Per::Key;
    if whole && config.messages.key.is_some() {
        let per = Sequence { per: Per::Key, ..sequence.clone() };
        others.push((Reading::new(per), "they do for each key by itself (`per: key`)"));
    }
    if !whole {
        let per = Sequence { per: Per::Stream, ..sequence.clone() };
        others.push((Reading::new(per), "they do over all keys (`per: stream`)"));
    }
    let every = [Counted::Heartbeat, Counted::Snapshot, Counted::Acknowledgement, Counted::Error];
    for kind in every.into_iter().filter(|kind| !sequence.counts.contains(kind)) {
        let mut counts = sequence.counts.clone();
        counts.push(kind);
        let how = match kind {
            Counted::Heartbeat => "they do where heartbeats take a number, too (`counts: [heartbeat]`)",
            Counted::Snapshot => "they do where snapshots take a number, too (`counts: [snapshot]`)",
            Counted::Acknowledgement => {
                "they do where acknowledgements take a number, too (`counts: [acknowledgement]`)"
            }
            Counted::Error => "they do where errors take a number, too (`counts: [error]`)",
        };
        others.push((Reading::new(Sequence { counts, ..sequence.clone() }), how));
    }
    let all = Sequence { counts: every.to_vec(), ..sequence.clone() };
    others.push((Reading::new(all), "they do where messages of every kind take a number"));
    others
}

/// Whether numbers did not follow one another on a connection.
pub(super) fn is_irregular(side: &Side) -> bool {
    let kinds = [FlawKind::Gap, FlawKind::Late, FlawKind::Repeated, FlawKind::Altered, FlawKind::Backwards];
    side.counts.as_ref().is_some_and(|counts| kinds.iter().any(|kind| counts.of(*kind) > 0))
}
