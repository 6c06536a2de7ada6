//! Lists, page by page.
//!
//! `asked` reads the parameters, `cursors` seals and opens positions, `walk` decides which rows a page holds and where the
//! next one starts, `cut` takes them out of the ordered rows, `style` and `links` write the answer. Positions are keysets
//! (sort key and id of the last row sent), so that rows written during a walk neither repeat nor hide others.

mod asked;
mod cursors;
mod cut;
mod filter;
mod links;
mod mark;
mod numbers;
mod open;
mod style;
mod walk;

pub(super) use cursors::Cursors;
pub(super) use filter::Filter;
pub(super) use numbers::Numbered;
pub(super) use style::Style;

use super::{
    behaviour::Behaviour,
    http::{Call, Query, Reply},
    ledger::{Collection, Row},
    problem::Problem,
};
use asked::Asked;
use cursors::Binding;
use style::Answer;
use walk::Walk;

/// A list as its resource declares it.
pub(super) struct Listing<'a, R> {
    /// `ACC-001/positions`: what cursors are bound to.
    pub(super) name: String,
    pub(super) collection: &'a Collection<R>,
    /// Query parameters that select rows.
    pub(super) filters: &'static [&'static str],
    /// Reads them.
    pub(super) filter: fn(&Query) -> Result<Filter<R>, Problem>,
}

/// Answers a request for one page.
pub(super) fn list<R: Row>(call: &Call<'_>, listing: &Listing<'_, R>, style: Style) -> Result<Reply, Problem> {
    let is: &Behaviour = &call.api.behaviour;
    let asked = Asked::read(call, style, listing.filters)?;
    let filter = (listing.filter)(&call.query)?;
    let binding = Binding::new(call.principal.tenant, &listing.name, asked.sort, &asked.filters);
    let opening = open::open(call, listing.collection, &asked, &binding)?;
    let walk = Walk { is, collection: listing.collection, filter, asked: &asked, ids: call.api.ids() };
    let page = opening.map(|opened| walk.page(&opened));
    if let (Some(page), Some(cursor)) = (&page, asked.cursor()) {
        call.api.cursors.remember(cursor, page.next);
    }
    style.reply(&Answer { call, asked: &asked, binding: &binding, page: page.unwrap_or_default() })
}
