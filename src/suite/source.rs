//! The texts a suite is made of, and places in them.

use std::{fs::File, io::Read, path::Path};

use super::diagnostic::{Complaint, Diagnostic, Excerpt, Related};

/// The largest file accepted, in bytes.
const LARGEST: u64 = 4 << 20;

/// A range of bytes in one of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) file: u16,
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Place {
    /// A range of bytes; ends are cut to what a place can hold, which is far beyond the largest file.
    pub(super) fn new(file: u16, start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { file, start: clamp(start), end: clamp(end.max(start)) }
    }

    /// Where it begins, without extent.
    pub(super) fn start(self) -> Self {
        Self { end: self.start, ..self }
    }
}

/// The texts, in the order they were read: the suite first.
#[derive(Debug, Default)]
pub(super) struct Files {
    sources: Vec<Source>,
    /// What is not shown.
    hidden: Vec<Place>,
}

#[derive(Debug)]
struct Source {
    label: String,
    text: String,
    /// Where each line begins.
    lines: Vec<usize>,
}

impl Files {
    /// Adds a text under the label that messages show.
    pub(super) fn add(&mut self, label: impl Into<String>, text: impl Into<String>) -> u16 {
        let text = text.into();
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        self.sources.push(Source { label: label.into(), text, lines });
        u16::try_from(self.sources.len() - 1).unwrap_or(u16::MAX)
    }

    /// Notes that what stands at a place must not be shown.
    pub(super) fn hide(&mut self, place: Place) {
        self.hidden.push(place);
    }

    pub(super) fn label(&self, file: u16) -> &str {
        self.sources.get(usize::from(file)).map_or("", |source| &source.label)
    }

    pub(super) fn text(&self, file: u16) -> &str {
        self.sources.get(usize::from(file)).map_or("", |source| &source.text)
    }

    /// What stands at a place.
    pub(super) fn slice(&self, place: Place) -> &str {
        self.text(place.file).get(place.start as usize..place.end as usize).unwrap_or_default()
    }

    /// The part of a place where a text stands, or all of it.
    pub(super) fn narrow(&self, place: Place, needle: &str) -> Place {
        match self.slice(place).find(needle) {
            Some(at) => {
                let start = place.start as usize + at;
                Place::new(place.file, start, start + needle.len())
            }
            None => place,
        }
    }

    /// The part of a place that a message quotes first, or all of it.
    pub(super) fn narrow_to_quoted(&self, place: Place, message: &str) -> Place {
        match message.split('`').nth(1).filter(|quoted| !quoted.is_empty()) {
            Some(quoted) => self.narrow(place, quoted),
            None => place,
        }
    }

    /// The line a place begins in, and the place of it.
    pub(super) fn line(&self, place: Place) -> (&str, Place) {
        let text = self.text(place.file);
        let at = floor(text, place.start as usize);
        let lines = self.sources.get(usize::from(place.file)).map_or(&[][..], |source| &source.lines);
        let next = lines.partition_point(|begin| *begin <= at);
        let start = next.checked_sub(1).map_or(0, |line| lines[line]);
        let end = lines.get(next).map_or(text.len(), |begin| begin - 1);
        (text[start..end].trim_end_matches('\r'), Place::new(place.file, start, end))
    }

    /// The complaint as it is shown.
    pub(super) fn diagnose(&self, complaint: Complaint) -> Diagnostic {
        let excerpt = self.excerpt(complaint.place);
        Diagnostic {
            file: self.label(complaint.place.file).to_owned(),
            span: complaint.place.start as usize..complaint.place.end as usize,
            line: excerpt.line,
            column: excerpt.column,
            message: complaint.message,
            help: complaint.help,
            level: complaint.level,
            related: complaint.related.map(|(place, label)| Related {
                file: self.label(place.file).to_owned(),
                label,
                excerpt: self.excerpt(place),
            }),
            excerpt,
        }
    }

    /// A line as it may be shown.
    fn shown(&self, text: &str, line: Place) -> String {
        let overlaps = |h: &&Place| h.file == line.file && h.start < line.end && line.start < h.end;
        self.hidden.iter().filter(overlaps).fold(text.to_owned(), |text, hidden| {
            let start = hidden.start.saturating_sub(line.start) as usize;
            blot(&text, start..(hidden.end - line.start) as usize)
        })
    }

    fn excerpt(&self, place: Place) -> Excerpt {
        let (text, line) = self.line(place);
        let whole = self.text(place.file);
        if whole.is_empty() {
            return Excerpt { line: 0, column: 0, text: None, mark: 0..0 };
        }
        let start = floor(whole, place.start as usize) - line.start as usize;
        let start = start.min(text.len());
        let end = floor(whole, place.end as usize).saturating_sub(line.start as usize).clamp(start, text.len());
        Excerpt {
            line: self.sources[usize::from(place.file)].lines.partition_point(|begin| *begin <= line.start as usize),
            column: text[..start].chars().count() + 1,
            text: (text.len() <= Excerpt::LONGEST).then(|| self.shown(text, line)),
            mark: start..end,
        }
    }
}

/// A text with a part made illegible, byte for byte so that all other places stay the same.
fn blot(text: &str, part: std::ops::Range<usize>) -> String {
    let (before, rest) = text.split_at(floor(text, part.start));
    let (hidden, after) = rest.split_at(floor(rest, part.end.saturating_sub(before.len())));
    format!("{before}{}{after}", "*".repeat(hidden.len()))
}

/// The nearest character boundary at or before a byte.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Reads a file as text; the error says what is wrong with it and, for bytes that are not text, where.
pub(super) fn read(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|e| format!("the file cannot be read: {}", reason(&e)))?;
    let about = file.metadata().map_err(|e| format!("the file cannot be read: {}", reason(&e)))?;
    if about.is_dir() {
        return Err("this is a folder, not a suite file".into());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| format!("the file cannot be read: {}", reason(&e)))?;
    decode(bytes)
}

/// Bytes as text, without a byte order mark.
fn decode(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() as u64 > LARGEST {
        return Err("the file is larger than 4 MiB".into());
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..at].split(|b| *b == b'\n').count();
        format!("the file is not UTF-8: byte {at} (in line {line}) begins no valid character")
    })
}

/// Whether a text is over the size accepted of a file.
pub(super) fn too_large(text: &str) -> bool {
    text.len() as u64 > LARGEST
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string().to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_from_one_and_never_split_one() {
        let mut files = Files::default();
        let file = files.add("a.yaml", "ä: 1\nöö: x\r\n");
        let place = files.narrow(Place::new(file, 0, 14), "x");
        let excerpt = files.excerpt(place);
        assert_eq!((excerpt.line, excerpt.column), (2, 5));
        assert_eq!(excerpt.text.as_deref(), Some("öö: x"));
        let inside = files.excerpt(Place::new(file, 1, 7));
        assert_eq!((inside.line, inside.column, inside.mark), (1, 1, 0..5));
        assert_eq!(files.excerpt(Place::new(file, 99, 120)).line, 3);
    }

    #[test]
    fn what_is_hidden_is_not_shown_and_nothing_moves() {
        let mut files = Files::default();
        let file = files.add("a.yaml", "a: [ ähush, x ]\nb: |\n  more\n  lines\n");
        let hidden = files.narrow(Place::new(file, 0, 17), "ähush");
        files.hide(hidden);
        files.hide(Place::new(file, 20, 36));
        let x = files.excerpt(files.narrow(Place::new(file, 0, 17), "x"));
        assert_eq!(x.text.as_deref(), Some("a: [ ******, x ]"));
        assert_eq!(&x.text.unwrap()[x.mark], "x");
        assert_eq!(files.excerpt(Place::new(file, 29, 30)).text.as_deref(), Some("*******"));
    }

    #[test]
    fn bytes_that_are_not_text_are_located() {
        assert!(decode(b"a: 1\nb: \xff".to_vec()).unwrap_err().contains("byte 8 (in line 2)"));
        assert!(decode(vec![b'a'; 5 << 20]).unwrap_err().contains("larger than 4 MiB"));
    }
}
