//! What must be done although the run is over.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

use super::trace::Trace;
use crate::wire::{Settings, Wire};

/// A wire of its own for teardown and for undoing what a check did: the run's may be interrupted or its limits spent, and
/// what it created must go all the same. It is made when it is first needed, and has a little time from then on.
pub(super) struct Afterwards {
    settings: Settings,
    trace: Arc<Trace>,
    wire: OnceLock<Option<Arc<Wire>>>,
}

impl Afterwards {
    pub(super) fn new(settings: Settings, trace: Arc<Trace>) -> Self {
        Self { settings, trace, wire: OnceLock::new() }
    }

    /// The wire; none if the settings cannot be used, which the run itself would have found first.
    pub(super) fn wire(&self) -> Option<Arc<Wire>> {
        let make = || Wire::new(self.settings.clone(), self.trace.clone(), CancellationToken::new()).ok().map(Arc::new);
        self.wire.get_or_init(make).clone()
    }
}
