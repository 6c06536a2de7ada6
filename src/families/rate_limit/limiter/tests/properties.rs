//! Over random limits and lines.
