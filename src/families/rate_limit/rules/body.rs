//! RATE-006: a refusal is an error like any other, and nobody else gets it from a cache.

use super::{
    super::evidence::{Answer, Evidence},
    count, on, refusals, unspent,
};
use crate::{
    families::{
        JudgedRule,
        errors::{
            acceptable,
            evidence::{Content, ErrorResponse},
            flaw, unusable,
        },
    },
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const RATE_006: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-006",
        slug: "refusal-not-machine-readable",
        family: "rate_limit",
        title: "A refusal is machine readable and not cached",
        sent: "The limited request until it is refused, and then as another client.",
        requirement: "The body has the declared shape of errors; nothing allows a shared cache to store it (major).",
        not_applicable: "",
        severity: Severity::Minor,
        strength: Strength::Convention,
        source: "RFC 6585 §4 (429 MUST NOT be stored by a cache; details SHOULD be in the body); RFC 9457 §3",
        remedy: "Let the limiter answer through the same code as every other error, with Cache-Control: no-store.",
        defects: &["rate.html-refusal", "rate.cacheable-refusal"],
    },
    judge: |evidence| on(evidence, readable),
};

fn readable(evidence: &Evidence) -> Judgement {
    let met = refusals(evidence);
    if met.is_empty() {
        return unspent(evidence).unwrap_or_else(|| Judgement::inconclusive("no refusal was met"));
    }
    if let Some((answer, why)) = met.iter().find_map(|answer| Some((answer, cacheable(answer)?))) {
        return Judgement::fail(format!("a refusal {why}"))
            .severity(Severity::Major)
            .expected("Cache-Control: no-store, or nothing that lets a shared cache store it")
            .actual(format!("{} with {why}", answer.status))
            .cite([answer.exchange]);
    }
    let declared = &evidence.declared.errors;
    if let Some(judgement) = unusable(declared) {
        return judgement;
    }
    if evidence.bodies.is_empty() {
        return Judgement::inconclusive("no body of a refusal was kept");
    }
    let flawed = evidence.bodies.iter().find_map(|body| Some((body, flaw(body, declared, false)?)));
    let Some((body, what)) = flawed else {
        return Judgement::pass(format!("{} in the shape of errors", count(met.len(), "refusal")))
            .cite(evidence.bodies.iter().map(|body| body.exchange));
    };
    let message = if is_edge(body, evidence) {
        "edge: something before the API refused, out of its shape"
    } else {
        "a refusal is not in the shape of errors"
    };
    acceptable(Judgement::fail(message), declared).actual(format!("{}: {what}", body.line())).cite([body.exchange])
}

/// What lets others get the refusal from a cache.
fn cacheable(answer: &Answer) -> Option<String> {
    if answer.is_cached() {
        return Some(format!("came from a cache (Age: {})", answer.field("age").unwrap_or_default()));
    }
    let control = answer.field("cache-control")?.to_ascii_lowercase();
    let directives: Vec<&str> = control.split(',').map(str::trim).collect();
    if directives.iter().any(|directive| matches!(*directive, "no-store" | "private")) {
        return None;
    }
    let shared = |directive: &&&str| match directive.split_once('=') {
        Some(("s-maxage", age)) => age.trim_matches('"').parse::<u64>().is_ok_and(|age| age > 0),
        _ => **directive == "public",
    };
    directives.iter().find(shared).map(|_| format!("may be stored by a shared cache (Cache-Control: {control})"))
}

/// Whether something answered that does not answer otherwise, and not as the API does.
fn is_edge(body: &ErrorResponse, evidence: &Evidence) -> bool {
    let elsewhere = evidence.origin.as_ref().is_some_and(|origin| *origin != body.origin);
    elsewhere && !matches!(body.content, Content::Object(_))
}
