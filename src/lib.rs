//! Conformance tester for financial APIs.

pub mod reference;
