//! A stream at the level of frames, whose pings and heartbeats are answered.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::super::{
    config::Config,
    evidence::{Ended, closing::CloseFrame},
    feed::{Feed, How, Kind, LONGEST, Message, NotOpen, Reader, Subscribed, offered, render, values},
};
use crate::{
    exchange::{End, ExchangeId, Frame, Handshake, Opcode, Outgoing, Received},
    families::{Line, Session},
};

/// An error message explains an end that comes so soon after it.
const SOON: Duration = Duration::from_secs(2);

/// A stream at the level of frames. Pings, messages that must be answered and close frames are answered until it is muted.
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own that the others do not decide")]
pub(super) struct Frames<'a> {
    session: &'a dyn Session,
    config: &'a Config,
    reader: Reader,
    line: Box<dyn Line>,
    waiting: std::vec::IntoIter<Frame>,
    partial: Option<BytesMut>,
    error: Option<(Duration, String)>,
    answers: bool,
    /// Whether the peer did not take an answer in time; it is offered no other.
    stuck: bool,
    /// Whether we have said that nothing more comes; pings are still answered, so that the keepalive ends nothing.
    closing: bool,
    closed: Option<(Duration, CloseFrame)>,
    end: Option<(Duration, End)>,
    /// What became of the subscription.
    pub(super) subscribed: Subscribed,
    /// Whether a masked frame came.
    pub(super) masked: bool,
    /// When the first came that must be answered.
    pub(super) asked: Option<Duration>,
    /// Pings that came.
    pub(super) pings: u64,
    /// Messages that came.
    pub(super) messages: u64,
}

/// What came, and when.
pub(super) enum Event {
    /// A message, whole.
    Message(Box<Message>),
    /// A pong.
    Pong(Bytes, Duration),
    /// A frame of another kind.
    Other(Duration),
    /// A close frame.
    Closed,
    /// Nothing in time.
    Quiet,
    /// The end of the TCP connection.
    Ended,
    /// The end of the run.
    Stopped,
}

impl<'a> Frames<'a> {
    /// Opens a stream.
    pub(super) async fn open(session: &'a dyn Session, config: &'a Config, how: How) -> Result<Self, NotOpen> {
        let feed = Feed::open(session, config, how).await?;
        let subscribed = feed.subscribed().clone();
        let before = feed.ended().cloned();
        let (pings, messages) = (feed.seen().pings, feed.seen().messages);
        let (line, waiting) = feed.into_line();
        let closed = before
            .as_ref()
            .filter(|ended| ended.frame)
            .map(|ended| (ended.at, CloseFrame { code: ended.code, reason: ended.reason.clone(), flaw: None }));
        Ok(Self {
            session,
            config,
            reader: Reader::new(config, &session.values()),
            line,
            waiting,
            partial: None,
            error: None,
            answers: true,
            stuck: false,
            closing: false,
            closed,
            end: before.and_then(|ended| Some((ended.at, ended.end?))),
            subscribed,
            masked: false,
            asked: None,
            pings,
            messages,
        })
    }

    /// The next thing that comes, waiting until this instant of the run at most.
    pub(super) async fn next(&mut self, until: Duration) -> Event {
        loop {
            if let Some(frame) = self.waiting.next() {
                return self.take(frame).await;
            }
            if self.end.is_some() {
                return Event::Ended;
            }
            if self.session.stopping() {
                return Event::Stopped;
            }
            let mut frames = Vec::new();
            let received = self.line.receive(&mut frames, until).await;
            if let Received::Ended(end) = &received {
                self.end = Some((self.session.now(), end.clone()));
            }
            self.waiting = frames.into_iter();
            if self.waiting.len() > 0 {
                continue;
            }
            match received {
                Received::Quiet | Received::Frames => return Event::Quiet,
                Received::Stopped => return Event::Stopped,
                Received::Ended(_) => return Event::Ended,
            }
        }
    }

    async fn take(&mut self, frame: Frame) -> Event {
        self.masked |= frame.masked;
        let at = frame.at;
        match frame.opcode {
            Opcode::Ping => {
                self.pings += 1;
                if self.config.heartbeat.as_ref().is_some_and(|heartbeat| heartbeat.pings) {
                    self.asked.get_or_insert(at);
                }
                self.answer(Outgoing::new(Opcode::Pong, frame.payload)).await;
                Event::Other(at)
            }
            Opcode::Pong => Event::Pong(frame.payload, at),
            Opcode::Close => {
                let close = CloseFrame::read(&frame.payload);
                if !self.closing {
                    self.answer(Outgoing::close(close.code, "")).await;
                }
                self.answers = false;
                self.closed.get_or_insert((at, close));
                Event::Closed
            }
            Opcode::Reserved(_) => Event::Other(at),
            Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                let whole = if frame.fin && frame.opcode != Opcode::Continuation {
                    head(frame.payload)
                } else {
                    let begun = self.partial.get_or_insert_default();
                    let room = LONGEST.saturating_sub(begun.len());
                    begun.extend_from_slice(&frame.payload[..frame.payload.len().min(room)]);
                    if !frame.fin {
                        return Event::Other(at);
                    }
                    self.partial.take().unwrap_or_default().freeze()
                };
                self.message(whole, at).await
            }
        }
    }

    async fn message(&mut self, text: Bytes, at: Duration) -> Event {
        self.messages += 1;
        let mut message = self.reader.read(text);
        message.at = at;
        if message.kind == Kind::Error {
            self.error = Some((at, message.excerpt()));
        }
        let answer = self.config.heartbeat.as_ref().and_then(|heartbeat| heartbeat.answer.as_ref());
        if let (Kind::Heartbeat, Some(answer)) = (message.kind, answer) {
            self.asked.get_or_insert(at);
            if !self.closing
                && let Ok(text) = render(answer, &values(self.session, None))
            {
                self.answer(Outgoing::text(text)).await;
            }
        }
        Event::Message(Box::new(message))
    }

    /// Answers the peer, unless it does not read. If it does not get through, the next reading says why.
    async fn answer(&mut self, frame: Outgoing) {
        if self.answers && !self.stuck {
            self.stuck = offered(self.session, self.line.as_mut(), frame).await.is_none();
        }
    }

    /// Sends a frame. If it does not get through, the next reading says why.
    pub(super) async fn send(&mut self, frame: Outgoing) {
        drop(self.line.send(frame).await);
    }

    /// Says that nothing more comes.
    pub(super) async fn close(&mut self, code: Option<u16>, reason: &str) {
        self.closing = true;
        self.send(Outgoing::close(code, reason)).await;
    }

    /// From now on nothing is answered.
    pub(super) fn mute(&mut self) {
        self.answers = false;
    }

    /// Closes it, without waiting for the answer.
    pub(super) async fn leave(mut self) {
        if self.answers && !self.closing && self.end.is_none() {
            self.send(Outgoing::close(Some(1000), "")).await;
        }
    }

    pub(super) fn handshake(&self) -> &Handshake {
        self.line.handshake()
    }

    pub(super) fn exchange(&self) -> ExchangeId {
        self.handshake().id
    }

    /// How long the handshake took.
    pub(super) fn rtt(&self) -> Duration {
        let handshake = self.handshake();
        handshake.received.saturating_sub(handshake.sent)
    }

    /// The close frame that came, if one did.
    pub(super) fn closed(&self) -> Option<&CloseFrame> {
        self.closed.as_ref().map(|(_, close)| close)
    }

    /// How the TCP connection ended, if it did.
    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref().map(|(_, end)| end)
    }

    /// How the server ended it, if it did.
    pub(super) fn ended(&self) -> Option<Ended> {
        let at = self.closed.as_ref().map(|(at, _)| *at).or(self.end.as_ref().map(|(at, _)| *at))?;
        let close = self.closed();
        let told = self.error.as_ref().filter(|(told, _)| at.saturating_sub(*told) <= SOON);
        Some(Ended {
            exchange: self.exchange(),
            at,
            lived: at.saturating_sub(self.handshake().received),
            frame: close.is_some(),
            code: close.and_then(|close| close.code),
            reason: close.map(|close| close.reason.clone()).unwrap_or_default(),
            end: self.end().cloned(),
            told: told.map(|(_, text)| text.clone()),
        })
    }
}

/// What is read of a message, without the memory of what is not.
fn head(payload: Bytes) -> Bytes {
    if payload.len() <= LONGEST { payload } else { Bytes::copy_from_slice(&payload[..LONGEST]) }
}

/// Whole milliseconds.
pub(super) fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// How long fincheck waited between two instants, less what it was kept from working.
pub(super) fn waited(session: &dyn Session, from: Duration, to: Duration) -> Duration {
    to.saturating_sub(from).saturating_sub(session.late(from, to))
}
