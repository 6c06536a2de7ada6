//! `--only` and `--skip`: families, checks and rules by name.

use std::collections::BTreeSet;

use crate::{
    families::{self, FAMILIES, nearest},
    rule::Rule,
    suite::Suite,
};

/// Which part of a suite to run; empty means all of it.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// Only these: names of families or checks, or ids of rules.
    pub only: Vec<String>,
    /// None of these.
    pub skip: Vec<String>,
}

/// An item of a choice that matches nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no family, check or rule of this suite; {help}")]
pub struct NoMatch {
    /// The item.
    pub name: String,
    /// What was probably meant.
    pub help: String,
}

impl Choice {
    /// Whether a rule is to be judged on a check.
    pub fn wants(&self, rule: &Rule, check: &str) -> bool {
        let matches = |name: &String| {
            rule.id.eq_ignore_ascii_case(name) || rule.family == name.as_str() || check == name.as_str()
        };
        // Items of one kind are alternatives, kinds narrow each other: `--only positions --only PAG-005`.
        let kind = |name: &String| -> u8 {
            if families::rule(name).is_some() { 0 } else { u8::from(families::family(name).is_none()) + 1 }
        };
        let kinds: BTreeSet<u8> = self.only.iter().map(kind).collect();
        let chosen = kinds.iter().all(|k| self.only.iter().any(|name| kind(name) == *k && matches(name)));
        chosen && !self.skip.iter().any(matches)
    }

    /// Finds an item that matches nothing.
    pub(super) fn validate(&self, suite: &Suite) -> Result<(), NoMatch> {
        let checks: Vec<&str> = suite.checks.iter().map(|check| check.name()).collect();
        for name in self.only.iter().chain(&self.skip) {
            let known =
                families::rule(name).is_some() || families::family(name).is_some() || checks.contains(&name.as_str());
            if !known {
                let rules = families::rules().map(|judged| judged.rule.id);
                let families = FAMILIES.iter().map(|family| family.name);
                let upper = name.to_ascii_uppercase();
                let looks_like_rule = name.contains('-') && name.bytes().any(|b| b.is_ascii_digit());
                let help = if looks_like_rule {
                    let closest = rules.min_by_key(|id| strsim::damerau_levenshtein(&upper, id)).unwrap_or_default();
                    format!("did you mean `{closest}`? `fincheck rules` lists them all")
                } else {
                    nearest(name, families.chain(checks.iter().copied()))
                };
                return Err(NoMatch { name: name.clone(), help });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(only: &[&str], skip: &[&str], rule: &str, check: &str) -> bool {
        let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect();
        let choice = Choice { only: owned(only), skip: owned(skip) };
        choice.wants(families::rule(rule).unwrap().rule, check)
    }

    #[test]
    fn names_of_a_kind_are_alternatives_and_kinds_narrow() {
        assert!(wants(&[], &[], "PAG-005", "positions"));
        assert!(wants(&["pag-005"], &[], "PAG-005", "positions"));
        assert!(!wants(&["PAG-004"], &[], "PAG-005", "positions"));
        assert!(wants(&["PAG-004", "PAG-005", "positions"], &[], "PAG-005", "positions"));
        assert!(!wants(&["PAG-005", "orders"], &[], "PAG-005", "positions"));
        assert!(wants(&["pagination"], &[], "PAG-005", "positions"));
    }

    #[test]
    fn skip_wins_over_only() {
        assert!(!wants(&["pagination"], &["positions"], "PAG-005", "positions"));
        assert!(!wants(&[], &["PAG-005"], "PAG-005", "positions"));
    }
}
