//! The reference API: a small brokerage and custody API that ships inside fincheck.
//!
//! Real HTTP/1.1 and HTTP/2 on loopback, everything in memory, seeded. Clean, it satisfies every rule; a [`Defect`] makes
//! it wrong in one named way; a [`Variant`] makes it odd but legal. It is an island: nothing here imports the tester.
//!
//! A request passes `server` (sockets) -> `http` (routing, credentials, negotiation) -> `resources` (one file per
//! resource) -> `limits` (who may still ask), `paging` (lists), `idempotency` (payments) or `operations` (what goes on
//! after the answer) over `ledger` (the rows); `webhooks` and `streams` tell of what happened; whatever goes wrong becomes a `problem`.
//! To see what a defect does, look for its constant: `defects/` lists them, and each is asked for where the behaviour is.

mod behaviour;
mod defects;
mod events;
mod http;
mod idempotency;
mod ledger;
mod limits;
mod operations;
mod paging;
mod problem;
mod resources;
mod server;
mod streams;
mod times;
pub mod tokens;
mod variants;
mod webhooks;

#[cfg(test)]
mod tests;

pub use defects::{DEFECTS, Defect, defect};
pub use server::{Running, start};
pub use times::Times;
pub use variants::{VARIANTS, Variant, variant};

/// How the API is to behave.
#[derive(Debug, Clone)]
pub struct Options {
    /// TCP port on 127.0.0.1; 0 takes a free one.
    pub port: u16,
    /// Ways in which the API is wrong; several may be combined.
    pub defects: Vec<&'static Defect>,
    /// Ways in which it is odd but legal.
    pub variants: Vec<&'static Variant>,
    /// Decides the seeded rows: same seed, same rows.
    pub seed: u64,
    /// Rows in the transactions of ACC-001; 0 to about 10 million.
    pub transactions: usize,
    /// How long things take.
    pub times: Times,
    /// Serve TLS (HTTP/2 by ALPN) rather than plain text.
    pub tls: Option<Tls>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            defects: Vec::new(),
            variants: Vec::new(),
            seed: 1,
            transactions: 100_000,
            times: Times::default(),
            tls: None,
        }
    }
}

/// What the API presents in a TLS handshake.
#[derive(Clone)]
pub struct Tls {
    /// Certificates as PEM, leaf first.
    pub chain: Vec<u8>,
    /// The leaf's private key as PEM.
    pub key: Vec<u8>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tls").finish_non_exhaustive()
    }
}
