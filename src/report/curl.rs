//! A `curl` command that repeats a recorded request.
//!
//! Every argument that holds data is quoted for a POSIX shell. Secrets are not in the record: where a mark stands for
//! one, the command has a shell variable, and a note says which secret to put into it.

use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

use super::text;
use crate::exchange::{CALLBACK, Exchange, Recorded};

/// The mark that stands for a secret in a record.
static MARK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[secret:[0-9a-f]+\]").expect("the pattern is constant and valid"));

/// Fields that curl sets by itself, or that speak about one connection.
const OWN_FIELDS: [&str; 5] = ["host", "content-length", "connection", "transfer-encoding", "expect"];

/// Longer content is not written into a command line.
const LONGEST_BODY: usize = 2000;

/// A command that repeats a request, and what to know before running it.
#[derive(Debug, Serialize)]
pub struct Curl {
    /// The command, in one line unless an argument holds a line break.
    #[serde(rename = "curl")]
    pub command: String,
    /// What to know before running it: which secrets its variables stand for, what is left out.
    #[serde(rename = "curl_notes", skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    #[serde(skip)]
    words: Vec<Word>,
}

/// One argument, or an option with its value.
type Word = Vec<Piece>;

#[derive(Debug)]
enum Piece {
    Text(String),
    Variable(String),
    Blank,
}

impl Curl {
    /// The command for a recorded exchange; none where it was not HTTP, or was not ours but the target's.
    pub fn repeating(exchange: &Exchange) -> Option<Self> {
        let request = &exchange.request;
        if !["http://", "https://"].iter().any(|scheme| request.url.starts_with(scheme)) {
            return None;
        }
        if exchange.purpose == CALLBACK {
            return None;
        }
        let mut writer = Writer::default();
        for word in ["curl", "-sS", "-i"] {
            writer.word(word);
        }
        let stream =
            matches!(exchange.outcome, Recorded::Stream(_)) || request.headers.get("sec-websocket-key").is_some();
        if stream {
            for word in ["--http1.1", "--max-time", "5", "--output", "-"] {
                writer.word(word);
            }
            writer
                .notes
                .push("curl shows the handshake and, for 5 s, the frames that come by themselves, as octets".into());
        }
        let body = request.body.length > 0;
        match request.method.as_str() {
            "GET" if !body => {}
            "HEAD" if !body => writer.word("--head"),
            method => writer.option("-X", method),
        }
        if request.url.contains(['[', ']', '{', '}']) {
            writer.word("--globoff");
        }
        writer.word(&request.url);
        for (name, value) in
            request.headers.iter().filter(|(name, _)| !OWN_FIELDS.contains(name) || stream && *name == "connection")
        {
            // `Name:` would remove the field; `Name;` sends it empty.
            writer.option("-H", &if value.is_empty() { format!("{name};") } else { format!("{name}: {value}") });
        }
        if body {
            if request.headers.get("content-type").is_none() {
                writer.option("-H", "content-type:");
            }
            writer.body(exchange);
        }
        let command = writer.words.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ");
        Some(Self { command, notes: writer.notes, words: writer.words })
    }

    /// The same command in lines of at most that many columns, which a shell reads as one. A line starts in the first
    /// column: where an argument is broken, a blank before its second half would end it.
    pub fn lines(&self, width: usize) -> Vec<String> {
        let mut lines = Lines { done: Vec::new(), line: String::new(), width };
        for word in &self.words {
            let quoted = quote(word);
            // Beside the word, the blank after it and what continues the line must fit.
            let whole = |lines: &Lines| !quoted.contains('\n') && lines.fits(&quoted, 2);
            if !lines.line.is_empty() {
                lines.line.push(' ');
                if !whole(&lines) {
                    lines.continue_on_next();
                }
            }
            if whole(&lines) {
                lines.line.push_str(&quoted);
            } else {
                for piece in word {
                    lines.broken(piece);
                }
            }
        }
        lines.done.push(lines.line);
        lines.done
    }
}

/// Collects the words of a command.
#[derive(Default)]
struct Writer {
    words: Vec<Word>,
    notes: Vec<String>,
    /// Marks and the variables that stand for them.
    variables: Vec<(String, String)>,
}

impl Writer {
    fn word(&mut self, word: &str) {
        let pieces = self.pieces(word);
        self.words.push(pieces);
    }

    fn option(&mut self, option: &str, value: &str) {
        let mut word = vec![Piece::Text(option.to_owned()), Piece::Blank];
        word.extend(self.pieces(value));
        self.words.push(word);
    }

    fn pieces(&mut self, word: &str) -> Word {
        let shown = text::lines(word);
        if shown != word {
            self.note("characters that a terminal would obey are shown by their code; the record has the originals");
        }
        let mut pieces = Vec::new();
        let mut end = 0;
        for mark in MARK.find_iter(&shown) {
            if mark.start() > end {
                pieces.push(Piece::Text(shown[end..mark.start()].to_owned()));
            }
            let bearer = word.starts_with("authorization: ");
            pieces.push(Piece::Variable(self.variable(mark.as_str(), bearer)));
            end = mark.end();
        }
        if end < shown.len() || pieces.is_empty() {
            pieces.push(Piece::Text(shown[end..].to_owned()));
        }
        pieces
    }

    fn body(&mut self, exchange: &Exchange) {
        let body = &exchange.request.body;
        match &body.text {
            Some(content) if content.len() <= LONGEST_BODY && text::lines(content) == *content => {
                self.option("--data-raw", content);
            }
            _ => {
                self.option("--data-binary", "@content");
                self.note(&format!(
                    "first put the content of request {} ({}) into a file named `content`",
                    exchange.id,
                    text::count(body.length, "byte")
                ));
            }
        }
    }

    /// The variable that stands for a mark: equal secrets have equal marks and share one.
    fn variable(&mut self, mark: &str, authorization: bool) -> String {
        if let Some((_, name)) = self.variables.iter().find(|(known, _)| known == mark) {
            return name.clone();
        }
        let taken = self.variables.iter().any(|(_, name)| name == "TOKEN");
        let name =
            if authorization && !taken { "TOKEN".to_owned() } else { format!("SECRET_{}", self.variables.len() + 1) };
        self.variables.push((mark.to_owned(), name.clone()));
        self.note(&format!("set {name} to the secret that the record shows as {mark}"));
        name
    }

    fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }
}

/// An argument as a POSIX shell reads it.
fn quote(word: &[Piece]) -> String {
    word.iter()
        .map(|piece| match piece {
            Piece::Blank => " ".to_owned(),
            Piece::Variable(name) => format!("\"${name}\""),
            Piece::Text(text) if is_plain(text) => text.clone(),
            Piece::Text(text) => format!("'{}'", text.replace('\'', r"'\''")),
        })
        .collect()
}

/// Whether a shell takes the text as it is.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./:@%+,".contains(&b))
}

/// Lines of a command under construction.
struct Lines {
    done: Vec<String>,
    line: String,
    width: usize,
}

impl Lines {
    fn fits(&self, more: &str, besides: usize) -> bool {
        text::width(&self.line) + text::width(more) + besides <= self.width
    }

    fn continue_on_next(&mut self) {
        self.line.push('\\');
        self.done.push(std::mem::take(&mut self.line));
    }

    /// Adds a piece, broken wherever a line is full: `'abc'\` is continued by `'def'`.
    fn broken(&mut self, piece: &Piece) {
        let text = match piece {
            Piece::Text(text) if !(is_plain(text) && self.fits(text, 2)) => text,
            _ => {
                let whole = quote(std::slice::from_ref(piece));
                if !self.fits(&whole, 2) {
                    self.continue_on_next();
                }
                return self.line.push_str(&whole);
            }
        };
        // An opening quote, one character (at most `'\''`), the closing quote, a blank and the backslash must fit.
        if !self.fits(r"''\'''", 2) {
            self.continue_on_next();
        }
        self.line.push('\'');
        for c in text.chars() {
            if c == '\n' {
                self.done.push(std::mem::take(&mut self.line));
                continue;
            }
            let shown = if c == '\'' { r"'\''".to_owned() } else { c.to_string() };
            if !self.fits(&shown, 3) {
                self.line.push('\'');
                self.continue_on_next();
                self.line.push('\'');
            }
            self.line.push_str(&shown);
        }
        self.line.push('\'');
    }
}

#[cfg(test)]
mod tests;
