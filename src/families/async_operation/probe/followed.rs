//! Operations of the check, as the receiver of callbacks has them done.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{
    super::{
        config::Config,
        evidence::{Ending, Monitor, Purpose},
        webhook::{Followed, Kind, Operations},
    },
    ends,
    flow::{Flow, Run},
};
use crate::families::Session;

/// Operations that should succeed.
pub(super) struct Started<'a> {
    pub(super) config: &'a Config,
}

impl Operations for Started<'_> {
    fn follow<'a>(&'a self, session: &'a dyn Session) -> BoxFuture<'a, Followed> {
        Box::pin(async move {
            let flow = Flow::new(session, self.config);
            let run = flow.run(Purpose::Success).await;
            ends::undo(flow, &run).await;
            followed(&run)
        })
    }

    fn means(&self, word: &str) -> Option<Kind> {
        self.config.state.means(word)
    }
}

fn followed(run: &Run) -> Followed {
    let operation = &run.operation;
    let end = operation.end();
    // Where a redirect led to the result, the state was not spelled out.
    let word = |kind: Kind| kind.as_str().to_owned();
    Followed {
        id: operation.id.clone(),
        end: end.and_then(|reading| reading.word.clone().or(reading.kind.map(word))),
        ended: end.map(|reading| Duration::from_millis(reading.received_ms)),
        why: if end.is_some() { String::new() } else { why(run) },
        exchanges: run.exchanges(),
    }
}

/// Why no end was seen.
fn why(run: &Run) -> String {
    let operation = &run.operation;
    let Some(start) = &operation.start else {
        return operation.trouble.clone().map_or_else(|| "nothing was sent".into(), |(why, _)| why);
    };
    if !start.accepted {
        return format!("the start was answered with status {}", start.status);
    }
    match (&operation.monitor, &operation.ending) {
        (Monitor::Missing, _) => "nothing leads to its monitor".into(),
        (Monitor::Unreadable(why), _) => format!("its monitor cannot be asked: {why}"),
        (Monitor::Elsewhere(url), _) => format!("its monitor is on another origin: {url}"),
        (_, Ending::Overdue) => "it went on for twice its deadline".into(),
        (_, Ending::Unreadable) => "its monitor cannot be read".into(),
        (_, Ending::Unanswered(why)) => why.clone(),
        _ => "it did not end in the time and with the requests that were left".into(),
    }
}
