//! What editors, shells and readers get.

use fincheck::{
    families,
    reference::{DEFECTS, VARIANTS},
};
use serde_json::Value;

use super::REFERENCE;
use crate::support::Program;

#[test]
fn the_schema_accepts_good_suites_and_refuses_bad_ones() {
    let ended = Program::with(&["schema"]).ended();
    ended.exits(0).complains_of_nothing();
    let schema: Value = serde_json::from_str(&ended.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let suite: Value = serde_yaml::from_str(REFERENCE).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&suite).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    for broken in [
        REFERENCE.replace("pagination:", "paginating:"),
        REFERENCE.replace("rows: $.data", "rows: 7"),
        REFERENCE.replace("fincheck: 1", "fincheck: one"),
        REFERENCE.replace("permits: [read,", "permits: [reed,"),
    ] {
        assert_ne!(broken, REFERENCE);
        let suite: Value = serde_yaml::from_str(&broken).unwrap();
        assert!(!validator.is_valid(&suite), "{broken}");
    }
}

#[test]
fn completions_and_the_manual_know_every_command() {
    let commands = ["run", "plan", "lint", "rules", "explain", "serve", "schema", "completions", "man"];
    for shell in ["bash", "zsh", "fish"] {
        let ended = Program::with(&["completions", shell]).ended();
        ended.exits(0).complains_of_nothing();
        for command in commands {
            assert!(ended.stdout.contains(command), "{shell} does not know {command}");
        }
    }
    Program::with(&["completions", "cobol"]).ended().exits(2).complains("invalid value 'cobol'");
    let manual = Program::with(&["man"]).ended();
    manual.exits(0).complains_of_nothing();
    assert!(manual.stdout.contains(".TH fincheck 1"), "{}", manual.told());
    for command in commands {
        assert!(manual.stdout.contains(&format!("fincheck\\-{command}(1)")), "the manual lacks {command}");
    }
}

#[test]
fn every_rule_is_explained_and_unknown_ones_are_not() {
    let explained = Program::with(&["explain", "pag-006"]).ended();
    explained.exits(0).prints("PAG-006").prints("Must happen").prints("Remedy").prints("--defect pagination.");
    let unknown = Program::with(&["explain", "PAG-999"]).ended();
    unknown.exits(2).prints_nothing().complains("there is no rule `PAG-999`; did you mean PAG-");
    for judged in families::rules() {
        let explained = Program::with(&["explain", judged.rule.id]).env("COLUMNS", "80").ended();
        explained.exits(0).prints(judged.rule.id);
        assert!(explained.stdout.lines().all(|line| line.chars().count() <= 80), "{}", explained.told());
    }
}

#[test]
fn the_catalogue_comes_in_every_format() {
    let ids: Vec<&str> = families::rules().map(|judged| judged.rule.id).collect();
    for format in ["table", "json", "markdown"] {
        let ended = Program::with(&["rules", "--format", format]).ended();
        ended.exits(0).complains_of_nothing();
        assert!(ids.iter().all(|id| ended.stdout.contains(id)), "{}", ended.told());
    }
    let ended = Program::with(&["rules", "--format", "json", "--family", "pagination"]).ended();
    let rules: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
    assert!(rules.iter().all(|rule| rule["family"] == "pagination") && !rules.is_empty());
    Program::with(&["rules", "--family", "astrology"]).ended().exits(2);
}

#[test]
fn defects_and_variants_are_listed() {
    let defects = Program::with(&["serve", "--list-defects"]).ended();
    defects.exits(0).complains_of_nothing();
    let listed: Vec<&str> = defects.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed, DEFECTS.iter().map(|defect| defect.name).collect::<Vec<_>>());
    let variants = Program::with(&["serve", "--list-variants"]).ended();
    let listed: Vec<&str> = variants.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(listed, VARIANTS.iter().map(|variant| variant.name).collect::<Vec<_>>());
}

#[test]
fn the_limits_of_the_reference_api_must_be_of_use() {
    for (option, value) in [("--limit-window", "0ms"), ("--limit-window", "25h"), ("--limit-quota", "0")] {
        let ended = Program::with(&["serve", "--list-defects", option, value]).ended();
        ended.exits(2).prints_nothing().complains(option);
    }
    Program::with(&["serve", "--list-defects", "--limit-window", "1ms", "--limit-quota", "1"]).ended().exits(0);
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [&["--help"][..], &["run", "--help"], &["help", "plan"]] {
        Program::with(arguments).ended().exits(0).prints("Usage: fincheck").complains_of_nothing();
    }
    Program::with(&["--version"]).ended().exits(0).prints(concat!("fincheck ", env!("CARGO_PKG_VERSION")));
    Program::with(&[]).ended().exits(2).complains("Usage: fincheck");
}
