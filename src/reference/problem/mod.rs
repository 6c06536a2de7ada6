//! What can go wrong, and how it is said (RFC 9457).

mod fault;
mod voice;

pub(super) use fault::Fault;
pub(super) use voice::Voice;

use http::HeaderName;

/// One thing that is wrong with a request.
#[derive(Debug)]
pub(super) struct Problem {
    fault: Fault,
    /// For people; never repeats what the caller sent, which may be a secret.
    detail: String,
    context: Box<Context>,
}

/// What only some problems have.
#[derive(Debug, Default)]
struct Context {
    fields: Vec<FieldFault>,
    parameter: Option<String>,
    headers: Vec<(HeaderName, String)>,
    received: Option<String>,
    credential: Option<String>,
}

/// What is wrong with one field of a request body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FieldFault {
    /// JSON Pointer (RFC 6901) into the body.
    pub(super) pointer: String,
    pub(super) detail: String,
}

impl Problem {
    pub(super) fn new(fault: Fault, detail: impl Into<String>) -> Self {
        Self { fault, detail: detail.into(), context: Box::default() }
    }

    /// A body whose fields are wrong.
    pub(super) fn validation(fields: Vec<FieldFault>, received: &str) -> Self {
        let detail = format!("{} of the fields sent cannot be accepted; see errors", fields.len());
        let mut problem = Self::new(Fault::ValidationFailed, detail).received(received);
        problem.context.fields = fields;
        problem
    }

    /// A parameter whose value is wrong.
    pub(super) fn bad_parameter(name: &str, detail: &str, value: &str) -> Self {
        Self::new(Fault::InvalidParameter, format!("{name} {detail}")).parameter(name).received(value)
    }

    /// Names the query parameter at fault.
    pub(super) fn parameter(mut self, name: &str) -> Self {
        self.context.parameter = Some(name.to_owned());
        self
    }

    pub(super) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.context.headers.push((name, value.to_owned()));
        self
    }

    /// What the caller sent: only defects show it.
    pub(super) fn received(mut self, input: &str) -> Self {
        self.context.received = Some(input.to_owned());
        self
    }

    /// The credential the caller sent: only a defect shows it.
    pub(super) fn credential(mut self, credential: String) -> Self {
        self.context.credential = Some(credential);
        self
    }
}
