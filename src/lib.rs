//! Conformance tester for financial APIs.
