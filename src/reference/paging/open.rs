//! From what the caller says to a position in the list.

use super::{
    asked::{Asked, From},
    cursors::{Binding, Opened},
    mark::{Mark, Place},
};
use crate::reference::{
    behaviour::Behaviour,
    defects::pagination::{ANCHOR_LOOKUP, ANCHOR_RESTART, BAD_CURSOR_500, BAD_CURSOR_EMPTY, BAD_CURSOR_RESTARTS},
    http::Call,
    ledger::{Collection, Key, Row},
    problem::{Fault, Problem},
    variants::ANCHOR_RESTART_CODE,
};

/// The position a page starts at; none where a defect answers with nothing at all.
pub(super) fn open<R: Row>(
    call: &Call<'_>,
    rows: &Collection<R>,
    asked: &Asked,
    binding: &Binding,
) -> Result<Option<Opened>, Problem> {
    let is = &call.api.behaviour;
    let opened = match &asked.from {
        From::Beginning => return Ok(Some(start(rows))),
        From::Offset(offset) => at(Place::Offset(*offset)),
        From::Page(page) => at(Place::Offset((page - 1).saturating_mul(asked.limit))),
        From::AfterId(text) => {
            let id = call.api.ids().parse(R::PREFIX, text);
            let key = id.and_then(|id| rows.place_of(id)).ok_or_else(|| refused(text, "starting_after"))?;
            at(Place::After(key))
        }
        From::Cursor(text) => match call.api.cursors.open(text, binding) {
            Ok(opened) => opened,
            Err(_) => return unreadable(text, rows, is),
        },
    };
    anchored(opened, rows, is).map(Some)
}

fn at(place: Place) -> Opened {
    Opened { mark: Mark::at(place), same_filters: true }
}

fn start<R: Row>(rows: &Collection<R>) -> Opened {
    let mark = Mark { changes: rows.changes(), ..Mark::at(Place::Start) };
    Opened { mark, same_filters: true }
}

fn refused(text: &str, parameter: &str) -> Problem {
    let detail = format!("{parameter} does not continue this list with these filters and this order");
    Problem::new(Fault::InvalidCursor, detail).parameter(parameter).received(text)
}

/// A cursor that cannot be read is refused: starting again or ending the walk would double or hide rows.
fn unreadable<R: Row>(text: &str, rows: &Collection<R>, is: &Behaviour) -> Result<Option<Opened>, Problem> {
    if is.has(BAD_CURSOR_RESTARTS) {
        return Ok(Some(start(rows)));
    }
    if is.has(BAD_CURSOR_EMPTY) {
        return Ok(None);
    }
    if is.has(BAD_CURSOR_500) {
        return Err(Problem::new(Fault::Internal, "the request failed unexpectedly"));
    }
    Err(refused(text, "cursor"))
}

/// A position needs no row to stand on; only defects and a variant look for it.
fn anchored<R: Row>(opened: Opened, rows: &Collection<R>, is: &Behaviour) -> Result<Opened, Problem> {
    let watched = is.has(ANCHOR_LOOKUP) || is.has(ANCHOR_RESTART) || is.is(ANCHOR_RESTART_CODE);
    let stands = |anchor: Key| rows.get(anchor.id).is_some();
    if !watched || opened.mark.place.anchor().is_none_or(stands) {
        return Ok(opened);
    }
    if is.has(ANCHOR_LOOKUP) {
        return Err(Problem::new(Fault::RowNotFound, "no row has this id"));
    }
    if is.has(ANCHOR_RESTART) {
        return Ok(start(rows));
    }
    let detail = "the row this cursor stood on is gone; start again without a cursor";
    Err(Problem::new(Fault::CursorExpiredRestart, detail))
}
