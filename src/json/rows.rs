//! Reads the rows of a page in one pass over its bytes.
//!
//! A page of a listing is large and a walk needs little of it: per row an id and perhaps a sort key, per page a
//! cursor. [`PageReader`] follows just the wanted paths and skips the rest without allocating. Where a path is
//! more than member names, the page is parsed into a tree instead, with the same result.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{Path, Scalar, Step};

/// What to read of a page.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where the array of rows is.
    pub rows: Path,
    /// What to read of each row, relative to the row.
    pub fields: Vec<Path>,
    /// What to read of the page itself.
    pub page: Vec<Path>,
}

/// Receives the rows of a page, in order.
pub trait RowSink {
    /// One row: a value for each of [`Wanted::fields`], `None` where the row has no such member. What is left in them
    /// lends its memory to the rows that follow.
    fn row(&mut self, fields: &mut [Option<Scalar>]);
}

impl<F: FnMut(&mut [Option<Scalar>])> RowSink for F {
    fn row(&mut self, fields: &mut [Option<Scalar>]) {
        self(fields);
    }
}

/// A compiled [`Wanted`].
#[derive(Debug)]
pub struct PageReader {
    wanted: Wanted,
    /// Set when every path only names members: what to follow in the page, and in each row.
    streamed: Option<(Trie, Trie)>,
}

/// The values of one page after another.
#[derive(Debug, Default)]
pub struct PageValues {
    /// A value for each of [`Wanted::page`], `None` where the page has no such member.
    pub page: Vec<Option<Scalar>>,
    /// Texts of pages before, whose memory is used again.
    spare: Vec<String>,
}

/// What a page held besides its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRead {
    /// How many rows there were; `None` if there was no array of rows where it should be.
    pub rows: Option<usize>,
    /// A value for each of [`Wanted::page`].
    pub page: Vec<Option<Scalar>>,
}

impl PageReader {
    /// Compiles the paths.
    pub fn new(wanted: Wanted) -> Self {
        let streamed = (|| {
            let mut page = Trie::default();
            let rows_at = page.insert(wanted.rows.steps()?);
            page.nodes[rows_at].rows = true;
            for (slot, path) in wanted.page.iter().enumerate() {
                let at = page.insert(path.steps()?);
                page.nodes[at].slots.push(slot);
            }
            let mut row = Trie::default();
            for (slot, path) in wanted.fields.iter().enumerate() {
                let at = row.insert(path.steps()?);
                row.nodes[at].slots.push(slot);
            }
            (page.is_streamable() && row.is_streamable()).then_some((page, row))
        })();
        Self { wanted, streamed }
    }

    /// Reads one page; the error says where the text stops being JSON.
    pub fn read(&self, body: &[u8], sink: &mut dyn RowSink) -> Result<PageRead, String> {
        let text = std::str::from_utf8(body).map_err(|e| format!("not UTF-8 at byte {}", e.valid_up_to()))?;
        match &self.streamed {
            Some((page, row)) => self.stream(text, page, row, sink),
            None => self.parse(text, sink),
        }
    }

    /// Reads only what is wanted of the page itself, into memory that is used again: there may be millions. Whether the
    /// text is JSON.
    pub fn read_page(&self, body: &[u8], values: &mut PageValues) -> bool {
        let PageValues { page, spare } = values;
        spare.extend(page.iter_mut().filter_map(|value| value.take()?.into_memory()));
        page.resize(self.wanted.page.len(), None);
        let Ok(text) = std::str::from_utf8(body) else { return false };
        let nobody = &mut |_: &mut [Option<Scalar>]| {};
        match &self.streamed {
            Some((trie, row)) => {
                let (rows, fields) = (&mut None, &mut vec![None; self.wanted.fields.len()]);
                follow(text, trie, Target::Page { page, rows, row, fields, sink: nobody, spare }).is_ok()
            }
            None => self.parse(text, nobody).map(|read| *page = read.page).is_ok(),
        }
    }

    fn stream(&self, text: &str, page: &Trie, row: &Trie, sink: &mut dyn RowSink) -> Result<PageRead, String> {
        let (mut fields, mut spare) = (vec![None; self.wanted.fields.len()], Vec::new());
        let mut read = PageRead { rows: None, page: vec![None; self.wanted.page.len()] };
        let (values, rows) = (&mut read.page, &mut read.rows);
        let target = Target::Page { page: values, rows, row, fields: &mut fields, sink, spare: &mut spare };
        follow(text, page, target).map_err(|e| e.to_string())?;
        Ok(read)
    }

    fn parse(&self, text: &str, sink: &mut dyn RowSink) -> Result<PageRead, String> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let page = self.wanted.page.iter().map(|path| path.first(&value).map(Scalar::from_value)).collect();
        // A path such as `$.data[*]` selects the rows themselves, `$.data` the array that holds them.
        let selected = self.wanted.rows.all(&value);
        let rows: Option<Vec<&serde_json::Value>> = match selected.as_slice() {
            [serde_json::Value::Array(items)] => Some(items.iter().collect()),
            // A path that selects rows by what they are may well select none.
            [] => self.wanted.rows.steps().is_none().then(Vec::new),
            several => Some(several.to_vec()),
        };
        for row in rows.iter().flatten() {
            let mut fields: Vec<_> =
                self.wanted.fields.iter().map(|path| path.first(row).map(Scalar::from_value)).collect();
            sink.row(&mut fields);
        }
        Ok(PageRead { rows: rows.map(|r| r.len()), page })
    }
}

fn follow(text: &str, trie: &Trie, mut target: Target<'_>) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    Follow { trie, at: 0, target: &mut target }.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// The wanted paths as a tree of steps; node 0 is the root.
#[derive(Debug)]
struct Trie {
    nodes: Vec<Node>,
}

#[derive(Debug, Default)]
struct Node {
    members: Vec<(String, usize)>,
    elements: Vec<(usize, usize)>,
    slots: Vec<usize>,
    rows: bool,
}

impl Default for Trie {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

impl Trie {
    fn insert(&mut self, steps: &[Step]) -> usize {
        let mut at = 0;
        for step in steps {
            let known = match step {
                Step::Member(name) => self.nodes[at].members.iter().find(|(n, _)| n == name).map(|(_, i)| *i),
                Step::Element(index) => self.nodes[at].elements.iter().find(|(n, _)| n == index).map(|(_, i)| *i),
            };
            at = known.unwrap_or_else(|| {
                let new = self.nodes.len();
                self.nodes.push(Node::default());
                match step {
                    Step::Member(name) => self.nodes[at].members.push((name.clone(), new)),
                    Step::Element(index) => self.nodes[at].elements.push((*index, new)),
                }
                new
            });
        }
        at
    }

    /// Whether every value is wanted for one purpose only: as a leaf, as the rows, or to descend into.
    fn is_streamable(&self) -> bool {
        self.nodes.iter().all(|n| {
            let inner = !n.members.is_empty() || !n.elements.is_empty();
            usize::from(inner) + usize::from(!n.slots.is_empty()) + usize::from(n.rows) <= 1
        })
    }
}

/// Where values go while a page or a row is read.
enum Target<'t> {
    Page {
        page: &'t mut [Option<Scalar>],
        rows: &'t mut Option<usize>,
        row: &'t Trie,
        fields: &'t mut Vec<Option<Scalar>>,
        sink: &'t mut dyn RowSink,
        /// Texts of pages before, whose memory is used again.
        spare: &'t mut Vec<String>,
    },
    Row {
        fields: &'t mut [Option<Scalar>],
        /// Texts of rows before, whose memory is used again.
        spare: &'t mut Vec<String>,
    },
}

/// Reads the value at one node of a trie.
struct Follow<'s, 't> {
    trie: &'s Trie,
    at: usize,
    target: &'s mut Target<'t>,
}

impl<'de> DeserializeSeed<'de> for Follow<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let node = &self.trie.nodes[self.at];
        if node.slots.is_empty() {
            return deserializer.deserialize_any(self);
        }
        let raw: &RawValue = serde::Deserialize::deserialize(deserializer)?;
        let (values, memory): (&mut [Option<Scalar>], _) = match self.target {
            Target::Page { page, spare, .. } => (page, spare.pop()),
            Target::Row { fields, spare } => (fields, spare.pop()),
        };
        let value = Scalar::from_raw_in(raw, memory.unwrap_or_default());
        let (last, others) = node.slots.split_last().unwrap_or((&0, &[]));
        for slot in others {
            values[*slot] = Some(value.clone());
        }
        values[*last] = Some(value);
        Ok(())
    }
}

impl<'de> Visitor<'de> for Follow<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let members = &self.trie.nodes[self.at].members;
        while let Some(found) = map.next_key_seed(MemberOf(members))? {
            match found {
                Some(at) => map.next_value_seed(Follow { trie: self.trie, at, target: self.target })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let node = &self.trie.nodes[self.at];
        if node.rows
            && let Target::Page { rows, row, fields, sink, .. } = self.target
        {
            let (mut count, mut spare) = (0, Vec::new());
            loop {
                spare.extend(fields.iter_mut().filter_map(|field| field.take()?.into_memory()));
                let target = &mut Target::Row { fields: fields.as_mut_slice(), spare: &mut spare };
                let seed = Follow { trie: row, at: 0, target };
                if seq.next_element_seed(seed)?.is_none() {
                    **rows = Some(count);
                    return Ok(());
                }
                count += 1;
                sink.row(fields);
            }
        }
        let mut index = 0;
        loop {
            let wanted = node.elements.iter().find(|(n, _)| *n == index).map(|(_, at)| *at);
            let more = match wanted {
                Some(at) => seq.next_element_seed(Follow { trie: self.trie, at, target: self.target })?,
                None => seq.next_element::<IgnoredAny>()?.map(drop),
            };
            if more.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Finds a member's name among the wanted ones without keeping it.
struct MemberOf<'a>(&'a [(String, usize)]);

impl<'de> DeserializeSeed<'de> for MemberOf<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberOf<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().find(|(n, _)| n == name).map(|(_, at)| *at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rows = Vec<Vec<Option<Scalar>>>;

    fn read(rows: &str, fields: &[&str], page: &[&str], body: &str) -> Result<(Rows, PageRead), String> {
        let parse = |paths: &[&str]| paths.iter().map(|p| p.parse().unwrap()).collect();
        let reader = PageReader::new(Wanted { rows: rows.parse().unwrap(), fields: parse(fields), page: parse(page) });
        let mut seen = Vec::new();
        let read = reader.read(body.as_bytes(), &mut |row: &mut [Option<Scalar>]| seen.push(row.to_vec()))?;
        Ok((seen, read))
    }

    fn text(s: &str) -> Option<Scalar> {
        serde_json::to_value(s).ok().as_ref().map(Scalar::from_value)
    }

    const PAGE: &str = r#"{"x":[[[{}]]],"page":{"next":"c1","total":2},
        "data":[{"z":1.5,"id":"a","amount":{"value":"1.10"}},{"amount":null,"id":7}]}"#;

    #[test]
    fn streams_wanted_members_and_skips_the_rest() {
        let (rows, page) = read("$.data", &["$.id", "$.amount.value"], &["$.page.next", "$.page.none"], PAGE).unwrap();
        assert_eq!(rows, [vec![text("a"), text("1.10")], vec![Some(Scalar::Number("7".into())), None]]);
        assert_eq!(page, PageRead { rows: Some(2), page: vec![text("c1"), None] });
    }

    #[test]
    fn general_paths_give_the_same_through_a_tree() {
        let simple = read("$.data", &["$.id"], &["$.page.next"], PAGE).unwrap();
        assert_eq!(read("$.data[*]", &["$['id']"], &["$..next"], PAGE).unwrap(), simple);
        assert_eq!(read("$.data", &["$..id"], &["$.page.next"], PAGE).unwrap(), simple);
    }

    #[test]
    fn a_bare_array_and_nested_ids_are_rows_too() {
        let (rows, page) = read("$", &["$[0]"], &[], r#"[["a"],["b"],[]]"#).unwrap();
        assert_eq!(rows, [vec![text("a")], vec![text("b")], vec![None]]);
        assert_eq!(page.rows, Some(3));
    }

    #[test]
    fn absent_or_wrong_rows_are_told_from_none() {
        assert_eq!(read("$.data", &["$.id"], &[], "{}").unwrap().1.rows, None);
        assert_eq!(read("$.data", &["$.id"], &[], r#"{"data":{}}"#).unwrap().1.rows, None);
        assert_eq!(read("$.data", &["$.id"], &[], r#"{"data":[]}"#).unwrap().1.rows, Some(0));
        assert_eq!(read("$.data", &["$.id"], &[], r#"{"data":[1,null]}"#).unwrap().0, [vec![None], vec![None]]);
    }

    #[test]
    fn broken_and_hostile_text_is_an_error_not_a_panic() {
        let deep = format!("{{\"data\":{}", "[".repeat(200_000));
        for bad in ["", "{", "{}x", "<html>", "{\"data\":[{]}", &deep] {
            assert!(read("$.data", &["$.id"], &[], bad).is_err(), "{}", &bad[..bad.len().min(20)]);
        }
        let reader = PageReader::new(Wanted { rows: "$".parse().unwrap(), fields: vec![], page: vec![] });
        assert!(reader.read(b"[\"\xff\"]", &mut |_: &mut [Option<Scalar>]| {}).unwrap_err().contains("UTF-8"));
    }

    #[test]
    fn values_left_behind_do_not_show_in_later_rows() {
        let (rows, _) =
            read("$", &["$.id", "$.key"], &[], r#"[{"id":"long","key":12},{"key":"b"},{"id":"c"},{"id":[]}]"#).unwrap();
        assert_eq!(
            rows,
            [
                vec![text("long"), Some(Scalar::Number("12".into()))],
                vec![None, text("b")],
                vec![text("c"), None],
                vec![Some(Scalar::Composite), None]
            ]
        );
    }

    #[test]
    fn one_page_after_another_is_read_into_the_same_memory() {
        for path in ["$.n", "$..n"] {
            let paths = vec!["$.type".parse().unwrap(), path.parse().unwrap()];
            let wanted = Wanted { rows: "$.none".parse().unwrap(), fields: vec![], page: paths };
            let (reader, mut values) = (PageReader::new(wanted), PageValues::default());
            assert!(reader.read_page(br#"{"type":"a long one","n":7}"#, &mut values));
            assert_eq!(values.page, [text("a long one"), Some(Scalar::Number("7".into()))]);
            assert!(reader.read_page(br#"{"type":"b"}"#, &mut values));
            assert_eq!(values.page, [text("b"), None]);
            assert!(!reader.read_page(br#"{"type":"c","n":1"#, &mut values));
            assert!(reader.read_page(b"[]", &mut values) && values.page == [None, None]);
        }
    }

    #[test]
    fn the_last_of_two_equal_members_counts() {
        let (rows, _) = read("$", &["$.id"], &[], r#"[{"id":"a","id":"b"}]"#).unwrap();
        assert_eq!(rows, [vec![text("b")]]);
    }
}
