//! What each defect and each variant of webhooks looks like to receivers that take, fail and redirect.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use data_encoding::{BASE64, HEXLOWER};
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::{
    super::{DEFECTS, Options, VARIANTS, defect, variant},
    client::Api,
    operations::{ended, location, started},
    receiver::{Answer, Call, Receiver},
    transfers::fresh,
    webhooks::{mac, octets, standard, times},
};

/// How long is waited for what a clean API would send.
const DEADLINE: Duration = Duration::from_millis(2_500);
/// No call for this long, and none will follow.
const QUIET: Duration = Duration::from_millis(300);

/// All that is heard of one API: an operation that succeeds and one that fails.
struct Heard {
    /// The last states of the two, as the API shows them.
    states: BTreeMap<String, String>,
    /// Takes everything.
    ok: Vec<Call>,
    ok_url: String,
    secret: String,
    /// Takes nothing.
    broken: Vec<Call>,
    /// Where a receiver redirects to.
    target: Vec<Call>,
    /// On another loopback address.
    elsewhere: Vec<Call>,
}

async fn observe(api: &Api) -> Heard {
    let target = Receiver::at("127.0.0.2", |_, _| Answer::Status(200)).await;
    let onwards = target.url("/target");
    let receiver = Receiver::at("127.0.0.1", move |path, _| match path {
        "/ok" => Answer::Status(200),
        "/moved" => Answer::Redirect(onwards.clone()),
        _ => Answer::Status(500),
    })
    .await;
    let secret = receiver.register(api, "/ok", &["operation.*"]).await;
    receiver.register(api, "/broken", &["operation.succeeded"]).await;
    receiver.register(api, "/moved", &["operation.succeeded"]).await;
    // Refused when clean.
    target.try_register(api, "/elsewhere", &["operation.succeeded"]).await;
    let (good, failing) = (started(api, &fresh(), false).await, started(api, &fresh(), true).await);
    let mut states = BTreeMap::new();
    for got in [&good, &failing] {
        let last = ended(api, location(got)).await;
        let text = |name: &str| last[name].as_str().expect("text").to_owned();
        states.insert(text("id"), text("status"));
    }
    let to = |calls: &[Call], path: &str| calls.iter().filter(|call| call.path == path).count();
    receiver
        .hears(DEADLINE, |calls| to(calls, "/ok") >= 4 && to(calls, "/broken") >= 5 && to(calls, "/moved") >= 5)
        .await;
    let mut heard = 0;
    while receiver.hears(QUIET, |calls| calls.len() > heard).await {
        heard = receiver.calls().len();
    }
    Heard {
        states,
        ok: receiver.calls_to("/ok"),
        ok_url: receiver.url("/ok"),
        secret,
        broken: receiver.calls_to("/broken"),
        target: target.calls_to("/target"),
        elsewhere: target.calls_to("/elsewhere"),
    }
}

impl Heard {
    /// Whether this holds of every call that was taken, of which there must be some.
    fn every(&self, holds: impl Fn(&Call) -> bool) -> bool {
        !self.ok.is_empty() && self.ok.iter().all(holds)
    }

    /// How many calls each event made.
    fn repeats(&self) -> BTreeMap<(String, String), usize> {
        let mut repeats = BTreeMap::new();
        for call in &self.ok {
            *repeats.entry((call.subject(), call.kind())).or_default() += 1;
        }
        repeats
    }

    /// Whether one of the known recipes verifies a call.
    fn verifies(&self, call: &Call) -> bool {
        let any = |header: &str, expected: Option<String>| {
            let sent = call.header(header).unwrap_or_default();
            expected.is_some_and(|expected| sent.split(' ').any(|one| one == expected))
        };
        any("webhook-signature", standard(call, &self.secret))
            || any("webhook-signature", Some(self.gocardless(call)))
            || any("stripe-signature", self.stripe(call))
            || any("x-square-hmacsha256-signature", Some(self.square(call)))
    }

    fn gocardless(&self, call: &Call) -> String {
        HEXLOWER.encode(&mac(self.secret.as_bytes(), &call.payload))
    }

    fn square(&self, call: &Call) -> String {
        BASE64.encode(&mac(self.secret.as_bytes(), &[self.ok_url.as_bytes(), &call.payload].concat()))
    }

    fn stripe(&self, call: &Call) -> Option<String> {
        let time = call.header("stripe-signature")?.strip_prefix("t=")?.split(',').next()?;
        let mac = mac(self.secret.as_bytes(), &[time.as_bytes(), b".", &call.payload].concat());
        Some(format!("t={time},v1={}", HEXLOWER.encode(&mac)))
    }

    fn payload_alone(&self, call: &Call) -> String {
        format!("v1,{}", BASE64.encode(&mac(&octets(&self.secret), &call.payload)))
    }

    fn is_signed(call: &Call) -> bool {
        ["webhook-signature", "stripe-signature", "x-square-hmacsha256-signature"]
            .iter()
            .any(|name| call.header(name).is_some())
    }

    /// The kind of the last event of an operation that ended like this.
    fn told_of(&self, state: &str) -> BTreeSet<String> {
        let subject = self.states.iter().find(|(_, ended)| *ended == state).map(|(id, _)| id.clone());
        let ours = self.ok.iter().filter(|call| Some(call.subject()) == subject && call.kind() != "operation.running");
        ours.map(Call::kind).collect()
    }
}

/// Whether what is heard is what this defect makes.
fn shows(name: &str, heard: &Heard) -> bool {
    let ids = |calls: &[Call]| calls.iter().map(Call::id).collect::<BTreeSet<_>>().len();
    match name.strip_prefix("webhook.").expect("a defect of webhooks") {
        "never-sent" => heard.ok.is_empty() && heard.broken.is_empty(),
        "wrong-state" => {
            heard.told_of("succeeded") == BTreeSet::from(["operation.failed".to_owned()])
                && heard.told_of("failed") == BTreeSet::from(["operation.succeeded".to_owned()])
        }
        "unsigned" => heard.every(|call| !Heard::is_signed(call)),
        "bad-signature" => heard.every(|call| {
            let covered = call.header("webhook-signature") == Some(&heard.payload_alone(call));
            Heard::is_signed(call) && !heard.verifies(call) && !covered
        }),
        "timestamp-not-covered" => heard.every(|call| {
            call.header("webhook-timestamp").is_some()
                && call.header("webhook-signature") == Some(&heard.payload_alone(call))
        }),
        "no-retry" => heard.broken.len() == 1,
        "new-id-per-attempt" => {
            let same = heard.broken.iter().all(|call| call.header("webhook-id") == Some(&call.id()));
            same && heard.broken.len() == 5 && ids(&heard.broken) == 5
        }
        "retries-after-success" => heard.repeats().values().all(|count| *count == 5) && !heard.ok.is_empty(),
        "retry-storm" => heard.broken.len() == 11,
        "reused-id" => {
            let events = heard.repeats().len();
            events == 4 && ids(&heard.ok) == 2
        }
        "unordered" => heard.every(|call| {
            let event = call.json();
            ["created_at", "sequence"].iter().all(|name| event.get(name).is_none())
                && event["data"].as_object().is_some_and(|data| data.len() == 1)
        }),
        "reaches-private-address" => !heard.elsewhere.is_empty(),
        "follows-redirects" => !heard.target.is_empty(),
        other => panic!("nothing says what {other} looks like"),
    }
}

/// Whether what is heard is what this variant makes.
fn is_odd(name: &str, heard: &Heard) -> bool {
    match name.strip_prefix("webhook.").expect("a variant of webhooks") {
        "duplicates" => {
            let payloads: BTreeSet<(String, Vec<u8>)> =
                heard.ok.iter().map(|call| (call.id(), call.payload.to_vec())).collect();
            heard.repeats().values().all(|count| *count == 2) && payloads.len() == 4
        }
        "out-of-order" => {
            let place = |id: &str, is_first: bool| {
                let mut calls = heard.ok.iter();
                calls.position(|call| call.subject() == id && (call.kind() == "operation.running") == is_first)
            };
            let sequence = |index: usize| heard.ok[index].json()["sequence"].as_u64();
            heard.states.keys().all(|id| {
                let (begin, end) = (place(id, true), place(id, false));
                begin.zip(end).is_some_and(|(begin, end)| end < begin && sequence(end) > sequence(begin))
            })
        }
        "two-signatures" => heard.every(|call| {
            let sent = call.header("webhook-signature").unwrap_or_default();
            let parts: Vec<&str> = sent.split(' ').collect();
            parts.len() == 2 && Some(parts[1]) == standard(call, &heard.secret).as_deref() && parts[0] != parts[1]
        }),
        "recipe-stripe" => {
            heard.every(|call| call.header("stripe-signature") == heard.stripe(call).as_deref())
                && heard.every(|call| call.header("stripe-signature").is_some() && call.header("webhook-id").is_none())
        }
        "recipe-square" => {
            heard.every(|call| call.header("x-square-hmacsha256-signature") == Some(&heard.square(call)))
        }
        "recipe-gocardless" => heard.every(|call| {
            call.header("webhook-signature") == Some(&heard.gocardless(call)) && call.header("webhook-id").is_none()
        }),
        "thin" => heard.every(|call| {
            let event = call.json();
            let told: Vec<&String> = event["data"].as_object().into_iter().flat_map(|data| data.keys()).collect();
            told == ["operation_id"] && event["sequence"].is_u64() && event["created_at"] != Value::Null
        }),
        other => panic!("nothing says what {other} looks like"),
    }
}

/// What is heard of an API with this defect or variant.
async fn told(name: &'static str) -> (&'static str, Vec<&'static str>) {
    let own = |name: &&str| name.starts_with("webhook.");
    let (defects, variants) = (defect(name).into_iter().collect(), variant(name).into_iter().collect());
    let api = Api::start(Options { defects, variants, times: times(), ..Options::default() }).await;
    let heard = observe(&api).await;
    let shown = DEFECTS.iter().map(|defect| defect.name).filter(own).filter(|name| shows(name, &heard));
    let odd = VARIANTS.iter().map(|variant| variant.name).filter(own).filter(|name| is_odd(name, &heard));
    (name, shown.chain(odd).collect())
}

#[tokio::test]
async fn every_defect_and_variant_of_webhooks_shows_itself_and_nothing_else() {
    let names = DEFECTS.iter().map(|defect| defect.name).chain(VARIANTS.iter().map(|variant| variant.name));
    let names: Vec<&str> = ["clean"].into_iter().chain(names.filter(|name| name.starts_with("webhook."))).collect();
    assert_eq!(names.len(), 1 + 13 + 7);
    let found: Vec<(&str, Vec<&str>)> = stream::iter(names).map(told).buffered(6).collect().await;
    let expected = |name| if name == "clean" { vec![] } else { vec![name] };
    let other: Vec<_> = found.into_iter().filter(|(name, shown)| *shown != expected(*name)).collect();
    assert!(other.is_empty(), "{other:?}");
}
