//! The probe against a small bank, in virtual time.

mod bank;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::Ordering,
    time::Duration,
};

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::super::{IDEMPOTENCY, load::load};
use crate::{
    families::{Evidence, Permit, PlannedCheck, Selection, Setting, testing::Fake},
    rule::{Judgement, Severity, Verdict},
};
use bank::{Bank, Way};

/// The item of a suite that fits the bank.
fn item() -> Value {
    json!({
        "name": "payments", "client": "trader",
        "create": {"request": "POST /payments", "body": {"amount": "10.00", "reference": "{{reference}}"}},
        "key": {"required": true, "max_length": 64},
        "id": "$.id",
        "effects": {"call": {"request": "GET /payments?reference={{reference}}"}, "rows": "$.data", "id": "$.id"},
        "balance": {"call": {"request": "GET /balance"}, "path": "$.balance", "each": "-10.00"},
        "downstream": [{
            "name": "postings", "call": {"request": "GET /postings"}, "rows": "$.data", "reference": "$.reference", "id": "$.id"
        }],
        "changed": {"amount": "11.00"}, "amount": "$.amount", "invalid": {"amount": null},
        "other_client": {
            "client": "rival",
            "create": {"request": "POST /payments", "body": {"amount": "10.00", "reference": "{{reference}}"}},
            "effects": {"call": {"request": "GET /payments?reference={{reference}}"}, "rows": "$.data", "id": "$.id"}
        },
        "other_operation": {
            "create": {"request": "POST /withdrawals", "body": {"amount": "10.00", "reference": "{{reference}}"}},
            "effects": {"call": {"request": "GET /withdrawals?reference={{reference}}"}, "rows": "$.data", "id": "$.id"}
        },
        "processing": "2s", "list_lag": "1s", "retention": "24h"
    })
}

fn with(mut item: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        item[name] = value.clone();
    }
    item
}

fn plan(item: &Value, wants: &dyn Fn(&str) -> bool) -> (Box<dyn crate::families::Check>, PlannedCheck) {
    let clients = BTreeSet::from(["trader".to_owned(), "rival".to_owned()]);
    let setting = Setting { clients: &clients, names: &BTreeSet::new() };
    let check = load(item.clone(), &setting).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let permits = BTreeSet::from([Permit::Read, Permit::Write, Permit::Disconnect, Permit::Malformed]);
    let planned = check.plan(&Selection { wants: &|rule| wants(rule.id), permits: &permits });
    (check, planned)
}

/// What every rule says of a bank; also that no more was sent than planned.
fn judged(item: &Value, mut bank: Bank) -> BTreeMap<&'static str, Judgement> {
    let (check, planned) = plan(item, &|_| true);
    let fake = Fake::new(move |request, now| Ok(bank.answer(request, now)));
    let evidence = check.probe(&fake, &planned).now_or_never().expect("nothing is waited for in real time");
    let asked = fake.asked.lock().unwrap();
    assert!(asked.len() as u64 <= planned.requests(), "{} > {}", asked.len(), planned.requests());
    let writes = asked.iter().filter(|(request, _)| !request.is_safe()).count() as u64;
    assert!(writes <= planned.writes, "{writes} > {}", planned.writes);
    // What is kept survives being kept.
    let kept: Evidence = serde_json::from_str(&serde_json::to_string(&evidence).unwrap()).unwrap();
    IDEMPOTENCY.rules.iter().map(|judged| (judged.rule.id, (judged.judge)(&kept))).collect()
}

fn of(verdict: Verdict, judged: &BTreeMap<&'static str, Judgement>) -> Vec<String> {
    let severity = |judgement: &Judgement| judgement.severity.map_or(String::new(), |s| format!(" {}", s.as_str()));
    let told = judged.iter().filter(|(_, judgement)| judgement.verdict == verdict);
    told.map(|(id, judgement)| format!("{id}{}", severity(judgement))).collect()
}

/// Everything but passes, for whoever reads a failed test.
fn told(judged: &BTreeMap<&'static str, Judgement>) -> String {
    let others = judged.iter().filter(|(_, judgement)| judgement.verdict != Verdict::Pass);
    let lines = others.map(|(id, j)| format!("{id} {:?}: {}; {}; {:?}", j.verdict, j.message, j.actual, j.details));
    lines.collect::<Vec<_>>().join("\n")
}

fn all() -> Vec<String> {
    IDEMPOTENCY.rules.iter().map(|judged| judged.rule.id.to_owned()).collect()
}

#[track_caller]
fn passes(item: &Value, bank: Bank) -> BTreeMap<&'static str, Judgement> {
    let judged = judged(item, bank);
    assert_eq!(of(Verdict::Pass, &judged), all(), "{}", told(&judged));
    judged
}

#[track_caller]
fn fails(way: Way, rules: &[&str]) {
    let judged = judged(&item(), Bank::new(way));
    assert_eq!(of(Verdict::Fail, &judged), rules, "{way:?}: {}", told(&judged));
}

#[test]
fn an_honest_bank_passes_every_rule() {
    let judged = passes(&item(), Bank::new(Way::Honest));
    assert!(judged["IDM-001"].details.iter().any(|detail| detail.contains("moved once")), "{judged:#?}");
    passes(&with(item(), &json!({"replay": "stored"})), Bank::new(Way::Honest));
    passes(&with(item(), &json!({"replay": "current"})), Bank::new(Way::Current));
}

#[test]
fn work_that_takes_a_while_and_rows_that_come_late_are_waited_for() {
    let slow = Bank::new(Way::Honest).processing(Duration::from_millis(300)).lag(Duration::from_millis(900));
    passes(&item(), slow);
}

#[test]
fn a_longer_wait_than_work_may_take_is_asked_once_more_when_work_must_be_done() {
    let slow = Bank::new(Way::Honest).processing(Duration::from_millis(700)).asks_to_wait(30);
    passes(&item(), slow);
}

#[test]
fn rows_later_than_declared_are_no_failure() {
    let late = Bank::new(Way::Honest).lag(Duration::from_secs(8));
    let judged = judged(&item(), late);
    assert_eq!(of(Verdict::Inconclusive, &judged), all());
}

#[test]
fn a_second_row_that_comes_late_is_seen() {
    let late = Bank::new(Way::Ignores).lag(Duration::from_millis(900));
    let judged = judged(&item(), late);
    assert_eq!(judged["IDM-001"].verdict, Verdict::Fail);
    assert_eq!(judged["IDM-004"].verdict, Verdict::Fail);
}

#[test]
fn a_natural_key_passes_where_it_is_declared() {
    let natural = with(item(), &json!({"replay": "refused", "key": {"required": false}}));
    passes(&natural, Bank::new(Way::Natural));
}

#[test]
fn ignored_keys_fail_what_depends_on_them() {
    fails(Way::Ignores, &["IDM-001", "IDM-002", "IDM-003", "IDM-004", "IDM-005", "IDM-008", "IDM-009"]);
}

#[test]
fn each_mistake_fails_its_own_rule() {
    fails(Way::NewId, &["IDM-002", "IDM-004 major"]);
    fails(Way::Executes, &["IDM-003"]);
    fails(Way::Overwrites, &["IDM-003"]);
    fails(Way::Replays, &["IDM-003 major"]);
    fails(Way::Races, &["IDM-004", "IDM-008"]);
    fails(Way::Stuck, &["IDM-005 major"]);
    fails(Way::ForgetsCut, &["IDM-005"]);
    fails(Way::Drops, &["IDM-005"]);
    fails(Way::LeaksClients, &["IDM-006"]);
    fails(Way::LeaksOperations, &["IDM-006 major"]);
    fails(Way::Optional, &["IDM-007"]);
    fails(Way::Truncates, &["IDM-007"]);
    fails(Way::Empty500, &["IDM-007"]);
    fails(Way::TwoPostings, &["IDM-008"]);
    fails(Way::Forgets, &["IDM-009"]);
    fails(Way::BalanceTwice, &["IDM-001"]);
}

#[test]
fn an_error_instead_of_a_replay_fails() {
    let judged = judged(&item(), Bank::new(Way::Replay500));
    for rule in ["IDM-002", "IDM-004", "IDM-005"] {
        assert_eq!(judged[rule].verdict, Verdict::Fail, "{rule}: {:?}", judged[rule]);
    }
    assert_eq!(judged["IDM-001"].verdict, Verdict::Pass);
}

#[test]
fn an_error_while_the_first_is_at_work_is_minor() {
    let bank = Bank::new(Way::RaceIs500).processing(Duration::from_millis(100));
    let judged = judged(&item(), bank);
    assert_eq!((judged["IDM-004"].verdict, judged["IDM-004"].severity), (Verdict::Fail, Some(Severity::Minor)));
}

#[test]
fn content_counts_where_the_stored_answer_is_declared() {
    let verdict = |replay: &str| {
        judged(&with(item(), &json!({"replay": replay})), Bank::new(Way::OtherContent))["IDM-002"].verdict
    };
    assert_eq!((verdict("stored"), verdict("current")), (Verdict::Fail, Verdict::Pass));
    let volatile = with(item(), &json!({"replay": "stored", "volatile": ["$.status"]}));
    assert_eq!(judged(&volatile, Bank::new(Way::OtherContent))["IDM-002"].verdict, Verdict::Pass);
}

#[test]
fn a_key_of_the_body_works_as_well() {
    let create = json!({
        "request": "POST /payments", "body": {"amount": "10.00", "reference": "{{reference}}", "key": "{{key}}"}
    });
    let other = |path: &str, client: &str| {
        json!({
            "client": client,
            "create": {"request": format!("POST {path}"), "body": {"amount": "10.00", "reference": "{{reference}}", "key": "{{key}}"}},
            "effects": {"call": {"request": format!("GET {path}?reference={{{{reference}}}}")}, "rows": "$.data", "id": "$.id"}
        })
    };
    let item = with(
        item(),
        &json!({
            "create": create, "key": {"body": true, "required": true, "max_length": 64},
            "other_client": other("/payments", "rival"), "other_operation": other("/withdrawals", "trader")
        }),
    );
    passes(&item, Bank::new(Way::Honest));
    let judged = judged(&item, Bank::new(Way::Truncates));
    assert_eq!(judged["IDM-007"].verdict, Verdict::Fail);
}

#[test]
fn keys_longer_than_declared_that_are_taken_whole_are_no_failure() {
    let lenient = Bank::new(Way::Honest).longest(500);
    passes(&item(), lenient);
}

#[test]
fn a_spent_key_fails_only_where_it_is_declared_otherwise() {
    let verdict = |item: Value| judged(&item, Bank::new(Way::SpendsKeys))["IDM-009"].verdict;
    assert_eq!(verdict(item()), Verdict::Pass);
    assert_eq!(verdict(with(item(), &json!({"after_invalid": "reusable"}))), Verdict::Fail);
    assert_eq!(verdict(with(item(), &json!({"after_invalid": "refused"}))), Verdict::Pass);
}

#[test]
fn a_lookup_that_does_not_filter_accuses_nobody() {
    let judged = judged(&item(), Bank::new(Way::Unfiltered));
    assert_eq!(of(Verdict::Fail, &judged), Vec::<String>::new(), "{judged:#?}");
}

#[test]
fn a_listing_that_ends_before_the_newest_rows_accuses_nobody() {
    let judged = judged(&item(), Bank::new(Way::CutsList));
    assert_eq!(of(Verdict::Fail, &judged), Vec::<String>::new(), "{}", told(&judged));
    assert!(judged["IDM-004"].message.contains("newest rows"), "{:?}", judged["IDM-004"]);
}

#[test]
fn a_bank_that_refuses_everything_is_asked_little_and_judged_for_nothing() {
    let (check, planned) = plan(&item(), &|_| true);
    let mut bank = Bank::new(Way::Closed);
    let fake = Fake::new(move |request, now| Ok(bank.answer(request, now)));
    let evidence = check.probe(&fake, &planned).now_or_never().unwrap();
    assert!(fake.asked.lock().unwrap().len() < 8);
    for judged in IDEMPOTENCY.rules {
        let judgement = (judged.judge)(&evidence);
        assert_eq!(judgement.verdict, Verdict::Inconclusive, "{}", judged.rule.id);
        assert!(judgement.message.contains("status 403"), "{}", judgement.message);
    }
}

#[test]
fn only_what_was_created_is_taken_back() {
    let item = with(item(), &json!({"undo": {"request": "DELETE /payments/{{id}}"}}));
    let (check, planned) = plan(&item, &|id| id == "IDM-001");
    let mut bank = Bank::new(Way::Ignores);
    let fake = Fake::new(move |request, now| Ok(bank.answer(request, now)));
    check.probe(&fake, &planned).now_or_never().unwrap();
    let asked = fake.asked.lock().unwrap();
    let of = |method: &str| asked.iter().filter(|(request, _)| request.method == method).count();
    assert_eq!((of("POST"), of("DELETE")), (5, 5));
}

#[test]
fn callbacks_that_cannot_arrive_are_said_to_be_unseen() {
    let register = json!({"request": "POST /hooks", "body": {"url": "{{callback_url}}"}});
    let events = json!({"register": register, "id": "$.id", "reference": "$.reference"});
    let judged = judged(&with(item(), &json!({"events": events})), Bank::new(Way::Honest));
    assert_eq!(judged["IDM-008"].verdict, Verdict::Inconclusive);
    assert!(judged["IDM-008"].message.contains("no callbacks arrive here"), "{:?}", judged["IDM-008"]);
}

#[test]
fn a_run_that_is_over_sends_no_more() {
    let (check, planned) = plan(&item(), &|_| true);
    let mut bank = Bank::new(Way::Honest);
    let fake = Fake::new(move |request, now| Ok(bank.answer(request, now)));
    fake.stopping.store(true, Ordering::Relaxed);
    let evidence = check.probe(&fake, &planned).now_or_never().unwrap();
    assert!(fake.asked.lock().unwrap().len() < 15);
    let verdicts = IDEMPOTENCY.rules.iter().map(|judged| (judged.judge)(&evidence).verdict);
    assert!(!verdicts.into_iter().any(|verdict| verdict == Verdict::Fail));
}

#[test]
fn what_is_not_permitted_is_not_planned() {
    let clients = BTreeSet::from(["trader".to_owned(), "rival".to_owned()]);
    let setting = Setting { clients: &clients, names: &BTreeSet::new() };
    let check = load(item(), &setting).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let planned =
        |permits: &[Permit]| check.plan(&Selection { wants: &|_| true, permits: &permits.iter().copied().collect() });
    assert!(planned(&[Permit::Read]).rules.is_empty() && planned(&[Permit::Read]).steps.is_empty());
    let some = planned(&[Permit::Read, Permit::Write]);
    assert!(!some.wants("IDM-005") && some.rules.len() == 8);
    assert_eq!(some.unplanned[0].permit, Some(Permit::Disconnect));
    assert_eq!(some.touches, ["/payments", "/withdrawals"]);
    assert_eq!(some.clients, ["rival", "trader"]);
    assert!(!some.steps.iter().any(|(step, _)| step == super::NOT_ASCII));
}

#[test]
fn everything_wrong_with_an_item_is_said_at_its_place() {
    let item = with(
        item(),
        &json!({
            "create": {"request": "GET /payments", "body": {"amount": "1"}},
            "key": {"body": true, "header": "X Key", "value": "same", "max_length": 0},
            "changed": {"amount": "{{nothing}}"},
            "volatile": ["$..id"],
            "balance": {"call": {"request": "GET /balance"}, "path": "$.b", "each": "ten"},
            "other_client": {
                "create": {"request": "POST /payments", "body": {"r": "{{reference}}"}},
                "effects": {"call": {"request": "GET /payments"}, "id": "$.id"}
            },
            "invalid": null, "after_invalid": "refused"
        }),
    );
    let clients = BTreeSet::from(["trader".to_owned()]);
    let Err(problems) = load(item, &Setting { clients: &clients, names: &BTreeSet::new() }) else { panic!("it loads") };
    let places: BTreeSet<&str> = problems.iter().map(|problem| problem.at.as_str()).collect();
    let expected = [
        "/create/request",
        "/create",
        "/key/value",
        "/key/header",
        "/key/max_length",
        "/changed/amount",
        "/volatile/0",
        "/balance/each",
        "/other_client",
        "/other_client/effects",
        "/after_invalid",
    ];
    for place in expected {
        assert!(places.contains(place), "{place} not among {places:?}");
    }
}
