//! What a check of asynchronous operations would send for the selected rules.

use super::{
    config::Config,
    probe::{AFTER_END, FOLLOWING, LOOKUPS, STARTS, TRIES, preferences},
    rules::RULES,
    webhook,
};
use crate::families::{Call, Footprint, Permit, PlannedCheck, Selection, Unplanned};

/// The most pages that looking up one reference reads.
const LOOKUP_PAGES: u64 = 20;

/// What a check would do; no traffic.
pub(super) fn plan(config: &Config, selection: &Selection<'_>) -> PlannedCheck {
    let mut plan = PlannedCheck::default();
    let own = RULES.iter().filter(|judged| !webhook::RULES.iter().any(|other| other.rule.id == judged.rule.id));
    for judged in own.filter(|judged| (selection.wants)(judged.rule)) {
        let rule = judged.rule.id;
        if let Some(why) = unsaid(config, rule) {
            plan.unplanned.push(Unplanned { rule, permit: None, why: why.to_owned() });
            continue;
        }
        plan.admit(rule, [Permit::Read, Permit::Write], selection);
    }
    steps(config, &mut plan);
    webhook::plan(config.webhook.as_ref(), one(config), selection, &mut plan);
    if plan.rules.is_empty() {
        return plan;
    }
    plan.footprint = plan.footprint.max(Footprint::Writes);
    plan.touches.push(config.start.resource());
    plan.clients.extend(config.client.clone());
    if plan.wants("ASY-002") {
        plan.clients.extend(config.other_client.clone());
    }
    let failing = config.failing.as_ref().filter(|_| plan.wants("ASY-006")).map(|failing| &failing.start);
    plan.touches.extend(failing.map(Call::resource));
    let result = config.result.as_ref().and_then(|result| result.call.as_ref());
    let find = config.effects.as_ref().map(|find| &find.call);
    let calls = [Some(&config.start), config.monitor.call.as_ref(), failing, result, find];
    let calls = calls.into_iter().chain([config.cancel.as_ref(), config.undo.as_ref()]).flatten();
    plan.clients.extend(calls.filter_map(|call| call.client.clone()));
    plan.clients.retain(|client| client != "anonymous");
    plan.clients.sort();
    plan.clients.dedup();
    plan.touches.sort();
    plan.touches.dedup();
    plan
}

/// What the suite does not say, so that a rule has nothing to judge.
fn unsaid(config: &Config, rule: &str) -> Option<&'static str> {
    let nothing = match rule {
        "ASY-002" if config.monitor.elsewhere => (true, "the monitor is declared to be on another origin"),
        "ASY-005" => (
            config.result.is_none() && config.effects.is_none(),
            "the suite says neither where the result is (`result`) nor how what was made is found (`effects`)",
        ),
        "ASY-006" => (config.failing.is_none(), "the suite names no operation that fails (`failing`)"),
        _ => (false, ""),
    };
    nothing.0.then_some(nothing.1)
}

/// Starting one operation, following it to the end, and taking it back.
fn one(config: &Config) -> u64 {
    1 + config.pace().most + u64::from(config.undo.is_some())
}

fn steps(config: &Config, plan: &mut PlannedCheck) {
    let undo = u64::from(config.undo.is_some());
    let cancel = u64::from(config.cancel.is_some());
    let lookup = if config.effects.is_some() { LOOKUP_PAGES } else { 0 };
    let result = config.result.as_ref().map_or(0, |result| if result.inline { 0 } else { u64::from(TRIES) });
    let mut steps: Vec<(String, u64, u64)> = Vec::new();
    if plan.wants_any(&FOLLOWING) || plan.wants("ASY-006") {
        steps.push(("have an operation done and follow it to its end".into(), one(config), 1 + undo));
        if result > 0 {
            steps.push(("ask for its result".into(), result, 0));
        }
        if plan.wants("ASY-005") && lookup > 0 {
            steps.push(("look up what was made".into(), u64::from(LOOKUPS) * lookup, 0));
        }
        if plan.wants("ASY-002") {
            let others = 1 + u64::from(config.other_client.is_some());
            steps.push(("ask for it without credentials and as another principal".into(), others, 0));
        }
        if plan.wants("ASY-003") {
            steps.push(("ask for it after its end".into(), AFTER_END as u64, 0));
            if cancel > 0 {
                steps.push(("call it off after its end, and ask again".into(), 3, 1));
            }
        }
    }
    if plan.wants("ASY-003") && cancel > 0 {
        let looked = if config.cancelled_leaves_nothing { lookup } else { 0 };
        steps.push(("call another one off, and once more after its end".into(), one(config) + 4 + looked, 3 + undo));
    }
    if plan.wants("ASY-004") {
        let looks = result + if plan.wants("ASY-005") { u64::from(LOOKUPS) * lookup } else { 0 };
        let after = if plan.wants("ASY-003") { AFTER_END as u64 } else { 0 };
        steps.push((
            "if it was late or refused, have another one done alone".into(),
            one(config) + looks + after,
            1 + undo,
        ));
    }
    if plan.wants("ASY-006") {
        let failing = one(config) + result + 2 + lookup;
        steps.push(("have an operation fail, and look up what was made".into(), failing, 1 + undo));
        steps.push(("if that does not end, have another one fail".into(), failing, 1 + undo));
    }
    if plan.wants("ASY-007") {
        let starts = STARTS * preferences(&config.prefer).len() as u64;
        steps.push(("start operations with preferences".into(), starts, starts));
    }
    for (what, requests, writes) in steps {
        plan.steps.push((what, requests));
        plan.writes += writes;
    }
}
