//! How a message is signed: Standard Webhooks, or the recipe of a variant.

use aws_lc_rs::{hmac, rand};
use data_encoding::{BASE64, HEXLOWER};
use http::HeaderName;
use url::Url;

use super::message::Message;
use crate::reference::{
    behaviour::Behaviour,
    defects::webhook::{BAD_SIGNATURE, TIMESTAMP_NOT_COVERED, UNSIGNED},
    variants::{RECIPE_GOCARDLESS, RECIPE_SQUARE, RECIPE_STRIPE, TWO_SIGNATURES},
};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
const STRIPE: HeaderName = HeaderName::from_static("stripe-signature");
const SQUARE: HeaderName = HeaderName::from_static("x-square-hmacsha256-signature");
const GOCARDLESS: HeaderName = HeaderName::from_static("webhook-signature");

/// What a receiver verifies signatures with.
#[derive(Clone)]
pub(super) struct Secret([u8; 24]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Secret")
    }
}

impl Secret {
    /// A secret that nobody can guess; none if the machine has no randomness.
    pub(super) fn draw() -> Option<Self> {
        let mut octets = [0; 24];
        rand::fill(&mut octets).ok()?;
        Some(Self(octets))
    }

    /// The secret as it is handed out.
    pub(super) fn text(&self) -> String {
        format!("whsec_{}", BASE64.encode(&self.0))
    }

    /// Another secret, the same one each time.
    fn other(&self) -> Self {
        Self(self.0.map(|octet| !octet))
    }
}

/// What is used as the key: Standard Webhooks takes the octets, most vendors the text as it was handed out.
enum Key {
    Octets,
    Text,
}

/// The headers that identify and sign a message.
pub(super) fn headers(
    is: &Behaviour,
    secret: &Secret,
    url: &Url,
    message: &Message,
    timestamp: u64,
) -> Vec<(HeaderName, String)> {
    let payload = &message.payload[..];
    let other = secret.other();
    let used = if is.has(BAD_SIGNATURE) { &other } else { secret };
    let signed = !is.has(UNSIGNED);
    let covered = |prefix: String| {
        if is.has(TIMESTAMP_NOT_COVERED) { payload.to_vec() } else { [prefix.as_bytes(), payload].concat() }
    };
    let mut lines = Vec::new();
    if is.is(RECIPE_STRIPE) {
        let hex = HEXLOWER.encode(&mac(used, &Key::Text, &covered(format!("{timestamp}."))));
        lines.extend(signed.then(|| (STRIPE, format!("t={timestamp},v1={hex}"))));
    } else if is.is(RECIPE_SQUARE) {
        let mac = mac(used, &Key::Text, &[url.as_str().as_bytes(), payload].concat());
        lines.extend(signed.then(|| (SQUARE, BASE64.encode(&mac))));
    } else if is.is(RECIPE_GOCARDLESS) {
        lines.extend(signed.then(|| (GOCARDLESS, HEXLOWER.encode(&mac(used, &Key::Text, payload)))));
    } else {
        let content = covered(format!("{}.{timestamp}.", message.id));
        let v1 = |secret: &Secret| format!("v1,{}", BASE64.encode(&mac(secret, &Key::Octets, &content)));
        lines.extend([(ID, message.id.clone()), (TIMESTAMP, timestamp.to_string())]);
        let signature = if is.is(TWO_SIGNATURES) { format!("{} {}", v1(&other), v1(used)) } else { v1(used) };
        lines.extend(signed.then_some((SIGNATURE, signature)));
    }
    lines
}

fn mac(secret: &Secret, key: &Key, content: &[u8]) -> Vec<u8> {
    let text = secret.text();
    let key = match key {
        Key::Octets => &secret.0[..],
        Key::Text => text.as_bytes(),
    };
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), content).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::{BASE64, Key, Secret, mac};

    #[test]
    fn the_example_of_standard_webhooks_is_signed_as_published() {
        let octets = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("base64");
        let secret = Secret(octets.try_into().expect("24 octets"));
        assert_eq!(secret.text(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let content = br#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#;
        let mac = BASE64.encode(&mac(&secret, &Key::Octets, content));
        assert_eq!(mac, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
