//! Finding where in a range of parameters something is possible: halving, dropping each part that surely is not.

use super::super::trace::Trace;

/// How many parts are looked at before the answer is "maybe", which counts as possible: fewer where each takes longer.
pub(super) fn effort(trace: &Trace) -> u32 {
    let requests = u32::try_from(trace.samples.len()).unwrap_or(u32::MAX).max(1);
    (600_000 / requests).clamp(300, 5_000)
}

/// Of so many pairs or requests each is looked at where only some need to be.
pub(super) const SOME: usize = 64;

/// Some of many, evenly: enough to exclude most of what is impossible.
pub(super) fn thinned<T: Copy>(all: &mut Vec<T>) {
    let step = all.len().div_ceil(SOME);
    if step > 1 {
        let last = all.last().copied();
        *all = all.iter().copied().step_by(step).chain(last).collect();
    }
}

/// Looks through `range` for parts no wider than `width(part)` that `possible` does not exclude.
///
/// `possible` must never exclude a part that holds a value which is possible.
pub(super) struct Search<P, W> {
    pub(super) possible: P,
    pub(super) width: W,
    /// How many parts are looked at, at most.
    pub(super) effort: u32,
}

impl<P: Fn(f64, f64) -> bool, W: Fn(f64) -> f64> Search<P, W> {
    /// The least and the most that is possible.
    pub(super) fn range(&self, range: (f64, f64)) -> Option<(f64, f64)> {
        let mut effort = self.effort;
        let first = self.end(range, false, &mut effort)?;
        let last = self.end((first.0, range.1), true, &mut effort).unwrap_or(first);
        Some((first.0, last.1))
    }

    /// A part that is possible, the lowest.
    pub(super) fn first(&self, range: (f64, f64)) -> Option<(f64, f64)> {
        self.end(range, false, &mut self.effort.clone())
    }

    fn end(&self, (low, high): (f64, f64), from_high: bool, effort: &mut u32) -> Option<(f64, f64)> {
        if *effort == 0 {
            return Some((low, high));
        }
        *effort -= 1;
        if !(self.possible)(low, high) {
            return None;
        }
        if high - low <= (self.width)(low) {
            return Some((low, high));
        }
        let middle = f64::midpoint(low, high);
        let (one, other) = if from_high { ((middle, high), (low, middle)) } else { ((low, middle), (middle, high)) };
        self.end(one, from_high, effort).or_else(|| self.end(other, from_high, effort))
    }
}

#[cfg(test)]
mod tests {
    use super::Search;

    #[test]
    fn the_ends_of_what_is_possible_are_found() {
        let search =
            Search { possible: |low: f64, high: f64| low <= 3.0 && high >= 2.0, width: |_| 1e-3, effort: 5_000 };
        let (first, last) = search.range((0.0, 16.0)).unwrap();
        assert!((first - 2.0).abs() < 2e-3 && (last - 3.0).abs() < 2e-3, "{first} {last}");
        assert!(search.range((4.0, 16.0)).is_none());
    }
}
