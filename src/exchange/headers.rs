//! Header fields of a message, in the order received.

use serde::{Deserialize, Serialize};

/// Header fields, names in lower case, repeated fields kept apart.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Adds a field; bytes that are not UTF-8 must have been replaced before.
    pub fn push(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// Replaces every field of that name by one.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.push(name, value);
    }

    /// Removes every field of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The first field of that name (case-insensitive), if any.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// Every field of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(n, v)| (n.as_str(), v.as_str()))
    }

    /// The media type without parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.get("content-type")?;
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        (!essence.is_empty()).then_some(essence)
    }
}

impl FromIterator<(String, String)> for Headers {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(fields: T) -> Self {
        let mut headers = Self::default();
        for (name, value) in fields {
            headers.push(&name, value);
        }
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match_whatever_their_case_and_repeats_are_kept() {
        let mut headers = Headers::default();
        headers.push("Link", "<a>; rel=next");
        headers.push("LINK", "<b>; rel=prev");
        assert_eq!(headers.all("link").collect::<Vec<_>>(), ["<a>; rel=next", "<b>; rel=prev"]);
        headers.set("Link", "x");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("link", "x")]);
    }

    #[test]
    fn media_type_drops_parameters_and_case() {
        let mut headers = Headers::default();
        headers.push("Content-Type", "Application/Problem+JSON; charset=utf-8");
        assert_eq!(headers.media_type().as_deref(), Some("application/problem+json"));
        headers.set("Content-Type", " ");
        assert_eq!(headers.media_type(), None);
    }
}
