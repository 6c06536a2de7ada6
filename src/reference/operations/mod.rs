//! Work that goes on after the answer: queued, running, and then succeeded, failed or cancelled for ever.
//!
//! `operation` is one of them, `steps` carries it forward in a task of the API, `outcome` does the work itself. Every
//! change of state is published under the lock of the operations, so that events come in their order; that lock may be
//! held while the rows are locked, never the other way round.

mod operation;
mod outcome;
mod steps;

pub(super) use operation::{Operation, Status, Task, number};

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{
    defects::async_operation::CANCELLED_EXECUTES, events::Event, http::Api, tokens::Tenant, variants::QUEUED_TWICE,
};

/// Most operations that have ended and are kept; the oldest go first.
const KEPT: usize = 10_000;
/// Most operations that go on at a time; more are refused.
const AT_A_TIME: usize = 1_000;

/// The operations of one running API.
#[derive(Debug, Default)]
pub(super) struct Operations(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    last: u32,
    all: HashMap<u32, Operation>,
    /// Those that have ended, in that order.
    ended: VecDeque<u32>,
}

/// Why an operation cannot be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotCancelled {
    Unknown,
    Ended,
}

impl Operations {
    /// Looks at an operation, or changes what is noted of it.
    pub(super) fn with<T>(&self, number: u32, look: impl FnOnce(&mut Operation) -> T) -> Option<T> {
        self.kept().all.get_mut(&number).map(look)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// Notes that an operation has ended.
    fn end(&mut self, number: u32) {
        self.ended.push_back(number);
        if self.ended.len() > KEPT
            && let Some(oldest) = self.ended.pop_front()
        {
            self.all.remove(&oldest);
        }
    }
}

/// Starts an operation; none if too many are going on.
pub(super) fn start(api: &Arc<Api>, task: Task) -> Option<Operation> {
    let operation = {
        let mut kept = api.operations.kept();
        if kept.all.len() - kept.ended.len() >= AT_A_TIME {
            return None;
        }
        kept.last += 1;
        let percent = (!api.behaviour.is(QUEUED_TWICE)).then_some(0);
        let operation = Operation::new(kept.last, task, percent);
        kept.all.insert(operation.number, operation.clone());
        operation
    };
    api.tasks.spawn(steps::run(Arc::clone(api), operation.number));
    Some(operation)
}

/// Cancels an operation of this tenant that has not ended.
pub(super) fn cancel(api: &Api, number: u32, tenant: Tenant) -> Result<Operation, NotCancelled> {
    let mut kept = api.operations.kept();
    let operation = kept.all.get_mut(&number).filter(|operation| operation.task.tenant == tenant);
    let operation = operation.ok_or(NotCancelled::Unknown)?;
    if operation.status.is_final() {
        return Err(NotCancelled::Ended);
    }
    if api.behaviour.has(CANCELLED_EXECUTES) {
        outcome::reach(api, operation);
    }
    operation.enter(Status::Cancelled);
    publish(api, operation);
    let cancelled = operation.clone();
    kept.end(number);
    Ok(cancelled)
}

/// Tells those who want to know of the state an operation has entered.
fn publish(api: &Api, operation: &Operation) {
    let Some(kind) = operation.status.event() else { return };
    api.publish(Event {
        kind,
        tenant: operation.task.tenant,
        subject: operation.id(),
        reference: operation.task.reference.to_string(),
        status: operation.status.name(),
        sequence: operation.sequence,
    });
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Kept, Operation, Task, Tenant};

    #[test]
    fn the_oldest_that_ended_go_first() {
        let mut kept = Kept::default();
        let task = Task { tenant: Tenant::One, account: "ACC-001".into(), reference: "r".into(), orders: Vec::new() };
        let last = u32::try_from(KEPT).expect("a number") + 3;
        for number in 1..=last {
            kept.all.insert(number, Operation::new(number, task.clone(), None));
        }
        // The first goes on, however old it is.
        for number in 2..=last {
            kept.end(number);
        }
        let gone: Vec<u32> = (1..=last).filter(|number| !kept.all.contains_key(number)).collect();
        assert_eq!((gone, kept.all.len(), kept.ended.len()), (vec![2, 3], KEPT + 1, KEPT));
    }
}
