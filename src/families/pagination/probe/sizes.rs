//! Page sizes that change in the middle of a walk, are too large, or are no numbers.

use super::{Ask, At, Probe};
use crate::families::pagination::evidence::{Answer, OddSize, OddSizeKind, SizeChange};

impl Probe<'_> {
    /// A larger and a smaller page in the middle of a walk.
    pub(super) async fn size_changes(&mut self) {
        if self.config.page_size.is_none() || self.listing.spelling().is_counted() || !self.wants(&["PAG-002"]) {
            return;
        }
        let (Some(small), Some(large)) = (self.small(), self.large()) else { return };
        for (from, to) in [(small, large), (large.min(small + 4), small)] {
            if from == to {
                continue;
            }
            let first = Ask::start("first page, before the size changes").size(Some(from));
            // A URL holds its own size; it cannot be combined with another.
            let Some((token @ At::Token(_), _)) = self.fresh_token(first).await else { return };
            let ask = Ask::start("next page in another size").at(token).size(Some(to));
            let answer = self.listing.answer(format!("page size {from}, then {to}"), &ask).await;
            self.evidence.size_changes.push(SizeChange { from, to, answer });
        }
    }

    /// Page sizes that are too large or no numbers.
    pub(super) async fn odd_sizes(&mut self) {
        let Some(spec) = &self.config.page_size else { return };
        if !self.wants(&["PAG-003"]) {
            return;
        }
        let mut values = Vec::new();
        if let Some(maximum) = spec.maximum {
            values.push(((maximum + 1).to_string(), OddSizeKind::OverMaximum));
        }
        values.push(("1000000000".into(), OddSizeKind::Huge));
        values.extend(["0", "-1", "abc", "1e3", ""].map(|value| (value.to_owned(), OddSizeKind::Nonsense)));
        for (value, kind) in values {
            let ask = Ask::start("odd page size").filter(&spec.parameter, &value);
            let answer = self.listing.answer(format!("{}={value}", spec.parameter), &ask).await;
            self.evidence.odd_sizes.push(OddSize { value, kind, answer });
        }
    }

    /// A page far beyond the end.
    pub(super) async fn beyond_the_end(&mut self) {
        if !self.listing.spelling().is_counted() || !self.wants(&["PAG-017"]) {
            return;
        }
        let number = if self.config.page.is_some() { "999999" } else { "99999999" };
        let ask = Ask::start("a page beyond the end").at(At::Token(number.into()));
        let parameter = self.config.token_parameter().unwrap_or_default();
        let answer: Answer = self.listing.answer(format!("{parameter}={number}"), &ask).await;
        self.evidence.beyond.push(answer);
    }
}
