//! Holds sessions longer, opens more of them, and says more on them than is allowed.

use std::time::Duration;

use futures_util::future::{FutureExt, join};

use super::{
    super::{
        config::{Config, SessionBounds},
        evidence::{
            recovery::{Sign, SignKind},
            session::{Crowd, Flood, Lasting, Sessions},
        },
        feed::{How, render, spoken},
    },
    arrival::refusal,
    departure::Desk,
    listener::{Listener, Told, during, end_sign, together},
};
use crate::{
    exchange::Who,
    families::{PlannedCheck, Session},
    notation::Span,
};

/// What a plan calls the steps that need the permit `burst`; without them they are not taken.
pub(in super::super) const CROWD: &str = "open more connections than allowed";
/// The other one.
pub(in super::super) const FLOOD: &str = "send more messages than allowed";
/// After this long, where the suite says nothing, no event may come any more.
const GRACE: Duration = Duration::from_mins(1);
/// The longest session that is waited for.
const LONGEST: Duration = Duration::from_mins(5);
/// The most connections that are opened.
const MOST_CONNECTIONS: u64 = 500;
/// The most messages that are sent.
const MOST_MESSAGES: u64 = 20_000;
/// How often something is made to happen meanwhile.
const PACE: Duration = Duration::from_millis(500);

/// Holds sessions beyond their end, which disturbs nobody else.
pub(super) async fn lasts(session: &dyn Session, config: &Config, plan: &PlannedCheck) -> Sessions {
    let Some(bounds) = &config.session else { return Sessions::default() };
    let expires = bounds.expiring_client.as_ref().zip(bounds.expires_after);
    let mut seen = Sessions {
        declared: [expires.is_some(), bounds.longest.is_some(), bounds.connections.is_some(), bounds.rate.is_some()],
        ..Sessions::default()
    };
    let desk = Desk::new(session, config, plan);
    let grace = bounds.grace.map_or(GRACE, |grace| grace.0);
    let expiry = async {
        let (client, after) = expires?;
        Some(lasting(&desk, Some(Who::Client(client.clone())), after.0 + grace).await)
    };
    let longest = async {
        let after = bounds.longest?;
        Some(lasting(&desk, None, after.0 + bounds.grace.map_or(Duration::from_secs(5), |grace| grace.0)).await)
    };
    (seen.expiry, seen.longest) = join(expiry.boxed(), longest.boxed()).await;
    desk.undo().await;
    seen
}

/// Says and opens more than allowed, when nobody else of ours is there whom that could concern.
pub(super) async fn limits(session: &dyn Session, config: &Config, plan: &PlannedCheck, seen: &mut Sessions) {
    let Some(bounds) = &config.session else { return };
    let taken = |step: &str| plan.steps.iter().any(|(what, _)| what == step);
    let desk = Desk::new(session, config, plan);
    while let Some(most) = bounds.rate.filter(|_| taken(FLOOD) && seen.rate.len() < 2 && !session.stopping()) {
        let one = flood(&desk, bounds, most).await;
        let over = one.refused.is_some() || one.blocked.is_some();
        seen.rate.push(one);
        if over {
            break;
        }
    }
    if let Some(most) = bounds.connections.filter(|_| taken(CROWD) && !session.stopping()) {
        seen.connections = Some(crowd(&desk, most).await);
    }
}

/// Holds a session beyond the instant that it should end.
async fn lasting(desk: &Desk<'_>, client: Option<Who>, due: Duration) -> Lasting {
    let (session, config) = (desk.session, desk.config);
    let mut seen = Lasting { due: Span(due), ..Lasting::default() };
    if due > LONGEST {
        seen.blocked = Some(format!("{} is longer than is waited for", Span(due)));
        return seen;
    }
    let how = How { client, ..How::to("listen beyond the end of the session") };
    let mut listener = match Listener::open(session, config, how).await {
        Ok(listener) => listener,
        Err(not) => {
            seen.exchanges.extend(not.exchange());
            seen.blocked = Some(not.why());
            return seen;
        }
    };
    seen.exchanges.push(listener.exchange());
    let began = listener.feed.handshake().sent;
    let end = began + due;
    // Something must happen afterwards, so that silence means something.
    let until = || end + config.lag.0 + 4 * PACE + session.late(began, session.now());
    let mut failure = None;
    while listener.is_open() && session.now() < until() && !session.stopping() {
        if let Some(Err(why)) = during(session, &mut [&mut listener], desk.make()).await {
            failure = Some(why);
        }
        let next = until().min(session.now() + PACE);
        together(session, &mut [&mut listener], next, |all| !all[0].is_open()).await;
    }
    let told = &listener.told;
    // An event that happened in time may come a little late.
    let last = end + config.lag.0 + session.late(began, session.now());
    seen.in_time = told.at.iter().filter(|at| **at <= last).count() as u64;
    seen.late = told.at.iter().filter(|at| **at > last).count() as u64;
    seen.signs = told.signs.iter().filter(|sign| sign.kind != SignKind::Snapshot).cloned().collect();
    if let Some(ended) = &told.ended {
        seen.told_after = Some(millis(ended.at.saturating_sub(began)));
    } else if !seen.signs.is_empty() {
        seen.told_after = Some(Span(due));
    }
    seen.blocked = failure.or_else(|| session.stopping().then(|| "the run ended before that".to_owned()));
    if listener.is_open() {
        drop(listener.feed.close(Some(1000)).await);
    }
    seen
}

/// Opens one connection more than allowed.
async fn crowd(desk: &Desk<'_>, most: u64) -> Crowd {
    let (session, config) = (desk.session, desk.config);
    let mut seen = Crowd { most, ..Crowd::default() };
    if most >= MOST_CONNECTIONS || session.remaining() <= most + 1 {
        seen.blocked = Some(format!("{most} connections are more than are opened"));
        return seen;
    }
    let mut open: Vec<Listener<'_>> = Vec::new();
    // One more than one too many: limits are counted in several ways.
    for _ in 0..most + 2 {
        if session.stopping() {
            seen.blocked = Some("the run ended before that".to_owned());
            break;
        }
        let mut all: Vec<&mut Listener<'_>> = open.iter_mut().collect();
        let opening = Listener::open(session, config, How::to("open more connections than allowed"));
        match during(session, &mut all, opening).await {
            Ok(listener) => open.push(listener),
            Err(not) => {
                seen.exchanges.extend(not.exchange());
                seen.refused = Some((open.len() as u64, refusal(&not)));
                break;
            }
        }
    }
    if seen.refused.is_none() {
        let until = session.now() + config.lag.0;
        let mut all: Vec<&mut Listener<'_>> = open.iter_mut().collect();
        together(session, &mut all, until, |all| all.iter().any(|one| is_refused(one))).await;
        let refused = open.iter().find_map(refused_sign);
        seen.refused = refused.map(|sign| (most + 1, sign));
    }
    seen.open = open.iter().filter(|one| one.is_open()).count() as u64;
    let last = open.iter().rev().take(3).map(Listener::exchange);
    seen.exchanges.extend(last);
    for listener in open {
        drop(listener.feed.close(Some(1000)).await);
    }
    seen
}

fn is_refused(listener: &Listener<'_>) -> bool {
    refused_sign(listener).is_some()
}

/// What on a connection tells that there are too many; an end says so even where it does not say why.
fn refused_sign(listener: &Listener<'_>) -> Option<Sign> {
    let told = &listener.told;
    let sign =
        told.signs.iter().find(|sign| matches!(sign.kind, SignKind::Error | SignKind::Refused | SignKind::Closed));
    sign.cloned().or_else(|| told.ended.as_ref().map(end_sign))
}

/// Sends more messages than allowed, as fast as they are taken.
async fn flood(desk: &Desk<'_>, bounds: &SessionBounds, most: u64) -> Flood {
    let (session, config) = (desk.session, desk.config);
    let window = bounds.rate_window.unwrap_or(Span(Duration::from_secs(1)));
    let mut seen = Flood { most, window, ..Flood::default() };
    let Some(subscribe) = config.subscribe.as_ref().filter(|_| most < MOST_MESSAGES / 2) else {
        seen.blocked = Some("there is no message that could be sent so often".to_owned());
        return seen;
    };
    let how = How::to("send more messages than allowed");
    let mut listener = match Listener::open(session, config, how).await {
        Ok(listener) => listener,
        Err(not) => {
            seen.blocked = Some(not.why());
            seen.exchanges.extend(not.exchange());
            return seen;
        }
    };
    seen.exchanges.push(listener.exchange());
    let before = listener.told.signs.len();
    let began = session.now();
    // Some more than allowed, as limits may refill while messages are sent.
    let total = most + most / 2 + 5;
    while seen.sent < total && listener.is_open() && !session.stopping() {
        let mut values = spoken(session, config, &config.owner(), None);
        values.insert("request".into(), (seen.sent + 1).to_string());
        let text = match render(&subscribe.message, &values) {
            Ok(text) => text,
            Err(why) => {
                seen.blocked = Some(why);
                break;
            }
        };
        if listener.feed.say(text).await.is_err() {
            break;
        }
        seen.sent += 1;
        if seen.sent.is_multiple_of(16) {
            listener.listen(session.now()).await;
            if listener.told.signs[before..].iter().any(tells) {
                break;
            }
        }
    }
    seen.took = millis(session.now().saturating_sub(began));
    let taken = |told: &Told| told.acknowledged.iter().filter(|at| **at > began && **at <= began + window.0).count();
    let sent = seen.sent;
    let all_taken = |told: &Told| told.acknowledged.iter().filter(|at| **at > began).count() as u64 >= sent;
    // What is taken only when the time is over counts in none.
    let until = session.now().max(began + window.0) + config.lag.0;
    together(session, &mut [&mut listener], until, |all| {
        let told = &all[0].told;
        !all[0].is_open() || all_taken(told) || told.signs.iter().skip(before).any(tells)
    })
    .await;
    together(session, &mut [&mut listener], session.now() + config.lag.0, |all| {
        !all[0].is_open() || all[0].told.signs.iter().skip(before).any(tells)
    })
    .await;
    seen.answered = taken(&listener.told) as u64;
    seen.refused =
        listener.told.signs.iter().skip(before).find(|sign| tells(sign)).map(|sign| (seen.sent, sign.clone()));
    if listener.is_open() {
        drop(listener.feed.close(Some(1000)).await);
    }
    seen
}

fn tells(sign: &Sign) -> bool {
    sign.kind != SignKind::Snapshot
}

fn millis(time: Duration) -> Span {
    Span(Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}
