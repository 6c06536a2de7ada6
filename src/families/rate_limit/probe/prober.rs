//! Sends the requests of one check, never more than planned, and reads what comes.

use std::time::Duration;

use serde_json::Value;

use super::super::{
    config::Config,
    evidence::{Answer, Declared, Evidence, Kind},
    signal,
};
use crate::{
    exchange::{Outcome, Reply, Request},
    families::{
        PlannedCheck, Session,
        errors::{Shape, origin, read},
    },
    json::Scalar,
};

/// Most bodies of refusals that are kept.
const BODIES: usize = 6;
/// The longest body that is searched for what says that a request was refused, in bytes.
const LONGEST: usize = 64 * 1024;

/// The state of one check's probe.
pub(super) struct Prober<'a> {
    pub(super) config: &'a Config,
    pub(super) session: &'a dyn Session,
    pub(super) plan: &'a PlannedCheck,
    shape: &'a Shape,
    /// The request that spends the limit, or why there is none.
    pub(super) limited: Result<Request, String>,
    /// How many more requests the plan allows.
    left: u64,
    pub(super) evidence: Evidence,
    /// The last refusal of the limited client, whatever it asked for.
    pub(super) last_refusal: Option<Answer>,
    /// Whether that refusal was of something else than the limited request: another limit may speak there.
    pub(super) last_was_other: bool,
    /// Why the last request without an answer had none.
    trouble: Option<String>,
    /// The longest that a request that was let through took.
    slowest: Duration,
}

impl<'a> Prober<'a> {
    pub(super) fn new(config: &'a Config, shape: &'a Shape, session: &'a dyn Session, plan: &'a PlannedCheck) -> Self {
        let call = config.call();
        let limited = call.build(call.who(None), &session.values(), "spend the limit");
        let declared = Declared {
            request: config.request.to_string(),
            limit: config.limit.clone(),
            refusal: config.refusal.clone(),
            scope: config.scope(),
            signal: config.signal.clone(),
            budget: config.budget(),
            max_wait_ms: u64::try_from(config.max_wait.0.as_millis()).unwrap_or(u64::MAX),
            errors: shape.declared.clone(),
        };
        Self {
            config,
            session,
            plan,
            shape,
            limited,
            left: plan.requests(),
            evidence: Evidence { declared, ..Evidence::default() },
            last_refusal: None,
            last_was_other: false,
            trouble: None,
            slowest: Duration::ZERO,
        }
    }

    pub(super) fn finish(mut self) -> Evidence {
        self.evidence.cut_short = self.session.stopping();
        self.evidence
    }

    pub(super) fn wants(&self, rule: &str) -> bool {
        self.plan.wants(rule)
    }

    /// Why the last request without an answer had none.
    pub(super) fn trouble(&self) -> &str {
        self.trouble.as_deref().unwrap_or("nothing could be sent")
    }

    /// The declared window, or the one that the answers tell.
    pub(super) fn window(&self) -> Option<Duration> {
        let declared = self.config.limit.as_ref().and_then(|limit| limit.window);
        let told = || self.evidence.own_answers().find_map(signal::told_window).map(Duration::from_secs);
        declared.map(|window| window.0).or_else(told)
    }

    /// What a wait is lengthened by: a header field's resolution of one second, or twice the slowest exchange.
    pub(super) fn guard(&self) -> Duration {
        (self.slowest * 2).clamp(Duration::from_secs(1), Duration::from_secs(5))
    }

    /// The limited request, sent once by the limited client.
    pub(super) async fn ask_limited(&mut self) -> Option<Answer> {
        let request = self.limited.clone().ok()?;
        self.ask(request, true).await
    }

    /// A request, sent once; `own` if it is the limited client's. No answer if there was none, or nothing may be sent.
    pub(super) async fn ask(&mut self, mut request: Request, own: bool) -> Option<Answer> {
        if !self.may_send(1) {
            return None;
        }
        request.obey = false;
        let outcome = self.session.send(request.clone()).await;
        self.note(&request, outcome, own)
    }

    /// The limited request, several times at once. Only those with an answer come back.
    pub(super) async fn ask_together(&mut self, count: u64) -> Vec<Answer> {
        let Ok(request) = self.limited.clone() else { return Vec::new() };
        let count = count.min(self.left);
        if count == 0 || !self.may_send(count) {
            return Vec::new();
        }
        let requests = vec![Request { obey: false, ..request.clone() }; usize::try_from(count).unwrap_or(1)];
        let outcomes = self.session.together(requests).await;
        outcomes.into_iter().filter_map(|outcome| self.note(&request, outcome, true)).collect()
    }

    /// Takes requests off what the plan allows.
    fn may_send(&mut self, count: u64) -> bool {
        if self.left < count || self.session.stopping() {
            self.trouble = Some("the run, or what the plan allows, was at its end".into());
            return false;
        }
        self.left -= count;
        true
    }

    fn note(&mut self, request: &Request, outcome: Outcome, own: bool) -> Option<Answer> {
        let reply = match outcome {
            Ok(reply) => reply,
            Err(failure) => {
                self.trouble = Some(failure.message);
                return None;
            }
        };
        let kind = self.kind(&reply, own);
        let answer = Answer {
            exchange: reply.id,
            sent_us: micros(reply.sent),
            received_us: micros(reply.received),
            status: reply.status,
            kind,
            fields: signal::kept(reply.headers.iter(), &self.config.signal),
        };
        self.evidence.clock.note(&answer);
        match kind {
            Kind::Refused => self.keep_body(request, &reply),
            Kind::Admitted => {
                self.slowest = self.slowest.max(answer.took());
                if self.evidence.origin.is_none() {
                    self.evidence.origin = Some(origin(&reply));
                }
            }
            _ => {}
        }
        if own && answer.is_kept_out() {
            self.last_refusal = Some(answer.clone());
            self.last_was_other = self.limited.as_ref().is_ok_and(|limited| limited.purpose != request.purpose);
        }
        Some(answer)
    }

    /// What an answer means. Being shut out is recognised only of a client that was refused for its limit before.
    fn kind(&self, reply: &Reply, own: bool) -> Kind {
        let refusal = &self.config.refusal;
        let declared = refusal.code.is_none() && refusal.status.contains(&reply.status);
        match reply.status {
            429 => Kind::Refused,
            _ if declared || self.says_refused(reply) => Kind::Refused,
            403 | 418 if own && self.last_refusal.is_some() => Kind::Banned,
            503 => Kind::Unavailable,
            200..=399 => Kind::Admitted,
            _ => Kind::Other,
        }
    }

    fn says_refused(&self, reply: &Reply) -> bool {
        let Some(code) = self.config.refusal.code.as_ref().filter(|_| reply.body.len() <= LONGEST) else {
            return false;
        };
        let Ok(body) = serde_json::from_slice::<Value>(&reply.body) else { return false };
        code.path.all(&body).into_iter().any(|value| match Scalar::from_value(value) {
            Scalar::Text(text) | Scalar::Number(text) => code.values.contains(&text),
            _ => false,
        })
    }

    /// Keeps the body of a refusal, once of each kind.
    fn keep_body(&mut self, request: &Request, reply: &Reply) {
        let bodies = &mut self.evidence.bodies;
        if bodies.len() >= BODIES {
            return;
        }
        let (body, _) = read(request, reply, self.shape);
        let same = |known: &&crate::families::errors::evidence::ErrorResponse| {
            known.status == body.status
                && known.media_type == body.media_type
                && known.content == body.content
                && known.envelope == body.envelope
                && known.code == body.code
                && known.origin == body.origin
                && known.path == body.path
        };
        if !bodies.iter().any(|known| same(&known)) {
            bodies.push(body);
        }
    }
}

pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
