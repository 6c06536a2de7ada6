use super::*;
use crate::record::{NotJudged, Stopped, SuiteRef, WaiverState, WaiverUse};
use Verdict::{Fail, Inconclusive, NotApplicable, Pass};

pub(super) fn finding(rule: &str, check: &str, verdict: Verdict, severity: Severity) -> Finding {
    Finding {
        rule: rule.into(),
        family: if rule.starts_with('B') { "beta" } else { "alpha" }.into(),
        check: check.into(),
        verdict,
        severity,
        severity_was: None,
        title: String::new(),
        message: String::new(),
        expected: vec![],
        actual: String::new(),
        details: vec![],
        drawing: vec![],
        exchanges: vec![],
        source: String::new(),
        waived: false,
    }
}

pub(super) fn record(findings: Vec<Finding>) -> Record {
    Record {
        fincheck: "0.0.0".into(),
        suite: SuiteRef { name: "suite".into(), file: "suite.yaml".into(), sha256: String::new() },
        target: "http://127.0.0.1:1".into(),
        started_at: "2026-01-02T03:04:05Z".into(),
        duration_ms: 0,
        longest_wait: None,
        seed: 0,
        requests: 0,
        stopped: None,
        findings,
        not_judged: vec![],
        unjudged: vec![],
        exchanges: vec![],
        waivers: vec![],
        notes: vec![],
    }
}

pub(super) fn waiver(rule: &str, check: Option<&str>, state: WaiverState) -> WaiverUse {
    WaiverUse {
        rule: rule.into(),
        check: check.map(Into::into),
        reason: "known".into(),
        owner: "owner@example.com".into(),
        expires: "2026-01-01".into(),
        state,
    }
}

fn left_out(rule: &str, permit: Option<&str>) -> NotJudged {
    NotJudged {
        rule: rule.into(),
        family: "alpha".into(),
        check: "x".into(),
        permit: permit.map(Into::into),
        why: "why".into(),
    }
}

fn score(findings: Vec<Finding>) -> Score {
    Score::of(&record(findings))
}

fn tenths(score: &Score) -> Option<u16> {
    score.score.map(Tenths::get)
}

#[test]
fn nothing_judged_has_no_score() {
    for findings in [
        vec![],
        vec![finding("A-1", "x", Inconclusive, Severity::Critical)],
        vec![finding("A-1", "x", NotApplicable, Severity::Critical)],
    ] {
        let score = score(findings);
        assert_eq!((score.score, score.grade, score.ledger.judged), (None, None, 0));
        assert!(score.families.iter().all(|family| family.score.is_none()));
    }
}

#[test]
fn all_inconclusive_is_no_coverage_and_all_not_applicable_has_none_to_speak_of() {
    let unseen = score(vec![finding("A-1", "x", Inconclusive, Severity::Major)]);
    assert_eq!(unseen.coverage, Some(Tenths::new(0)));
    assert_eq!(score(vec![finding("A-1", "x", NotApplicable, Severity::Major)]).coverage, None);
}

#[test]
fn advice_alone_is_judged_and_not_scored() {
    let score = score(vec![finding("A-1", "x", Pass, Severity::Info), finding("A-2", "x", Fail, Severity::Info)]);
    assert_eq!((score.score, score.grade), (None, None));
    assert_eq!((score.ledger.judged, score.ledger.passed, score.ledger.failed), (2, 1, 1));
    assert_eq!(score.coverage, Some(Tenths::FULL));
}

#[test]
fn weights_follow_severity() {
    let score = score(vec![
        finding("A-1", "x", Pass, Severity::Critical),
        finding("A-2", "x", Fail, Severity::Major),
        finding("A-3", "x", Pass, Severity::Minor),
        finding("A-4", "x", Fail, Severity::Info),
    ]);
    assert_eq!(tenths(&score), Some(705), "12 of 17 is 70.58… %");
    assert_eq!(score.grade, Some(Grade::C));
}

#[test]
fn an_unwaived_critical_failure_caps_the_grade_and_a_waived_one_does_not() {
    let mut findings: Vec<_> = (0..99).map(|n| finding(&format!("A-{n}"), "x", Pass, Severity::Critical)).collect();
    findings.push(finding("A-99", "x", Fail, Severity::Critical));
    let capped = score(findings.clone());
    assert_eq!((tenths(&capped), capped.grade), (Some(990), Some(Grade::D)));

    findings[99].waived = true;
    let waived = score(findings);
    assert_eq!((tenths(&waived), waived.grade), (Some(1000), Some(Grade::A)));
    assert_eq!((waived.ledger.waived, waived.ledger.failed, waived.ledger.judged), (1, 0, 100));
    assert_eq!(waived.coverage, Some(Tenths::FULL));
}

#[test]
fn only_waived_failures_are_judged_and_have_no_score() {
    let mut waived = finding("A-1", "x", Fail, Severity::Critical);
    waived.waived = true;
    let score = score(vec![waived]);
    assert_eq!((score.score, score.ledger.judged), (None, 1));
}

#[test]
fn a_rule_shares_its_one_weight_among_the_checks_it_was_judged_on() {
    let thirds = |failed: &str| {
        ["x", "y", "z"].map(|c| finding("A-1", c, if c == failed { Fail } else { Pass }, Severity::Major)).to_vec()
    };
    assert_eq!(tenths(&score(thirds(""))), Some(1000), "thirds add up to a whole");
    assert_eq!(tenths(&score(thirds("y"))), Some(666));

    // Together with a rule of weight 5 that failed on its only check, the thirds are worth 10/3 of 10.
    let mut both = thirds("y");
    both.push(finding("A-2", "x", Fail, Severity::Major));
    assert_eq!(tenths(&score(both)), Some(333));
}

#[test]
fn checks_that_could_not_be_judged_or_are_waived_take_no_share() {
    let mut waived = finding("A-1", "z", Fail, Severity::Major);
    waived.waived = true;
    let findings = vec![
        finding("A-1", "w", Inconclusive, Severity::Major),
        finding("A-1", "x", NotApplicable, Severity::Major),
        finding("A-1", "y", Pass, Severity::Major),
        waived,
        finding("A-2", "x", Fail, Severity::Major),
    ];
    assert_eq!(tenths(&score(findings)), Some(500), "the one judged check carries the whole weight");
}

#[test]
fn a_milder_manifestation_weighs_its_own_severity() {
    let findings = vec![finding("A-1", "x", Pass, Severity::Critical), finding("A-1", "y", Fail, Severity::Minor)];
    assert_eq!(tenths(&score(findings)), Some(833), "5 of 6");
}

#[test]
fn scores_are_rounded_down() {
    // 9,499 of 10,000 shares of equal weight: 94.99 %.
    let findings = (0..10_000)
        .map(|n| finding("A-1", &n.to_string(), if n < 9499 { Pass } else { Fail }, Severity::Minor))
        .collect();
    let score = score(findings);
    assert_eq!((tenths(&score), score.grade), (Some(949), Some(Grade::B)));
}

#[test]
fn what_was_not_permitted_does_not_lower_coverage_and_what_was_not_run_does() {
    let mut run = record(vec![finding("A-1", "x", Pass, Severity::Minor)]);
    run.not_judged = vec![left_out("A-2", Some("burst")), left_out("A-3", Some("write"))];
    let permitted = Score::of(&run);
    assert_eq!((permitted.ledger.not_permitted, permitted.coverage), (2, Some(Tenths::FULL)));

    run.stopped = Some(Stopped::Interrupted);
    run.not_judged.push(left_out("A-4", None));
    let interrupted = Score::of(&run);
    assert_eq!((interrupted.ledger.not_run, interrupted.coverage), (1, Some(Tenths::new(500))));
    assert_eq!(interrupted.ledger.planned, 4);
}

#[test]
fn families_are_scored_apart_in_the_order_of_the_record() {
    let score = score(vec![
        finding("B-1", "x", Pass, Severity::Minor),
        finding("A-1", "x", Fail, Severity::Minor),
        finding("B-2", "x", Pass, Severity::Minor),
    ]);
    let families: Vec<_> = score.families.iter().map(|f| (f.family.as_str(), f.score.map(Tenths::get))).collect();
    assert_eq!(families, [("beta", Some(1000)), ("alpha", Some(0))]);
    assert_eq!(tenths(&score), Some(666));
}

#[test]
fn the_ledger_adds_up_and_says_so() {
    let mut waived = finding("A-3", "x", Fail, Severity::Minor);
    waived.waived = true;
    let mut run = record(vec![
        finding("A-1", "x", Pass, Severity::Minor),
        finding("A-2", "x", Fail, Severity::Info),
        waived,
        finding("A-4", "x", Inconclusive, Severity::Minor),
        finding("B-5", "x", NotApplicable, Severity::Minor),
    ]);
    run.not_judged = vec![left_out("A-6", Some("burst")), left_out("A-7", None)];
    let score = Score::of(&run);
    assert_eq!(
        score.ledger.to_string(),
        "7 planned = 1 passed + 1 failed + 1 waived + 1 inconclusive + 1 not applicable + 1 not permitted + 1 not run"
    );
    let sum = |ledger: &Ledger| {
        let Ledger { passed, failed, waived, inconclusive, not_applicable, not_permitted, not_run, .. } = *ledger;
        assert_eq!(ledger.judged, passed + failed + waived);
        passed + failed + waived + inconclusive + not_applicable + not_permitted + not_run
    };
    assert_eq!(sum(&score.ledger), score.ledger.planned);
    let of_families: u32 = score.families.iter().map(|f| sum(&f.ledger)).sum();
    assert_eq!(of_families, score.ledger.planned);
}
