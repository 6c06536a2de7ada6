//! Over random limits and lines: the true kind is never excluded, nothing else is believed, nobody is accused.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    super::{Kind, infer, runs::Declared, timeline},
    line::{Delay, Drive, declared},
    targets::{Decide, Rounding, fixed_window, opened_window, sliding_counter, sliding_log, token_bucket},
};
use crate::{families::rate_limit::rules::model, rule::Verdict};

const TARGETS: usize = 7;

fn target(which: usize, quota: u32, window: f64) -> (Kind, Decide) {
    match which {
        0 => (Kind::TokenBucket, token_bucket(quota, f64::from(quota) / window)),
        1 => (Kind::FixedWindow, fixed_window(quota, window)),
        2 => (Kind::FixedWindow, opened_window(quota, window)),
        3 => (Kind::SlidingLog, sliding_log(quota, window, false)),
        4 => (Kind::SlidingCounter, sliding_counter(quota, window, Rounding::Exact)),
        5 => (Kind::SlidingCounter, sliding_counter(quota, window, Rounding::Down)),
        _ => (Kind::SlidingCounter, sliding_counter(quota, window, Rounding::Itself)),
    }
}

/// What the suite says of the limit.
#[derive(Debug, Clone, Copy)]
enum Said {
    Everything,
    Numbers,
    Nothing,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_true_kind_is_never_excluded_and_no_other_is_believed(
        which in 0..TARGETS,
        quota in 3_u32..30,
        window in 0.8_f64..12.0,
        most in 2_u64..40,
        stalls in prop_oneof![Just(0_u64), 8_u64..40],
        told in any::<bool>(),
        said in prop_oneof![Just(Said::Everything), Just(Said::Numbers), Just(Said::Nothing)],
        seed in any::<u64>(),
    ) {
        let (kind, decide) = target(which, quota, window);
        let said_of = match said {
            Said::Everything => Declared { model: Some(kind), ..declared(quota, window) },
            Said::Numbers => declared(quota, window),
            Said::Nothing => Declared::default(),
        };
        let mut drive = Drive::new(said_of, seed);
        drive.delay = Delay { least: 1, most, stalls };
        drive.told = told.then(|| Duration::from_secs_f64(window).max(Duration::from_secs(1)));
        let (runs, allowance, sent, _) = drive.runs(decide);
        prop_assert!(u64::from(sent) <= allowance.most_requests());
        let inference = infer(&runs.declared, &runs.runs);
        let picture = runs.runs.iter().flat_map(timeline).collect::<Vec<_>>().join("\n");
        for kinds in &inference.by_run {
            prop_assert!(kinds.contains(&kind), "{kind:?} is not among {kinds:?}\n{picture}");
        }
        if let Some(best) = &inference.best {
            prop_assert_eq!(best.model.kind(), kind, "{:?}\n{}", inference.feasible, picture);
        }
        for judgement in [model::kind(Some(&runs)), model::quota(Some(&runs))] {
            prop_assert_ne!(judgement.verdict, Verdict::Fail, "{:#?}\n{}", judgement, picture);
        }
    }
}
