//! Connections that are listened to, several at once, and what they were told.

use std::{
    collections::HashSet,
    future::Future,
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::future::{join, join_all};

use super::{
    super::{
        config::{Config, Per, Sequence},
        evidence::{
            Ended,
            account::{Event, SnapshotSeen},
            recovery::{Sign, SignKind},
        },
        feed::{Feed, FlawKind, Heard, How, Kind, Message, NotOpen, Of, Resumed, Subscribed, Tracker},
    },
    merged,
};
use crate::{
    exchange::ExchangeId,
    families::Session,
    json::{PageReader, Path, Scalar, Step, Wanted},
};

/// So often what was heard is looked at.
pub(super) const SLICE: Duration = Duration::from_millis(20);
/// The most events that are kept of one connection.
const MOST: usize = 100_000;
/// The most snapshots and signs that are kept of one connection.
const MOST_SIGNS: usize = 10;

/// What a connection was told.
#[derive(Default)]
pub(super) struct Told {
    /// Events in their order.
    pub(super) events: Vec<Event>,
    /// When each was read.
    pub(super) at: Vec<Duration>,
    /// Events that are only counted, because there were too many.
    pub(super) beyond: u64,
    /// Digests of the texts of events that have a name.
    pub(super) texts: HashSet<u64>,
    /// Snapshots, the first ones.
    pub(super) snapshots: Vec<SnapshotSeen>,
    /// What the server said beside that.
    pub(super) signs: Vec<Sign>,
    /// When acknowledgements were read, the first of them.
    pub(super) acknowledged: Vec<Duration>,
    /// Messages of any kind.
    pub(super) messages: u64,
    /// Their octets.
    pub(super) octets: u64,
    /// How it ended.
    pub(super) ended: Option<Ended>,
    /// The rows that each event changes, where they are wanted.
    pub(super) rows: Option<merged::Rows>,
}

/// A connection that is listened to.
pub(super) struct Listener<'a> {
    session: &'a dyn Session,
    config: &'a Config,
    rows: Option<Rows>,
    pub(super) feed: Feed<'a>,
    pub(super) told: Told,
    /// Follows the numbers.
    pub(super) tracker: Option<Tracker>,
}

impl<'a> Listener<'a> {
    /// Opens one.
    pub(super) async fn open(session: &'a dyn Session, config: &'a Config, how: How) -> Result<Self, NotOpen> {
        let feed = Feed::open(session, config, how).await?;
        let mut told = Told::default();
        if let Subscribed::Refused(text) = feed.subscribed() {
            told.signs.push(Sign { kind: SignKind::Refused, text: text.clone() });
        }
        Ok(Self { session, config, rows: Rows::of(config), feed, told, tracker: config.sequence.as_ref().map(tracker) })
    }

    /// The exchange that it is.
    pub(super) fn exchange(&self) -> ExchangeId {
        self.feed.exchange()
    }

    /// Where it would be taken up.
    pub(super) fn resumed(&self) -> Resumed {
        self.feed.seen().resumed()
    }

    /// Whether the server has not ended it.
    pub(super) fn is_open(&self) -> bool {
        self.told.ended.is_none()
    }

    /// Listens until this instant, or until it ends.
    pub(super) async fn listen(&mut self, until: Duration) {
        while self.is_open() {
            match self.feed.next(until).await {
                Heard::Message(message) => {
                    let late = message.at > until;
                    self.hear(&message);
                    if late || self.session.now() > until + SLICE {
                        return;
                    }
                }
                Heard::Quiet | Heard::Stopped => return,
                Heard::Ended(ended) => {
                    self.told.signs.push(end_sign(&ended));
                    self.told.ended = Some(ended);
                }
            }
        }
        let now = self.session.now();
        self.session.pause(until.saturating_sub(now)).await;
    }

    /// How often numbers were skipped so far.
    pub(super) fn holes_so_far(&self) -> u64 {
        self.tracker.clone().map_or(0, |tracker| tracker.finish().of(FlawKind::Gap))
    }

    /// How often numbers were skipped so far, and never came.
    pub(super) fn holes(&mut self) -> u64 {
        let counts = self.tracker.take().map(Tracker::finish);
        counts.map_or(0, |counts| counts.of(FlawKind::Gap))
    }

    /// Takes note of a message.
    pub(super) fn hear(&mut self, message: &Message) {
        if let Some(tracker) = &mut self.tracker {
            tracker.observe(message);
        }
        let told = &mut self.told;
        told.messages += 1;
        told.octets += message.text.len() as u64;
        let mut sign = |kind| {
            if told.signs.len() < MOST_SIGNS {
                told.signs.push(Sign { kind, text: message.excerpt() });
            }
        };
        if message.refuses(Of::Resume) {
            sign(SignKind::Refused);
        }
        match message.kind {
            Kind::Gap => sign(SignKind::Gap),
            Kind::Error => sign(SignKind::Error),
            Kind::Snapshot => {
                sign(SignKind::Snapshot);
                if told.snapshots.len() < MOST_SIGNS {
                    told.snapshots.push(SnapshotSeen {
                        number: message.snapshot_sequence.filter(|_| comparable(self.config)),
                        scope: scope(self.config, message),
                        key: None,
                        rows: self.rows.as_ref().and_then(|rows| rows.read(&message.text)),
                    });
                }
            }
            Kind::Data => {
                if told.events.len() >= MOST {
                    told.beyond += 1;
                    return;
                }
                let event = event(self.config, message);
                if event.is_named() {
                    told.texts.insert(digest(&message.text));
                }
                told.events.push(event);
                if let Some(rows) = &mut told.rows {
                    rows.take(&message.text);
                }
                told.at.push(message.at);
            }
            Kind::Acknowledgement if told.acknowledged.len() < MOST => told.acknowledged.push(message.at),
            Kind::Heartbeat | Kind::Acknowledgement | Kind::Other => {}
        }
    }
}

/// Follows numbers, and takes a jump for one even where it is documented.
fn tracker(sequence: &Sequence) -> Tracker {
    Tracker::new(&Sequence { jumps: false, ..sequence.clone() })
}

fn digest(text: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// What the end of a connection tells a client.
pub(super) fn end_sign(ended: &Ended) -> Sign {
    let loud = ended.frame && ended.code.is_some_and(|code| code != 1000);
    Sign { kind: if loud { SignKind::Closed } else { SignKind::Dropped }, text: ended.told() }
}

/// Whether numbers are the same on every connection.
fn comparable(config: &Config) -> bool {
    config.sequence.as_ref().is_none_or(|sequence| sequence.per != Per::Connection)
}

fn scope(config: &Config, message: &Message) -> Option<String> {
    let by_key = config.sequence.as_ref().is_some_and(|sequence| sequence.per == Per::Key);
    message.scope.clone().filter(|_| by_key)
}

/// The event that a message tells of.
pub(super) fn event(config: &Config, message: &Message) -> Event {
    Event {
        id: message.id.clone(),
        key: message.key.clone(),
        reference: message.reference.clone(),
        numbers: message.first.zip(message.last).filter(|_| comparable(config) && config.sequence.is_some()),
        scope: scope(config, message),
    }
}

/// Lets everyone listen until this instant, or until they have heard enough: whether they have.
pub(super) async fn together(
    session: &dyn Session,
    listeners: &mut [&mut Listener<'_>],
    until: Duration,
    mut enough: impl FnMut(&[&mut Listener<'_>]) -> bool,
) -> bool {
    loop {
        if enough(listeners) {
            return true;
        }
        let now = session.now();
        if now >= until || session.stopping() {
            return false;
        }
        let slice = until.min(now + SLICE);
        if listeners.is_empty() {
            session.pause(slice.saturating_sub(now)).await;
        }
        join_all(listeners.iter_mut().map(|listener| listener.listen(slice))).await;
    }
}

/// Lets everyone listen while something else is done.
pub(super) async fn during<T>(
    session: &dyn Session,
    listeners: &mut [&mut Listener<'_>],
    work: impl Future<Output = T>,
) -> T {
    // Nobody listens: nothing would ever be waited for.
    if listeners.is_empty() {
        return work.await;
    }
    let done = AtomicBool::new(false);
    let working = async {
        let result = work.await;
        done.store(true, Ordering::Relaxed);
        result
    };
    let listening = async {
        while !done.load(Ordering::Relaxed) && !session.stopping() {
            let slice = session.now() + SLICE;
            join_all(listeners.iter_mut().map(|listener| listener.listen(slice))).await;
        }
    };
    join(working, listening).await.0
}

/// Reads the rows of snapshots. What an event has at a path, a row has there, too, or under the last name of the path.
struct Rows {
    reader: PageReader,
    /// For id, key and reference: the places among the fields.
    slots: [Vec<usize>; 3],
}

impl Rows {
    fn of(config: &Config) -> Option<Self> {
        let messages = &config.messages;
        let rows = messages.snapshot_rows.clone()?;
        let mut fields: Vec<Path> = Vec::new();
        let slots = [&messages.id, &messages.key, &messages.reference].map(|path| {
            let paths = path.iter().flat_map(|path| [Some(path.clone()), last_name(path)]).flatten();
            let place = |path: Path| {
                fields.iter().position(|known| *known == path).unwrap_or_else(|| {
                    fields.push(path);
                    fields.len() - 1
                })
            };
            paths.map(place).collect()
        });
        Some(Self { reader: PageReader::new(Wanted { rows, fields, page: Vec::new() }), slots })
    }

    fn read(&self, text: &[u8]) -> Option<Vec<Event>> {
        let mut rows = Vec::new();
        let mut take = |fields: &mut [Option<Scalar>]| {
            let text =
                |slots: &[usize]| slots.iter().find_map(|slot| fields.get(*slot)?.as_ref()?.text().map(str::to_owned));
            if rows.len() < MOST {
                let [id, key, reference] = [0, 1, 2].map(|which| text(&self.slots[which]));
                rows.push(Event { id, key, reference, ..Event::default() });
            }
        };
        let read = self.reader.read(text, &mut take).ok()?;
        read.rows.map(|_| rows)
    }
}

fn last_name(path: &Path) -> Option<Path> {
    match path.steps()? {
        [_, .., Step::Member(name)] if !name.contains(['\'', '\\']) => format!("$['{name}']").parse().ok(),
        _ => None,
    }
}
