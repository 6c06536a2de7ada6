//! Resume tokens: a place in one tenant's stream that only the API can make out.

use aws_lc_rs::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use data_encoding::BASE64URL_NOPAD;

use crate::reference::tokens::Tenant;

/// Octets of the authentication code.
const CODE: usize = 32;

/// Makes and reads tokens.
pub(super) struct Tokens(hmac::Key);

impl Tokens {
    pub(super) fn new() -> Self {
        let mut secret = [0; CODE];
        // Without randomness tokens can be forged, which a sandbox survives.
        let _ = SystemRandom::new().fill(&mut secret);
        Self(hmac::Key::new(hmac::HMAC_SHA256, &secret))
    }

    /// The place after an event.
    pub(super) fn issue(&self, tenant: Tenant, sequence: u64) -> String {
        let mut place = vec![tenant as u8];
        place.extend_from_slice(&sequence.to_be_bytes());
        let code = hmac::sign(&self.0, &place);
        place.extend_from_slice(code.as_ref());
        BASE64URL_NOPAD.encode(&place)
    }

    /// Whose place a token is, and after which event; none if it was not issued here.
    pub(super) fn read(&self, token: &str) -> Option<(Tenant, u64)> {
        let octets = BASE64URL_NOPAD.decode(token.as_bytes()).ok()?;
        let (place, code) = octets.split_last_chunk::<CODE>()?;
        hmac::verify(&self.0, place, code).ok()?;
        let (tenant, sequence) = place.split_first()?;
        let tenant = [Tenant::One, Tenant::Two].into_iter().find(|known| *known as u8 == *tenant)?;
        Some((tenant, u64::from_be_bytes(sequence.try_into().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Tenant, Tokens};

    #[test]
    fn a_token_is_read_where_it_was_issued_and_nowhere_else() {
        let tokens = Tokens::new();
        let token = tokens.issue(Tenant::Two, 7);
        assert_eq!(tokens.read(&token), Some((Tenant::Two, 7)));
        assert_eq!(Tokens::new().read(&token), None);
        for altered in ["", "7", &token[1..], &token.replacen('A', "B", 1), &format!("{token}AA")] {
            assert_eq!(tokens.read(altered), None, "{altered}");
        }
    }
}
