//! Has operations done while mailboxes are registered, answers some deliveries badly, and notes what arrives.
//!
//! Three things go on side by side, so that their waits overlap: an operation whose events are acknowledged, one whose
//! deliveries fail, and one while addresses are registered that must not be called. Without `register` there is only
//! one address, and they follow one another.

mod addresses;
mod failing;
mod post;

use std::time::Duration;

use futures_util::future::{BoxFuture, join3};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::post::{Office, Registered};
use super::{
    config::Webhook,
    evidence::{Arrival, Declared, Evidence, MOST_EVENTS, Operation, Schedule, Signed},
    reading::Reader,
    scheme::Scheme,
};
use crate::{exchange::ExchangeId, families::Session, notation::Span};

/// How long an event is waited for where the suite does not say.
const UNDECLARED: Duration = Duration::from_secs(10);

/// How long a target waits at least for an answer, where the suite does not say.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an operation's state means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It has not begun.
    Queued,
    /// It goes on.
    Running,
    /// It is done.
    Succeeded,
    /// It came to nothing.
    Failed,
    /// It was called off.
    Cancelled,
}

impl Kind {
    /// Whether it is an end.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }

    /// As a suite writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// Has operations done.
pub trait Operations: Send + Sync {
    /// Starts one that should succeed, and follows its monitor to the end.
    fn follow<'a>(&'a self, session: &'a dyn Session) -> BoxFuture<'a, Followed>;

    /// What the monitor's vocabulary makes of a word.
    fn means(&self, word: &str) -> Option<Kind>;
}

/// An operation that was followed.
#[derive(Debug, Clone, Default)]
pub struct Followed {
    /// Its id.
    pub id: Option<String>,
    /// The word for its state at the end; none if no end was seen.
    pub end: Option<String>,
    /// When the monitor first showed that, since the start of the run.
    pub ended: Option<Duration>,
    /// Why no end was seen.
    pub why: String,
    /// The exchanges that show it: the start, and the reading that showed the end.
    pub exchanges: Vec<ExchangeId>,
}

/// What the probe needs of the check it belongs to.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The block of the suite.
    pub webhook: &'a Webhook,
    /// The check's client.
    pub client: Option<&'a str>,
    /// Has operations done.
    pub operations: &'a dyn Operations,
    /// Whether a rule is to be judged.
    pub wants: &'a (dyn Fn(&str) -> bool + Sync),
}

/// Drives the traffic that the wanted rules need and returns what was seen.
pub async fn probe(session: &dyn Session, context: Context<'_>) -> Evidence {
    let webhook = context.webhook;
    let scheme = webhook.signature.as_ref().and_then(|signature| Scheme::read(signature, "").ok());
    let mut evidence = Evidence { declared: declared(webhook, scheme.as_ref()), ..Evidence::default() };
    let means = |word: &str| context.operations.means(word);
    let reader = Reader { spelling: &webhook.event, scheme: scheme.as_ref(), means: &means };
    let office = Office::new(session, context, scheme.as_ref());
    let main = match office.open(None).await {
        Ok(main) => main,
        Err(unavailable) => {
            evidence.unavailable = Some(unavailable);
            return evidence;
        }
    };
    evidence.clock_ahead_s = main.clock_ahead_s;
    evidence.reachable = office.tried(&main).await;
    if webhook.register.is_some() {
        let (operations, failures, addresses) = join3(
            arrivals(session, context, &office, &main, &reader),
            failing::registered(session, context, &office, &reader),
            addresses::probe(session, context, &office),
        )
        .await;
        evidence.operations = operations;
        evidence.failures = failures;
        (evidence.addresses, evidence.redirect) = addresses;
    } else {
        evidence.operations = arrivals(session, context, &office, &main, &reader).await;
        evidence.failures = failing::by_hand(session, context, &office, &main, &reader).await;
    }
    if (context.wants)("ASY-010") {
        watch(session, webhook, &main).await;
    }
    evidence.watched_until_ms = millis(session.now());
    evidence.foreign = office.foreign(&main).await;
    office.close().await;
    evidence.declared.keyless = office.keyless();
    gather(&office, &reader, &mut evidence);
    // An acknowledgement may come too late although the receiver answers at once.
    let patience =
        webhook.redelivery.as_ref().and_then(|redelivery| redelivery.timeout).map_or(PATIENCE, |span| span.0);
    for event in &mut evidence.events {
        let came = Duration::from_millis(event.received_ms);
        event.late = session.late(came.saturating_sub(patience), came + patience) * 4 > patience;
    }
    evidence
}

fn declared(webhook: &Webhook, scheme: Option<&Scheme>) -> Declared {
    let event = &webhook.event;
    Declared {
        deadline_ms: webhook.deadline.map(|span| millis(span.0)),
        id: event.id.is_some(),
        kind: event.kind.is_some(),
        created: event.created.is_some(),
        subject: event.subject.is_some(),
        state: event.state.is_some(),
        version: event.version.is_some(),
        signature: scheme.map(|scheme| Signed {
            tolerance_s: i64::try_from(scheme.tolerance.as_secs()).unwrap_or(i64::MAX),
            covers: scheme.covers.clone(),
            attempt_timestamp: scheme.attempt_timestamp,
        }),
        keyless: None,
        redelivery: webhook.redelivery.as_ref().map(|redelivery| Schedule {
            first_ms: millis(redelivery.first.0),
            longest_ms: redelivery.longest.map(|span| millis(span.0)),
            timeout_ms: redelivery.timeout.map(|span| millis(span.0)),
        }),
    }
}

/// Has an operation done and waits for its event; once more where none comes.
async fn arrivals(
    session: &dyn Session,
    context: Context<'_>,
    office: &Office<'_>,
    main: &Registered,
    reader: &Reader<'_>,
) -> Vec<Operation> {
    let mut operations = Vec::new();
    for _ in 0..2 {
        let followed = context.operations.follow(session).await;
        let waited = context.webhook.deadline.map_or(UNDECLARED, |Span(time)| time);
        let operation = arrival(session, context, office, main, reader, followed, waited).await;
        let again = matches!(operation.arrival, Arrival::NeverCame { .. } | Arrival::Came { after_ms: None, .. });
        operations.push(operation);
        if !again || session.stopping() {
            break;
        }
    }
    operations
}

/// Waits until an event tells of the end of an operation.
async fn arrival(
    session: &dyn Session,
    context: Context<'_>,
    office: &Office<'_>,
    main: &Registered,
    reader: &Reader<'_>,
    followed: Followed,
    time: Duration,
) -> Operation {
    let end = followed.end.map(|word| {
        let means = context.operations.means(&word);
        (word, means)
    });
    let mut operation = Operation {
        id: followed.id,
        end,
        ended_ms: followed.ended.map(millis),
        why: followed.why,
        exchanges: followed.exchanges,
        arrival: Arrival::NotAwaited,
    };
    let (Some(id), Some((word, means)), Some(ended)) = (&operation.id, &operation.end, followed.ended) else {
        return operation;
    };
    loop {
        let deliveries = main.mailbox.deliveries();
        let events: Vec<_> = deliveries.iter().flat_map(|delivery| reader.read(delivery, 0, None)).collect();
        let tells = |event: &&super::evidence::Event| {
            let facts = &event.facts;
            facts.subject.as_deref() == Some(id)
                && (facts.state.is_none()
                    || facts.state.as_deref() == Some(word)
                    || facts.means.is_some_and(|kind| Some(kind) == *means))
        };
        let now = session.now();
        let left = (ended + time).saturating_sub(now);
        let told = events.iter().find(tells);
        if told.is_some() || left.is_zero() || session.stopping() {
            let came = events.iter().any(|event| event.facts.subject.as_deref() == Some(id));
            let waited_ms = millis(now.saturating_sub(ended));
            operation.arrival = if session.stopping() && told.is_none() && !left.is_zero() {
                Arrival::NotAwaited
            } else if !came {
                Arrival::NeverCame { waited_ms, reachable: office.reachable(main) }
            } else {
                let after_ms = told.map(|event| event.received_ms.saturating_sub(millis(ended)));
                Arrival::Came { after_ms, waited_ms }
            };
            return operation;
        }
        main.mailbox.wait_beyond(deliveries.len(), left).await;
    }
}

/// Waits for what might come again although it was acknowledged.
async fn watch(session: &dyn Session, webhook: &Webhook, main: &Registered) {
    /// Longer is not worth it.
    const LONGEST: Duration = Duration::from_secs(30);
    let Some(redelivery) = &webhook.redelivery else { return };
    let Some(last) = main.mailbox.deliveries().first().map(|delivery| delivery.received) else { return };
    // Two attempts more, were they made.
    let until = last + (redelivery.first.0 * 2 + Duration::from_millis(500)).min(LONGEST);
    session.pause(until.saturating_sub(session.now())).await;
}

/// Reads everything that came to any address.
fn gather(office: &Office<'_>, reader: &Reader<'_>, evidence: &mut Evidence) {
    let mut events = office.events(reader);
    events.sort_by_key(|event| (event.mailbox, event.received_ms));
    evidence.left_out = events.len().saturating_sub(MOST_EVENTS) as u64;
    events.truncate(MOST_EVENTS);
    if !events.is_empty() {
        evidence.reachable = Some(true);
    }
    evidence.events = events;
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
