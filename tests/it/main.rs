//! Integration tests: the whole program against servers whose behaviour is known.

mod architecture;
mod cli;
mod hostile;
mod rules;
mod support;
