//! What the webhook half of a check would do for the selected rules.

use super::{config::Webhook, rules::RULES};
use crate::families::{Footprint, Permit, PlannedCheck, Selection, Unplanned};

/// Adds what receiving callbacks takes to the plan of a check; `operation` is how many requests it takes to have one
/// operation done.
pub fn plan(webhook: Option<&Webhook>, operation: u64, selection: &Selection<'_>, plan: &mut PlannedCheck) {
    for judged in RULES.iter().filter(|judged| (selection.wants)(judged.rule)) {
        let rule = judged.rule.id;
        let needed = match rule {
            "ASY-010" => [Permit::Write, Permit::Disconnect].as_slice(),
            _ => &[Permit::Write],
        };
        let missing = needed.iter().copied().find(|permit| !selection.permits(*permit));
        let why = match (webhook, missing) {
            (None, _) => (None, "the suite declares no webhooks".to_owned()),
            (Some(webhook), _) if rule == "ASY-012" && webhook.addresses.is_none() => {
                (None, "the suite lists no addresses that must not be called".to_owned())
            }
            (Some(_), Some(permit)) => (Some(permit), format!("`target.permits` does not list `{}`", permit.as_str())),
            (Some(_), None) => {
                plan.rules.push(rule);
                continue;
            }
        };
        plan.unplanned.push(Unplanned { rule, permit: why.0, why: why.1 });
    }
    let Some(webhook) = webhook.filter(|_| RULES.iter().any(|judged| plan.wants(judged.rule.id))) else { return };
    plan.callbacks = true;
    plan.footprint = plan.footprint.max(Footprint::Writes);
    // One operation, a second where nothing comes of the first; registering and taking that back.
    step(plan, "have operations done whose events are waited for", 2 * operation, 2);
    let around = u64::from(webhook.register.is_some()) + u64::from(webhook.unregister.is_some());
    if around > 0 {
        step(plan, "register an address for callbacks", around + u64::from(webhook.test.is_some()), around);
    }
    if plan.wants("ASY-010") {
        let times = if webhook.register.is_some() { 2 } else { 1 };
        step(plan, "let deliveries fail", times * (operation + around), times * (1 + around));
    }
    if let Some(addresses) = webhook.addresses.as_ref().filter(|_| plan.wants("ASY-012")) {
        let tried = (addresses.refused.len() + addresses.observed.len()) as u64 + u64::from(addresses.redirects);
        let other = u64::from(addresses.other_client.is_some());
        let most = tried * around + operation + other;
        step(plan, "register addresses that must not be called", most, tried * around + 1 + other);
        plan.clients.extend(addresses.other_client.clone());
    }
    let calls = [webhook.register.as_ref().map(|register| &register.call), webhook.unregister.as_ref()];
    for call in calls.into_iter().flatten().chain(&webhook.test) {
        plan.clients.extend(call.client.clone().filter(|name| name != "anonymous"));
        if !call.is_safe() {
            plan.touches.push(call.resource());
        }
    }
    plan.clients.sort();
    plan.clients.dedup();
}

fn step(plan: &mut PlannedCheck, what: &str, requests: u64, writes: u64) {
    plan.steps.push((what.to_owned(), requests));
    plan.writes += writes;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::{Value, json};

    use super::*;

    fn planned(webhook: Option<Value>, permits: &[Permit]) -> PlannedCheck {
        let webhook: Option<Webhook> = webhook.map(|webhook| serde_json::from_value(webhook).unwrap());
        let permits: BTreeSet<Permit> = permits.iter().copied().collect();
        let mut planned = PlannedCheck::default();
        plan(webhook.as_ref(), 10, &Selection { wants: &|_| true, permits: &permits }, &mut planned);
        planned
    }

    #[test]
    fn what_is_not_declared_or_not_permitted_is_not_planned() {
        let none = planned(None, &[Permit::Read, Permit::Write, Permit::Disconnect]);
        assert!(none.rules.is_empty() && none.unplanned.len() == 5 && !none.callbacks && none.requests() == 0);
        let reading = planned(Some(json!({})), &[Permit::Read]);
        assert!(reading.rules.is_empty() && !reading.callbacks);
        let writing = planned(Some(json!({})), &[Permit::Write]);
        assert_eq!(writing.rules, ["ASY-008", "ASY-009", "ASY-011"]);
        let left: Vec<_> = writing.unplanned.iter().map(|left| (left.rule, left.permit)).collect();
        assert_eq!(left, [("ASY-010", Some(Permit::Disconnect)), ("ASY-012", None)]);
    }

    #[test]
    fn every_request_is_counted() {
        let webhook = json!({
            "register": {"call": {"client": "admin", "request": "POST /hooks", "body": "{{callback_url}}"}},
            "unregister": {"request": "DELETE /hooks/{{id}}"},
            "addresses": {"refused": ["http://10.0.0.1/"], "observed": ["127.0.0.2"], "other_client": "rival"}
        });
        let planned = planned(Some(webhook), &[Permit::Write, Permit::Disconnect]);
        assert_eq!(planned.requests(), 20 + 2 + 24 + (6 + 10 + 1));
        assert_eq!(planned.clients, ["admin", "rival"]);
        assert!(planned.callbacks && planned.footprint == Footprint::Writes);
        assert_eq!(planned.touches, ["/hooks", "/hooks/{{id}}"]);
    }
}
