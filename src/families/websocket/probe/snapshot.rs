//! Takes snapshots beside a stream, and brings them up to date by its deltas.

use std::time::Duration;

use super::{
    super::{
        config::{Config, Per, Snapshot},
        evidence::{Alignment, Blocked, Rebuilt, Snapshots, Stimulated},
        feed::{Feed, Heard, How, Kind, Message},
    },
    book::{Reader, Tables},
    steady::blocked,
    stimulus::Stimuli,
};
use crate::{
    exchange::ExchangeId,
    families::{PlannedCheck, Session},
    json::{Scalar, fields},
};

/// How often a snapshot is asked for until it is not older than the first delta.
const ATTEMPTS: u32 = 5;
/// How long is waited between them, and how long deltas are collected between two snapshots.
const BETWEEN: Duration = Duration::from_millis(150);
/// How many snapshots are rebuilt, and how many at most where one of them was not equal.
const REBUILT: usize = 3;
/// See [`REBUILT`].
const MOST_REBUILT: usize = 6;
/// The most events before a snapshot of the stream itself that are remembered.
const MOST_BEFORE: usize = 1_000;
/// The most deltas that are kept, and octets of them.
const MOST_DELTAS: usize = 50_000;
/// See [`MOST_DELTAS`].
const MOST_OCTETS: usize = 32 << 20;

/// Takes snapshots as the suite says, twice each way, and once more where one of two was apart.
pub(super) async fn probe(session: &dyn Session, config: &Config, plan: &PlannedCheck) -> Snapshots {
    let mut seen = Snapshots::default();
    let stimuli = Stimuli::new(session, config).filter(|_| plan.writes > 0);
    let stimuli = stimuli.as_ref();
    let mut made = Vec::new();
    let streamed = config.messages.snapshot.is_some() && config.messages.snapshot_sequence.is_some();
    let numbered = config.sequence.as_ref();
    if streamed && numbered.is_some() {
        for nth in 0..3 {
            if nth >= 2 && apart(&seen) != 1 || session.stopping() {
                break;
            }
            if let Err(why) = in_stream(session, config, stimuli, &mut seen, &mut made).await {
                seen.blocked = Some(why);
                break;
            }
        }
    }
    if let Some(snapshot) = config.snapshot.as_ref().filter(|_| numbered.is_some_and(|n| n.per != Per::Connection)) {
        let before = seen.alignments.len();
        for nth in 0..3 {
            let settled = seen.rebuilt.iter().filter(|one| !one.differences.is_empty()).count() != 1;
            if nth >= 1 && settled && (nth >= 2 && apart(&seen) != 1 || seen.alignments.len() == before) {
                break;
            }
            if session.stopping() {
                break;
            }
            let mut taken = match Taken::open(session, config, snapshot, stimuli).await {
                Ok(taken) => taken,
                Err(why) => {
                    seen.blocked = Some(why);
                    break;
                }
            };
            if let Err(why) = taken.follow(&mut seen).await {
                seen.blocked = Some(Blocked { why, exchange: Some(taken.feed.exchange()) });
            }
            seen.ends.extend(taken.feed.ended().cloned());
            made.extend(taken.made);
            taken.feed.close(Some(1000)).await;
        }
    }
    if let Some(stimuli) = stimuli {
        stimuli.undo(&made).await;
    }
    seen
}

/// Snapshots after which something is missing.
fn apart(seen: &Snapshots) -> usize {
    let apart = seen.alignments.iter().filter(|one| match (one.sequence, one.delta) {
        (Some(sequence), Some((first, _))) => first > sequence.saturating_add(1),
        (Some(sequence), None) => one.heard_from.is_some_and(|first| first > sequence.saturating_add(1)),
        _ => false,
    });
    apart.count()
}

/// A snapshot that the stream itself brings, and the first event after it.
async fn in_stream(
    session: &dyn Session,
    config: &Config,
    stimuli: Option<&Stimuli<'_>>,
    seen: &mut Snapshots,
    made: &mut Vec<Stimulated>,
) -> Result<(), Blocked> {
    let opened = Feed::open(session, config, How::to("take the snapshot that the stream brings")).await;
    let mut feed = opened.map_err(|why| blocked(&why))?;
    let mut until = session.now() + config.lag.0;
    let mut alignment: Option<Alignment> = None;
    let mut happened = false;
    // Events before the snapshot: with what comes after it they need leave no hole.
    let mut before: Vec<(Option<String>, u64, u64)> = Vec::new();
    while session.now() < until {
        match feed.next(until).await {
            Heard::Message(message) => match (message.kind, &mut alignment) {
                (Kind::Snapshot, None) => {
                    let sequence = message.snapshot_sequence;
                    let mut beyond = before.iter().filter(|(scope, _, last)| {
                        (message.scope.is_none() || *scope == message.scope)
                            && sequence.is_some_and(|known| *last > known)
                    });
                    let delta = beyond.next().map(|(_, first, last)| (*first, *last));
                    alignment = Some(Alignment {
                        stream: feed.exchange(),
                        snapshot: None,
                        key: message.scope.clone(),
                        sequence,
                        heard_from: None,
                        delta,
                        attempts: 1,
                    });
                    if delta.is_some() {
                        break;
                    }
                    until = session.now() + config.lag.0;
                    if let Some(stimuli) = stimuli.filter(|_| !happened) {
                        happened = true;
                        made.push(stimuli.make().await);
                    }
                }
                (Kind::Data, None) => {
                    if let (Some(first), Some(last)) = (message.first, message.last)
                        && before.len() < MOST_BEFORE
                    {
                        before.push((message.scope.clone(), first.min(last), last));
                    }
                }
                // A signal in between: what follows is not measured against this snapshot.
                (Kind::Gap | Kind::Snapshot, Some(known)) if known.key == message.scope => break,
                (Kind::Data, Some(known)) if known.key.is_none() || known.key == message.scope => {
                    if let (Some(first), Some(last)) = (message.first, message.last)
                        && known.sequence.is_none_or(|sequence| last > sequence)
                    {
                        known.delta = Some((first.min(last), last));
                        break;
                    }
                }
                _ => {}
            },
            Heard::Quiet | Heard::Stopped => break,
            Heard::Ended(ended) => {
                seen.ends.push(ended);
                break;
            }
        }
    }
    seen.alignments.extend(alignment);
    feed.close(Some(1000)).await;
    Ok(())
}

/// A stream whose deltas are kept, and snapshots that are taken beside it.
struct Taken<'a> {
    session: &'a dyn Session,
    config: &'a Config,
    snapshot: &'a Snapshot,
    feed: Feed<'a>,
    reader: Option<Reader>,
    /// What the snapshot is of, where there are several.
    key: Option<String>,
    /// The first key heard that is another one.
    other: Option<String>,
    deltas: Vec<Delta>,
    octets: usize,
    heard_from: Option<u64>,
    made: Vec<Stimulated>,
}

struct Delta {
    first: u64,
    last: u64,
    /// Its content, where it is of the key.
    text: Vec<u8>,
    key: Option<String>,
}

/// A snapshot.
struct Shot {
    exchange: ExchangeId,
    sequence: u64,
    tables: Option<Tables>,
}

impl<'a> Taken<'a> {
    async fn open(
        session: &'a dyn Session,
        config: &'a Config,
        snapshot: &'a Snapshot,
        stimuli: Option<&Stimuli<'_>>,
    ) -> Result<Self, Blocked> {
        let feed = Feed::open(session, config, How::to("keep deltas beside a snapshot")).await;
        let feed = feed.map_err(|why| blocked(&why))?;
        let reader = snapshot.book.as_ref().map(Reader::new);
        let (deltas, made) = (Vec::new(), Vec::new());
        let mut taken = Self {
            session,
            config,
            snapshot,
            feed,
            reader,
            key: None,
            other: None,
            deltas,
            octets: 0,
            heard_from: None,
            made,
        };
        if let Some(stimuli) = stimuli {
            taken.made.push(stimuli.make().await);
        }
        let until = session.now() + config.lag.0;
        while taken.deltas.is_empty() && session.now() < until {
            if !taken.hear(until).await {
                break;
            }
        }
        if taken.deltas.is_empty() {
            let why = "no numbered event came, so no snapshot was asked for".to_owned();
            return Err(Blocked { why, exchange: Some(taken.feed.exchange()) });
        }
        if snapshot.call.uses("key") {
            taken.key = taken.deltas.first().and_then(|delta| delta.key.clone());
        }
        Ok(taken)
    }

    /// Whether something came; false if nothing more will, or enough was kept.
    async fn hear(&mut self, until: Duration) -> bool {
        match self.feed.next(until).await {
            Heard::Message(message) => {
                self.note(&message);
                self.deltas.len() < MOST_DELTAS && self.octets < MOST_OCTETS
            }
            Heard::Quiet => self.session.now() < until,
            Heard::Ended(_) | Heard::Stopped => false,
        }
    }

    fn note(&mut self, message: &Message) {
        let (Kind::Data, Some(first), Some(last)) = (message.kind, message.first, message.last) else { return };
        let key = message.key.clone().or_else(|| message.scope.clone());
        let per_key = self.config.sequence.as_ref().is_some_and(|sequence| sequence.per == Per::Key);
        let other = self.key.is_some() && key != self.key;
        if let (None, Some(known)) = (&self.key, self.deltas.first().map(|delta| &delta.key))
            && *known != key
            && self.other.is_none()
        {
            self.other.clone_from(&key);
        }
        if other && per_key {
            return;
        }
        let text = if self.reader.is_some() && !other { message.text.to_vec() } else { Vec::new() };
        self.octets += text.len();
        self.deltas.push(Delta { first: first.min(last), last, text, key });
    }

    /// Reads what is there already.
    async fn drain(&mut self, until: Duration) {
        while self.hear(until).await {}
    }

    async fn shoot(&mut self) -> Result<Shot, String> {
        let mut values = self.session.values();
        if let Some(key) = &self.key {
            values.insert("key".into(), key.clone());
        }
        let call = &self.snapshot.call;
        let request = call.build(call.who(self.config.client.as_deref()), &values, "take a snapshot")?;
        let reply = self.session.send(request).await.map_err(|failure| failure.message)?;
        if reply.status != 200 {
            return Err(format!("the snapshot was answered with status {}", reply.status));
        }
        let mut paths = vec![self.snapshot.sequence.clone()];
        paths.extend(self.config.messages.key.clone());
        let read = fields(&reply.body, &paths)?;
        let text = |at: usize| read.get(at).and_then(Option::as_ref).and_then(Scalar::text).map(str::to_owned);
        let sequence = text(0).and_then(|number| number.parse().ok());
        let sequence = sequence.ok_or_else(|| format!("the snapshot has no number at {}", self.snapshot.sequence))?;
        if self.key.is_none() {
            self.key = text(1);
            self.forget_others();
        }
        let tables = match &self.reader {
            Some(reader) => Some(reader.snapshot(&reply.body)?),
            None => None,
        };
        Ok(Shot { exchange: reply.id, sequence, tables })
    }

    /// Once it is known what the snapshot is of, what is numbered apart from it does not count.
    fn forget_others(&mut self) {
        let Some(key) = &self.key else { return };
        let per_key = self.config.sequence.as_ref().is_some_and(|sequence| sequence.per == Per::Key);
        if per_key {
            self.deltas.retain(|delta| delta.key.as_ref() == Some(key));
        } else {
            for delta in self.deltas.iter_mut().filter(|delta| delta.key.as_ref() != Some(key)) {
                delta.text = Vec::new();
            }
        }
    }

    /// Takes a first snapshot, looks at the first delta after it, and rebuilds later ones.
    async fn follow(&mut self, seen: &mut Snapshots) -> Result<(), String> {
        self.forget_others();
        self.heard_from = self.deltas.first().map(|delta| delta.first);
        let mut attempts = 0;
        let shot = loop {
            attempts += 1;
            let shot = self.shoot().await?;
            self.heard_from = self.deltas.first().map(|delta| delta.first).or(self.heard_from);
            let older = self.heard_from.is_some_and(|first| first > shot.sequence.saturating_add(1));
            if !older || attempts >= ATTEMPTS || self.session.stopping() {
                break shot;
            }
            self.drain(self.session.now() + BETWEEN).await;
        };
        if self.key.is_none() && self.other.is_some() {
            let key = self.config.messages.key.as_ref().map(ToString::to_string).unwrap_or_default();
            return Err(format!("events are of several keys, and the snapshot does not say at {key} which it is of"));
        }
        let until = self.session.now() + self.config.lag.0;
        let beyond = |deltas: &[Delta]| {
            deltas.iter().find(|delta| delta.last > shot.sequence).map(|delta| (delta.first, delta.last))
        };
        while beyond(&self.deltas).is_none() && self.hear(until).await {}
        seen.alignments.push(Alignment {
            stream: self.feed.exchange(),
            snapshot: Some(shot.exchange),
            key: self.key.clone(),
            sequence: Some(shot.sequence),
            heard_from: self.heard_from,
            delta: beyond(&self.deltas),
            attempts,
        });
        if self.reader.is_some() && apart(seen) == 0 { self.rebuild(shot, seen).await } else { Ok(()) }
    }

    /// Brings a snapshot up to date, again and again.
    async fn rebuild(&mut self, mut base: Shot, seen: &mut Snapshots) -> Result<(), String> {
        let (mut done, mut wrong, mut tries) = (0, 0, 0);
        while tries < 2 * MOST_REBUILT && !self.session.stopping() {
            tries += 1;
            if done >= REBUILT && wrong != 1 || done >= MOST_REBUILT {
                break;
            }
            self.drain(self.session.now() + BETWEEN).await;
            let later = self.shoot().await?;
            let until = self.session.now() + self.config.lag.0;
            while self.deltas.iter().all(|delta| delta.last < later.sequence) && self.hear(until).await {}
            if let Some(rebuilt) = self.compare(&base, &later)? {
                done += 1;
                wrong += usize::from(!rebuilt.differences.is_empty());
                seen.rebuilt.push(rebuilt);
            }
            if later.sequence >= base.sequence {
                self.deltas.retain(|delta| delta.last > later.sequence);
                self.octets = self.deltas.iter().map(|delta| delta.text.len()).sum();
                base = later;
            }
        }
        Ok(())
    }

    /// Applies the deltas between two snapshots; `None` if no delta ends at the number of the later one.
    fn compare(&self, base: &Shot, later: &Shot) -> Result<Option<Rebuilt>, String> {
        let (Some(reader), Some(earlier), Some(tables)) = (&self.reader, &base.tables, &later.tables) else {
            return Ok(None);
        };
        let (mut made, mut at, mut applied) = (earlier.clone(), base.sequence, 0);
        for delta in self.deltas.iter().filter(|delta| delta.last > base.sequence) {
            if at >= later.sequence {
                break;
            }
            if delta.first > at.saturating_add(1) {
                return Err(format!("the number after {at} did not come, so no snapshot can be rebuilt"));
            }
            // What is not newer than what was applied is left out, as a client does it.
            if !delta.text.is_empty() && delta.last > at {
                reader.apply(&mut made, &delta.text)?;
                applied += 1;
            }
            at = at.max(delta.last);
        }
        if at != later.sequence {
            return Ok(None);
        }
        Ok(Some(Rebuilt {
            stream: self.feed.exchange(),
            snapshots: [base.exchange, later.exchange],
            key: self.key.clone(),
            from: base.sequence,
            to: later.sequence,
            deltas: applied,
            rows: tables.rows(),
            differences: reader.differences(earlier, &made, tables),
        }))
    }
}
