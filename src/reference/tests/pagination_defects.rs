//! What each defect of lists looks like to a client.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;

use super::{
    super::tokens,
    client::{Api, Got, LEDGER, POSITIONS, STATEMENTS, repeated},
};

/// Whether the API behaves as this defect says.
pub(super) async fn shows(name: &str, api: &Api) -> bool {
    match name.strip_prefix("pagination.").expect("a defect of lists") {
        "silent-cut" => {
            let page = api.get(POSITIONS).await;
            page.rows().len() == 25 && page.next().is_none() && page.link("next").is_none()
        }
        "unbounded-by-default" => api.get(LEDGER).await.rows().len() > 200,
        "page-size-exceeded" => api.get(&format!("{POSITIONS}?limit=2")).await.rows().len() == 3,
        "page-size-ignored" => api.get(&format!("{POSITIONS}?limit=40")).await.rows().len() == 25,
        "oversize-page" => api.get(&format!("{LEDGER}?limit=1000000000")).await.rows().len() > 201,
        "nonsense-size-500" => all(api, &["abc", "0", "-1", "1e3", ""], "limit", 500).await,
        "cursor-cycle" => {
            let pages = api.pages(&format!("{POSITIONS}?limit=50"), 6).await;
            let cursors: Vec<String> = pages.iter().filter_map(Got::next).collect();
            !repeated(&cursors).is_empty()
        }
        "lost-row" => api.ids(&format!("{POSITIONS}?limit=50")).await.len() == 138,
        "duplicate-row" => repeated(&api.ids(&format!("{POSITIONS}?limit=50")).await).len() == 2,
        "offset-behind-cursor" => skips_after_delete(api).await && repeats_after_insert(api).await,
        "anchor-lookup" => after_anchor_is_gone(api).await.status == 404,
        "anchor-restart" => {
            let first = api.get(&format!("{POSITIONS}?limit=5")).await.ids();
            first.len() > 4 && after_anchor_is_gone(api).await.ids().starts_with(&first[..4])
        }
        "insert-repeats" => repeats_after_insert(api).await && !skips_after_delete(api).await,
        "no-tie-breaker" => loses_ties(api).await,
        "order-ignored" => {
            let key = |row: &Value| row["as_of"].to_string();
            let rows = api.get(&format!("{POSITIONS}?sort=oldest")).await.rows();
            !rows.is_sorted_by_key(key) && rows.iter().rev().is_sorted_by_key(key)
        }
        "order-broken-across-pages" => {
            let key = |row: &Value| row["as_of"].to_string();
            let pages: Vec<_> = api.pages(&format!("{POSITIONS}?limit=20"), 9).await.iter().map(Got::rows).collect();
            let inside = pages.iter().all(|rows| rows.iter().rev().is_sorted_by_key(key));
            let whole = pages.concat();
            inside && whole.len() == 140 && !whole.iter().rev().is_sorted_by_key(key)
        }
        "size-dependent" => api.ids(&format!("{POSITIONS}?limit=4")).await.len() < api.ids(POSITIONS).await.len(),
        "single-use-cursor" => {
            let (once, again) = twice(api).await;
            once.status == 200 && again.status == 400
        }
        "cursor-advances" => {
            let (once, again) = twice(api).await;
            again.status == 200 && !again.ids().is_empty() && !again.ids().iter().any(|id| once.ids().contains(id))
        }
        other => of_cursors_and_links(other, api).await,
    }
}

async fn of_cursors_and_links(name: &str, api: &Api) -> bool {
    match name {
        "bad-cursor-restarts" => {
            let got = api.get(&format!("{POSITIONS}?cursor=bad")).await;
            got.status == 200 && got.ids() == api.get(POSITIONS).await.ids()
        }
        "bad-cursor-empty" => {
            let got = api.get(&format!("{POSITIONS}?cursor=bad")).await;
            got.status == 200 && got.rows().is_empty() && got.next().is_none()
        }
        "bad-cursor-500" => api.get(&format!("{POSITIONS}?cursor=bad")).await.status == 500,
        "cursor-ignores-filter" => {
            let cursor = api.get(&format!("{POSITIONS}?symbol=AAPL&limit=2")).await.next().unwrap_or_default();
            let got = api.get(&format!("{POSITIONS}?symbol=MSFT&cursor={cursor}")).await;
            got.status == 200 && got.rows().iter().any(|row| row["symbol"] != "AAPL" && row["symbol"] != "MSFT")
        }
        "cursor-is-capability" => is_capability(api).await,
        "plain-offset-cursor" => {
            let cursor = api.get(POSITIONS).await.next().unwrap_or_default();
            let plain = data_encoding::BASE64URL_NOPAD.decode(cursor.as_bytes());
            plain.is_ok_and(|plain| plain == b"offset:25")
        }
        "link-loses-filter" => {
            let page = api.get(&format!("{POSITIONS}?symbol=AAPL&limit=2")).await;
            let Some(next) = page.link("next").filter(|link| is_own(api, link)) else { return false };
            let rows = api.get(&next).await.rows();
            !next.contains("symbol=") && rows.iter().any(|row| row["symbol"] != "AAPL")
        }
        "link-internal-host" => {
            let page = api.get(POSITIONS).await;
            page.link("first").is_some_and(|link| !is_own(api, &link))
        }
        "prev-link-wrong" => {
            let list = format!("{POSITIONS}?limit=10");
            let pages = api.pages(&list, 2).await;
            let prev = pages.last().and_then(|page| page.link("prev"));
            let Some(prev) = prev.filter(|link| is_own(api, link)) else { return false };
            let (back, first) = (api.get(&prev).await.ids(), pages[0].ids());
            back.len() == 10 && first.len() == 10 && back[..9] == first[1..]
        }
        "total-too-low" => {
            let got = api.get(&format!("{POSITIONS}?limit=200")).await;
            got.json()["page"]["total"] == 126 && got.rows().len() == 140
        }
        "total-as-text" => api.get(POSITIONS).await.json()["page"]["total"].is_string(),
        "filter-leak" => {
            let rows = api.rows(&format!("{POSITIONS}?symbol=AAPL")).await;
            rows.iter().any(|row| row["symbol"] != "AAPL")
        }
        "window-boundary-lost" => windows(api).await == (0, true),
        "window-boundary-doubled" => windows(api).await == (2, true),
        "moving-pages" => {
            let mut ids = Vec::new();
            for page in 1..=4 {
                ids.extend(api.get(&format!("{STATEMENTS}?page={page}")).await.ids());
            }
            !repeated(&ids).is_empty()
        }
        other => panic!("nothing says what {other} looks like"),
    }
}

/// Whether a link leads to the API itself.
fn is_own(api: &Api, link: &str) -> bool {
    link.starts_with(api.running.base_url())
}

async fn all(api: &Api, values: &[&str], parameter: &str, status: u16) -> bool {
    let mut all = true;
    for value in values {
        all &= api.get(&format!("{POSITIONS}?{parameter}={value}")).await.status == status;
    }
    all
}

/// The second page of five, asked for twice.
async fn twice(api: &Api) -> (Got, Got) {
    let list = format!("{POSITIONS}?limit=5");
    let cursor = api.get(&list).await.next().unwrap_or_default();
    let target = format!("{list}&cursor={cursor}");
    (api.get(&target).await, api.get(&target).await)
}

/// The second page of five, after the row its cursor stands on was deleted.
async fn after_anchor_is_gone(api: &Api) -> Got {
    let list = format!("{POSITIONS}?limit=5");
    let first = api.get(&list).await;
    let anchor = first.ids().pop().expect("a row");
    assert_eq!(api.delete(&format!("{POSITIONS}/{anchor}")).await.status, 204);
    api.get(&format!("{list}&cursor={}", first.next().unwrap_or_default())).await
}

/// Whether deleting a row of the first page hides a row of the second.
async fn skips_after_delete(api: &Api) -> bool {
    let list = format!("{POSITIONS}?limit=5");
    let first = api.get(&list).await;
    let cursor = first.next().unwrap_or_default();
    let expected = api.get(&format!("{list}&cursor={cursor}")).await.ids();
    api.delete(&format!("{POSITIONS}/{}", first.ids()[0])).await;
    let got = api.get(&format!("{list}&cursor={cursor}")).await;
    let got = got.ids();
    got.len() == 5 && expected.len() == 5 && got[..4] == expected[1..]
}

/// Whether inserting a row before the first page repeats a row of it on the second.
async fn repeats_after_insert(api: &Api) -> bool {
    let list = format!("{POSITIONS}?limit=5");
    let first = api.get(&list).await;
    api.position("2031-01-01T00:00:00Z").await;
    let got = api.get(&format!("{list}&cursor={}", first.next().unwrap_or_default())).await;
    got.status == 200 && got.ids().first() == first.ids().last()
}

/// Whether the first boundary inside a group of ties loses the rest of it, and no other boundary loses anything.
async fn loses_ties(api: &Api) -> bool {
    let whole = api.rows(&format!("{POSITIONS}?limit=200")).await;
    let seen: BTreeSet<String> = api.ids(&format!("{POSITIONS}?limit=1")).await.into_iter().collect();
    let instants: BTreeSet<String> = whole.iter().map(|row| row["as_of"].to_string()).collect();
    seen.len() == instants.len() && seen.len() < whole.len()
}

async fn is_capability(api: &Api) -> bool {
    let list = format!("{POSITIONS}?limit=5");
    let cursor = api.get_as(tokens::READER, &list).await.next().unwrap_or_default();
    let target = format!("{list}&cursor={cursor}");
    let own = api.get_as(tokens::READER, &target).await;
    let rival = api.get_as(tokens::RIVAL, &target).await;
    let nobody = api.send(api.bare(Method::GET, &target)).await;
    let rivals = [rival, nobody];
    rivals.iter().all(|got| got.status == 200 && got.ids() == own.ids())
}

/// How often a row at the edge of two adjoining windows is in either, and whether all other rows are in exactly one.
async fn windows(api: &Api) -> (usize, bool) {
    let all = api.rows(&format!("{LEDGER}?limit=200")).await;
    let at = |index: usize| all[index]["booked_at"].as_str().expect("an instant").to_owned();
    let (early, edge, late) = ("2000-01-01T00:00:00Z".to_owned(), at(200), "2099-01-01T00:00:00Z".to_owned());
    let older = api.ids(&format!("{LEDGER}?from={early}&to={edge}&limit=200")).await;
    let newer = api.ids(&format!("{LEDGER}?from={edge}&to={late}&limit=200")).await;
    let both = [older, newer].concat();
    let times = |row: &Value| both.iter().filter(|id| **id == *row["id"].as_str().expect("an id")).count();
    let (at_edge, others): (Vec<&Value>, Vec<&Value>) = all.iter().partition(|row| row["booked_at"] == edge);
    let edges: BTreeSet<usize> = at_edge.into_iter().map(times).collect();
    (edges.first().copied().unwrap_or(9), others.into_iter().all(|row| times(row) == 1))
}
