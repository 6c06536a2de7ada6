//! What an idempotency check would send for the selected rules.

use super::{
    IDEMPOTENCY,
    config::{Config, Operation},
    probe::{DUPLICATES, MOST_LOOKS, MOST_TRIES, NOT_ASCII, REPEATS, ROUNDS},
};
use crate::families::{Footprint, Permit, PlannedCheck, Selection};

/// Lookups of one part: before, until the first row shows, and at rest.
const LOOKUPS: u64 = 1 + MOST_LOOKS as u64 + 2;
/// One request sent until there is a final answer.
const SETTLED: u64 = MOST_TRIES as u64;

/// A step: what it does, the requests that write and those that look.
type Step = (&'static str, u64, u64);

/// What a check would do; no traffic.
pub(super) fn plan(config: &Config, selection: &Selection<'_>) -> PlannedCheck {
    let mut plan = PlannedCheck::default();
    for judged in IDEMPOTENCY.rules.iter().filter(|judged| (selection.wants)(judged.rule)) {
        let id = judged.rule.id;
        let needs = [Permit::Read, Permit::Write].into_iter().chain((id == "IDM-005").then_some(Permit::Disconnect));
        plan.admit(id, needs, selection);
    }
    if plan.rules.is_empty() {
        return plan;
    }
    let not_ascii = selection.permits(Permit::Malformed) && config.key.field().is_some();
    for (what, writes, looks) in steps(config, &plan, not_ascii) {
        plan.steps.push((what.to_owned(), writes + looks));
        plan.writes += writes;
    }
    plan.footprint = Footprint::Writes;
    plan.callbacks = plan.wants("IDM-008") && config.events.is_some();
    parties(config, &mut plan);
    plan
}

fn steps(config: &Config, plan: &PlannedCheck, not_ascii: bool) -> Vec<Step> {
    let channels = config.downstream.len() as u64 + u64::from(config.events.is_some());
    let balance = u64::from(config.balance.is_some());
    let mut steps: Vec<Step> = Vec::new();
    let mut step = |rule: &str, applies: bool, (what, writes, looks): Step| {
        if applies && plan.wants(rule) {
            steps.push((what, writes, looks));
        }
    };
    let any = plan.rules[0];
    step(any, true, ("create once, never repeated", 1, 3));
    let trials = 1 + balance;
    step(
        any,
        true,
        ("create, and repeat after the answer", trials * (1 + REPEATS as u64 * SETTLED), trials * 3 + 8 * balance),
    );
    let changed = config.changed.is_some() || config.changed_call.is_some();
    step("IDM-003", changed, ("send another body with a used key", 2 + SETTLED, LOOKUPS + MOST_LOOKS as u64));
    let rounds = ROUNDS as u64;
    let raced = if plan.wants("IDM-004") { "IDM-004" } else { "IDM-008" };
    step(raced, true, ("send duplicates at one instant", rounds * (DUPLICATES as u64 + SETTLED), rounds * 3));
    step("IDM-005", true, ("lose the answer, and send again", 2 * (1 + SETTLED), 2 * LOOKUPS));
    let crossed = |what| (what, 1 + 2 * SETTLED, LOOKUPS + MOST_LOOKS as u64);
    step("IDM-006", config.other_client.is_some(), crossed("send a used key as another client"));
    step("IDM-006", config.other_operation.is_some(), crossed("send a used key with another operation"));
    let single = 2 + u64::from(config.key.required) + u64::from(config.key.body);
    step("IDM-007", true, ("send odd keys", single, 3 * single));
    step("IDM-007", not_ascii, (NOT_ASCII, 1, 3));
    let pairs = if config.key.max_length.is_some() { 3 } else { 1 };
    step(
        "IDM-007",
        true,
        ("send pairs of keys with the same beginning", pairs * (1 + 3 * SETTLED), pairs * (LOOKUPS + 3)),
    );
    step("IDM-007", config.key.field().is_some(), ("send a key quoted and bare", 1 + SETTLED, 3));
    let horizon = config.horizon.len() as u64;
    step("IDM-009", config.retention.is_some(), ("repeat after a while", 1 + horizon * SETTLED, LOOKUPS));
    step("IDM-009", config.invalid.is_some(), ("correct an invalid request, with its key", 1 + SETTLED, 3));
    step(any, true, ("create once more, if something does not show", 1, 4));
    let seen = trials + rounds + 1;
    step("IDM-008", channels > 0, ("look for effects elsewhere", 0, config.downstream.len() as u64 * seen));
    step("IDM-008", config.events.is_some(), ("ask for callbacks, and end it", 2, 0));
    let made: u64 = steps.iter().map(|(_, writes, _)| writes).sum();
    if config.undo.is_some() {
        steps.push(("take back what was created", made.min(300), 0));
    }
    steps
}

/// Whose credentials are used, and what is written to.
fn parties(config: &Config, plan: &mut PlannedCheck) {
    let others: Vec<&Operation> = if plan.wants("IDM-006") {
        config.other_client.iter().chain(&config.other_operation).collect()
    } else {
        Vec::new()
    };
    let own = [Some(&config.create), config.changed_call.as_ref()].into_iter().flatten();
    let mut calls: Vec<_> = own.chain([&config.effects.call]).chain(&config.undo).collect();
    calls.extend(config.downstream.iter().map(|channel| &channel.call));
    calls.extend(config.balance.iter().map(|balance| &balance.call));
    calls.extend(config.events.iter().map(|events| &events.register));
    for other in &others {
        calls.extend([&other.create, &other.effects.call]);
        plan.clients.extend(other.client.clone());
    }
    plan.clients.extend(calls.into_iter().filter_map(|call| call.client.clone()));
    plan.clients.extend(config.client.clone());
    plan.clients.retain(|client| client != "anonymous");
    plan.clients.sort();
    plan.clients.dedup();
    plan.touches = others.iter().map(|other| other.create.resource()).collect();
    plan.touches.push(config.create.resource());
    plan.touches.extend(config.changed_call.iter().map(crate::families::Call::resource));
    plan.touches.sort();
    plan.touches.dedup();
}
