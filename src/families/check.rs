//! One configured instance of a family in a suite.

use std::collections::BTreeSet;

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{Conventions, Family, Permit, Session};
use crate::rule::Rule;

/// One configured instance of a family in a suite.
pub trait Check: Send + Sync {
    /// The name the suite gives it.
    fn name(&self) -> &str;

    /// Its family.
    fn family(&self) -> &'static Family;

    /// What it would do for the selected rules, and which of its rules it cannot judge and why; no traffic.
    fn plan(&self, selection: &Selection<'_>) -> PlannedCheck;

    /// Takes note of the suite's conventions, where judging needs them; called once, before planning.
    fn adopt(&mut self, _conventions: &Conventions) {}

    /// Drives the traffic that the planned rules need and returns what was seen, however little.
    fn probe<'a>(&'a self, session: &'a dyn Session, plan: &'a PlannedCheck) -> BoxFuture<'a, Evidence>;
}

/// Which rules a run wants of a check, and what it may do.
pub struct Selection<'a> {
    /// Whether a rule (by id) is wanted of this check.
    pub wants: &'a dyn Fn(&Rule) -> bool,
    /// What the target permits.
    pub permits: &'a BTreeSet<Permit>,
}

impl Selection<'_> {
    /// Whether the target permits something.
    pub fn permits(&self, permit: Permit) -> bool {
        self.permits.contains(&permit)
    }
}

/// What a check will do.
#[derive(Debug, Clone, Default)]
pub struct PlannedCheck {
    /// The rules it will judge.
    pub rules: Vec<&'static str>,
    /// Rules of its that will not be judged, and why.
    pub unplanned: Vec<Unplanned>,
    /// What it does, one line each, with the most requests it takes.
    pub steps: Vec<(String, u64)>,
    /// How many of those requests write, at most.
    pub writes: u64,
    /// The clients whose credentials it uses.
    pub clients: Vec<String>,
    /// How it gets along with other checks.
    pub footprint: Footprint,
    /// What it writes to, as the suite spells it (`/v1/accounts/{{account}}/transfers`): two writing checks that name
    /// nothing in common run side by side; one that names nothing runs beside no other writer.
    pub touches: Vec<String>,
    /// The clients whose limits it spends, where a limit counts each client by itself: it then runs beside every check
    /// that uses none of them. A saturating check that names none runs alone.
    pub saturates: Vec<String>,
    /// Whether the target is asked to call us.
    pub callbacks: bool,
    /// Whether its rules are judged on what the family's observer saw of the whole run.
    pub passive: bool,
}

impl PlannedCheck {
    /// Takes a rule in if the target permits all that it needs, and says else which permit is missing.
    pub fn admit(&mut self, rule: &'static str, needs: impl IntoIterator<Item = Permit>, selection: &Selection<'_>) {
        match needs.into_iter().find(|permit| !selection.permits(*permit)) {
            Some(permit) => {
                let why = format!("`target.permits` does not list `{}`", permit.as_str());
                self.unplanned.push(Unplanned { rule, permit: Some(permit), why });
            }
            None => self.rules.push(rule),
        }
    }

    /// Whether a rule will be judged.
    pub fn wants(&self, id: &str) -> bool {
        self.rules.contains(&id)
    }

    /// Whether any of the rules will be judged.
    pub fn wants_any(&self, ids: &[&str]) -> bool {
        ids.iter().any(|id| self.wants(id))
    }

    /// The most requests it will send.
    pub fn requests(&self) -> u64 {
        self.steps.iter().map(|(_, requests)| requests).sum()
    }
}

/// A rule that a check will not judge.
#[derive(Debug, Clone)]
pub struct Unplanned {
    /// The rule's id.
    pub rule: &'static str,
    /// The permit that is missing; none if the suite does not say what the rule needs.
    pub permit: Option<Permit>,
    /// Why, for people.
    pub why: String,
}

/// How a check gets along with others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Footprint {
    /// Only reads: runs beside other readers.
    #[default]
    Reads,
    /// Writes: runs beside no check that writes to the same.
    Writes,
    /// Spends a client's rate limit: runs beside no check that uses it.
    Saturates,
}

/// What a check's probe saw; one variant per family.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Nothing: the probe could not start.
    None,
    /// Of `async_operation`.
    AsyncOperation(Box<super::async_operation::Evidence>),
    /// Of `errors`.
    Errors(Box<super::errors::Evidence>),
    /// Of `pagination`.
    Pagination(Box<super::pagination::Evidence>),
    /// Of `idempotency`.
    Idempotency(Box<super::idempotency::Evidence>),
    /// Of `rate_limit`.
    RateLimit(Box<super::rate_limit::Evidence>),
    /// Of `websocket`.
    #[serde(rename = "websocket")]
    WebSocket(Box<super::websocket::Evidence>),
}
