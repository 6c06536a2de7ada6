//! Query parameters: each known, each at most once.

use url::form_urlencoded;

use crate::reference::problem::{Fault, Problem};

/// The parameters of a request, in the order sent.
#[derive(Debug, Clone, Default)]
pub(in crate::reference) struct Query(Vec<(String, String)>);

impl Query {
    pub(in crate::reference) fn parse(query: Option<&str>) -> Self {
        Self(form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect())
    }

    pub(in crate::reference) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The parameters as one text.
    pub(in crate::reference) fn spelled(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }

    /// Refuses parameters that are not in `known`, and repeated ones: a misspelt filter must not pass for no filter.
    pub(in crate::reference) fn only(&self, known: &[&str]) -> Result<(), Problem> {
        for (index, (name, value)) in self.0.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let detail = if known.is_empty() {
                    "this resource takes no query parameters".to_owned()
                } else {
                    format!("this resource takes the query parameters {}", known.join(", "))
                };
                return Err(Problem::new(Fault::UnknownParameter, detail).received(&format!("{name}={value}")));
            }
            if self.0[..index].iter().any(|(earlier, _)| earlier == name) {
                let detail = format!("the query parameter {name} is given more than once");
                return Err(Problem::new(Fault::RepeatedParameter, detail).parameter(name).received(value));
            }
        }
        Ok(())
    }
}
