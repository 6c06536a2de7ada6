//! The limits of the demo (10 in 2 s), kind by kind; and what is not as declared.

use std::time::Duration;

use super::{
    super::{
        Confidence, Kind, infer,
        runs::{Declared, Runs},
        timeline,
    },
    line::{Drive, declared},
    targets::{
        Decide, Rounding, block, both, concurrency, fixed_window, opened_window, sliding_counter, sliding_log,
        token_bucket,
    },
};
use crate::{
    families::rate_limit::rules::model,
    rule::{Severity, Verdict},
};

const WINDOW: f64 = 2.0;

fn demo() -> Vec<(Kind, fn() -> Decide)> {
    vec![
        (Kind::TokenBucket, || token_bucket(10, 5.0)),
        (Kind::FixedWindow, || fixed_window(10, WINDOW)),
        (Kind::FixedWindow, || opened_window(10, WINDOW)),
        (Kind::SlidingLog, || sliding_log(10, WINDOW, false)),
        (Kind::SlidingCounter, || sliding_counter(10, WINDOW, Rounding::Exact)),
        (Kind::SlidingCounter, || sliding_counter(10, WINDOW, Rounding::Down)),
        (Kind::SlidingCounter, || sliding_counter(10, WINDOW, Rounding::Itself)),
    ]
}

fn pictures(runs: &Runs) -> String {
    runs.runs.iter().flat_map(timeline).collect::<Vec<_>>().join("\n")
}

fn drive(declared: Declared, seed: u64, target: Decide) -> Runs {
    let mut drive = Drive::new(declared, seed);
    drive.told = Some(Duration::from_secs(2));
    let (runs, allowance, sent, time) = drive.runs(target);
    assert!(u64::from(sent) <= allowance.most_requests(), "{sent} requests");
    assert!(time <= allowance.longest() + Duration::from_secs(1), "{time:?} of {:?}", allowance.longest());
    runs
}

#[test]
fn each_kind_of_the_demo_is_told_with_confidence() {
    for (n, (kind, target)) in demo().into_iter().enumerate() {
        for (seed, declare) in [(0, true), (1, false)] {
            let declared = Declared { model: declare.then_some(kind), ..declared(10, WINDOW) };
            let runs = drive(declared, seed, target());
            let inference = infer(&runs.declared, &runs.runs);
            assert_eq!(
                (inference.confidence, inference.best.as_ref().map(|fit| fit.model.kind())),
                (Confidence::Confident, Some(kind)),
                "target {n}, seed {seed}: {:?}\n{:?}\n{}",
                inference.by_run,
                inference.feasible,
                pictures(&runs)
            );
            let judgement = model::kind(Some(&runs));
            assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:?}");
            let judgement = model::quota(Some(&runs));
            assert_eq!(
                judgement.verdict,
                Verdict::Pass,
                "target {n}, seed {seed}: {judgement:#?}\n{}",
                pictures(&runs)
            );
        }
    }
}

#[test]
fn a_large_quota_is_told_as_well() {
    for (kind, target) in [(Kind::FixedWindow, fixed_window(200, 20.0)), (Kind::TokenBucket, token_bucket(200, 10.0))] {
        let runs = drive(declared(200, 20.0), 1, target);
        let inference = infer(&runs.declared, &runs.runs);
        assert!(inference.kinds().contains(&kind), "{kind:?}: {:?}\n{}", inference.by_run, pictures(&runs));
        assert_ne!(model::kind(Some(&runs)).verdict, Verdict::Fail);
        assert_eq!(model::quota(Some(&runs)).verdict, Verdict::Pass, "{}", pictures(&runs));
    }
}

#[test]
fn each_run_keeps_to_three_quotas_and_sixty_requests() {
    let runs = drive(declared(10, WINDOW), 3, fixed_window(10, WINDOW));
    assert_eq!(runs.runs.len(), 2);
    for run in &runs.runs {
        assert!(run.decisions().count() <= 90, "{}", pictures(&runs));
    }
}

#[test]
fn a_fixed_window_in_place_of_another_kind_is_reported() {
    for declared_kind in [Kind::SlidingLog, Kind::TokenBucket] {
        for (seed, target) in [(4, fixed_window(10, WINDOW)), (5, opened_window(10, WINDOW))] {
            let runs = drive(Declared { model: Some(declared_kind), ..declared(10, WINDOW) }, seed, target);
            let judgement = model::kind(Some(&runs));
            assert_eq!(judgement.verdict, Verdict::Fail, "{judgement:#?}");
            assert!(judgement.message.contains("fixed window: 10 in"), "{}", judgement.message);
            assert!(judgement.expected[0].contains(declared_kind.as_str()), "{judgement:?}");
            assert!(!judgement.exchanges.is_empty() && judgement.drawing.len() > 8);
        }
    }
}

#[test]
fn twice_the_quota_within_a_window_makes_another_kind_worse_than_advice() {
    let declared = Declared { model: Some(Kind::SlidingLog), ..declared(10, WINDOW) };
    let severities: Vec<Option<Severity>> = (0..4)
        .map(|seed| model::kind(Some(&drive(declared.clone(), seed, fixed_window(10, WINDOW)))).severity)
        .collect();
    assert!(severities.contains(&Some(Severity::Minor)), "{severities:?}");
}

#[test]
fn more_than_declared_is_reported_whatever_the_kind() {
    for (n, target) in [
        token_bucket(20, 10.0),
        fixed_window(20, WINDOW),
        opened_window(20, WINDOW),
        sliding_log(20, WINDOW, false),
        sliding_counter(20, WINDOW, Rounding::Exact),
    ]
    .into_iter()
    .enumerate()
    {
        let runs = drive(declared(10, WINDOW), 7, target);
        let judgement = model::quota(Some(&runs));
        let message = judgement.message.as_str();
        assert_eq!(
            (judgement.verdict, message),
            (Verdict::Fail, "more requests are let through than declared"),
            "target {n}: {judgement:#?}\n{}",
            pictures(&runs)
        );
    }
}

#[test]
fn a_window_half_as_long_as_declared_is_not_passed() {
    for seed in 0..4 {
        let runs = drive(declared(10, WINDOW), seed, fixed_window(10, WINDOW / 2.0));
        assert_ne!(model::quota(Some(&runs)).verdict, Verdict::Pass, "{}", pictures(&runs));
    }
}

#[test]
fn fewer_than_declared_is_reported_whatever_the_kind() {
    for (n, target) in
        [fixed_window(5, WINDOW), opened_window(5, WINDOW), sliding_log(5, WINDOW, false), token_bucket(5, 2.5)]
            .into_iter()
            .enumerate()
    {
        let runs = drive(declared(10, WINDOW), 8, target);
        let judgement = model::quota(Some(&runs));
        assert_eq!(
            (judgement.verdict, judgement.message.as_str()),
            (Verdict::Fail, "requests are refused earlier than declared"),
            "target {n}: {judgement:#?}\n{}",
            pictures(&runs)
        );
    }
}

#[test]
fn a_bucket_that_spreads_the_quota_is_no_early_refusal() {
    let runs = drive(declared(10, WINDOW), 8, token_bucket(3, 5.0));
    let judgement = model::quota(Some(&runs));
    assert_eq!(judgement.verdict, Verdict::Inconclusive, "{judgement:#?}");
    assert!(judgement.message.contains("spreads the quota"), "{}", judgement.message);
}

#[test]
fn off_by_the_tolerance_is_no_departure() {
    for quota in [8, 12] {
        let runs = drive(declared(10, WINDOW), 9, opened_window(quota, WINDOW));
        assert_eq!(model::quota(Some(&runs)).verdict, Verdict::Pass, "{}", pictures(&runs));
    }
    let runs = drive(declared(5, 8.0), 9, fixed_window(5, 8.0));
    assert_eq!(model::quota(Some(&runs)).verdict, Verdict::Pass, "{}", pictures(&runs));
    assert_eq!(model::kind(Some(&runs)).verdict, Verdict::Pass, "{}", pictures(&runs));
}

#[test]
fn a_declared_burst_is_granted() {
    let declared = Declared { burst: 10, model: Some(Kind::TokenBucket), ..declared(10, WINDOW) };
    let runs = drive(declared, 9, token_bucket(20, 5.0));
    assert_eq!(model::quota(Some(&runs)).verdict, Verdict::Pass, "{}", pictures(&runs));
    assert_ne!(model::kind(Some(&runs)).verdict, Verdict::Fail, "{}", pictures(&runs));
}

#[test]
fn a_concurrency_limit_is_told() {
    let declared = Declared { quota: Some(10), model: Some(Kind::Concurrency), ..Declared::default() };
    let mut drive = Drive::new(declared, 10);
    drive.held = Duration::from_millis(100);
    let (runs, ..) = drive.runs(concurrency(10, 0.1));
    let inference = infer(&runs.declared, &runs.runs);
    assert_eq!(inference.kinds(), [Kind::Concurrency], "{:?}\n{}", inference.feasible, pictures(&runs));
    assert_eq!(model::kind(Some(&runs)).verdict, Verdict::Pass);
    assert_eq!(model::quota(Some(&runs)).verdict, Verdict::NotApplicable);
}

#[test]
fn a_window_in_place_of_a_concurrency_limit_is_reported() {
    let declared = Declared { quota: Some(10), model: Some(Kind::Concurrency), ..Declared::default() };
    let runs = drive(declared, 10, fixed_window(3, WINDOW));
    assert_ne!(model::kind(Some(&runs)).verdict, Verdict::Pass, "{}", pictures(&runs));
}

#[test]
fn refusals_that_prolong_the_wait_are_told() {
    for target in [block(10, WINDOW, WINDOW, true), sliding_log(10, WINDOW, true)] {
        let runs = drive(declared(10, WINDOW), 11, target);
        let kinds = infer(&runs.declared, &runs.runs).kinds();
        assert!(kinds.contains(&Kind::Block) || kinds.contains(&Kind::SlidingLog), "{kinds:?}\n{}", pictures(&runs));
        assert_ne!(model::kind(Some(&runs)).verdict, Verdict::Fail);
        assert_ne!(model::quota(Some(&runs)).verdict, Verdict::Fail, "{}", pictures(&runs));
    }
}

#[test]
fn a_block_is_told() {
    let runs = drive(declared(10, WINDOW), 12, block(10, WINDOW, 1.3, false));
    let inference = infer(&runs.declared, &runs.runs);
    assert_eq!(inference.kinds(), [Kind::Block], "{:?}\n{}", inference.feasible, pictures(&runs));
}

#[test]
fn limits_that_stack_accuse_nobody() {
    for declared_kind in [Kind::FixedWindow, Kind::TokenBucket] {
        let declared = Declared { model: Some(declared_kind), ..declared(10, WINDOW) };
        let runs = drive(declared, 13, both(fixed_window(10, WINDOW), token_bucket(7, 5.0)));
        let judgement = model::kind(Some(&runs));
        assert_ne!(judgement.verdict, Verdict::Fail, "{judgement:#?}\n{}", pictures(&runs));
    }
}

#[test]
fn without_a_limit_nothing_is_told_of_a_kind() {
    let runs = drive(declared(10, WINDOW), 14, Box::new(|_| true));
    assert_eq!(model::kind(Some(&runs)).verdict, Verdict::Inconclusive);
    assert_eq!(model::quota(Some(&runs)).verdict, Verdict::Fail);
}

#[test]
fn without_a_declaration_the_kind_is_told_and_no_quota_judged() {
    let mut kinds = Vec::new();
    for (kind, target) in demo() {
        let runs = drive(Declared::default(), 15, target());
        assert_eq!(model::quota(Some(&runs)).verdict, Verdict::Inconclusive);
        let inference = infer(&runs.declared, &runs.runs);
        assert!(inference.kinds().contains(&kind), "{kind:?} {:?}\n{}", inference.feasible, pictures(&runs));
        if let Some(best) = inference.best {
            assert_eq!(best.model.kind(), kind, "{}", pictures(&runs));
            kinds.push(kind);
        }
    }
    assert!(kinds.len() >= 4, "{kinds:?}");
}

#[test]
fn a_limit_that_others_use_judges_no_quota() {
    let mut drive = Drive::new(declared(10, WINDOW), 16);
    drive.remaining = Some(4);
    let (runs, ..) = drive.runs(opened_window(5, WINDOW));
    let judgement = model::quota(Some(&runs));
    assert_eq!(judgement.verdict, Verdict::Inconclusive, "{judgement:?}");
    assert!(judgement.message.contains("somebody else"), "{}", judgement.message);
}

#[test]
fn a_target_that_delays_is_told() {
    let mut drive = Drive::new(declared(10, WINDOW), 18);
    drive.paced = Some(Duration::from_millis(200));
    let (runs, ..) = drive.runs(Box::new(|_| true));
    let judgement = model::kind(Some(&runs));
    assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:#?}");
    assert!(judgement.message.contains("shaper"), "{}", judgement.message);
}

#[test]
fn rules_name_what_shows_them() {
    assert_eq!((model::RATE_009.id, model::RATE_009.defects.len()), ("RATE-009", 2));
    assert_eq!((model::RATE_012.id, model::RATE_012.severity), ("RATE-012", Severity::Info));
}

#[test]
fn nothing_driven_judges_nothing() {
    for runs in [None, Some(Runs::default())] {
        assert_eq!(model::kind(runs.as_ref()).verdict, Verdict::Inconclusive);
        assert_eq!(model::quota(runs.as_ref()).verdict, Verdict::Inconclusive);
    }
}

#[test]
fn a_timeline_is_four_lines_that_fit() {
    let runs = drive(declared(10, WINDOW), 17, token_bucket(10, 5.0));
    let lines = timeline(&runs.runs[0]);
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line.chars().count() <= 100), "{lines:#?}");
    assert!(lines[0].contains("|trickle") && lines[1].contains('#') && lines[2].contains('x'), "{lines:#?}");
    assert!(timeline(&super::super::runs::Run::default()).is_empty());
}
