//! The stream of one tenant's orders: its numbers, what is kept for those who come back, and who is told.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    audience::Audience,
    event::{Event, OrderEvent, Symbols},
    outbox::{Item, Outbox},
};
use crate::reference::{
    behaviour::Behaviour,
    defects::stream::{
        DATA_AFTER_UNSUBSCRIBE, DELTAS_BEFORE_SNAPSHOT, IGNORES_TOO_OLD, LOSES_AFTER_RESET, MISSES_EVENT,
        RESUME_IGNORED, RESUME_LOSES_ONE,
    },
    ledger::instant,
    tokens::Tenant,
    variants::{STREAM_RESUME_BY_SNAPSHOT, STREAM_RESUME_OVERLAPS},
};

/// How many events are kept.
const DEPTH: usize = 1_000;

/// The stream of one tenant.
pub(super) struct Hub {
    is: Behaviour,
    tenant: Tenant,
    state: Mutex<State>,
}

struct State {
    /// The number of the last event.
    sequence: u64,
    /// The last events, oldest first.
    log: VecDeque<Arc<OrderEvent>>,
    audience: Audience,
    /// How many orders there were to be told of.
    seen: u64,
    /// Clients that were lost, rather than closed their connection.
    lost: HashSet<&'static str>,
}

/// From where on a client wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum From {
    /// From now on.
    Now,
    /// From the event after this one.
    After(u64),
    /// From somewhere that cannot be made out.
    Nowhere,
}

/// Who subscribes.
pub(super) struct Subscriber<'a> {
    pub(super) outbox: &'a Arc<Outbox>,
    pub(super) client: &'static str,
    pub(super) request: Option<&'a Value>,
}

impl Hub {
    /// Events were told before the API was started, and are no longer kept.
    pub(super) fn new(is: Behaviour, tenant: Tenant) -> Self {
        let sequence = 10_000 * tenant as u64;
        let (log, audience, lost) = (VecDeque::new(), Audience::default(), HashSet::new());
        Self { is, tenant, state: Mutex::new(State { sequence, log, audience, seen: 0, lost }) }
    }

    /// Tells of an order; gives the event back if it was told.
    pub(super) fn publish(&self, order: Value) -> Option<Event> {
        let mut state = self.state();
        state.seen += 1;
        if self.is.has(MISSES_EVENT) && state.seen % 3 == 0 {
            return None;
        }
        state.sequence += 1;
        let event = Arc::new(OrderEvent {
            tenant: self.tenant,
            sequence: state.sequence,
            id: format!("EVT-{}", Uuid::now_v7().simple()),
            at: instant::now(),
            order,
        });
        if state.log.len() == DEPTH {
            state.log.pop_front();
        }
        state.log.push_back(Arc::clone(&event));
        let event = Event::Order(event);
        state.audience.tell(event.clone(), &self.is);
        Some(event)
    }

    /// Tells of another tenant's order.
    pub(super) fn relay(&self, event: Event) {
        self.state().audience.tell(event, &self.is);
    }

    /// Subscribes: the acknowledgement, and what was missed or everything as it is. The snapshot must be as of now, so
    /// its source stays locked meanwhile.
    pub(super) fn subscribe(&self, who: &Subscriber<'_>, from: &From, others: Option<&Self>, snapshot: Value) {
        // What another tenant was told, where a defect leads there; looked at before anything is locked here.
        let foreign = others.map(|hub| hub.state().log.iter().cloned().collect::<Vec<_>>());
        let mut state = self.state();
        let was_lost = state.lost.remove(who.client) && self.is.has(LOSES_AFTER_RESET);
        let now = state.sequence;
        let oldest = state.log.front().map_or(now + 1, |event| event.sequence);
        let (since, reason) = match *from {
            From::Now => (None, None),
            From::After(since) if foreign.is_some() => (Some(since), None),
            From::After(since) if since > now => (Some(now), Some("that event is still to come")),
            From::After(since) if since + 1 < oldest => (Some(since), Some("that was too long ago")),
            From::After(since) => (Some(since), None),
            From::Nowhere => (Some(now), Some("that is no place in this stream")),
        };
        let reason = reason.filter(|_| !self.is.has(IGNORES_TOO_OLD));
        let resumes = since.filter(|_| reason.is_none() && !self.is.is(STREAM_RESUME_BY_SNAPSHOT));
        if let Some(reason) = reason {
            who.outbox.push(Item::Told(with_request(
                json!({ "type": "resync_required", "channel": "orders", "reason": reason }),
                who.request,
            )));
        } else {
            let mut acknowledgement = json!({ "type": "subscribed", "channel": "orders" });
            if !self.is.has(DELTAS_BEFORE_SNAPSHOT) {
                acknowledgement["sequence"] = json!(resumes.unwrap_or(now));
            }
            if since.is_some() {
                acknowledgement["resumed"] = json!(resumes.is_some());
            }
            who.outbox.push(Item::Acknowledgement(with_request(acknowledgement, who.request)));
        }
        if let Some(since) = resumes {
            let since = if self.is.is(STREAM_RESUME_OVERLAPS) { since.saturating_sub(2) } else { since };
            let log = foreign.as_deref().unwrap_or(&*state.log.make_contiguous());
            let missed = log.iter().filter(|event| event.sequence > since);
            let lost = usize::from(self.is.has(RESUME_LOSES_ONE));
            if !self.is.has(RESUME_IGNORED) && !was_lost {
                missed.skip(lost).for_each(|event| who.outbox.push(Item::Replayed(Event::Order(Arc::clone(event)))));
            }
        } else {
            let snapshot = json!({ "type": "snapshot", "channel": "orders", "sequence": now, "orders": snapshot });
            who.outbox.push(Item::Snapshot(snapshot));
        }
        state.audience.join(who.outbox, Symbols::ALL);
    }

    pub(super) fn unsubscribe(&self, who: &Subscriber<'_>) {
        let mut state = self.state();
        if !self.is.has(DATA_AFTER_UNSUBSCRIBE) {
            state.audience.leave(who.outbox, Symbols::ALL);
        }
        let acknowledgement = json!({ "type": "unsubscribed", "channel": "orders" });
        who.outbox.push(Item::Acknowledgement(with_request(acknowledgement, who.request)));
    }

    /// A connection has ended; `lost` if its client did not close it.
    pub(super) fn leave(&self, outbox: &Arc<Outbox>, client: &'static str, lost: bool) {
        let mut state = self.state();
        state.audience.leave(outbox, Symbols::ALL);
        state.audience.release();
        if lost {
            state.lost.insert(client);
        }
    }

    /// Tells what was held.
    pub(super) fn release(&self) {
        self.state().audience.release();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The message with the id of the request it answers, as that was sent.
pub(super) fn with_request(mut message: Value, request: Option<&Value>) -> Value {
    if let (Some(request), Some(members)) = (request, message.as_object_mut()) {
        let members: &mut Map<String, Value> = members;
        members.insert("request_id".into(), request.clone());
    }
    message
}
