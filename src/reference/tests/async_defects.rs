//! What each defect and each variant of operations looks like to a client that follows three of them.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, join, stream};
use reqwest::Method;
use serde_json::Value;

use super::{
    super::{DEFECTS, VARIANTS, tokens},
    client::{Api, Got},
    operations::{BATCHES, preferring, started},
    transfers::fresh,
};

/// How long an operation is followed before it is held to go on for ever.
const DEADLINE: Duration = Duration::from_millis(2_500);
/// How often it is asked for when it has ended.
const AFTERWARDS: usize = 5;

/// One operation, followed to its end.
struct Followed {
    accepted: Got,
    readings: Vec<Got>,
    /// Where the first reading that named a result said it is.
    result: Option<Got>,
    /// How many batches have its reference.
    effects: usize,
}

/// All that is seen of one API.
struct Seen {
    good: Followed,
    failing: Followed,
    anonymous: u16,
    rival: u16,
    respond_async: Got,
    /// With the preference for a second, and how long that took.
    wait: (Got, Duration),
    /// How many batches there are of an operation that was cancelled.
    cancelled_effects: usize,
}

fn monitor(accepted: &Got) -> Option<String> {
    ["location", "operation-location"].iter().find_map(|name| accepted.header(name)).map(str::to_owned)
}

fn json(got: &Got) -> Value {
    serde_json::from_str(&got.text).unwrap_or_default()
}

fn status(got: &Got) -> String {
    json(got)["status"].as_str().unwrap_or_default().to_owned()
}

fn is_final(got: &Got) -> bool {
    ["succeeded", "failed", "cancelled"].contains(&status(got).as_str()) || got.status == 500
}

async fn follow(api: &Api, accepted: Got, reference: &str) -> Followed {
    let mut readings: Vec<Got> = Vec::new();
    if let Some(monitor) = monitor(&accepted) {
        let until = Instant::now() + DEADLINE;
        while !readings.last().is_some_and(is_final) && Instant::now() < until {
            readings.push(api.get(&monitor).await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        for _ in 0..AFTERWARDS {
            readings.push(api.get(&monitor).await);
        }
    }
    let href = readings.iter().find_map(|got| json(got)["result"]["href"].as_str().map(str::to_owned));
    let result = match href {
        Some(href) => Some(api.get(&href).await),
        None => None,
    };
    let effects = api.rows(&format!("{BATCHES}?reference={reference}")).await.len();
    Followed { accepted, readings, result, effects }
}

async fn observe(api: &Api) -> Seen {
    let good = async {
        let reference = fresh();
        let accepted = started(api, &reference, false).await;
        let target = monitor(&accepted).unwrap_or_else(|| "/v1/operations/OP-00000000".to_owned());
        let anonymous = api.send(api.bare(Method::GET, &target));
        let (good, anonymous, rival) =
            join!(follow(api, accepted, &reference), anonymous, api.get_as(tokens::RIVAL, &target));
        (good, anonymous.status.as_u16(), rival.status.as_u16())
    };
    let failing = async {
        let reference = fresh();
        let accepted = started(api, &reference, true).await;
        follow(api, accepted, &reference).await
    };
    let wait = async {
        let began = Instant::now();
        (preferring(api, "wait=1", &fresh(), false).await, began.elapsed())
    };
    let cancelled = async {
        let reference = fresh();
        let accepted = started(api, &reference, false).await;
        let target = monitor(&accepted).unwrap_or_else(|| "/v1/operations/OP-00000000".to_owned());
        let got = api.send(api.request(Method::POST, &format!("{target}/cancel"))).await;
        let is_cancelled = got.status == 200 && status(&got) == "cancelled";
        let rows = api.rows(&format!("{BATCHES}?reference={reference}")).await;
        if is_cancelled { rows.len() } else { 0 }
    };
    let reference = fresh();
    let ((good, anonymous, rival), failing, respond_async, wait, cancelled_effects) =
        join!(good, failing, preferring(api, "respond-async", &reference, false), wait, cancelled);
    Seen { good, failing, anonymous, rival, respond_async, wait, cancelled_effects }
}

impl Followed {
    fn states(&self) -> Vec<String> {
        let shown = self.readings.iter().filter(|got| got.status == 200 || got.status == 303);
        shown.map(status).collect()
    }

    fn ends(&self, name: &str) -> bool {
        self.states().iter().any(|state| state == name)
    }

    fn result_is_missing(&self) -> bool {
        self.ends("succeeded") && self.result.as_ref().is_some_and(|got| got.status == 404)
    }
}

fn applied(got: &Got) -> Option<&str> {
    got.header("preference-applied")
}

/// Whether what is seen is what this defect makes.
fn shows(name: &str, seen: &Seen) -> bool {
    let Seen { good, failing, .. } = seen;
    let percents = || good.readings.iter().filter_map(|got| json(got)["percent"].as_u64());
    match name.strip_prefix("async.").expect("a defect of operations") {
        "no-monitor" => {
            good.accepted.status == 202 && monitor(&good.accepted).is_none() && json(&good.accepted).get("id").is_none()
        }
        "monitor-open-to-anyone" => seen.anonymous == 200,
        "monitor-open-to-rival" => seen.rival == 200 && seen.anonymous == 401,
        "monitor-gone" => !good.readings.is_empty() && good.readings.iter().all(|got| got.status == 404),
        "terminal-flips" => {
            let states = good.states();
            let first = states.iter().position(|state| state == "succeeded");
            first.is_some_and(|first| states[first + 1..].iter().all(|state| state == "failed"))
        }
        "percent-falls" => !percents().is_sorted(),
        "never-ends" => good.states().last().is_some_and(|state| state == "running"),
        "throttles-polling" => good.readings.iter().any(|got| got.status == 429),
        "result-missing" => good.result_is_missing() && good.effects == 0,
        "result-differs" => good.result.as_ref().is_some_and(|got| got.status == 200 && json(got)["count"] == 1),
        "two-results" => good.effects == 2,
        "failure-is-500" => failing.readings.last().is_some_and(|got| got.status == 500),
        "cancelled-executes" => seen.cancelled_effects > 0,
        "half-effect" => failing.ends("failed") && failing.effects == 1,
        "hidden-failure" => failing.result_is_missing() && failing.effects == 0,
        "prefer-refused" => seen.respond_async.status == 400 && seen.wait.0.status == 400,
        "prefer-claimed" => {
            let (wait, took) = &seen.wait;
            seen.respond_async.status == 201
                && applied(&seen.respond_async) == Some("respond-async")
                && (wait.status.as_u16(), applied(wait)) == (202, Some("wait=1"))
                && *took < Duration::from_secs(1)
        }
        other => panic!("nothing says what {other} looks like"),
    }
}

/// Whether what is seen is what this variant makes.
fn is_odd(name: &str, seen: &Seen) -> bool {
    let Seen { good, .. } = seen;
    match name.strip_prefix("async.").expect("a variant of operations") {
        "queued-twice" => {
            let readings: Vec<Value> = good.readings.iter().map(json).collect();
            let queued = || readings.iter().filter(|reading| reading["status"] == "queued");
            queued().any(|reading| reading["sequence"] == 2)
                && queued().all(|reading| reading.get("percent").is_none())
                && good.ends("succeeded")
        }
        "created-job" => {
            let job = json(&good.accepted);
            good.accepted.status == 201
                && good.accepted.header("location").is_some_and(|place| place.starts_with("/v1/operations/"))
                && job["status"] == "queued"
                && job["sequence"] == 1
                && good.ends("succeeded")
        }
        "operation-location" => {
            good.accepted.header("location").is_none() && good.accepted.header("operation-location").is_some()
        }
        "see-other" => good.readings.last().is_some_and(|got| {
            let href = json(got)["result"]["href"].as_str().map(str::to_owned);
            got.status == 303 && href.is_some() && got.header("location") == href.as_deref()
        }),
        // A slow machine may take longer to ask for one of them than it is hidden.
        "slow-monitor" => {
            let hidden = |followed: &Followed| followed.readings.first().is_some_and(|got| got.status == 404);
            (hidden(good) || hidden(&seen.failing)) && good.ends("succeeded")
        }
        "prefer-ignored" => {
            let wait = &seen.wait.0;
            [&seen.respond_async, wait].iter().all(|got| got.status == 202 && applied(got).is_none())
        }
        "retry-after-zero" => {
            good.accepted.header("retry-after") == Some("0")
                && good.readings.iter().all(|got| got.header("retry-after").is_none() == is_final(got))
        }
        other => panic!("nothing says what {other} looks like"),
    }
}

/// What is seen of an API with this defect or variant.
async fn told(name: &'static str, is_defect: bool) -> (&'static str, Vec<&'static str>) {
    let own = |name: &&str| name.starts_with("async.");
    let list: &[&str] = if own(&name) { &[name] } else { &[] };
    let api = if is_defect { Api::with(list, &[]).await } else { Api::with(&[], list).await };
    let seen = observe(&api).await;
    let shown = DEFECTS.iter().map(|defect| defect.name).filter(own).filter(|name| shows(name, &seen));
    let odd = VARIANTS.iter().map(|variant| variant.name).filter(own).filter(|name| is_odd(name, &seen));
    (name, shown.chain(odd).collect())
}

#[tokio::test]
async fn every_defect_and_variant_of_operations_shows_itself_and_nothing_else() {
    let names = [("clean", true)].into_iter();
    let names = names.chain(DEFECTS.iter().map(|defect| (defect.name, true)));
    let names = names.chain(VARIANTS.iter().map(|variant| (variant.name, false)));
    let names: Vec<(&str, bool)> = names.filter(|(name, _)| name.starts_with("async.") || *name == "clean").collect();
    assert_eq!(names.len(), 1 + 17 + 7);
    let found: Vec<(&str, Vec<&str>)> =
        stream::iter(names).map(|(name, is_defect)| told(name, is_defect)).buffered(6).collect().await;
    let expected = |name| if name == "clean" { vec![] } else { vec![name] };
    let other: Vec<_> = found.into_iter().filter(|(name, shown)| *shown != expected(*name)).collect();
    assert!(other.is_empty(), "{other:?}");
}
