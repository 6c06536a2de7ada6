//! The probe and the rules together, against job servers in virtual time.

mod followed;
mod judged;
mod loading;
mod server;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures_util::FutureExt;
use serde_json::{Value, json};

use self::server::Jobs;
use super::{ASYNC_OPERATION, Evidence};
use crate::{
    exchange::{FailureKind, Request},
    families::{
        Check, Evidence as AnyEvidence, Permit, PlannedCheck, Selection, Setting,
        testing::{Fake, Given},
    },
    rule::{Judgement, Verdict},
};

/// What was judged of a check, and what was sent for it.
struct Judged {
    judgements: BTreeMap<&'static str, Judgement>,
    asked: Vec<(Request, Duration)>,
    evidence: Box<Evidence>,
}

impl Judged {
    fn verdict(&self, rule: &str) -> Verdict {
        self.judgements[rule].verdict
    }

    /// Fails with everything that was said unless exactly these rules failed.
    fn only_fail(&self, rules: &[&str]) {
        let failed: Vec<&str> =
            self.judgements.iter().filter(|(_, j)| j.verdict == Verdict::Fail).map(|(id, _)| *id).collect();
        assert_eq!(failed, rules, "{:#?}", self.judgements);
    }

    /// The same, and nothing was left undecided.
    fn all_pass(&self) {
        let other = self.judgements.iter().find(|(_, judgement)| judgement.verdict != Verdict::Pass);
        assert!(other.is_none(), "{other:#?}");
    }
}

fn load(item: Value) -> Result<Box<dyn Check>, Vec<String>> {
    let clients = ["a", "b"].map(str::to_owned).into_iter().collect::<BTreeSet<_>>();
    let names = BTreeSet::new();
    let place = |problem: crate::families::Problem| {
        if problem.at.is_empty() { problem.message } else { problem.at }
    };
    (ASYNC_OPERATION.load)(item, &Setting { clients: &clients, names: &names })
        .map_err(|problems| problems.into_iter().map(place).collect())
}

fn plan(check: &dyn Check, permits: &[Permit]) -> PlannedCheck {
    let permits: BTreeSet<Permit> = permits.iter().copied().collect();
    check.plan(&Selection { wants: &|_| true, permits: &permits })
}

/// Probes and judges; never more is sent than was planned.
fn judge(item: Value, mut jobs: Jobs, mut tweak: impl FnMut(&Request, Given) -> Given + Send + 'static) -> Judged {
    let check = load(item).unwrap_or_else(|problems| panic!("{problems:?}"));
    let plan = plan(&*check, &[Permit::Read, Permit::Write]);
    let fake = Fake::new(move |request, at| Ok::<_, FailureKind>(tweak(request, jobs.answer(request, at))));
    let evidence = check.probe(&fake, &plan).now_or_never().expect("time is virtual");
    let asked = fake.asked.into_inner().unwrap();
    assert!(asked.len() as u64 <= plan.requests(), "{} sent, {} planned", asked.len(), plan.requests());
    let writes = asked.iter().filter(|(request, _)| !request.is_safe()).count() as u64;
    assert!(writes <= plan.writes, "{writes} writes, {} planned", plan.writes);
    // What is kept can be written and read again, and is judged the same then.
    let text = serde_json::to_string(&evidence).unwrap();
    let again: AnyEvidence = serde_json::from_str(&text).unwrap();
    let rules = ASYNC_OPERATION.rules.iter().filter(|judged| plan.wants(judged.rule.id));
    let judgements: BTreeMap<_, _> = rules
        .map(|judged| {
            let judgement = (judged.judge)(&evidence);
            assert_eq!(judgement, (judged.judge)(&again), "{}", judged.rule.id);
            (judged.rule.id, judgement)
        })
        .collect();
    let AnyEvidence::AsyncOperation(evidence) = evidence else { panic!() };
    Judged { judgements, asked, evidence }
}

/// The honest server with some answers changed.
fn changed(tweak: impl FnMut(&Request, Given) -> Given + Send + 'static) -> Judged {
    judge(item(json!({})), Jobs::default(), tweak)
}

fn untouched(_: &Request, given: Given) -> Given {
    given
}

fn item(more: Value) -> Value {
    let mut item = json!({
        "name": "jobs", "client": "a",
        "start": {"request": "POST /jobs", "body": {"ref": "{{reference}}"}},
        "state": {
            "path": "$.state", "pending": ["queued"], "running": ["running"], "succeeded": ["done"], "failed": ["failed"],
            "cancelled": ["cancelled"]
        },
        "progress": "$.percent", "id": "$.id", "poll": {"interval": "100ms", "longest": "400ms"}, "deadline": "4s",
        "result": {"href": "$.thing", "id": "$.id", "expect": {"$.ref": "{{reference}}", "$.amount": "10.0"},
                   "agrees": [{"monitor": "$.id", "result": "$.job"}]},
        "effects": {"call": {"request": "GET /things?ref={{reference}}"}, "rows": "$.data", "reference": "$.ref",
                    "id": "$.id"},
        "failing": {"start": {"request": "POST /jobs", "body": {"ref": "{{reference}}", "fail": true}},
                    "error": {"code": "$.error.code", "message": "$.error.message"}},
        "cancel": {"request": "POST /jobs/{{operation}}/cancel"},
        "other_client": "b", "prefer": ["respond-async"], "undo": {"request": "DELETE /things/{{result}}"}
    });
    let (Value::Object(more), Some(all)) = (more, item.as_object_mut()) else { panic!() };
    for (key, value) in more {
        if value.is_null() {
            all.remove(&key);
        } else {
            all.insert(key, value);
        }
    }
    item
}
