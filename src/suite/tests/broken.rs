//! The folder of broken suites: what people get to read about each is kept beside it.
//!
//! `UPDATE_EXPECT=1 cargo test` writes the expected texts anew; review them as you would code.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{environment, options};
use crate::suite::{load_file, schema, sections, shape, source::Files, yaml};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/broken-suites")
}

fn suites() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    files.sort();
    files
}

#[test]
fn each_broken_suite_is_refused_with_the_expected_text() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    for path in suites() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let Err(report) = load_file(&path, &options(&environment)) else {
            wrong.push(format!("{name} is accepted"));
            continue;
        };
        let prefix = format!("{}/", folder().display());
        let shown = format!("{}\n", report.render(false, 140).replace(&prefix, ""));
        let expected = path.with_extension("expected");
        if update {
            fs::write(&expected, &shown).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != shown {
            wrong.push(format!("{name} is refused with another text:\n{shown}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_many_kinds_of_mistakes() {
    assert!(suites().len() >= 25, "{}", suites().len());
}

/// The document of a suite, as an editor would hold it against the schema.
fn document(text: &str) -> Option<Value> {
    let mut files = Files::default();
    let file = files.add("x", text);
    let root = yaml::compose(&files, file, &mut crate::suite::diagnostic::Complaints::default())?;
    Some(Value::Object(sections::document(&root)))
}

#[test]
fn the_schema_refuses_what_is_wrong_in_shape() {
    let schema = schema(super::families::FAMILIES);
    let validator = shape::validator(&schema).unwrap();
    let mut refused = 0;
    for path in suites() {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        // A file says in its first line whether its mistake is one of shape.
        if text.starts_with("# shape:") {
            let document = document(&text).unwrap();
            assert!(!validator.is_valid(&document), "{}", path.display());
            refused += 1;
        }
    }
    assert!(refused >= 10, "{refused}");
}
