//! The probe and the rules together, against limiters in virtual time.

mod answers;
mod meanwhile;
mod waits;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{Evidence, RATE_LIMIT};
use crate::{
    exchange::{FailureKind, Request, Who},
    families::{
        Check, Conventions, Evidence as AnyEvidence, Permit, PlannedCheck, Selection, Setting,
        testing::{Fake, Given, given},
    },
    rule::{Judgement, Verdict},
};

const PERMITS: [Permit; 3] = [Permit::Read, Permit::Write, Permit::Burst];

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
}

fn check(item: Value) -> Box<dyn Check> {
    let clients = ["a", "b", "a2"].map(str::to_owned).into_iter().collect::<BTreeSet<_>>();
    let names = BTreeSet::new();
    let mut check = (RATE_LIMIT.load)(item, &Setting { clients: &clients, names: &names })
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    let errors = json!({"code": "$.code", "message": "$.message"});
    check.adopt(&Conventions { errors: serde_json::from_value(errors).unwrap(), ..Conventions::default() });
    check
}

fn plan(check: &dyn Check, permits: &[Permit]) -> PlannedCheck {
    let permits: BTreeSet<Permit> = permits.iter().copied().collect();
    check.plan(&Selection { wants: &|_| true, permits: &permits })
}

/// Probes and judges; never more is sent than was planned.
fn judge(item: Value, behaviour: impl FnMut(&Request, Duration) -> Given + Send + 'static) -> Judged {
    let mut behaviour = behaviour;
    let check = check(item);
    let plan = plan(&*check, &PERMITS);
    let fake = Fake::new(move |request, at| Ok::<_, FailureKind>(behaviour(request, at)));
    let evidence = check.probe(&fake, &plan).now_or_never().expect("time is virtual");
    let asked = fake.asked.into_inner().unwrap();
    assert!(asked.len() as u64 <= plan.requests(), "{} sent, {} planned", asked.len(), plan.requests());
    let patient = ["look up what exists", "take back what was created"];
    assert!(asked.iter().all(|(request, _)| request.obey == patient.contains(&request.purpose)));
    // What is kept can be written and read again, and is judged the same then.
    let text = serde_json::to_string(&evidence).unwrap();
    let again: AnyEvidence = serde_json::from_str(&text).unwrap();
    let rules = RATE_LIMIT.rules.iter().filter(|judged| plan.wants(judged.rule.id));
    let judgements: BTreeMap<_, _> = rules
        .map(|judged| {
            let judgement = (judged.judge)(&evidence);
            assert_eq!(judgement, (judged.judge)(&again), "{}", judged.rule.id);
            (judged.rule.id, judgement)
        })
        .collect();
    let AnyEvidence::RateLimit(evidence) = evidence else { panic!() };
    Judged { judgements, asked, evidence }
}

fn item(more: Value) -> Value {
    let mut item = json!({
        "name": "x", "client": "a", "request": "GET /limited",
        "limit": {"quota": 10, "window": "4s", "model": "fixed_window"}
    });
    let Value::Object(more) = more else { panic!() };
    item.as_object_mut().unwrap().extend(more);
    item
}

fn refusal() -> Given {
    given(429, &json!({"code": "rate_limited", "message": "too many requests"}))
}

/// Fixed windows by a key, counted from the first request of each.
struct Windows {
    quota: u64,
    window: Duration,
    used: HashMap<String, (Duration, u64)>,
}

impl Windows {
    fn new(quota: u64, seconds: u64) -> Self {
        Self { quota, window: Duration::from_secs(seconds), used: HashMap::new() }
    }

    /// Counts a request; what is left, or nothing if it is refused, and the whole seconds until the window ends.
    fn count(&mut self, key: &str, at: Duration) -> (Option<u64>, u64) {
        let (begin, used) = self.used.entry(key.to_owned()).or_insert((at, 0));
        if at >= *begin + self.window {
            (*begin, *used) = (at, 0);
        }
        let ends = (*begin + self.window).saturating_sub(at);
        let seconds = u64::try_from(ends.as_millis()).unwrap().div_ceil(1_000);
        if *used >= self.quota {
            return (None, seconds);
        }
        *used += 1;
        (Some(self.quota - *used), seconds)
    }

    /// An answer as the draft wants it.
    fn answer(&mut self, key: &str, at: Duration) -> Given {
        let (left, seconds) = self.count(key, at);
        let answer = match left {
            Some(_) => given(200, &json!({})),
            None => refusal().header("Retry-After", seconds.to_string()),
        };
        answer
            .header("RateLimit-Policy", format!("\"w\";q={};w={}", self.quota, self.window.as_secs()))
            .header("RateLimit", format!("\"w\";r={};t={seconds}", left.unwrap_or(0)))
    }
}

#[test]
fn an_honest_window_passes_everything_that_can_be_judged() {
    let mut windows = Windows::new(10, 4);
    let mut notes: Vec<String> = Vec::new();
    let judged = judge(
        item(json!({
            "other_client": "b", "evasion": true, "second_client": "a2", "forged": {"headers": {"X-Client": "a"}},
            "others": [
                {"name": "cancel", "call": {"request": "DELETE /notes/nope"}, "safety": true, "expect": [404]},
                {"name": "elsewhere", "call": {"request": "GET /other"}}
            ],
            "write": {
                "call": {"request": "POST /limited/notes", "body": {"reference": "{{reference}}"}},
                "find": {"call": {"request": "GET /notes?reference={{reference}}"}, "rows": "$.data", "id": "$.id"},
                "undo": {"request": "DELETE /notes/{{id}}"}
            }
        })),
        move |request, at| match (request.method.as_str(), request.target.as_str(), &request.who) {
            (_, _, Who::Forged(_)) => given(401, &json!({"code": "unauthorized", "message": "no"})),
            ("DELETE", ..) => given(404, &json!({"code": "unknown", "message": "no"})),
            ("GET", "/other", _) => given(200, &json!({})),
            ("GET", target, _) if target.starts_with("/notes") => {
                let found: Vec<Value> =
                    notes.iter().filter(|r| target.ends_with(r.as_str())).map(|r| json!({"id": r})).collect();
                given(200, &json!({"data": found}))
            }
            ("GET", target, _) if target.to_lowercase().trim_end_matches('/') != "/limited" => given(404, &json!({})),
            (method, _, who) => {
                let key = if who.name() == "b" { "b" } else { "a" };
                let mut answer = windows.answer(key, at);
                if method == "POST" && answer.status == 200 {
                    let crate::exchange::Payload::Json(body) = &request.payload else { panic!() };
                    notes.push(body["reference"].as_str().unwrap().to_owned());
                    answer.status = 201;
                }
                answer
            }
        },
    );
    judged.only_fail(&[]);
    for (rule, judgement) in &judged.judgements {
        assert_eq!(judgement.verdict, Verdict::Pass, "{rule}: {judgement:?}");
    }
    assert_eq!(judged.judgements.len(), RATE_LIMIT.rules.len());
    assert!(judged.judgements["RATE-001"].message.contains("after 10 requests"), "{:?}", judged.judgements["RATE-001"]);
}

/// The plain item against honest windows whose answers are changed.
fn changed(more: Value, mut change: impl FnMut(Given, Duration) -> Given + Send + 'static) -> Judged {
    let mut windows = Windows::new(10, 4);
    judge(item(more), move |request, at| {
        let answer = windows.answer(request.who.name(), at);
        change(answer, at)
    })
}

fn without(mut answer: Given, names: &[&str]) -> Given {
    for name in names {
        answer.headers.remove(name);
    }
    answer
}

const ALL: [&str; 3] = ["retry-after", "ratelimit", "ratelimit-policy"];

#[test]
fn an_honest_bucket_is_not_accused_of_anything() {
    // Ten tokens, five a second.
    let (mut tokens, mut last) = (10_000, Duration::ZERO);
    let bucket = json!({"limit": {"quota": 10, "window": "2s", "model": "token_bucket"}});
    let judged = judge(item(bucket), move |_, at| {
        tokens = (tokens + u64::try_from(at.saturating_sub(last).as_millis()).unwrap() * 5).min(10_000);
        last = at;
        if tokens < 1_000 {
            return refusal().header("Retry-After", "1");
        }
        tokens -= 1_000;
        given(200, &json!({})).header("X-RateLimit-Remaining", (tokens / 1_000).to_string())
    });
    judged.only_fail(&[]);
    for rule in ["RATE-001", "RATE-002", "RATE-003", "RATE-008"] {
        assert_eq!(judged.verdict(rule), Verdict::Pass, "{rule}");
    }
}

#[test]
fn no_limit_at_all_is_reported_and_a_small_budget_decides_nothing() {
    let judged = judge(item(json!({})), |_, _| given(200, &json!({})));
    judged.only_fail(&["RATE-001"]);
    assert!(judged.judgements["RATE-001"].actual.contains("30 requests"), "{:?}", judged.judgements["RATE-001"]);
    assert_eq!(judged.verdict("RATE-003"), Verdict::Inconclusive);
    let small = judge(item(json!({"budget": 15})), |_, _| given(200, &json!({})));
    small.only_fail(&[]);
    let unknown = judge(item(json!({"limit": {"quota": 10}})), |_, _| given(200, &json!({})));
    unknown.only_fail(&[]);
    assert_eq!(unknown.verdict("RATE-001"), Verdict::Inconclusive);
}

#[test]
fn a_refusal_of_another_status_is_reported_where_a_status_is_declared() {
    let code = json!({"path": "$.code", "values": ["rate_limited"]});
    let as_success = |answer: Given, _| Given { status: 200, ..answer };
    let declared = changed(json!({"refusal": {"status": [429], "code": code.clone()}}), as_success);
    declared.only_fail(&["RATE-001"]);
    // Kraken's way: the body alone says so.
    let body = changed(json!({"refusal": {"code": code}}), as_success);
    body.only_fail(&[]);
    assert_eq!(body.verdict("RATE-001"), Verdict::Pass);
    assert_eq!(body.verdict("RATE-002"), Verdict::NotApplicable);
}

#[test]
fn undeclared_503_is_said_and_not_called_a_limit() {
    let as_503 = |answer: Given, _| {
        if answer.status == 429 { given(503, &json!({})) } else { answer }
    };
    let judged = changed(json!({}), as_503);
    judged.only_fail(&[]);
    assert!(judged.judgements["RATE-001"].message.contains("declare it under `refusal.status`"));
    let declared = changed(json!({"refusal": {"status": [503]}}), as_503);
    assert_eq!(declared.verdict("RATE-001"), Verdict::Pass);
    declared.only_fail(&["RATE-002", "RATE-006"]);
}

#[test]
fn delays_in_place_of_refusals_are_said() {
    // One a second, however many ask.
    let mut free = Duration::ZERO;
    let judged = judge(item(json!({"limit": {"quota": 5, "window": "1s"}})), move |_, at| {
        free = free.max(at) + Duration::from_secs(1);
        given(200, &json!({})).delayed(free.saturating_sub(at).saturating_sub(Duration::from_secs(1)))
    });
    judged.only_fail(&[]);
    assert!(judged.judgements["RATE-001"].message.contains("delayed"), "{:?}", judged.judgements["RATE-001"]);
}

#[test]
fn requests_too_slow_to_spend_a_limit_go_side_by_side() {
    let mut windows = Windows::new(10, 4);
    let judged = judge(item(json!({})), move |_, at| windows.answer("a", at).delayed(Duration::from_millis(600)));
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("RATE-001"), Verdict::Pass, "{:?}", judged.judgements["RATE-001"]);
    assert!(judged.evidence.bursts[0].sequential < judged.evidence.bursts[0].answers.len());
}

#[test]
fn a_ban_after_refusals_is_no_answer_of_the_limit() {
    let mut windows = Windows::new(10, 4);
    let mut refused = 0;
    let judged = judge(item(json!({})), move |_, at| {
        let answer = windows.answer("a", at);
        if answer.status == 429 {
            refused += 1;
            if refused > 1 {
                return given(403, &json!({"code": "banned", "message": "no"})).header("Retry-After", "4");
            }
        }
        answer
    });
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("RATE-001"), Verdict::Pass);
}

#[test]
fn a_limit_that_is_never_met_or_not_readable_decides_nothing() {
    let failing = judge(item(json!({})), |_, _| given(500, &json!({})).header("X-RateLimit-Remaining", "4"));
    failing.only_fail(&[]);
    assert!(failing.judgements.values().all(|judgement| judgement.verdict == Verdict::Inconclusive));
    assert_eq!(failing.asked.len(), 1, "one answer is enough to see that");
}

#[test]
fn what_is_not_permitted_or_not_declared_is_not_planned() {
    let others = json!([{"name": "o", "call": {"request": "DELETE /o"}}]);
    let alone = check(item(json!({"others": others})));
    assert!(plan(&*alone, &[Permit::Read, Permit::Burst]).saturates.is_empty(), "what is not declared may be shared");
    let check = check(item(json!({"others": others, "scope": "client"})));
    assert!(plan(&*check, &[Permit::Read]).rules.is_empty());
    let plan = plan(&*check, &[Permit::Read, Permit::Burst]);
    assert_eq!((plan.writes, plan.saturates.clone()), (0, vec!["a".to_owned()]));
    let undeclared: Vec<&str> =
        plan.unplanned.iter().filter(|unplanned| unplanned.permit.is_none()).map(|unplanned| unplanned.rule).collect();
    assert_eq!(undeclared, ["RATE-005", "RATE-010", "RATE-013", "RATE-014"]);
}

#[test]
fn without_evidence_nothing_is_decided() {
    for judged in RATE_LIMIT.rules {
        assert_eq!((judged.judge)(&AnyEvidence::None).verdict, Verdict::Inconclusive, "{}", judged.rule.id);
        let empty = AnyEvidence::RateLimit(Box::default());
        assert_ne!((judged.judge)(&empty).verdict, Verdict::Fail, "{}", judged.rule.id);
        assert_ne!((judged.judge)(&empty).verdict, Verdict::Pass, "{}", judged.rule.id);
    }
}
