//! Defects of lists; the hooks are in `paging/`, those of numbered pages in `resources/statements.rs`.

use super::Defect;

pub(in crate::reference) const SILENT_CUT: Defect = Defect {
    name: "pagination.silent-cut",
    rules: &["PAG-001"],
    summary: "a list asked for without a page size stops after 25 rows and offers no continuation",
};
pub(in crate::reference) const UNBOUNDED_BY_DEFAULT: Defect = Defect {
    name: "pagination.unbounded-by-default",
    rules: &["PAG-001"],
    summary: "a list asked for without a page size returns every row there is",
};
pub(in crate::reference) const PAGE_SIZE_EXCEEDED: Defect = Defect {
    name: "pagination.page-size-exceeded",
    rules: &["PAG-002"],
    summary: "a page holds one row more than was asked for",
};
pub(in crate::reference) const PAGE_SIZE_IGNORED: Defect = Defect {
    name: "pagination.page-size-ignored",
    rules: &["PAG-002"],
    summary: "every page holds 25 rows, whatever size was asked for",
};
pub(in crate::reference) const OVERSIZE_PAGE: Defect = Defect {
    name: "pagination.oversize-page",
    rules: &["PAG-003"],
    summary: "a page size above the maximum of 200 is served in full",
};
pub(in crate::reference) const NONSENSE_SIZE_500: Defect = Defect {
    name: "pagination.nonsense-size-500",
    rules: &["PAG-003"],
    summary: "a page size that is no positive integer is answered with status 500",
};
pub(in crate::reference) const CURSOR_CYCLE: Defect = Defect {
    name: "pagination.cursor-cycle",
    rules: &["PAG-004"],
    summary: "the last page carries a cursor that leads back to the second page",
};
pub(in crate::reference) const LOST_ROW: Defect = Defect {
    name: "pagination.lost-row",
    rules: &["PAG-005"],
    summary: "the first row after each page boundary is never sent",
};
pub(in crate::reference) const DUPLICATE_ROW: Defect = Defect {
    name: "pagination.duplicate-row",
    rules: &["PAG-005"],
    summary: "the last row of a page is sent again as the first row of the next",
};
pub(in crate::reference) const OFFSET_BEHIND_CURSOR: Defect = Defect {
    name: "pagination.offset-behind-cursor",
    rules: &["PAG-006", "PAG-007"],
    summary: "the cursor holds a row number, so rows written during a walk shift the pages",
};
pub(in crate::reference) const ANCHOR_LOOKUP: Defect = Defect {
    name: "pagination.anchor-lookup",
    rules: &["PAG-007"],
    summary: "a cursor whose row was deleted is answered with 404",
};
pub(in crate::reference) const ANCHOR_RESTART: Defect = Defect {
    name: "pagination.anchor-restart",
    rules: &["PAG-007"],
    summary: "a cursor whose row was deleted starts again at the first page without saying so",
};
pub(in crate::reference) const INSERT_REPEATS: Defect = Defect {
    name: "pagination.insert-repeats",
    rules: &["PAG-006"],
    summary: "each row inserted before the current position makes the next page repeat one row",
};
pub(in crate::reference) const NO_TIE_BREAKER: Defect = Defect {
    name: "pagination.no-tie-breaker",
    rules: &["PAG-008"],
    summary: "the cursor holds the sort key alone, so rows that share it are lost at a page boundary",
};
pub(in crate::reference) const ORDER_IGNORED: Defect = Defect {
    name: "pagination.order-ignored",
    rules: &["PAG-009"],
    summary: "`sort=oldest` is accepted and answered newest first",
};
pub(in crate::reference) const ORDER_BROKEN_ACROSS_PAGES: Defect = Defect {
    name: "pagination.order-broken-across-pages",
    rules: &["PAG-009"],
    summary: "pages are cut in the order of ids and only then sorted, each by itself",
};
pub(in crate::reference) const SIZE_DEPENDENT: Defect = Defect {
    name: "pagination.size-dependent",
    rules: &["PAG-010"],
    summary: "with a page size below 5 some rows never appear",
};
pub(in crate::reference) const SINGLE_USE_CURSOR: Defect = Defect {
    name: "pagination.single-use-cursor",
    rules: &["PAG-011"],
    summary: "a cursor works once and is refused when sent again",
};
pub(in crate::reference) const CURSOR_ADVANCES: Defect = Defect {
    name: "pagination.cursor-advances",
    rules: &["PAG-011"],
    summary: "a cursor sent again returns the page after the one it returned before",
};
pub(in crate::reference) const BAD_CURSOR_RESTARTS: Defect = Defect {
    name: "pagination.bad-cursor-restarts",
    rules: &["PAG-012"],
    summary: "a cursor that cannot be read is answered with the first page",
};
pub(in crate::reference) const BAD_CURSOR_EMPTY: Defect = Defect {
    name: "pagination.bad-cursor-empty",
    rules: &["PAG-012"],
    summary: "a cursor that cannot be read is answered with an empty last page",
};
pub(in crate::reference) const BAD_CURSOR_500: Defect = Defect {
    name: "pagination.bad-cursor-500",
    rules: &["PAG-012"],
    summary: "a cursor that cannot be read is answered with status 500",
};
pub(in crate::reference) const CURSOR_IGNORES_FILTER: Defect = Defect {
    name: "pagination.cursor-ignores-filter",
    rules: &["PAG-013"],
    summary: "a cursor sent with another filter than its own returns rows that match neither",
};
pub(in crate::reference) const CURSOR_IS_CAPABILITY: Defect = Defect {
    name: "pagination.cursor-is-capability",
    rules: &["PAG-014"],
    summary: "whoever holds a cursor reads its rows: another tenant, or a caller without credentials",
};
pub(in crate::reference) const PLAIN_OFFSET_CURSOR: Defect = Defect {
    name: "pagination.plain-offset-cursor",
    rules: &["PAG-015"],
    summary: "the cursor is `offset:25` in base64",
};
pub(in crate::reference) const LINK_LOSES_FILTER: Defect = Defect {
    name: "pagination.link-loses-filter",
    rules: &["PAG-016"],
    summary: "continuation links leave the filter out and lead to unfiltered rows",
};
pub(in crate::reference) const LINK_INTERNAL_HOST: Defect = Defect {
    name: "pagination.link-internal-host",
    rules: &["PAG-016"],
    summary: "links name the host behind the gateway",
};
pub(in crate::reference) const PREV_LINK_WRONG: Defect = Defect {
    name: "pagination.prev-link-wrong",
    rules: &["PAG-016"],
    summary: "the link to the previous page leads to a page one row too late",
};
pub(in crate::reference) const TOTAL_TOO_LOW: Defect = Defect {
    name: "pagination.total-too-low",
    rules: &["PAG-017"],
    summary: "the total is a tenth lower than the number of rows",
};
pub(in crate::reference) const TOTAL_AS_TEXT: Defect =
    Defect { name: "pagination.total-as-text", rules: &["PAG-017"], summary: "the total is sent as a string" };
pub(in crate::reference) const FILTER_LEAK: Defect = Defect {
    name: "pagination.filter-leak",
    rules: &["PAG-018"],
    summary: "a filtered list contains some rows that do not match",
};
pub(in crate::reference) const WINDOW_BOUNDARY_LOST: Defect = Defect {
    name: "pagination.window-boundary-lost",
    rules: &["PAG-018"],
    summary: "a row booked exactly at `from` is left out, so adjoining windows lose it",
};
pub(in crate::reference) const WINDOW_BOUNDARY_DOUBLED: Defect = Defect {
    name: "pagination.window-boundary-doubled",
    rules: &["PAG-018"],
    summary: "a row booked exactly at `to` is included, so adjoining windows both hold it",
};
pub(in crate::reference) const MOVING_PAGES: Defect = Defect {
    name: "pagination.moving-pages",
    rules: &["PAG-019"],
    summary: "the numbered pages of statements shift while they are walked",
};
