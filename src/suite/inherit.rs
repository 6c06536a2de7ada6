//! `extends` and `preset`: what a suite builds on, merged underneath it.
//!
//! Mappings merge key by key and the suite's own keys win. Three things are not mixed but replaced as a whole: the
//! credentials of one client, a JSON Schema, and any list. Lists of checks are the exception: the base's checks come
//! first, and an own check takes the place of the base's check of the same name.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use super::{
    diagnostic::{Complaints, nearest},
    model::Included,
    preset::PRESETS,
    source::{Files, Place, read},
    yaml::{BEGIN, Entry, Kind, Node, compose},
};
use crate::families::Family;

/// The longest chain of files that build on each other.
const LONGEST_CHAIN: usize = 8;

/// Reads a suite with all it builds on.
pub(super) struct Assembly<'a> {
    pub(super) files: &'a mut Files,
    pub(super) complaints: &'a mut Complaints,
    pub(super) included: &'a mut Vec<Included>,
    pub(super) families: &'static [Family],
    /// The suite's own folder, without symbolic links; none if the suite is not a file.
    pub(super) root: Option<PathBuf>,
    /// The files being read, without symbolic links: the suite first.
    pub(super) chain: Vec<PathBuf>,
    /// Whether something that the suite builds on could not be read, so that a missing key says nothing.
    pub(super) incomplete: bool,
}

impl Assembly<'_> {
    /// The tree of a file that was added, with all it builds on.
    pub(super) fn suite(&mut self, file: u16) -> Option<Node> {
        let own = self.file(file)?;
        let Some(entry) = own.entry("preset") else { return Some(own) };
        let Some(name) = entry.value.text() else { return Some(own) };
        let Some(preset) = PRESETS.iter().find(|preset| preset.name == name) else {
            let help = nearest(name, PRESETS.iter().map(|preset| preset.name));
            self.complaints.error(entry.value.place, format!("there is no preset `{name}`")).help(help);
            return Some(own);
        };
        let file = self.files.add(format!("preset {name}"), preset.text);
        Some(match compose(self.files, file, self.complaints) {
            Some(base) => self.merge(base, own),
            None => own,
        })
    }

    fn file(&mut self, file: u16) -> Option<Node> {
        let own = compose(self.files, file, self.complaints)?;
        if !matches!(own.kind, Kind::Map(_)) {
            let message = if matches!(own.kind, Kind::Null) {
                "the file is empty"
            } else {
                "a suite is a mapping: lines of `key: value`"
            };
            self.complaints.error(own.place, message).help(BEGIN);
            return None;
        }
        hide(own.get("clients"), self.files);
        let Some(entry) = own.entry("extends") else { return Some(own) };
        let Some(name) = entry.value.text() else { return Some(own) };
        let base = match self.open(file, name) {
            Ok((path, base)) => {
                self.chain.push(path);
                let base = self.file(base);
                self.chain.pop();
                base
            }
            Err(message) => {
                self.complaints.error(entry.value.place, message);
                None
            }
        };
        let Some(base) = base else {
            self.incomplete = true;
            return Some(own);
        };
        Some(self.merge(base, own))
    }

    /// Finds and reads a file to build on.
    fn open(&mut self, from: u16, name: &str) -> Result<(PathBuf, u16), String> {
        let Some(root) = &self.root else { return Err("a suite that is not a file cannot extend one".into()) };
        if self.chain.len() >= LONGEST_CHAIN {
            return Err(format!("over {LONGEST_CHAIN} files build on each other"));
        }
        let folder = self.chain.last().and_then(|path| path.parent()).unwrap_or(root);
        let path = folder
            .join(name)
            .canonicalize()
            .map_err(|_| format!("there is no file `{name}` beside {}", self.files.label(from)))?;
        if !path.starts_with(root) {
            return Err(format!("`{name}` is outside the suite's own folder"));
        }
        if self.chain.contains(&path) {
            return Err(format!("`{name}` builds on this file itself"));
        }
        let text = read(&path)?;
        let label = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let sha256 = super::load::sha256(&text);
        self.included.push(Included { file: label.clone(), sha256, text: text.clone() });
        let shown = Path::new(self.files.label(0)).with_file_name("").join(&label).display().to_string();
        Ok((path, self.files.add(shown, text.trim_start_matches('\u{feff}'))))
    }

    fn merge(&self, base: Node, own: Node) -> Node {
        merge(base, own, &mut Vec::new(), &|path| self.families.iter().any(|f| path == [f.name]))
    }
}

/// Keeps credentials that a suite spells out from being shown with its mistakes.
fn hide(node: Option<&Node>, files: &mut Files) {
    let Some(node) = node else { return };
    for inner in node.items().iter().chain(node.entries().iter().map(|entry| &entry.value)) {
        hide(Some(inner), files);
    }
    if node.scalar().is_some_and(|text| !text.contains("${")) {
        files.hide(node.place);
    }
}

/// One tree over another.
fn merge(base: Node, own: Node, path: &mut Vec<String>, is_checks: &dyn Fn(&[&str]) -> bool) -> Node {
    let place = own.place;
    let keys: Vec<&str> = path.iter().map(String::as_str).collect();
    let whole = matches!(keys.as_slice(), ["clients", _] | [.., "schema"]);
    match (base.kind, own.kind) {
        (Kind::Map(mut below), Kind::Map(above)) if !whole => {
            let index: HashMap<String, usize> = below.iter().enumerate().map(|(i, e)| (e.key.clone(), i)).collect();
            for entry in above {
                match index.get(&entry.key) {
                    Some(&known) => {
                        let known = &mut below[known];
                        let under = std::mem::replace(&mut known.value, nothing(place));
                        path.push(entry.key.clone());
                        let value = merge(under, entry.value, path, is_checks);
                        path.pop();
                        *known = Entry { value, ..entry };
                    }
                    None => below.push(entry),
                }
            }
            Node { place, kind: Kind::Map(below), plain: false }
        }
        (Kind::List(mut below), Kind::List(above)) if is_checks(&keys) => {
            let name = |check: &Node| check.get("name").and_then(Node::text).map(str::to_owned);
            let index: HashMap<String, usize> =
                below.iter().enumerate().filter_map(|(i, check)| Some((name(check)?, i))).collect();
            for check in above {
                match name(&check).and_then(|name| index.get(&name)) {
                    Some(&known) => below[known] = check,
                    None => below.push(check),
                }
            }
            Node { place, kind: Kind::List(below), plain: false }
        }
        (_, kind) => Node { place, kind, plain: own.plain },
    }
}

fn nothing(place: Place) -> Node {
    Node { place, kind: Kind::Null, plain: false }
}
