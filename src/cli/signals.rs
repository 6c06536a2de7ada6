//! Interruptions, from the keyboard or from whoever runs us.

use tokio_util::sync::CancellationToken;

use super::{exit::Exit, output::say};

/// The first interruption ends the run in good order; a second one ends it at once.
pub(super) async fn watch_for_interrupts(cancel: CancellationToken) {
    interrupted().await;
    say("interrupted: cleaning up and reporting what was learned; once more to end at once");
    cancel.cancel();
    interrupted().await;
    #[expect(clippy::exit, reason = "asked for twice")]
    std::process::exit(Exit::Interrupted as i32);
}

/// Waits for an interruption from the keyboard or from whoever runs us.
pub(super) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let _ = tokio::signal::ctrl_c().await;
}
