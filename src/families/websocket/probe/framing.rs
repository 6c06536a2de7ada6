//! Pings, and broken frames.

use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use super::{
    super::{
        config::Config,
        evidence::frames::{Fault, FaultTry, Faulted, Faults, Ping, Pings, Ponged},
        feed::{How, Of, render, spoken},
    },
    frames::{Event, Frames, ms, waited},
    protocol::together,
};
use crate::{
    exchange::{Opcode, Outgoing},
    families::Session,
};

/// The most connections that pings take.
pub(in super::super) const MOST_PINGS: u64 = 6;
/// The most connections that broken frames take.
pub(in super::super) const MOST_FAULTS: u64 = 14;
/// The least time that a pong is given.
const PONG: Duration = Duration::from_secs(2);
/// Between two pings, for the sake of limits on what a client may send.
const PACE: Duration = Duration::from_millis(250);
/// How long after a broken frame the end is waited for before something else is sent.
const PROMPT: Duration = Duration::from_secs(1);
/// How long after a broken frame the end is waited for.
const END: Duration = Duration::from_secs(5);
/// How long the acknowledgement of a message is waited for, at least.
const ANSWER: Duration = Duration::from_secs(5);

/// Sends pings one at a time; what raises doubts again on a fresh connection.
pub(super) async fn pings(session: &dyn Session, config: &Config) -> Pings {
    let mut seen = Pings::default();
    let mut line = None;
    for octets in [0, 1, 125] {
        let mut unanswered = 0;
        for _ in 0..2 {
            if session.stopping() {
                return seen;
            }
            let ping = ping(session, config, octets, &mut line).await;
            let good = matches!(&ping.answer, Ponged::Same(after) if *after <= ping.limit_ms);
            unanswered += usize::from(matches!(ping.answer, Ponged::None(_) | Ponged::Altered(_)));
            seen.pings.push(ping);
            if good {
                break;
            }
            line = None;
        }
        // Nothing worse can come, and each further ping would be waited for in vain.
        if unanswered == 2 {
            return seen;
        }
    }
    if let Some(line) = line {
        line.leave().await;
    }
    for _ in 0..2 {
        let Some(ping) = between(session, config).await else { break };
        let good =
            matches!(&ping.answer, Ponged::Same(after) if *after <= ping.limit_ms && ping.acknowledged != Some(false));
        seen.pings.push(ping);
        if good || session.stopping() {
            break;
        }
    }
    seen
}

fn unpinged(octets: usize, between: bool, why: String) -> Ping {
    let answer = Ponged::Untried(why);
    Ping { exchange: None, octets, between, limit_ms: ms(PONG), answer, acknowledged: None }
}

async fn ping<'a>(session: &'a dyn Session, config: &'a Config, octets: usize, line: &mut Option<Frames<'a>>) -> Ping {
    if line.is_none() {
        match Frames::open(session, config, How::to("see how pings are answered")).await {
            Ok(opened) => *line = Some(opened),
            Err(why) => return Ping { exchange: why.exchange(), ..unpinged(octets, false, why.why()) },
        }
    } else if let Some(line) = line {
        let until = session.now() + PACE;
        while matches!(line.next(until).await, Event::Message(_) | Event::Other(_) | Event::Pong(..))
            && session.now() < until
        {}
    }
    let Some(line) = line else { return unpinged(octets, false, "there is no connection".into()) };
    let payload = random(session, octets);
    let limit = PONG.max(line.rtt() * 5);
    let sent = session.now();
    line.send(Outgoing::new(Opcode::Ping, payload.clone())).await;
    let answer = pong(session, line, &payload, sent, sent + limit * 3).await;
    Ping { exchange: Some(line.exchange()), octets, between: false, limit_ms: ms(limit), answer, acknowledged: None }
}

/// Waits for the pong.
async fn pong(
    session: &dyn Session,
    line: &mut Frames<'_>,
    payload: &Bytes,
    sent: Duration,
    until: Duration,
) -> Ponged {
    let mut other = None;
    loop {
        match line.next(until).await {
            Event::Pong(octets, at) if octets == *payload => return Ponged::Same(ms(waited(session, sent, at))),
            Event::Pong(octets, _) if session.now() < until => other = Some(octets.len()),
            Event::Message(_) | Event::Other(_) if session.now() < until => {}
            Event::Stopped => return Ponged::Untried("the run ended before the pong came".into()),
            // A pong without octets may be unsolicited, and still no other came.
            _ => break,
        }
    }
    match (line.ended(), other) {
        (Some(ended), _) => Ponged::Ended(ended),
        (None, Some(octets)) => Ponged::Altered(octets),
        (None, None) => Ponged::None(ms(waited(session, sent, session.now()))),
    }
}

/// A ping between the two fragments of the message that subscribes, where there is one.
async fn between(session: &dyn Session, config: &Config) -> Option<Ping> {
    let subscribe = config.subscribe.as_ref()?;
    let text = match render(&subscribe.message, &spoken(session, config, &config.owner(), None)) {
        Ok(text) => text,
        Err(why) => return Some(unpinged(4, true, why)),
    };
    let how = How { subscribe: false, ..How::to("see how a ping between fragments is answered") };
    let mut line = match Frames::open(session, config, how).await {
        Ok(line) => line,
        Err(why) => return Some(Ping { exchange: why.exchange(), ..unpinged(4, true, why.why()) }),
    };
    let (payload, limit) = (random(session, 4), PONG.max(line.rtt() * 5));
    let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (head, tail) = text.split_at(half);
    line.send(Outgoing { fin: false, ..Outgoing::text(head.to_owned()) }).await;
    let sent = session.now();
    line.send(Outgoing::new(Opcode::Ping, payload.clone())).await;
    let mut answer = pong(session, &mut line, &payload, sent, sent + limit).await;
    line.send(Outgoing::new(Opcode::Continuation, tail.to_owned())).await;
    let mut acknowledged = None;
    if let Ponged::Same(_) | Ponged::Altered(_) | Ponged::None(_) = answer {
        let until = session.now() + config.lag.0.max(ANSWER);
        let mut known = subscribe.acknowledged.is_none();
        while !known || matches!(answer, Ponged::None(_)) {
            match line.next(until).await {
                Event::Message(message) if message.acknowledges(Of::Subscribe) || message.refuses(Of::Subscribe) => {
                    (known, acknowledged) = (true, Some(true));
                }
                Event::Pong(octets, at) if octets == payload => answer = Ponged::Same(ms(waited(session, sent, at))),
                Event::Message(_) | Event::Pong(..) | Event::Other(_) if session.now() < until => {}
                Event::Stopped => return None,
                _ => break,
            }
        }
        if !known {
            acknowledged = whole(session, config, &mut line, text).await;
            if let Some(ended) = line.ended() {
                (answer, acknowledged) = (Ponged::Ended(ended), None);
            }
        }
    }
    let exchange = Some(line.exchange());
    line.leave().await;
    Some(Ping { exchange, octets: 4, between: true, limit_ms: ms(limit), answer, acknowledged })
}

/// Sends in one piece what was not acknowledged in two: `Some(false)` if only the fragments were the matter.
async fn whole(session: &dyn Session, config: &Config, line: &mut Frames<'_>, text: String) -> Option<bool> {
    line.send(Outgoing::text(text)).await;
    let until = session.now() + config.lag.0.max(ANSWER);
    loop {
        match line.next(until).await {
            Event::Message(message) if message.acknowledges(Of::Subscribe) => return Some(false),
            // It was taken the first time.
            Event::Message(message) if message.refuses(Of::Subscribe) => return None,
            Event::Message(_) | Event::Pong(..) | Event::Other(_) if session.now() < until => {}
            _ => return None,
        }
    }
}

/// Breaks the framing in each way, side by side, on a connection each; what stays usable once more.
pub(super) async fn faults(session: &dyn Session, config: &Config) -> Faults {
    let mut seen = Faults::default();
    for faults in Fault::ALL.chunks(together(config, Fault::ALL.len())) {
        let first = join_all(faults.iter().map(|fault| broken(session, config, *fault))).await;
        let usable =
            first.iter().filter(|(one, _)| matches!(one.outcome, Faulted::Usable(_))).map(|(one, _)| one.fault);
        let again = join_all(usable.map(|fault| broken(session, config, fault))).await;
        for (one, masked) in first.into_iter().chain(again) {
            seen.masked = seen.masked.or(one.exchange.filter(|_| masked));
            seen.tries.push(one);
        }
    }
    seen.tries.sort_by_key(|one| one.fault);
    seen
}

fn frame(fault: Fault, text: &str) -> Outgoing {
    let ping = Outgoing::new(Opcode::Ping, "fincheck");
    match fault {
        Fault::Unmasked => Outgoing { masked: false, ..ping },
        Fault::ReservedOpcode => Outgoing::new(Opcode::Reserved(3), "fincheck"),
        Fault::ReservedBit => Outgoing { rsv: 4, ..Outgoing::text(text.to_owned()) },
        Fault::FragmentedPing => Outgoing { fin: false, ..ping },
        Fault::LongPing => Outgoing::new(Opcode::Ping, vec![b'x'; 126]),
        Fault::StrayContinuation => Outgoing::new(Opcode::Continuation, "fincheck"),
        Fault::NotUtf8 => Outgoing::text(Bytes::from_static(&[0xce, 0xba, 0xff, 0xfe])),
    }
}

/// Sends a broken frame, and says whether a masked one came.
async fn broken(session: &dyn Session, config: &Config, fault: Fault) -> (FaultTry, bool) {
    let untried = |exchange, why| (FaultTry { fault, exchange, outcome: Faulted::Untried(why) }, false);
    if session.stopping() {
        return untried(None, "the run ended before it was sent".into());
    }
    let how = How { subscribe: false, ..How::to("see what a broken frame does to the connection") };
    let mut line = match Frames::open(session, config, how).await {
        Ok(line) => line,
        Err(why) => return untried(why.exchange(), why.why()),
    };
    let exchange = Some(line.exchange());
    let message = config
        .subscribe
        .as_ref()
        .and_then(|subscribe| render(&subscribe.message, &spoken(session, config, &config.owner(), None)).ok());
    if let Some(ended) = line.ended() {
        return untried(exchange, format!("the connection was ended before by {}", ended.told()));
    }
    let sent = session.now();
    line.send(frame(fault, message.as_deref().unwrap_or("{}"))).await;
    let mut usable = None;
    let (payload, mut asked) = (random(session, 8), false);
    loop {
        let until = if asked { sent + END } else { sent + PROMPT };
        match line.next(until).await {
            Event::Pong(octets, _) if asked && octets == payload => {
                usable = Some("a ping sent after it is answered".to_owned());
            }
            Event::Message(answer) if asked && answer.acknowledges(Of::Subscribe) => {
                usable.get_or_insert_with(|| "a message sent after it is acknowledged".to_owned());
            }
            Event::Closed | Event::Ended => break,
            Event::Stopped => return untried(exchange, "the run ended before the connection could end".into()),
            Event::Message(_) | Event::Pong(..) | Event::Other(_) if session.now() < until => {}
            _ if asked => break,
            _ => {
                asked = true;
                line.send(Outgoing::new(Opcode::Ping, payload.clone())).await;
                if let Some(message) = &message {
                    line.send(Outgoing::text(message.clone())).await;
                }
            }
        }
    }
    let outcome = match (line.ended(), usable) {
        (Some(ended), _) => Faulted::Ended(ended),
        (None, Some(how)) => Faulted::Usable(how),
        (None, None) => Faulted::Silent(ms(waited(session, sent, session.now()))),
    };
    (FaultTry { fault, exchange, outcome }, line.masked)
}

/// So many octets by chance.
pub(super) fn random(session: &dyn Session, octets: usize) -> Bytes {
    let words = (0..octets.div_ceil(8)).flat_map(|_| session.random().to_be_bytes());
    words.take(octets).collect::<Vec<u8>>().into()
}
