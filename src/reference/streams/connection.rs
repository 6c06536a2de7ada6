//! One connection: what comes is read and followed, what waits is written, and neither waits for the other.

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncWrite, AsyncWriteExt, ReadHalf},
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    Channel,
    asked::{error, follow},
    assembly::{Assembly, Heard, TOO_LARGE},
    compression::deflate,
    frame::{CLOSE, COMPRESSED, PONG, Reader, TEXT, Unread, frame},
    outbox::{Item, Outbox},
    teller::Teller,
    timers::Timers,
};
use crate::reference::{
    defects::stream::{
        DROPS_ON_ERROR, DROPS_THE_LIVING, NEVER_CATCHES_UP, NO_CLOSE_REPLY, NO_PONG, PONG_ALTERED, SLOW_HARMS_OTHERS,
    },
    http::Api,
    tokens::Principal,
    variants::{STREAM_PONG_LATEST_ONLY, STREAM_RESET_ON_PROTOCOL_ERROR},
};

/// How long a peer may take to answer a close frame, or to take the last one.
const PATIENCE: Duration = Duration::from_millis(800);
/// How many messages a client may send in a second.
const MOST_MESSAGES: usize = 50;
/// How long each message takes to a client that was slow once, where a defect slows it further.
const DELAY: Duration = Duration::from_millis(3);

/// One connection.
pub(super) struct Connection {
    pub(super) api: Arc<Api>,
    pub(super) principal: Principal,
    pub(super) channel: Channel,
    pub(super) outbox: Arc<Outbox>,
    pub(super) compression: bool,
}

/// How reading came to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The peer has closed the connection.
    Closed,
    /// The peer broke the protocol, and what follows cannot be made out.
    Failed,
    /// The peer is gone, or not worth waiting for.
    Lost,
}

impl Connection {
    /// Serves the connection until its end; true if the client closed it in order.
    pub(super) async fn serve(self, upgraded: Upgraded) -> bool {
        let (read, write) = tokio::io::split(TokioIo::new(upgraded));
        let mut reader = Reader::new(read);
        let stopped = async {
            self.api.stop.cancelled().await;
            sleep(PATIENCE).await;
        };
        tokio::select! {
            closed = self.run(&mut reader, write) => closed,
            () = stopped => false,
        }
    }

    async fn run<W: AsyncWrite + Unpin>(&self, reader: &mut Reader<ReadHalf<TokioIo<Upgraded>>>, mut write: W) -> bool {
        let end = {
            let mut writing = pin!(self.write(&mut write));
            let mut reading = pin!(self.read(reader));
            tokio::select! {
                end = &mut reading => {
                    if end != End::Lost {
                        let _ = timeout(PATIENCE, &mut writing).await;
                    }
                    end
                }
                closed = &mut writing => {
                    if !closed {
                        return false;
                    }
                    timeout(PATIENCE, &mut reading).await.unwrap_or(End::Lost)
                }
            }
        };
        let _ = timeout(PATIENCE, write.shutdown()).await;
        if end == End::Failed {
            let _ = timeout(PATIENCE, reader.drain()).await;
        }
        end == End::Closed
    }

    /// Reads what comes and minds the time.
    async fn read(&self, reader: &mut Reader<ReadHalf<TokioIo<Upgraded>>>) -> End {
        let is = &self.api.behaviour;
        let mut assembly = Assembly::new(is.clone(), self.compression);
        let mut timers = Timers::new(&self.api, self.principal, Arc::clone(&self.outbox));
        let mut recent = VecDeque::new();
        let mut stopping = false;
        loop {
            let read = tokio::select! {
                read = reader.next() => read,
                () = sleep_until(timers.next()) => {
                    if timers.is_over() {
                        return End::Lost;
                    }
                    timers.fire();
                    continue;
                }
                () = self.api.stop.cancelled(), if !stopping => {
                    stopping = true;
                    self.outbox.close(1001, "the API is stopping");
                    continue;
                }
            };
            let heard = match read {
                Ok(frame) => assembly.take(frame),
                Err(Unread::Lost) => return End::Lost,
                Err(Unread::TooLarge) => Heard::Failed(1009, TOO_LARGE),
                Err(Unread::Broken) => Heard::Failed(1002, "that is no frame"),
            };
            match heard {
                Heard::Nothing => {}
                Heard::Pong if is.has(DROPS_THE_LIVING) => {}
                Heard::Pong => timers.pong(),
                Heard::Ping(payload) => self.pong(payload, &mut timers),
                Heard::Text(text) => self.hear(&text, &mut recent),
                Heard::Close(_) if is.has(NO_CLOSE_REPLY) => {}
                Heard::Close(code) => {
                    self.outbox.answer_close(code);
                    return End::Closed;
                }
                Heard::Failed(code, reason) => {
                    let drop = is.is(STREAM_RESET_ON_PROTOCOL_ERROR) || code == 1009 && is.has(DROPS_ON_ERROR);
                    self.outbox.fail(code, reason, drop);
                    return End::Failed;
                }
            }
        }
    }

    fn pong(&self, mut payload: Vec<u8>, timers: &mut Timers) {
        let is = &self.api.behaviour;
        if is.has(NO_PONG) {
            return;
        }
        if is.has(PONG_ALTERED) {
            match payload.first_mut() {
                Some(first) => *first ^= 1,
                None => payload.push(b'x'),
            }
        }
        if is.is(STREAM_PONG_LATEST_ONLY) {
            timers.answer_later(payload);
        } else {
            self.outbox.push(Item::Control(PONG, payload));
        }
    }

    fn hear(&self, text: &str, recent: &mut VecDeque<Instant>) {
        let now = Instant::now();
        recent.push_back(now);
        while recent.front().is_some_and(|at| now.duration_since(*at) > Duration::from_secs(1)) {
            recent.pop_front();
        }
        if recent.len() > MOST_MESSAGES {
            let message = "at most 50 messages may be sent in a second";
            self.outbox.push(error("too_many_messages", message, None));
            self.outbox.close(1008, "too many messages");
        } else {
            follow(self, text);
        }
    }

    /// Writes what waits; true once a close frame is out, false if there is nobody to write to, or no word to say.
    async fn write<W: AsyncWrite + Unpin>(&self, write: &mut W) -> bool {
        let is = &self.api.behaviour;
        let mut teller = Teller::new(Arc::clone(&self.api), self.principal.tenant);
        loop {
            let item = self.outbox.next().await;
            let is_event = matches!(item, Item::Event(_));
            let mut is_last = false;
            let frames: Vec<Bytes> = match item {
                Item::Drop => return false,
                Item::Control(opcode, payload) => vec![frame(opcode, 0, &payload)],
                Item::Close(code, reason) => {
                    is_last = true;
                    let payload = code.map_or_else(Vec::new, |code| [&code.to_be_bytes(), reason.as_bytes()].concat());
                    vec![frame(CLOSE, 0, &payload)]
                }
                item => teller.tell(item).iter().map(|text| self.text(text)).collect(),
            };
            for octets in frames {
                if write.write_all(&octets).await.is_err() {
                    return false;
                }
            }
            // Over TLS octets may linger until they are flushed.
            if write.flush().await.is_err() {
                return false;
            }
            self.outbox.sent(is_last);
            if is_last {
                return true;
            }
            if is_event && is.has(SLOW_HARMS_OTHERS) {
                self.api.streams.release();
            }
            if is_event && is.has(NEVER_CATCHES_UP) && self.outbox.was_slow() {
                sleep(DELAY).await;
            }
        }
    }

    fn text(&self, text: &str) -> Bytes {
        let compressed = Some(text).filter(|_| self.compression).and_then(|text| deflate(text.as_bytes()));
        compressed.map_or_else(|| frame(TEXT, 0, text.as_bytes()), |payload| frame(TEXT, COMPRESSED, &payload))
    }
}
