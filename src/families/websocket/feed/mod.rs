//! A stream at the level of messages: connected, made known, subscribed, and read as the suite says.
//!
//! Pings and pings that are messages are answered, fragments put together, a close frame answered; nothing else is done
//! unasked. Messages that come while an answer is awaited are kept and handed out by [`Feed::next`] in their order, the
//! answer among them.

mod compare;
mod farewell;
mod message;
mod open;
mod reader;
mod reading;
mod said;
mod track;

pub(super) use self::{
    compare::{Comparison, Name as EventName, Side as CompareSide},
    message::{Kind, Message, Of, excerpt},
    open::{How, NotOpen, Position, Resumed, Subscribed, opening},
    reader::Reader,
    reading::Reading,
    said::{is_credential, render, spoken, values},
    track::{Counts, Flaw, FlawKind, Tracker},
};

use std::{collections::VecDeque, future::poll_fn, pin::pin, task::Poll, time::Duration};

use bytes::{Bytes, BytesMut};
use futures_util::future::{Either, select};

use super::{config::Config, evidence::Ended};
use crate::{
    exchange::{End, ExchangeId, Frame, Handshake, Loss, Opcode, Outgoing, Received, Who},
    families::{Line, Session},
    json::PageValues,
};

/// The largest message that is put together, in octets; what is beyond is cut off, and the message is read as no JSON.
pub(super) const LONGEST: usize = 1 << 20;
/// The most messages that are kept while an answer is awaited.
const MOST_KEPT: usize = 20_000;
/// The most octets of them.
const MOST_OCTETS: usize = 8 << 20;
/// How long an answer that nobody asked us for is offered to a peer that does not read.
const OFFERED: Duration = Duration::from_secs(1);
/// How long the peer's close frame and the end of the connection are waited for.
const FAREWELL: Duration = Duration::from_secs(2);
/// As many frames at once say that more were there.
const FULL: usize = 1_024;

/// A stream at the level of messages.
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own that the others do not decide")]
pub(super) struct Feed<'a> {
    session: &'a dyn Session,
    config: &'a Config,
    /// Whose secrets messages carry.
    who: Who,
    reader: Reader,
    line: Box<dyn Line>,
    /// What its messages say.
    values: PageValues,
    /// Whether the peer did not take an answer in time; it is offered no other.
    stuck: bool,
    /// Whether a message may have to be answered.
    answers: bool,
    frames: std::vec::IntoIter<Frame>,
    /// Whether there was more to read than could be read at once.
    full: bool,
    /// How many frames came last.
    room: usize,
    partial: Option<BytesMut>,
    kept: VecDeque<Message>,
    muted: bool,
    subscribed: Subscribed,
    ended: Option<Ended>,
    seen: Seen,
}

/// What a feed has met so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    /// Frames of any kind.
    pub(super) frames: u64,
    /// Messages.
    pub(super) messages: u64,
    /// Pings.
    pub(super) pings: u64,
    /// When anything came last, since the start of the run.
    pub(super) alive: Option<Duration>,
    /// Where it is.
    position: Position,
    /// The last error message, in brief, and when it came.
    pub(super) error: Option<(Duration, String)>,
    /// For how long at a stretch there was more to read than could be read at once.
    pub(super) behind: Duration,
    since: Option<Duration>,
}

/// What waiting for a message came to.
#[derive(Debug)]
pub(super) enum Heard {
    /// This.
    Message(Box<Message>),
    /// Nothing came in time.
    Quiet,
    /// No more will come.
    Ended(Ended),
    /// The run is over.
    Stopped,
}

impl Seen {
    /// How the stream would be taken up here.
    pub(super) fn resumed(&self) -> Resumed {
        self.position.resumed()
    }
}

/// Offers a frame to a peer that may not read; `None` if it was not taken within a second.
pub(super) async fn offered(session: &dyn Session, line: &mut dyn Line, frame: Outgoing) -> Option<Result<(), End>> {
    let (sending, waiting) = (line.send(frame), session.pause(OFFERED));
    match select(pin!(sending), pin!(waiting)).await {
        Either::Left((sent, _)) => Some(sent),
        Either::Right(_) => None,
    }
}

/// Lets everything else on this thread go on once.
async fn give_way() {
    let mut gave = false;
    poll_fn(|context| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Feed<'_> {
    /// The next message, waiting until this instant of the run at most.
    pub(super) async fn next(&mut self, until: Duration) -> Heard {
        match self.kept.pop_front() {
            Some(message) => Heard::Message(Box::new(message)),
            None => self.hear(until).await,
        }
    }

    /// The next message from the line.
    async fn hear(&mut self, until: Duration) -> Heard {
        let mut read = false;
        loop {
            while let Some(frame) = self.frames.next() {
                if let Some(message) = self.take(frame).await {
                    return Heard::Message(Box::new(message));
                }
                if let Some(ended) = &self.ended {
                    return Heard::Ended(ended.clone());
                }
            }
            if let Some(ended) = &self.ended {
                return Heard::Ended(ended.clone());
            }
            if std::mem::take(&mut self.full) {
                // Others on this thread have as much to read, and would wait until this is at its end.
                give_way().await;
            }
            // What is no message may be there all the time, too.
            if read && self.session.now() >= until {
                return Heard::Quiet;
            }
            if self.session.stopping() {
                return Heard::Stopped;
            }
            read = true;
            let mut frames = Vec::with_capacity(self.room);
            let received = self.line.receive(&mut frames, until).await;
            self.measure(&frames);
            self.frames = frames.into_iter();
            match received {
                Received::Quiet if self.frames.len() == 0 => return Heard::Quiet,
                Received::Stopped if self.frames.len() == 0 => return Heard::Stopped,
                Received::Frames | Received::Quiet | Received::Stopped => {}
                Received::Ended(end) => {
                    // What came with it is read first.
                    let ended = self.end(None, String::new(), Some(end));
                    let mut messages = VecDeque::new();
                    while let Some(frame) = self.frames.next() {
                        messages.extend(self.take(frame).await);
                    }
                    match &mut self.ended {
                        Some(closed) => closed.end = ended.end,
                        None => self.ended = Some(ended),
                    }
                    self.kept.extend(messages);
                    if let Some(message) = self.kept.pop_front() {
                        return Heard::Message(Box::new(message));
                    }
                }
            }
        }
    }

    /// Whether reading keeps up.
    fn measure(&mut self, frames: &[Frame]) {
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return };
        self.seen.frames += frames.len() as u64;
        self.seen.alive = Some(last.at);
        (self.full, self.room) = (frames.len() >= FULL, frames.len());
        if self.full {
            let since = *self.seen.since.get_or_insert(first.at);
            self.seen.behind = self.seen.behind.max(last.at.saturating_sub(since));
        } else {
            self.seen.since = None;
        }
    }

    /// Takes a frame; a message may end with it.
    async fn take(&mut self, frame: Frame) -> Option<Message> {
        match frame.opcode {
            Opcode::Ping => {
                self.seen.pings += 1;
                if !self.muted {
                    self.offer(Outgoing::new(Opcode::Pong, frame.payload)).await;
                }
                None
            }
            Opcode::Close => {
                let code = frame.payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
                let reason = excerpt(frame.payload.get(2..).unwrap_or_default());
                if !self.muted {
                    self.offer(Outgoing::close(code, "")).await;
                }
                let ended = self.end(code, reason, None);
                self.ended = Some(Ended { at: frame.at, frame: true, ..ended });
                None
            }
            Opcode::Text | Opcode::Binary if frame.fin => Some(self.message(frame.payload, frame.at).await),
            Opcode::Text | Opcode::Binary => {
                let mut begun = BytesMut::new();
                begun.extend_from_slice(&frame.payload[..frame.payload.len().min(LONGEST)]);
                self.partial = Some(begun);
                None
            }
            Opcode::Continuation => {
                let begun = self.partial.as_mut()?;
                let room = LONGEST.saturating_sub(begun.len());
                begun.extend_from_slice(&frame.payload[..frame.payload.len().min(room)]);
                if !frame.fin {
                    return None;
                }
                let whole = self.partial.take()?;
                Some(self.message(whole.freeze(), frame.at).await)
            }
            Opcode::Pong | Opcode::Reserved(_) => None,
        }
    }

    async fn message(&mut self, payload: Bytes, at: Duration) -> Message {
        let mut message = Message::other(Bytes::new());
        self.read(payload, at, &mut message);
        if message.kind == Kind::Heartbeat {
            self.answer().await;
        }
        message
    }

    /// What a message says. Some streams send their JSON as octets, so those are read, too.
    fn read(&mut self, mut payload: Bytes, at: Duration, message: &mut Message) {
        // What was put together from fragments has been cut already.
        let whole = payload.len() < LONGEST;
        if payload.len() > LONGEST {
            // The memory of the whole is not to be kept for the sake of a part.
            payload = Bytes::copy_from_slice(&payload[..LONGEST]);
        }
        (message.at, message.text) = (at, payload);
        self.reader.read_again(message, &mut self.values);
        message.cut = !whole && message.kind == Kind::Other;
        self.seen.messages += 1;
        if matches!(message.kind, Kind::Error | Kind::Gap) {
            self.seen.error = Some((at, message.excerpt()));
        }
        self.seen.position.note(message);
    }

    /// Answers a heartbeat where it is a ping.
    async fn answer(&mut self) {
        if !self.muted
            && let Some(answer) = self.config.heartbeat.as_ref().and_then(|heartbeat| heartbeat.answer.as_ref())
            && let Ok(answer) = render(answer, &self.session.values())
        {
            self.offer(Outgoing::text(answer)).await;
        }
    }

    /// Sends what answers the peer, unless it does not read. If it does not get through, the next reading says why.
    async fn offer(&mut self, frame: Outgoing) {
        if !self.stuck {
            self.stuck = offered(self.session, self.line.as_mut(), frame).await.is_none();
        }
    }

    /// The next message of those that are there already, read into the memory of the one before. There may be more for
    /// [`Feed::next`] to find: nothing is read from the line here, and nothing answered.
    pub(super) fn ready(&mut self, message: &mut Message) -> bool {
        let whole = |frame: &Frame| frame.fin && matches!(frame.opcode, Opcode::Text | Opcode::Binary);
        if self.answers || !self.kept.is_empty() || !self.frames.as_slice().first().is_some_and(whole) {
            return false;
        }
        let Some(frame) = self.frames.next() else { return false };
        self.read(frame.payload, frame.at, message);
        true
    }

    fn end(&self, code: Option<u16>, reason: String, end: Option<End>) -> Ended {
        let now = self.session.now();
        let recent = |at: Duration| now.saturating_sub(at) <= FAREWELL;
        Ended {
            exchange: self.exchange(),
            at: now,
            lived: now.saturating_sub(self.line.handshake().received),
            frame: false,
            code,
            reason,
            end,
            told: self.seen.error.as_ref().filter(|(at, _)| recent(*at)).map(|(_, text)| text.clone()),
        }
    }

    /// Sends a text message.
    pub(super) async fn say(&mut self, text: String) -> Result<(), End> {
        self.line.send(Outgoing::text(text)).await
    }

    /// How the opening handshake was answered.
    pub(super) fn handshake(&self) -> &Handshake {
        self.line.handshake()
    }

    /// The number of the exchange that the stream is.
    pub(super) fn exchange(&self) -> ExchangeId {
        self.line.handshake().id
    }

    /// What became of the subscription.
    pub(super) fn subscribed(&self) -> &Subscribed {
        &self.subscribed
    }

    /// What was met so far.
    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// How it ended, once [`Feed::next`] has said so.
    pub(super) fn ended(&self) -> Option<&Ended> {
        self.ended.as_ref()
    }

    /// The frames themselves; what is read here does not come to [`Feed::next`].
    pub(super) fn line(&mut self) -> &mut dyn Line {
        self.line.as_mut()
    }

    /// The connection, and frames that came and were not read.
    pub(super) fn into_line(self) -> (Box<dyn Line>, std::vec::IntoIter<Frame>) {
        (self.line, self.frames)
    }

    /// From now on nothing is answered: no ping, no heartbeat, no close frame.
    pub(super) fn mute(&mut self) {
        self.muted = true;
    }

    /// Gives it up on purpose.
    pub(super) async fn lose(self, loss: Loss) {
        self.line.lose(loss).await;
    }
}
