//! Loses connections in several ways and opens them again, while another connection is told of everything.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt, join};

use super::super::{
    config::Config,
    evidence::{
        Ended,
        recovery::{Recovery, Return, Rival, Way, Ways},
    },
    feed::{How, Resumed},
};
use super::{
    departure::{Desk, Left},
    listener::Listener,
};
use crate::{
    exchange::Who,
    families::{PlannedCheck, Session},
};

/// How far beyond the last number a position from the future is.
const FUTURE: u64 = 1_000_000_000;

/// With so many events held for a client, those of trials side by side push none of each other out.
const PLENTY: u64 = 500;

/// Loses and finds streams; the slow trial runs beside the others where there is `room`. The second is how connections ended that were
/// only listened to.
pub(super) async fn probe(
    session: &dyn Session,
    config: &Config,
    plan: &PlannedCheck,
    room: bool,
) -> (Recovery, Vec<Ended>) {
    let mut recovery = Recovery { declared: ways(config), ..Recovery::default() };
    let desk = Desk::new(session, config, plan);
    let breaks = plan.wants("WS-015");
    // One after another, for what a server does after one kind of loss must not show after another.
    let brief = async {
        let mut seen = Recovery::default();
        let broken = [Way::InMessage, Way::InFragment].into_iter().filter(|_| breaks);
        for way in Some(Way::Closed).filter(|_| plan.wants("WS-014")).into_iter().chain(broken) {
            seen.returns.extend(tried(&desk, way).await);
        }
        if breaks && config.resume.is_some() {
            Box::pin(impossible(&desk, &mut seen)).await;
        }
        seen
    };
    let silent = async {
        if breaks && recovery.declared.timeout.is_some() { tried(&desk, Way::Silence).await } else { Vec::new() }
    };
    let (brief, silent) = (brief.boxed(), silent.boxed());
    let room = room && recovery.declared.depth.is_none_or(|depth| depth >= PLENTY);
    let (brief, silent): (Recovery, Vec<Return>) =
        if room { join(brief, silent).await } else { (brief.await, silent.await) };
    recovery.returns = brief.returns.into_iter().chain(silent).collect();
    recovery.impossible = brief.impossible;
    recovery.rival = brief.rival;
    desk.undo().await;
    (recovery, desk.take_ends())
}

fn ways(config: &Config) -> Ways {
    let resume = config.resume.as_ref();
    Ways {
        resume: resume.is_some(),
        snapshot: config.messages.snapshot.is_some(),
        snapshot_over_http: config.snapshot.is_some(),
        window: resume.and_then(|resume| resume.window),
        depth: resume.and_then(|resume| resume.depth),
        timeout: config.heartbeat.as_ref().and_then(|heartbeat| heartbeat.timeout),
        lag: Some(config.lag),
        other_client: config.other_client.is_some(),
    }
}

/// One way of losing a connection; a second time where events were lost.
fn tried<'d>(desk: &'d Desk<'_>, way: Way) -> BoxFuture<'d, Vec<Return>> {
    async move {
        let mut returns = Vec::new();
        for _ in 0..2 {
            if desk.session.stopping() {
                break;
            }
            let one = match desk.leave(way).await {
                Ok(mut left) => {
                    let resume = desk.config.resume.is_some().then(|| left.resumed.clone());
                    Box::pin(desk.come_back(&mut left, resume, true)).await
                }
                Err(blocked) => *blocked,
            };
            let lost = one.blocked.is_some() || one.account.lost > 0;
            returns.push(one);
            if !lost {
                break;
            }
        }
        returns
    }
    .boxed()
}

/// Positions that cannot be, and ours as another client.
async fn impossible(desk: &Desk<'_>, seen: &mut Recovery) {
    if desk.session.stopping() {
        return;
    }
    let mut left = match desk.leave(Way::Closed).await {
        Ok(left) => left,
        Err(blocked) => {
            seen.impossible.push(Return { said: "an impossible position".to_owned(), ..*blocked });
            return;
        }
    };
    for (said, position) in positions(desk, &left.resumed) {
        for _ in 0..2 {
            if desk.session.stopping() {
                return;
            }
            let mut one = Box::pin(desk.come_back(&mut left, Some(position.clone()), false)).await;
            one.said.clone_from(&said);
            let silent = !one.is_loud() && one.account.lost > 0;
            seen.impossible.push(one);
            if !silent {
                break;
            }
        }
    }
    seen.rival = rival(desk, &mut left).await;
}

/// Positions that cannot be taken up, each with a name.
fn positions(desk: &Desk<'_>, real: &Resumed) -> Vec<(String, Resumed)> {
    let Some(resume) = &desk.config.resume else { return Vec::new() };
    let everywhere = |text: &str| Resumed {
        last: real.last.as_ref().map(|_| text.to_owned()),
        token: real.token.as_ref().map(|_| text.to_owned()),
        last_id: real.last_id.as_ref().map(|_| text.to_owned()),
    };
    let mut positions: Vec<(String, Resumed)> =
        resume.impossible.iter().take(10).map(|text| (format!("`{text}`"), everywhere(text))).collect();
    if !positions.is_empty() {
        return positions;
    }
    let number = real.last.as_ref().and_then(|last| last.parse::<u64>().ok());
    if let Some(number) = number
        && real.token.is_none()
        && real.last_id.is_none()
    {
        let at = |number: u64| Resumed { last: Some(number.to_string()), ..real.clone() };
        positions.push(("a number from the future".to_owned(), at(number.saturating_add(FUTURE))));
        if let Some(old) = resume.depth.and_then(|depth| number.checked_sub(depth.saturating_add(1))) {
            positions.push(("a number older than can be taken up".to_owned(), at(old)));
        }
    }
    positions.push(("garbage".to_owned(), everywhere("no-such-position")));
    positions
}

/// Another client tries to take up our stream.
async fn rival<'a>(desk: &Desk<'a>, left: &mut Left<'a>) -> Option<Rival> {
    let config = desk.config;
    let other = config.other_client.as_ref()?;
    // A message that makes the client known would make the other one known as us, unless it carries the `{{credential}}`.
    if !config.changes_hands() {
        return None;
    }
    let mut seen = Rival { said: desk.said(Some(&left.resumed)), ..Rival::default() };
    let how = How {
        client: Some(Who::Client(other.clone())),
        resume: Some(left.resumed.clone()),
        ..How::to("take up the stream of another client")
    };
    let opened = left.while_listening(desk.session, Listener::open(desk.session, config, how)).await;
    seen.events = left.known().len() as u64;
    let mut listener = match opened {
        Ok(listener) => listener,
        Err(not) => {
            seen.signs.push(super::arrival::refusal(&not));
            seen.exchanges.extend(not.exchange());
            return Some(seen);
        }
    };
    seen.exchanges.push(listener.exchange());
    let until = desk.session.now() + 2 * config.lag.0;
    left.listen_with(desk.session, &mut listener, until, |_, told| told.ended.is_some()).await;
    seen.leaked = left.leaked(&listener.told, config.messages.reference.is_some());
    seen.signs.append(&mut listener.told.signs);
    let alike = listener.told.texts.intersection(&left.witness.told.texts).count();
    if seen.leaked.is_empty() && alike > 0 {
        let why = "it got messages like ours to the letter; whether they are meant for both cannot be seen";
        seen.blocked = Some(why.to_owned());
    }
    drop(listener.feed.close(Some(1000)).await);
    Some(seen)
}

/// Twice the time an event may take, a second at least.
pub(super) fn patience(config: &Config) -> Duration {
    2 * config.lag.0.max(Duration::from_millis(500))
}
