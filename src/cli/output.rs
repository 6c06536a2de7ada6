//! Standard output and error: colour, width, broken pipes, files.

use std::{
    fs::File,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
};

use anstream::ColorChoice;
use anyhow::Context;
use comfy_table::{ContentArrangement, Table, TableStyle};
use tracing_subscriber::filter::LevelFilter;

use super::{
    args::{ColorWhen, Common},
    exit::Exit,
};
use crate::report::{FORMATS, Format};

/// Whether each stream is coloured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Color {
    pub(super) stdout: bool,
    pub(super) stderr: bool,
}

impl From<ColorWhen> for Color {
    fn from(when: ColorWhen) -> Self {
        let decide = |choice: ColorChoice| match when {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => forced() || choice != ColorChoice::Never,
        };
        Self {
            stdout: decide(anstream::AutoStream::choice(&io::stdout())),
            stderr: decide(anstream::AutoStream::choice(&io::stderr())),
        }
    }
}

fn forced() -> bool {
    std::env::var("FORCE_COLOR").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How many columns standard output has; 80 where that cannot be told.
pub(super) fn width() -> u16 {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let terminal = || io::stdout().is_terminal().then(|| Table::new().width()).flatten();
    told.or_else(terminal).filter(|width| *width >= 40).unwrap_or(80)
}

/// Texts side by side, indented so far and wrapped to the width of the terminal.
pub(super) fn columns<const N: usize>(indent: u16, rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new())
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width())
        .add_rows(rows);
    if let Some(first) = table.column_mut(0) {
        first.set_padding((indent, 1));
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").filter(|line| line != "\n").collect()
}

/// Prints to standard output. A reader that has gone away is no error: there is nobody left to tell.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("standard output could not be written"),
    }
}

/// Prints one line to standard error.
pub(super) fn say(text: &str) {
    // Nothing can be done where even standard error is gone.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints an error: what happened, and why, from the outside in.
pub(super) fn complain(error: &anyhow::Error, color: Color) {
    let lines: Vec<String> =
        error.chain().filter(|cause| cause.downcast_ref::<Exit>().is_none()).map(ToString::to_string).collect();
    if lines.is_empty() {
        return;
    }
    let style = if color.stderr { anstyle::AnsiColor::Red.on_default().bold() } else { anstyle::Style::new() };
    say(&format!("{style}error{style:#}: {}", lines.join(": ")));
}

/// Sends log lines to standard error, as many as were asked for.
pub(super) fn logging(common: &Common) {
    let level = match (common.quiet, common.verbose) {
        (true, _) => LevelFilter::OFF,
        (_, 0) => LevelFilter::WARN,
        (_, 1) => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let color = Color::from(common.color).stderr;
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(io::stderr).with_ansi(color);
    subscriber.without_time().with_target(false).init();
}

/// A file that a report will be written to, open before any traffic starts.
pub(super) struct ReportFile {
    pub(super) path: PathBuf,
    pub(super) format: &'static Format,
    file: File,
}

impl ReportFile {
    /// Opens a file, in the format that its name ends in.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let name = path.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        let ends = |format: &&Format| format.extensions.iter().any(|ending| name.ends_with(&format!(".{ending}")));
        let format = FORMATS.iter().find(ends).ok_or_else(|| {
            let known: Vec<String> =
                FORMATS.iter().flat_map(|f| f.extensions).map(|ending| format!(".{ending}")).collect();
            anyhow::anyhow!("{}: no report format has this ending; there is {}", path.display(), known.join(", "))
        })?;
        let file = File::create(path).with_context(|| format!("{}: cannot be written", path.display()))?;
        Ok(Self { path: path.to_owned(), format, file })
    }

    /// Writes the report.
    pub(super) fn write(mut self, text: &str) -> anyhow::Result<()> {
        self.file.write_all(text.as_bytes()).with_context(|| format!("{}: cannot be written", self.path.display()))
    }
}
