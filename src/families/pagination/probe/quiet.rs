//! Walks while nothing is written: the reference, its repetition, other sizes, other orders.

use super::{Ask, At, Probe, SHORT_WALK, Walker, Watching};
use crate::{
    exchange::FailureKind,
    families::pagination::evidence::{Answer, End, Got, RowList, Walk},
    json::Path,
};

/// Rules for which one walk is not enough.
const NEED_TWO: &[&str] =
    &["PAG-005", "PAG-006", "PAG-007", "PAG-008", "PAG-009", "PAG-010", "PAG-011", "PAG-017", "PAG-018", "PAG-019"];

impl Probe<'_> {
    /// The reference walk and one or two repetitions; false if the listing cannot be read at all.
    pub(super) async fn quiet_walks(&mut self) -> bool {
        let mut watching = self.watching(None, self.plan.wants("PAG-008"));
        if self.plan.wants("PAG-018") {
            watching.fields = self.filtered_by();
        }
        if !self.plan.wants_any(&["PAG-008", "PAG-009", "PAG-006", "PAG-007"]) {
            watching.order = None;
        }
        let ask = Ask::start("walk").size(self.large());
        let walker = Walker::new(self.listing, ask.clone(), &watching, self.config.max_pages);
        let mut walker = walker.until_the_end(&mut self.names).await;
        self.reference_fields = std::mem::take(&mut walker.fields);
        let mut walk = walker.finish();
        if walk.pages.is_empty() {
            self.evidence.blocked = Some(self.blocked(&walk));
            return false;
        }
        if let RowList::Listed(rows) = std::mem::take(&mut walk.rows) {
            self.reference = rows;
        }
        if walk.nameless > 0 && self.reference.is_empty() {
            self.evidence.blocked = Some(self.no_ids(&walk));
            self.evidence.quiet.push(walk);
            return false;
        }
        self.evidence.quiet.push(walk);
        for _ in 0..2 {
            let agreed = self.evidence.quiet.len() > 1 && self.quiet_agree();
            if agreed || !self.wants(NEED_TWO) {
                break;
            }
            let ask = Ask { purpose: "the same walk again", ..ask.clone() };
            let walker = Walker::new(self.listing, ask, &Watching::default(), self.config.max_pages);
            let walk = walker.against(&self.reference).until_the_end(&mut self.names).await.finish();
            self.evidence.quiet.push(walk);
        }
        true
    }

    /// What the declared filters and the window select rows by.
    fn filtered_by(&self) -> Vec<&Path> {
        let filters = self.config.filters.iter().map(|filter| &filter.row);
        filters.chain(self.config.window.iter().map(|window| &window.key)).collect()
    }

    /// The reference walk once more, if anything was held against it meanwhile: between two equal walks at its
    /// beginning others may well write before its end.
    pub(super) async fn closing_walk(&mut self) {
        let evidence = &self.evidence;
        let compared = !evidence.sized.is_empty()
            || !evidence.ordered.is_empty()
            || !evidence.repeated_pages.is_empty()
            || !evidence.filtered.is_empty()
            || evidence.windows.is_some();
        if !compared || evidence.quiet.len() != 2 || !self.quiet_agree() || !self.wants(NEED_TWO) {
            return;
        }
        let ask = Ask::start("the same walk at the end").size(self.large());
        let mut watching = Watching::default();
        if self.plan.wants("PAG-018") {
            watching.fields = self.filtered_by();
        }
        let walker = Walker::new(self.listing, ask, &watching, self.config.max_pages);
        let mut walker = walker.against(&self.reference).until_the_end(&mut self.names).await;
        let fields = std::mem::take(&mut walker.fields);
        self.evidence.rewritten = fields.iter().zip(&self.reference_fields).filter(|(now, then)| now != then).count();
        self.evidence.closing = Some(walker.finish());
    }

    /// Whether every repetition gave the rows of the reference walk in the same order.
    pub(super) fn quiet_agree(&self) -> bool {
        self.evidence.quiet.iter().skip(1).all(|walk| walk.rows == RowList::AsReference(self.reference.len()))
    }

    fn no_ids(&self, walk: &Walk) -> Answer {
        let why = format!("none of its {} rows has an id at `{}` (`id`)", walk.nameless, self.config.id);
        let sent = format!("{} ({})", self.config.request, walk.asked);
        let exchange = walk.pages.first().map(|page| page.exchange);
        Answer { sent, exchange, got: Got::Unreadable { status: 200, why } }
    }

    fn blocked(&self, walk: &Walk) -> Answer {
        let got = match &walk.end {
            End::Refused { status, .. } => Got::Refused { status: *status },
            End::Unreadable { why, .. } => Got::Unreadable { status: 200, why: why.clone() },
            End::Failed { kind, why, .. } => Got::Nothing { kind: *kind, why: why.clone() },
            other => Got::Nothing { kind: FailureKind::Protocol, why: other.told() },
        };
        let sent = format!("{} ({})", self.config.request, walk.asked);
        let got = match self.listing.trouble() {
            Some(why) => Got::Nothing { kind: FailureKind::Request, why },
            None => got,
        };
        Answer { sent, exchange: walk.end.exchange(), got }
    }

    /// The listing without any paging parameter.
    pub(super) async fn bare(&mut self) {
        if self.wants(&["PAG-001"]) {
            let ask = Ask::start("list without paging parameters").at(At::Bare);
            self.evidence.bare = Some(self.listing.answer(self.config.request.to_string(), &ask).await);
        }
    }

    /// Walks with other page sizes.
    pub(super) async fn sized_walks(&mut self) {
        if !self.wants(&["PAG-002", "PAG-008", "PAG-010"]) {
            return;
        }
        for size in self.config.other_sizes() {
            let watching = self.watching(None, self.plan.wants("PAG-008"));
            let ask = Ask::start("walk with another page size").size(Some(size));
            let walker = Walker::new(self.listing, ask, &watching, SHORT_WALK.min(self.config.max_pages));
            let walk = walker.against(&self.reference).until_the_end(&mut self.names).await.finish();
            self.evidence.sized.push(walk);
        }
    }

    /// Walks in each declared order, and an order that does not exist.
    pub(super) async fn ordered_walks(&mut self) {
        let Some(sort) = &self.config.sort else { return };
        if sort.parameter.is_none() || !self.wants(&["PAG-009"]) {
            return;
        }
        for name in sort.orders.keys() {
            let watching = self.watching(Some(name), false);
            let ask = Ask::start("walk in a declared order").size(self.large()).order(Some(name.clone()));
            let walker = Walker::new(self.listing, ask, &watching, SHORT_WALK.min(self.config.max_pages));
            let walk = walker.against(&self.reference).until_the_end(&mut self.names).await.finish();
            self.evidence.ordered.push(walk);
        }
        let ask = Ask::start("an order that does not exist").order(Some("fincheck_no_such_order".into()));
        self.evidence.unknown_order = Some(self.listing.answer("an order that does not exist", &ask).await);
    }
}
