//! The `webhook` block of an asynchronous operation in a suite.

use std::{collections::BTreeMap, net::IpAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::{
    place::{Acknowledgement, Place},
    probe::Kind,
};
use crate::{families::Call, json::Path, notation::Span};

/// How the target tells of an operation by calling us.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Registers an address, `{{callback_url}}`. Without it, somebody registered `--webhook-url` by hand.
    #[serde(default)]
    pub register: Option<Register>,
    /// Removes a registration, `{{id}}`.
    #[serde(default)]
    pub unregister: Option<Call>,
    /// Has the target send a test event to a registration, `{{id}}`: that shows that it can reach us.
    #[serde(default)]
    pub test: Option<Call>,
    /// The secret of the signatures, where registering gives none; best `${NAME}`.
    #[serde(default)]
    pub secret: Option<String>,
    /// What an event looks like.
    #[serde(default)]
    pub event: Event,
    /// How deliveries are signed.
    #[serde(default)]
    pub signature: Option<Signature>,
    /// Within what time an event for a finished operation comes. Without it none is owed at any time.
    #[serde(default)]
    pub deadline: Option<Span>,
    /// How deliveries are acknowledged; with 200 unless given.
    #[serde(default)]
    pub acknowledge: Acknowledgement,
    /// How a delivery that failed is repeated.
    #[serde(default)]
    pub redelivery: Option<Redelivery>,
    /// Addresses that must not be called; only what is listed is tried.
    #[serde(default)]
    pub addresses: Option<Addresses>,
}

/// How an address is registered.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// The request, with `{{callback_url}}`.
    pub call: Call,
    /// Where the answer holds the registration's id.
    #[serde(default)]
    pub id: Option<Path>,
    /// Where the answer holds the secret of its signatures.
    #[serde(default)]
    pub secret: Option<Path>,
}

/// What an event looks like; paths begin at the content's root, or at a row of `batch`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Event {
    /// Its id.
    pub id: Option<Place>,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Option<Place>,
    /// When it happened.
    pub created: Option<Place>,
    /// The id of the operation it tells of.
    pub subject: Option<Place>,
    /// The operation's state; an event without it only says that something happened.
    pub state: Option<Place>,
    /// What its words for states mean, where they are not the monitor's.
    pub states: BTreeMap<String, Kind>,
    /// What orders the events of one operation: a number that grows.
    pub version: Option<Place>,
    /// Where the events are, if one delivery can hold several.
    pub batch: Option<Path>,
    /// Members whose values may differ between attempts to deliver one event, such as a count of attempts.
    pub volatile: Vec<Path>,
}

/// How deliveries are signed with a shared secret: a named recipe, a description, or a recipe with changes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Signature {
    /// `standard-webhooks`, `stripe`, `square`, `gocardless` or `moov`.
    pub recipe: Option<String>,
    /// The header field that holds the signature.
    pub header: Option<String>,
    /// What it looks like, such as `t={timestamp},v1={signature}`; the bare signature unless given.
    pub form: Option<String>,
    /// What separates the parts of it; of several signatures any one that is valid is enough.
    pub separator: Option<String>,
    /// The hash function of the HMAC; SHA-256 unless given.
    pub algorithm: Option<Algorithm>,
    /// How the signature is written; in hexadecimal unless given.
    pub encoding: Option<Encoding>,
    /// What is signed, of `{id}`, `{timestamp}`, `{nonce}`, `{url}` and `{body}`.
    pub message: Option<String>,
    /// The header field that holds the timestamp.
    pub timestamp_header: Option<String>,
    /// The header field that holds the delivery's or the event's id.
    pub id_header: Option<String>,
    /// The header field that holds the nonce.
    pub nonce_header: Option<String>,
    /// What a secret begins with and is no part of the key.
    pub secret_prefix: Option<String>,
    /// How the secret is written; as the key's own octets unless given.
    pub secret_encoding: Option<SecretEncoding>,
    /// How far the timestamp may be from the time of arrival; 5 minutes unless given.
    pub tolerance: Option<Span>,
    /// What the signature is known to cover, where that is less than everything that is sent.
    pub covers: Option<Vec<Part>>,
    /// Whether each attempt has a timestamp of its own.
    pub attempt_timestamp: Option<bool>,
}

/// The hash function of an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// Hexadecimal, in either case.
    Hex,
    /// Base64, with padding or without.
    Base64,
}

/// How a secret is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SecretEncoding {
    /// Its octets are the key.
    Utf8,
    /// Hexadecimal.
    Hex,
    /// Base64.
    Base64,
}

/// A part of a delivery that a signature can cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The content.
    Body,
    /// The timestamp.
    Timestamp,
    /// The id.
    Id,
    /// The nonce.
    Nonce,
    /// The URL it is sent to.
    Url,
}

impl Part {
    /// As a report names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Timestamp => "timestamp",
            Self::Id => "id",
            Self::Nonce => "nonce",
            Self::Url => "url",
        }
    }
}

/// How a delivery that failed is repeated.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redelivery {
    /// The longest time from a failed first attempt to the second.
    pub first: Span,
    /// The longest time between the attempts after that, as far as they are seen.
    #[serde(default)]
    pub longest: Option<Span>,
    /// How many attempts are seen, the first included: 2 to 4.
    #[serde(default = "attempts")]
    pub attempts: u8,
    /// How long the target waits for an answer before it gives an attempt up.
    #[serde(default)]
    pub timeout: Option<Span>,
}

const fn attempts() -> u8 {
    2
}

/// Addresses that must not be called.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Addresses {
    /// URLs that a registration must refuse.
    #[serde(default)]
    pub refused: Vec<String>,
    /// Addresses of this machine that must not be called, on which callbacks are received to see whether they are:
    /// loopback or private ones.
    #[serde(default)]
    pub observed: Vec<IpAddr>,
    /// Whether a redirect in answer to a delivery is tried, which must not be followed.
    #[serde(default = "redirects")]
    pub redirects: bool,
    /// A client of another principal, which must not reach a registration of ours.
    #[serde(default)]
    pub other_client: Option<String>,
}

const fn redirects() -> bool {
    true
}
