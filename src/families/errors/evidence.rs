//! What is kept of error responses: typed, bounded, free of the text of bodies beyond short quotes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    exchange::ExchangeId,
    families::{Correlation, ErrorShape},
    json::Scalar,
};

/// What the family's rules judge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The error responses of a whole run, whoever caused them.
    Traffic(Traffic),
    /// The answers to one request that must fail.
    Case(Case),
}

/// The error responses of a whole run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// What the suite declares.
    pub declared: Declared,
    /// How many error responses there were.
    pub seen: u64,
    /// Those that were kept: at most [`super::observer::KEPT`], of each kind the first ones.
    pub answers: Vec<ErrorResponse>,
    /// `Server` and `Via` of most responses that were no errors; none if there were no such responses.
    pub origin: Option<String>,
    /// What the suite's cases showed.
    pub faults: Vec<Fault>,
}

/// One fault that a case of the suite provoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The case.
    pub check: String,
    /// The statuses it declares.
    pub statuses: Vec<u16>,
    /// The code it declares.
    pub code: Option<String>,
    /// The exchange that showed it.
    pub exchange: ExchangeId,
    /// The status that came.
    pub status: u16,
    /// The code that came.
    pub seen_code: Option<String>,
}

/// The answers to one request that must fail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// What the suite declares for every error.
    pub declared: Declared,
    /// What the case declares.
    pub expected: Expected,
    /// What came: one answer, or one for each of the case's `values`.
    pub answers: Vec<CaseAnswer>,
}

/// What a case declares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The request line as written.
    pub request: String,
    /// Acceptable statuses.
    pub statuses: Vec<u16>,
    /// The code the error must carry.
    pub code: Option<String>,
    /// The JSON Schema of its body.
    pub schema: Option<Value>,
    /// The invalid fields of the request.
    pub fields: Vec<String>,
    /// How many fields the request has.
    pub sent_fields: usize,
    /// Whether something was sent that must not come back.
    pub canary: bool,
}

/// One answer to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseAnswer {
    /// The instance data that was sent.
    pub value: Option<String>,
    /// What came.
    pub outcome: CaseOutcome,
}

/// What came of one request of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseOutcome {
    /// No response: why, and the exchange if anything was sent.
    Nothing(String, Option<ExchangeId>),
    /// A response, of any status.
    Response(Box<CaseResponse>),
}

/// A response to a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseResponse {
    /// What every error response is read for.
    pub answer: ErrorResponse,
    /// The shape of its body, one member a line.
    pub shape: Vec<String>,
    /// Where the body violates the case's schema; values are masked.
    pub schema_problems: Vec<String>,
    /// Those of the case's invalid fields that the body names, and how.
    pub located: Vec<Located>,
}

/// An invalid field that an error names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// The field, as the case names it.
    pub field: String,
    /// How the error names it.
    pub by: String,
}

/// What the suite declares for every error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declared {
    /// `conventions.errors`.
    pub errors: ErrorShape,
    /// `conventions.correlation`.
    pub correlation: Correlation,
    /// Schemas of it that cannot be used, and why.
    pub unusable: Vec<String>,
}

/// One error response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts that have nothing to do with each other")]
pub struct ErrorResponse {
    /// The exchange.
    pub exchange: ExchangeId,
    /// The check that caused it.
    pub check: String,
    /// The request's method.
    pub method: String,
    /// The request's path, without its query.
    pub path: String,
    /// The status.
    pub status: u16,
    /// The media type.
    pub media_type: Option<String>,
    /// Whether browsers are told not to guess another type.
    pub nosniff: bool,
    /// `Content-Language`.
    pub language: Option<String>,
    /// `Server` and `Via`.
    pub origin: String,
    /// Whether a cache says it answered: an id may then repeat.
    pub cached: bool,
    /// The idempotency key of the request: its repetition may repeat an id.
    pub idempotency_key: Option<String>,
    /// Whether it is an OAuth error (RFC 6749 §5.2), which has a shape of its own.
    pub oauth: bool,
    /// What the body is.
    pub content: Content,
    /// How the body relates to the declared shape.
    pub envelope: Envelope,
    /// The machine-readable code, where the suite or RFC 9457 says where it is.
    pub code: Option<Scalar>,
    /// Whether the code repeats data of the request.
    pub code_quotes_request: bool,
    /// The message for people, where the suite or RFC 9457 says where it is.
    pub message: Option<Scalar>,
    /// A placeholder of the message that nothing was filled into.
    pub placeholder: Option<String>,
    /// Correlation ids.
    pub ids: Ids,
    /// The members of problem details, if the media type says that it is such.
    pub problem: Option<ProblemDetails>,
    /// What it tells of the inside of the API.
    pub disclosures: Vec<Disclosure>,
    /// The kinds of marker that the request carried.
    pub canaries: Vec<Canary>,
    /// Markers of the request that came back.
    pub echoes: Vec<Echo>,
}

/// What a body is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Nothing.
    Empty,
    /// A JSON object with these members.
    Object(Vec<String>),
    /// JSON, but an array or a scalar.
    OtherJson(String),
    /// No JSON: what it looks like, and how it begins.
    NotJson(String, String),
    /// Too long to be read: its length in bytes.
    Unread(u64),
}

/// How a body relates to the declared shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Envelope {
    /// The suite declares no shape, or the body has none.
    Unknown,
    /// It has the declared shape.
    Declared,
    /// It has one of the further shapes that the suite declares.
    Also,
    /// It has another shape: in what it differs.
    Foreign(Vec<String>),
}

/// Correlation ids of one exchange.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ids {
    /// The header field and the id in it.
    pub header: Option<(String, String)>,
    /// The member and the id in it.
    pub body: Option<(String, String)>,
    /// The id that was sent, if the request shows it.
    pub sent: Option<String>,
    /// Whether header and body are the same id by declaration or by name.
    pub comparable: bool,
}

/// Members of problem details (RFC 9457 §3.1) as found; none where absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProblemDetails {
    /// `type`
    pub kind: Option<Scalar>,
    /// `title`
    pub title: Option<Scalar>,
    /// `status`
    pub status: Option<Scalar>,
    /// `detail`
    pub detail: Option<Scalar>,
    /// `instance`
    pub instance: Option<Scalar>,
}

/// Something of the inside of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disclosure {
    /// What it is.
    pub kind: Inside,
    /// What kind of text gave it away.
    pub name: String,
    /// Where: `body`, or the name of a header field.
    pub place: String,
    /// The text, in brief.
    pub text: String,
}

/// What is disclosed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Inside {
    /// A product and its version.
    Product,
    /// The name of an exception class.
    ExceptionClass,
    /// An address or host name of the network behind the API.
    Address,
    /// A source file with the line.
    SourcePath,
    /// A page meant for developers.
    DebugPage,
    /// A statement or an error of the database.
    Sql,
    /// Frames of a call stack.
    StackTrace,
}

/// A kind of marker that must not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Canary {
    /// A credential that belongs to nobody.
    Credential,
    /// A card number of the card schemes' test ranges.
    Card,
    /// Markup.
    Markup,
}

/// A marker that came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// What it is.
    pub canary: Canary,
    /// Where: `body`, or the name of a header field.
    pub place: String,
}

impl ErrorResponse {
    /// Whether the media type is of the JSON family.
    pub fn is_json_type(&self) -> bool {
        self.media_type.as_deref().is_some_and(is_json)
    }

    /// Method, path, status and media type in one line.
    pub fn line(&self) -> String {
        let media = self.media_type.as_deref().unwrap_or("no media type");
        format!("{} {} {} answered {} ({media})", self.exchange, self.method, self.path, self.status)
    }
}

/// Whether a media type is of the JSON family.
pub(super) fn is_json(media_type: &str) -> bool {
    media_type.ends_with("/json") || media_type.ends_with("+json")
}

/// Whether it is that of problem details in JSON (RFC 9457 §3).
pub(super) fn is_problem(media_type: &str) -> bool {
    media_type == "application/problem+json"
}

/// At most so many characters of a text, in one line.
pub(super) fn brief(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most));
    for (count, c) in text.trim().chars().enumerate() {
        if count == most {
            out.push('…');
            break;
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}
