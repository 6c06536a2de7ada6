//! The static bearer tokens the API knows, and who presents them.

use aws_lc_rs::constant_time::verify_slices_are_equal;

/// Reads the accounts ACC-001 to ACC-003.
pub const READER: &str = "reader-4be1c7f0a2d94d6e";
/// Reads and writes the accounts ACC-001 to ACC-003.
pub const TRADER: &str = "trader-91d03f5c7b8e4a12";
/// Another tenant: reads and writes ACC-901 and sees nothing else.
pub const RIVAL: &str = "rival-c2a8573e60bf4d99";

/// Reads and writes the accounts ACC-001 to ACC-003; a client of its own beside the trader.
pub const BURST_A: &str = "burst-a-5c0d9a7e14f28b63";

/// Whose accounts a caller may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tenant {
    /// Owner of ACC-001 to ACC-003.
    One = 1,
    /// Owner of ACC-901.
    Two = 2,
}

/// Who is calling, and what they may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Principal {
    pub(super) tenant: Tenant,
    /// The program that calls; several may act for one tenant.
    pub(super) client: &'static str,
    pub(super) may_write: bool,
}

/// The principal behind a bearer token.
pub(super) fn principal(token: &[u8]) -> Option<Principal> {
    let known = [
        (READER, "reader", Tenant::One, false),
        (TRADER, "trader", Tenant::One, true),
        (RIVAL, "rival", Tenant::Two, true),
        (BURST_A, "burst-a", Tenant::One, true),
    ];
    known
        .into_iter()
        .filter(|(text, ..)| verify_slices_are_equal(text.as_bytes(), token).is_ok())
        .map(|(_, client, tenant, may_write)| Principal { tenant, client, may_write })
        .next()
}
