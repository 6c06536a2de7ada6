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

#[test]
fn independent_mistakes_are_all_reported_at_once() {
    let report = load_file(&folder().join("several.yaml"), &options(&environment)).unwrap_err();
    let found: Vec<(usize, usize)> = report.diagnostics.iter().map(|d| (d.line, d.column)).collect();
    let sorted = {
        let mut sorted = found.clone();
        sorted.sort_unstable();
        sorted
    };
    assert_eq!(found, sorted, "in the order of the text");
    for part in [
        "the key `name` is there twice",
        "`NOT_SET` is not set",
        "`reed` is not one of",
        "`oauth2` is a kind of credentials",
        "`5 minutes` is not a duration",
        "unknown key `requsts`",
        "`money` is read",
        "there is no client `raeder`",
        "`{{acount}}` is not in `vars`",
        "the number 1.10 is sent as 1.1",
        "`rate_limit` is a family",
        "`data` is not a JSONPath",
        "two pagination checks called `a`",
        "there is no client `nobody`",
        "there is no rule `PAG-999`",
        "`soon` is not a day",
        "there is no rule `PAG-002`",
    ] {
        let times = report.diagnostics.iter().filter(|d| d.message.contains(part)).count();
        assert_eq!(times, 1, "{part}");
    }
    assert_eq!(found.len(), 17);
    assert_eq!(report.errors(), 15);
}

/// The families of the program itself, whose schemas are larger than those made for these tests.
#[test]
fn broken_suites_are_refused_whatever_the_families() {
    let real = crate::suite::Options { families: crate::families::FAMILIES, ..options(&environment) };
    for path in suites() {
        let report = load_file(&path, &real).expect_err("refused");
        assert!(report.errors() > 0, "{}", path.display());
    }
}

#[test]
fn shipped_suites_load_and_satisfy_the_schema() {
    let schema = schema(crate::families::FAMILIES);
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
    let validator = shape::validator(&schema).unwrap();
    let real = crate::suite::Options { families: crate::families::FAMILIES, ..options(&environment) };
    let mut loaded = 0;
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("suites")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "yaml") {
            continue;
        }
        let suite = load_file(&path, &real).unwrap_or_else(|report| panic!("{report}"));
        assert!(!suite.checks.is_empty(), "{}", path.display());
        let document = document(&fs::read_to_string(&path).unwrap()).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|e| format!("{} {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        loaded += 1;
    }
    assert!(loaded > 0);
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
