//! What was seen of a limiter, drawn along time.

use std::time::Duration;

use super::runs::Run;
use crate::families::rate_limit::evidence::Decision;

/// The most columns a line has.
const COLUMNS: usize = 76;

/// What each line begins with.
const MARGIN: usize = 9;

/// A run in four lines of at most 76 columns: its phases, what was admitted (`#`, or how many), what was denied (`x`,
/// or how many) and the time in seconds. More than 9 in one column are `+`.
pub(in crate::families::rate_limit) fn timeline(run: &Run) -> Vec<String> {
    let decisions: Vec<&Decision> = run.decisions().collect();
    let (Some(first), Some(last)) =
        (decisions.iter().map(|d| d.sent_us).min(), decisions.iter().map(|d| d.received_us).max())
    else {
        return Vec::new();
    };
    let width = COLUMNS - MARGIN;
    let length = last.saturating_sub(first).max(1);
    let column = |us: u64| {
        let share = u128::from(us.saturating_sub(first)) * (width as u128 - 1) / u128::from(length);
        usize::try_from(share).unwrap_or(width - 1).min(width - 1)
    };
    let (mut admitted, mut denied) = (vec![0_u32; width], vec![0_u32; width]);
    for decision in &decisions {
        let row = if decision.admitted { &mut admitted } else { &mut denied };
        row[column(decision.sent_us)] += 1;
    }
    let mut phases = vec![' '; width];
    for phase in &run.phases {
        let Some(begin) = phase.decisions.iter().map(|d| d.sent_us).min() else { continue };
        write_at(&mut phases, column(begin), &format!("|{}", phase.kind.as_str()));
    }
    let mut axis = vec![' '; width];
    for quarter in 0..4_u64 {
        let at = first + length * quarter / 4;
        write_at(&mut axis, column(at), &format!("|{}", seconds(at - first, length)));
    }
    let line = |name: &str, row: String| format!("{name:<MARGIN$}{row}").trim_end().to_owned();
    vec![
        line("phase", phases.into_iter().collect()),
        line("admitted", marks(&admitted, '#')),
        line("denied", marks(&denied, 'x')),
        line("seconds", axis.into_iter().collect()),
    ]
}

fn write_at(row: &mut [char], column: usize, text: &str) {
    for (cell, letter) in row.iter_mut().skip(column).zip(text.chars()) {
        *cell = letter;
    }
}

fn marks(counts: &[u32], mark: char) -> String {
    let one = |count: &u32| match count {
        0 => ' ',
        1 => mark,
        2..=9 => char::from_digit(*count, 10).unwrap_or('+'),
        _ => '+',
    };
    counts.iter().map(one).collect()
}

fn seconds(us: u64, length: u64) -> String {
    let seconds = Duration::from_micros(us).as_secs_f64();
    if length >= 40_000_000 { format!("{seconds:.0}") } else { format!("{seconds:.2}") }
}
