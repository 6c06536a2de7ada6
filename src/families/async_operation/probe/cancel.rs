//! One operation that is called off.

use super::{
    super::{
        evidence::{Operation, Purpose, Reading},
        webhook::Kind,
    },
    ends,
    flow::Flow,
};

/// Starts an operation, calls it off as soon as its monitor can be read, and follows it to the end; once more after it.
pub(super) async fn cancel(flow: Flow<'_>) -> Option<Operation> {
    flow.config.cancel.as_ref()?;
    let mut run = flow.start(&flow.config.start, Purpose::Cancel).await;
    flow.follow_until(&mut run, Reading::is_success).await;
    if run.operation.readings.last().is_some_and(Reading::goes_on) {
        run.operation.cancelled = ends::cancel(flow, &run).await;
        flow.follow(&mut run).await;
    }
    if run.operation.end().is_some() {
        run.operation.cancelled_late = ends::cancel(flow, &run).await;
        flow.ask_again(&mut run, 2).await;
    }
    if flow.config.cancelled_leaves_nothing && run.operation.ended() == Some(Kind::Cancelled) {
        run.operation.effects = ends::effects(flow, &run).await;
    }
    ends::undo(flow, &run).await;
    Some(run.operation)
}
