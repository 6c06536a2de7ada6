//! The odd but legal variants: odd as they say, and still complete.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    super::{VARIANTS, variant},
    client::{Api, Got, LEDGER, ORDERS, POSITIONS, TRANSACTIONS, repeated},
    idempotency_defects,
};

/// Walks a list the way the variant spells paging; at most 400 pages.
async fn walk(api: &Api, style: &str, list: &str, size: usize) -> Vec<String> {
    let parameter = if style == "paging.page-number" { "page_size" } else { "limit" };
    let first = format!("{list}{}{parameter}={size}", if list.contains('?') { '&' } else { '?' });
    let (mut target, mut ids) = (first.clone(), Vec::new());
    for page in 1..400 {
        let got = api.get(&target).await;
        assert_eq!(got.status, 200, "{target}: {}", got.text);
        ids.extend(got.ids());
        let body = got.json();
        let more = body["has_more"] == true;
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let next = match style {
            "paging.cursor-header" => got.header("x-next-cursor").map(|cursor| format!("{first}&cursor={cursor}")),
            "paging.link-header-array" => got.link("next"),
            "paging.next-url" => text(&body["next_url"]),
            "paging.last-id" => more.then(|| format!("{first}&starting_after={}", ids.last().expect("a row"))),
            "paging.has-more" => {
                let cursor = text(&body["cursor"]).expect("a cursor on every page");
                more.then(|| format!("{first}&cursor={cursor}"))
            }
            "paging.offset" => (body["total"] != ids.len()).then(|| format!("{first}&offset={}", ids.len())),
            "paging.page-number" => (body["total_pages"] != page).then(|| format!("{first}&page={}", page + 1)),
            _ => got.next().map(|cursor| format!("{first}&cursor={cursor}")),
        };
        match next {
            Some(next) => target = next,
            None => return ids,
        }
    }
    panic!("{style}: {list} does not end");
}

#[tokio::test]
async fn every_variant_sends_every_row_once() {
    let clean = Api::clean().await;
    // Those of limits do not touch lists.
    for variant in VARIANTS.iter().filter(|variant| !variant.name.starts_with("limits.")) {
        let api = Api::with(&[], &[variant.name]).await;
        for (list, sizes) in [(POSITIONS, vec![1, 3, 25]), (LEDGER, vec![50]), (ORDERS, vec![7])] {
            let list = if list == LEDGER { format!("{list}?currency=EUR&sort=oldest") } else { list.to_owned() };
            let mut expected = clean.ids(&list).await;
            if variant.name == "numeric-ids" {
                let number =
                    |id: &String| id.split('-').next_back().expect("digits").trim_start_matches('0').to_owned();
                expected = expected.iter().map(number).collect();
            }
            for size in sizes {
                assert_eq!(walk(&api, variant.name, &list, size).await, expected, "{} by {size}", variant.name);
            }
        }
    }
}

#[tokio::test]
async fn cursor_styles_hold_while_rows_come_and_go() {
    for style in
        ["paging.cursor-header", "paging.link-header-array", "paging.next-url", "paging.last-id", "paging.has-more"]
    {
        let api = Api::with(&[], &[style]).await;
        let whole = walk(&api, style, POSITIONS, 200).await;
        let first = api.get(&format!("{POSITIONS}?limit=5")).await;
        assert_eq!(first.ids(), whole[..5]);
        api.position("2031-01-01T00:00:00Z").await;
        api.delete(&format!("{POSITIONS}/{}", whole[4])).await;
        api.delete(&format!("{POSITIONS}/{}", whole[1])).await;
        let body = first.json();
        let target = match style {
            "paging.cursor-header" => {
                format!("{POSITIONS}?limit=5&cursor={}", first.header("x-next-cursor").expect("one"))
            }
            "paging.link-header-array" => first.link("next").expect("a link"),
            "paging.next-url" => body["next_url"].as_str().expect("a link").to_owned(),
            "paging.last-id" => format!("{POSITIONS}?limit=5&starting_after={}", whole[4]),
            _ => format!("{POSITIONS}?limit=5&cursor={}", body["cursor"].as_str().expect("a cursor")),
        };
        assert_eq!(api.get(&target).await.ids(), whole[5..10], "{style}");
    }
}

/// Whether the API is odd in this way.
async fn shows(name: &str, api: &Api) -> bool {
    let page = api.get(&format!("{POSITIONS}?limit=10")).await;
    let body = page.json();
    let last = api.get(&format!("{POSITIONS}?limit=200")).await;
    let next_member = |got: &Got| got.json()["page"].get("next").cloned();
    match name {
        "short-pages" => {
            let pages = api.pages(&format!("{POSITIONS}?limit=10"), 200).await;
            let lengths: Vec<usize> = pages.iter().map(|page| page.rows().len()).collect();
            lengths.contains(&9) && lengths[..lengths.len() - 1].contains(&0)
        }
        "empty-last-page" => {
            let pages = api.pages(&format!("{POSITIONS}?limit=100"), 9).await;
            pages.iter().map(|page| page.rows().len()).eq([100, 40, 0])
        }
        "unstable-cursor-text" => api.get(&format!("{POSITIONS}?limit=10")).await.next() != page.next(),
        "estimated-total" => body["page"]["total_is_estimate"] == true && body["page"]["total"] == 135,
        "snapshot-cursor" => {
            api.position("2001-01-01T00:00:00Z").await;
            let gone = page.ids().pop().expect("a row");
            let whole = format!("{POSITIONS}?limit=200");
            api.delete(&format!("{POSITIONS}/{gone}")).await;
            let rest = api.get(&format!("{whole}&cursor={}", page.next().unwrap_or_default())).await;
            rest.status == 200 && rest.rows().len() == 130 && api.get(&whole).await.rows().len() == 140
        }
        "null-next" => next_member(&last) == Some(Value::Null),
        "empty-next" => next_member(&last) == Some(json!("")),
        "no-totals" => body["page"].get("total").is_none(),
        "oversize-rejected" => api.get(&format!("{POSITIONS}?limit=201")).await.status == 400,
        "lenient-size" => api.get(&format!("{POSITIONS}?limit=1e3")).await.rows().len() == 25,
        "relative-links" => page.link("next").is_some_and(|link| link.starts_with("/v1/accounts")),
        "no-links" => page.header("link").is_none() && body.get("links").is_none(),
        "numeric-ids" => {
            let id = body["data"][0]["id"].as_u64();
            let made = api.position("2031-01-01T00:00:00Z").await;
            let read = api.get(&format!("{POSITIONS}/{made}")).await;
            id.is_some() && read.json()["id"].as_u64().map(|id| id.to_string()) == Some(made)
        }
        "anchor-restart-code" => {
            api.delete(&format!("{POSITIONS}/{}", page.ids().pop().expect("a row"))).await;
            let got = api.get(&format!("{POSITIONS}?cursor={}", page.next().unwrap_or_default())).await;
            got.status == 409 && got.code() == "cursor_expired_restart"
        }
        "house-errors" => {
            let got = api.get("/v1/none").await;
            let error = got.json()["error"].clone();
            got.header("content-type") == Some("application/json")
                && error["code"] == "route_not_found"
                && error["request_id"].as_str() == got.header("x-correlation-id")
                && error["message"].is_string()
        }
        other if other.starts_with("idempotency.") => idempotency_defects::is_odd(other, api).await,
        other => panic!("nothing says what {other} looks like"),
    }
}

#[tokio::test]
async fn every_variant_is_odd_as_it_says() {
    let elsewhere = ["gzip", "slow-visibility"];
    let families = ["paging.", "limits.", "async.", "webhook.", "stream."];
    let apart = |name: &str| families.iter().any(|family| name.starts_with(family)) || elsewhere.contains(&name);
    for variant in VARIANTS.iter().filter(|variant| !apart(variant.name)) {
        assert!(!shows(variant.name, &Api::clean().await).await, "clean: {}", variant.name);
        assert!(shows(variant.name, &Api::with(&[], &[variant.name]).await).await, "{}", variant.name);
    }
    assert_eq!(variant("gzip").map(|variant| variant.name), Some("gzip"));
    assert!(variant("none").is_none());
}

#[tokio::test]
async fn bodies_are_compressed_for_those_who_accept_it() {
    let api = Api::with(&[], &["gzip"]).await;
    let plain = api.get(POSITIONS).await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("Accept-Encoding")));
    for (accepted, packed) in
        [("gzip", true), ("br, GZIP;q=0.5", true), ("gzip;q=0, *", false), ("br", false), ("*", true)]
    {
        let request = api.request(Method::GET, POSITIONS).header("accept-encoding", accepted);
        let response = request.send().await.expect("a response");
        assert_eq!(response.headers().contains_key("content-encoding"), packed, "{accepted}");
        let bytes = response.bytes().await.expect("a body");
        let mut text = String::new();
        let unpacked = std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text);
        assert_eq!(unpacked.is_ok(), packed, "{accepted}");
        if packed {
            assert_eq!(text, plain.text);
        }
    }
}

#[tokio::test]
async fn created_rows_come_late_into_lists() {
    let api = Api::with(&[], &["slow-visibility"]).await;
    let began = std::time::Instant::now();
    let id = api.position("2031-01-01T00:00:00Z").await;
    assert_eq!(api.get(&format!("{POSITIONS}/{id}")).await.status, 200);
    while !api.get(POSITIONS).await.ids().contains(&id) {
        assert!(began.elapsed() < Duration::from_secs(10), "the row never appears");
    }
    assert!(began.elapsed() > Duration::from_millis(150), "the row appears too early");
}

#[tokio::test]
async fn counting_styles_describe_their_pages() {
    let api = Api::with(&[], &["paging.page-number"]).await;
    let body = api.get(&format!("{LEDGER}?page=2&page_size=30")).await.json();
    assert_eq!((&body["page"], &body["page_size"], &body["total"]), (&json!(2), &json!(30), &json!(TRANSACTIONS)));
    assert_eq!(body["total_pages"], TRANSACTIONS.div_ceil(30));
    assert_eq!(api.get(&format!("{LEDGER}?page=99")).await.code(), "page_out_of_range");
    assert_eq!(api.get(&format!("{LEDGER}?cursor=x")).await.code(), "unknown_parameter");
    let api = Api::with(&[], &["paging.offset"]).await;
    let body = api.get(&format!("{LEDGER}?offset=395")).await.json();
    assert_eq!(
        (&body["offset"], &body["limit"], body["data"].as_array().map(Vec::len)),
        (&json!(395), &json!(25), Some(5))
    );
    let api = Api::with(&[], &["paging.last-id"]).await;
    assert_eq!(api.get(&format!("{LEDGER}?starting_after=TXN-99999999")).await.code(), "invalid_cursor");
    let api = Api::with(&[], &["paging.link-header-array"]).await;
    assert_eq!(api.get(LEDGER).await.header("x-total-count"), Some("400"));
    assert!(repeated(&api.get(LEDGER).await.ids()).is_empty());
}
