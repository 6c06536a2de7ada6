//! Stops reading one connection while another is read, and then reads everything.

use std::{collections::HashMap, time::Duration};

use super::{
    super::{
        config::{Config, Slow as SlowConfig},
        evidence::{
            Ended,
            account::{Event, Index, Known, account},
            recovery::SignKind,
            slow::{Delays, Ending, Slow, Stall},
        },
        feed::How,
    },
    departure::Desk,
    listener::{Listener, SLICE, during, together},
    merged,
    pressure::{Bursts, PACE, answer, baseline, measure, millis, pauses, pong},
};
use crate::families::{PlannedCheck, Session};

/// What a plan calls the step that needs the permit `burst`; without it only the stream's own traffic presses.
pub(in super::super) const BURST: &str = "make much happen at once";
/// The receive buffer of the client that does not read, in octets. Systems round it up.
const RECEIVE_BUFFER: u32 = 8_192;
/// How often a pong is sent that nobody asked for, so that whoever does not read is not taken for dead.
const PONG: Duration = Duration::from_millis(300);
/// So many times longer than the suite says a stall lasts until bursts have brought enough to be felt.
const LONGER: u32 = 3;
/// How old what is told may be where a client is live.
const LIVE: Duration = Duration::from_millis(500);

/// Stalls as often and as long as the suite says; what goes wrong is tried once more.
pub(super) async fn probe(session: &dyn Session, config: &Config, plan: &PlannedCheck) -> Slow {
    let Some(slow) = &config.slow else { return Slow::default() };
    let sequence = config.sequence.as_ref();
    let mut seen = Slow {
        declared: true,
        policy: slow.policy,
        catch_up: Some(slow.catch_up),
        numbered: sequence.is_some(),
        jumps: sequence.is_some_and(|sequence| sequence.jumps),
        keyed: config.messages.key.is_some(),
        ..Slow::default()
    };
    let bursts = plan.steps.iter().any(|(what, _)| what == BURST);
    let desk = Desk::new(session, config, plan);
    let mut longest = Duration::ZERO;
    for span in &slow.stalls {
        for _ in 0..2 {
            if session.stopping() {
                break;
            }
            let began = session.now();
            let stalled = stall(&desk, slow, span.0, bursts).await;
            longest = longest.max(session.now().saturating_sub(began));
            match stalled {
                Ok(stall) => {
                    let bad = is_bad(&seen, &stall);
                    seen.stalls.push(stall);
                    if !bad {
                        break;
                    }
                }
                Err(why) => {
                    seen.blocked.get_or_insert(why);
                    break;
                }
            }
        }
    }
    if !seen.stalls.is_empty() {
        seen.blocked = None;
    }
    if seen.stalls.iter().any(|stall| stall.control.end.is_some() || stall.control.holes > 0) {
        seen.unsteady = alone(&desk, slow, longest, bursts).await;
    }
    desk.undo().await;
    seen
}

/// Whether a stall must be repeated before anything is said of it.
fn is_bad(seen: &Slow, stall: &Stall) -> bool {
    let control = &stall.control;
    let held = control.during.longest.0 > 2 * control.before.longest.0 + LIVE / 2;
    let behind = stall.end.is_none() && stall.live_after.is_none_or(|after| Some(after) > seen.catch_up);
    (stall.account.lost > 0 || stall.stale_rows > 0) && stall.end.is_none()
        || control.holes > 0
        || control.end.is_some()
        || held
        || behind
}

async fn stall(desk: &Desk<'_>, slow: &SlowConfig, span: Duration, bursts: bool) -> Result<Stall, String> {
    let (session, config) = (desk.session, desk.config);
    if config.session.as_ref().and_then(|session| session.connections).is_some_and(|most| most < 2) {
        return Err("a client may have one connection only, so that no other can be compared with it".to_owned());
    }
    let burst = slow.burst.as_ref().filter(|_| bursts);
    let (mut control, mut victim) = listeners(session, config).await?;
    let mut seen = Stall {
        receive_buffer: RECEIVE_BUFFER.into(),
        exchanges: vec![control.exchange(), victim.exchange()],
        ..Stall::default()
    };
    let (before, answered) = baseline(desk, burst, &mut control, &mut victim).await?;
    seen.control.before = before;
    if let Some(ended) = control.told.ended.as_ref().or(victim.told.ended.as_ref()) {
        return Err(format!("a connection was {} although everybody read", ending(ended).told()));
    }
    let holes = control.holes_so_far();
    // From here on nothing is read of the victim.
    let (from, octets, messages) = (control.told.events.len(), control.told.octets, control.told.messages);
    let read = victim.told.events.len();
    let (signs, snapshots) = (victim.told.signs.len(), victim.told.snapshots.len());
    let began = session.now();
    let mut delays = Delays { made: desk.makes(), ..Delays::default() };
    let mut bursts = Bursts::new(burst);
    let mut answer_meanwhile = None;
    let mut ponged = began;
    loop {
        let wanting = control.told.octets - octets < seen.needed() && bursts.may_bring_more() && control.is_open();
        let until = began + if wanting { LONGER * span } else { span };
        if session.now() >= until || session.stopping() {
            break;
        }
        if session.now() >= ponged + PONG {
            ponged = session.now();
            pong(&mut victim).await;
        }
        if control.told.octets - octets < 2 * seen.needed() {
            bursts.next(desk, &mut [&mut control]).await?;
        }
        answer_meanwhile = answer_meanwhile.max(answer(desk, &mut [&mut control]).await);
        if desk.makes() && !bursts.is_on() {
            measure(desk, &mut control, &mut delays).await;
        } else {
            let next = until.min(session.now() + PACE);
            together(session, &mut [&mut control], next, |_| false).await;
        }
    }
    let resumed = session.now();
    seen.lasted = millis(resumed.saturating_sub(began));
    seen.pressure = control.told.octets - octets;
    seen.messages = control.told.messages - messages;
    let (upto, released) = (control.told.events.len(), control.told.octets);
    if !desk.makes() {
        delays = pauses(&control.told.at[from..upto], began, resumed);
    }
    seen.control.during = delays;
    let begun_with = victim.told.messages;
    // Where nothing happens by itself nothing else shows that the stream is live.
    drop(during(session, &mut [&mut control, &mut victim], desk.make()).await);
    let after = resumed + slow.catch_up.0 + config.lag.0 + Duration::from_secs(1);
    let mut live = None;
    let most = slow.most;
    together(session, &mut [&mut control, &mut victim], after, |both| {
        let now = session.now();
        if live.is_none() && is_live(both[0], both[1], read, now) {
            live = Some(now.saturating_sub(resumed));
        }
        live.is_some() || !both[1].is_open() || both[1].told.messages - begun_with > most
    })
    .await;
    seen.gave_up = live.is_none() && victim.is_open();
    answer_meanwhile = answer_meanwhile.max(answer(desk, &mut [&mut control, &mut victim]).await);
    seen.control.http = answered.zip(answer_meanwhile);
    if live.is_some() {
        together(session, &mut [&mut control, &mut victim], session.now() + 10 * SLICE, |_| false).await;
    }
    seen.released = control.told.octets - released;
    seen.read = victim.told.messages - begun_with;
    seen.beyond = seen.read > most || control.told.beyond > 0 || victim.told.beyond > 0;
    seen.quiet = control.told.events.len() == upto;
    seen.live_after = live.map(millis);
    seen.late = millis(session.late(began, session.now()));
    let truth = &control.told.events[from..upto];
    let known = Known::all(truth, &[], true);
    let told = &victim.told;
    seen.account = account(&known, &told.events[..read], &told.events[read..], &told.snapshots[snapshots..]);
    let index = Index::of(&told.events[read..]);
    seen.stale_keys = stale(&control.told.events[from..], &index, upto - from);
    (seen.stale_rows, seen.stale_examples) = merged::stale(&control.told, told, read);
    seen.signs = told.signs[signs..].iter().filter(|sign| sign.kind != SignKind::Dropped).cloned().collect();
    seen.end = told.ended.as_ref().map(ending);
    seen.control.end = control.told.ended.as_ref().map(ending);
    seen.jumped = victim.holes() > 0;
    seen.control.holes = control.holes().saturating_sub(holes);
    for listener in [victim, control] {
        if listener.is_open() {
            drop(listener.feed.close(Some(1000)).await);
        }
    }
    Ok(seen)
}

/// What a connection goes through in the same time while everybody reads, if it loses anything or ends.
async fn alone(desk: &Desk<'_>, slow: &SlowConfig, span: Duration, bursts: bool) -> Option<String> {
    let (session, config) = (desk.session, desk.config);
    let mut listener = Listener::open(session, config, How::to("read while everybody does")).await.ok()?;
    let mut bursts = Bursts::new(slow.burst.as_ref().filter(|_| bursts));
    let until = session.now() + span;
    while session.now() < until && listener.is_open() && !session.stopping() {
        bursts.next(desk, &mut [&mut listener]).await.ok()?;
        together(session, &mut [&mut listener], until.min(session.now() + PACE), |_| false).await;
    }
    let ended = listener.told.ended.as_ref().map(|ended| format!("is {}", ending(ended).told()));
    let holes = listener.holes();
    if listener.is_open() {
        drop(listener.feed.close(Some(1000)).await);
    }
    ended.or_else(|| (holes > 0).then(|| "misses events".to_owned()))
}

/// One that reads throughout, and one that will stop.
async fn listeners<'a>(session: &'a dyn Session, config: &'a Config) -> Result<(Listener<'a>, Listener<'a>), String> {
    let mut control = Listener::open(session, config, How::to("read throughout")).await.map_err(|not| not.why())?;
    control.told.rows = rows(config);
    let how = How { receive_buffer: Some(RECEIVE_BUFFER), ..How::to("stop reading for a while") };
    let opening = Listener::open(session, config, how);
    let mut victim = during(session, &mut [&mut control], opening).await.map_err(|not| not.why())?;
    victim.told.rows = rows(config);
    Ok((control, victim))
}

/// Keeps the rows that messages change, where the suite says where they are.
fn rows(config: &Config) -> Option<merged::Rows> {
    config.snapshot.as_ref().and_then(|snapshot| snapshot.book.as_ref()).map(merged::Rows::new)
}

/// Whether what the client was told last is new: the other was told nothing after it, or only just.
fn is_live(control: &Listener<'_>, victim: &Listener<'_>, read: usize, now: Duration) -> bool {
    let (told, all) = (&victim.told.events, &control.told);
    let Some(last) = told.get(read..).and_then(<[Event]>::last) else {
        return false;
    };
    let index = Index::of(std::slice::from_ref(last));
    // Newest first, and no further back than what is new.
    for (event, at) in all.events.iter().zip(&all.at).rev() {
        if index.tells(event) {
            return true;
        }
        if now.saturating_sub(*at) > LIVE {
            // The newest of all may be old where nothing happens any more.
            return all.events.last().is_some_and(|newest| index.tells(newest));
        }
    }
    false
}

/// Of how many keys the last event was not told, nor a later one.
fn stale(truth: &[Event], told: &Index, upto: usize) -> u64 {
    let mut last: HashMap<&str, (usize, bool)> = HashMap::new();
    for (at, event) in truth.iter().enumerate() {
        let Some(key) = event.key.as_deref() else { continue };
        let known = told.tells(event);
        let entry = last.entry(key).or_insert((at, known));
        if at < upto {
            *entry = (at, known);
        } else {
            // What came after the stall may stand for what came before.
            entry.1 |= known;
        }
    }
    last.values().filter(|(at, known)| *at < upto && !known).count() as u64
}

fn ending(ended: &Ended) -> Ending {
    Ending { code: ended.code, reason: ended.reason.clone(), close_frame: ended.frame }
}
