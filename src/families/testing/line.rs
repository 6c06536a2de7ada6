//! Streams in virtual time: a stage on which a function answers handshakes, and a function for each connection says what
//! comes when.
//!
//! ```ignore
//! let stage = Stage::new(|asked: &Asked<'_>| {
//!     let count = asked.nth; // the first opening is 1
//!     Opened::accept(asked, move |said, now| match said {
//!         Said::Frame(frame) if frame.opcode == Opcode::Ping => vec![Due::frame(now, Opcode::Pong, frame.payload.clone())],
//!         Said::Opened => vec![Due::text(now + MS, r#"{"type":"hello"}"#), Due::end(now + 9 * MS, End::Reset)],
//!         _ => vec![],
//!     })
//! });
//! let fake = Fake::new(requests).streaming(&stage); // `requests` may say `stage.tell(Due::text(..))`
//! ```

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{Given, clock::Clock};
use crate::{
    exchange::{End, ExchangeId, FailureKind, Frame, Handshake, Headers, Loss, Opcode, Opening, Outgoing, Received},
    families::Line,
};

/// A handshake that is to be answered.
pub(crate) struct Asked<'a> {
    pub(crate) opening: &'a Opening,
    pub(crate) key: &'a str,
    /// Which opening it is, from 1.
    pub(crate) nth: usize,
    pub(crate) now: Duration,
}

/// How it is answered.
pub(crate) enum Opened {
    /// With 101, rightly or wrongly.
    Accept(Given, Peer),
    /// With another response.
    Refuse(Given),
    /// Not at all.
    Fail(FailureKind),
}

/// What the client does, as the other side of a connection sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said<'a> {
    /// It has connected.
    Opened,
    /// It sends a frame.
    Frame(&'a Outgoing),
    /// It gives the connection up.
    Lost(&'a Loss),
    /// Nothing; a wake-up call is due.
    Woken,
}

/// The other side of a connection: says what comes because of that, at this instant or later.
type Peer = Box<dyn FnMut(Said<'_>, Duration) -> Vec<Due> + Send>;

/// What comes, and when.
#[derive(Debug, Clone)]
pub(crate) struct Due {
    at: Duration,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Frame(Frame),
    End(End),
    Wake,
}

impl Due {
    /// A whole message or a control frame as a server sends it.
    pub(crate) fn frame(at: Duration, opcode: Opcode, payload: impl Into<Bytes>) -> Self {
        Self::raw(Frame { at, fin: true, rsv: 0, masked: false, opcode, payload: payload.into() })
    }

    /// A text message.
    pub(crate) fn text(at: Duration, text: impl Into<String>) -> Self {
        Self::frame(at, Opcode::Text, text.into())
    }

    /// A close frame.
    pub(crate) fn close(at: Duration, code: Option<u16>, reason: &str) -> Self {
        Self::frame(at, Opcode::Close, Outgoing::close(code, reason).payload)
    }

    /// Any frame, due at its own instant.
    pub(crate) fn raw(frame: Frame) -> Self {
        Self { at: frame.at, what: What::Frame(frame) }
    }

    /// The end of the connection; what is due later never comes.
    pub(crate) fn end(at: Duration, end: End) -> Self {
        Self { at, what: What::End(end) }
    }

    /// [`Said::Woken`] for the one who asks for it.
    pub(crate) fn wake(at: Duration) -> Self {
        Self { at, what: What::Wake }
    }
}

impl Opened {
    /// Answers as RFC 6455 wants it, without subprotocol and extensions.
    pub(crate) fn accept(asked: &Asked<'_>, peer: impl FnMut(Said<'_>, Duration) -> Vec<Due> + Send + 'static) -> Self {
        Self::Accept(switching(asked.key), Box::new(peer))
    }
}

/// The response that accepts this key.
pub(crate) fn switching(key: &str) -> Given {
    let accept = derive_accept_key(key.as_bytes());
    Given { status: 101, headers: Headers::default(), body: Vec::new(), delay: Duration::ZERO }
        .header("upgrade", "websocket")
        .header("connection", "Upgrade")
        .header("sec-websocket-accept", accept)
}

/// Answers a handshake.
type Opener = Box<dyn FnMut(&Asked<'_>) -> Opened + Send>;

/// Where all connections are, numbered from 1.
pub(crate) struct Stage {
    clock: OnceLock<Arc<Clock>>,
    opener: Mutex<Opener>,
    openings: Mutex<usize>,
    slots: Mutex<Vec<Slot>>,
}

struct Slot {
    nth: usize,
    /// Absent while it is asked.
    peer: Option<Peer>,
    due: Vec<Due>,
    /// What has come and is not read yet.
    come: VecDeque<Frame>,
    end: Option<End>,
    lost: Option<Loss>,
}

impl Slot {
    fn is_open(&self) -> bool {
        self.end.is_none() && self.lost.is_none()
    }
}

impl Stage {
    pub(crate) fn new(opener: impl FnMut(&Asked<'_>) -> Opened + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            clock: OnceLock::new(),
            opener: Mutex::new(Box::new(opener)),
            openings: Mutex::default(),
            slots: Mutex::default(),
        })
    }

    /// Sends something on one connection; nothing if it is closed.
    pub(crate) fn say(&self, nth: usize, due: impl IntoIterator<Item = Due>) {
        let mut slots = self.slots.lock().unwrap();
        if let Some(slot) = slots.iter_mut().find(|slot| slot.nth == nth && slot.is_open()) {
            slot.due.extend(due);
        }
    }

    /// Sends something on every connection that is open.
    pub(crate) fn tell(&self, due: &Due) {
        for nth in self.open() {
            self.say(nth, [due.clone()]);
        }
    }

    /// The connections that are open.
    pub(crate) fn open(&self) -> Vec<usize> {
        self.slots.lock().unwrap().iter().filter(|slot| slot.is_open()).map(|slot| slot.nth).collect()
    }

    /// How the client gave a connection up, if it did; dropping it is closing it.
    pub(crate) fn lost(&self, nth: usize) -> Option<Loss> {
        self.slots.lock().unwrap().iter().find(|slot| slot.nth == nth)?.lost.clone()
    }

    /// Runs on this clock from now on.
    pub(super) fn runs_on(&self, clock: &Arc<Clock>) {
        assert!(self.clock.set(Arc::clone(clock)).is_ok(), "a stage has one clock");
    }

    fn clock(&self) -> &Clock {
        self.clock.get().unwrap()
    }

    /// Answers a handshake; a connection is open from `now` on.
    pub(super) fn answer(&self, opening: &Opening, key: &str, now: Duration) -> (usize, Opened) {
        let nth = {
            let mut openings = self.openings.lock().unwrap();
            *openings += 1;
            *openings
        };
        let opened = self.opener.lock().unwrap()(&Asked { opening, key, nth, now });
        (nth, opened)
    }

    /// Puts a connection on the stage.
    pub(super) fn connect(self: &Arc<Self>, nth: usize, peer: Peer, handshake: Handshake) -> Box<dyn Line> {
        let (due, come) = (Vec::new(), VecDeque::new());
        self.slots.lock().unwrap().push(Slot { nth, peer: Some(peer), due, come, end: None, lost: None });
        self.ask(nth, Said::Opened, handshake.received);
        Box::new(StageLine { stage: Arc::clone(self), nth, handshake })
    }

    /// Lets the other side of a connection say what comes. It may speak to the stage meanwhile.
    fn ask(&self, nth: usize, said: Said<'_>, now: Duration) {
        let Some(mut peer) = self.with(nth, |slot| slot.peer.take()) else { return };
        let due = peer(said, now);
        self.with(nth, |slot| {
            slot.peer = Some(peer);
            slot.due.extend(due);
        });
    }

    fn with<T>(&self, nth: usize, act: impl FnOnce(&mut Slot) -> T) -> T {
        let mut slots = self.slots.lock().unwrap();
        act(slots.iter_mut().find(|slot| slot.nth == nth).unwrap())
    }

    /// Lets come what is due by now, on all connections, in order.
    fn settle(&self) {
        while let Some((nth, due)) = self.take_due() {
            match due.what {
                What::Frame(frame) => self.with(nth, |slot| slot.come.push_back(frame)),
                What::End(end) => self.with(nth, |slot| slot.end = Some(end)),
                What::Wake => self.ask(nth, Said::Woken, due.at),
            }
        }
    }

    /// Takes what is due first, by now.
    fn take_due(&self) -> Option<(usize, Due)> {
        let (now, mut slots) = (self.clock().now(), self.slots.lock().unwrap());
        let open = slots.iter().enumerate().filter(|(_, slot)| slot.is_open());
        let all = open.flat_map(|(n, slot)| slot.due.iter().enumerate().map(move |(d, due)| (due.at, n, d)));
        let (_, n, d) = all.filter(|(at, ..)| *at <= now).min()?;
        Some((slots[n].nth, slots[n].due.remove(d)))
    }

    /// When something happens next that a reader of this connection must not sleep through.
    fn next(&self, nth: usize) -> Option<Duration> {
        let slots = self.slots.lock().unwrap();
        let open = slots.iter().filter(|slot| slot.is_open());
        let counts = |slot: &Slot, due: &Due| slot.nth == nth || matches!(due.what, What::Wake);
        open.flat_map(|slot| slot.due.iter().filter(move |due| counts(slot, due))).map(|due| due.at).min()
    }
}

struct StageLine {
    stage: Arc<Stage>,
    nth: usize,
    handshake: Handshake,
}

impl StageLine {
    /// Takes what has come, or the end.
    fn take(&self, frames: &mut Vec<Frame>) -> Option<Received> {
        self.stage.settle();
        let now = self.stage.clock().now();
        self.stage.with(self.nth, |slot| {
            if slot.come.is_empty() {
                return slot.end.clone().map(Received::Ended);
            }
            let many = slot.come.len().min(1_024);
            // Whoever reads late has read late.
            frames.extend(slot.come.drain(..many).map(|frame| Frame { at: frame.at.max(now), ..frame }));
            Some(Received::Frames)
        })
    }

    fn give_up(&self, loss: Loss) {
        self.stage.settle();
        let known = self.stage.with(self.nth, |slot| {
            let known = !slot.is_open();
            slot.lost.get_or_insert_with(|| loss.clone());
            known
        });
        if !known {
            self.stage.ask(self.nth, Said::Lost(&loss), self.stage.clock().now());
        }
    }
}

impl Line for StageLine {
    fn handshake(&self) -> &Handshake {
        &self.handshake
    }

    fn receive<'a>(&'a mut self, frames: &'a mut Vec<Frame>, until: Duration) -> BoxFuture<'a, Received> {
        async move {
            loop {
                if let Some(received) = self.take(frames) {
                    return received;
                }
                let (stage, nth) = (&self.stage, self.nth);
                if stage.clock().now() >= until {
                    return Received::Quiet;
                }
                stage.clock().until(|| stage.next(nth).map_or(until, |next| next.min(until))).await;
            }
        }
        .boxed()
    }

    fn send(&mut self, frame: Outgoing) -> BoxFuture<'_, Result<(), End>> {
        async move {
            self.stage.settle();
            if let Some(end) = self.stage.with(self.nth, |slot| slot.end.clone()) {
                return Err(end);
            }
            self.stage.ask(self.nth, Said::Frame(&frame), self.stage.clock().now());
            Ok(())
        }
        .boxed()
    }

    fn lose(self: Box<Self>, loss: Loss) -> BoxFuture<'static, ()> {
        async move { self.give_up(loss) }.boxed()
    }
}

impl Drop for StageLine {
    fn drop(&mut self) {
        self.give_up(Loss::Closed);
    }
}

/// What the client is told of a handshake.
pub(super) fn handshake(id: ExchangeId, given: &Given, key: &str, sent: Duration, received: Duration) -> Handshake {
    Handshake { id, status: given.status, headers: given.headers.clone(), key: key.to_owned(), sent, received }
}

#[cfg(test)]
mod tests;
