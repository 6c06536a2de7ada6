//! JSONPath (RFC 9535).
//!
//! Most paths of a suite only name members (`$.page.next`); those are kept as steps, so that a streaming reader
//! can follow them. Everything else goes to `serde_json_path`, after bounds that keep its recursive parser safe.

use std::{fmt, str::FromStr};

use serde_json::Value;

use super::Scalar;

/// The name of this form in the schema of the suite format.
pub const FORMAT: &str = "fincheck-jsonpath";

/// Longest expression accepted, in bytes.
const LONGEST: usize = 512;
/// Deepest nesting of brackets and parentheses accepted.
const DEEPEST: usize = 32;

/// A JSONPath query.
#[derive(Debug, Clone)]
pub struct Path {
    source: String,
    query: Query,
}

#[derive(Debug, Clone)]
enum Query {
    Steps(Vec<Step>),
    General(Box<serde_json_path::JsonPath>),
}

/// One step of a path that only names members and elements.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// A member of an object.
    Member(String),
    /// An element of an array, from 0.
    Element(usize),
}

impl Path {
    /// The steps, if the path only names members and elements from the root.
    pub fn steps(&self) -> Option<&[Step]> {
        match &self.query {
            Query::Steps(steps) => Some(steps),
            Query::General(_) => None,
        }
    }

    /// The first node selected.
    pub fn first<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match &self.query {
            Query::Steps(steps) => steps.iter().try_fold(value, |at, step| match step {
                Step::Member(name) => at.get(name.as_str()),
                Step::Element(index) => at.get(*index),
            }),
            Query::General(query) => query.query(value).first(),
        }
    }

    /// Every value it leads to in a text, the first `most`, with numbers as written; nothing if the text is no JSON.
    pub fn scalars(&self, text: &[u8], most: usize) -> Vec<Scalar> {
        let paths: Vec<Self> = match &self.query {
            Query::Steps(_) => vec![self.clone()],
            Query::General(query) => {
                let Ok(value) = serde_json::from_slice::<Value>(text) else { return Vec::new() };
                let found = query.query_located(&value);
                found.locations().take(most).filter_map(|at| at.to_string().parse().ok()).collect()
            }
        };
        super::fields(text, &paths).unwrap_or_default().into_iter().flatten().collect()
    }

    /// Every node selected, in document order.
    pub fn all<'v>(&self, value: &'v Value) -> Vec<&'v Value> {
        match &self.query {
            Query::Steps(_) => self.first(value).into_iter().collect(),
            Query::General(query) => query.query(value).all(),
        }
    }
}

impl PartialEq for Path {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Path {}

impl FromStr for Path {
    type Err = String;

    fn from_str(source: &str) -> Result<Self, String> {
        if source.len() > LONGEST {
            return Err(format!("a JSONPath of {} bytes is too long; at most {LONGEST}", source.len()));
        }
        if !source.starts_with('$') {
            return Err(format!("`{source}` is not a JSONPath; it begins with $, such as $.data or $.page.next"));
        }
        if let Some(steps) = parse_steps(&source[1..]) {
            return Ok(Self { source: source.to_owned(), query: Query::Steps(steps) });
        }
        let mut depth = 0_usize;
        for byte in source.bytes() {
            match byte {
                b'[' | b'(' => depth += 1,
                b']' | b')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > DEEPEST {
                return Err(format!("a JSONPath nested over {DEEPEST} deep is not accepted"));
            }
        }
        let query = serde_json_path::JsonPath::parse(source)
            .map_err(|e| format!("`{source}` is not a JSONPath (RFC 9535): {e}"))?;
        Ok(Self { source: source.to_owned(), query: Query::General(Box::new(query)) })
    }
}

/// Reads `.name`, `['name']`, `["name"]` and `[0]`; anything else is left to the general parser.
fn parse_steps(mut rest: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let name = &after[..end];
            let starts = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
            if !starts || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                return None;
            }
            steps.push(Step::Member(name.to_owned()));
            rest = &after[end..];
        } else {
            let after = rest.strip_prefix('[')?;
            let (inside, tail) = after.split_once(']')?;
            let quoted = ['\'', '"'].iter().find_map(|q| inside.strip_prefix(*q)?.strip_suffix(*q));
            steps.push(match quoted {
                Some(name) if !name.contains(['\\', '\'', '"']) => Step::Member(name.to_owned()),
                None if inside == "0" || !inside.starts_with('0') => Step::Element(inside.parse().ok()?),
                _ => return None,
            });
            rest = tail;
        }
    }
    Some(steps)
}

/// By the way they are written.
impl PartialOrd for Path {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Path {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.source.cmp(&other.source)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

crate::notation::written_as_text!(Path, "JsonPath", FORMAT, "A JSONPath (RFC 9535).", "$.page.next");

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(source: &str) -> Path {
        source.parse().unwrap()
    }

    #[test]
    fn simple_paths_are_steps_and_agree_with_the_general_engine() {
        let value = json!({"a": {"b c": [10, {"d": 11}]}, "b": null});
        for source in ["$", "$.a", "$.a['b c'][1].d", "$[\"a\"]", "$.b", "$.nope", "$.a['b c'][7]", "$.a.b"] {
            let simple = path(source);
            assert!(simple.steps().is_some(), "{source}");
            let general = serde_json_path::JsonPath::parse(source).unwrap();
            assert_eq!(simple.first(&value), general.query(&value).first(), "{source}");
        }
    }

    #[test]
    fn values_are_read_as_written_wherever_they_are() {
        let text = br#"{"b": [["0.10", 0.00000001], ["x", 12345678901234567890.10]], "it's": 1e2}"#;
        let read = |source: &str, most| {
            path(source).scalars(text, most).into_iter().map(|value| value.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(read("$.b[*][1]", 9), ["0.00000001", "12345678901234567890.10"]);
        assert_eq!(read("$.b[*][1]", 1), ["0.00000001"]);
        assert_eq!(read("$.b[0][0]", 9), ["\"0.10\""]);
        assert_eq!(path("$..x").scalars(b"{", 9), []);
    }

    #[test]
    fn the_rest_goes_to_the_general_engine() {
        let value = json!({"a": [{"v": 1}, {"v": 2}]});
        let all = path("$..v");
        assert!(all.steps().is_none());
        assert_eq!(all.all(&value), [&json!(1), &json!(2)]);
        assert_eq!(path("$.a[?@.v == 2].v").first(&value), Some(&json!(2)));
        assert_eq!(path("$.a[-1].v").first(&value), Some(&json!(2)));
    }

    #[test]
    fn wrong_and_hostile_expressions_are_refused() {
        let deep = format!("$[?{}@.a{}]", "(".repeat(100), ")".repeat(100));
        for bad in ["", "data", "$.", "$.a[", "$[01]", &"$".repeat(600), &deep] {
            assert!(bad.parse::<Path>().is_err(), "{bad}");
        }
    }
}
