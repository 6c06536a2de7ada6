//! The JSON report: the view itself, in the order of its fields.

use super::{RenderOptions, View, text};

/// Pretty-printed JSON with a newline at the end. Characters that a terminal would obey are written as escapes.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "every format has this signature")]
pub(super) fn render(view: &View<'_>, _options: &RenderOptions) -> String {
    // A view consists of structs, text and numbers: none of the ways in which serialising can fail applies.
    let text = serde_json::to_string_pretty(view).unwrap_or_default();
    format!("{}\n", text::json(&text))
}
