//! `extends`: merging, bounds, and files elsewhere.

use std::{fs, path::Path};

use super::{environment, options};
use crate::suite::{Report, Suite, load_file, load_text};

const BASE: &str = "
target: { base_url: 'http://127.0.0.1', headers: { A: base, B: base } }
clients:
  reader: { bearer: base-token }
  other: { bearer: other-token }
limits: { requests: 7, duration: 1s }
pagination:
  - { name: one, request: GET /base/one }
  - { name: two, request: GET /base/two }
setup: [{ client: reader, request: GET /base, capture: { id: $.id } }]
";
const OWN: &str = "
fincheck: 1
name: own
extends: shared/base.yaml
target: { headers: { B: own } }
clients: { reader: { basic: { username: u, password: p } } }
limits: { requests: 8 }
pagination:
  - { name: two, request: 'GET /own/{{id}}' }
  - { name: three, request: GET /own/three }
";

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn load(path: &Path) -> Result<Suite, Report> {
    load_file(path, &options(&environment))
}

#[test]
fn own_keys_win_and_checks_add_up() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("shared/base.yaml", BASE), ("own.yaml", OWN)]);
    let suite = load(&folder.path().join("own.yaml")).unwrap();
    assert_eq!(suite.target.headers.get("a"), Some("base"));
    assert_eq!(suite.target.headers.get("b"), Some("own"));
    assert_eq!(suite.limits.requests, 8);
    assert_eq!(suite.limits.duration.to_string(), "1s");
    assert_eq!(suite.checks.iter().map(|c| c.name()).collect::<Vec<_>>(), ["one", "two", "three"]);
    assert_eq!(suite.setup.len(), 1);
    // The credentials of a client are replaced, not mixed.
    assert_eq!(suite.secrets, ["dTpw", "other-token", "p", "u"]);
    assert_eq!(suite.included.len(), 1);
    assert_eq!(suite.included[0].file, "shared/base.yaml");
    assert_eq!(suite.included[0].text, BASE);
}

#[test]
fn a_mistake_in_the_base_is_shown_in_the_base() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("shared/base.yaml", &BASE.replace("requests", "request")), ("own.yaml", OWN)]);
    let report = load(&folder.path().join("own.yaml")).unwrap_err();
    let [only] = report.diagnostics.as_slice() else { panic!("{report}") };
    assert!(only.file.ends_with("shared/base.yaml"), "{report}");
    assert_eq!((only.line, only.column), (6, 11));
}

#[test]
fn a_variable_that_another_file_replaces_need_not_be_set() {
    let folder = tempfile::tempdir().unwrap();
    let base = BASE.replace("{ requests: 7, duration: 1s }", "\n  requests: ${UNSET}");
    write(folder.path(), &[("shared/base.yaml", &base), ("own.yaml", OWN)]);
    assert_eq!(load(&folder.path().join("own.yaml")).unwrap().limits.requests, 8);
}

#[test]
fn only_files_in_the_own_folder_or_below_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret.yaml");
    write(
        folder.path(),
        &[("secret.yaml", "hush: 1"), ("a/own.yaml", "fincheck: 1\nname: x\nextends: ../secret.yaml\n")],
    );
    write(folder.path(), &[("a/absolute.yaml", &format!("extends: {}\n", secret.display()))]);
    for name in ["own", "absolute"] {
        let report = load(&folder.path().join(format!("a/{name}.yaml"))).unwrap_err();
        assert!(report.to_string().contains("outside the suite's own folder"), "{report}");
        assert!(!report.to_string().contains("hush"), "{report}");
    }
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&secret, folder.path().join("a/link.yaml")).unwrap();
        write(folder.path(), &[("a/own.yaml", "extends: link.yaml\n")]);
        let report = load(&folder.path().join("a/own.yaml")).unwrap_err();
        assert!(report.to_string().contains("outside the suite's own folder"), "{report}");
    }
}

#[test]
fn circles_and_long_chains_end() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("a.yaml", "extends: b.yaml\n"), ("b.yaml", "extends: ./a.yaml\n")]);
    let report = load(&folder.path().join("a.yaml")).unwrap_err();
    assert!(report.to_string().contains("builds on this file itself"), "{report}");
    for index in 0..12 {
        write(folder.path(), &[(&format!("c{index}.yaml"), &format!("extends: c{}.yaml\n", index + 1))]);
    }
    let report = load(&folder.path().join("c0.yaml")).unwrap_err();
    assert!(report.to_string().contains("over 8 files build on each other"), "{report}");
}

#[test]
fn a_base_that_cannot_be_read_is_the_only_complaint() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("own.yaml", OWN)]);
    let report = load(&folder.path().join("own.yaml")).unwrap_err();
    let messages: Vec<&str> = report.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert!(messages[0].starts_with("there is no file `shared/base.yaml`"), "{report}");
    assert!(!messages.iter().any(|m| m.contains("missing")), "{report}");
    let report = load_text("-", OWN, &options(&environment)).unwrap_err();
    assert!(report.to_string().contains("a suite that is not a file cannot extend one"), "{report}");
}

#[test]
fn what_is_no_suite_file_says_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("latin"), b"name: caf\xe9\n").unwrap();
    fs::write(folder.path().join("large"), vec![b'#'; 5 << 20]).unwrap();
    for (name, message) in [
        ("", "this is a folder"),
        ("none", "no such file"),
        ("latin", "byte 9 (in line 1)"),
        ("large", "larger than 4 MiB"),
    ] {
        let report = load(&folder.path().join(name)).unwrap_err();
        assert_eq!(report.diagnostics.len(), 1);
        assert!(report.to_string().contains(message), "{report}");
    }
}
