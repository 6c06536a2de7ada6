//! What a stream's check would send for the selected rules.

use super::{
    WEBSOCKET,
    config::Config,
    probe::{
        self,
        pressure::MOST_BURSTS,
        session::{CROWD, FLOOD},
        slow::BURST,
    },
};
use crate::families::{Call, Footprint, Permit, PlannedCheck, Selection};

/// What each rule needs beside `read`.
const NEEDS: &[(&str, Permit)] = &[
    ("WS-005", Permit::Disconnect),
    ("WS-006", Permit::Malformed),
    ("WS-013", Permit::Write),
    ("WS-014", Permit::Disconnect),
    ("WS-015", Permit::Disconnect),
    ("WS-016", Permit::Disconnect),
    ("WS-017", Permit::Disconnect),
];

/// Rules whose probes make things happen where the suite says how.
const STIMULATED: &[&str] =
    &["WS-002", "WS-010", "WS-011", "WS-012", "WS-013", "WS-014", "WS-015", "WS-016", "WS-017", "WS-018", "WS-019"];

/// A step: the rules that want it, what it does, the streams it opens at most, how often something is made to happen, and
/// further requests.
struct Step {
    rules: &'static [&'static str],
    what: &'static str,
    streams: u64,
    made: u64,
    requests: u64,
}

/// What a check would do; no traffic.
pub(super) fn plan(config: &Config, selection: &Selection<'_>) -> PlannedCheck {
    let mut plan = PlannedCheck::default();
    for judged in WEBSOCKET.rules.iter().filter(|judged| (selection.wants)(judged.rule)) {
        let id = judged.rule.id;
        let needs = NEEDS.iter().filter(|(rule, _)| *rule == id).map(|(_, permit)| *permit);
        plan.admit(id, [Permit::Read].into_iter().chain(needs), selection);
    }
    if plan.rules.is_empty() {
        return plan;
    }
    let writes = config.stimulus.is_some() && selection.permits(Permit::Write) && plan.wants_any(STIMULATED);
    plan.steps.push(("open the stream".into(), probe::first::MOST));
    for step in steps(config) {
        if !plan.wants_any(step.rules) {
            continue;
        }
        let made = if writes { step.made } else { 0 };
        plan.steps.push((step.what.into(), step.streams + made + step.requests));
        plan.writes += made;
    }
    // A step of its own, because it needs a permit that the rest of its rule does not.
    if plan.wants("WS-009") && probe::errors::talks(config) && selection.permits(Permit::Malformed) {
        plan.steps.push((probe::errors::GARBAGE.into(), 2));
    }
    if selection.permits(Permit::Burst) {
        let session = config.session.as_ref();
        let most = session.and_then(|session| session.connections).filter(|_| plan.wants("WS-018"));
        plan.steps.extend(most.map(|most| (CROWD.into(), most + 2)));
        let rate = session.and_then(|session| session.rate).filter(|_| plan.wants("WS-018"));
        plan.steps.extend(rate.map(|_| (FLOOD.into(), 2)));
        let burst = config.slow.as_ref().and_then(|slow| slow.burst.as_ref());
        if plan.wants_any(&["WS-016", "WS-017"]) && burst.is_some() {
            let stalls = config.slow.as_ref().map_or(0, |slow| slow.stalls.len() as u64);
            plan.steps.push((BURST.into(), 2 * stalls * (1 + MOST_BURSTS)));
        }
    }
    if let Some(stimulus) = config.stimulus.as_ref().filter(|_| plan.writes > 0) {
        if stimulus.undo.is_some() {
            plan.steps.push(("take back what was made to happen".into(), plan.writes));
            plan.writes *= 2;
        }
        plan.footprint = Footprint::Writes;
        plan.touches = vec![stimulus.call.resource()];
    }
    clients(config, &mut plan);
    plan
}

fn steps(config: &Config) -> Vec<Step> {
    let stimulus = config.stimulus.as_ref();
    let count = stimulus.map_or(0, |stimulus| stimulus.count.min(100));
    let found = if stimulus.is_some_and(|stimulus| stimulus.find.is_some()) { count } else { 0 };
    let mut steps = protocol(config);
    if config.subscribe.is_some() {
        let what = "subscribe and take it back";
        steps.push(Step { rules: &["WS-010"], what, streams: 3, made: 12, requests: 0 });
    }
    let what = "listen to two connections at once";
    steps.push(Step { rules: &["WS-011", "WS-013", "WS-019"], what, streams: 6, made: 3 * count, requests: 3 * found });
    if config.sequence.is_some() && (config.snapshot.is_some() || config.messages.snapshot.is_some()) {
        let requests = if config.snapshot.is_some() { 3 * (5 + 12) } else { 0 };
        let what = "hold snapshots against the events that follow them";
        steps.push(Step { rules: &["WS-012"], what, streams: 6, made: 6, requests });
    }
    let disturbed = |rules, what, streams, made| Step { rules, what, streams, made, requests: 0 };
    if config.private {
        steps.push(disturbed(&["WS-002"], "listen as those who may not", 4, 3));
    }
    let requests = if config.snapshot.is_some() { probe::arrival::MOST_SNAPSHOTS } else { 0 };
    let lose = disturbed(&["WS-014", "WS-015"], "lose connections, and open them again", 80, 16 * (2 + count));
    steps.push(Step { requests, ..lose });
    if config.slow.is_some() {
        let stalls = config.slow.as_ref().map_or(0, |slow| slow.stalls.len() as u64);
        steps.push(disturbed(&["WS-016", "WS-017"], "stop reading for a while", 4 * stalls, 100 * stalls));
    }
    if config.session.is_some() {
        steps.push(disturbed(&["WS-018"], "hold sessions beyond their end", 2, 200));
    }
    steps
}

/// What the protocol itself demands.
fn protocol(config: &Config) -> Vec<Step> {
    let step = |rules, what, streams| Step { rules, what, streams, made: 0, requests: 0 };
    let what = "open the stream in several ways, and ask for it without opening it";
    let mut steps = vec![
        Step { requests: 2, ..step(&["WS-001"], what, probe::opening::MOST) },
        step(&["WS-003"], "ping", probe::framing::MOST_PINGS),
        step(&["WS-006"], "break the framing", probe::framing::MOST_FAULTS),
        step(&["WS-007"], "close the stream", probe::closing::MOST),
    ];
    if config.heartbeat.is_some() {
        let what = "watch connections that answer, and one that does not";
        steps.push(step(&["WS-004", "WS-005"], what, probe::alive::MOST));
    }
    let wrong = probe::errors::most(config);
    if wrong > 0 {
        steps.push(step(&["WS-009"], "send messages that the stream cannot understand", wrong));
    }
    steps
}

/// Whose credentials are used.
fn clients(config: &Config, plan: &mut PlannedCheck) {
    let stimulus = config.stimulus.iter().filter(|_| plan.writes > 0);
    let mut calls: Vec<&Call> = Vec::new();
    for stimulus in stimulus {
        calls.push(&stimulus.call);
        calls.extend(&stimulus.undo);
        calls.extend(stimulus.find.iter().map(|find| &find.call));
    }
    calls.extend(
        config
            .snapshot
            .iter()
            .filter(|_| plan.wants_any(&["WS-012", "WS-014", "WS-015", "WS-016", "WS-017"]))
            .map(|snapshot| &snapshot.call),
    );
    if plan.steps.iter().any(|(what, _)| what == BURST) {
        calls.extend(config.slow.iter().filter_map(|slow| slow.burst.as_ref()));
    }
    let mut clients: Vec<String> = calls.into_iter().filter_map(|call| call.client.clone()).collect();
    clients.extend(config.client.clone());
    if plan.wants_any(&["WS-002", "WS-015", "WS-017"]) {
        clients.extend(config.other_client.clone());
    }
    if plan.wants("WS-018") {
        clients.extend(config.session.iter().filter_map(|session| session.expiring_client.clone()));
    }
    clients.retain(|client| client != "anonymous");
    clients.sort();
    clients.dedup();
    plan.clients = clients;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn planned(permits: &[Permit]) -> PlannedCheck {
        let config = serde_json::from_value(json!({
            "name": "s", "path": "/s", "client": "trader", "sequence": {"last": "$.n"}, "messages": {"reference": "$.r"},
            "stimulus": {"call": {"client": "maker", "request": "POST /o/{{reference}}"}, "undo": {"request": "DELETE /o"}}
        }));
        let permits = permits.iter().copied().collect::<BTreeSet<_>>();
        plan(&config.unwrap(), &Selection { wants: &|_| true, permits: &permits })
    }

    #[test]
    fn nothing_is_written_without_permission() {
        let reads = planned(&[Permit::Read]);
        assert_eq!((reads.writes, reads.footprint), (0, Footprint::Reads));
        assert!(reads.wants("WS-011") && !reads.wants("WS-013"));
        assert_eq!(reads.clients, ["trader"]);
        assert!(reads.unplanned.iter().any(|one| one.rule == "WS-013" && one.permit == Some(Permit::Write)));
        let writes = planned(&[Permit::Read, Permit::Write]);
        assert!(writes.writes > 0 && writes.wants("WS-013") && writes.footprint == Footprint::Writes);
        assert_eq!(writes.clients, ["maker", "trader"]);
        assert_eq!(writes.touches, ["/o/{{reference}}"]);
        assert!(planned(&[]).rules.is_empty());
    }
}
