//! Drives a listing and collects what the rules need.
//!
//! In order: the listing as it is (quiet walks, sizes, orders, cursors, links, filters), then, where the suite
//! permits writing, the same listing while rows are created and deleted between its pages (`churn`). Only what
//! the planned rules need is sent.

mod churn;
mod filters;
mod links;
mod listing;
mod quiet;
mod sizes;
mod tokens;
mod walker;
mod writes;

use self::{
    listing::{Ask, At, Listing},
    walker::{Walker, Watching},
};
use super::{
    config::{Config, Order},
    evidence::{Evidence, Names, RowId, RowList},
};
use crate::{
    families::{PlannedCheck, Session},
    json::Scalar,
};

/// Pages of a walk that only looks at the beginning of a listing.
pub(super) const SHORT_WALK: u64 = 40;

/// One probe at work.
struct Probe<'a> {
    config: &'a Config,
    session: &'a dyn Session,
    listing: &'a Listing<'a>,
    plan: &'a PlannedCheck,
    evidence: Evidence,
    names: Names,
    /// The rows of the reference walk.
    reference: Vec<RowId>,
    /// Further fields of the rows of the reference walk: one for each filter, then the window's key.
    reference_fields: Vec<(RowId, Vec<Option<Scalar>>)>,
}

/// Drives the listing and returns what was seen, however little.
pub(super) async fn probe(config: &Config, session: &dyn Session, plan: &PlannedCheck) -> Evidence {
    let listing = Listing::new(config, session);
    let mut probe = Probe {
        config,
        session,
        listing: &listing,
        plan,
        evidence: Evidence { declared: config.declared(session.base()), ..Evidence::default() },
        names: Names::default(),
        reference: Vec::new(),
        reference_fields: Vec::new(),
    };
    probe.run().await;
    let mut evidence = probe.evidence;
    evidence.names = probe.names;
    evidence.cut_short = session.stopping();
    if let Some(walk) = evidence.quiet.first_mut() {
        walk.rows = RowList::Listed(probe.reference);
    }
    evidence
}

impl Probe<'_> {
    async fn run(&mut self) {
        if !self.quiet_walks().await {
            return;
        }
        self.bare().await;
        self.sized_walks().await;
        self.size_changes().await;
        self.odd_sizes().await;
        self.ordered_walks().await;
        self.repeated_pages().await;
        self.bad_tokens().await;
        self.foreign_tokens().await;
        self.links().await;
        self.beyond_the_end().await;
        self.filtered_walks().await;
        self.rebound_token().await;
        self.windows().await;
        self.closing_walk().await;
        self.churn().await;
    }

    /// Whether any of the rules is planned and the run goes on.
    fn wants(&self, rules: &[&str]) -> bool {
        self.plan.wants_any(rules) && !self.session.stopping()
    }

    /// The page size of walks that should take few requests.
    fn large(&self) -> Option<u64> {
        self.config.large_size()
    }

    /// A page size with many boundaries.
    fn small(&self) -> Option<u64> {
        self.config.small_size()
    }

    /// The order that holds when none is asked for, if the suite says so.
    fn default_order(&self) -> Option<&Order> {
        let sort = self.config.sort.as_ref()?;
        sort.orders.get(sort.default.as_ref()?)
    }

    /// Watches the sort key of an order (the default one if none is named), where the suite declares it.
    fn watching(&self, order: Option<&str>, keys: bool) -> Watching<'_> {
        let sort = self.config.sort.as_ref();
        let order = match order {
            Some(name) => sort.and_then(|sort| sort.orders.get(name)),
            None => self.default_order(),
        };
        Watching { order: order.map(|o| (&o.key, o.direction)), keys: keys && order.is_some(), fields: Vec::new() }
    }

    /// A fresh first page of small size, and what leads on from it.
    async fn fresh_token(&mut self, ask: Ask) -> Option<(At, Vec<RowId>)> {
        let mut walker = Walker::new(self.listing, ask, &Watching::default(), 2);
        walker.step(&mut self.names).await;
        Some((walker.next()?.clone(), walker.last_page().to_vec()))
    }
}
