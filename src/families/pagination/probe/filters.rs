//! Filters and windows of time: do they deliver what they say, all of it, and nothing else.

use rust_decimal::Decimal;

use super::{Ask, At, Probe, SHORT_WALK, Walker, Watching};
use crate::{
    families::pagination::{
        config::{Filter, Inclusive, Window},
        evidence::{Filtered, NOTHING, Rebound, RowId, Walk, Windows, instant},
    },
    json::Scalar,
};

/// Distinct instants that the windows should span.
const SPANNED: usize = 24;

impl Probe<'_> {
    /// A walk for each filter.
    pub(super) async fn filtered_walks(&mut self) {
        if !self.wants(&["PAG-018"]) {
            return;
        }
        for (slot, filter) in self.config.filters.iter().enumerate() {
            let matching: Vec<RowId> = self
                .reference_fields
                .iter()
                .filter(|(_, values)| satisfies(values[slot].as_ref(), &filter.value))
                .map(|(row, _)| *row)
                .collect();
            let size = self.several_pages(matching.len());
            let ask = Ask::start("filtered walk").size(size).filter(&filter.parameter, &filter.value);
            let watching = Watching { fields: vec![&filter.row], ..Watching::default() };
            let walker = Walker::new(self.listing, ask, &watching, SHORT_WALK.min(self.config.max_pages));
            let mut walker = walker.until_the_end(&mut self.names).await;
            let fields = std::mem::take(&mut walker.fields);
            let violating = fields
                .iter()
                .filter(|(_, values)| !satisfies(values[0].as_ref(), &filter.value))
                .map(|(row, values)| (*row, shown(values[0].as_ref())))
                .collect();
            let name = format!("{}={}", filter.parameter, filter.value);
            self.evidence.filtered.push(Filtered { filter: name, walk: walker.finish(), violating, matching });
        }
    }

    /// A page size in which so many rows take several pages: a filter may be forgotten on the second.
    fn several_pages(&self, rows: usize) -> Option<u64> {
        let (small, large) = (self.small()?, self.large()?);
        Some((rows as u64).div_ceil(4).clamp(small.min(large), large))
    }

    /// A cursor of one filter sent with another.
    pub(super) async fn rebound_token(&mut self) {
        if self.listing.spelling().is_counted() || !self.wants(&["PAG-013"]) {
            return;
        }
        let Some([first, second]) = self.config.two_filters() else { return };
        let ask = Ask::start("a filtered page, for its cursor").size(self.small());
        let issued = ask.clone().filter(&first.0.parameter, first.1);
        // A URL holds its own filter; it cannot be combined with another.
        let Some((token @ At::Token(_), _)) = self.fresh_token(issued).await else { return };
        let sent = Ask { purpose: "a cursor sent with another filter", ..ask }.at(token);
        let sent = sent.filter(&second.0.parameter, second.1);
        let outcome = self.listing.send(&sent).await;
        let (mut in_first, mut in_second, mut neither) = (0, 0, 0);
        if let Ok(reply) = &outcome {
            let reading = self.listing.reading(&[&first.0.row, &second.0.row]);
            let read = reading.reader.read(&reply.body, &mut |fields: &mut [Option<Scalar>]| {
                let one = satisfies(fields[1].as_ref(), first.1);
                let two = satisfies(fields[2].as_ref(), second.1);
                in_first += usize::from(one);
                in_second += usize::from(two);
                neither += usize::from(!one && !two);
            });
            if read.is_err() {
                (in_first, in_second, neither) = (0, 0, 0);
            }
        }
        let name = |(filter, value): (&Filter, &str)| format!("{}={value}", filter.parameter);
        self.evidence.rebound = Some(Rebound {
            issued_for: name(first),
            sent_with: name(second),
            answer: self.listing.told("a cursor sent with another filter", &sent, outcome),
            first: in_first,
            second: in_second,
            neither,
        });
    }

    /// Two windows that meet at an instant, and the one that spans both.
    pub(super) async fn windows(&mut self) {
        let Some(window) = &self.config.window else { return };
        if !self.wants(&["PAG-018"]) {
            return;
        }
        let slot = self.config.filters.len();
        let keyed: Vec<(RowId, String, jiff::Timestamp)> = self
            .reference_fields
            .iter()
            .filter_map(|(row, values)| {
                let key = values[slot].as_ref()?;
                Some((*row, key.text()?.to_owned(), instant(key)?))
            })
            .collect();
        let Some(instants) = three_instants(&keyed) else { return };
        let texts = instants.clone().map(|(text, _)| text);
        let [start, middle, end] = instants.map(|(_, at)| at);
        let early = self.window_walk(window, &texts[0], &texts[1]).await;
        let late = self.window_walk(window, &texts[1], &texts[2]).await;
        let whole = self.window_walk(window, &texts[0], &texts[2]).await;
        let mut outside = Vec::new();
        for ((_, fields), (from, to)) in
            [&early, &late, &whole].into_iter().zip([(start, middle), (middle, end), (start, end)])
        {
            for (row, values) in fields {
                let Some(at) = values[0].as_ref().and_then(instant) else { continue };
                // A key may have a fraction that is not shown: what looks like the instant itself may be later.
                let excluded = match window.inclusive {
                    Inclusive::Both | Inclusive::To => at < from || at > to,
                    Inclusive::From | Inclusive::Neither => at < from || at >= to,
                };
                if excluded {
                    outside.push((*row, shown(values[0].as_ref())));
                }
            }
        }
        // Only where the listing's own order is that of the window's key is its beginning without gaps in time.
        let gapless = self.evidence.quiet.first().is_some_and(Walk::is_complete)
            || self.default_order().is_some_and(|order| order.key == window.key);
        let inside = keyed.iter().filter(|(_, _, at)| gapless && *at > start && *at < end).map(|(row, ..)| *row);
        self.evidence.windows = Some(Windows {
            inclusive: window.inclusive,
            instants: texts,
            at_boundary: keyed.iter().filter(|(_, _, at)| *at == middle).map(|(row, ..)| *row).collect(),
            inside: inside.collect(),
            early: early.0,
            late: late.0,
            whole: whole.0,
            outside,
        });
    }

    async fn window_walk(
        &mut self,
        window: &Window,
        from: &str,
        to: &str,
    ) -> (Walk, Vec<(RowId, Vec<Option<Scalar>>)>) {
        let ask = Ask::start("walk of a window")
            .size(self.several_pages(SPANNED))
            .filter(&window.from, from)
            .filter(&window.to, to);
        let watching = Watching { fields: vec![&window.key], ..Watching::default() };
        let walker = Walker::new(self.listing, ask, &watching, SHORT_WALK.min(self.config.max_pages));
        let mut walker = walker.until_the_end(&mut self.names).await;
        let fields = std::mem::take(&mut walker.fields);
        (walker.finish(), fields)
    }
}

/// Three instants of rows, with a handful of distinct ones before, between and behind them.
fn three_instants(keyed: &[(RowId, String, jiff::Timestamp)]) -> Option<[(String, jiff::Timestamp); 3]> {
    let mut distinct: Vec<(jiff::Timestamp, &str)> = Vec::new();
    for (_, text, at) in keyed {
        if !distinct.iter().any(|(known, _)| known == at) {
            distinct.push((*at, text));
        }
        if distinct.len() == SPANNED {
            break;
        }
    }
    if distinct.len() < 7 {
        return None;
    }
    distinct.sort_unstable();
    let pick = |index: usize| (distinct[index].1.to_owned(), distinct[index].0);
    Some([pick(2), pick(distinct.len() / 2), pick(distinct.len() - 3)])
}

/// Whether a row's value is what a filter asks for: the same text whatever its case, or the same number.
fn satisfies(value: Option<&Scalar>, wanted: &str) -> bool {
    let text = match value {
        Some(Scalar::Bool(value)) => value.to_string(),
        Some(value) => value.text().unwrap_or_default().to_owned(),
        None => return false,
    };
    let number = |text: &str| text.parse::<Decimal>().ok();
    text.eq_ignore_ascii_case(wanted) || (number(&text).is_some() && number(&text) == number(wanted))
}

fn shown(value: Option<&Scalar>) -> String {
    value.map_or_else(|| NOTHING.into(), |value| value.to_string().chars().take(60).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_satisfied_by_the_same_text_or_number() {
        let text = |t: &str| Some(Scalar::Text(t.into()));
        assert!(satisfies(text("AAPL").as_ref(), "aapl"));
        assert!(satisfies(Some(&Scalar::Number("1.0".into())), "1"));
        assert!(satisfies(Some(&Scalar::Bool(true)), "true"));
        assert!(!satisfies(text("MSFT").as_ref(), "AAPL"));
        assert!(!satisfies(None, "AAPL") && !satisfies(Some(&Scalar::Null), "AAPL"));
    }

    #[test]
    fn three_instants_have_others_around_them() {
        let keyed: Vec<_> = (0..9_u8)
            .map(|n| {
                let text = format!("2026-01-0{}T00:00:00Z", 9 - n);
                let at = text.parse().unwrap();
                (RowId(n.into()), text, at)
            })
            .collect();
        let picked = three_instants(&keyed).unwrap().map(|(text, _)| text);
        assert_eq!(picked, ["2026-01-03T00:00:00Z", "2026-01-05T00:00:00Z", "2026-01-07T00:00:00Z"]);
        assert!(three_instants(&keyed[..6]).is_none());
    }
}
