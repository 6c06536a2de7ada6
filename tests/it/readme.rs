//! What the README shows works as written.

use std::{path::Path, process::Command};

use fincheck::{families::FAMILIES, suite};

fn readme() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap()
}

#[test]
fn the_suite_of_the_readme_is_valid() {
    let readme = readme();
    let text = readme.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let environment = |name: &str| match name {
        "HARBOR_URL" => Some("https://harbor.example".to_owned()),
        "HARBOR_TOKEN" => Some("a-token".to_owned()),
        _ => None,
    };
    let options =
        suite::Options { environment: &environment, env_file: &[], vars: &[], target: None, families: FAMILIES };
    let suite = suite::load_text("README.md", text, &options).unwrap_or_else(|r| panic!("{}", r.render(false, 100)));
    assert!(suite.warnings.is_empty());
    let names: Vec<&str> = suite.checks.iter().map(|check| check.name()).collect();
    assert!(names.contains(&"positions") && names.contains(&"unknown account"), "{names:?}");
}

#[test]
fn the_commands_of_the_readme_that_need_no_suite_run() {
    let readme = readme();
    let commands: Vec<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("    fincheck "))
        .map(|line| line.split('#').next().unwrap_or_default().trim())
        .filter(|line| line.starts_with("rules") || line.starts_with("explain"))
        .collect();
    assert_eq!(commands, ["rules", "explain PAG-006"]);
    for command in commands {
        let output = Command::new(env!("CARGO_BIN_EXE_fincheck")).args(command.split(' ')).output().unwrap();
        assert!(output.status.success() && !output.stdout.is_empty(), "fincheck {command}");
    }
    assert!(readme.contains("cargo run --release -- run --demo") && readme.contains("    cargo test\n"));
}
