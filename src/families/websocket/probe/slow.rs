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
    recovery::patience,
};
use crate::{
    exchange::{Opcode, Outgoing},
    families::{PlannedCheck, Session},
    notation::Span,
};

/// What a plan calls the step that needs the permit `burst`; without it only the stream's own traffic presses.
pub(in super::super) const BURST: &str = "make much happen at once";
/// The receive buffer of the client that does not read, in octets. Systems round it up.
const RECEIVE_BUFFER: u32 = 8_192;
/// How long delays are measured before.
const BASELINE: Duration = Duration::from_secs(2);
/// How often a pong is sent that nobody asked for, so that whoever does not read is not taken for dead.
const PONG: Duration = Duration::from_millis(300);
/// The most bursts.
const MOST_BURSTS: u32 = 1_000;
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
    for span in &slow.stalls {
        for _ in 0..2 {
            if session.stopping() {
                break;
            }
            match stall(&desk, slow, span.0, bursts).await {
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
    desk.undo().await;
    seen
}

/// Whether a stall must be repeated before anything is said of it.
fn is_bad(seen: &Slow, stall: &Stall) -> bool {
    let control = &stall.control;
    let held = control.during.longest.0 > 2 * control.before.longest.0 + LIVE / 2;
    let behind = stall.end.is_none() && stall.live_after.is_none_or(|after| Some(after) > seen.catch_up);
    stall.account.lost > 0 && stall.end.is_none() || control.holes > 0 || control.end.is_some() || held || behind
}

async fn stall(desk: &Desk<'_>, slow: &SlowConfig, span: Duration, bursts: bool) -> Result<Stall, String> {
    let (session, config) = (desk.session, desk.config);
    let burst = slow.burst.as_ref().filter(|_| bursts);
    let mut control = Listener::open(session, config, How::to("read throughout")).await.map_err(|not| not.why())?;
    let how = How { receive_buffer: Some(RECEIVE_BUFFER), ..How::to("stop reading for a while") };
    let opening = Listener::open(session, config, how);
    let mut victim = during(session, &mut [&mut control], opening).await.map_err(|not| not.why())?;
    let mut seen = Stall {
        lasted: Span(span),
        receive_buffer: RECEIVE_BUFFER.into(),
        exchanges: vec![control.exchange(), victim.exchange()],
        ..Stall::default()
    };
    let before = baseline(desk, &mut control, &mut victim).await?;
    seen.control.before = before;
    let answered = answer(desk, &mut control).await;
    // From here on nothing is read of the victim.
    let (from, octets, messages) = (control.told.events.len(), control.told.octets, control.told.messages);
    let read = victim.told.events.len();
    let (signs, snapshots) = (victim.told.signs.len(), victim.told.snapshots.len());
    let began = session.now();
    let mut delays = Delays { made: desk.makes(), ..Delays::default() };
    let mut bursting = 0;
    let mut answer_meanwhile = None;
    let mut ponged = began;
    while session.now() < began + span && !session.stopping() {
        if session.now() >= ponged + PONG {
            ponged = session.now();
            drop(victim.feed.line().send(Outgoing::new(Opcode::Pong, Vec::new())).await);
        }
        let pressed = control.told.octets - octets >= 2 * seen.needed();
        match burst {
            Some(call) if !pressed && bursting < MOST_BURSTS => {
                bursting += 1;
                during(session, &mut [&mut control], make_many(desk, call)).await?;
            }
            _ if desk.makes() => measure(desk, &mut control, &mut delays).await,
            _ => {
                let next = (began + span).min(session.now() + Duration::from_millis(100));
                together(session, &mut [&mut control], next, |_| false).await;
            }
        }
        if answer_meanwhile.is_none() && session.now() >= began + span / 2 {
            answer_meanwhile = answer(desk, &mut control).await;
        }
    }
    let resumed = session.now();
    seen.pressure = control.told.octets - octets;
    seen.messages = control.told.messages - messages;
    let upto = control.told.events.len();
    if !desk.makes() {
        delays = pauses(&control.told.at[from..upto], began, resumed);
    }
    seen.control.during = delays;
    seen.control.http = answered.zip(answer_meanwhile);
    let after = resumed + slow.catch_up.0 + config.lag.0 + Duration::from_secs(1);
    let mut live = None;
    let most = slow.most;
    let begun_with = victim.told.messages;
    together(session, &mut [&mut control, &mut victim], after, |both| {
        let now = session.now();
        if live.is_none() && is_live(both[0], both[1], read, now) {
            live = Some(now.saturating_sub(resumed));
        }
        live.is_some() || !both[1].is_open() || both[1].told.messages - begun_with > most
    })
    .await;
    seen.gave_up = live.is_none() && victim.is_open();
    if live.is_some() {
        together(session, &mut [&mut control, &mut victim], session.now() + 10 * SLICE, |_| false).await;
    }
    seen.read = victim.told.messages - begun_with;
    seen.live_after = live.map(millis);
    seen.late = millis(session.late(began, resumed));
    let truth = &control.told.events[from..upto];
    let known = Known::all(truth, &[], true);
    let told = &victim.told;
    seen.account = account(&known, &told.events[..read], &told.events[read..], &told.snapshots[snapshots..]);
    let index = Index::of(&told.events[read..]);
    seen.stale_keys = stale(&control.told.events[from..], &index, upto - from);
    seen.signs = told.signs[signs..].iter().filter(|sign| sign.kind != SignKind::Dropped).cloned().collect();
    seen.end = told.ended.as_ref().map(ending);
    seen.control.end = control.told.ended.as_ref().map(ending);
    seen.jumped = victim.holes() > 0;
    seen.control.holes = control.holes();
    for listener in [victim, control] {
        if listener.is_open() {
            drop(listener.feed.close(Some(1000)).await);
        }
    }
    Ok(seen)
}

async fn make_many(desk: &Desk<'_>, call: &crate::families::Call) -> Result<(), String> {
    let who = call.who(desk.config.client.as_deref());
    let request = call.build(who, &desk.session.values(), "make much happen")?;
    match desk.session.send(request).await {
        Ok(reply) if reply.is_success() => Ok(()),
        Ok(reply) => Err(format!("what makes much happen was answered with status {}", reply.status)),
        Err(failure) => Err(failure.message),
    }
}

/// What delays are while everybody reads.
async fn baseline<'a>(
    desk: &Desk<'a>,
    control: &mut Listener<'a>,
    victim: &mut Listener<'a>,
) -> Result<Delays, String> {
    let (session, config) = (desk.session, desk.config);
    let mut delays = Delays { made: desk.makes(), ..Delays::default() };
    if desk.makes() {
        for _ in 0..5 {
            measure_with(desk, control, Some(&mut *victim), &mut delays).await;
        }
        return if delays.count > 0 { Ok(delays) } else { Err("nothing could be made to happen".to_owned()) };
    }
    let (began, from) = (session.now(), control.told.events.len());
    together(session, &mut [&mut *control, &mut *victim], began + BASELINE.min(config.listen.0), |_| false).await;
    Ok(pauses(&control.told.at[from..], began, session.now()))
}

/// The longest pause between messages, from one instant to another.
fn pauses(at: &[Duration], from: Duration, to: Duration) -> Delays {
    let ends = at.iter().copied().filter(|at| *at <= to).chain([to]);
    let mut before = from;
    let mut longest = Duration::ZERO;
    for at in ends {
        longest = longest.max(at.saturating_sub(before));
        before = at;
    }
    Delays { count: at.len() as u64, longest: millis(longest), made: false }
}

async fn measure<'a>(desk: &Desk<'a>, control: &mut Listener<'a>, delays: &mut Delays) {
    measure_with(desk, control, None, delays).await;
    let next = desk.session.now() + Duration::from_millis(100);
    together(desk.session, &mut [control], next, |_| false).await;
}

/// How long it takes until something that is made to happen is told.
async fn measure_with<'a>(
    desk: &Desk<'a>,
    control: &mut Listener<'a>,
    other: Option<&mut Listener<'a>>,
    delays: &mut Delays,
) {
    let session = desk.session;
    let mut all: Vec<&mut Listener<'_>> = vec![control];
    all.extend(other);
    let began = session.now();
    let from = all[0].told.events.len();
    let Some(Ok(made)) = during(session, &mut all, desk.make()).await else { return };
    let mut seen = from;
    let mut told = None;
    together(session, &mut all, began + patience(desk.config), |all| {
        let events = &all[0].told.events;
        for (at, event) in events.iter().enumerate().skip(seen) {
            if made.is(event) {
                told = all[0].told.at.get(at).copied();
            }
        }
        seen = events.len();
        told.is_some()
    })
    .await;
    let took = told.unwrap_or_else(|| session.now()).saturating_sub(began);
    delays.count += 1;
    delays.longest = delays.longest.max(millis(took));
}

/// How long a harmless request takes.
async fn answer(desk: &Desk<'_>, control: &mut Listener<'_>) -> Option<Span> {
    let call = &desk.config.snapshot.as_ref()?.call;
    let who = call.who(desk.config.client.as_deref());
    let request = call.build(who, &desk.session.values(), "see whether answers take longer").ok()?;
    let outcome = during(desk.session, &mut [control], desk.session.send(request)).await;
    outcome.ok().map(|reply| millis(reply.received.saturating_sub(reply.sent)))
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

fn millis(time: Duration) -> Span {
    Span(Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}
