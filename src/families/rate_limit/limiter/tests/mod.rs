//! Every kind of limiter, driven in virtual time over a line with jitter, must be told for what it is or for nothing.

mod kinds;
mod line;
mod properties;
mod targets;
