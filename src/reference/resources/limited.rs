//! `/v1/limited/{kind}`: what is limited on purpose, and the notes that can be made under a limit.
//!
//! Reading and creating draw on one limit, `/other` on another. Listing, reading and deleting notes are never limited.

use http::{HeaderMap, Method, StatusCode, header};
use serde_json::json;

use super::{
    Problem, Reply,
    fields::{self, Fields, settle},
    found, no_parameters, no_row, number, reference,
};
use crate::reference::{
    defects::rate::{BLOCKS_CANCEL, FORWARDED_FOR_EVADES, QUERY_EVADES, THROTTLED_WRITE_HAPPENS},
    http::{Call, Query, Route},
    ledger::{Note, Row, instant},
    limits::{Asked, Endpoint, Kind, Limits, Lines, Outcome},
    paging::{self, Filter, Listing},
    problem::Fault,
    variants::LIMITS_503,
};

/// What a caller without good credentials says it is.
const CLIENT_ID: &str = "x-client-id";

/// Answers a request for a kind; it may have any query, as calls that defeat caches do.
pub(super) async fn get(call: &Call<'_>, kind: Kind, endpoint: Endpoint) -> Result<Reply, Problem> {
    let lines = pass(call, kind, endpoint).await?;
    let name = match endpoint {
        Endpoint::Main => "main",
        Endpoint::Other => "other",
    };
    Ok(with(Reply::json(StatusCode::OK, &json!({ "kind": kind.name(), "endpoint": name })), lines))
}

/// Makes a note.
pub(super) async fn create(call: &Call<'_>, kind: Kind) -> Result<Reply, Problem> {
    let made = read(call);
    let lines = pass(call, kind, Endpoint::Main).await.inspect_err(|_| {
        if call.api.behaviour.has(THROTTLED_WRITE_HAPPENS)
            && let Ok(note) = &made
        {
            insert(call, note.clone());
        }
    })?;
    let note = match made {
        Ok(note) => insert(call, note),
        Err(problem) => return Err(lines.into_iter().fold(problem, |p, (name, value)| p.header(name, &value))),
    };
    let ids = call.api.ids();
    let location = format!("/v1/limited/notes/{}", ids.segment(Note::PREFIX, note.id));
    let reply = Reply::json(StatusCode::CREATED, &note.render(ids)).header(header::LOCATION, &location);
    Ok(with(reply, lines))
}

pub(super) fn list(call: &Call<'_>) -> Result<Reply, Problem> {
    let ledger = call.api.ledger();
    let listing = Listing {
        name: "notes".to_owned(),
        collection: ledger.notes(call.principal.tenant),
        filters: &["reference"],
        filter,
    };
    paging::list(call, &listing, call.api.behaviour.style())
}

fn filter(query: &Query) -> Result<Filter<Note>, Problem> {
    let mut filter = Filter::all();
    if let Some(wanted) = reference(query)? {
        filter.and(move |row: &Note| *row.reference == *wanted);
    }
    Ok(filter)
}

pub(super) fn note(call: &Call<'_>, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    let number = number::<Note>(call, id)?;
    found(call, call.api.ledger().notes(call.principal.tenant).get(number), id)
}

/// Takes a note back.
pub(super) fn delete(call: &Call<'_>, id: &str) -> Result<Reply, Problem> {
    no_parameters(call)?;
    if call.api.behaviour.has(BLOCKS_CANCEL)
        && let Some(outcome) = call.api.limits.exhausted(call.principal.client)
    {
        return Err(refusal(call, outcome.lines));
    }
    let number = number::<Note>(call, id)?;
    let removed = call.api.ledger().notes_mut(call.principal.tenant).remove(number);
    if removed { Ok(Reply::empty(StatusCode::NO_CONTENT)) } else { Err(no_row(id)) }
}

/// Counts a request whose credentials are not good on the client that it names; only a defect does that.
pub(in crate::reference) fn drain(limits: &Limits, headers: &HeaderMap, route: Route<'_>, method: &Method) {
    let limited = match route {
        Route::Limited(kind, endpoint) => Some((kind, endpoint)),
        Route::LimitedNotes(kind) if method == Method::POST => Some((kind, Endpoint::Main)),
        _ => None,
    };
    let client = headers.get(CLIENT_ID).and_then(|value| value.to_str().ok());
    if let (Some((kind, endpoint)), Some(client)) = (limited, client) {
        limits.decide(&Asked { client, kind, endpoint, claim: String::new() });
    }
}

/// Counts a request, waits as long as its answer has to, and gives the headers of what is admitted.
async fn pass(call: &Call<'_>, kind: Kind, endpoint: Endpoint) -> Result<Lines, Problem> {
    let asked = Asked { client: call.principal.client, kind, endpoint, claim: claim(call) };
    let Outcome { admitted, lines, delay } = call.api.limits.decide(&asked);
    if !admitted {
        return Err(refusal(call, lines));
    }
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    Ok(lines)
}

/// What a caller can say to be counted elsewhere: only defects listen.
fn claim(call: &Call<'_>) -> String {
    let is = &call.api.behaviour;
    if is.has(FORWARDED_FOR_EVADES) {
        let value = call.headers.get("x-forwarded-for");
        return value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).unwrap_or_default();
    }
    if is.has(QUERY_EVADES) { call.query.spelled() } else { String::new() }
}

fn refusal(call: &Call<'_>, lines: Lines) -> Problem {
    let fault = if call.api.behaviour.is(LIMITS_503) { Fault::RateLimitedUnavailable } else { Fault::RateLimited };
    let problem = Problem::new(fault, "too many requests from this client; wait before the next one");
    lines.into_iter().fold(problem, |problem, (name, value)| problem.header(name, &value))
}

fn with(reply: Reply, lines: Lines) -> Reply {
    lines.into_iter().fold(reply, |reply, (name, value)| reply.header(name, &value))
}

fn read(call: &Call<'_>) -> Result<Note, Problem> {
    no_parameters(call)?;
    let mut fields = Fields::of(&call.body, String::new());
    let reference = fields.required("reference", fields::text(64));
    fields.only(&["reference"]);
    let made = reference.map(|reference| Note { id: 0, reference, created_at: instant::now() });
    settle(made, fields.into_faults(), &call.body)
}

fn insert(call: &Call<'_>, mut note: Note) -> Note {
    let mut ledger = call.api.ledger();
    note.id = ledger.new_id();
    ledger.notes_mut(call.principal.tenant).insert(note.clone());
    note
}
