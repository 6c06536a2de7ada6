//! The limits of the demo (10 in 2 s), kind by kind.

use std::time::Duration;

use super::{
    super::{Confidence, Kind, infer, runs::Declared, timeline},
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

#[test]
fn each_kind_of_the_demo_is_told_with_confidence() {
    let mut bad = Vec::new();
    let mut total = 0;
    for (n, (kind, target)) in demo().into_iter().enumerate() {
        for declare in [true, false] {
            for seed in 0..6 {
                let declared = Declared { model: declare.then_some(kind), ..declared(10, WINDOW) };
                let mut drive = Drive::new(declared, seed);
                drive.told = Some(Duration::from_secs(2));
                let (runs, allowance, sent, time) = drive.runs(target());
                let inference = infer(&runs.declared, &runs.runs);
                let pictures = || runs.runs.iter().flat_map(timeline).collect::<Vec<_>>().join("\n");
                total += 1;
                if (inference.confidence, inference.best.as_ref().map(|fit| fit.model.kind()))
                    != (Confidence::Confident, Some(kind))
                {
                    bad.push(format!(
                        "target {n}, seed {seed}, declared {declare}: {:?}\n{:?}\n{}",
                        inference.by_run,
                        inference.feasible,
                        pictures()
                    ));
                    continue;
                }
                assert!(u64::from(sent) <= allowance.most_requests(), "{sent} requests");
                assert!(time <= allowance.longest() + Duration::from_secs(1), "{time:?} of {:?}", allowance.longest());
                let judgement = model::kind(Some(&runs));
                assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:?}");
                let judgement = model::quota(Some(&runs));
                assert_eq!(judgement.verdict, Verdict::Pass, "target {n}, seed {seed}: {judgement:#?}\n{}", pictures());
            }
        }
    }
    assert!(bad.is_empty(), "{} of {total}\n{}", bad.len(), bad.join("\n"));
}
