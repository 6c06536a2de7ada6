//! A client that goes away while events happen, and comes back; a witness is told of them.

use std::{
    future::Future,
    sync::{Mutex, atomic::AtomicU64},
    time::Duration,
};

use super::super::{
    config::Config,
    evidence::{
        Ended, Stimulated,
        account::{Account, Event, Index, Known, Made},
        recovery::{Return, Way},
    },
    feed::{Feed, How, Resumed},
};
use super::{
    listener::{Listener, Told, during, together},
    recovery::patience,
    stimulus::Stimuli,
};
use crate::{
    exchange::{ExchangeId, Loss, Opcode, Outgoing},
    families::{PlannedCheck, Session},
    notation::Span,
};

/// So much later than it wanted fincheck may have got to work, for an end to be none of its doing.
const LATE: Duration = Duration::from_millis(200);
/// So many events are waited for where the stream is busy by itself.
const ENOUGH: usize = 10;
/// A text frame of 100 octets, masked, of which 20 come; the rest never does.
const HALF_FRAME: &[u8] = &[0x81, 0xE4, 1, 2, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];
/// The same of a continuation.
const HALF_FRAGMENT: &[u8] = &[0x80, 0xE4, 1, 2, 3, 4, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];

/// Where departures are made.
pub(super) struct Desk<'a> {
    pub(super) session: &'a dyn Session,
    pub(super) config: &'a Config,
    stimuli: Option<Stimuli<'a>>,
    /// Everything that was made, to be taken back.
    made: Mutex<Vec<Stimulated>>,
    /// Ends of connections that the server caused, and we did nothing that would explain them.
    ends: Mutex<Vec<Ended>>,
    /// How many snapshots were asked for over HTTP.
    pub(super) snapshots: AtomicU64,
}

/// A client that is gone, and what happened meanwhile.
pub(super) struct Left<'a> {
    pub(super) witness: Listener<'a>,
    /// Where the client would take the stream up.
    pub(super) resumed: Resumed,
    pub(super) way: Way,
    pub(super) before: Vec<Event>,
    made: Vec<Made>,
    /// What of the witness's events counts.
    counts: std::ops::Range<usize>,
    pub(super) since: Duration,
    /// A connection that is not read and not ended.
    pub(super) ghost: Option<Feed<'a>>,
    pub(super) exchanges: Vec<ExchangeId>,
}

impl<'a> Left<'a> {
    /// What certainly happened.
    pub(super) fn known(&self) -> Vec<Known> {
        let events = self.witness.told.events.get(self.counts.clone()).unwrap_or_default();
        Known::all(events, &self.made, self.witness.is_open())
    }

    /// Does something while the witness listens.
    pub(super) async fn while_listening<T>(&mut self, session: &dyn Session, work: impl Future<Output = T>) -> T {
        during(session, &mut [&mut self.witness], work).await
    }

    /// Listens to another connection, too.
    pub(super) async fn listen_with(
        &mut self,
        session: &dyn Session,
        other: &mut Listener<'a>,
        until: Duration,
        mut enough: impl FnMut(&Told, &Told) -> bool,
    ) {
        together(session, &mut [&mut self.witness, other], until, |both| enough(&both[0].told, &both[1].told)).await;
    }

    /// Which of our events another client was told: those whose reference nobody else can know.
    pub(super) fn leaked(&self, told: &Told, by_reference: bool) -> Vec<Event> {
        if !by_reference {
            return Vec::new();
        }
        let rows = told.snapshots.iter().filter_map(|snapshot| snapshot.rows.as_ref()).flatten();
        let ours = |event: &&Event| {
            let reference = event.reference.as_ref();
            reference.is_some_and(|reference| self.made.iter().any(|made| made.reference == *reference))
        };
        told.events.iter().chain(rows).filter(ours).take(20).cloned().collect()
    }
}

impl<'a> Desk<'a> {
    pub(super) fn new(session: &'a dyn Session, config: &'a Config, plan: &PlannedCheck) -> Self {
        // A plan that may not write makes nothing happen.
        let stimuli = Stimuli::new(session, config).filter(|_| plan.writes > 0);
        Self { session, config, stimuli, made: Mutex::default(), ends: Mutex::default(), snapshots: AtomicU64::new(0) }
    }

    /// Makes an event happen, if the suite says how.
    pub(super) async fn make(&self) -> Option<Result<Made, String>> {
        let made = self.stimuli.as_ref()?.make().await;
        let result = match &made.failed {
            Some(why) => Err(format!("nothing could be made to happen: {why}")),
            None => Ok(Made { reference: made.reference.clone(), id: made.id.clone() }),
        };
        if let Ok(mut all) = self.made.lock() {
            all.push(made);
        }
        Some(result)
    }

    /// Whether events can be made to happen.
    pub(super) const fn makes(&self) -> bool {
        self.stimuli.is_some()
    }

    /// Takes back what was made.
    pub(super) async fn undo(&self) {
        let made = self.made.lock().map(|mut made| std::mem::take(&mut *made)).unwrap_or_default();
        if let Some(stimuli) = &self.stimuli {
            stimuli.undo(&made).await;
        }
    }

    /// Takes note of how a connection ended that was only listened to.
    pub(super) fn note_end(&self, told: &Told) {
        let Some(ended) = &told.ended else { return };
        // Whoever gets to work too late answers pings too late.
        if self.session.late(ended.at.saturating_sub(ended.lived), ended.at) > LATE {
            return;
        }
        if let Ok(mut ends) = self.ends.lock() {
            ends.push(ended.clone());
        }
    }

    /// Those ends.
    pub(super) fn take_ends(&self) -> Vec<Ended> {
        self.ends.lock().map(|mut ends| std::mem::take(&mut *ends)).unwrap_or_default()
    }

    /// What is said to take a stream up, without what may be secret.
    pub(super) fn said(&self, resume: Option<&Resumed>) -> String {
        let (Some(resume), Some(_)) = (resume, &self.config.resume) else { return String::new() };
        let parts = [
            resume.last.as_ref().map(|last| format!("last {last}")),
            resume.token.as_ref().map(|_| "the last token".to_owned()),
            resume.last_id.as_ref().map(|id| format!("last id `{id}`")),
        ];
        parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Listens with two connections, loses one, and lets events happen.
    pub(super) async fn leave(&self, way: Way) -> Result<Left<'a>, Box<Return>> {
        let (session, config) = (self.session, self.config);
        let mut exchanges = Vec::new();
        let mut open = async |purpose| {
            let opened = Listener::open(session, config, How::to(purpose)).await;
            match opened {
                Ok(listener) => {
                    exchanges.push(listener.exchange());
                    Ok(listener)
                }
                Err(not) => Err(blocked(way, not.why(), not.exchange().into_iter().collect())),
            }
        };
        let mut witness = open("listen throughout").await?;
        let mut client = open("listen until the connection is lost").await?;
        let failed = |why: String| blocked(way, why, exchanges.clone());
        let warm = self.warm_up(&mut witness, &mut client).await;
        self.note_end(&witness.told);
        self.note_end(&client.told);
        warm.map_err(failed)?;
        // What the witness was told after the last event that the client was told counts.
        let told = Index::of(&client.told.events);
        let from = witness.told.events.iter().rposition(|event| told.tells(event)).map_or(0, |at| at + 1);
        let mut made = Vec::new();
        let resumed = client.resumed();
        let since = session.now();
        if matches!(way, Way::InMessage | Way::InFragment) {
            // Events that reach the socket, and are not read.
            let unread = async {
                match self.make().await {
                    Some(Ok(one)) => made.push(one),
                    Some(Err(_)) | None => session.pause(Duration::from_millis(200)).await,
                }
            };
            during(session, &mut [&mut witness], unread).await;
        }
        let Listener { mut feed, told: mut before, .. } = client;
        let mut ghost = None;
        match way {
            Way::Closed => {
                let farewell = during(session, &mut [&mut witness], feed.close(Some(1000))).await;
                before.events.extend(farewell.messages.iter().map(|message| super::listener::event(config, message)));
            }
            Way::InMessage => feed.lose(Loss::Reset(HALF_FRAME.into())).await,
            Way::InFragment => {
                let begun = Outgoing { fin: false, ..Outgoing::new(Opcode::Text, "{\"begun") };
                drop(feed.line().send(begun).await);
                feed.lose(Loss::Reset(HALF_FRAGMENT.into())).await;
            }
            Way::Silence => {
                feed.mute();
                ghost = Some(feed);
            }
        }
        let away = async {
            let mut failure = None;
            if let Some(stimuli) = &self.stimuli {
                for _ in 0..stimuli.count() {
                    match self.make().await {
                        Some(Ok(one)) => made.push(one),
                        Some(Err(why)) => failure = Some(why),
                        None => {}
                    }
                }
            }
            if let (Way::Silence, Some(timeout)) = (way, self.timeout()) {
                session.pause(timeout.mul_f64(1.5)).await;
            }
            failure
        };
        let failure = during(session, &mut [&mut witness], away).await;
        let until = session.now() + if self.makes() { patience(config) } else { config.listen.0 + config.lag.0 };
        together(session, &mut [&mut witness], until, |listeners| {
            let events = listeners[0].told.events.get(from..).unwrap_or_default();
            !listeners[0].is_open()
                || if made.is_empty() {
                    events.len() >= ENOUGH
                } else {
                    made.iter().all(|made| events.iter().any(|event| made.is(event)))
                }
        })
        .await;
        if let Some(why) = failure.filter(|_| made.is_empty()) {
            return Err(blocked(way, why, exchanges.clone()));
        }
        let counts = from..witness.told.events.len();
        Ok(Left { witness, resumed, way, before: before.events, made, counts, since, ghost, exchanges })
    }

    /// Sees that both connections are told of the same events.
    async fn warm_up(&self, witness: &mut Listener<'a>, client: &mut Listener<'a>) -> Result<(), String> {
        let (session, config) = (self.session, self.config);
        let made = match during(session, &mut [&mut *witness, &mut *client], self.make()).await {
            Some(made) => Some(made?),
            None => None,
        };
        let wait = if made.is_some() { patience(config) } else { config.listen.0 + config.lag.0 };
        let (mut seen, mut common) = ([0, 0], false);
        let until = session.now() + wait;
        let heard = together(session, &mut [witness, client], until, |both| {
            let lengths = [both[0].told.events.len(), both[1].told.events.len()];
            if lengths == seen {
                return common;
            }
            seen = lengths;
            common = if let Some(made) = &made {
                both.iter().all(|one| one.told.events.iter().any(|event| made.is(event)))
            } else {
                let index = Index::of(&both[0].told.events);
                lengths[1] >= 2 && both[1].told.events.iter().any(|event| event.is_named() && index.tells(event))
            };
            common
        })
        .await;
        match (heard, made.is_some(), seen) {
            (true, ..) => Ok(()),
            (_, true, _) => {
                Err("an event that was made to happen was not told on both connections even before the loss".into())
            }
            (_, false, [0, _] | [_, 0]) => {
                Err("nothing happens on the stream by itself, and the suite has no `stimulus`".into())
            }
            _ => Err("events cannot be known again on another connection: the suite names no `messages.id`, \
                      `messages.reference`, or number that is the same everywhere"
                .into()),
        }
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        self.config.heartbeat.as_ref().and_then(|heartbeat| heartbeat.timeout).map(|timeout| timeout.0)
    }
}

fn blocked(way: Way, why: impl Into<String>, exchanges: Vec<ExchangeId>) -> Box<Return> {
    Box::new(Return {
        way,
        said: String::new(),
        blocked: Some(why.into()),
        away: Span::default(),
        account: Account::default(),
        signs: Vec::new(),
        live: false,
        exchanges,
    })
}
