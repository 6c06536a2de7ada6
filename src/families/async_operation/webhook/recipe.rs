//! Signatures that are in use, as data over one description.

use super::config::{Algorithm, Encoding, Part, SecretEncoding, Signature};

/// A named way to sign.
#[derive(Debug)]
pub struct Recipe {
    /// As a suite names it.
    pub name: &'static str,
    header: &'static str,
    form: &'static str,
    separator: Option<&'static str>,
    algorithm: Algorithm,
    encoding: Encoding,
    message: &'static str,
    timestamp_header: Option<&'static str>,
    id_header: Option<&'static str>,
    nonce_header: Option<&'static str>,
    secret_prefix: Option<&'static str>,
    secret_encoding: SecretEncoding,
    covers: Option<&'static [Part]>,
    attempt_timestamp: bool,
}

/// What recipes have in common.
const PLAIN: Recipe = Recipe {
    name: "",
    header: "",
    form: "{signature}",
    separator: None,
    algorithm: Algorithm::Sha256,
    encoding: Encoding::Hex,
    message: "{body}",
    timestamp_header: None,
    id_header: None,
    nonce_header: None,
    secret_prefix: None,
    secret_encoding: SecretEncoding::Utf8,
    covers: None,
    attempt_timestamp: false,
};

/// Every recipe.
pub static RECIPES: &[Recipe] = &[
    // standard-webhooks.com, specification, "Signature scheme" and "Webhook headers": the timestamp is the attempt's.
    Recipe {
        name: "standard-webhooks",
        header: "webhook-signature",
        form: "v1,{signature}",
        separator: Some(" "),
        encoding: Encoding::Base64,
        message: "{id}.{timestamp}.{body}",
        timestamp_header: Some("webhook-timestamp"),
        id_header: Some("webhook-id"),
        secret_prefix: Some("whsec_"),
        secret_encoding: SecretEncoding::Base64,
        attempt_timestamp: true,
        ..PLAIN
    },
    // docs.stripe.com/webhooks: "a new signature and timestamp for each delivery attempt".
    Recipe {
        name: "stripe",
        header: "stripe-signature",
        form: "t={timestamp},v1={signature}",
        separator: Some(","),
        message: "{timestamp}.{body}",
        attempt_timestamp: true,
        ..PLAIN
    },
    // developer.squareup.com/docs/webhooks: the notification URL as registered, then the content.
    Recipe {
        name: "square",
        header: "x-square-hmacsha256-signature",
        encoding: Encoding::Base64,
        message: "{url}{body}",
        ..PLAIN
    },
    // developer.gocardless.com: the content alone, by design.
    Recipe { name: "gocardless", header: "webhook-signature", covers: Some(&[Part::Body]), ..PLAIN },
    // docs.moov.io: timestamp, nonce and id; the content is not covered, by design.
    Recipe {
        name: "moov",
        header: "x-signature",
        algorithm: Algorithm::Sha512,
        message: "{timestamp}|{nonce}|{id}",
        timestamp_header: Some("x-timestamp"),
        nonce_header: Some("x-nonce"),
        id_header: Some("x-webhook-id"),
        covers: Some(&[Part::Timestamp, Part::Nonce, Part::Id]),
        ..PLAIN
    },
];

impl Recipe {
    /// The recipe with what a suite says about it.
    pub(super) fn with(&self, own: &Signature) -> Signature {
        let text = |own: &Option<String>, ours: Option<&str>| own.clone().or_else(|| ours.map(str::to_owned));
        Signature {
            recipe: own.recipe.clone(),
            header: text(&own.header, Some(self.header)),
            form: text(&own.form, Some(self.form)),
            separator: text(&own.separator, self.separator),
            algorithm: own.algorithm.or(Some(self.algorithm)),
            encoding: own.encoding.or(Some(self.encoding)),
            message: text(&own.message, Some(self.message)),
            timestamp_header: text(&own.timestamp_header, self.timestamp_header),
            id_header: text(&own.id_header, self.id_header),
            nonce_header: text(&own.nonce_header, self.nonce_header),
            secret_prefix: text(&own.secret_prefix, self.secret_prefix),
            secret_encoding: own.secret_encoding.or(Some(self.secret_encoding)),
            tolerance: own.tolerance,
            covers: own.covers.clone().or_else(|| self.covers.map(<[Part]>::to_vec)),
            attempt_timestamp: own.attempt_timestamp.or(Some(self.attempt_timestamp)),
        }
    }
}
