//! Judges a walk of 1,000 pages (100,000 rows) and its repetition.

use divan::{Bencher, counter::ItemsCount};
use fincheck::{
    exchange::ExchangeId,
    families::{
        self, Evidence,
        pagination::evidence::{self, End, Identity, PageFact, RowId, RowList, Walk},
    },
};

const PAGES: usize = 1_000;
const ROWS: usize = PAGES * 100;

fn main() {
    divan::main();
}

fn rows() -> Vec<RowId> {
    let identity = Identity::default();
    (0..ROWS).map(|row| identity.of_text(&format!("txn_{row:08}"))).collect()
}

fn walk(first_exchange: usize, rows: RowList) -> Walk {
    let page = |number| PageFact {
        exchange: ExchangeId(u32::try_from(first_exchange + number).expect("few exchanges")),
        rows: 100,
        more: None,
        total: None,
        page_count: None,
        estimate: false,
    };
    Walk {
        asked: "limit=100".into(),
        size: Some(100),
        order: None,
        pages: (0..PAGES).map(page).collect(),
        rows,
        keys: Vec::new(),
        nameless: 0,
        order_seen: None,
        tokens: Vec::new(),
        links: Vec::new(),
        end: End::Terminator("there is no cursor".into()),
    }
}

fn evidence(rows: Vec<RowId>) -> Evidence {
    let again = RowList::AsReference(rows.len());
    Evidence::Pagination(Box::new(evidence::Evidence {
        quiet: vec![walk(1, RowList::Listed(rows)), walk(PAGES + 1, again)],
        ..evidence::Evidence::default()
    }))
}

fn judged(bencher: Bencher<'_, '_>, rule: &str, evidence: &Evidence) {
    let rule = families::rule(rule).expect("a rule");
    bencher.counter(ItemsCount::new(ROWS)).bench(|| (rule.judge)(evidence));
}

#[divan::bench(args = ["PAG-004", "PAG-005"])]
fn a_clean_walk(bencher: Bencher<'_, '_>, rule: &str) {
    judged(bencher, rule, &evidence(rows()));
}

#[divan::bench(args = ["PAG-005"])]
fn a_row_on_every_page_twice(bencher: Bencher<'_, '_>, rule: &str) {
    let mut rows = rows();
    for page in rows.chunks_mut(100) {
        page[99] = page[0];
    }
    judged(bencher, rule, &evidence(rows));
}
