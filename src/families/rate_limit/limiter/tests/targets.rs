//! Targets of every kind, written apart from what infers them: exact, at given instants.

use std::collections::VecDeque;

/// Decides about a request at an instant, in seconds; instants never go backwards.
pub(super) type Decide = Box<dyn FnMut(f64) -> bool + Send>;

pub(super) fn token_bucket(capacity: u32, rate: f64) -> Decide {
    let (mut tokens, mut last) = (f64::from(capacity), 0.0);
    Box::new(move |at| {
        tokens = (tokens + (at - last) * rate).min(f64::from(capacity));
        last = at;
        let admitted = tokens >= 1.0 - 1e-9;
        if admitted {
            tokens -= 1.0;
        }
        admitted
    })
}

pub(super) fn fixed_window(quota: u32, window: f64) -> Decide {
    let (mut current, mut count) = (-1.0, 0);
    Box::new(move |at| {
        let number = (at / window).floor();
        if number > current {
            (current, count) = (number, 0);
        }
        let admitted = count < quota;
        count += u32::from(admitted);
        admitted
    })
}

pub(super) fn opened_window(quota: u32, window: f64) -> Decide {
    let (mut ends, mut count) = (0.0, 0);
    Box::new(move |at| {
        if at >= ends {
            (ends, count) = (at + window, 0);
        }
        count += 1;
        count <= quota
    })
}

pub(super) fn sliding_log(quota: u32, window: f64, counts_refused: bool) -> Decide {
    let mut log: VecDeque<f64> = VecDeque::new();
    Box::new(move |at| {
        while log.front().is_some_and(|oldest| *oldest <= at - window) {
            log.pop_front();
        }
        let admitted = log.len() < quota as usize;
        if admitted || counts_refused {
            log.push_back(at);
        }
        admitted
    })
}

/// How implementations of the sliding counter differ.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rounding {
    /// The share as it is.
    Exact,
    /// The share rounded down.
    Down,
    /// The request itself is counted first.
    Itself,
}

pub(super) fn sliding_counter(quota: u32, window: f64, rounding: Rounding) -> Decide {
    let (mut number, mut before, mut current) = (0.0, 0.0, 0.0);
    Box::new(move |at| {
        let now = (at / window).floor();
        if now > number {
            before = if (now - number - 1.0).abs() < 0.5 { current } else { 0.0 };
            (number, current) = (now, 0.0);
        }
        let share: f64 = before * (1.0 - (at / window).fract());
        let admitted = match rounding {
            Rounding::Exact => share + current < f64::from(quota),
            Rounding::Down => share.floor() + current < f64::from(quota),
            Rounding::Itself => share + current + 1.0 <= f64::from(quota),
        };
        if admitted {
            current += 1.0;
        }
        admitted
    })
}

/// Requests are under way for so many seconds.
pub(super) fn concurrency(limit: u32, held: f64) -> Decide {
    let mut ends: VecDeque<f64> = VecDeque::new();
    Box::new(move |at| {
        ends.retain(|end| *end > at);
        let admitted = ends.len() < limit as usize;
        if admitted {
            ends.push_back(at + held);
        }
        admitted
    })
}

/// A fixed window opened by its first request, and a block of its own length for whoever exceeds it.
pub(super) fn block(quota: u32, window: f64, duration: f64, restarts: bool) -> Decide {
    let mut limit = opened_window(quota, window);
    let mut until = 0.0;
    Box::new(move |at| {
        if at < until {
            if restarts {
                until = at + duration;
            }
            return false;
        }
        if until > 0.0 {
            limit = opened_window(quota, window);
            until = 0.0;
        }
        let admitted = limit(at);
        if !admitted {
            until = at + duration;
        }
        admitted
    })
}

/// Two limits at once.
pub(super) fn both(mut one: Decide, mut other: Decide) -> Decide {
    Box::new(move |at| one(at) && other(at))
}
