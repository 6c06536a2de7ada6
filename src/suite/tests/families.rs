//! Two families with a rule each: one judges its checks, the other all traffic.

use futures_util::future::BoxFuture;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;
use serde_json::Value;

use crate::{
    exchange::{Outcome, Request},
    families::{Check, Evidence, Family, JudgedRule, Observer, PlannedCheck, Problem, Selection, Session, Setting},
    json::Path,
    notation::{RequestLine, Span},
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) static FAMILIES: &[Family] = &[
    Family {
        name: "pagination",
        summary: "Lists read page by page.",
        rules: &[JudgedRule { rule: &PAGES, judge }],
        schema: SchemaGenerator::subschema_for::<Item>,
        load,
        observer: None,
    },
    Family {
        name: "errors",
        summary: "Error answers.",
        rules: &[JudgedRule { rule: &ERRORS, judge }],
        schema: SchemaGenerator::subschema_for::<Item>,
        load,
        observer: Some(|_| Box::new(Blind)),
    },
];

static PAGES: Rule = rule("PAG-001", "pagination");
static ERRORS: Rule = rule("ERR-001", "errors");

const fn rule(id: &'static str, family: &'static str) -> Rule {
    Rule {
        id,
        slug: "made-up",
        family,
        title: "made up",
        sent: "",
        requirement: "",
        not_applicable: "",
        severity: Severity::Major,
        strength: Strength::Convention,
        source: "",
        remedy: "",
        defects: &[],
    }
}

fn judge(_: &Evidence) -> Judgement {
    Judgement::pass("made up")
}

/// A check of either family.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read to be validated, not to be used")]
struct Item {
    /// What reports call it.
    name: String,
    /// A client of the suite.
    #[serde(default)]
    client: Option<String>,
    /// The list to read.
    request: RequestLine,
    /// Where the rows are.
    #[serde(default)]
    rows: Option<Path>,
    /// Where a row's id is.
    #[serde(default)]
    id: Option<Path>,
    /// How the next page is found.
    #[serde(default)]
    next: Option<Next>,
    /// How long to wait between pages.
    #[serde(default)]
    pause: Option<Span>,
    /// Page sizes to ask for.
    #[serde(default)]
    sizes: Vec<u32>,
    /// Content to send.
    #[serde(default)]
    body: Option<Value>,
}

/// How the next page is found.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "read to be validated, not to be used")]
enum Next {
    /// A cursor in the body.
    Cursor(Path),
    /// A header field.
    LinkHeader(bool),
}

struct Made {
    name: String,
}

fn load(value: Value, setting: &Setting<'_>) -> Result<Box<dyn Check>, Vec<Problem>> {
    let item: Item = serde_json::from_value(value).map_err(|e| vec![Problem::new("", e.to_string())])?;
    let mut problems = Vec::new();
    if let Some(client) = &item.client {
        setting.known_client(client, "/client", &mut problems);
    }
    setting.known_names(item.request.target.names(), &["page"], "/request", &mut problems);
    if problems.is_empty() { Ok(Box::new(Made { name: item.name })) } else { Err(problems) }
}

impl Check for Made {
    fn name(&self) -> &str {
        &self.name
    }
    fn family(&self) -> &'static Family {
        &FAMILIES[0]
    }
    fn plan(&self, _: &Selection<'_>) -> PlannedCheck {
        PlannedCheck::default()
    }
    fn probe<'a>(&'a self, _: &'a dyn Session, _: &'a PlannedCheck) -> BoxFuture<'a, Evidence> {
        Box::pin(async { Evidence::None })
    }
}

struct Blind;

impl Observer for Blind {
    fn see(&mut self, _: &Request, _: &Outcome) {}
    fn evidence(&self) -> Evidence {
        Evidence::None
    }
}
