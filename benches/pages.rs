//! Reads rows and ids from one page of 100 rows: the streaming reader against a tree of values.

#[path = "listing.rs"]
mod listing;

use divan::{Bencher, counter::BytesCount};
use fincheck::{
    families::pagination::evidence::{Identity, RowId},
    json::{PageReader, Scalar, Wanted},
};

fn main() {
    divan::main();
}

fn page() -> String {
    listing::body(3, 10)
}

fn reader(fields: &[&str]) -> PageReader {
    let path = |text: &str| text.parse().expect("a JSONPath");
    PageReader::new(Wanted {
        rows: path("$.data"),
        fields: fields.iter().copied().map(path).collect(),
        page: vec![path("$.page.next")],
    })
}

/// The ids and the cursor.
#[divan::bench]
fn ids_streamed(bencher: Bencher<'_, '_>) {
    let (page, reader) = (page(), reader(&["$.id"]));
    bencher.counter(BytesCount::of_str(&page)).bench(|| {
        let mut ids: Vec<Scalar> = Vec::new();
        let read = reader.read(page.as_bytes(), &mut |row: &mut [Option<Scalar>]| ids.extend(row[0].take()));
        (ids, read)
    });
}

/// The ids, the sort keys and the cursor.
#[divan::bench]
fn ids_and_sort_keys_streamed(bencher: Bencher<'_, '_>) {
    let (page, reader) = (page(), reader(&["$.id", "$.booked_at"]));
    bencher.counter(BytesCount::of_str(&page)).bench(|| {
        let mut rows: Vec<[Option<Scalar>; 2]> = Vec::new();
        let read =
            reader.read(page.as_bytes(), &mut |row: &mut [Option<Scalar>]| rows.push([row[0].take(), row[1].take()]));
        (rows, read)
    });
}

/// The ids as a walk keeps them: 128-bit hashes.
#[divan::bench]
fn ids_streamed_and_hashed(bencher: Bencher<'_, '_>) {
    let (page, reader, identity) = (page(), reader(&["$.id"]), Identity::default());
    bencher.counter(BytesCount::of_str(&page)).bench(|| {
        let mut ids: Vec<RowId> = Vec::new();
        let read =
            reader.read(page.as_bytes(), &mut |row: &mut [Option<Scalar>]| ids.extend(identity.of(row[0].as_ref())));
        (ids, read)
    });
}

/// The same ids, sort keys and cursor from a tree.
#[divan::bench]
fn ids_and_sort_keys_from_a_tree(bencher: Bencher<'_, '_>) {
    let page = page();
    bencher.counter(BytesCount::of_str(&page)).bench(|| {
        let tree: serde_json::Value = serde_json::from_str(&page).expect("JSON");
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let rows: Vec<[Option<String>; 2]> = tree["data"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|row| [text(&row["id"]), text(&row["booked_at"])])
            .collect();
        (rows, text(&tree["page"]["next"]))
    });
}
