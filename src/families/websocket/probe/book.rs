//! Tables of values by key, as a snapshot gives them and deltas change them. Values are decimals by their text.

use std::{collections::BTreeMap, str::FromStr};

use rust_decimal::Decimal;

use super::super::{config::Book, evidence::Difference, rules::canonical};
use crate::json::{PageReader, Scalar, Wanted};

/// The most differences that are kept.
const MOST_DIFFERENCES: usize = 10;
/// The most rows of one table.
const MOST_ROWS: usize = 200_000;

/// Reads tables.
pub(super) struct Reader {
    tables: Vec<(String, PageReader, PageReader)>,
}

/// The tables, each by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tables(Vec<BTreeMap<String, String>>);

impl Reader {
    pub(super) fn new(book: &Book) -> Self {
        let reader = |rows: &crate::json::Path, table: &super::super::config::Table| {
            let fields = vec![table.key.clone(), table.value.clone()];
            PageReader::new(Wanted { rows: rows.clone(), fields, page: Vec::new() })
        };
        let tables = book
            .tables
            .iter()
            .map(|table| (table.snapshot.to_string(), reader(&table.snapshot, table), reader(&table.delta, table)));
        Self { tables: tables.collect() }
    }

    /// The tables of a snapshot; the error says what is not there.
    pub(super) fn snapshot(&self, body: &[u8]) -> Result<Tables, String> {
        let mut tables = Vec::new();
        for (path, reader, _) in &self.tables {
            let mut table = BTreeMap::new();
            let read = reader.read(body, &mut |fields: &mut [Option<Scalar>]| put(&mut table, fields))?;
            if read.rows.is_none() {
                return Err(format!("the snapshot has no list of rows at {path}"));
            }
            tables.push(table);
        }
        Ok(Tables(tables))
    }

    /// Changes tables as a delta says; a table that it does not mention stays as it is.
    pub(super) fn apply(&self, tables: &mut Tables, delta: &[u8]) -> Result<(), String> {
        for ((_, _, reader), table) in self.tables.iter().zip(&mut tables.0) {
            reader.read(delta, &mut |fields: &mut [Option<Scalar>]| put(table, fields))?;
        }
        Ok(())
    }

    /// Where a later snapshot is not what was rebuilt from an `earlier` one. A snapshot may show a part only: what lies
    /// beyond the keys that both snapshots show is unknown.
    pub(super) fn differences(&self, earlier: &Tables, rebuilt: &Tables, later: &Tables) -> Vec<Difference> {
        let mut differences = Vec::new();
        for (nth, (path, ..)) in self.tables.iter().enumerate() {
            let (Some(first), Some(made), Some(last)) = (earlier.0.get(nth), rebuilt.0.get(nth), later.0.get(nth))
            else {
                continue;
            };
            let mut differ = |key: &str, snapshot: Option<&String>, rebuilt: Option<&String>| {
                if differences.len() < MOST_DIFFERENCES {
                    let (table, key) = (path.clone(), key.to_owned());
                    differences.push(Difference { table, key, snapshot: snapshot.cloned(), rebuilt: rebuilt.cloned() });
                }
            };
            for (key, value) in last {
                match made.get(key) {
                    Some(known) if known == value => {}
                    Some(known) => differ(key, Some(value), Some(known)),
                    None if is_within(key, first) => differ(key, Some(value), None),
                    None => {}
                }
            }
            for (key, value) in made.iter().filter(|(key, _)| !last.contains_key(*key)) {
                if is_within(key, last) {
                    differ(key, None, Some(value));
                }
            }
        }
        differences
    }
}

impl Tables {
    /// All rows.
    pub(super) fn rows(&self) -> u64 {
        self.0.iter().map(|table| table.len() as u64).sum()
    }
}

fn put(table: &mut BTreeMap<String, String>, fields: &mut [Option<Scalar>]) {
    let text = |field: Option<&Option<Scalar>>| field.and_then(Option::as_ref).and_then(Scalar::text).map(canonical);
    let Some(key) = text(fields.first()) else { return };
    match text(fields.get(1)) {
        Some(value) if value != "0" => {
            if table.len() < MOST_ROWS || table.contains_key(&key) {
                table.insert(key, value);
            }
        }
        _ => {
            table.remove(&key);
        }
    }
}

/// Whether a key lies within those of a table, which shows no part of what lies beyond them. Keys that are no decimals
/// have no order; a table of those is whole.
fn is_within(key: &str, table: &BTreeMap<String, String>) -> bool {
    let Ok(key) = Decimal::from_str(key) else { return true };
    let keys = || table.keys().filter_map(|key| Decimal::from_str(key).ok());
    match (keys().min(), keys().max()) {
        (Some(least), Some(most)) => least < key && key < most,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reader() -> Reader {
        let table = |side: &str| json!({"snapshot": format!("$.{side}"), "delta": format!("$.d.{side}"), "key": "$[0]", "value": "$[1]"});
        Reader::new(&serde_json::from_value(json!({"tables": [table("bids"), table("asks")]})).unwrap())
    }

    #[test]
    fn deltas_change_a_snapshot_by_value_not_by_spelling() {
        let reader = reader();
        let first = reader.snapshot(br#"{"bids":[["1.10","5"],["1.2","6"],["1.30","7"]],"asks":[]}"#).unwrap();
        let mut made = first.clone();
        reader.apply(&mut made, br#"{"d":{"bids":[["1.2","0.00"],["1.15","3"]],"asks":[[2,1.0]]}}"#).unwrap();
        let later =
            reader.snapshot(br#"{"bids":[["1.1","5.0"],["1.15","3.00"],["1.3",7]],"asks":[["2.0","1"]]}"#).unwrap();
        assert_eq!(reader.differences(&first, &made, &later), []);
        let wrong = reader.snapshot(br#"{"bids":[["1.1","5"],["1.2","6"],["1.3","7"]],"asks":[["2","2"]]}"#).unwrap();
        let differences = reader.differences(&first, &made, &wrong);
        let keys: Vec<&str> = differences.iter().map(|one| one.key.as_str()).collect();
        assert_eq!(keys, ["1.2", "1.15", "2"]);
    }

    #[test]
    fn what_a_snapshot_does_not_reach_is_unknown() {
        let reader = reader();
        let first = reader.snapshot(br#"{"bids":[["10","1"],["9","1"]],"asks":[]}"#).unwrap();
        let mut made = first.clone();
        reader.apply(&mut made, br#"{"d":{"bids":[["10","0"],["3","4"]]}}"#).unwrap();
        let later = reader.snapshot(br#"{"bids":[["9","1"],["8","1"]],"asks":[]}"#).unwrap();
        assert_eq!(reader.differences(&first, &made, &later), []);
        assert!(reader.snapshot(br#"{"bids":[]}"#).is_err());
    }
}
