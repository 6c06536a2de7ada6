//! Times and numbers that mean nothing.

use super::super::config::Config;
use crate::families::Problem;

/// The most messages that are read for one judgement.
const MOST: u64 = 10_000_000;

/// Times that must pass, and numbers within their bounds.
pub(super) fn bounds(config: &Config, problems: &mut Vec<Problem>) {
    let (heartbeat, session) = (config.heartbeat.as_ref(), config.session.as_ref());
    let spans = [
        (Some(config.listen), "/listen"),
        (Some(config.lag), "/lag"),
        (heartbeat.map(|heartbeat| heartbeat.interval), "/heartbeat/interval"),
        (heartbeat.and_then(|heartbeat| heartbeat.timeout), "/heartbeat/timeout"),
        (config.resume.as_ref().and_then(|resume| resume.window), "/resume/window"),
        (config.slow.as_ref().map(|slow| slow.catch_up), "/slow/catch_up"),
        (session.and_then(|session| session.expires_after), "/session/expires_after"),
        (session.and_then(|session| session.longest), "/session/longest"),
        (session.and_then(|session| session.rate_window), "/session/rate_window"),
    ];
    for (_, at) in spans.iter().filter(|(span, _)| span.is_some_and(|span| span.0.is_zero())) {
        problems.push(Problem::new(*at, "this takes some time at least"));
    }
    if config.resume.as_ref().is_some_and(|resume| resume.depth == Some(0)) {
        problems.push(Problem::new("/resume/depth", "no event could be missed, so nothing could be taken up"));
    }
    let numbers = [(Some(config.most), "/most"), (config.slow.as_ref().map(|slow| slow.most), "/slow/most")];
    for (_, at) in numbers.iter().filter(|(number, _)| number.is_some_and(|number| number == 0 || number > MOST)) {
        problems.push(Problem::new(*at, format!("this is between 1 and {MOST}")));
    }
}
