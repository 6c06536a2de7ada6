//! Continuation links (RFC 8288): absolute, at the host the caller used, keeping filters, order and size.

use url::form_urlencoded::Serializer;

use super::{asked::Asked, cursors::Binding, mark::Mark};
use crate::reference::{
    defects::pagination::{LINK_INTERNAL_HOST, LINK_LOSES_FILTER},
    http::Call,
    variants::RELATIVE_LINKS,
};

/// Makes the links of one answer.
pub(super) struct Links<'a> {
    pub(super) call: &'a Call<'a>,
    pub(super) asked: &'a Asked,
    pub(super) binding: &'a Binding,
}

impl Links<'_> {
    /// The link to a position.
    pub(super) fn to(&self, mark: Mark) -> Option<String> {
        let loses_filter = self.call.api.behaviour.has(LINK_LOSES_FILTER);
        let binding = if loses_filter { self.binding.unfiltered() } else { *self.binding };
        let cursor = self.call.api.cursors.seal(&binding, mark)?;
        Some(self.url(Some(&cursor), !loses_filter))
    }

    pub(super) fn first(&self) -> String {
        self.url(None, !self.call.api.behaviour.has(LINK_LOSES_FILTER))
    }

    pub(super) fn this(&self) -> String {
        self.url(self.asked.cursor(), true)
    }

    fn url(&self, cursor: Option<&str>, filtered: bool) -> String {
        let mut query = Serializer::new(String::new());
        if filtered {
            query.extend_pairs(&self.asked.filters);
        }
        query.extend_pairs(&self.asked.shape);
        query.extend_pairs(cursor.map(|cursor| ("cursor", cursor)));
        let query = query.finish();
        let is = &self.call.api.behaviour;
        let origin = if is.has(LINK_INTERNAL_HOST) {
            "http://positions.brokerage.internal:8080"
        } else if is.is(RELATIVE_LINKS) {
            ""
        } else {
            &self.call.origin
        };
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{origin}{}{mark}{query}", self.call.path)
    }
}
