//! Streams over WebSocket (RFC 6455): what they promise at rest, and what becomes of messages when the line breaks.
//!
//! The suite says how one stream is opened, asked for and read (`config`). A [`Line`](super::Line) is the connection as
//! frames; `feed` makes messages of them and knows which are events, signs of life or answers. Each group of probes
//! (`probe`) collects its own facts (`evidence`), judged by the rules of the same name (`rules`).
//!
//! Pitfalls: what is numbered by itself differs between APIs, and acknowledgements may take a number; an acknowledgement
//! may come after the first event; a snapshot older than the first delta is asked for again; numbers that are missing on
//! one connection prove nothing until a second connection, or a second time, says the same.

pub mod config;
pub mod evidence;
mod feed;
mod load;
mod plan;
mod probe;
mod rules;
#[cfg(test)]
mod tests;

pub use evidence::Evidence;

use futures_util::future::BoxFuture;

use super::{Check, Conventions, Evidence as AnyEvidence, Family, PlannedCheck, Selection, Session};

/// The family.
pub const WEBSOCKET: Family = Family {
    name: "websocket",
    summary: "streams over WebSocket: frames, sequence, snapshots, reconnection, slow consumers, lost messages",
    rules: rules::RULES,
    schema: |generator| generator.subschema_for::<config::Config>(),
    load: load::load,
    observer: None,
};

/// One stream.
struct StreamCheck {
    config: config::Config,
    conventions: Conventions,
}

impl Check for StreamCheck {
    fn name(&self) -> &str {
        &self.config.name
    }

    fn family(&self) -> &'static Family {
        &WEBSOCKET
    }

    fn plan(&self, selection: &Selection<'_>) -> PlannedCheck {
        plan::plan(&self.config, selection)
    }

    fn adopt(&mut self, conventions: &Conventions) {
        self.conventions = conventions.clone();
    }

    fn probe<'a>(&'a self, session: &'a dyn Session, plan: &'a PlannedCheck) -> BoxFuture<'a, AnyEvidence> {
        Box::pin(async move {
            let evidence = Box::pin(probe::probe(&self.config, &self.conventions, session, plan)).await;
            AnyEvidence::WebSocket(Box::new(evidence))
        })
    }
}
