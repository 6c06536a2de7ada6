//! Record → view → text: one file per format over one shared [`View`].
//!
//! Formats are pure functions of a view and [`RenderOptions`]: no clock, no environment, no terminal is consulted.
//! [`FORMATS`] is what offers them; the command line, its help and the tests iterate it.

mod curl;
mod json;
mod table;
mod text;
mod view;

pub use curl::Curl;
pub use view::{FindingView, GateView, SCHEMA_VERSION, View};

/// How to render, as far as the medium and the reader's wishes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenderOptions {
    /// How many columns a line may take; less than 40 counts as 40. Only for terminals.
    pub width: u16,
    /// Whether to colour. Only for terminals; nothing is said by colour alone.
    pub color: bool,
    /// 0: what went wrong; 1: also what passed and what is not applicable.
    pub verbose: u8,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { width: 80, color: false, verbose: 0 }
    }
}

/// A format of the report.
#[derive(Debug)]
pub struct Format {
    /// Its name on the command line.
    pub name: &'static str,
    /// What the names of its files end in, without the leading dot.
    pub extensions: &'static [&'static str],
    /// Renders a view.
    pub render: fn(&View<'_>, &RenderOptions) -> String,
}

/// Every format, the default first.
pub const FORMATS: &[Format] = &[
    Format { name: "table", extensions: &["txt"], render: table::render },
    Format { name: "json", extensions: &["json"], render: json::render },
];

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
