//! The probe against targets that a function plays.
