//! Carries an operation forward, one step after the other, until it ends or the API does.

use std::sync::Arc;

use super::{Status, outcome, publish};
use crate::reference::{behaviour::Behaviour, defects::async_operation::NEVER_ENDS, http::Api, variants::QUEUED_TWICE};

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// It stays queued, and says so anew.
    Queue,
    /// It is so many percent done.
    Work(u8),
    End,
}

fn steps(is: &Behaviour) -> Vec<Step> {
    let mut steps = vec![Step::Work(35), Step::Work(70)];
    if is.is(QUEUED_TWICE) {
        steps.insert(0, Step::Queue);
    }
    if !is.has(NEVER_ENDS) {
        steps.push(Step::End);
    }
    steps
}

/// Runs until the operation ends, by itself or because it was cancelled.
pub(super) async fn run(api: Arc<Api>, number: u32) {
    for step in steps(&api.behaviour) {
        let waited = api.stop.run_until_cancelled(tokio::time::sleep(api.times.operation_step)).await;
        if waited.is_none() || !take(&api, number, step) {
            return;
        }
    }
}

/// Takes a step; false if the operation has ended before.
fn take(api: &Api, number: u32, step: Step) -> bool {
    let mut kept = api.operations.kept();
    let Some(operation) = kept.all.get_mut(&number).filter(|operation| !operation.status.is_final()) else {
        return false;
    };
    match step {
        Step::Queue => operation.enter(Status::Queued),
        Step::Work(percent) => {
            let begins = operation.status == Status::Queued;
            operation.percent = Some(percent);
            operation.enter(Status::Running);
            if begins {
                publish(api, operation);
            }
        }
        Step::End => {
            let status = outcome::reach(api, operation);
            if status == Status::Succeeded {
                operation.percent = Some(100);
            }
            operation.enter(status);
            publish(api, operation);
            kept.end(number);
        }
    }
    true
}
