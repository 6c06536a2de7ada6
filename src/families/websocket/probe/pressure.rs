//! How much is sent to whoever does not read, and how others fare meanwhile.

use std::time::Duration;

use super::{
    super::evidence::slow::Delays,
    departure::Desk,
    listener::{Listener, during, together},
    recovery::patience,
};
use crate::{exchange::Opcode, families::Call, notation::Span};

/// How long delays are measured before.
const BASELINE: Duration = Duration::from_secs(2);
/// How long, where something is made to happen for that.
const SHORT: Duration = Duration::from_secs(1);
/// How often something is looked at.
pub(super) const PACE: Duration = Duration::from_millis(100);
/// A burst is over once less than this comes meanwhile, in octets.
const EBB: u64 = 64 << 10;
/// The most bursts of one stall.
pub(in super::super) const MOST_BURSTS: u64 = 50;
/// So many bursts that bring nothing are enough.
const MOST_IDLE: u32 = 3;

/// What makes much happen, one time after another: the next is not begun before the last is over.
pub(super) struct Bursts<'a> {
    call: Option<&'a Call>,
    made: u64,
    idle: u32,
    octets: u64,
}

impl<'a> Bursts<'a> {
    pub(super) const fn new(call: Option<&'a Call>) -> Self {
        Self { call, made: 0, idle: 0, octets: 0 }
    }

    /// Makes much happen if the last time is over. The error says why nothing ever could be.
    pub(super) async fn next(&mut self, desk: &Desk<'_>, all: &mut [&mut Listener<'_>]) -> Result<(), String> {
        let Some(call) = self.call else { return Ok(()) };
        let Some(octets) = all.first().map(|one| one.told.octets) else { return Ok(()) };
        let grown = octets.saturating_sub(std::mem::replace(&mut self.octets, octets));
        if self.made > 0 && grown >= EBB {
            self.idle = 0;
            return Ok(());
        }
        if self.idle >= MOST_IDLE || self.made >= MOST_BURSTS {
            return Ok(());
        }
        let key = all.first().and_then(|one| one.told.events.last()?.key.clone());
        match during(desk.session, all, make_many(desk, call, key)).await {
            Ok(()) => {
                self.made += 1;
                self.idle += 1;
            }
            Err(why) if self.made == 0 => return Err(why),
            Err(_) => self.call = None,
        }
        Ok(())
    }

    /// Whether waiting, or another one, may still bring something.
    pub(super) const fn may_bring_more(&self) -> bool {
        self.call.is_some() && self.idle < MOST_IDLE && self.made < MOST_BURSTS
    }

    /// Whether something comes of it now.
    pub(super) const fn is_on(&self) -> bool {
        self.call.is_some() && self.made > 0 && self.idle == 0
    }
}

async fn make_many(desk: &Desk<'_>, call: &Call, key: Option<String>) -> Result<(), String> {
    let who = call.who(desk.config.client.as_deref());
    let mut values = desk.session.values();
    values.insert("reference".into(), format!("fb{:016x}", desk.session.random()));
    values.extend(key.map(|key| ("key".into(), key)));
    let request = call.build(who, &values, "make much happen")?;
    match desk.session.send(request).await {
        Ok(reply) if reply.is_success() => Ok(()),
        Ok(reply) => Err(format!("what makes much happen was answered with status {}", reply.status)),
        Err(failure) => Err(failure.message),
    }
}

/// What delays are while everybody reads, under the same load; and how long answers over HTTP take.
pub(super) async fn baseline<'a>(
    desk: &Desk<'a>,
    call: Option<&Call>,
    control: &mut Listener<'a>,
    victim: &mut Listener<'a>,
) -> Result<(Delays, Option<Span>), String> {
    let (session, config) = (desk.session, desk.config);
    let mut delays = Delays { made: desk.makes(), ..Delays::default() };
    let (began, from) = (session.now(), control.told.events.len());
    let mut bursts = Bursts::new(call);
    let most = if call.is_some() { SHORT } else { BASELINE };
    let until = began + most.min(config.listen.0);
    bursts.next(desk, &mut [&mut *control, &mut *victim]).await?;
    let mut http = None;
    let (mut rounds, mut octets) = (0, control.told.octets);
    // A burst that takes its time is waited for.
    let mut flows = call.is_some();
    while (session.now() < until && !desk.makes()) || flows && session.now() < until + BASELINE || rounds < 3 {
        if session.stopping() || !control.is_open() || !victim.is_open() {
            break;
        }
        rounds += 1;
        http = http.max(answer(desk, &mut [&mut *control, &mut *victim]).await);
        together(session, &mut [&mut *control, &mut *victim], session.now() + PACE, |_| false).await;
        flows = control.told.octets - std::mem::replace(&mut octets, control.told.octets) >= EBB;
    }
    if !desk.makes() {
        return Ok((pauses(&control.told.at[from..], began, session.now()), http));
    }
    for _ in 0..5 {
        measure_with(desk, control, Some(&mut *victim), &mut delays).await;
    }
    if delays.count > 0 { Ok((delays, http)) } else { Err("nothing could be made to happen".to_owned()) }
}

/// The longest pause between messages, from one instant to another.
pub(super) fn pauses(at: &[Duration], from: Duration, to: Duration) -> Delays {
    let ends = at.iter().copied().filter(|at| *at <= to).chain([to]);
    let mut before = from;
    let mut longest = Duration::ZERO;
    for at in ends {
        longest = longest.max(at.saturating_sub(before));
        before = at;
    }
    Delays { count: at.len() as u64, longest: millis(longest), made: false }
}

pub(super) async fn measure<'a>(desk: &Desk<'a>, control: &mut Listener<'a>, delays: &mut Delays) {
    measure_with(desk, control, None, delays).await;
    let next = desk.session.now() + PACE;
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
pub(super) async fn answer(desk: &Desk<'_>, all: &mut [&mut Listener<'_>]) -> Option<Span> {
    let call = &desk.config.snapshot.as_ref()?.call;
    let who = call.who(desk.config.client.as_deref());
    let mut values = desk.session.values();
    values.extend(all.first().and_then(|one| one.told.events.last()?.key.clone()).map(|key| ("key".into(), key)));
    let request = call.build(who, &values, "see whether answers take longer").ok()?;
    let outcome = during(desk.session, all, desk.session.send(request)).await;
    outcome.ok().map(|reply| millis(reply.received.saturating_sub(reply.sent)))
}

/// Sends a pong that nobody asked for: whoever does not read cannot answer pings, and is not to be taken for dead.
pub(super) async fn pong(victim: &mut Listener<'_>) {
    drop(victim.feed.line().send(crate::exchange::Outgoing::new(Opcode::Pong, Vec::new())).await);
}

pub(super) fn millis(time: Duration) -> Span {
    Span(Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
}
