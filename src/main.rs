//! The `fincheck` program.

fn main() {}
