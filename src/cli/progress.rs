//! Progress on standard error, on a terminal only.

use std::{
    io::{self, IsTerminal},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::args::Common;
use crate::run::Events;

/// One line: which checks are at work, how many requests were sent, how long it has taken.
pub(super) struct Progress {
    bar: ProgressBar,
    running: Mutex<Vec<String>>,
}

impl Progress {
    /// Shows progress if anybody is there to see it.
    pub(super) fn new(common: &Common) -> Self {
        let wanted = !common.no_progress && !common.quiet && common.verbose == 0;
        let seen = io::stderr().is_terminal()
            && std::env::var_os("CI").is_none()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let bar = if wanted && seen { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if !bar.is_hidden() {
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {pos} requests  {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { bar, running: Mutex::new(Vec::new()) }
    }

    /// Takes the line away.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn show(&self, change: impl FnOnce(&mut Vec<String>)) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut running);
        self.bar.set_message(running.join(", "));
    }
}

impl Events for Progress {
    fn check_started(&self, family: &str, check: &str) {
        let name = format!("{family}: {check}");
        tracing::info!("{name} begins");
        self.show(|running| running.push(name));
    }

    fn check_ended(&self, family: &str, check: &str) {
        let name = format!("{family}: {check}");
        tracing::info!("{name} is done");
        self.show(|running| running.retain(|known| *known != name));
    }

    fn exchange(&self, total: u64) {
        self.bar.set_position(total);
    }

    fn waiting(&self, client: &str, time: Duration, why: &str) {
        tracing::info!("client {client} waits {:.1} s: {why}", time.as_secs_f32());
        self.bar.set_message(format!("client {client} waits {:.1} s: {why}", time.as_secs_f32()));
    }
}
