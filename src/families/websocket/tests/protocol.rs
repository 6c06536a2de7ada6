//! What the protocol itself demands, seen and judged.

use serde_json::{Value, json};

use super::{
    super::{config::Config, evidence::Evidence, probe, rules::RULES},
    server::{block, stage},
};
use crate::{
    families::{
        Conventions, Evidence as AnyEvidence, PlannedCheck,
        testing::{Fake, given},
    },
    rule::{Judgement, Severity, Verdict},
};

const ALL: [&str; 8] = ["WS-001", "WS-003", "WS-004", "WS-005", "WS-006", "WS-007", "WS-008", "WS-009"];

async fn seen(block: Value, does: &'static str) -> Evidence {
    let config: Config = serde_json::from_value(block).unwrap();
    let fake = Fake::new(|_, _| Ok(given(426, &json!({})).header("upgrade", "websocket"))).streaming(&stage(does));
    let steps = vec![(probe::errors::GARBAGE.to_owned(), 2)];
    let plan = PlannedCheck { rules: ALL.to_vec(), steps, ..PlannedCheck::default() };
    Box::pin(probe::probe(&config, &Conventions::default(), &fake, &plan)).await
}

fn judged(evidence: &Evidence) -> Vec<(&'static str, Judgement)> {
    // What is kept in a record judges the same.
    let text = serde_json::to_string(evidence).unwrap();
    let evidence = AnyEvidence::WebSocket(Box::new(serde_json::from_str(&text).unwrap()));
    let rules = RULES.iter().filter(|judged| ALL.contains(&judged.rule.id));
    rules.map(|judged| (judged.rule.id, (judged.judge)(&evidence))).collect()
}

async fn verdicts(does: &'static str) -> Vec<(&'static str, Judgement)> {
    judged(&seen(block(), does).await)
}

fn failing(judged: &[(&'static str, Judgement)]) -> Vec<&'static str> {
    judged.iter().filter(|(_, one)| one.verdict == Verdict::Fail).map(|(id, _)| *id).collect()
}

#[tokio::test]
async fn a_stream_in_order_passes_everything() {
    for (id, judgement) in verdicts("clean").await {
        let expected = if id == "WS-008" { Verdict::NotApplicable } else { Verdict::Pass };
        assert_eq!(judgement.verdict, expected, "{id}: {judgement:#?}");
        assert!(id == "WS-008" || !judgement.exchanges.is_empty() || id == "WS-004", "{id} cites nothing");
    }
}

#[tokio::test]
async fn each_violation_is_caught_by_its_rule_alone() {
    let all: [(&str, &[&str]); 20] = [
        ("wrong-accept", &["WS-001"]),
        ("unoffered-protocol", &["WS-001"]),
        ("any-version", &["WS-001"]),
        ("no-pong", &["WS-003"]),
        ("pong-altered", &["WS-003"]),
        ("drops-on-fragmented-ping", &["WS-003"]),
        ("silent", &["WS-004", "WS-005"]),
        ("never-drops-dead", &["WS-005"]),
        ("drops-the-living", &["WS-005"]),
        ("takes-unmasked", &["WS-006"]),
        ("takes-reserved", &["WS-006"]),
        ("no-close-reply", &["WS-007"]),
        ("closes-tcp-only", &["WS-007"]),
        ("illegal-close-code", &["WS-007"]),
        ("data-after-close", &["WS-007"]),
        // A connection that just ends is dropped although it answers, too.
        ("unexplained-drop", &["WS-005", "WS-008"]),
        ("silent-on-error", &["WS-009"]),
        ("drops-on-error", &["WS-009"]),
        ("takes-anything", &["WS-009"]),
        ("no-pong-once", &[]),
    ];
    for (does, rules) in all {
        let judged = verdicts(does).await;
        assert_eq!(failing(&judged), rules, "{does}: {judged:#?}");
    }
}

#[tokio::test]
async fn whether_pongs_come_does_not_matter_to_how_errors_are_answered() {
    // A pong without octets cannot be altered.
    for (does, enough) in [("no-pong", 2), ("pong-altered", 3)] {
        let evidence = seen(block(), does).await;
        let pings = evidence.pings.as_ref().map_or(0, |seen| seen.pings.len());
        assert_eq!(pings, enough, "{does}: what was seen twice is enough");
        let judged = judged(&evidence);
        let errors = judged.iter().find(|(id, _)| *id == "WS-009").map(|(_, judgement)| judgement.verdict);
        assert_eq!(errors, Some(Verdict::Pass), "{does}: {judged:#?}");
    }
}

#[tokio::test]
async fn what_is_odd_and_legal_fails_nothing() {
    // TCP ends without a close frame for dead peers and broken frames; empty close frames; streams that go away.
    for does in ["resets", "close-without-code", "goes-away"] {
        let judged = verdicts(does).await;
        assert_eq!(failing(&judged), Vec::<&str>::new(), "{does}: {judged:#?}");
    }
}

#[tokio::test]
async fn where_nothing_is_declared_little_is_demanded() {
    let bare = json!({"name": "bare", "path": "/v1/streams/orders"});
    for (id, judgement) in judged(&seen(bare, "silent").await) {
        let expected = match id {
            "WS-004" | "WS-005" | "WS-008" | "WS-009" => Verdict::NotApplicable,
            _ => Verdict::Pass,
        };
        assert_eq!(judgement.verdict, expected, "{id}: {judgement:#?}");
    }
}

#[tokio::test]
async fn a_refused_handshake_decides_nothing() {
    let config: Config = serde_json::from_value(block()).unwrap();
    let refusing = crate::families::testing::line::Stage::new(|_: &crate::families::testing::line::Asked<'_>| {
        crate::families::testing::line::Opened::Refuse(given(401, &json!({})))
    });
    let fake = Fake::new(|_, _| Ok(given(401, &json!({})))).streaming(&refusing);
    let plan = PlannedCheck { rules: ALL.to_vec(), ..PlannedCheck::default() };
    let evidence = Box::pin(probe::probe(&config, &Conventions::default(), &fake, &plan)).await;
    for (id, judgement) in judged(&evidence) {
        let decided = matches!(judgement.verdict, Verdict::Pass | Verdict::Fail);
        assert!(!decided, "{id}: {judgement:#?}");
    }
}

#[tokio::test]
async fn a_version_that_does_not_exist_is_a_minor_matter() {
    let judged = verdicts("any-version").await;
    assert_eq!(judged[0].1.severity, Some(Severity::Minor));
}
