//! A client that goes away while events happen, and comes back; a witness is told of them.

use std::{future::Future, sync::Mutex, time::Duration};

use super::super::{
    config::Config,
    evidence::{
        Stimulated,
        account::{Account, Event, Index, Known, Made, SnapshotSeen, account},
        recovery::{Return, Sign, SignKind, Way},
    },
    feed::{Feed, How, NotOpen, Resumed},
};
use super::{
    listener::{Listener, Told, during, together},
    recovery::patience,
    stimulus::Stimuli,
};
use crate::{
    exchange::{ExchangeId, Loss, Opcode, Outgoing, Unopened},
    families::{PlannedCheck, Session},
    json::{Scalar, fields},
    notation::Span,
};

/// How often a refused handshake is tried again: the server may still hold the connection that was lost.
const TRIES: u32 = 3;
/// The longest pause before that.
const PAUSE: Duration = Duration::from_secs(5);
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
}

/// A client that is gone, and what happened meanwhile.
pub(super) struct Left<'a> {
    pub(super) witness: Listener<'a>,
    /// Where the client would take the stream up.
    pub(super) resumed: Resumed,
    way: Way,
    before: Vec<Event>,
    made: Vec<Made>,
    /// What of the witness's events counts.
    counts: std::ops::Range<usize>,
    since: Duration,
    /// A connection that is not read and not ended.
    ghost: Option<Feed<'a>>,
    exchanges: Vec<ExchangeId>,
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

/// A handshake that did not succeed, as a sign.
pub(super) fn refusal(not: &NotOpen) -> Sign {
    let kind = match not {
        NotOpen::Unopened(Unopened::Failed(_)) => SignKind::Dropped,
        NotOpen::Unopened(Unopened::Refused(_)) | NotOpen::Unready(_) => SignKind::Handshake,
        NotOpen::Unknown(..) => SignKind::Refused,
        NotOpen::Ended(..) => SignKind::Closed,
    };
    Sign { kind, text: not.why() }
}

impl<'a> Desk<'a> {
    pub(super) fn new(session: &'a dyn Session, config: &'a Config, plan: &PlannedCheck) -> Self {
        // A plan that may not write makes nothing happen.
        let stimuli = Stimuli::new(session, config).filter(|_| plan.writes > 0);
        Self { session, config, stimuli, made: Mutex::default() }
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
        self.warm_up(&mut witness, &mut client).await.map_err(failed)?;
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

    fn timeout(&self) -> Option<Duration> {
        self.config.heartbeat.as_ref().and_then(|heartbeat| heartbeat.timeout).map(|timeout| timeout.0)
    }

    /// Opens the stream again and sees what becomes of the events; where it is the declared way, everything that a client
    /// can do is done.
    pub(super) async fn come_back(&self, left: &mut Left<'a>, resume: Option<Resumed>, declared: bool) -> Return {
        let (session, config) = (self.session, self.config);
        let purpose = if declared { "take the stream up again" } else { "take the stream up where that is impossible" };
        let said = self.said(resume.as_ref());
        let began = session.now();
        let mut back = Back { away: began.saturating_sub(left.since), known: left.known(), ..Back::default() };
        back.count(&left.before, &Told::default());
        let how = How { resume: resume.clone(), ..How::to(purpose) };
        Box::pin(self.attempt(left, how, declared, &mut back)).await;
        if declared && !back.account.is_settled() && back.is_told() && resume.is_some() {
            // Whoever is told that it cannot go on begins anew.
            Box::pin(self.attempt(left, How::to("begin anew"), true, &mut back)).await;
        }
        if declared && !back.account.is_settled() {
            self.snapshot(left, &mut back).await;
        }
        drop(left.ghost.take());
        if session.late(began, session.now()) > config.lag.0 {
            back.blocked.get_or_insert_with(|| "fincheck itself did not get to work for too long".to_owned());
        }
        if left.witness.told.beyond > 0 || back.told.beyond > 0 {
            back.blocked = Some("too many events to account for".to_owned());
        }
        let exchanges = left.exchanges.iter().copied().chain(back.exchanges).collect();
        let Back { blocked, account, told, live, away, .. } = back;
        Return { way: left.way, said, blocked, away: millis(away), account, signs: told.signs, live, exchanges }
    }

    /// Opens one connection and listens until everything is accounted for.
    async fn attempt(&self, left: &mut Left<'a>, how: How, declared: bool, back: &mut Back) {
        let (session, config) = (self.session, self.config);
        let mut opened = None;
        for tries in 1..=TRIES {
            let opening = Listener::open(session, config, how.clone());
            match left.while_listening(session, opening).await {
                Ok(listener) => {
                    opened = Some(listener);
                    break;
                }
                Err(NotOpen::Unready(why)) => {
                    back.blocked = Some(format!("the stream could not be asked for: {why}"));
                    return;
                }
                Err(not) => {
                    back.exchanges.extend(not.exchange());
                    if tries == 1 || back.told.signs.is_empty() {
                        back.told.signs.push(refusal(&not));
                    }
                    if !declared || tries == TRIES || session.stopping() {
                        return;
                    }
                    let pause = self.timeout().unwrap_or(config.lag.0).min(PAUSE);
                    left.while_listening(session, session.pause(pause)).await;
                }
            }
        }
        let Some(mut listener) = opened else { return };
        back.exchanges.push(listener.exchange());
        let until = session.now() + patience(config);
        let mut lengths = (usize::MAX, 0);
        left_listen(left, session, &mut listener, until, |before, told| {
            let now = (told.events.len(), told.snapshots.len());
            if now != lengths {
                lengths = now;
                back.count(before, told);
            }
            back.account.is_settled() || told.ended.is_some() || !declared && !told.signs.is_empty()
        })
        .await;
        back.live = listener.is_open();
        let Told { events, snapshots, signs, beyond, .. } = std::mem::take(&mut listener.told);
        back.told.events.extend(events);
        back.told.snapshots.extend(snapshots);
        back.told.signs.extend(signs);
        back.told.beyond += beyond;
        let closing = listener.feed.close(Some(1000));
        drop(left.while_listening(session, closing).await);
    }

    /// Asks for a snapshot over HTTP, as a client would.
    async fn snapshot(&self, left: &mut Left<'a>, back: &mut Back) {
        let Some(snapshot) = &self.config.snapshot else { return };
        let call = &snapshot.call;
        let who = call.who(self.config.client.as_deref());
        let Ok(request) = call.build(who, &self.session.values(), "ask for a snapshot") else { return };
        let outcome = left.while_listening(self.session, self.session.send(request)).await;
        let Some(reply) = outcome.ok().filter(crate::exchange::Reply::is_success) else { return };
        back.exchanges.push(reply.id);
        let mut paths = vec![snapshot.sequence.clone()];
        paths.extend(self.config.messages.key.clone());
        let Ok(read) = fields(&reply.body, &paths) else { return };
        let text = |at: usize| read.get(at).and_then(Option::as_ref).and_then(Scalar::text);
        let number = text(0).and_then(|text| text.parse().ok());
        let scope = text(1).map(str::to_owned);
        back.told.snapshots.push(SnapshotSeen { number, scope, rows: None });
        back.count(&left.before, &Told::default());
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

/// What coming back has come to so far.
#[derive(Default)]
struct Back {
    known: Vec<Known>,
    told: Told,
    account: Account,
    blocked: Option<String>,
    live: bool,
    away: Duration,
    exchanges: Vec<ExchangeId>,
}

impl Back {
    fn count(&mut self, before: &[Event], now: &Told) {
        let after: Vec<Event> = self.told.events.iter().chain(&now.events).cloned().collect();
        let snapshots: Vec<SnapshotSeen> = self.told.snapshots.iter().chain(&now.snapshots).cloned().collect();
        self.account = account(&self.known, before, &after, &snapshots);
    }

    /// Whether the client was told that it cannot go on.
    fn is_told(&self) -> bool {
        self.told.signs.iter().any(|sign| sign.kind != SignKind::Snapshot)
    }
}

async fn left_listen<'a>(
    left: &mut Left<'a>,
    session: &dyn Session,
    other: &mut Listener<'a>,
    until: Duration,
    mut enough: impl FnMut(&[Event], &Told) -> bool,
) {
    let before = std::mem::take(&mut left.before);
    together(session, &mut [&mut left.witness, other], until, |both| enough(&before, &both[1].told)).await;
    left.before = before;
}

fn millis(time: Duration) -> Span {
    Span(Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}
