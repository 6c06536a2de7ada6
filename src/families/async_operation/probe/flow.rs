//! Starts one operation and follows it to its end.
//!
//! The pace is the monitor's own (`Retry-After`), else the suite's, growing; a poll is placed right after the deadline, so
//! that being late is seen and not inferred.

use std::time::Duration;

use super::{
    super::{
        config::{Config, Poll},
        evidence::{Ending, Operation, Pace, Purpose, Reading, Start},
        webhook::Kind,
    },
    monitor::{self, text},
};
use crate::{
    exchange::{ExchangeId, Failure, FailureKind, Outcome, Reply, Request, RetryAfter},
    families::{Call, Session},
    json::{Path, Scalar, fields},
    notation::Values,
};

/// What a wait that a monitor tells is lengthened by.
pub(super) const GUARD: Duration = Duration::from_millis(100);
/// The same where it decides whether the target is at fault: a header field's resolution of one second.
pub(super) const LONG_GUARD: Duration = Duration::from_secs(1);
/// The longest wait that a monitor is granted where the suite declares no deadline.
const LONGEST_WAIT: Duration = Duration::from_mins(1);
/// How long after the deadline the state is asked for.
const AFTER_DEADLINE: Duration = Duration::from_millis(50);
/// Longest texts that are kept.
const LONGEST: usize = 200;

/// Starts and follows operations of a check.
#[derive(Clone, Copy)]
pub(in crate::families::async_operation) struct Flow<'a> {
    pub(in crate::families::async_operation) session: &'a dyn Session,
    pub(in crate::families::async_operation) config: &'a Config,
    /// What waits that a monitor tells are lengthened by.
    pub(in crate::families::async_operation) guard: Duration,
}

/// An operation under way.
pub(in crate::families::async_operation) struct Run {
    /// What was seen so far.
    pub(in crate::families::async_operation) operation: Operation,
    /// Suite variables, and this operation's `reference` and `operation`.
    pub(in crate::families::async_operation) values: Values,
    /// The request that asks the monitor.
    pub(super) ask: Option<Request>,
    /// The last answer of the monitor that was a success.
    pub(super) last: Option<Reply>,
    pacing: Pacing,
}

/// When the monitor may be asked next.
#[derive(Default)]
struct Pacing {
    /// When the last answer was there.
    last: Duration,
    /// How long it told to wait.
    told: Option<Duration>,
    /// How long is waited where nothing is told.
    wait: Duration,
}

impl<'a> Flow<'a> {
    pub(in crate::families::async_operation) fn new(session: &'a dyn Session, config: &'a Config) -> Self {
        Self { session, config, guard: GUARD }
    }

    /// Starts an operation and follows it to its end.
    pub(in crate::families::async_operation) async fn run(&self, purpose: Purpose) -> Run {
        let mut run = self.start(&self.config.start, purpose).await;
        self.follow(&mut run).await;
        run
    }

    /// Starts an operation.
    pub(super) async fn start(&self, call: &Call, purpose: Purpose) -> Run {
        let reference = format!("fincheck-{:016x}", self.session.fresh());
        let mut values = self.session.values();
        values.insert("reference".into(), reference.clone());
        let mut run = Run {
            operation: Operation { purpose, reference, ..Operation::default() },
            values,
            ask: None,
            last: None,
            pacing: Pacing::default(),
        };
        let own = self.config.client.as_deref();
        let request = match call.build(call.who(own), &run.values, "start an operation") {
            Ok(request) => request,
            Err(why) => {
                run.operation.trouble = Some((why, None));
                return run;
            }
        };
        match self.session.send(request.clone()).await {
            Ok(reply) => self.started(&mut run, &request, &reply),
            Err(Failure { message, id, .. }) => run.operation.trouble = Some((message, id)),
        }
        run
    }

    /// What an answer to a start says.
    pub(super) fn answer(&self, reply: &Reply) -> Start {
        let word = value(&reply.body, &self.config.state.path).as_ref().and_then(Scalar::text).map(str::to_owned);
        let state = word.and_then(|word| self.config.state.means(&word).map(|kind| (word, kind)));
        let applied: Vec<&str> = reply.headers.all("preference-applied").collect();
        Start {
            exchange: Some(reply.id),
            sent_ms: millis(reply.sent),
            received_ms: millis(reply.received),
            late_ms: millis(self.session.late(reply.sent, reply.received)),
            status: reply.status,
            accepted: self.config.accepted.contains(&reply.status),
            state,
            applied: (!applied.is_empty()).then(|| short(&applied.join(", "))),
        }
    }

    fn started(&self, run: &mut Run, request: &Request, reply: &Reply) {
        let start = self.answer(reply);
        run.pacing = Pacing { last: reply.received, told: told(reply), wait: self.config.pace().interval.0 };
        if start.accepted {
            let spelling = &self.config.monitor;
            let id = spelling.id.as_ref().or(self.config.id.as_ref()).and_then(|path| value(&reply.body, path));
            run.named(id.as_ref().and_then(Scalar::text));
            let (found, ask) = monitor::locate(self.session.base(), spelling, request, reply, run, self.config);
            run.operation.monitor = found;
            run.ask = ask;
        }
        run.operation.start = Some(start);
    }

    /// Asks the monitor until the operation ends, as long as that is worth it.
    pub(super) async fn follow(&self, run: &mut Run) {
        self.follow_until(run, |_| false).await;
    }

    /// The same, or until a reading is what was waited for.
    pub(super) async fn follow_until(&self, run: &mut Run, enough: impl Fn(&Reading) -> bool) {
        if run.ask.is_none() {
            return;
        }
        let began = Duration::from_millis(run.operation.start.as_ref().map_or(0, |start| start.received_ms));
        let mut strikes = Strikes::default();
        let most = usize::try_from(self.config.pace().most).unwrap_or(usize::MAX);
        while run.operation.readings.len() < most {
            let until = self.next(run);
            let limit = self.config.deadline.map_or(run.pacing.last + LONGEST_WAIT, |deadline| began + deadline.0 * 2);
            if until > limit {
                run.operation.ending = if self.is_overdue(run) { Ending::Overdue } else { Ending::Budget };
                return;
            }
            if self.session.stopping() {
                break;
            }
            if let Err(FailureKind::Budget | FailureKind::Interrupted) = self.read(run, until).await {
                break;
            }
            let Some(reading) = run.operation.readings.last() else { break };
            if reading.kind.is_some_and(Kind::is_end) {
                run.operation.ending = Ending::Ended(run.operation.readings.len() - 1);
                return;
            }
            if enough(reading) {
                return;
            }
            let settled = reading.sent_ms > millis(began + self.config.settle.0);
            if strikes.count(reading.status, settled) {
                run.operation.ending = match reading.status {
                    None => Ending::Unanswered(run.operation.trouble.clone().map_or_else(String::new, |(why, _)| why)),
                    Some(_) => Ending::Unreadable,
                };
                return;
            }
        }
        run.operation.ending = Ending::Budget;
    }

    /// Asks the monitor so many times more, at the same pace.
    pub(super) async fn ask_again(&self, run: &mut Run, times: usize) {
        for _ in 0..times {
            let until = self.next(run);
            let far = until > self.session.now() + LONGEST_WAIT;
            if run.ask.is_none() || far || self.session.stopping() {
                return;
            }
            let _ = self.read(run, until).await;
        }
    }

    /// When the monitor is asked next.
    fn next(&self, run: &Run) -> Duration {
        let pacing = &run.pacing;
        if let Some(told) = pacing.told.filter(|told| !told.is_zero()) {
            return pacing.last + told + self.guard;
        }
        let quarter = u64::try_from(pacing.wait.as_micros() / 4).unwrap_or(u64::MAX).max(1);
        let until = pacing.last + pacing.wait + Duration::from_micros(self.session.random() % quarter);
        let Some(deadline) = self.config.deadline else { return until };
        let began = run.operation.start.as_ref().map_or(0, |start| start.received_ms);
        let due = Duration::from_millis(began) + deadline.0 + AFTER_DEADLINE;
        if pacing.last < due && until > due { due.max(pacing.last + self.config.pace().interval.0) } else { until }
    }

    /// Asks the monitor once, at an instant.
    async fn read(&self, run: &mut Run, until: Duration) -> Result<(), FailureKind> {
        let Some(request) = run.ask.clone() else { return Err(FailureKind::Request) };
        self.session.pause(until.saturating_sub(self.session.now())).await;
        let sent = self.session.now();
        let pace = match run.pacing.told.filter(|told| !told.is_zero()) {
            Some(told) => Pace::Told(millis(told)),
            None if self.config.poll.is_some() => Pace::Declared,
            None => Pace::Own,
        };
        let outcome: Outcome = self.session.send(Request { obey: false, ..request.clone() }).await;
        let Poll { interval, longest, most } = self.config.pace();
        // So many requests must be enough until twice the deadline.
        let least = self.config.deadline.map_or(Duration::ZERO, |span| span.0 * 4 / u32::try_from(most).unwrap_or(60));
        run.pacing.wait = (run.pacing.wait * 3 / 2).min(longest.0.max(least)).max(interval.0);
        run.pacing.last = self.session.now();
        let mut reading = Reading { sent_ms: millis(sent), pace, ..Reading::default() };
        let result = match outcome {
            Ok(reply) => {
                run.pacing.told = told(&reply);
                run.pacing.last = reply.received;
                self.note(run, &request, reply, &mut reading);
                Ok(())
            }
            Err(Failure { kind, message, id }) => {
                run.pacing.told = None;
                reading.exchange = id;
                reading.received_ms = millis(self.session.now());
                run.operation.trouble = Some((message, id));
                if matches!(kind, FailureKind::Budget | FailureKind::Interrupted) {
                    return Err(kind);
                }
                Err(kind)
            }
        };
        run.operation.readings.push(reading);
        result
    }

    fn note(&self, run: &mut Run, request: &Request, reply: Reply, reading: &mut Reading) {
        let config = self.config;
        let reason = config.failing.as_ref().map(|failing| failing.error.clone()).unwrap_or_default();
        reading.exchange = Some(reply.id);
        reading.sent_ms = millis(reply.sent);
        reading.received_ms = millis(reply.received);
        reading.status = Some(reply.status);
        reading.redirected = self.session.base().join(&request.target).is_ok_and(|asked| {
            let path = |url: &url::Url| url.path().trim_end_matches('/').to_owned();
            path(&asked) != path(&reply.url)
        });
        let word = value(&reply.body, &config.state.path).as_ref().and_then(Scalar::text).map(str::to_owned);
        reading.kind = word.as_ref().and_then(|word| config.state.means(word));
        reading.word = word.map(|word| short(&word));
        if reading.redirected && reading.kind.is_none() && reply.is_success() {
            // The result in place of the monitor (RFC 9110 §15.4.4): what looks like a state is the result's own.
            (reading.word, reading.kind) = (None, Some(Kind::Succeeded));
        } else if reply.status == 303 && reply.headers.get("location").is_some() && reading.kind.is_none() {
            (reading.redirected, reading.kind) = (true, Some(Kind::Succeeded));
        }
        let optional = |path: &Option<Path>| path.as_ref().and_then(|path| value(&reply.body, path));
        let written = |path: &Option<Path>| optional(path).as_ref().and_then(Scalar::text).map(short);
        if !reading.redirected {
            reading.progress = written(&config.progress);
            reading.version = optional(&config.version).filter(|version| version.text().is_some());
            reading.error = (text(optional(&reason.code).as_ref()), text(optional(&reason.message).as_ref()));
            if config.monitor.id.is_none() {
                run.named(written(&config.id).as_deref());
            }
        }
        if reply.is_success() || reading.kind.is_some() {
            run.last = Some(reply);
        } else {
            // A refusal or an error tells no state.
            reading.word = None;
        }
    }

    fn is_overdue(&self, run: &Run) -> bool {
        self.config.deadline.is_some_and(|deadline| run.operation.overdue(millis(deadline.0)).is_some())
    }
}

impl Run {
    /// Takes note of the operation's id.
    fn named(&mut self, id: Option<&str>) {
        if let (Some(id), None) = (id, &self.operation.id) {
            self.values.insert("operation".into(), id.to_owned());
            self.operation.id = Some(short(id));
        }
    }

    /// The exchange of the start, and that of the end.
    pub(super) fn exchanges(&self) -> Vec<ExchangeId> {
        let end = self.operation.end().or(self.operation.readings.last());
        self.operation.started().into_iter().chain(end.and_then(|reading| reading.exchange)).collect()
    }
}

/// How often in a row a monitor could not be read.
#[derive(Default)]
struct Strikes {
    refused: u8,
    broken: u8,
    silent: u8,
}

impl Strikes {
    /// Counts an answer; whether it is time to give up. What cannot be found yet may still settle.
    fn count(&mut self, status: Option<u16>, settled: bool) -> bool {
        let before = std::mem::take(self);
        match status {
            Some(200..=399) => {}
            // Asked again when it says.
            Some(429 | 503) => *self = before,
            Some(500..) => self.broken = before.broken + 1,
            Some(_) => self.refused = if settled { before.refused + 1 } else { 0 },
            None => self.silent = before.silent + 1,
        }
        self.refused >= 2 || self.broken >= 3 || self.silent >= 3
    }
}

/// How long an answer tells to wait, by the target's own clock.
fn told(reply: &Reply) -> Option<Duration> {
    let now = reply.headers.get("date").and_then(|date| httpdate::parse_http_date(date).ok());
    match RetryAfter::parse(reply.headers.get("retry-after")?)? {
        RetryAfter::Delay(delay) => Some(delay),
        date @ RetryAfter::Date(_) => now.map(|now| date.wait(now)),
    }
}

/// The value at a path of a body, if it is JSON.
pub(super) fn value(body: &[u8], path: &Path) -> Option<Scalar> {
    fields(body, std::slice::from_ref(path)).ok()?.pop().flatten()
}

/// A text that a target chose, no longer than is useful.
pub(super) fn short(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_monitor_is_given_up_when_it_stays_unreadable() {
        let mut strikes = Strikes::default();
        assert!(!strikes.count(Some(404), false) && !strikes.count(Some(404), true));
        assert!(!strikes.count(Some(429), true));
        assert!(strikes.count(Some(404), true));
        let mut strikes = Strikes::default();
        assert!(!strikes.count(Some(500), true) && !strikes.count(Some(200), true));
        assert!(!strikes.count(Some(500), true) && !strikes.count(Some(502), true) && strikes.count(Some(500), false));
    }
}
