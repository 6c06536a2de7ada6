//! What each defect of rate limits looks like to a client. An API is watched for some seconds, once; each defect is then
//! looked for in what was seen.

use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use sfv::{List, ListEntry, Parser};
use tokio::time::sleep_until;

use super::{
    super::{
        DEFECTS, Options, Times, defect,
        tokens::{BURST_A as A, BURST_B as B, BURST_C as C, BURST_D as D},
    },
    client::{Api, Got},
    limits::{QUOTA, burst, is_refusal, number, parameter},
};

const WINDOW: &str = "/v1/limited/window";
const COUNTER: &str = "/v1/limited/counter";

/// What one API did, with a quota of 5 in 2 s.
struct Seen {
    /// 13 reads in a row, and one after all that follows was tried.
    burst: Vec<Got>,
    control: Got,
    other_client: Got,
    other_endpoint: Got,
    cancel: Got,
    forwarded: Got,
    queried: Got,
    write: Got,
    /// How many notes the refused write left.
    notes: usize,
    /// A read after a silence as long as was told, or as a window.
    after: Got,
    /// What a victim has left after five requests with bad credentials in its name.
    drained: Got,
    /// How many reads of the sliding log are admitted when one of five has come back, or all in a fixed window.
    echo: usize,
}

impl Seen {
    fn refusals(&self) -> impl Iterator<Item = &Got> {
        self.burst.iter().filter(|got| is_refusal(got))
    }

    fn admitted(&self) -> usize {
        self.burst.iter().take_while(|got| !is_refusal(got)).count()
    }

    /// Whether there are refusals, and all are like this.
    fn all_refusals(&self, hold: impl Fn(&Got) -> bool) -> bool {
        self.refusals().count() > 0 && self.refusals().all(hold)
    }

    /// Whether this was admitted though the limit was exhausted throughout.
    fn evaded(&self, got: &Got) -> bool {
        is_refusal(&self.control) && !is_refusal(got)
    }
}

/// Nothing, if this machine was too slow to do within a window what belongs into it.
async fn watch(name: Option<&str>) -> Option<Seen> {
    let times = Times { limit_window: Duration::from_secs(2), limit_quota: QUOTA, ..Times::default() };
    let defects = name.map(|name| defect(name).expect("a defect")).into_iter().collect();
    let api = Api::start(Options { defects, times, ..Options::default() }).await;
    let log = "/v1/limited/log";
    let began = tokio::time::Instant::now();
    let at = |millis| sleep_until(began + Duration::from_millis(millis));
    let mut echo = burst(&api, D, log, 1).await;

    let request = |method: Method, target: &str| api.bare(method, target).bearer_auth(A);
    let send = async |request: RequestBuilder| api.send(request).await;
    let reads = burst(&api, A, WINDOW, 13).await;
    let other_client = api.get_as(B, WINDOW).await;
    let other_endpoint = api.get_as(A, "/v1/limited/window/other").await;
    let cancel = send(request(Method::DELETE, "/v1/limited/notes/none")).await;
    let forwarded = send(request(Method::GET, WINDOW).header("x-forwarded-for", "203.0.113.9")).await;
    let queried = send(request(Method::GET, "/v1/limited/window?once=1")).await;
    let body = json!({ "reference": "refused" }).to_string();
    let write = request(Method::POST, "/v1/limited/window/notes").header("content-type", "application/json");
    let write = send(write.body(body)).await;
    let control = api.get_as(A, WINDOW).await;
    let exhausted = tokio::time::Instant::now();
    let mut in_time = began.elapsed() < Duration::from_millis(1_500);
    let notes = send(request(Method::GET, "/v1/limited/notes?reference=refused")).await.rows().len();

    for _ in 0..5 {
        let bad = api.bare(Method::GET, COUNTER).bearer_auth("burst-c-guess").header("x-client-id", "burst-c");
        assert_eq!(send(bad).await.status, 401);
    }
    let drained = api.get_as(C, COUNTER).await;

    at(1_200).await;
    echo.extend(burst(&api, D, log, 4).await);
    in_time &= began.elapsed() < Duration::from_millis(1_950);
    at(2_200).await;
    echo = burst(&api, D, log, 12).await;
    in_time &= began.elapsed() < Duration::from_millis(3_150);

    let told = number(&control, "retry-after").filter(|told| (1..=3).contains(told)).unwrap_or(2);
    sleep_until(exhausted + Duration::from_secs(told.unsigned_abs())).await;
    let after = api.get_as(A, WINDOW).await;
    let echo = echo.iter().filter(|got| !is_refusal(got)).count();
    in_time.then(|| Seen {
        burst: reads,
        control,
        other_client,
        other_endpoint,
        cancel,
        forwarded,
        queried,
        write,
        notes,
        after,
        drained,
        echo,
    })
}

/// The names in an IETF field, if it is one.
fn names(got: &Got, field: &str) -> Option<Vec<String>> {
    let list: List = Parser::new(got.header(field)?).parse().ok()?;
    let name = |entry: &ListEntry| match entry {
        ListEntry::Item(item) => item.bare_item.as_string().map(|name| name.as_str().to_owned()),
        ListEntry::InnerList(_) => None,
    };
    list.iter().map(name).collect()
}

fn shows(name: &str, seen: &Seen) -> bool {
    let retry_after = |got: &Got| got.header("retry-after").unwrap_or_default().to_owned();
    let remaining: Vec<i64> = seen.burst.iter().filter_map(|got| number(got, "x-ratelimit-remaining")).collect();
    match name.strip_prefix("rate.").expect("a defect of rate limits") {
        "never-limits" => seen.refusals().count() == 0,
        "status-200" => seen.all_refusals(|got| got.status == 200),
        "no-retry-after" => {
            seen.all_refusals(|got| got.header("retry-after").is_none() && got.header("ratelimit").is_none())
        }
        "fractional-retry-after" => seen.all_refusals(|got| retry_after(got).contains('.')),
        "epoch-retry-after" => seen.all_refusals(|got| number(got, "retry-after").is_some_and(|at| at > 1_700_000_000)),
        "retry-after-too-short" => is_refusal(&seen.after),
        "reset-beyond-retry-after" => seen.all_refusals(|got| {
            number(got, "retry-after").zip(parameter(got, "t")).is_some_and(|(retry, reset)| 0 < retry && retry < reset)
        }),
        "zero-retry-after" => seen.all_refusals(|got| retry_after(got) == "0"),
        "throttled-write-happens" => is_refusal(&seen.write) && seen.notes > 0,
        "html-refusal" => seen.all_refusals(|got| got.header("content-type") == Some("text/html; charset=utf-8")),
        "cacheable-refusal" => seen.all_refusals(|got| got.header("cache-control") == Some("public, max-age=60")),
        "dangling-policy" => {
            seen.burst.iter().all(|got| match (names(got, "ratelimit"), names(got, "ratelimit-policy")) {
                (Some(said), Some(policies)) => said.iter().any(|name| !policies.contains(name)),
                _ => false,
            })
        }
        "unparseable-fields" => {
            seen.burst.iter().all(|got| got.header("ratelimit").is_some() && names(got, "ratelimit").is_none())
        }
        "negative-remaining" => remaining.iter().any(|remaining| *remaining < 0),
        "remaining-rises" => remaining.windows(2).any(|pair| pair[0] < pair[1]),
        "admits-double" => seen.admitted() == 10,
        "throttles-early" => seen.admitted() == 2,
        "shared-between-clients" => is_refusal(&seen.other_client),
        "blocks-cancel" => is_refusal(&seen.cancel),
        "shared-between-endpoints" => is_refusal(&seen.other_endpoint),
        "fixed-window-instead" => seen.echo == 5,
        "forwarded-for-evades" => seen.evaded(&seen.forwarded),
        "query-evades" => seen.evaded(&seen.queried),
        "failed-logins-drain" => is_refusal(&seen.drained),
        other => panic!("nothing says what {other} looks like"),
    }
}

#[tokio::test]
async fn every_defect_of_limits_shows_and_nothing_else_does() {
    let names = DEFECTS.iter().map(|defect| defect.name).filter(|name| name.starts_with("rate."));
    let names: Vec<Option<&str>> = std::iter::once(None).chain(names.map(Some)).collect();
    assert_eq!(names.len(), 25);
    let wrong: Vec<(Option<&str>, Vec<&str>)> = stream::iter(names.clone())
        .map(|name| async move {
            let mut seen = watch(name).await;
            for _ in 0..3 {
                if seen.is_none() {
                    seen = watch(name).await;
                }
            }
            (name, names_of(&seen.expect("a machine quick enough for 30 requests in a window of 2 s")))
        })
        .buffered(5)
        .filter(|(name, shown)| std::future::ready(*shown != name.iter().copied().collect::<Vec<_>>()))
        .collect()
        .await;
    assert_eq!(wrong, []);
}

/// The defects that show in what was seen.
fn names_of(seen: &Seen) -> Vec<&'static str> {
    let all = DEFECTS.iter().map(|defect| defect.name).filter(|name| name.starts_with("rate."));
    all.filter(|name| shows(name, seen)).collect()
}
