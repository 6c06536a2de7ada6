//! Connections that are watched: idle ones, dead ones, living ones.

use std::time::Duration;

use futures_util::future::{OptionFuture, join};

use super::{
    super::{
        config::Config,
        evidence::alive::{Alive, Watched},
        feed::{How, Subscribed},
    },
    frames::{Event, Frames, ms, waited},
    protocol::together,
};
use crate::families::{PlannedCheck, Session};

/// The most connections that this takes.
pub(in super::super) const MOST: u64 = 5;

/// What a connection is watched for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Idle,
    Dead,
    Living,
}

/// Watches connections side by side; again where the first time raised doubts.
pub(super) async fn probe(session: &dyn Session, config: &Config, plan: &PlannedCheck) -> Alive {
    let Some(heartbeat) = &config.heartbeat else { return Alive::default() };
    let judged = heartbeat.pings || heartbeat.answer.is_some();
    let mut seen = Alive {
        interval_ms: Some(ms(heartbeat.interval.0)),
        timeout_ms: heartbeat.timeout.filter(|_| judged).map(|timeout| ms(timeout.0)),
        longest_ms: config.session.as_ref().and_then(|session| session.longest).map(|longest| ms(longest.0)),
        by_message: heartbeat.answer.is_some(),
        ..Alive::default()
    };
    let timeout = heartbeat.timeout.filter(|_| judged && plan.wants("WS-005")).map(|timeout| timeout.0);
    let interval = heartbeat.interval.0;
    let watch = |how, timeout| watch(session, config, how, interval, timeout);
    let idle = plan.wants("WS-004");
    // One that answers for three timeouts is as good as an idle one.
    let quiet = match timeout {
        Some(timeout) => Some(watch(Purpose::Living, timeout)),
        None => idle.then(|| watch(Purpose::Idle, interval)),
    };
    let dead = timeout.map(|timeout| watch(Purpose::Dead, timeout));
    let (quiet, dead) = (OptionFuture::from(quiet), OptionFuture::from(dead));
    let (quiet, dead) = if together(config, 2) == 2 { join(quiet, dead).await } else { (quiet.await, dead.await) };
    if let Some(quiet) = quiet {
        if idle {
            seen.idle.push(quiet.clone());
        }
        if timeout.is_some() {
            seen.living.push(quiet);
        }
    }
    seen.dead.extend(dead);
    let again_idle = seen.idle.first().is_some_and(|one| one.ended.is_some() || is_silent(one, interval));
    let again_living = seen.living.first().is_some_and(|one| one.ended.is_some());
    let again_dead = seen.dead.first().is_some_and(|one| one.ended.is_none());
    if session.stopping() || !(again_idle || again_living || again_dead) {
        return seen;
    }
    let idle = again_idle.then(|| watch(Purpose::Idle, interval));
    let living = timeout.filter(|_| again_living).map(|timeout| watch(Purpose::Living, timeout));
    let dead = timeout.filter(|_| again_dead).map(|timeout| watch(Purpose::Dead, timeout));
    let (idle, living, dead) = (OptionFuture::from(idle), OptionFuture::from(living), OptionFuture::from(dead));
    let (idle, (living, dead)) = if together(config, 3) == 3 {
        join(idle, join(living, dead)).await
    } else {
        (idle.await, (living.await, dead.await))
    };
    seen.idle.extend(idle);
    seen.living.extend(living);
    seen.dead.extend(dead);
    seen
}

fn is_silent(watched: &Watched, interval: Duration) -> bool {
    watched.silence_ms > ms(interval + interval / 2) + watched.guard_ms()
}

/// Watches a connection until it ends or what was waited for would have happened.
async fn watch(session: &dyn Session, config: &Config, how: Purpose, interval: Duration, timeout: Duration) -> Watched {
    let purpose = match how {
        Purpose::Idle | Purpose::Living => "see whether the stream stays alive while pings are answered",
        Purpose::Dead => "see whether the stream is given up when nothing is answered",
    };
    let mut line = match Frames::open(session, config, How::to(purpose)).await {
        Ok(line) => line,
        Err(why) => {
            return Watched { exchange: why.exchange(), trouble: Some(why.why()), ..Watched::default() };
        }
    };
    let opened = line.handshake().received;
    let mut watched = Watched { exchange: Some(line.exchange()), rtt_ms: ms(line.rtt()), ..Watched::default() };
    if let Subscribed::Refused(text) = &line.subscribed {
        watched.trouble = Some(format!("the subscription was refused: {text}"));
        return watched;
    }
    if how == Purpose::Dead {
        line.mute();
    }
    let guard = Duration::from_millis(watched.guard_ms());
    let began = session.now();
    let (mut last, mut silence, mut from) = (began, Duration::ZERO, began);
    let mut hush = |last: &mut Duration, at: Duration| {
        let quiet = waited(session, *last, at);
        if quiet > silence {
            (silence, from) = (quiet, *last);
        }
        *last = at.max(*last);
    };
    loop {
        let until = match (how, line.asked) {
            (Purpose::Idle, _) => began + interval * 3 + guard,
            (Purpose::Living, _) => (began + interval + timeout * 3).max(began + interval * 3) + guard,
            // Whoever looks only now and then finds out one interval later.
            (Purpose::Dead, Some(asked)) => asked + (timeout * 2).max(timeout + interval) + guard,
            (Purpose::Dead, None) => began + (interval + timeout) * 2 + guard,
        };
        // What fincheck was kept from working does not count as waiting.
        let until = until + session.late(began, session.now());
        match line.next(until).await {
            Event::Message(message) => hush(&mut last, message.at),
            Event::Pong(_, at) | Event::Other(at) => hush(&mut last, at),
            Event::Closed | Event::Ended => break,
            Event::Stopped => {
                watched.cut_short = true;
                break;
            }
            Event::Quiet => {}
        }
        if session.now() >= until {
            break;
        }
    }
    if line.ended().is_none() {
        hush(&mut last, session.now());
    }
    watched.lasted_ms = ms(session.now().saturating_sub(opened));
    watched.messages = line.messages;
    watched.pings = line.pings;
    watched.asked_ms = line.asked.map(|asked| ms(asked.saturating_sub(opened)));
    watched.silence_ms = ms(silence);
    watched.silence_from_ms = ms(from.saturating_sub(opened));
    watched.ended = line.ended();
    line.leave().await;
    watched
}
