//! What is wrong with a suite, each with its place, and how it is shown: one look for all.

use std::{fmt, ops::Range};

use annotate_snippets::{AnnotationKind, Group, Level as Title, Origin, Renderer, Snippet, normalize_untrusted_str};

use super::source::{Files, Place};

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The suite cannot be run.
    Error,
    /// The suite can be run, and may not do what was meant.
    Warning,
}

/// One thing wrong with a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The file, as it was named.
    pub file: String,
    /// The bytes of the file it is about.
    pub span: Range<usize>,
    /// The line, from 1; 0 if it is about the file as a whole.
    pub line: usize,
    /// The column in characters, from 1; 0 if it is about the file as a whole.
    pub column: usize,
    /// What is wrong, in one line.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    /// How bad it is.
    pub level: Level,
    pub(super) excerpt: Excerpt,
    pub(super) related: Option<Related>,
}

/// The source line of a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Excerpt {
    pub(super) line: usize,
    pub(super) column: usize,
    /// The line; none if it is too long to be shown.
    pub(super) text: Option<String>,
    /// The bytes of the line that are underlined.
    pub(super) mark: Range<usize>,
}

impl Excerpt {
    /// The longest line shown, in bytes.
    pub(super) const LONGEST: usize = 2_000;
}

/// Another place a diagnostic speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Related {
    pub(super) file: String,
    pub(super) label: String,
    pub(super) excerpt: Excerpt,
}

/// Everything found wrong with a suite, in the order of the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Errors and warnings, by position.
    pub diagnostics: Vec<Diagnostic>,
}

/// The most diagnostics that are shown.
const MOST_SHOWN: usize = 100;

impl Report {
    /// The report for people: each diagnostic with its source line underlined, at most 100 of them.
    pub fn render(&self, color: bool, width: usize) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(width);
        let mut out = String::new();
        for diagnostic in self.diagnostics.iter().take(MOST_SHOWN) {
            out.push_str(&diagnostic.render(&renderer));
            out.push_str("\n\n");
        }
        if self.diagnostics.len() > MOST_SHOWN {
            out.push_str(&more(self.diagnostics.len() - MOST_SHOWN));
        }
        out.truncate(out.trim_end().len());
        out
    }

    /// How many of the diagnostics are errors.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.level == Level::Error).count()
    }
}

fn more(count: usize) -> String {
    format!("and {count} more\n\n")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false, 140))
    }
}

impl std::error::Error for Report {}

impl Diagnostic {
    fn render(&self, renderer: &Renderer) -> String {
        let title = match self.level {
            Level::Error => Title::ERROR,
            Level::Warning => Title::WARNING,
        };
        let group = Group::with_title(title.primary_title(self.message.as_str()));
        let mut group = snippet(group, &self.file, &self.excerpt, AnnotationKind::Primary, None);
        if let Some(related) = &self.related {
            group = snippet(group, &related.file, &related.excerpt, AnnotationKind::Context, Some(&related.label));
        }
        if let Some(help) = &self.help {
            group = group.element(Title::HELP.message(normalize_untrusted_str(help)));
        }
        renderer.render(&[group])
    }
}

fn snippet<'a>(
    group: Group<'a>,
    file: &'a str,
    excerpt: &'a Excerpt,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Group<'a> {
    match &excerpt.text {
        Some(text) => {
            let mark = kind.span(excerpt.mark.clone()).label(label);
            group.element(Snippet::source(text.as_str()).line_start(excerpt.line).path(file).annotation(mark))
        }
        None if excerpt.line == 0 => group.element(Origin::path(file)),
        None => group.element(Origin::path(file).line(excerpt.line).char_column(excerpt.column)),
    }
}

/// A diagnostic before its source line is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) place: Place,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) level: Level,
    pub(super) related: Option<(Place, String)>,
    /// Whether a value is missing there, so that complaints about the value itself say nothing new.
    pub(super) hole: bool,
}

impl Complaint {
    pub(super) fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(crop(&help.into(), LONGEST_MESSAGE));
        self
    }

    pub(super) fn help_if(&mut self, help: Option<&str>) {
        if let Some(help) = help {
            self.help(help);
        }
    }

    pub(super) fn see(&mut self, place: Place, label: &str) {
        self.related = Some((place, label.to_owned()));
    }
}

/// The longest message, in characters; what is quoted in it may be of any length.
const LONGEST_MESSAGE: usize = 600;
/// The most complaints kept of one suite.
const MOST_KEPT: usize = 1_000;

/// What is found wrong while a suite is loaded.
#[derive(Debug, Default)]
pub(super) struct Complaints(Vec<Complaint>);

impl Complaints {
    pub(super) fn error(&mut self, place: Place, message: impl Into<String>) -> &mut Complaint {
        self.add(place, message, Level::Error)
    }

    pub(super) fn warning(&mut self, place: Place, message: impl Into<String>) -> &mut Complaint {
        self.add(place, message, Level::Warning)
    }

    fn add(&mut self, place: Place, message: impl Into<String>, level: Level) -> &mut Complaint {
        // Beyond the bound the last one is replaced: nobody reads that many, and a hostile file could hold millions.
        self.0.truncate(MOST_KEPT - 1);
        let message = crop(&message.into(), LONGEST_MESSAGE);
        self.0.push(Complaint { place, message, help: None, level, related: None, hole: false });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// Whether so much was found that looking for more helps nobody.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MOST_KEPT
    }

    /// Whether anything found so far keeps the suite from being run.
    pub(super) fn any_errors(&self) -> bool {
        self.0.iter().any(|complaint| complaint.level == Level::Error)
    }

    /// By position, each thing once; nothing about a value that could not be filled in but that.
    pub(super) fn sorted(mut self, files: &Files) -> Vec<Complaint> {
        let holes: Vec<Place> = self.0.iter().filter(|c| c.hole).map(|c| c.place).collect();
        self.0.retain(|c| {
            let covers =
                |hole: &Place| c.place.file == hole.file && c.place.start <= hole.start && hole.end <= c.place.end;
            let text = files.slice(c.place);
            let is_scalar = !text.contains('\n') && !text.starts_with(['{', '[']);
            c.hole || !is_scalar || !holes.iter().any(covers)
        });
        self.0.sort_by(|a, b| a.place.cmp(&b.place).then_with(|| a.message.cmp(&b.message)));
        self.0.dedup_by(|a, b| a.place == b.place && a.message == b.message);
        self.0
    }
}

/// A text cut to so many characters.
pub(super) fn crop(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The most names a name is compared with.
const MOST_COMPARED: usize = 1_000;

/// The nearest of the known names, or all of them; a name too long to be a slip is not compared.
pub(super) fn nearest<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> String {
    let name = if name.len() > 100 { "" } else { name };
    crate::families::nearest(name, known.into_iter().take(MOST_COMPARED))
}
