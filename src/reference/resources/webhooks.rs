//! `/v1/webhooks`: addresses that want to be told what happens.

use http::{StatusCode, header};
use serde_json::Value;

use super::{
    Problem, Reply,
    fields::{self, Fields, Refusal, settle},
    no_parameters, sent,
};
use crate::reference::{
    http::Call,
    problem::Fault,
    webhooks::{Pattern, Refused, Registration, address, number},
};

/// Most patterns of one registration.
const MOST: usize = 20;

/// 201 with the registration and, this once, its secret.
pub(super) fn create(call: &Call<'_>) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let mut fields = Fields::of(&call.body, String::new());
    let text = fields.required("url", fields::text(2_048));
    let patterns = fields.required("events", patterns);
    fields.only(&["url", "events"]);
    let parsed = text.as_deref().map(|text| address(text, &call.api.behaviour));
    if parsed == Some(Err(Refused::Malformed)) {
        fields.refuse("url", "must be an http or https URL without a login or a fragment");
    }
    let read = parsed.zip(patterns);
    let (address, patterns) = settle(read, fields.into_faults(), &call.body)?;
    let Ok(url) = address else {
        let detail = "this sandbox delivers events to http://127.0.0.1 and nowhere else";
        return Err(Problem::new(Fault::CallbackNotAllowed, detail).received(&sent(&call.body)));
    };
    let Some(registration) = call.api.webhooks.register(call.principal.tenant, url, patterns) else {
        return Err(Problem::new(Fault::TooManyWebhooks, "delete a webhook first"));
    };
    let location = format!("{}/{}", call.path, registration.id());
    Ok(Reply::json(StatusCode::CREATED, &registration.render(true)).header(header::LOCATION, &location))
}

pub(super) fn get(call: &Call<'_>, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let registration: Option<Registration> =
        number(id).and_then(|number| call.api.webhooks.get(number, call.principal.tenant));
    let registration = registration.ok_or_else(|| unknown(id))?;
    Ok(Reply::json(StatusCode::OK, &registration.render(false)))
}

/// Nothing is delivered any more, not even what is on its way again.
pub(super) fn delete(call: &Call<'_>, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    if number(id).is_some_and(|number| call.api.webhooks.delete(number, call.principal.tenant)) {
        return Ok(Reply::empty(StatusCode::NO_CONTENT));
    }
    Err(unknown(id))
}

/// Another tenant's webhook is as absent as one that never was.
fn unknown(id: &str) -> Problem {
    Problem::new(Fault::RowNotFound, "no webhook with this id is open to you").received(id)
}

fn patterns(value: &Value) -> Result<Vec<Pattern>, Refusal> {
    let items = value.as_array().filter(|items| (1..=MOST).contains(&items.len()));
    let items = items.ok_or("must be an array of 1 to 20 kinds of events")?;
    let read: Option<Vec<Pattern>> = items.iter().map(|item| item.as_str().and_then(Pattern::parse)).collect();
    read.ok_or("must name kinds of events, as operation.succeeded, operation.* or *")
}
