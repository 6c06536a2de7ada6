//! `${NAME}` and `${NAME:-default}`: values from the environment.

use super::{
    diagnostic::{Complaints, crop},
    env_file::is_name,
    source::Files,
    yaml::{Kind, Node, resolve},
};

/// Where values come from.
pub(super) struct Environment<'a> {
    /// Looks a name up.
    pub(super) lookup: &'a dyn Fn(&str) -> Option<String>,
    /// Whether the value under a key of the root and a key below it is replaced anyway, and so not filled in.
    pub(super) replaced: &'a dyn Fn(&str, &str) -> bool,
}

/// Fills in every `${NAME}` of a suite; what comes into `clients` and `target.headers` is noted as secret.
pub(super) fn interpolate(
    root: &mut Node,
    environment: &Environment<'_>,
    files: &Files,
    secrets: &mut Vec<String>,
    complaints: &mut Complaints,
) {
    let Kind::Map(sections) = &mut root.kind else { return };
    let mut filler = Filler { environment, files, secrets, complaints };
    for section in sections {
        filler.key(&section.key, section.key_place);
        let name = section.key.as_str();
        match &mut section.value.kind {
            Kind::Map(parts) => {
                for part in parts {
                    filler.key(&part.key, part.key_place);
                    if !(environment.replaced)(name, &part.key) {
                        let kind = match (name, part.key.as_str()) {
                            ("clients", _) => Use::Credential,
                            ("target", "headers") => Use::Secret,
                            _ => Use::Open,
                        };
                        filler.walk(&mut part.value, kind);
                    }
                }
            }
            _ => filler.walk(&mut section.value, Use::Open),
        }
    }
}

/// What a value is used for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Open,
    /// Kept out of reports.
    Secret,
    /// Kept out of reports, and text whatever it looks like.
    Credential,
}

struct Filler<'a> {
    environment: &'a Environment<'a>,
    files: &'a Files,
    secrets: &'a mut Vec<String>,
    complaints: &'a mut Complaints,
}

impl Filler<'_> {
    fn walk(&mut self, node: &mut Node, used: Use) {
        match &mut node.kind {
            Kind::Text(text) if text.contains("${") => {
                let whole = text.starts_with("${") && text.find('}') == Some(text.len() - 1);
                let filled = self.fill(text, node.place, used);
                // Nothing between quotes that are not there is still text, not YAML's null.
                node.kind = if node.plain && whole && used != Use::Credential && !filled.is_empty() {
                    resolve(filled)
                } else {
                    Kind::Text(filled)
                };
            }
            Kind::List(items) => items.iter_mut().for_each(|item| self.walk(item, used)),
            Kind::Map(entries) => {
                for entry in entries {
                    self.key(&entry.key, entry.key_place);
                    self.walk(&mut entry.value, used);
                }
            }
            _ => {}
        }
    }

    fn key(&mut self, key: &str, place: super::source::Place) {
        if key.contains("${") && !key.contains("$${") {
            self.complaints.error(place, "`${...}` is filled in in values, not in keys").hole = true;
        }
    }

    fn fill(&mut self, text: &str, place: super::source::Place, used: Use) -> String {
        let (mut out, mut rest) = (String::with_capacity(text.len()), text);
        while let Some(at) = rest.find("${") {
            if rest[..at].ends_with('$') {
                out.push_str(&rest[..at - 1]);
                out.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            out.push_str(&rest[..at]);
            let Some(length) = rest[at..].find('}') else {
                let place = self.files.narrow(place, &rest[at..at + 2]);
                self.complaints
                    .error(place, "`${` without `}`")
                    .help("write `$${` for the characters themselves")
                    .hole = true;
                return out;
            };
            let reference = &rest[at..=at + length];
            rest = &rest[at + length + 1..];
            let (name, default) = match reference[2..length].split_once(":-") {
                Some((name, default)) => (name, Some(default)),
                None => (&reference[2..length], None),
            };
            let place = self.files.narrow(place, reference);
            if !is_name(name) {
                let message = format!("`{}` does not name an environment variable", crop(reference, 60));
                self.complaints.error(place, message).help("write `$${` for the characters themselves").hole = true;
                continue;
            }
            // As in a shell, `:-` also stands in for a variable that is set to nothing.
            let value = (self.environment.lookup)(name).filter(|value| default.is_none() || !value.is_empty());
            if let Some(value) = value.as_deref().or(default) {
                out.push_str(value);
                if used != Use::Open && !value.is_empty() {
                    self.secrets.push(value.to_owned());
                }
            } else {
                let message = format!("the environment variable `{}` is not set", crop(name, 60));
                let help = "set it, put it into an --env-file, or write a default: `${NAME:-default}`";
                self.complaints.error(place, message).help(help).hole = true;
            }
        }
        out.push_str(rest);
        out
    }
}
