//! What a run will do: the checks of a suite, cut down to what is selected and permitted. No traffic.

mod selection;

pub use selection::{Choice, NoMatch};

use crate::{
    families::{Check, PlannedCheck, Selection},
    suite::Suite,
};

/// What a run of one suite will do.
pub struct Plan<'s> {
    /// The suite.
    pub suite: &'s Suite,
    /// The checks that have something to do or to say, in the order of the suite.
    pub items: Vec<Item<'s>>,
    /// Whether a rule is chosen for a check; passive families ask it too.
    pub choice: Choice,
}

/// One check and what it will do.
pub struct Item<'s> {
    /// The check.
    pub check: &'s dyn Check,
    /// What it will do.
    pub planned: PlannedCheck,
}

impl<'s> Plan<'s> {
    /// Plans the chosen part of a suite; an item of the choice that matches nothing is an error.
    pub fn new(suite: &'s Suite, choice: Choice) -> Result<Self, NoMatch> {
        choice.validate(suite)?;
        let items = suite
            .checks
            .iter()
            .map(|check| {
                let check: &dyn Check = check.as_ref();
                let wants = |rule: &crate::rule::Rule| choice.wants(rule, check.name());
                let planned = check.plan(&Selection { wants: &wants, permits: &suite.target.permits });
                Item { check, planned }
            })
            .filter(|item| !item.planned.rules.is_empty() || !item.planned.unplanned.is_empty())
            .collect();
        Ok(Self { suite, items, choice })
    }

    /// The most requests it sends, setup and teardown included; each retry and redirect comes on top.
    pub fn requests(&self) -> u64 {
        let steps = (self.suite.setup.len() + self.suite.teardown.len()) as u64;
        steps + self.items.iter().map(|item| item.planned.requests()).sum::<u64>()
    }
}
