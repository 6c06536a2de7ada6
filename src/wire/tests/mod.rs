//! Whole exchanges against made peers.
