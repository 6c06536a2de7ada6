//! The odd but legal ways to limit, each as it says.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::{StreamExt, stream};
use tokio::time::sleep;

use super::{
    super::{VARIANTS, tokens::BURST_A as A},
    client::{Api, Got},
    limits::{burst, is_refusal, number, parameter},
};

const WINDOW: &str = "/v1/limited/window";
const BUCKET: &str = "/v1/limited/bucket";

/// Reads until the limit refuses; the last one is the refusal, if there is any within 40.
async fn exhaust(api: &Api, target: &str) -> Vec<Got> {
    let mut all = Vec::new();
    while all.len() < 40 && !all.last().is_some_and(is_refusal) {
        all.push(api.get_as(A, target).await);
    }
    all
}

/// Seconds since 1970 of an HTTP-date.
fn http_date(got: &Got, name: &str) -> Option<i64> {
    let at = httpdate::parse_http_date(got.header(name)?).ok()?;
    i64::try_from(at.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_secs()).expect("a time")
}

/// Limit, remaining and reset of an admitted answer whose names start so; the reset as it is spelled.
fn triple(got: &Got, prefix: &str) -> Option<(i64, i64, String)> {
    let reset = got.header(&format!("{prefix}-reset"))?.to_owned();
    Some((number(got, &format!("{prefix}-limit"))?, number(got, &format!("{prefix}-remaining"))?, reset))
}

/// Whether the API, with a quota of 10 in 2 s, is odd in this way.
async fn is_odd(name: &str, api: &Api) -> bool {
    if let Some(dialect) = name.strip_prefix("limits.headers-") {
        let got = api.get_as(A, WINDOW).await;
        return speaks(dialect, &got) && retry_after(api).await == Some(2);
    }
    match name {
        "limits.retry-after-date" => {
            let all = exhaust(api, WINDOW).await;
            let refused = all.last().expect("a refusal");
            let (date, until) = (http_date(refused, "date"), http_date(refused, "retry-after"));
            date.zip(until).is_some_and(|(date, until)| (1..=3).contains(&(until - date)))
        }
        "limits.retry-after-longer" => retry_after(api).await == Some(4),
        "limits.one-token" => exhaust(api, BUCKET).await.last().and_then(|got| number(got, "retry-after")) == Some(1),
        "limits.retry-after-zero-now" => {
            let first = exhaust(api, BUCKET).await.pop().expect("a refusal");
            let then = exhaust(api, BUCKET).await;
            number(&first, "retry-after") == Some(0)
                && then[0].status == 200
                && then.last().and_then(|got| number(got, "retry-after")) == Some(1)
        }
        "limits.silence-needed" => {
            exhaust(api, WINDOW).await;
            sleep(Duration::from_secs(1)).await;
            let again = api.get_as(A, WINDOW).await;
            sleep(Duration::from_millis(1_200)).await;
            let early = is_refusal(&again) && is_refusal(&api.get_as(A, WINDOW).await);
            sleep(Duration::from_secs(2)).await;
            early && api.get_as(A, WINDOW).await.status == 200
        }
        "limits.delays" => {
            let began = Instant::now();
            let all = burst(api, A, "/v1/limited/counter", 13).await;
            all.iter().all(|got| got.status == 200) && began.elapsed() >= Duration::from_millis(600)
        }
        "limits.window-aligned" => {
            // The API is one second old, so its window ends one second from now; a window that opens now lasts two.
            sleep(Duration::from_secs(1)).await;
            let first = api.get_as(A, WINDOW).await;
            sleep(Duration::from_millis(1_300)).await;
            let second = api.get_as(A, WINDOW).await;
            [parameter(&first, "r"), parameter(&second, "r")] == [Some(9), Some(9)]
        }
        "limits.503" => {
            let refused = exhaust(api, WINDOW).await.pop().expect("a refusal");
            (refused.status.as_u16(), refused.code().as_str(), number(&refused, "retry-after"))
                == (503, "rate_limited", Some(2))
        }
        "limits.house-code-200" => {
            let refused = exhaust(api, WINDOW).await.pop().expect("a refusal");
            refused.status == 200 && refused.json()["error"][0] == "EAPI:Rate limit exceeded"
        }
        other => panic!("nothing says what {other} looks like"),
    }
}

async fn retry_after(api: &Api) -> Option<i64> {
    exhaust(api, WINDOW).await.last().and_then(|got| number(got, "retry-after"))
}

fn speaks(dialect: &str, first: &Got) -> bool {
    let delta = |prefix: &str| triple(first, prefix) == Some((10, 9, "2".to_owned()));
    match dialect {
        "triple" => first.header("ratelimit").is_none() && delta("ratelimit"),
        "draft-07" => first.header("ratelimit") == Some("limit=10, remaining=9, reset=2"),
        "x-delta" => delta("x-ratelimit"),
        "x-epoch" => triple(first, "x-ratelimit")
            .is_some_and(|(_, _, reset)| reset.parse().is_ok_and(|reset: i64| (1..=3).contains(&(reset - now())))),
        "x-date" => http_date(first, "x-ratelimit-reset").is_some_and(|reset| (1..=3).contains(&(reset - now()))),
        "weights" => number(first, "x-mbx-used-weight-2s") == Some(1) && first.header("ratelimit").is_none(),
        "none" => !first.headers.keys().any(|name| name.as_str().contains("ratelimit")),
        other => panic!("nothing says what {other} looks like"),
    }
}

#[tokio::test]
async fn every_odd_limit_is_odd_as_it_says() {
    let names: Vec<&str> = VARIANTS.iter().map(|variant| variant.name).filter(|n| n.starts_with("limits.")).collect();
    assert_eq!(names.len(), 16);
    let wrong: Vec<(&str, bool, bool)> = stream::iter(names)
        .map(|name| async move {
            let (clean, odd) = (Api::clean().await, Api::with(&[], &[name]).await);
            (name, is_odd(name, &clean).await, is_odd(name, &odd).await)
        })
        .buffered(4)
        .filter(|(_, clean, odd)| std::future::ready(*clean || !*odd))
        .collect()
        .await;
    assert_eq!(wrong, [], "name, whether a clean API looks like it, and whether an odd one does");
}
