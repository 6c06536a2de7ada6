//! Integration tests: the whole program against servers whose behaviour is known.

#![expect(clippy::unwrap_used, reason = "where a test cannot go on it fails, and unwrapping says where")]

mod architecture;
mod cli;
mod hostile;
mod rules;
mod support;
