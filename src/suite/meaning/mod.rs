//! What types and schema cannot say: names that must be known, values that depend on others, things that look wrong.

mod checks;
mod numbers;
mod steps;
mod target;
mod waivers;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    Options, Suite,
    diagnostic::{Complaint, Complaints},
    sections::{Sections, escape},
    source::Files,
    yaml::{Kind, Node},
};
use crate::{
    families::{Check, Problem},
    notation::Values,
};

/// Names that every template may use.
pub(super) const ALWAYS: [&str; 2] = ["run_id", "uuid"];

/// What is looked at while the parts are checked against each other.
pub(super) struct Meaning<'a> {
    pub(super) root: &'a Node,
    pub(super) document: &'a Map<String, Value>,
    pub(super) files: &'a Files,
    pub(super) options: &'a Options<'a>,
}

/// What came of it.
pub(super) struct Loaded {
    /// The suite, as far as its parts fit; its file, text and secrets are still to be filled in.
    pub(super) suite: Option<Box<Suite>>,
    /// What families say of their checks: JSON Pointer of the item, and the problem within it.
    pub(super) problems: Vec<(String, Problem)>,
}

impl Meaning<'_> {
    /// Checks everything that can be checked, whatever else is wrong.
    pub(super) fn check(&self, sections: Sections, complaints: &mut Complaints) -> Loaded {
        let clients: BTreeSet<String> = self.keys("clients").map(str::to_owned).collect();
        self.clients(complaints);
        let vars: Values = sections.vars.into_iter().map(|(name, value)| (name, value.0)).collect();
        self.vars(&vars, complaints);
        let mut names: BTreeSet<String> = ALWAYS.into_iter().chain(self.keys("vars")).map(str::to_owned).collect();
        let target = self.target(sections.target, complaints);
        let setup = self.steps("setup", sections.setup, &clients, &mut names, complaints);
        let (mut checks, problems) = self.checks(&clients, &names, complaints);
        let teardown = self.steps("teardown", sections.teardown, &clients, &mut names, complaints);
        let waivers = self.waivers(sections.waivers, complaints);
        let severity = self.severity(sections.severity, complaints);
        self.conventions(complaints);
        self.numbers(complaints);
        let conventions = sections.conventions.unwrap_or_default();
        let mut problems = problems;
        let wrong = crate::families::errors::problems_of_conventions(&conventions);
        problems.extend(wrong.into_iter().map(|problem| ("/conventions".to_owned(), problem)));
        for check in &mut checks {
            check.adopt(&conventions);
        }
        // Families that watch all traffic have a check that no suite writes down.
        let names: Vec<String> = clients.iter().cloned().collect();
        for observer in self.options.families.iter().filter_map(|family| family.observer) {
            checks.extend(observer(&conventions).check(&names));
        }
        let (Some(name), Some(target)) = (sections.name, target) else { return Loaded { suite: None, problems } };
        let suite = Suite {
            name,
            file: String::new(),
            sha256: String::new(),
            text: String::new(),
            included: Vec::new(),
            target,
            clients: sections.clients,
            limits: sections.limits.unwrap_or_default(),
            vars,
            conventions,
            setup,
            teardown,
            checks,
            waivers,
            severity,
            secrets: Vec::new(),
            warnings: Vec::new(),
        };
        Loaded { suite: Some(Box::new(suite)), problems }
    }

    /// The keys of a mapping at the root.
    fn keys(&self, section: &str) -> impl Iterator<Item = &str> {
        self.root.get(section).into_iter().flat_map(Node::entries).map(|entry| entry.key.as_str())
    }

    /// Complains about the value at a JSON Pointer.
    fn error<'c>(&self, at: &str, message: impl Into<String>, complaints: &'c mut Complaints) -> &'c mut Complaint {
        complaints.error(self.root.locate(at).node.place, message)
    }

    /// Complains about the key whose value is at a JSON Pointer.
    fn key_error<'c>(&self, at: &str, message: impl Into<String>, complaints: &'c mut Complaints) -> &'c mut Complaint {
        let located = self.root.locate(at);
        complaints.error(located.key.unwrap_or(located.node.place), message)
    }

    /// Passes problems on, each at the part of the value that it quotes.
    fn problems(&self, problems: &[Problem], complaints: &mut Complaints) {
        for problem in problems {
            let place = self.root.locate(&problem.at).node.place;
            let place = self.files.narrow_to_quoted(place, &problem.message);
            complaints.error(place, problem.message.clone()).help_if(problem.help.as_deref());
        }
    }

    fn clients(&self, complaints: &mut Complaints) {
        for name in self.keys("clients") {
            let at = format!("/clients/{}", escape(name));
            if matches!(name, "anonymous" | "forged") {
                let message = format!(
                    "`{name}` is what reports call requests without a client of the suite; choose another name"
                );
                self.key_error(&at, message, complaints);
            }
            for kind in self.root.locate(&at).node.entries() {
                let at = format!("{at}/{}", escape(&kind.key));
                match (kind.key.as_str(), &kind.value.kind) {
                    ("bearer", Kind::Text(text)) if text.is_empty() => {
                        self.error(&at, "the token is empty", complaints);
                    }
                    ("basic", Kind::Map(_))
                        if kind.value.get("username").and_then(Node::text).is_some_and(|n| n.contains(':')) =>
                    {
                        self.error(&format!("{at}/username"), "a user name holds no colon (RFC 7617 §2)", complaints);
                    }
                    ("header" | "query", Kind::Map(entries)) if entries.is_empty() => {
                        self.key_error(&at, "there is no credential in it", complaints);
                    }
                    ("header", Kind::Map(entries)) => {
                        let fields = entries.iter().map(|entry| (entry.key.as_str(), entry.value.scalar()));
                        self.fields(&at, fields, complaints);
                    }
                    _ => {}
                }
            }
        }
    }

    fn vars(&self, vars: &Values, complaints: &mut Complaints) {
        for (name, value) in vars {
            let at = format!("/vars/{}", escape(name));
            self.name(&at, name, complaints);
            if value.contains("{{") {
                let place = self.root.locate(&at).node.place;
                complaints.warning(place, "`{{...}}` is not filled in inside a variable, but sent as it is");
            }
        }
    }

    /// Complains about a key that cannot be a `{{name}}` or that means something already.
    fn name(&self, at: &str, name: &str, complaints: &mut Complaints) {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) {
            self.key_error(at, "a name for `{{...}}` holds letters, digits, `_`, `-` and `.`", complaints);
        } else if ALWAYS.contains(&name) {
            self.key_error(at, format!("`{{{{{name}}}}}` has a meaning of its own"), complaints)
                .help("`run_id` is one id for the whole run, `uuid` a new one each time; choose another name");
        }
    }

    /// Complains about header fields that cannot be sent; values are not quoted.
    fn fields<'f>(
        &self,
        at: &str,
        fields: impl IntoIterator<Item = (&'f str, Option<&'f str>)>,
        complaints: &mut Complaints,
    ) {
        for (name, value) in fields {
            let at = format!("{at}/{}", escape(name));
            if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                self.key_error(&at, "this is not the name of a header field", complaints)
                    .help("names hold letters, digits and `-`, such as X-Api-Key");
            }
            if value.is_some_and(|value| http::HeaderValue::from_str(value).is_err()) {
                self.error(&at, "the value holds a character that no header field can carry", complaints);
            }
        }
    }

    fn conventions(&self, complaints: &mut Complaints) {
        for name in ["money", "timestamps"] {
            if let Some(entry) = self.root.get("conventions").and_then(|conventions| conventions.entry(name)) {
                let message = format!("`{name}` is read, but this version does not judge it yet");
                complaints.warning(entry.key_place, message);
            }
        }
        for at in ["/conventions/correlation/request", "/conventions/correlation/response"] {
            let located = self.root.locate(at);
            let text = located.node.text().filter(|_| located.complete);
            if text.is_some_and(|text| http::HeaderName::from_bytes(text.as_bytes()).is_err()) {
                self.error(at, "this is not the name of a header field", complaints);
            }
        }
    }
}

/// The checks of a suite, and what families say of those that cannot be made.
type Checks = (Vec<Box<dyn Check>>, Vec<(String, Problem)>);

/// Severities by the id the catalogue spells.
type Severities = BTreeMap<String, crate::rule::Severity>;
