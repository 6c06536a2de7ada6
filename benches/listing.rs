//! A made listing of transactions in pages of 100, as a custodian might send it: about 220 bytes of JSON a row.
//!
//! Every row's id is a hash of its number, so that ids are as unlike each other as a real API's, and the same in
//! every run. Shared by the benches and by the server of the whole-process comparison.

use std::fmt::Write;

/// Rows of a page.
pub(crate) const PAGE: usize = 100;

/// The body of one page, numbered from 0, of a listing with that many pages.
pub(crate) fn body(page: usize, pages: usize) -> String {
    let mut text = String::with_capacity(PAGE * 232 + 80);
    text.push_str(r#"{"data":["#);
    for row in page * PAGE..(page + 1) * PAGE {
        if row > page * PAGE {
            text.push(',');
        }
        let (id, day, cents) = (mixed(row as u64), row / 3_000 % 28 + 1, mixed(row as u64) % 10_000_000);
        let _ = write!(
            text,
            concat!(
                r#"{{"id":"txn_{:016x}","account_id":"ACC-{:06}","type":"payment","#,
                r#""amount":{{"value":"{}.{:02}","currency":"EUR"}},"#,
                r#""booked_at":"2026-03-{:02}T{:02}:{:02}:{:02}.{:03}Z","value_date":"2026-03-{:02}","#,
                r#""description":"Settlement of invoice {}"}}"#
            ),
            id,
            id % 5_000,
            cents / 100,
            cents % 100,
            day,
            row / 125 % 24,
            row / 2 % 60,
            row % 60,
            id % 1_000,
            day,
            40_000 + row
        );
    }
    text.push_str(r#"],"page":{"limit":100,"next":"#);
    match page + 1 {
        next if next < pages => {
            let _ = write!(text, "\"{}\"", cursor(next));
        }
        _ => text.push_str("null"),
    }
    text.push_str("}}");
    text
}

/// The cursor that leads to a page.
pub(crate) fn cursor(page: usize) -> String {
    format!("eyJwIjo{page:08}")
}

/// A number that looks random and is another one for every row (`SplitMix64`'s finaliser is a bijection).
fn mixed(row: u64) -> u64 {
    let mut z = row.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
