//! What is wrong with a family's block of a suite, beyond its shape.

use std::collections::{BTreeSet, HashSet};

/// One problem, at a place of the item that was loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// JSON Pointer within the item; empty for the item itself.
    pub at: String,
    /// What is wrong.
    pub message: String,
    /// What would be right, if that can be said.
    pub help: Option<String>,
}

impl Problem {
    /// A problem at a place of the item.
    pub fn new(at: impl Into<String>, message: impl Into<String>) -> Self {
        Self { at: at.into(), message: message.into(), help: None }
    }

    /// Says what would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// What the rest of the suite offers to a check that is being loaded.
#[derive(Debug)]
pub struct Setting<'a> {
    /// The names of the suite's clients.
    pub clients: &'a BTreeSet<String>,
    /// The names that templates may use: variables and captures of setup steps.
    pub names: &'a BTreeSet<String>,
}

impl Setting<'_> {
    /// Says so if a client is unknown.
    pub fn known_client(&self, name: &str, at: &str, problems: &mut Vec<Problem>) {
        if !self.clients.contains(name) && name != "anonymous" {
            let problem = Problem::new(at, format!("there is no client `{name}`"));
            problems.push(problem.help(nearest(name, self.clients.iter().map(String::as_str))));
        }
    }

    /// Says so if a template uses names that nothing defines; `own` names are supplied by the check itself.
    pub fn known_names<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
        own: &[&str],
        at: &str,
        problems: &mut Vec<Problem>,
    ) {
        for name in names {
            if !self.names.contains(name) && !own.contains(&name) {
                let known = self.names.iter().map(String::as_str).chain(own.iter().copied());
                let problem =
                    Problem::new(at, format!("`{{{{{name}}}}}` is not in `vars` and no setup step captures it"));
                problems.push(problem.help(nearest(name, known)));
            }
        }
    }
}

/// "did you mean", or the list of what there is.
pub fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let mut known: Vec<&str> = known.into_iter().collect();
    let mut seen = HashSet::new();
    known.retain(|candidate| seen.insert(*candidate));
    let best = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= (candidate.len().max(name.len()) / 3).max(1));
    match best {
        Some((_, candidate)) => format!("did you mean `{candidate}`?"),
        None if known.is_empty() => "there are none".into(),
        None => format!("there is {}", known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")),
    }
}
