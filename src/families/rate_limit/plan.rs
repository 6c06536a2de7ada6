//! What a rate limit check would send for the selected rules.

use super::{
    RATE_LIMIT,
    config::{Config, Scope},
    probe::{CREATES_AGAIN, DETOURS, SPENT_AGAIN, TRIES, WAITS, allowance},
};
use crate::families::{Footprint, Permit, PlannedCheck, Selection, Unplanned};

/// The most requests that looking up one create takes: twice, each page of a listing of [`LOOKUP_PAGES`] pages.
const LOOKUP: u64 = 2 * LOOKUP_PAGES;
/// The most pages that a lookup reads.
const LOOKUP_PAGES: u64 = 20;

/// What a check would do; no traffic.
pub(super) fn plan(config: &Config, selection: &Selection<'_>) -> PlannedCheck {
    let mut plan = PlannedCheck::default();
    let call = config.call();
    let mut needed = vec![Permit::Read, Permit::Burst];
    if !call.is_safe() {
        needed.push(Permit::Write);
    }
    for judged in RATE_LIMIT.rules.iter().filter(|judged| (selection.wants)(judged.rule)) {
        let rule = judged.rule.id;
        if let Some(why) = unsaid(config, rule) {
            plan.unplanned.push(Unplanned { rule, permit: None, why: why.to_owned() });
            continue;
        }
        let own = (rule == "RATE-005").then_some(Permit::Write);
        plan.admit(rule, needed.iter().copied().chain(own), selection);
    }
    if plan.rules.is_empty() {
        return plan;
    }
    steps(config, selection.permits(Permit::Write), &mut plan);
    plan.footprint = Footprint::Saturates;
    plan.clients.extend(config.client.clone());
    if asks_another(config, &plan) {
        plan.clients.extend(config.other_client.clone());
    }
    if plan.wants("RATE-013") {
        plan.clients.extend(config.second_client.clone());
    }
    if plan.wants("RATE-011") {
        plan.clients.extend(config.others.iter().filter_map(|other| other.call.client.clone()));
    }
    if let Some(write) = config.write.as_ref().filter(|_| plan.wants("RATE-005")) {
        let calls = [Some(&write.call), Some(&write.find.call), write.undo.as_ref()];
        plan.clients.extend(calls.into_iter().flatten().filter_map(|call| call.client.clone()));
        plan.touches.push(write.call.resource());
    }
    plan.clients.retain(|client| client != "anonymous");
    plan.clients.sort();
    plan.clients.dedup();
    if config.scope == Some(Scope::Client) && config.client.as_deref().is_some_and(|client| client != "anonymous") {
        plan.saturates.clone_from(&plan.clients);
    }
    plan
}

/// Whether another client is asked for.
pub(super) fn asks_another(config: &Config, plan: &PlannedCheck) -> bool {
    config.other_client.is_some()
        && (plan.wants("RATE-010") || plan.wants("RATE-006"))
        && config.scope() == Scope::Client
}

/// What the suite does not say, so that a rule has nothing to judge.
fn unsaid(config: &Config, rule: &str) -> Option<&'static str> {
    let nothing = match rule {
        "RATE-001" => (config.limit.is_none(), "the suite declares no limit (`limit.quota`)"),
        "RATE-005" => (config.write.is_none(), "the suite names no create that counts against the limit (`write`)"),
        "RATE-010" if config.scope() != Scope::Client => {
            (true, "the limit is declared not to count each client by itself")
        }
        "RATE-010" => (config.other_client.is_none(), "the suite names no other client (`other_client`)"),
        "RATE-011" => (config.others.is_empty(), "the suite names nothing that has a limit of its own (`others`)"),
        "RATE-013" => (!config.evasion, "trying to get around a limit is off unless asked for (`evasion: true`)"),
        "RATE-014" if config.scope() == Scope::Address => {
            (true, "the limit is declared to count an address, not a client")
        }
        "RATE-014" => (config.forged.is_none(), "the suite does not say how a request names the client (`forged`)"),
        _ => (false, ""),
    };
    nothing.0.then_some(nothing.1)
}

fn steps(config: &Config, may_write: bool, plan: &mut PlannedCheck) {
    let budget = config.budget();
    let again = budget + WAITS;
    let mut steps = vec![
        ("ask once, and again after a wait if the limit is spent already".to_owned(), 2),
        ("ask until two requests in a row are refused".to_owned(), budget),
        ("wait as told, ask again".to_owned(), WAITS),
    ];
    if asks_another(config, plan) {
        let few = config.few();
        steps.push(("ask as another client meanwhile".into(), 1 + few));
        if plan.wants("RATE-010") {
            steps.push(("if that is refused, ask as it alone and then once more meanwhile".into(), few + again + 1));
        }
    }
    if plan.wants("RATE-011") {
        let asked = config.others.iter().filter(|other| may_write || other.call.is_safe());
        let unsafe_ones = asked.clone().filter(|other| !other.call.is_safe()).count() as u64;
        steps.push((
            "ask for something else meanwhile, and again afterwards if refused".into(),
            2 * asked.count() as u64,
        ));
        plan.writes += 2 * unsafe_ones;
    }
    if let Some(write) = config.write.as_ref().filter(|_| plan.wants("RATE-005")) {
        let creates = write.most * (1 + CREATES_AGAIN) + 1;
        steps.push(("create meanwhile, and once afterwards".into(), creates + CREATES_AGAIN * budget));
        steps.push(("look up what was created".into(), creates * LOOKUP));
        let undone = if write.undo.is_some() { creates } else { 0 };
        if undone > 0 {
            steps.push(("take it back".into(), undone));
        }
        plan.writes += creates + undone;
    }
    if plan.wants("RATE-005") || plan.wants("RATE-011") {
        steps
            .push(("ask once before the wait, and spend the limit again if it recovered meanwhile".into(), 1 + budget));
    }
    if plan.wants("RATE-013") {
        let ways = DETOURS.len() as u64 + u64::from(config.second_client.is_some());
        steps.push((
            format!("try {ways} ways around the spent limit, plain requests between"),
            (ways + SPENT_AGAIN) * TRIES * 2 + 2 + SPENT_AGAIN * (budget + 1),
        ));
    }
    if plan.wants("RATE-003") {
        steps.push(("if waiting as told helped once and once not, spend and wait once more".into(), again));
        steps.push(("if the wait was long, ask once before it is over, at last".into(), budget + 1));
    }
    if plan.wants("RATE-014") {
        steps.push((
            "send requests with bad credentials that name the client, then ask".into(),
            2 * (config.drain() + 3),
        ));
    }
    if plan.wants("RATE-009") || plan.wants("RATE-012") {
        steps.push((
            "find out which kind of limiter decides, at most three times".into(),
            allowance(config).most_requests(),
        ));
    }
    plan.steps.extend(steps);
    if !config.call().is_safe() {
        plan.writes = plan.steps.iter().map(|(_, requests)| requests).sum();
    }
}
