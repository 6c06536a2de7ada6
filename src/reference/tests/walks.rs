//! Clean lists: complete, in order, and steady while rows come and go.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    super::tokens,
    client::{Api, Got, LEDGER, LISTS, ORDERS, POSITIONS, STATEMENTS, TRANSACTIONS, repeated},
};

fn time(row: &Value) -> String {
    ["as_of", "booked_at", "created_at", "opened_at"].iter().find_map(|key| row[*key].as_str()).expect("a time").into()
}

#[tokio::test]
async fn every_list_is_complete_and_ordered_at_every_page_size() {
    let api = Api::clean().await;
    for (list, expected) in LISTS.into_iter().zip([3, 140, TRANSACTIONS, 60]) {
        let whole = api.ids(&format!("{list}?limit=200")).await;
        assert_eq!(whole.len(), expected, "{list}");
        assert!(repeated(&whole).is_empty(), "{list}");
        for size in [1, 2, 7, 11, 100, 199] {
            let pages = api.pages(&format!("{list}?limit={size}"), 500).await;
            let ids: Vec<String> = pages.iter().flat_map(Got::ids).collect();
            assert_eq!(ids, whole, "{list} by {size}");
            assert_eq!(pages.len(), expected.div_ceil(size), "{list} by {size}: no page is wasted");
            assert!(pages.iter().all(|page| page.rows().len() <= size && page.json()["page"]["total"] == expected));
        }
        let newest = api.rows(&format!("{list}?sort=newest")).await;
        let mut sorted = newest.clone();
        sorted.sort_by_key(|row| std::cmp::Reverse((time(row), row["id"].to_string())));
        assert_eq!(newest, sorted, "{list}");
        sorted.reverse();
        assert_eq!(api.rows(&format!("{list}?sort=oldest&limit=9")).await, sorted, "{list}");
    }
}

#[tokio::test]
async fn stable_rows_appear_once_while_rows_come_and_go() {
    for sort in ["newest", "oldest"] {
        for size in [1, 3, 5] {
            let api = Api::clean().await;
            let list = format!("{POSITIONS}?sort={sort}&limit={size}");
            let before: BTreeSet<String> = api.ids(&list).await.into_iter().collect();
            let mut deleted = BTreeSet::new();
            let mut seen: Vec<String> = Vec::new();
            let mut page = api.get(&list).await;
            for step in 0.. {
                let rows = page.rows();
                seen.extend(page.ids());
                // Endless inserts ahead of the walk would make it endless too.
                if let (Some(first), Some(last), true) = (rows.first(), rows.last(), step < 30) {
                    for as_of in [&time(first), &time(last), "2031-01-01T00:00:00Z", "2001-01-01T00:00:00Z"] {
                        api.position(as_of).await;
                    }
                    // The row the cursor stands on, and now and then the first of the page.
                    let gone = if step % 3 == 0 { vec![last] } else { vec![last, first] };
                    for row in gone {
                        let id = row["id"].as_str().expect("an id").to_owned();
                        if deleted.insert(id.clone()) {
                            assert_eq!(api.delete(&format!("{POSITIONS}/{id}")).await.status, 204);
                        }
                    }
                }
                let Some(next) = page.next() else { break };
                page = api.get(&format!("{list}&cursor={next}")).await;
                assert_eq!(page.status, 200);
            }
            assert!(repeated(&seen).is_empty(), "{sort} by {size}: {:?}", repeated(&seen));
            let missing: Vec<_> = before.difference(&deleted).filter(|id| !seen.contains(id)).collect();
            assert!(missing.is_empty(), "{sort} by {size}: {missing:?}");
        }
    }
}

#[tokio::test]
async fn an_emptied_page_still_leads_on_and_back() {
    let api = Api::clean().await;
    let list = format!("{POSITIONS}?limit=70");
    let first = api.get(&list).await;
    let second = api.get(&format!("{list}&cursor={}", first.next().expect("a cursor"))).await;
    for id in second.ids() {
        api.delete(&format!("{POSITIONS}/{id}")).await;
    }
    let emptied = api.get(&format!("{list}&cursor={}", first.next().expect("a cursor"))).await;
    assert!(emptied.rows().is_empty() && emptied.next().is_none());
    let back = api.get(&emptied.link("prev").expect("a link")).await;
    assert_eq!(back.ids(), first.ids());
}

#[tokio::test]
async fn many_ties_are_walked_in_one_fixed_order() {
    let api = Api::clean().await;
    let mut groups = std::collections::BTreeMap::<String, usize>::new();
    for row in api.rows(&format!("{POSITIONS}?limit=200")).await {
        *groups.entry(time(&row)).or_default() += 1;
    }
    let mut sizes: Vec<usize> = groups.into_values().filter(|size| *size > 1).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 3, 3, 5, 5, 8, 12]);
    let row = json!({ "type": "fee", "amount": { "amount": "-1.00", "currency": "EUR" } });
    let bulk = api.post(LEDGER, &json!({ "data": vec![row; 9] })).await;
    assert_eq!(bulk.status, 201);
    let booked = bulk.rows()[0]["booked_at"].as_str().expect("an instant").to_owned();
    assert!(bulk.rows().iter().all(|row| row["booked_at"] == *booked));
    let mut made = bulk.ids();
    made.reverse();
    for size in [1, 2, 8] {
        let ids = api.ids(&format!("{LEDGER}?limit={size}&from={booked}")).await;
        assert_eq!(ids, made, "by {size}");
    }
}

#[tokio::test]
async fn links_lead_forth_and_back() {
    let api = Api::clean().await;
    let list = format!("{ORDERS}?status=open&sort=oldest&limit=4");
    let mut page = api.get(&list).await;
    assert!(page.link("prev").is_none());
    let mut walked = vec![page.ids()];
    while let Some(next) = page.link("next") {
        assert!(next.starts_with(&api.url(&list)), "{next}");
        page = api.get(&next).await;
        walked.push(page.ids());
        let this = page.json()["links"]["self"].as_str().expect("a link").to_owned();
        assert_eq!(api.get(&this).await.ids(), page.ids());
    }
    assert!(walked.len() > 3);
    for expected in walked.iter().rev().skip(1) {
        page = api.get(&page.link("prev").expect("a link")).await;
        assert_eq!(&page.ids(), expected);
    }
    assert!(page.link("prev").is_none());
    assert_eq!(api.get(&page.link("first").expect("a link")).await.ids(), walked[0]);
}

#[tokio::test]
async fn cursors_keep_their_text_and_take_another_size() {
    let api = Api::clean().await;
    let list = format!("{LEDGER}?type=buy&limit=5");
    let cursor = api.get(&list).await.next().expect("a cursor");
    assert_eq!(api.get(&list).await.next().as_ref(), Some(&cursor));
    let expected = &api.ids(&list).await[5..16];
    let resized = api.get(&format!("{LEDGER}?type=buy&limit=11&cursor={cursor}")).await;
    assert_eq!(resized.ids(), expected);
}

#[tokio::test]
async fn cursors_are_refused_anywhere_else() {
    let api = Api::clean().await;
    let cursor = api.get(&format!("{POSITIONS}?symbol=AAPL&limit=2")).await.next().expect("a cursor");
    let flipped = |index: usize| {
        let mut text = cursor.clone().into_bytes();
        text[index] = if text[index] == b'A' { b'B' } else { b'A' };
        String::from_utf8(text).expect("text")
    };
    let flips: Vec<String> = (0..cursor.len()).map(flipped).collect();
    let bad = [String::new(), "x".repeat(8192), cursor[..cursor.len() - 3].to_owned(), "b2Zmc2V0OjI1".to_owned()];
    for text in flips.iter().chain(&bad) {
        let got = api.get(&format!("{POSITIONS}?symbol=AAPL&cursor={text}")).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (400, "invalid_cursor"), "{text}");
    }
    for elsewhere in [
        format!("{POSITIONS}?symbol=MSFT&cursor={cursor}"),
        format!("{POSITIONS}?cursor={cursor}"),
        format!("{POSITIONS}?symbol=AAPL&sort=oldest&cursor={cursor}"),
        format!("/v1/accounts/ACC-002/positions?symbol=AAPL&cursor={cursor}"),
        format!("{ORDERS}?symbol=AAPL&cursor={cursor}"),
    ] {
        assert_eq!(api.get(&elsewhere).await.code(), "invalid_cursor", "{elsewhere}");
    }
    let own = format!("{POSITIONS}?symbol=AAPL&cursor={cursor}");
    assert_eq!(api.get(&own).await.status, 200);
    assert_eq!(api.get_as(tokens::READER, &own).await.status, 200, "the cursor is the tenant's, not the client's");
    assert_eq!(api.get_as(tokens::RIVAL, &own).await.status, 404);
    assert_eq!(api.send(api.bare(reqwest::Method::GET, &own)).await.status, 401);
    let accounts = api.get("/v1/accounts?limit=1").await.next().expect("a cursor");
    let rival = api.get_as(tokens::RIVAL, &format!("/v1/accounts?cursor={accounts}")).await;
    assert_eq!(rival.code(), "invalid_cursor");
}

#[tokio::test]
async fn sizes_are_bounded_and_senseless_ones_refused() {
    let api = Api::clean().await;
    assert_eq!(api.get(LEDGER).await.rows().len(), 25);
    for size in ["200", "201", "1000000000", "99999999999999999999999999"] {
        let page = api.get(&format!("{LEDGER}?limit={size}")).await;
        assert_eq!((page.rows().len(), page.next().is_some()), (200, true), "{size}");
    }
    for size in ["0", "-1", "abc", "1e3", "", "+5", "5.0", "%205"] {
        let got = api.get(&format!("{LEDGER}?limit={size}")).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (400, "invalid_limit"), "{size}");
    }
    for (query, code) in [
        ("sort=upwards", "invalid_parameter"),
        ("fincheck=1", "unknown_parameter"),
        ("limit=1&limit=2", "repeated_parameter"),
        ("type=gift", "invalid_parameter"),
        ("from=yesterday", "invalid_parameter"),
        ("from=2025-02-01T00:00:00Z&to=2025-01-01T00:00:00Z", "invalid_parameter"),
    ] {
        let got = api.get(&format!("{LEDGER}?{query}")).await;
        assert_eq!((got.status.as_u16(), got.code().as_str()), (400, code), "{query}");
    }
}

#[tokio::test]
async fn filters_and_windows_partition_the_rows() {
    let api = Api::clean().await;
    let all = api.rows(&format!("{LEDGER}?limit=200")).await;
    let mut by_kind = 0;
    for kind in ["deposit", "withdrawal", "buy", "sell", "dividend", "fee", "interest"] {
        let rows = api.rows(&format!("{LEDGER}?type={kind}&limit=6")).await;
        assert!(!rows.is_empty() && rows.iter().all(|row| row["type"] == kind));
        by_kind += rows.len();
    }
    assert_eq!(by_kind, all.len());
    let edge = |index: usize| all[index]["booked_at"].as_str().expect("an instant").to_owned();
    let (early, middle, late) = (edge(300), edge(200), edge(100));
    let window = async |from: &str, to: &str| api.ids(&format!("{LEDGER}?from={from}&to={to}&limit=13")).await;
    let joined = [window(&middle, &late).await, window(&early, &middle).await].concat();
    assert_eq!(joined, window(&early, &late).await);
    let inside = |row: &&Value| (&early..&late).contains(&&time(row));
    let expected: Vec<String> =
        all.iter().filter(inside).map(|row| row["id"].as_str().expect("an id").into()).collect();
    assert_eq!(joined, expected);
    assert!(expected.len() > 150);
}

#[tokio::test]
async fn statements_are_numbered_and_end() {
    let api = Api::clean().await;
    let mut ids = Vec::new();
    for page in 1..=5 {
        let got = api.get(&format!("{STATEMENTS}?page={page}")).await;
        assert_eq!(got.json()["total"], 48);
        assert_eq!(got.json()["total_pages"], 5);
        ids.extend(got.ids());
    }
    assert_eq!(ids.len(), 48);
    assert!(repeated(&ids).is_empty());
    assert_eq!(api.get(&format!("{STATEMENTS}?page=6")).await.code(), "page_out_of_range");
    for bad in ["page=0", "page=abc", "page_size=0", "page="] {
        assert_eq!(api.get(&format!("{STATEMENTS}?{bad}")).await.code(), "invalid_parameter", "{bad}");
    }
    assert_eq!(api.get(&format!("{STATEMENTS}?page_size=500")).await.rows().len(), 48);
    let none = api.get("/v1/accounts/ACC-003/statements?page=1").await.json();
    assert_eq!(none, json!({ "data": [], "total": 0, "total_pages": 0 }));
    assert_eq!(api.get("/v1/accounts/ACC-003/positions").await.json()["data"], json!([]));
}
