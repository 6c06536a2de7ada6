//! From a file to a suite.

use std::path::{Path, PathBuf};

use aws_lc_rs::digest;
use data_encoding::HEXLOWER;
use serde_json::{Map, Value};

use super::{
    Report, Suite,
    diagnostic::{Complaints, crop},
    inherit::Assembly,
    interpolate::{Environment, interpolate},
    meaning::{Loaded, Meaning},
    sections::{self, Fault},
    shape::{self, Misfit},
    source::{Files, Place, read, too_large},
    yaml::{Kind, Node},
};
use crate::{
    families::{Family, Problem},
    wire::Credentials,
};

/// What a suite is loaded with.
pub struct Options<'a> {
    /// Looks up an environment variable.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Values of an environment file (see [`super::parse_env_file`]); the environment itself wins.
    pub env_file: &'a [(String, String)],
    /// Values that replace or add to the suite's `vars`.
    pub vars: &'a [(String, String)],
    /// Replaces the suite's `target.base_url`.
    pub target: Option<&'a str>,
    /// The families whose checks can be loaded.
    pub families: &'static [Family],
}

/// Loads a suite from a file; `extends` may name files in its folder and below.
pub fn load_file(path: &Path, options: &Options<'_>) -> Result<Suite, Report> {
    let label = path.display().to_string();
    match read(path) {
        Ok(text) => {
            let file = path.canonicalize().ok();
            load(&label, &text, file, options)
        }
        Err(message) => Err(refused(&label, message)),
    }
}

/// Loads a suite from a text; it cannot use `extends`.
pub fn load_text(label: &str, text: &str, options: &Options<'_>) -> Result<Suite, Report> {
    if too_large(text) {
        return Err(refused(label, "the text is larger than 4 MiB".into()));
    }
    load(label, text, None, options)
}

/// A report on a file of which nothing can be shown.
fn refused(label: &str, message: String) -> Report {
    let mut files = Files::default();
    let file = files.add(label, "");
    let mut complaints = Complaints::default();
    complaints.error(Place::new(file, 0, 0), message);
    report(&files, complaints)
}

fn load(label: &str, text: &str, path: Option<PathBuf>, options: &Options<'_>) -> Result<Suite, Report> {
    let (mut files, mut complaints) = (Files::default(), Complaints::default());
    let (mut secrets, mut included) = (Vec::new(), Vec::new());
    let file = files.add(label, text.strip_prefix('\u{feff}').unwrap_or(text));
    let lookup = |name: &str| {
        let from_file =
            || options.env_file.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        (options.environment)(name).or_else(from_file)
    };
    let replaced = |section: &str, key: &str| match section {
        "target" => key == "base_url" && options.target.is_some(),
        "vars" => options.vars.iter().any(|(known, _)| known == key),
        _ => false,
    };
    let mut assembly = Assembly {
        files: &mut files,
        complaints: &mut complaints,
        included: &mut included,
        families: options.families,
        root: path.as_ref().and_then(|path| path.parent()).map(Path::to_owned),
        chain: path.into_iter().collect(),
        incomplete: false,
    };
    let root = assembly.suite(file);
    let incomplete = assembly.incomplete;
    let Some(mut root) = root else { return Err(report(&files, complaints)) };
    // Only now: a variable that is asked for by a part that another file replaces need not be set.
    let environment = Environment { lookup: &lookup, replaced: &replaced };
    interpolate(&mut root, &environment, &files, &mut secrets, &mut complaints);
    override_values(&mut root, options, &mut files);
    if too_many(&root, &mut complaints) {
        return Err(report(&files, complaints));
    }

    let document = sections::document(&root);
    let sections = sections::read(&document, options.families);
    let faults: Vec<Fault> =
        sections.faults.iter().map(|f| Fault { at: f.at.clone(), message: f.message.clone() }).collect();
    let meaning = Meaning { root: &root, document: &document, files: &files, options };
    let loaded = if incomplete {
        // Names and keys may be in what could not be read: only what is there is judged.
        let mut unheard = Complaints::default();
        Loaded { problems: Vec::new(), ..meaning.check(sections, &mut unheard) }
    } else {
        meaning.check(sections, &mut complaints)
    };
    if !faults.is_empty() || !loaded.problems.is_empty() {
        let shape = Shape { root: &root, files: &files, faults: &faults, problems: &loaded.problems, incomplete };
        shape.report(document, options, &mut complaints);
    }
    if complaints.any_errors() {
        return Err(report(&files, complaints));
    }
    let Some(mut suite) = loaded.suite else {
        complaints.error(root.place.start(), "the suite cannot be understood");
        return Err(report(&files, complaints));
    };
    credentials(root.get("clients"), &mut secrets);
    // Also in the forms they are sent in, such as the base64 of `basic`.
    secrets.extend(suite.clients.values().flat_map(Credentials::secrets));
    secrets.retain(|secret| !secret.is_empty());
    secrets.sort_unstable();
    secrets.dedup();
    label.clone_into(&mut suite.file);
    suite.sha256 = sha256(text);
    text.clone_into(&mut suite.text);
    suite.included = included;
    suite.secrets = secrets;
    suite.warnings = report(&files, complaints).diagnostics;
    Ok(*suite)
}

/// Complains if a part is larger than any suite's, so that what follows may compare everything with everything.
fn too_many(root: &Node, complaints: &mut Complaints) -> bool {
    let mut too_many = false;
    let mut bound = |place: Place, what: &str, count: usize, most: usize| {
        if count > most {
            complaints.error(place, format!("{what} holds {count} entries; at most {most} are accepted"));
            too_many = true;
        }
    };
    bound(root.place.start(), "the suite", root.entries().len(), 200);
    for entry in root.entries().iter().take(200) {
        let most = if matches!(entry.key.as_str(), "clients" | "vars" | "severity") { 1_000 } else { 10_000 };
        bound(entry.key_place, &format!("`{}`", crop(&entry.key, 60)), entry.value.len(), most);
    }
    too_many
}

/// Puts `--target` and `--var` in the place of what the suite says.
fn override_values(root: &mut Node, options: &Options<'_>, files: &mut Files) {
    let mut put = |section: &str, key: &str, value: &str, label: String| {
        let file = files.add(label, value);
        let place = Place::new(file, 0, value.len());
        root.put(section, key, Node { place, kind: Kind::Text(value.to_owned()), plain: false });
    };
    if let Some(target) = options.target {
        put("target", "base_url", target, "--target".into());
    }
    for (name, value) in options.vars {
        put("vars", name, value, format!("--var {name}"));
    }
}

/// What is known of a suite when its shape is looked at.
struct Shape<'a> {
    root: &'a Node,
    files: &'a Files,
    faults: &'a [Fault],
    problems: &'a [(String, Problem)],
    incomplete: bool,
}

impl Shape<'_> {
    /// Adds every mistake of shape, and the problems of checks whose shape is right.
    fn report(&self, document: Map<String, Value>, options: &Options<'_>, complaints: &mut Complaints) {
        let schema = super::schema(options.families);
        let misfits = shape::misfits(&schema, &Value::Object(document)).unwrap_or_else(|message| {
            complaints.error(self.root.place.start(), format!("the schema of the format is broken: {message}"));
            Vec::new()
        });
        let under =
            |at: &str, unit: &str| at.strip_prefix(unit).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        for fault in self.faults {
            // What serde says is a poorer copy of what the schema says, if the schema says it.
            let told = misfits.iter().any(|m| under(&m.at, &fault.at) || under(&fault.at, &m.at));
            if !told && !fault.message.is_empty() {
                complaints.error(self.root.locate(&fault.at).node.place, fault.message.clone());
            }
        }
        for misfit in misfits.iter().filter(|misfit| !(self.incomplete && misfit.missing)) {
            let message = misfit.message.clone();
            complaints.error(self.place(misfit), message).help_if(misfit.help.as_deref());
        }
        for (item, problem) in self.problems {
            if !misfits.iter().any(|misfit| under(&misfit.at, item)) {
                let place = self.root.locate(&format!("{item}{}", problem.at)).node.place;
                let place = self.files.narrow_to_quoted(place, &problem.message);
                complaints.error(place, problem.message.clone()).help_if(problem.help.as_deref());
            }
        }
    }

    fn place(&self, misfit: &Misfit) -> Place {
        let located = self.root.locate(&misfit.at);
        match (misfit.key, located.key) {
            (true, _) if misfit.at.is_empty() => located.node.place.start(),
            (true, Some(key)) => key,
            // Nothing is written where a value is missing: the key says more.
            _ if matches!(located.node.kind, Kind::Null) => located.key.unwrap_or(located.node.place),
            _ => located.node.place,
        }
    }
}

/// Every scalar below `clients`.
fn credentials(node: Option<&Node>, secrets: &mut Vec<String>) {
    let Some(node) = node else { return };
    match &node.kind {
        Kind::List(items) => items.iter().for_each(|item| credentials(Some(item), secrets)),
        Kind::Map(entries) => entries.iter().for_each(|entry| credentials(Some(&entry.value), secrets)),
        _ => secrets.extend(node.scalar().filter(|text| !text.is_empty()).map(str::to_owned)),
    }
}

fn report(files: &Files, complaints: Complaints) -> Report {
    Report { diagnostics: complaints.sorted(files).into_iter().map(|complaint| files.diagnose(complaint)).collect() }
}

/// SHA-256 in lower-case hexadecimal.
pub(super) fn sha256(text: &str) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
}
