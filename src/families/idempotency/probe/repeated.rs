//! A request that is never repeated, and one that is repeated after its answer.

use super::{
    super::evidence::{BalanceSeen, Blocked, Repeated, Trial},
    REPEATS,
    desk::Desk,
};
use crate::{exchange::ExchangeId, json::fields};

/// Sends a request once and never again.
pub(super) async fn control(desk: &Desk<'_>) -> Result<Trial, Blocked> {
    let trial = desk.trial("create once, never repeated").await.map_err(|why| Blocked::new(why, []))?.0;
    believed(&trial)?;
    Ok(trial)
}

/// Looks whether a request that was sent once shows once: nothing else can be counted where it does not.
pub(super) async fn confirm(desk: &Desk<'_>, control: &mut Trial) -> Result<(), Blocked> {
    let mut count = desk.count(desk.own(), &control.reference).await;
    if count.number() == Some(0) && !desk.session.stopping() {
        desk.lag().await;
        desk.lag().await;
        count = desk.count(desk.own(), &control.reference).await;
    }
    if count.number() == Some(1) {
        control.alone = Some(count);
        return Ok(());
    }
    let why = format!("a request was sent once, and the lookup of its reference shows {}", count.told());
    Err(Blocked::new(why, control.first.exchange.into_iter().chain(count.exchanges())))
}

/// Sends a request, and again as soon as it was answered.
pub(super) async fn repeated(desk: &Desk<'_>) -> Result<Repeated, Blocked> {
    let op = desk.own();
    let mut balance = Balance::before(desk).await;
    let (trial, _, request, first) = desk.trial("create, to be repeated").await.map_err(|why| Blocked::new(why, []))?;
    believed(&trial)?;
    if trial.first.identity().is_none() {
        let why = format!("the answer to the first request has no id at {}", desk.config.id);
        return Err(Blocked::new(why, trial.first.exchange));
    }
    let mut repeats = Vec::new();
    for _ in 0..REPEATS {
        desk.space().await;
        let mut heard = desk.settle(&request, op.id).await;
        heard.compare(&first, &desk.config.volatile);
        repeats.push(heard.answer);
        if desk.session.stopping() {
            break;
        }
    }
    let after = desk.at_rest(op, &trial.reference, true).await;
    balance.after(desk).await;
    Ok(Repeated { trial, repeats, after, balance: balance.seen })
}

/// Whether a first request shows anything at all.
fn believed(trial: &Trial) -> Result<(), Blocked> {
    let Trial { before, first, .. } = trial;
    match before.number() {
        Some(0) => {}
        Some(_) => {
            let why = format!("the lookup of a reference that was never used shows {}", before.told());
            return Err(Blocked::new(why, before.exchanges()));
        }
        None => return Err(Blocked::new(format!("what exists: {}", before.told()), before.exchanges())),
    }
    if !first.is_success() {
        return Err(Blocked::new(format!("the first request got {}", first.told()), first.exchange));
    }
    Ok(())
}

/// A balance before and after, if the suite has one.
struct Balance {
    seen: Option<BalanceSeen>,
}

impl Balance {
    async fn before(desk: &Desk<'_>) -> Self {
        if desk.config.balance.is_none() {
            return Self { seen: None };
        }
        // What was created before must have moved it before it is read.
        desk.lag().await;
        let mut seen = BalanceSeen::default();
        for place in 0..2 {
            let (value, exchange) = read(desk).await;
            seen.before[place] = value;
            seen.exchanges.extend(exchange);
        }
        Self { seen: Some(seen) }
    }

    async fn after(&mut self, desk: &Desk<'_>) {
        let Some(seen) = &mut self.seen else { return };
        for place in 0..2 {
            let (value, exchange) = read(desk).await;
            seen.after[place] = value;
            seen.exchanges.extend(exchange);
        }
    }
}

async fn read(desk: &Desk<'_>) -> (Option<String>, Option<ExchangeId>) {
    let Some(balance) = &desk.config.balance else { return (None, None) };
    let who = balance.call.who(desk.config.client.as_deref());
    let Ok(request) = balance.call.build(who, &desk.values(), "read the balance") else { return (None, None) };
    match desk.session.send(request).await {
        Ok(reply) if reply.is_success() => {
            let found = fields(&reply.body, std::slice::from_ref(&balance.path)).ok();
            let value = found.and_then(|mut found| found.pop().flatten());
            (value.as_ref().and_then(|value| value.text()).map(super::answers::cropped), Some(reply.id))
        }
        Ok(reply) => (None, Some(reply.id)),
        Err(failure) => (None, failure.id),
    }
}
