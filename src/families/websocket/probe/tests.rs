//! The probes against streams that a function plays.
