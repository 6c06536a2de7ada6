//! A suite that was found valid.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::civil::Date;
use url::Url;

use super::{Diagnostic, Step};
use crate::{
    exchange::Headers,
    families::{Check, Conventions, Permit},
    notation::Values,
    rule::Severity,
    wire::{Credentials, Limits},
};

/// A valid suite: every name in it is known, every value has been read.
pub struct Suite {
    /// What reports call it.
    pub name: String,
    /// The file, as it was named.
    pub file: String,
    /// SHA-256 of the text, in lower-case hexadecimal.
    pub sha256: String,
    /// The text, with `${NAME}` as written.
    pub text: String,
    /// The files it builds on, nearest first.
    pub included: Vec<Included>,
    /// What is tested.
    pub target: Target,
    /// The credentials to use, by name.
    pub clients: BTreeMap<String, Credentials>,
    /// The bounds of a run.
    pub limits: Limits,
    /// Values for `{{name}}`.
    pub vars: Values,
    /// What every exchange is held against.
    pub conventions: Conventions,
    /// Requests to make before the checks.
    pub setup: Vec<Step>,
    /// Requests to make at the end.
    pub teardown: Vec<Step>,
    /// The checks, by family and in the order of the text.
    pub checks: Vec<Box<dyn Check>>,
    /// Known failures that someone accepts.
    pub waivers: Vec<Waiver>,
    /// Other severities for rules, by rule id.
    pub severity: BTreeMap<String, Severity>,
    /// Every credential in each form it is sent in, and every value that came into `clients` or `target.headers` from the environment.
    pub secrets: Vec<String>,
    /// What may not be as it was meant.
    pub warnings: Vec<Diagnostic>,
}

/// A file a suite builds on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// The file, relative to the suite's folder.
    pub file: String,
    /// SHA-256 of the text, in lower-case hexadecimal.
    pub sha256: String,
    /// The text, with `${NAME}` as written.
    pub text: String,
}

/// What is tested.
#[derive(Debug, Clone)]
pub struct Target {
    /// Paths of requests are appended to it; http or https, without credentials, query and fragment.
    pub base_url: Url,
    /// What a run may do to it.
    pub permits: BTreeSet<Permit>,
    /// Header fields to send with every request.
    pub headers: Headers,
    /// Whether to speak HTTP/2 from the first byte on.
    pub http2: bool,
}

/// A known failure that someone accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiver {
    /// The rule's id, as the catalogue spells it.
    pub rule: String,
    /// The check it fails on; every check if none.
    pub check: Option<String>,
    /// Why the failure is accepted.
    pub reason: String,
    /// Who accepts it.
    pub owner: String,
    /// The last day it holds.
    pub expires: Date,
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Credentials are left out on purpose.
        f.debug_struct("Suite")
            .field("name", &self.name)
            .field("file", &self.file)
            .field("target", &self.target.base_url.as_str())
            .field("checks", &self.checks.iter().map(|check| check.name()).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
