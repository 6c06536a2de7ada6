//! Whether messages that stand for several others hold what those held.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    super::{config::Book, evidence::account::Event, rules::canonical},
    listener::Told,
};
use crate::json::{PageReader, Scalar, Wanted};

/// The most rows that are kept of one connection.
const MOST_ROWS: usize = 400_000;
/// The most messages that are shown.
const NAMED: usize = 5;

/// A changed row: its table, its key, and its value.
type Row = (u8, String, String);

/// Keeps the rows that messages change.
pub(super) struct Rows {
    tables: Vec<PageReader>,
    /// Those of each message, in the order of the events that are kept.
    kept: Vec<Vec<Row>>,
    count: usize,
    /// Whether any were too many to be kept, or could not be read.
    incomplete: bool,
}

impl Rows {
    pub(super) fn new(book: &Book) -> Self {
        let tables = book.tables.iter().take(usize::from(u8::MAX)).map(|table| {
            let fields = vec![table.key.clone(), table.value.clone()];
            PageReader::new(Wanted { rows: table.delta.clone(), fields, page: Vec::new() })
        });
        Self { tables: tables.collect(), kept: Vec::new(), count: 0, incomplete: false }
    }

    /// Takes those of the next event.
    pub(super) fn take(&mut self, text: &[u8]) {
        let mut rows = Vec::new();
        for (table, reader) in (0..).zip(&self.tables) {
            let mut take = |fields: &mut [Option<Scalar>]| {
                let text = |at: usize| fields.get(at).and_then(Option::as_ref).and_then(Scalar::text).map(canonical);
                if let (Some(key), Some(value)) = (text(0), text(1))
                    && self.count < MOST_ROWS
                {
                    self.count += 1;
                    rows.push((table, key, value));
                }
            };
            self.incomplete |= reader.read(text, &mut take).is_err() || self.count >= MOST_ROWS;
        }
        self.kept.push(rows);
    }
}

/// Messages that stand for others and do not hold what those held last: how many rows, and a few of them in words.
///
/// `told` is what a client was told, from `read` on after it had stopped reading; `witness` is what another was told. Both
/// must end at the same number. A row that came back to what it was before need not be told.
pub(super) fn stale(witness: &Told, told: &Told, read: usize) -> (u64, Vec<String>) {
    let (mut count, mut examples) = (0, Vec::new());
    let (Some(all), Some(rows)) = (&witness.rows, &told.rows) else { return (count, examples) };
    if all.incomplete || rows.incomplete || witness.beyond > 0 || told.beyond > 0 {
        return (count, examples);
    }
    let scopes: HashSet<&Option<String>> = told.events.iter().map(|event| &event.scope).collect();
    for scope in scopes {
        let of = |event: &Event| event.numbers.filter(|_| event.scope == *scope);
        let before = told.events[..read].iter().rev().find_map(of);
        let ends: HashMap<u64, usize> =
            witness.events.iter().enumerate().filter_map(|(at, event)| Some((of(event)?.1, at))).collect();
        // From where both were told the same, up to where they were again.
        let Some(from) = before.and_then(|(_, last)| ends.get(&last)) else { continue };
        let common = told.events.iter().enumerate().skip(read).rev().find_map(|(at, event)| {
            let (_, last) = of(event)?;
            ends.get(&last).map(|end| (at, *end))
        });
        let Some((until, end)) = common.filter(|(_, end)| end > from) else { continue };
        let fold = |events: &[Event], rows: &[Vec<Row>], from: usize, until: usize| -> BTreeMap<(u8, String), String> {
            let mut last = BTreeMap::new();
            for (event, rows) in events.iter().zip(rows).take(until + 1).skip(from) {
                if of(event).is_some() {
                    last.extend(rows.iter().map(|(table, key, value)| ((*table, key.clone()), value.clone())));
                }
            }
            last
        };
        let was = fold(&witness.events, &all.kept, 0, *from);
        let is = fold(&witness.events, &all.kept, from + 1, end);
        let heard = fold(&told.events, &rows.kept, read, until);
        for (row, value) in &is {
            let stale = match heard.get(row) {
                Some(known) => known != value,
                None => was.get(row).is_some_and(|was| was != value),
            };
            if stale {
                count += 1;
                if examples.len() < NAMED {
                    let known = heard.get(row).map_or_else(|| "nothing".to_owned(), |known| format!("`{known}`"));
                    let of = scope.as_ref().map(|scope| format!(" of {scope}")).unwrap_or_default();
                    examples.push(format!("`{}`{of}: the last was `{value}`, and {known} was told", row.1));
                }
            }
        }
    }
    examples.sort();
    (count, examples)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The first and the last number of a message, and the rows it changes.
    type Sent<'a> = (u64, u64, &'a [(&'a str, &'a str)]);

    fn told(messages: &[Sent<'_>]) -> Told {
        let book: Book = serde_json::from_value(
            json!({"tables": [{"snapshot": "$.b", "delta": "$.b", "key": "$[0]", "value": "$[1]"}]}),
        )
        .unwrap();
        let mut told = Told { rows: Some(Rows::new(&book)), ..Told::default() };
        for (first, last, rows) in messages {
            told.events.push(Event { numbers: Some((*first, *last)), ..Event::default() });
            told.rows.as_mut().unwrap().take(json!({ "b": rows }).to_string().as_bytes());
        }
        told
    }

    fn witness() -> Told {
        told(&[
            (1, 1, &[("9", "1"), ("8", "1")]),
            (2, 3, &[("9", "2"), ("8", "5")]),
            (4, 4, &[("9", "3")]),
            (5, 5, &[("8", "1.0")]),
            (6, 6, &[("7", "0")]),
        ])
    }

    #[test]
    fn what_is_merged_must_hold_the_last_of_every_row() {
        let check = |message: (u64, u64, &[(&str, &str)])| stale(&witness(), &told(&[witness_first(), message]), 1).0;
        assert_eq!(check((2, 5, &[("9", "3.00"), ("8", "1")])), 0, "merged");
        assert_eq!(check((2, 5, &[("9", "3")])), 0, "a row that came back to what it was need not be told");
        assert_eq!(check((2, 5, &[("8", "1")])), 1, "the last of a row is left out");
        assert_eq!(check((2, 5, &[("9", "2"), ("8", "1")])), 1, "the last of a row is not the last");
        assert_eq!(check((2, 6, &[("9", "3")])), 0, "what a row was before is unknown");
        assert_eq!(check((2, 9, &[])), 0, "numbers that do not meet show nothing");
    }

    fn witness_first() -> (u64, u64, &'static [(&'static str, &'static str)]) {
        (1, 1, &[("9", "1"), ("8", "1")])
    }

    #[test]
    fn what_is_told_one_by_one_is_not_stale() {
        assert_eq!(stale(&witness(), &witness(), 1), (0, Vec::new()));
    }
}
