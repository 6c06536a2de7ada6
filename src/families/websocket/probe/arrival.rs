//! A client that comes back after a loss, and does what a client can do to miss nothing.

use std::{collections::BTreeSet, sync::atomic::Ordering, time::Duration};

use super::super::{
    config::Snapshot,
    evidence::{
        account::{Account, Event, Known, SnapshotSeen, account, open},
        recovery::{Return, Sign, SignKind},
    },
    feed::{How, NotOpen, Resumed},
};
use super::{
    departure::{Desk, Left},
    listener::{Listener, Told, during, together},
    recovery::patience,
};
use crate::{
    exchange::{ExchangeId, Unopened},
    families::Session,
    json::{Scalar, fields},
    notation::Span,
};

/// How often a refused handshake is tried again: the server may still hold the connection that was lost.
const TRIES: u32 = 3;
/// The longest pause before that.
const PAUSE: Duration = Duration::from_secs(5);
/// The most keys of which snapshots are asked for; whether those of others include anything stays open.
const MOST_KEYS: usize = 20;
/// How often a snapshot is asked for that is older than what was missed.
const SHOTS: u32 = 5;
/// The most snapshots that one check asks for in all.
pub(in super::super) const MOST_SNAPSHOTS: u64 = 200;

/// A handshake that did not succeed, as a sign.
pub(super) fn refusal(not: &NotOpen) -> Sign {
    let kind = match not {
        NotOpen::Unopened(Unopened::Failed(_)) => SignKind::Dropped,
        NotOpen::Unopened(Unopened::Refused(_)) | NotOpen::Unready(_) | NotOpen::Flooded(..) => SignKind::Handshake,
        NotOpen::Unknown(..) => SignKind::Refused,
        NotOpen::Ended(..) => SignKind::Closed,
    };
    Sign { kind, text: not.why() }
}

impl<'a> Desk<'a> {
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
        Box::pin(self.attempt(left, how.clone(), declared, &mut back)).await;
        if declared && !back.account.is_settled() && back.ended {
            // Whoever is sent away comes again.
            Box::pin(self.attempt(left, how, true, &mut back)).await;
        }
        if declared && !back.account.is_settled() && back.is_told() && resume.is_some() {
            // Whoever is told that it cannot go on begins anew.
            Box::pin(self.attempt(left, How::to("begin anew"), true, &mut back)).await;
        }
        drop(left.ghost.take());
        self.note_end(&left.witness.told);
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
                Err(NotOpen::Unready(why) | NotOpen::Flooded(_, why)) => {
                    back.blocked = Some(format!("the stream could not be asked for: {why}"));
                    return;
                }
                Err(not) => {
                    back.exchanges.extend(not.exchange());
                    if tries == 1 || back.told.signs.is_empty() {
                        back.told.signs.push(refusal(&not));
                    }
                    if declared && how.resume.is_none() && tries == TRIES {
                        // Why nobody may open the stream at all is not for these rules to say.
                        back.blocked = Some(format!("the stream could not be opened anew: {}", not.why()));
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
        let over_http = config.snapshot.as_ref().filter(|_| declared);
        if let Some(snapshot) = over_http.filter(|_| how.resume.is_none()) {
            // A client has something of the stream before it asks for the snapshot that goes before that.
            let until = session.now() + config.lag.0;
            listen(left, session, &mut listener, until, |before, told| {
                back.count(before, told);
                back.account.is_settled() || told.ended.is_some() || !told.events.is_empty()
            })
            .await;
            self.take_snapshots(left, &mut listener, snapshot, back).await;
        }
        let mut lengths = (usize::MAX, 0);
        listen(left, session, &mut listener, until, |before, told| {
            let now = (told.events.len(), told.snapshots.len());
            if now != lengths {
                lengths = now;
                back.count(before, told);
            }
            back.account.is_settled() || told.ended.is_some() || !declared && !told.signs.is_empty()
        })
        .await;
        if let Some(snapshot) = over_http.filter(|_| how.resume.is_some()) {
            self.take_snapshots(left, &mut listener, snapshot, back).await;
        }
        back.live = listener.is_open();
        back.ended = !listener.is_open();
        // A position may be refused by an end; whoever had gone on was not refused.
        if declared && (how.resume.is_none() || !listener.told.events.is_empty()) {
            self.note_end(&listener.told);
        }
        let Told { events, snapshots, signs, beyond, .. } = std::mem::take(&mut listener.told);
        back.told.events.extend(events);
        back.told.snapshots.extend(snapshots);
        back.told.signs.extend(signs);
        back.told.beyond += beyond;
        let closing = listener.feed.close(Some(1000));
        drop(left.while_listening(session, closing).await);
    }

    /// Asks for snapshots over HTTP while the stream is listened to, as a client does: of everything of which an event is
    /// missing, and again where a snapshot is older than that.
    async fn take_snapshots(
        &self,
        left: &mut Left<'a>,
        listener: &mut Listener<'a>,
        snapshot: &Snapshot,
        back: &mut Back,
    ) {
        let (session, between) = (self.session, patience(self.config) / SHOTS);
        for nth in 0..SHOTS {
            if nth > 0 {
                let until = session.now() + between;
                listen(left, session, listener, until, |_, told| told.ended.is_some()).await;
            }
            back.count(&left.before, &listener.told);
            if back.account.is_settled() || !listener.is_open() || session.stopping() {
                return;
            }
            let keys: Vec<Option<String>> = if snapshot.call.uses("key") {
                back.open_keys(&left.before, &listener.told).into_iter().collect()
            } else {
                vec![None]
            };
            for (place, key) in keys.into_iter().enumerate() {
                let unknown = snapshot.call.uses("key") && key.is_none();
                if unknown || place >= MOST_KEYS || self.snapshots.fetch_add(1, Ordering::Relaxed) >= MOST_SNAPSHOTS {
                    back.told.snapshots.push(SnapshotSeen { key, ..SnapshotSeen::default() });
                    continue;
                }
                let asking = self.ask_for(snapshot, key, &mut back.exchanges);
                match during(session, &mut [&mut left.witness, &mut *listener], asking).await {
                    Ok(seen) => back.told.snapshots.push(seen),
                    Err(why) => {
                        back.blocked.get_or_insert(why);
                        return;
                    }
                }
            }
            back.count(&left.before, &listener.told);
        }
    }

    /// One snapshot.
    async fn ask_for(
        &self,
        snapshot: &Snapshot,
        key: Option<String>,
        exchanges: &mut Vec<ExchangeId>,
    ) -> Result<SnapshotSeen, String> {
        let config = self.config;
        let mut values = self.session.values();
        values.extend(key.iter().map(|key| ("key".to_owned(), key.clone())));
        let call = &snapshot.call;
        let request = call.build(call.who(config.client.as_deref()), &values, "ask for a snapshot")?;
        let reply = self.session.send(request).await.map_err(|failure| failure.message)?;
        exchanges.push(reply.id);
        if !reply.is_success() {
            return Err(format!("the snapshot was answered with status {}", reply.status));
        }
        let mut paths = vec![snapshot.sequence.clone()];
        paths.extend(config.messages.key.clone());
        let read = fields(&reply.body, &paths)?;
        let text = |at: usize| read.get(at).and_then(Option::as_ref).and_then(Scalar::text);
        let number = text(0).and_then(|text| text.parse().ok());
        let scope = key.clone().or_else(|| text(1).map(str::to_owned));
        Ok(SnapshotSeen { number, scope, key, rows: None })
    }
}

/// What coming back has come to so far.
#[derive(Default)]
struct Back {
    known: Vec<Known>,
    told: Told,
    account: Account,
    blocked: Option<String>,
    live: bool,
    /// Whether the server ended the last connection.
    ended: bool,
    away: Duration,
    exchanges: Vec<ExchangeId>,
}

impl Back {
    fn count(&mut self, before: &[Event], now: &Told) {
        let after: Vec<Event> = self.told.events.iter().chain(&now.events).cloned().collect();
        let snapshots: Vec<SnapshotSeen> = self.told.snapshots.iter().chain(&now.snapshots).cloned().collect();
        self.account = account(&self.known, before, &after, &snapshots);
    }

    /// What the events happened to of which it is not known that they arrived.
    fn open_keys(&self, before: &[Event], now: &Told) -> BTreeSet<Option<String>> {
        let after: Vec<Event> = self.told.events.iter().chain(&now.events).cloned().collect();
        let snapshots: Vec<SnapshotSeen> = self.told.snapshots.iter().chain(&now.snapshots).cloned().collect();
        open(&self.known, before, &after, &snapshots).into_iter().map(Known::key).collect()
    }

    /// Whether the client was told that it cannot go on.
    fn is_told(&self) -> bool {
        self.told.signs.iter().any(|sign| sign.kind != SignKind::Snapshot)
    }
}

async fn listen<'a>(
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
