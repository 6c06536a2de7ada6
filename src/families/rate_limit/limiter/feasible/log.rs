//! The sliding log.

use super::{
    super::{
        model::{Fit, Model},
        trace::{Counted, Trace},
    },
    Bounds, join,
    pairs::Pairs,
    quotas,
};

pub(super) fn fit(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    explained(trace, bounds, Counted::Admitted)
}

pub(super) fn fit_counting_refusals(trace: &Trace, bounds: &Bounds) -> Option<Fit> {
    explained(trace, bounds, Counted::All)
}

fn explained(trace: &Trace, bounds: &Bounds, counted: Counted) -> Option<Fit> {
    let found = quotas(trace, bounds).filter_map(|quota| {
        let pairs = Pairs::new(trace, counted, quota, bounds.slack);
        let most = pairs.apart.iter().map(|(from, to)| to - from).fold(bounds.window.1, f64::min);
        let least = pairs.joined.iter().map(|(from, to)| to - from);
        let least = least.chain(pairs.before.iter().map(|at| at + trace.silence)).fold(bounds.window.0, f64::max);
        let window = f64::midpoint(least, most);
        (least <= most).then_some((
            quota,
            Model::SlidingLog { quota, window, counts_refused: counted == Counted::All },
            (least, most),
        ))
    });
    join(found)
}
