//! Sends requests again and counts what exists.
//!
//! First one request that is never repeated and one that is, quietly: they show that creating and counting work at all,
//! and if they do not, nothing else is sent. Then everything else side by side, each part with keys and references of
//! its own, so that their waits overlap. Last what else shows the effects is counted, and what was created taken back.

mod answers;
mod changed;
mod channels;
mod crossed;
mod cuts;
mod desk;
mod kept;
mod keys;
mod repeated;
mod rounds;
#[cfg(test)]
mod tests;

pub(super) use self::desk::{MOST_LOOKS, MOST_TRIES};
pub(super) use self::keys::NOT_ASCII;

use futures_util::future::{join, join5};

use super::{
    config::Config,
    evidence::{Blocked, Evidence},
};
use crate::{
    exchange::ExchangeId,
    families::{PlannedCheck, Session},
};
use channels::Channels;
use desk::Desk;

/// How many duplicates are sent at one instant.
pub(super) const DUPLICATES: usize = 10;
/// How often.
pub(super) const ROUNDS: usize = 5;
/// How often an answered request is repeated.
pub(super) const REPEATS: usize = 3;

/// Drives the operation and returns what was seen, however little.
pub(super) async fn probe(config: &Config, session: &dyn Session, plan: &PlannedCheck) -> Evidence {
    let desk = Desk::new(config, session);
    let mut evidence = Evidence { declared: config.declared(), ..Evidence::default() };
    let channels = if plan.wants("IDM-008") { Channels::open(&desk).await } else { Channels::default() };
    if let Err(blocked) = Box::pin(drive(&desk, plan, &channels, &mut evidence)).await {
        evidence.blocked = Some(blocked);
    }
    channels.close(&desk).await;
    evidence.left_behind = desk.undo().await;
    evidence.cut_short = session.stopping();
    evidence
}

async fn drive<'a>(
    desk: &Desk<'a>,
    plan: &PlannedCheck,
    channels: &Channels<'a>,
    evidence: &mut Evidence,
) -> Result<(), Blocked> {
    let goes_on = || !desk.session.stopping();
    let wants = |rule: &str| plan.wants(rule) && goes_on();
    let mut control = repeated::control(desk).await?;
    let first = repeated::repeated(desk).await?;
    repeated::confirm(desk, &mut control).await?;
    evidence.control = Some(control);
    let again = first.balance.as_ref().is_some_and(|seen| {
        let each = desk.config.balance.as_ref().map_or("", |balance| &balance.each);
        first.after.number() == Some(1) && seen.moves(each).is_some_and(|moves| moves > 1)
    });
    evidence.repeated.push(first);
    if again && goes_on() {
        evidence.repeated.push(repeated::repeated(desk).await?);
    }
    let changed = async { if wants("IDM-003") { changed::changed(desk).await } else { None } };
    let rounds = async {
        if plan.wants_any(&["IDM-004", "IDM-008"]) && goes_on() { rounds::rounds(desk).await } else { Vec::new() }
    };
    let cuts = async { if wants("IDM-005") { cuts::cuts(desk).await } else { Vec::new() } };
    let client = async { if wants("IDM-006") { crossed::other_client(desk).await } else { None } };
    let operation = async { if wants("IDM-006") { crossed::other_operation(desk).await } else { None } };
    let keys = async { if wants("IDM-007") { keys::keys(desk, plan).await } else { Vec::new() } };
    let kept = async { if wants("IDM-009") { kept::kept(desk).await } else { None } };
    let reused = async { if wants("IDM-009") { kept::reused(desk).await } else { None } };
    let seen = join(join5(changed, rounds, cuts, client, operation), join(keys, join(kept, reused)));
    let ((changed, rounds, cuts, client, operation), (keys, (kept, reused))) = Box::pin(seen).await;
    evidence.changed = changed;
    evidence.rounds = rounds;
    evidence.cuts = cuts;
    evidence.other_client = client;
    evidence.other_operation = operation;
    evidence.keys = keys;
    evidence.kept = kept;
    evidence.reused = reused;
    evidence.channels = channels.counted(desk, evidence).await;
    // A listing that has grown too long, and is cut, shows nothing new any more: that is no loss.
    if evidence.misses_something() && goes_on() {
        let mut closing = repeated::control(desk).await?;
        closing.alone = Some(desk.at_rest(desk.own(), &closing.reference, true).await);
        evidence.closing = Some(closing);
    }
    Ok(())
}

impl Blocked {
    fn new(why: impl Into<String>, exchanges: impl IntoIterator<Item = ExchangeId>) -> Self {
        Self { why: why.into(), exchanges: exchanges.into_iter().collect() }
    }
}
