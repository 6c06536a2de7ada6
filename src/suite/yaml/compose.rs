//! Events of the YAML parser to a tree.

use std::collections::HashMap;

use serde_yaml::granit_parser::{self as parser, Event, Parser, ScalarStyle, ScanError};

use super::{Entry, Kind, Node, scalar::resolve};
use crate::suite::{
    diagnostic::{Complaints, crop},
    source::{Files, Place},
};

/// Deepest nesting accepted.
const DEEPEST: usize = 64;
/// The most values accepted, copies made for anchors and aliases included.
const MOST_NODES: usize = 500_000;

/// The tree of one file; none if the text is not YAML that a suite may be written in.
pub(in crate::suite) fn compose(files: &Files, file: u16, complaints: &mut Complaints) -> Option<Node> {
    let text = files.text(file);
    if let Some((at, c)) = text.char_indices().find(|(_, c)| is_forbidden(*c)) {
        let place = Place::new(file, at, at + c.len_utf8());
        complaints.error(place, format!("the control character U+{:04X} is not allowed in YAML", u32::from(c)));
        return None;
    }
    let options = parser::options! { flow_nesting_limit: DEEPEST, block_nesting_limit: DEEPEST };
    let mut composer = Composer {
        files,
        file,
        complaints,
        stack: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
        documents: 0,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let step = match event {
            Ok((event, span)) => {
                let range = span.byte_range().unwrap_or_default();
                let tag = span.tag_span().and_then(|tag| tag.byte_range());
                let place = Place::new(file, range.start, range.end);
                composer.event(event, place, tag.map_or(place, |tag| Place::new(file, tag.start, tag.end)))
            }
            Err(error) => {
                composer.broken(&error);
                Err(Stop)
            }
        };
        if step.is_err() {
            return None;
        }
    }
    if composer.root.is_none() {
        let only = if text.trim().is_empty() { "the file is empty" } else { "the file holds nothing but comments" };
        composer.complaints.error(Place::new(file, 0, 0), only).help(BEGIN);
    }
    composer.root
}

/// How to begin a suite.
pub(in crate::suite) const BEGIN: &str = "begin with `fincheck: 1`, or let `fincheck init` write a suite";

fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}')
}

/// Reading cannot go on; the reason is among the complaints.
struct Stop;

struct Composer<'a> {
    files: &'a Files,
    file: u16,
    complaints: &'a mut Complaints,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Measured>,
    nodes: usize,
    root: Option<Node>,
    documents: usize,
}

/// A node with the number of nodes in it and how deep they go.
#[derive(Clone)]
struct Measured {
    node: Node,
    size: usize,
    depth: usize,
}

/// A list or mapping that is being read.
struct Frame {
    place: Place,
    anchor: usize,
    size: usize,
    depth: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Key, merged: Vec<Node> },
}

enum Key {
    Awaited,
    Named(String, Place),
    Merge,
    /// What stood there cannot be a key; its value is dropped.
    Refused,
}

impl Composer<'_> {
    fn event(&mut self, event: Event<'_>, place: Place, tag_place: Place) -> Result<(), Stop> {
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.complaints
                        .error(place, "a second YAML document begins here; a suite is one document")
                        .help("remove the `---`, or put the second suite into a file of its own");
                    return Err(Stop);
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let text = text.into_owned();
                if self.take_key(&text, plain, place) {
                    return self.spend(1, place);
                }
                let is_text = tag.as_ref().is_some_and(|tag| tag.is_yaml_core_schema_tag("str"));
                if tag.is_some() && !is_text {
                    self.refuse_tag(tag_place);
                }
                let kind = if plain && !is_text { resolve(text) } else { Kind::Text(text) };
                let node = Node { place, kind, plain: plain && !is_text };
                return self.put(Measured { node, size: 1, depth: 0 }, anchor);
            }
            Event::SequenceStart(_, anchor, tag) => {
                if tag.is_some() {
                    self.refuse_tag(tag_place);
                }
                return self.open(place, anchor, Content::List(Vec::new()));
            }
            Event::MappingStart(_, anchor, tag) => {
                let content = Content::Map { entries: Vec::new(), key: Key::Awaited, merged: Vec::new() };
                if tag.is_some() {
                    self.refuse_tag(tag_place);
                }
                return self.open(place, anchor, content);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.close(place),
            Event::Alias(anchor) => {
                let Some(known) = self.anchors.get(&anchor).cloned() else {
                    self.complaints.error(place, "an alias stands inside what it refers to");
                    return Err(Stop);
                };
                if self.stack.len() + known.depth > DEEPEST {
                    return self.too_deep(place);
                }
                if let Some(text) = known.node.scalar().map(str::to_owned)
                    && self.take_key(&text, false, place)
                {
                    return self.spend(1, place);
                }
                return self.put(known, 0);
            }
            _ => {}
        }
        Ok(())
    }

    fn open(&mut self, place: Place, anchor: usize, content: Content) -> Result<(), Stop> {
        if self.stack.len() >= DEEPEST {
            return self.too_deep(place);
        }
        self.stack.push(Frame { place, anchor, size: 1, depth: 0, content });
        self.spend(1, place)
    }

    fn close(&mut self, end: Place) -> Result<(), Stop> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let place = Place::new(self.file, frame.place.start as usize, end.end as usize);
        let kind = match frame.content {
            Content::List(items) => Kind::List(items),
            Content::Map { entries, merged, .. } => Kind::Map(self.finish_map(entries, merged)),
        };
        let node = Node { place, kind, plain: false };
        // Its own nodes have been counted one by one, so only the copy for an anchor is counted again.
        self.nodes = self.nodes.saturating_sub(frame.size);
        self.put(Measured { node, size: frame.size, depth: frame.depth + 1 }, frame.anchor)
    }

    /// Hangs a finished node where it belongs.
    fn put(&mut self, measured: Measured, anchor: usize) -> Result<(), Stop> {
        let Measured { node, size, depth } = measured;
        self.spend(size, node.place)?;
        if anchor != 0 {
            self.spend(size, node.place)?;
            self.anchors.insert(anchor, Measured { node: node.clone(), size, depth });
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.size += size;
        frame.depth = frame.depth.max(depth);
        match &mut frame.content {
            Content::List(items) => items.push(node),
            Content::Map { entries, key, merged } => match std::mem::replace(key, Key::Awaited) {
                Key::Named(name, key_place) => entries.push(Entry { key: name, key_place, value: node }),
                Key::Merge => merged.push(node),
                Key::Refused => {}
                Key::Awaited => {
                    // A list or a mapping stands where a key is due; what follows is its value.
                    *key = Key::Refused;
                    self.bad_key(node.place);
                }
            },
        }
        Ok(())
    }

    /// Takes a scalar as a key where one is due.
    fn take_key(&mut self, text: &str, plain: bool, place: Place) -> bool {
        let Some(Frame { content: Content::Map { key: key @ Key::Awaited, .. }, .. }) = self.stack.last_mut() else {
            return false;
        };
        *key = if plain && text == "<<" { Key::Merge } else { Key::Named(text.to_owned(), place) };
        true
    }

    /// Reports repeated keys and adds what merge keys (`<<`) bring; the mapping's own keys win.
    fn finish_map(&mut self, entries: Vec<Entry>, merged: Vec<Node>) -> Vec<Entry> {
        let mut seen: HashMap<String, Place> = HashMap::with_capacity(entries.len());
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            if let Some(first) = seen.get(&entry.key) {
                let message = format!("the key `{}` is there twice", crop(&entry.key, 60));
                self.complaints.error(entry.key_place, message).see(*first, "it is already here");
            } else {
                seen.insert(entry.key.clone(), entry.key_place);
                kept.push(entry);
            }
        }
        for source in merged {
            let sources = match source.kind {
                Kind::List(items) => items,
                _ => vec![source],
            };
            for source in sources {
                let Kind::Map(entries) = source.kind else {
                    self.complaints.error(source.place, "`<<` takes a mapping or a list of mappings");
                    continue;
                };
                for entry in entries {
                    if seen.insert(entry.key.clone(), entry.key_place).is_none() {
                        kept.push(entry);
                    }
                }
            }
        }
        kept
    }

    fn spend(&mut self, nodes: usize, place: Place) -> Result<(), Stop> {
        self.nodes += nodes;
        if self.nodes > MOST_NODES {
            let message = format!("over {MOST_NODES} values, counting what aliases repeat; a suite is smaller");
            self.complaints.error(place.start(), message);
            return Err(Stop);
        }
        Ok(())
    }

    fn too_deep(&mut self, place: Place) -> Result<(), Stop> {
        self.complaints.error(place.start(), format!("nested over {DEEPEST} deep"));
        Err(Stop)
    }

    fn refuse_tag(&mut self, place: Place) {
        self.complaints.error(place, "a suite uses no YAML tags other than `!!str`");
    }

    fn bad_key(&mut self, place: Place) {
        let templates = has_bare_braces(self.files.line(place).0);
        self.complaints.error(place, "a key is text, not a list or a mapping").help_if(templates.then_some(QUOTE));
    }

    fn broken(&mut self, error: &ScanError) {
        let at = error.marker().byte_offset().unwrap_or(0);
        let place = Place::new(self.file, at, at + 1);
        if matches!(error.kind(), parser::ErrorKind::RecursionLimitExceeded) {
            let _ = self.too_deep(place);
            return;
        }
        let (line, line_place) = self.files.line(place);
        let before = self.files.line(Place::new(self.file, (line_place.start as usize).saturating_sub(1), 0)).0;
        let indent = &line[..line.len() - line.trim_start().len()];
        let help = if [line, before].into_iter().any(has_bare_braces) {
            Some(QUOTE)
        } else if indent.contains('\t') {
            Some("indent with spaces; YAML does not allow tabs there")
        } else if matches!(error.kind(), parser::ErrorKind::MappingValueNotAllowed) {
            Some("check the indentation, and put quotes around text that holds `: `")
        } else {
            None
        };
        self.complaints.error(place, format!("this is not YAML: {}", error.kind())).help_if(help);
    }
}

const QUOTE: &str = "put quotes around text with `${...}` or `{{...}}`: an unquoted brace begins a YAML mapping";

/// Whether `${` or `{{` stands outside quotes in a line.
fn has_bare_braces(line: &str) -> bool {
    let mut quote = None;
    let mut last = ' ';
    for c in line.chars() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '#') if last.is_whitespace() => return false,
            (None, '{') if matches!(last, '$' | '{') => return true,
            _ => {}
        }
        last = c;
    }
    false
}
