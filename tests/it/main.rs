//! Integration tests: the whole program against servers whose behaviour is known.

mod rules;
