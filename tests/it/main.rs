//! Integration tests: the whole program against servers whose behaviour is known.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod architecture;
mod cli;
mod hostile;
mod readme;
mod rules;
mod support;
