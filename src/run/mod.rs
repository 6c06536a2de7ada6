//! Executes a plan: prepares, drives the checks, judges what they saw, and makes the record.
//!
//! Checks run side by side as far as they do not disturb each other (`schedule`). Whatever happens (a failed step, an
//! interruption, a spent budget), teardown runs and a record of what was learned is made.

mod afterwards;
mod events;
mod judge;
mod kept;
mod lateness;
mod line;
mod redaction;
mod schedule;
mod session;
mod steps;
mod streamed;
mod trace;

pub use events::{Events, Silent};

use std::{
    collections::BTreeMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio_util::sync::CancellationToken;
use url::Url;

use self::{
    afterwards::Afterwards,
    lateness::Lateness,
    schedule::Schedule,
    session::{CheckSession, Shared},
    trace::Trace,
};
use crate::{
    exchange::Redactor,
    families::{Evidence, FAMILIES, Observer},
    notation::{Span, Values},
    plan::{Item, Plan},
    record::{Record, Stopped, SuiteRef, Wait},
    suite::Suite,
    wire::{Limits, Settings, TlsSettings, Wire, WireError, callbacks},
};

/// How a run is carried out, beyond what the suite says.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How the peer's certificate is checked.
    pub tls: TlsSettings,
    /// A proxy for all requests.
    pub proxy: Option<Url>,
    /// How many reading checks run side by side, at least 1.
    pub jobs: usize,
    /// The seed of every random choice.
    pub seed: u64,
    /// Where the target's callbacks are received, if a check asks for any.
    pub callbacks: callbacks::Settings,
}

/// What teardown and undoing may take when the run itself was cut short.
const TIME_AFTERWARDS: Duration = Duration::from_secs(30);

/// Carries out a plan; every outcome of the target's making is in the record, an error is only a setting that
/// cannot be used.
pub async fn run(
    plan: &Plan<'_>,
    options: &Options,
    events: Arc<dyn Events>,
    cancel: CancellationToken,
) -> Result<Record, WireError> {
    let suite = plan.suite;
    let started = jiff::Timestamp::now();
    let observers: Vec<(&'static str, Box<dyn Observer>)> =
        FAMILIES.iter().filter_map(|family| Some((family.name, family.observer?(&suite.conventions)))).collect();
    let trace = Arc::new(Trace::new(redactor(suite), observers, Arc::clone(&events)));
    let wire = Arc::new(Wire::new(settings(suite, options, suite.limits.clone()), trace.clone(), cancel.clone())?);
    let callbacks = Arc::new(wire.callbacks(options.callbacks.clone()));
    let limits = Limits { requests: 1_000, duration: Span(TIME_AFTERWARDS), ..suite.limits.clone() };
    let afterwards = Arc::new(Afterwards::new(settings(suite, options, limits), trace.clone()));
    let values = Arc::new(Mutex::new(initial_values(suite)));
    let mut stopped = None;
    if let Err(why) = steps::setup(suite, &wire, &values).await {
        stopped = Some(trace.unreachable().map_or(Stopped::Setup(why), Stopped::Unreachable));
    }
    let mut outcome = Driven::default();
    if stopped.is_none() {
        let lateness = Arc::new(Lateness::default());
        let shared = Shared {
            wire: Arc::clone(&wire),
            afterwards: Arc::clone(&afterwards),
            callbacks: Arc::clone(&callbacks),
            trace: Arc::clone(&trace),
            values: Arc::clone(&values),
            lateness: Arc::clone(&lateness),
        };
        let driver = Driver { shared, seed: options.seed, events: &events };
        outcome = tokio::select! {
            outcome = driver.drive(plan, options.jobs) => outcome,
            () = lateness.watch(|| wire.now()) => Driven::default(),
        };
    }
    let mut notes = trace.notes();
    notes.extend(steps::teardown(suite, &values, &afterwards).await);
    callbacks.close().await;
    notes.extend(callbacks.notes());
    // An interruption during setup looks like a failed step.
    if cancel.is_cancelled() {
        stopped = Some(Stopped::Interrupted);
    } else if stopped.is_none() {
        stopped = trace.stopped().or_else(|| spent(&wire));
    }
    let judged = judge::judge(plan, &outcome.evidence, &trace, stopped.as_ref());
    // A suite may ask for nothing but refusals; where a check got the one it declares, nothing is wrong with the run.
    let expected = match stopped {
        Some(Stopped::LoginRefused(_)) => judged.passed_with_credentials,
        Some(Stopped::Unavailable(_)) => judged.passed,
        _ => false,
    };
    if expected {
        stopped = None;
    }
    let today = started.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (findings, waivers) = judge::apply_suite(suite, judged.findings, &judged.not_judged, today);
    let exchanges = trace.exchanges(&findings);
    let mut record = Record {
        fincheck: env!("CARGO_PKG_VERSION").to_owned(),
        suite: SuiteRef { name: suite.name.clone(), file: suite.file.clone(), sha256: suite.sha256.clone() },
        target: suite.target.base_url.to_string(),
        started_at: started.round(jiff::Unit::Millisecond).unwrap_or(started).to_string(),
        duration_ms: millis(wire.now()),
        longest_wait: outcome.waits.into_iter().filter(|wait| wait.waited_ms > 0).max_by_key(|wait| wait.waited_ms),
        seed: options.seed,
        requests: trace.count(),
        stopped,
        findings,
        not_judged: judged.not_judged,
        unjudged: judged.unjudged,
        exchanges,
        waivers,
        notes,
    };
    redaction::redact(&mut record, &trace.redactor());
    Ok(record)
}

/// What came of driving a plan.
#[derive(Default)]
struct Driven {
    evidence: BTreeMap<usize, Evidence>,
    waits: Vec<Wait>,
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Drives the checks of a plan.
struct Driver<'r> {
    shared: Shared,
    seed: u64,
    events: &'r Arc<dyn Events>,
}

impl Driver<'_> {
    async fn drive(&self, plan: &Plan<'_>, jobs: usize) -> Driven {
        let mut schedule = Schedule::new(jobs, plan.items.iter().map(|item| &item.planned).enumerate());
        let mut running = FuturesUnordered::new();
        let mut driven = Driven::default();
        loop {
            while let Some(number) = schedule.start() {
                let item = &plan.items[number];
                running.push(async move { (number, item, self.probe(item).await) });
            }
            let Some((number, item, probed)) = running.next().await else { return driven };
            schedule.end(number);
            let Some((evidence, waited)) = probed else { continue };
            driven.evidence.extend(evidence.map(|evidence| (number, evidence)));
            let (family, check) = (item.check.family().name.to_owned(), item.check.name().to_owned());
            driven.waits.push(Wait { family, check, waited_ms: millis(waited) });
        }
    }

    /// What a check saw, if that can be told, and how long it waited; nothing if the run is over.
    async fn probe(&self, item: &Item<'_>) -> Option<(Option<Evidence>, Duration)> {
        if item.planned.rules.is_empty() {
            return None;
        }
        if self.shared.wire.stopping() || self.shared.trace.unreachable().is_some() {
            return None;
        }
        let check = item.check;
        self.events.check_started(check.family().name, check.name());
        let session = CheckSession::new(self.shared.clone(), check.name(), self.seed);
        // A fault of ours in one check must not cost what the others learned.
        let probed = AssertUnwindSafe(check.probe(&session, &item.planned)).catch_unwind().await;
        self.events.check_ended(check.family().name, check.name());
        if let Ok(evidence) = &probed {
            self.shared.trace.found(check.family().name, check.name(), evidence);
        }
        let evidence = probed
            .map_err(|_| {
                self.shared.trace.note(format!("internal error while probing `{}`; please report it", check.name()));
            })
            .ok();
        Some((evidence, session.waited()))
    }
}

fn settings(suite: &Suite, options: &Options, limits: Limits) -> Settings {
    Settings {
        clients: suite.clients.clone(),
        correlation_header: suite.conventions.correlation.as_ref().and_then(|c| c.request.clone()),
        headers: suite.target.headers.clone(),
        limits,
        tls: options.tls.clone(),
        proxy: options.proxy.clone(),
        http2_prior_knowledge: suite.target.http2,
        ..Settings::new(suite.target.base_url.clone())
    }
}

fn redactor(suite: &Suite) -> Redactor {
    let mut redactor = Redactor::new(uuid::Uuid::new_v4().as_bytes());
    for secret in &suite.secrets {
        redactor.add(secret);
    }
    for secret in suite.clients.values().flat_map(crate::wire::Credentials::secrets) {
        redactor.add(&secret);
    }
    redactor
}

fn initial_values(suite: &Suite) -> Values {
    let mut values = suite.vars.clone();
    let run_id = uuid::Uuid::new_v4().simple().to_string();
    values.entry("run_id".into()).or_insert_with(|| run_id[..12].to_owned());
    values
}

fn spent(wire: &Wire) -> Option<Stopped> {
    if wire.remaining() == 0 {
        return Some(Stopped::Budget("the budget of requests is spent (`limits.requests`)".into()));
    }
    wire.stopping().then(|| Stopped::Budget("the time is spent (`limits.duration`)".into()))
}

/// The lock's content, also after a panic elsewhere.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
