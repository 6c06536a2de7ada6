//! What every format shows: a record with its score and the gate's decision, and nothing computed twice.
//!
//! A view borrows the record and holds what targets sent as they sent it: each format escapes for its own medium.
//! Its serialisation, in the order of its fields, is the JSON report.

use std::collections::HashSet;

use serde::Serialize;

use super::curl::Curl;
use crate::{
    exchange::{Exchange, ExchangeId},
    record::{NotJudged, Record, Stopped, SuiteRef, Unjudged, WaiverState, WaiverUse},
    rule::{Finding, Verdict},
    score::{Decision, Gate, Score},
};

/// The version of the JSON report's shape; it grows when a key changes its meaning or goes.
pub const SCHEMA_VERSION: u32 = 1;

/// A record as reports show it.
#[derive(Debug, Serialize)]
pub struct View<'a> {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The version of fincheck that made the record.
    pub fincheck: &'a str,
    /// Whether the run came to the end of its plan.
    pub complete: bool,
    /// The process's exit code.
    pub exit_code: u8,
    /// The suite.
    pub suite: &'a SuiteRef,
    /// The target's base URL.
    pub target: &'a str,
    /// When the run started: RFC 3339, UTC.
    pub started_at: &'a str,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The check that waited longest.
    pub longest_wait: Option<&'a crate::record::Wait>,
    /// How many requests were sent.
    pub requests: u64,
    /// The seed of every random choice.
    pub seed: u64,
    /// Why the run ended before its plan did; none if it did not.
    pub stopped: Option<&'a Stopped>,
    /// Score, grade, coverage, ledger and families.
    #[serde(flatten)]
    pub score: Score,
    /// The gate and its decision.
    pub gate: GateView,
    /// Findings of every verdict, in the order of the plan.
    pub findings: Vec<FindingView<'a>>,
    /// Rules that were planned for a check and not judged.
    pub not_judged: &'a [NotJudged],
    /// Checks of the suite none of whose rules could be judged.
    pub unjudged: &'a [Unjudged],
    /// The suite's waivers and what became of them.
    pub waivers: &'a [WaiverUse],
    /// What a reader should know besides.
    pub notes: &'a [String],
    /// The exchanges that findings cite, by number.
    pub exchanges: Vec<&'a Exchange>,
}

/// The gate and its decision.
#[derive(Debug, Serialize)]
pub struct GateView {
    /// What was decided, and why.
    #[serde(flatten)]
    pub decision: Decision,
    /// What had to be reached.
    #[serde(flatten)]
    pub gate: Gate,
}

/// A finding, with how to see a failure again.
#[derive(Debug, Serialize)]
pub struct FindingView<'a> {
    /// The finding.
    #[serde(flatten)]
    pub finding: &'a Finding,
    /// Repeats the request that decided: of the exchanges a failure cites, the last that the record holds, for a
    /// counter-example is complete when its last piece is seen.
    #[serde(flatten)]
    pub curl: Option<Curl>,
}

impl<'a> View<'a> {
    /// The view of a record before a gate.
    pub fn new(record: &'a Record, gate: &Gate) -> Self {
        let score = Score::of(record);
        let decision = gate.decide(record, &score);
        let cited: HashSet<ExchangeId> = record.findings.iter().flat_map(|f| f.exchanges.iter().copied()).collect();
        let mut exchanges: Vec<_> = record.exchanges.iter().filter(|exchange| cited.contains(&exchange.id)).collect();
        exchanges.sort_by_key(|exchange| exchange.id);
        let findings = record
            .findings
            .iter()
            .map(|finding| {
                let deciding = finding.exchanges.iter().rev().find_map(|id| by_number(&exchanges, *id));
                let curl = deciding.filter(|_| finding.verdict == Verdict::Fail).and_then(Curl::repeating);
                FindingView { finding, curl }
            })
            .collect();
        Self {
            schema_version: SCHEMA_VERSION,
            fincheck: &record.fincheck,
            complete: record.stopped.is_none(),
            exit_code: decision.exit_code,
            suite: &record.suite,
            target: &record.target,
            started_at: &record.started_at,
            duration_ms: record.duration_ms,
            longest_wait: record.longest_wait.as_ref(),
            requests: record.requests,
            seed: record.seed,
            stopped: record.stopped.as_ref(),
            score,
            gate: GateView { decision, gate: *gate },
            findings,
            not_judged: &record.not_judged,
            unjudged: &record.unjudged,
            waivers: &record.waivers,
            notes: &record.notes,
            exchanges,
        }
    }

    /// The result in one line.
    pub fn one_line(&self) -> String {
        let percent = |tenths: Option<crate::score::Tenths>| tenths.map_or_else(|| "none".into(), |t| format!("{t} %"));
        let grade = self.score.grade.map_or_else(String::new, |grade| format!(" ({grade:?})"));
        format!(
            "{}: score {}{grade}, coverage {}, {}; gate {}",
            super::text::one_line(&self.suite.name),
            percent(self.score.score),
            percent(self.score.coverage),
            self.score.ledger,
            if self.gate.decision.passed { "passed" } else { "not passed" }
        )
    }

    /// An exchange by its number, if the record holds it and a finding cites it.
    pub fn exchange(&self, id: ExchangeId) -> Option<&'a Exchange> {
        by_number(&self.exchanges, id)
    }

    /// Failures that nobody waived, `info` included: the worst first, then by rule, then by check.
    pub fn failures(&self) -> Vec<&FindingView<'a>> {
        let mut failures: Vec<_> = self.with(Verdict::Fail).filter(|view| !view.finding.waived).collect();
        failures.sort_by(|a, b| {
            let (a, b) = (a.finding, b.finding);
            b.severity.cmp(&a.severity).then_with(|| a.rule.cmp(&b.rule)).then_with(|| a.check.cmp(&b.check))
        });
        failures
    }

    /// Failures that are waived, each with the first waiver of the suite that was used for it.
    pub fn waived(&self) -> impl Iterator<Item = (&'a Finding, Option<&'a WaiverUse>)> {
        self.with(Verdict::Fail).map(|view| view.finding).filter(|finding| finding.waived).map(|finding| {
            let covers = |waiver: &&WaiverUse| {
                let check = waiver.check.as_ref().is_none_or(|check| *check == finding.check);
                waiver.state == WaiverState::Used && waiver.rule == finding.rule && check
            };
            (finding, self.waivers.iter().find(covers))
        })
    }

    /// The findings of a verdict, in the order of the plan.
    pub fn with(&self, verdict: Verdict) -> impl Iterator<Item = &FindingView<'a>> {
        self.findings.iter().filter(move |view| view.finding.verdict == verdict)
    }
}

/// The first of the exchanges with that number; they are sorted by it.
fn by_number<'a>(exchanges: &[&'a Exchange], id: ExchangeId) -> Option<&'a Exchange> {
    let at = exchanges.partition_point(|exchange| exchange.id < id);
    exchanges.get(at).copied().filter(|exchange| exchange.id == id)
}
