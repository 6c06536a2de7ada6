//! Exit codes; each has one meaning.

use std::process::{ExitCode, Termination};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("exit code {}", *self as u8)]
pub enum Exit {
    /// The gate passed, or there was nothing to gate.
    Passed = 0,
    /// The target fell short of the gate.
    Short = 1,
    /// The command line or the suite is wrong; nothing was sent.
    Usage = 2,
    /// The run could not be completed or judged.
    Unjudged = 3,
    /// Somebody interrupted the run; what was learned was reported.
    Interrupted = 130,
}

impl Exit {
    /// The exit of that code, as a gate decides it.
    pub(super) fn of(code: u8) -> Self {
        match code {
            0 => Self::Passed,
            1 => Self::Short,
            130 => Self::Interrupted,
            _ => Self::Unjudged,
        }
    }

    /// The worse of two, of which an interruption is the worst and a wrong suite next.
    pub(super) fn worse(self, other: Self) -> Self {
        let rank = |exit: Self| match exit {
            Self::Passed => 0,
            Self::Short => 1,
            Self::Unjudged => 2,
            Self::Usage => 3,
            Self::Interrupted => 4,
        };
        if rank(other) > rank(self) { other } else { self }
    }
}

impl Termination for Exit {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}
