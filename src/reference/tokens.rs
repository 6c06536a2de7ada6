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
/// Another token of the client of [`BURST_A`].
pub const BURST_A_SECOND: &str = "burst-a-7b16e9d3058fc42a";
/// Like [`BURST_A`], a client of its own.
pub const BURST_B: &str = "burst-b-e81f47a0c6d2953b";
/// Like [`BURST_A`], a client of its own.
pub const BURST_C: &str = "burst-c-2f9a60d4b7e81c35";
/// Like [`BURST_A`], a client of its own.
pub const BURST_D: &str = "burst-d-90c3e57f1ab6d248";
/// Like [`BURST_A`], a client of its own.
pub const BURST_E: &str = "burst-e-d47b02f8695ea1c3";
/// Like [`BURST_A`], a client of its own.
pub const BURST_F: &str = "burst-f-38e5c1906fd7ab42";
/// Like [`BURST_A`], a client of its own.
pub const BURST_G: &str = "burst-g-a6d20f7b4e931c58";
/// Like [`BURST_A`], a client of its own.
pub const BURST_H: &str = "burst-h-15f8b3c9e07a6d24";

/// Reads and writes the accounts ACC-001 to ACC-003; a stream that is opened with it soon finds it expired.
pub const EXPIRING: &str = "expiring-6c29d81e04f7ba35";

/// The client of [`EXPIRING`].
const EXPIRING_CLIENT: &str = "expiring";

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

impl Principal {
    /// Somebody who shows no credentials, where none are asked for.
    pub(super) const ANYONE: Self = Self { tenant: Tenant::One, client: "anyone", may_write: false };

    /// Whether the token expires while a stream is open.
    pub(super) fn expires(self) -> bool {
        self.client == EXPIRING_CLIENT
    }

    /// Whether there were credentials.
    pub(super) fn is_known(self) -> bool {
        self.client != Self::ANYONE.client
    }
}

/// The principal behind a bearer token.
pub(super) fn principal(token: &[u8]) -> Option<Principal> {
    let known = [
        (READER, "reader", Tenant::One, false),
        (TRADER, "trader", Tenant::One, true),
        (RIVAL, "rival", Tenant::Two, true),
        (BURST_A, "burst-a", Tenant::One, true),
        (BURST_A_SECOND, "burst-a", Tenant::One, true),
        (BURST_B, "burst-b", Tenant::One, true),
        (BURST_C, "burst-c", Tenant::One, true),
        (BURST_D, "burst-d", Tenant::One, true),
        (BURST_E, "burst-e", Tenant::One, true),
        (BURST_F, "burst-f", Tenant::One, true),
        (BURST_G, "burst-g", Tenant::One, true),
        (BURST_H, "burst-h", Tenant::One, true),
        (EXPIRING, EXPIRING_CLIENT, Tenant::One, true),
    ];
    known
        .into_iter()
        .filter(|(text, ..)| verify_slices_are_equal(text.as_bytes(), token).is_ok())
        .map(|(_, client, tenant, may_write)| Principal { tenant, client, may_write })
        .next()
}
