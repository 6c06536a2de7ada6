//! The report for a terminal: what went wrong first and in full, then what could not be seen, then the sums.

mod failures;
mod lists;
mod page;
mod stream;
mod summary;

use super::{RenderOptions, View};
use page::Page;

/// Renders the report. No line is wider than the width asked for, and none holds what a target could use to deceive.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "every format has this signature")]
pub(super) fn render(view: &View<'_>, options: &RenderOptions) -> String {
    let mut page = Page::new(*options);
    summary::header(&mut page, view);
    summary::families(&mut page, view);
    failures::all(&mut page, view);
    lists::drawings(&mut page, view);
    lists::inconclusive(&mut page, view);
    lists::waived(&mut page, view);
    lists::not_judged(&mut page, view);
    lists::not_applicable(&mut page, view, options.verbose);
    lists::passed(&mut page, view, options.verbose);
    lists::notes(&mut page, view);
    lists::waiver_trouble(&mut page, view);
    summary::sums(&mut page, view);
    summary::decision(&mut page, view);
    page.finish()
}
