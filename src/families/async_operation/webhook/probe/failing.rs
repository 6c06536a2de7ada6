//! Deliveries that are made to fail, and whether they come again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::join_all;

use super::{
    super::{
        evidence::{Answered, Event, Failing},
        reading::Reader,
    },
    Context, millis,
    post::{Office, Registered},
};
use crate::families::{Answer, Session};

/// How long another attempt is waited for where the suite does not say when it comes.
const UNDECLARED: Duration = Duration::from_secs(5);
/// What clocks, networks and schedulers may add (RULES 0.4).
const GUARD: Duration = Duration::from_secs(1);
/// How much longer than declared another attempt is waited for, as a multiple and beyond that: an attempt that is late
/// is one nevertheless, and only one that is missing costs the wait.
const LATE: (u32, Duration) = (2, Duration::from_secs(3));
/// How long the events of an operation may be apart.
const QUIET: Duration = Duration::from_millis(400);
/// How long the target may take to give an attempt up, where the suite does not say.
const PATIENCE: Duration = Duration::from_secs(15);

/// Registers addresses whose first deliveries fail, each with an operation of its own.
pub(super) async fn registered(
    session: &dyn Session,
    context: Context<'_>,
    office: &Office<'_>,
    reader: &Reader<'_>,
) -> Vec<Failing> {
    if !(context.wants)("ASY-010") {
        return Vec::new();
    }
    let attempts = context.webhook.redelivery.as_ref().map_or(2, |redelivery| redelivery.attempts);
    let refusals = match attempts {
        0..=2 => vec![Answer::status(500)],
        3 => vec![Answer::status(500), Answer::Reset],
        _ => vec![Answer::status(500), Answer::status(503), Answer::Reset],
    };
    let cases = [refusals, vec![hang(context)]];
    let one = |answers: Vec<Answer>| async move {
        let registered = match office.open(Some(answers)).await {
            Ok(registered) => registered,
            Err((why, _)) => return Failing { unavailable: Some(why), ..Failing::default() },
        };
        let failing = fail(session, context, &registered, reader, 0).await;
        office.unregister(&registered).await;
        failing
    };
    join_all(cases.map(one)).await
}

/// The same at the one address that somebody registered by hand.
pub(super) async fn by_hand(
    session: &dyn Session,
    context: Context<'_>,
    office: &Office<'_>,
    main: &Arc<Registered>,
    reader: &Reader<'_>,
) -> Vec<Failing> {
    if !(context.wants)("ASY-010") {
        return Vec::new();
    }
    let attempts = context.webhook.redelivery.as_ref().map_or(2, |redelivery| redelivery.attempts);
    let mut answers = vec![Answer::status(500), hang(context), Answer::Reset];
    answers.truncate(usize::from(attempts.max(2)) - 1);
    let seen = main.mailbox.deliveries().len();
    main.mailbox.answer_alike(office.sameness(), answers, office.acknowledgement());
    vec![fail(session, context, main, reader, seen).await]
}

fn hang(context: Context<'_>) -> Answer {
    let timeout = context.webhook.redelivery.as_ref().and_then(|redelivery| redelivery.timeout);
    Answer::Hang(timeout.map_or(PATIENCE, |span| span.0) + GUARD)
}

/// Has an operation done, and waits until its deliveries were acknowledged or should have come again.
async fn fail(
    session: &dyn Session,
    context: Context<'_>,
    registered: &Registered,
    reader: &Reader<'_>,
    before: usize,
) -> Failing {
    let followed = context.operations.follow(session).await;
    let ended = followed.ended.unwrap_or_else(|| session.now());
    let first = ended + context.webhook.deadline.map_or(super::UNDECLARED, |span| span.0);
    let mut failing = Failing { mailbox: registered.number, exchanges: followed.exchanges, ..Failing::default() };
    loop {
        let deliveries = registered.mailbox.deliveries();
        let events: Vec<Event> = deliveries
            .iter()
            .skip(before)
            .filter(|delivery| delivery.received >= registered.since)
            .flat_map(|delivery| reader.read(delivery, registered.number, None))
            .collect();
        let until = match wait(context, &events) {
            Wait::Nothing => first,
            Wait::Settled(last) => last + QUIET,
            Wait::Until(until) => until,
        };
        // What fincheck was kept from working does not count as waiting.
        let until = until + session.late(ended, session.now());
        failing.until_ms = millis(session.now());
        if session.stopping() {
            failing.cut_short = session.now() < until;
            return failing;
        }
        if session.now() >= until {
            return failing;
        }
        registered.more(session, deliveries.len(), until).await;
    }
}

/// How long there is still something to wait for.
enum Wait {
    /// Nothing has come.
    Nothing,
    /// Everything was acknowledged, the last then.
    Settled(Duration),
    /// Another attempt comes by then, if one comes at all.
    Until(Duration),
}

fn wait(context: Context<'_>, events: &[Event]) -> Wait {
    let mut chains: BTreeMap<_, (usize, &Event)> = BTreeMap::new();
    for event in events {
        let chain = chains.entry(event.identity()).or_insert((0, event));
        *chain = (chain.0 + 1, event);
    }
    let last = events.iter().map(|event| event.received_ms).max().map(Duration::from_millis);
    let Some(last) = last else { return Wait::Nothing };
    let open = chains.values().filter(|(_, event)| !event.answered.is_acknowledged());
    let until = open
        // Whoever goes on and on under new names will not come to an end.
        .filter(|(attempts, _)| *attempts <= 5)
        .map(|(attempts, event)| {
            Duration::from_millis(event.received_ms) + allowance(context, *attempts, event.answered)
        })
        .max();
    until.map_or(Wait::Settled(last), Wait::Until)
}

/// How long the attempt after this many may take to come.
fn allowance(context: Context<'_>, attempts: usize, answered: Answered) -> Duration {
    let redelivery = context.webhook.redelivery.as_ref();
    let step = redelivery.map_or(UNDECLARED, |redelivery| {
        let longest = redelivery.longest.map_or(redelivery.first.0 * 2, |span| span.0);
        let step = if attempts <= 1 { redelivery.first.0 } else { longest.max(redelivery.first.0) };
        step * LATE.0 + LATE.1
    });
    let timeout = redelivery.and_then(|redelivery| redelivery.timeout).map_or(PATIENCE, |span| span.0);
    step + GUARD + if answered == Answered::Hung { timeout } else { Duration::ZERO }
}
