//! Listens to two connections at once, while things are made to happen or the stream is busy by itself.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::{join, join3};

use super::{
    super::{
        config::{Config, Per},
        evidence::{Appearance, Conduct, Ended, Listened, Side, Stimulated},
        feed::{CompareSide, Comparison, EventName, Feed, Heard, How, Kind, Message, NotOpen},
    },
    conduct::Observer,
    ear::Ear,
    stimulus::{Stimuli, told},
};
use crate::{
    families::{Conventions, Session},
    json::{Path, Scalar, fields},
};

/// How long a listener sleeps at most before it looks whether it may stop.
const TURN: Duration = Duration::from_millis(50);
/// How long after the last expected event is listened for what should not come.
const LINGER: Duration = Duration::from_millis(200);
/// The most events that are kept because an answer may yet say that it is theirs.
const MOST_UNCLAIMED: usize = 2_000;
/// The most examples of what one side alone heard.
const EXAMPLES: usize = 20;

/// What was heard.
pub(super) struct Gathered {
    pub(super) listened: Listened,
    pub(super) made: Vec<Stimulated>,
    pub(super) conduct: Conduct,
    pub(super) ends: Vec<Ended>,
}

/// What both listeners and whoever makes things happen share.
struct Room {
    /// None where there is nothing to compare with.
    comparison: Option<Comparison>,
    made: Vec<Stimulated>,
    answers: Vec<Vec<Option<Scalar>>>,
    unclaimed: VecDeque<(CompareSide, Event)>,
    until: Duration,
    observer: Observer,
}

/// An event that may be one that was made.
struct Event {
    reference: Option<String>,
    id: Option<String>,
    key: Option<String>,
    values: Vec<Option<Scalar>>,
    appearance: Appearance,
}

impl Room {
    /// Gives an event to what was made, if it is known to be its.
    fn claim(&mut self, side: CompareSide, event: Event) -> Option<Event> {
        let known = [event.reference.as_deref(), event.id.as_deref(), event.key.as_deref()];
        let Some(at) = self.made.iter().position(|made| made.is_known_by(known)) else { return Some(event) };
        match side {
            CompareSide::Witness => self.made[at].witnessed += 1,
            CompareSide::Main => {
                if let Some(answer) = self.answers.get(at).filter(|answer| !answer.is_empty()) {
                    self.observer.compare(&self.made[at].agrees, answer, &event.values);
                    self.made[at].appearances.push(event.appearance);
                } else if self.made[at].answered > Duration::ZERO {
                    self.made[at].appearances.push(event.appearance);
                } else {
                    // How the answer writes it is not known yet.
                    return Some(event);
                }
            }
        }
        None
    }

    fn settle(&mut self) {
        for (side, event) in std::mem::take(&mut self.unclaimed) {
            if let Some(event) = self.claim(side, event) {
                self.unclaimed.push_back((side, event));
            }
        }
    }

    fn all_told(&self, events: u64, witness: bool) -> bool {
        self.made
            .iter()
            .filter(|made| made.failed.is_none())
            .all(|made| made.appearances.len() as u64 >= events && (!witness || made.witnessed >= events))
    }
}

fn lock(room: &Mutex<Room>) -> MutexGuard<'_, Room> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Two connections, and what is made to happen meanwhile: `count` of it, one after another. Without stimuli, as long as
/// the suite says. The second connection is left out where there may be only one.
pub(super) async fn gather(
    session: &dyn Session,
    config: &Config,
    conventions: &Conventions,
    stimuli: Option<(&Stimuli<'_>, u64)>,
) -> Result<Gathered, NotOpen> {
    let alone = config.session.as_ref().and_then(|session| session.connections) == Some(1);
    // At once, for a connection that nobody reads answers no ping.
    let (main, witness) = join(Feed::open(session, config, How::to("listen to the stream")), async {
        if alone {
            return None;
        }
        Feed::open(session, config, How::to("listen beside it, as a witness")).await.ok()
    })
    .await;
    let (mut main, mut witness) = (main?, witness);
    let from = session.now();
    let compared = stimuli.map(|(stimuli, _)| stimuli.compared());
    let room = Mutex::new(Room {
        comparison: witness.as_ref().map(|_| Comparison::default()),
        made: Vec::new(),
        answers: Vec::new(),
        unclaimed: VecDeque::new(),
        until: if stimuli.is_some() { Duration::MAX } else { from + config.listen.0 },
        observer: Observer::new(config, conventions, main.handshake()),
    });
    let has_witness = witness.is_some();
    let (side, other, ()) = join3(
        listen(session, config, &mut main, CompareSide::Main, &room, compared.as_deref()),
        async {
            match &mut witness {
                Some(feed) => {
                    Some(listen(session, config, feed, CompareSide::Witness, &room, compared.as_deref()).await)
                }
                None => None,
            }
        },
        async {
            if let Some((stimuli, count)) = stimuli {
                make(session, config, stimuli, count, has_witness, &room).await;
                let mut room = lock(&room);
                room.until = room.until.min(session.now() + LINGER);
            }
        },
    )
    .await;
    let mut room = room.into_inner().unwrap_or_else(PoisonError::into_inner);
    room.settle();
    let to = [Some(&side), other.as_ref()].into_iter().flatten().map(|(_, end)| *end).min().unwrap_or(from);
    // What was under way when the second connection began, or when listening ended, need not be on both.
    let (from, to) = (from + config.lag.0.min(LINGER), to.saturating_sub(config.lag.0));
    let only = |side| {
        if !has_witness || to < from {
            return Vec::new();
        }
        room.comparison
            .iter()
            .flat_map(|both| both.only(side, from, to))
            .map(|(event, _)| event)
            .take(EXAMPLES)
            .collect()
    };
    let listened = Listened {
        only_main: only(CompareSide::Main),
        only_witness: only(CompareSide::Witness),
        common: room.comparison.as_ref().map_or(0, |both| both.common),
        main: side.0,
        witness: other.map(|(side, _)| side),
    };
    let mut ends: Vec<Ended> = Vec::new();
    ends.extend(listened.main.ended.clone());
    ends.extend(listened.witness.as_ref().and_then(|side| side.ended.clone()));
    if listened.main.ended.is_some() {
        // Nobody listened until the lag had passed.
        room.made.iter_mut().for_each(|made| made.awaited = false);
    }
    let conduct = room.observer.finish(listened.main.exchange);
    main.leave().await;
    if let Some(witness) = witness {
        witness.leave().await;
    }
    Ok(Gathered { listened, made: room.made, conduct, ends })
}

/// Listens until the room says that it is enough.
async fn listen(
    session: &dyn Session,
    config: &Config,
    feed: &mut Feed<'_>,
    side: CompareSide,
    room: &Mutex<Room>,
    compared: Option<&[Path]>,
) -> (Side, Duration) {
    let mut ear = Ear::new(config, session);
    let numbers = config.sequence.as_ref().is_some_and(|sequence| sequence.per != Per::Connection);
    loop {
        let now = session.now();
        let until = lock(room).until;
        if now >= until || ear.data >= config.most.max(1) {
            break;
        }
        match feed.next(until.min(now + TURN)).await {
            Heard::Message(message) => {
                let mut room = lock(room);
                let mut message = *message;
                loop {
                    ear.hear(&message);
                    if message.kind == Kind::Data {
                        note(&mut room, side, &message, numbers, compared);
                    }
                    if ear.data >= config.most.max(1) || !feed.ready(&mut message) {
                        break;
                    }
                }
            }
            Heard::Quiet => {}
            Heard::Ended(_) | Heard::Stopped => break,
        }
    }
    (ear.finish(feed, session), session.now())
}

fn note(room: &mut Room, side: CompareSide, message: &Message, numbers: bool, compared: Option<&[Path]>) {
    match (&mut room.comparison, &message.id, message.last) {
        (Some(both), Some(id), _) => both.heard(side, "", EventName::Id(id), message.at),
        (Some(both), None, Some(last)) if numbers => {
            let scope = message.scope.as_deref().unwrap_or_default();
            both.heard(side, scope, EventName::Number(last), message.at);
        }
        _ => {}
    }
    if side == CompareSide::Main {
        room.observer.observe(message);
    }
    let Some(compared) = compared else { return };
    let values = fields(&message.text, compared).unwrap_or_else(|_| vec![None; compared.len()]);
    let event = Event {
        reference: message.reference.clone(),
        id: message.id.clone(),
        key: message.key.clone(),
        appearance: Appearance {
            at: message.at,
            number: message.last,
            id: message.id.clone(),
            values: values.iter().map(|value| value.as_ref().map(told)).collect(),
            message: message.excerpt(),
        },
        values,
    };
    if let Some(event) = room.claim(side, event) {
        room.unclaimed.push_back((side, event));
        if room.unclaimed.len() > MOST_UNCLAIMED {
            room.unclaimed.pop_front();
        }
    }
}

/// Makes things happen, and waits until both connections have told all of it, or the lag has passed twice.
async fn make(
    session: &dyn Session,
    config: &Config,
    stimuli: &Stimuli<'_>,
    count: u64,
    witness: bool,
    room: &Mutex<Room>,
) {
    for _ in 0..count {
        if session.stopping() {
            break;
        }
        let fresh = stimuli.fresh();
        let at = {
            let mut room = lock(room);
            room.made.push(fresh.clone());
            room.answers.push(Vec::new());
            room.made.len() - 1
        };
        let (done, answer) = stimuli.make_with(fresh).await;
        let failed = done.failed.is_some();
        let mut room = lock(room);
        let (appearances, witnessed) = (std::mem::take(&mut room.made[at].appearances), room.made[at].witnessed);
        room.made[at] = Stimulated { appearances, witnessed, ..done };
        room.answers[at] = answer;
        room.settle();
        if failed {
            break;
        }
    }
    let began = session.now();
    loop {
        let now = session.now();
        // What fincheck was kept from working does not count as waiting.
        let until = began + 2 * config.lag.0 + session.late(began, now);
        let done = {
            let mut room = lock(room);
            room.settle();
            room.all_told(stimuli.events(), witness)
        };
        if done || now >= until || session.stopping() {
            lock(room).made.iter_mut().for_each(|made| made.awaited = now >= until);
            return;
        }
        session.pause(TURN.min(until.saturating_sub(now))).await;
    }
}
