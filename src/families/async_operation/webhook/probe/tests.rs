//! The probe against a target that a function plays, in virtual time: honest, oddly legal, and wrong in each way.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{super::rules::RULES, *};
use crate::{
    exchange::{Answer, Delivery, FailureKind, Headers, Payload, Request, Who},
    families::testing::{
        Fake, Given, given,
        post::{BEGIN, Parcel, Post},
    },
    rule::{Judgement, Verdict},
};

/// What is odd or wrong with the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Oddity {
    None,
    // Legal.
    Twice,
    OutOfOrder,
    Thin,
    TwoSignatures,
    SlowSchedule,
    // Wrong.
    NeverSent,
    WrongState,
    Unsigned,
    BadSignature,
    BodySigned,
    NoRetry,
    NewId,
    Persistent,
    Storm,
    ReusedId,
    Unordered,
    ReachesPrivate,
    FollowsRedirects,
    RivalRemoves,
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A small target: registrations, operations that take 120 ms, and deliveries.
struct Target {
    oddity: Oddity,
    post: Arc<Post>,
    hooks: BTreeMap<String, String>,
    operations: Vec<Duration>,
    /// How often something was sent: by address and event.
    attempts: BTreeMap<(String, String), usize>,
    ids: usize,
}

impl Target {
    fn answer(&mut self, request: &Request, now: Duration) -> Given {
        match (request.method.as_str(), request.target.split('/').collect::<Vec<_>>().as_slice()) {
            ("POST", ["", "hooks"]) => {
                let Payload::Json(body) = &request.payload else { unreachable!() };
                let url = body["url"].as_str().unwrap().to_owned();
                let private = url.contains("//10.") || url.contains("127.0.0.2");
                if private && self.oddity != Oddity::ReachesPrivate {
                    return given(422, &json!({"code": "callback_not_allowed"}));
                }
                self.ids += 1;
                let id = format!("WH-{}", self.ids);
                self.hooks.insert(id.clone(), url);
                given(201, &json!({"id": id, "secret": SECRET}))
            }
            ("DELETE", ["", "hooks", id]) => {
                let theirs = request.who == Who::Client("rival".into()) && self.oddity != Oddity::RivalRemoves;
                let gone = theirs || self.hooks.remove(*id).is_none();
                given(if gone { 404 } else { 204 }, &json!({}))
            }
            ("POST", ["", "ops"]) => {
                self.operations.push(now);
                let id = format!("OP-{}", self.operations.len());
                self.publish(&id, now);
                given(202, &json!({"id": id}))
            }
            ("GET", ["", "ops", id]) => {
                let started = self.operations[id[3..].parse::<usize>().unwrap() - 1];
                let done = now >= started + Duration::from_millis(120);
                given(200, &json!({"id": id, "status": if done { "done" } else { "running" }}))
            }
            other => panic!("{other:?}"),
        }
    }

    fn publish(&mut self, operation: &str, now: Duration) {
        let mut events = vec![(60, "running", 1), (120, "done", 2)];
        match self.oddity {
            Oddity::NeverSent => return,
            Oddity::OutOfOrder => events = vec![(200, "running", 1), (120, "done", 2)],
            Oddity::WrongState => events[1].1 = "broken",
            _ => {}
        }
        for (after, state, sequence) in events {
            self.ids += 1;
            let number = if self.oddity == Oddity::ReusedId { 7 } else { self.ids };
            let mut event = json!({
                "id": format!("EVT-{number}"), "type": format!("operation.{state}"), "created_at": "2027-01-15T08:00:00Z",
                "sequence": sequence, "data": {"operation_id": operation, "status": state}
            });
            match self.oddity {
                Oddity::Thin => event["data"] = json!({"operation_id": operation}),
                Oddity::Unordered => {
                    event.as_object_mut().unwrap().retain(|name, _| name != "created_at" && name != "sequence");
                }
                _ => {}
            }
            let at = now + Duration::from_millis(after);
            let urls: Vec<String> = self.hooks.values().cloned().collect();
            for url in urls {
                let copies = if self.oddity == Oddity::Twice { 2 } else { 1 };
                for copy in 0..copies {
                    let parcel = self.parcel(url.clone(), event.clone(), at + Duration::from_millis(3 * copy));
                    self.post.send([parcel]);
                }
            }
        }
    }

    fn parcel(&mut self, url: String, mut event: Value, at: Duration) -> Parcel {
        if self.oddity == Oddity::NewId {
            self.ids += 1;
            event["id"] = json!(format!("EVT-{}", self.ids));
        }
        let id = event["id"].as_str().unwrap().to_owned();
        let body = event.to_string();
        let stamp = (BEGIN + at.as_secs()).to_string();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &BASE64.decode(&SECRET.as_bytes()[6..]).unwrap());
        let signed = match self.oddity {
            Oddity::BodySigned => body.clone(),
            Oddity::BadSignature => "something else".to_owned(),
            _ => format!("{id}.{stamp}.{body}"),
        };
        let mut signature = format!("v1,{}", BASE64.encode(hmac::sign(&key, signed.as_bytes()).as_ref()));
        if self.oddity == Oddity::TwoSignatures {
            signature = format!("v1,{} {signature}", BASE64.encode(&[1; 32]));
        }
        let mut headers = Headers::default();
        headers.push("webhook-id", id);
        headers.push("webhook-timestamp", stamp);
        if self.oddity != Oddity::Unsigned {
            headers.push("webhook-signature", signature);
        }
        Parcel { at, url, headers, body: body.into_bytes() }
    }

    /// What is sent because a delivery was answered so.
    fn next(&mut self, delivery: &Delivery) -> Vec<Parcel> {
        let mut event: Value = serde_json::from_slice(&delivery.body).unwrap();
        let mut parcels = Vec::new();
        if let Answer::Respond(300..=399, headers, _) = &delivery.answered
            && self.oddity == Oddity::FollowsRedirects
        {
            let to = headers.get("location").unwrap().to_owned();
            parcels.push(self.parcel(to, event.clone(), delivery.received + Duration::from_millis(5)));
        }
        if self.oddity == Oddity::NoRetry
            || delivery.answered.is_acknowledgement() && self.oddity != Oddity::Persistent
            || !self.hooks.values().any(|url| url == delivery.url.as_str())
        {
            return parcels;
        }
        let name = format!("{}{}", event["type"], event["data"]["operation_id"]);
        let attempts = self.attempts.entry((delivery.url.to_string(), name)).or_default();
        *attempts += 1;
        let wait = match (self.oddity, *attempts) {
            (_, 5..) => return parcels,
            (Oddity::Storm, _) => 20,
            (Oddity::SlowSchedule, n) => 60_000 * n as u64,
            (_, n) => 800 + 200 * n as u64,
        };
        let given_up = if matches!(delivery.answered, Answer::Hang(_)) { 500 } else { 0 };
        event["attempt"] = json!(*attempts);
        parcels.push(self.parcel(
            delivery.url.to_string(),
            event,
            delivery.received + Duration::from_millis(wait + given_up),
        ));
        parcels
    }
}

/// Has operations done with the target.
struct Ops;

impl Operations for Ops {
    fn follow<'a>(&'a self, session: &'a dyn Session) -> BoxFuture<'a, Followed> {
        async move {
            let client = Who::Client("trader".into());
            let started = session.send(Request::new(client.clone(), "POST", "/ops")).await.unwrap();
            let id = serde_json::from_slice::<Value>(&started.body).unwrap()["id"].as_str().unwrap().to_owned();
            loop {
                let reading = session.send(Request::new(client.clone(), "GET", format!("/ops/{id}"))).await.unwrap();
                let state = serde_json::from_slice::<Value>(&reading.body).unwrap()["status"].clone();
                if state == "done" {
                    return Followed {
                        id: Some(id),
                        end: Some("done".into()),
                        ended: Some(reading.received),
                        why: String::new(),
                        exchanges: vec![started.id, reading.id],
                    };
                }
                session.pause(Duration::from_millis(40)).await;
            }
        }
        .boxed()
    }

    fn means(&self, word: &str) -> Option<Kind> {
        match word {
            "running" => Some(Kind::Running),
            "done" => Some(Kind::Succeeded),
            "broken" => Some(Kind::Failed),
            _ => None,
        }
    }
}

fn block() -> Value {
    json!({
        "register": {"call": {"request": "POST /hooks", "body": {"url": "{{callback_url}}"}}, "id": "$.id", "secret": "$.secret"},
        "unregister": {"request": "DELETE /hooks/{{id}}"},
        "event": {
            "id": {"header": "webhook-id"}, "type": "$.type", "created": "$.created_at", "subject": "$.data.operation_id",
            "state": "$.data.status", "version": "$.sequence", "volatile": ["$.id"]
        },
        "signature": {"recipe": "standard-webhooks"}, "deadline": "2s",
        "redelivery": {"first": "1500ms", "attempts": 3, "timeout": "500ms"},
        "addresses": {"refused": ["http://10.0.0.1/x"], "observed": ["127.0.0.2"], "other_client": "rival"}
    })
}

/// What was seen of a target, and what it was asked.
fn seen(oddity: Oddity, block: Value) -> (Evidence, Vec<String>) {
    let post = Arc::new(Post::default());
    let (hooks, operations, attempts) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
    let target = Target { oddity, post: post.clone(), hooks, operations, attempts, ids: 0 };
    let target = Arc::new(Mutex::new(target));
    let sender = Arc::clone(&target);
    post.tell(move |delivery| sender.lock().unwrap().next(delivery));
    let played = Arc::clone(&target);
    let fake =
        Fake::new(move |request: &Request, now| Ok::<_, FailureKind>(played.lock().unwrap().answer(request, now)));
    let fake = fake.receiving(&post).at("http://localhost:8080");
    let webhook: Webhook = serde_json::from_value(block).unwrap();
    let context = Context { webhook: &webhook, client: Some("trader"), operations: &Ops, wants: &|_| true };
    let evidence = probe(&fake, context).now_or_never().expect("a fake never waits");
    let asked = std::mem::take(&mut *fake.asked.lock().unwrap());
    let asked = asked.into_iter().map(|(request, _)| format!("{} {}", request.method, request.target));
    assert!(oddity == Oddity::ReachesPrivate || target.lock().unwrap().hooks.is_empty(), "all is taken back");
    (evidence, asked.collect())
}

fn judged(evidence: &Evidence) -> BTreeMap<&'static str, Judgement> {
    let any = super::super::testing::of(Some(evidence.clone()));
    RULES.iter().map(|judged| (judged.rule.id, (judged.judge)(&any))).collect()
}

#[test]
fn an_honest_target_and_legal_oddities_pass_every_rule() {
    for oddity in [Oddity::None, Oddity::Twice, Oddity::OutOfOrder, Oddity::Thin, Oddity::TwoSignatures] {
        let (evidence, asked) = seen(oddity, block());
        for (rule, judgement) in judged(&evidence) {
            assert_eq!(judgement.verdict, Verdict::Pass, "{oddity:?}: {rule} {judgement:#?}");
        }
        let registered = asked.iter().filter(|request| *request == "POST /hooks").count();
        let removed = asked.iter().filter(|request| request.starts_with("DELETE /hooks/")).count();
        // Two addresses are refused, and the other client asks once in vain.
        assert_eq!((registered, removed), (6, 5), "{oddity:?}: {asked:?}");
    }
}

#[test]
fn each_mistake_fails_its_own_rule_and_no_other() {
    for (oddity, expected) in [
        (Oddity::NeverSent, "ASY-008"),
        (Oddity::WrongState, "ASY-008"),
        (Oddity::Unsigned, "ASY-009"),
        (Oddity::BadSignature, "ASY-009"),
        (Oddity::BodySigned, "ASY-009"),
        (Oddity::NoRetry, "ASY-010"),
        (Oddity::NewId, "ASY-010"),
        (Oddity::Persistent, "ASY-010"),
        (Oddity::Storm, "ASY-010"),
        (Oddity::ReusedId, "ASY-011"),
        (Oddity::Unordered, "ASY-011"),
        (Oddity::ReachesPrivate, "ASY-012"),
        (Oddity::FollowsRedirects, "ASY-012"),
        (Oddity::RivalRemoves, "ASY-012"),
    ] {
        let (evidence, _) = seen(oddity, block());
        let judged = judged(&evidence);
        let failed: BTreeSet<_> =
            judged.iter().filter(|(_, judgement)| judgement.verdict == Verdict::Fail).map(|(rule, _)| *rule).collect();
        assert_eq!(failed, BTreeSet::from([expected]), "{oddity:?}: {judged:#?}");
    }
}

#[test]
fn a_schedule_that_is_longer_than_declared_to_be_seen_decides_nothing() {
    let mut undeclared = block();
    undeclared["redelivery"] = Value::Null;
    let (evidence, _) = seen(Oddity::SlowSchedule, undeclared);
    assert_eq!(judged(&evidence)["ASY-010"].verdict, Verdict::Inconclusive);
    let mut slow = block();
    slow["redelivery"] = json!({"first": "1m", "longest": "2m", "attempts": 3, "timeout": "500ms"});
    let (evidence, _) = seen(Oddity::SlowSchedule, slow);
    assert_eq!(judged(&evidence)["ASY-010"].verdict, Verdict::Pass, "{:#?}", judged(&evidence)["ASY-010"]);
}

#[test]
fn one_address_that_was_registered_by_hand_is_used_for_everything() {
    let mut block = block();
    let by_hand = block.as_object_mut().unwrap();
    by_hand.retain(|name, _| !matches!(name.as_str(), "register" | "unregister" | "addresses"));
    by_hand.insert("secret".into(), SECRET.into());
    let post = Arc::new(Post::default());
    let hooks = BTreeMap::from([("WH-1".to_owned(), "http://hooks.example.com:9000/0".to_owned())]);
    let (operations, attempts) = (Vec::new(), BTreeMap::new());
    let target = Target { oddity: Oddity::None, post: post.clone(), hooks, operations, attempts, ids: 0 };
    let target = Arc::new(Mutex::new(target));
    let sender = Arc::clone(&target);
    post.tell(move |delivery| sender.lock().unwrap().next(delivery));
    let fake =
        Fake::new(move |request: &Request, now| Ok(target.lock().unwrap().answer(request, now))).receiving(&post);
    let webhook: Webhook = serde_json::from_value(block).unwrap();
    let context = Context { webhook: &webhook, client: Some("trader"), operations: &Ops, wants: &|id| id != "ASY-012" };
    let evidence = probe(&fake, context).now_or_never().unwrap();
    let judged = judged(&evidence);
    for rule in ["ASY-008", "ASY-009", "ASY-010", "ASY-011"] {
        assert_eq!(judged[rule].verdict, Verdict::Pass, "{:#?}", judged[rule]);
    }
    let kinds: BTreeSet<_> = evidence.events.iter().map(|event| format!("{:?}", event.answered)).collect();
    assert_eq!(kinds, ["Acknowledged", "Hung", "Refused(500)"].map(str::to_owned).into());
}

#[test]
fn without_an_address_nothing_is_decided_and_nothing_is_done() {
    let fake = Fake::new(|request, _| panic!("{request:?}"));
    let webhook: Webhook = serde_json::from_value(block()).unwrap();
    let context = Context { webhook: &webhook, client: None, operations: &Ops, wants: &|_| true };
    let evidence = probe(&fake, context).now_or_never().unwrap();
    assert_eq!(evidence.unavailable, Some(("no callbacks arrive here".into(), None)));
    let post = Arc::new(Post::default());
    let refusing = Fake::new(|_, _| Ok(given(422, &json!({})))).receiving(&post);
    let evidence = probe(&refusing, context).now_or_never().unwrap();
    assert!(evidence.unavailable.as_ref().unwrap().0.contains("--webhook-url"), "{evidence:?}");
    assert!(judged(&evidence).values().all(|judgement| judgement.verdict == Verdict::Inconclusive));
}

#[test]
fn only_what_is_wanted_is_done() {
    let post = Arc::new(Post::default());
    let target = Arc::new(Mutex::new(Target {
        oddity: Oddity::None,
        post: post.clone(),
        hooks: BTreeMap::new(),
        operations: Vec::new(),
        attempts: BTreeMap::new(),
        ids: 0,
    }));
    let played = Arc::clone(&target);
    let fake =
        Fake::new(move |request: &Request, now| Ok(played.lock().unwrap().answer(request, now))).receiving(&post);
    let webhook: Webhook = serde_json::from_value(block()).unwrap();
    let context = Context { webhook: &webhook, client: Some("trader"), operations: &Ops, wants: &|id| id == "ASY-008" };
    let evidence = probe(&fake, context).now_or_never().unwrap();
    assert_eq!((target.lock().unwrap().operations.len(), evidence.events.len()), (1, 2));
    assert!(evidence.failures.is_empty() && evidence.addresses.is_empty() && evidence.redirect.is_none());
    assert!(serde_json::to_string(&evidence).unwrap().len() < 4_000);
    assert!(!serde_json::to_string(&evidence).unwrap().contains(&SECRET[6..]), "no secret is kept");
}
