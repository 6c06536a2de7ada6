//! What happens on one connection by the clock: heartbeats, pings, and ends.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    asked::error,
    frame::{PING, PONG},
    outbox::{Item, Outbox},
};
use crate::reference::{
    behaviour::Behaviour,
    defects::stream::{
        DROPS_SILENTLY, NEVER_CATCHES_UP, NEVER_DROPS_DEAD, OUTLIVES_TOKEN, SILENT, SLOW_HARMS_OTHERS, UNEXPLAINED_DROP,
    },
    http::Api,
    times::Times,
    tokens::Principal,
    variants::{STREAM_CLOSES_THEN_RESUMES, STREAM_HEARTBEAT_WHEN_IDLE},
};

/// How long a client that is to be closed may take to take what waits for it.
const LAST_WORDS: Duration = Duration::from_secs(150);
/// How often more patience a client that takes nothing meets where its slowness is to show.
const INDULGENCE: u32 = 8;
/// How long pings wait to be answered, where only the last one is.
const POOL: Duration = Duration::from_millis(20);

/// The clock of one connection.
pub(super) struct Timers {
    is: Behaviour,
    times: Times,
    outbox: Arc<Outbox>,
    heartbeat: Instant,
    ping: Instant,
    pings: u32,
    /// When the peer is given up, if it does not answer a ping.
    deadline: Option<Instant>,
    /// When the token expires.
    expiry: Option<Instant>,
    /// When the connection ends for no fault of the client.
    leave: Option<Instant>,
    /// The ping that is to be answered, and when.
    answer: Option<(Instant, Vec<u8>)>,
}

impl Timers {
    pub(super) fn new(api: &Api, principal: Principal, outbox: Arc<Outbox>) -> Self {
        let (is, times, now) = (api.behaviour.clone(), api.times, Instant::now());
        let expires = principal.expires() && !is.has(OUTLIVES_TOKEN);
        let leaves = is.has(UNEXPLAINED_DROP) || is.is(STREAM_CLOSES_THEN_RESUMES);
        Self {
            heartbeat: now + times.stream_heartbeat,
            ping: now + times.stream_ping,
            pings: 0,
            deadline: None,
            expiry: expires.then(|| now + times.stream_session),
            leave: leaves.then(|| now + 2 * times.stream_session),
            answer: None,
            is,
            times,
            outbox,
        }
    }

    /// When there is something to do again.
    pub(super) fn next(&self) -> Instant {
        let answer = self.answer.as_ref().map(|(at, _)| *at);
        let others = [self.deadline, self.expiry, self.leave, answer].into_iter().flatten();
        others.fold(self.heartbeat.min(self.ping), Instant::min)
    }

    /// Whether nothing is to be expected of the client any more.
    pub(super) fn is_over(&self) -> bool {
        self.outbox.shut().is_some_and(|since| since.elapsed() > LAST_WORDS)
    }

    /// A pong came: the peer lives.
    pub(super) fn pong(&mut self) {
        self.deadline = None;
    }

    /// Answers a ping after a while, unless another one comes.
    pub(super) fn answer_later(&mut self, payload: Vec<u8>) {
        let at = self.answer.take().map_or_else(|| Instant::now() + POOL, |(at, _)| at);
        self.answer = Some((at, payload));
    }

    /// Does what is due.
    pub(super) fn fire(&mut self) {
        let now = Instant::now();
        if let Some((_, payload)) = self.answer.take_if(|(at, _)| *at <= now) {
            self.outbox.push(Item::Control(PONG, payload));
        }
        if self.heartbeat <= now {
            self.beat(now);
        }
        if self.ping <= now {
            self.ping = now + self.times.stream_ping.max(Duration::from_millis(1));
            if !self.is.has(SILENT) {
                self.pings = self.pings.wrapping_add(1);
                self.outbox.push(Item::Control(PING, self.pings.to_be_bytes().to_vec()));
                self.deadline.get_or_insert(now + self.timeout());
            }
        }
        if self.deadline.is_some_and(|at| at <= now) {
            self.deadline = None;
            if self.outbox.is_held_up() {
                // It cannot have seen the ping yet; what it has no room for decides.
                self.deadline = Some(now + self.timeout());
            } else if !self.is.has(NEVER_DROPS_DEAD) {
                self.outbox.close(1011, "keepalive ping timeout");
            }
        }
        if self.expiry.take_if(|at| *at <= now).is_some() {
            self.outbox.push(error("token_expired", "the token of this stream has expired", None));
            self.outbox.close(3000, "token expired");
        }
        if self.leave.take_if(|at| *at <= now).is_some() {
            self.outbox.close(1001, "going away; connect again");
        }
    }

    /// A heartbeat, unless something was sent instead.
    fn beat(&mut self, now: Instant) {
        let interval = self.times.stream_heartbeat.max(Duration::from_millis(1));
        let (event, frame) = self.outbox.last();
        let last = if self.is.is(STREAM_HEARTBEAT_WHEN_IDLE) { frame } else { event };
        if last + interval > now && last + interval > self.heartbeat {
            self.heartbeat = last + interval;
            return;
        }
        self.heartbeat = now + interval;
        if !self.is.has(SILENT) {
            self.outbox.push(Item::Heartbeat);
        }
    }

    fn timeout(&self) -> Duration {
        let slow = [DROPS_SILENTLY, NEVER_CATCHES_UP, SLOW_HARMS_OTHERS];
        let indulgence = if slow.iter().any(|defect| self.is.has(*defect)) { INDULGENCE } else { 1 };
        self.times.stream_timeout * indulgence
    }
}
