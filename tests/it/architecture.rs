//! Imports point one way: the arrows that `src/lib.rs` draws, and the purity of rules.
//!
//! A scan of the source text: every path that begins at the crate's root, in `use` and elsewhere. Code that is compiled
//! for tests only is left out.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use regex::Regex;

/// What each part may import besides itself; `crate` stands for everything.
const ARROWS: &[(&str, &[&str])] = &[
    ("exchange", &[]),
    ("rule", &["exchange::ExchangeId"]),
    ("json", &["notation"]),
    ("notation", &["json"]),
    ("record", &["exchange", "rule"]),
    ("families", &["exchange", "rule", "json", "notation", "record"]),
    ("wire", &["exchange", "rule", "json", "notation", "record"]),
    ("suite", &["families", "wire", "exchange", "rule", "json", "notation", "record"]),
    ("plan", &["suite", "families", "wire", "exchange", "rule", "json", "notation", "record"]),
    ("run", &["plan", "suite", "families", "wire", "exchange", "rule", "json", "notation", "record"]),
    ("score", &["record", "rule", "exchange"]),
    ("report", &["score", "record", "rule", "exchange"]),
    ("reference", &[]),
    ("cli", &["crate"]),
    ("main", &["crate"]),
    ("lib", &["crate"]),
];

/// What a rule must not know, for its judgement must be the same years later on another machine.
const IMPURE: &str = r"\basync\s+(fn|move|\{)|\b(await|tokio|reqwest|Instant|SystemTime|rand|now|futures_util|std::(fs|net|env|io|thread|process))\b";

/// A file of ours: its modules from the root, and its text without comments and tests.
struct Source {
    name: String,
    modules: Vec<String>,
    text: String,
}

impl Source {
    fn new(path: &Path, text: &str) -> Self {
        let mut modules: Vec<String> =
            path.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if modules.last().is_some_and(|last| last == "mod") {
            modules.pop();
        }
        Self { name: path.display().to_string(), modules, text: without_tests(&without_comments(text)) }
    }

    /// Every path from the crate's root: `exchange::ExchangeId`.
    fn imports(&self) -> BTreeSet<String> {
        let start = Regex::new(r"\b(crate|super(?:::super)*)::").unwrap();
        let mut found = BTreeSet::new();
        for begin in start.captures_iter(&self.text) {
            let whole = begin.get(0).unwrap();
            let base = match &begin[1] {
                "crate" => &[][..],
                supers => {
                    // Inside an inline module this is one level too high, never too low: ours are for tests only.
                    let levels = supers.matches("super").count();
                    &self.modules[..self.modules.len().saturating_sub(levels)]
                }
            };
            let mut scan = Scan { rest: &self.text[whole.end()..], paths: Vec::new() };
            scan.tree(&base.join("::"));
            found.extend(scan.paths);
        }
        found
    }

    /// What it does that the arrows do not allow.
    fn breaches(&self) -> Vec<String> {
        let Self { name, modules, .. } = self;
        let own = modules[0].as_str();
        let Some((_, allowed)) = ARROWS.iter().find(|(part, _)| *part == own) else {
            return vec![format!("{name}: `{own}` has no place among the arrows")];
        };
        let reaches = |path: &str, part: &str| {
            part == "crate" && !path.starts_with("reference::")
                || path == part
                || path.strip_prefix(part).is_some_and(|rest| rest.starts_with("::"))
        };
        let mut breaches = Vec::new();
        for path in self.imports() {
            let may = reaches(&path, own)
                || allowed.iter().any(|part| reaches(&path, part))
                || own == "cli" && reaches(&path, "reference");
            if !may {
                breaches.push(format!("{name}: {own} -> {path}"));
            }
        }
        if own == "families" && modules.get(2).is_some_and(|part| part.starts_with("rules")) {
            let impure = Regex::new(IMPURE).unwrap();
            let probes = format!("families::{}::probe", modules[1]);
            breaches.extend(impure.find_iter(&self.text).map(|found| format!("{name}: a rule -> {}", found.as_str())));
            breaches.extend(
                self.imports().iter().filter(|p| reaches(p, &probes)).map(|p| format!("{name}: a rule -> {p}")),
            );
        }
        breaches
    }
}

/// Reads the tree of paths that follows `crate::`.
struct Scan<'t> {
    rest: &'t str,
    paths: Vec<String>,
}

impl Scan<'_> {
    fn tree(&mut self, before: &str) {
        let joined = |name: &str| if before.is_empty() { name.to_owned() } else { format!("{before}::{name}") };
        if self.takes("{") {
            while !self.takes("}") && !self.rest.is_empty() {
                self.tree(before);
                if self.takes("as ") {
                    self.name();
                }
                if !self.takes(",") && !self.rest.starts_with('}') {
                    // Not a list of paths after all.
                    return;
                }
            }
        } else if self.takes("*") {
            self.paths.push(joined("*"));
        } else {
            let path = joined(&self.name());
            if self.rest.starts_with("::") && !self.rest.starts_with("::<") {
                self.takes("::");
                self.tree(&path);
            } else {
                self.paths.push(path);
            }
        }
    }

    fn name(&mut self) -> String {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name.to_owned()
    }

    /// Whether this comes next, white space around it aside.
    fn takes(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.trim_start().strip_prefix(text) else { return false };
        self.rest = rest.trim_start();
        true
    }
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The text up to the module of its unit tests, which is the last thing in a file.
fn without_tests(text: &str) -> String {
    let inline = Regex::new(r"(?m)^#\[cfg\(test\)\]\s*mod \w+ \{").unwrap();
    inline.find(text).map_or(text, |found| &text[..found.start()]).to_owned()
}

/// The files under a folder, without those that a `mod` marked `cfg(test)` leads to.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let declared = Regex::new(r"#\[cfg\(test\)\]\s*(?:pub(?:\([a-z]+\))? )?mod (\w+);").unwrap();
    let texts = entries.iter().filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap());
    let of_tests: BTreeSet<String> =
        texts.flat_map(|text| declared.captures_iter(&text).map(|m| m[1].to_owned()).collect::<Vec<_>>()).collect();
    for entry in entries {
        if of_tests.contains(&*entry.file_stem().unwrap().to_string_lossy()) {
            continue;
        }
        if entry.is_dir() {
            files(&entry, found);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            found.push(entry);
        }
    }
}

#[test]
fn imports_point_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&root, &mut paths);
    let sources =
        paths.iter().map(|path| Source::new(path.strip_prefix(&root).unwrap(), &fs::read_to_string(path).unwrap()));
    let sources: Vec<Source> = sources.collect();
    // What is scanned is what is meant: every part is there, and rules of more than one file.
    for (part, _) in ARROWS {
        assert!(sources.iter().any(|source| source.modules[0] == *part), "there is no `{part}`");
    }
    assert!(sources.iter().filter(|source| source.modules.get(2).is_some_and(|m| m == "rules")).count() > 3);
    assert!(sources.iter().map(|source| source.imports().len()).sum::<usize>() > 200);
    let breaches: Vec<String> = sources.iter().flat_map(Source::breaches).collect();
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

fn breaches(path: &str, text: &str) -> Vec<String> {
    Source::new(Path::new(path), text).breaches()
}

#[test]
fn every_way_to_write_an_import_is_understood() {
    let source = Source::new(
        Path::new("families/pagination/probe/walker.rs"),
        "use crate::{\n    exchange::{Reply, link::{self, parse as p}},\n    json::*, rule,\n};\nuse crate::wire::Wire;\n\
         use super::{Ask, super::config::Config};\nuse super::super::evidence;\n\
         fn f() -> crate::notation::Span { crate::run::run::<u8>(crate::plan::Plan::new()) }\n",
    );
    let expected = [
        "exchange::Reply",
        "exchange::link::parse",
        "exchange::link::self",
        "families::pagination::evidence",
        "families::pagination::probe::Ask",
        "json::*",
        "notation::Span",
        "plan::Plan::new",
        "rule",
        "run::run",
        "wire::Wire",
    ];
    let imports = source.imports();
    for path in expected {
        assert!(imports.contains(path), "{path} is not among {imports:#?}");
    }
}

#[test]
fn an_arrow_that_points_the_wrong_way_is_named() {
    for (path, text, breach) in [
        ("rule/mod.rs", "use crate::exchange::Reply;", "rule/mod.rs: rule -> exchange::Reply"),
        (
            "rule/judgement.rs",
            "use crate::{exchange::{ExchangeId, Reply}};",
            "rule/judgement.rs: rule -> exchange::Reply",
        ),
        ("families/mod.rs", "use crate::wire::Wire;", "families/mod.rs: families -> wire::Wire"),
        ("wire/mod.rs", "use crate::families::Check;", "wire/mod.rs: wire -> families::Check"),
        ("wire/mod.rs", "use super::families::Check;", "wire/mod.rs: wire -> families::Check"),
        ("report/table/page.rs", "use crate::run::Events;", "report/table/page.rs: report -> run::Events"),
        ("score.rs", "fn f(_: crate::suite::Suite) {}", "score.rs: score -> suite::Suite"),
        ("run/mod.rs", "use crate::{\n plan::Plan,\n reference,\n};", "run/mod.rs: run -> reference"),
        ("reference/mod.rs", "use crate::exchange::Reply;", "reference/mod.rs: reference -> exchange::Reply"),
        ("main.rs", "use crate::reference::start;", "main.rs: main -> reference::start"),
        ("helpers.rs", "", "helpers.rs: `helpers` has no place among the arrows"),
    ] {
        assert_eq!(breaches(path, text), [breach], "{text}");
    }
    for (path, text) in [
        ("rule/mod.rs", "use crate::exchange::ExchangeId;\nuse super::rule::Verdict;"),
        ("rule/mod.rs", "// use crate::run;\n#[cfg(test)]\nmod tests {\n    use crate::run::run;\n}"),
        ("cli/run.rs", "use crate::{reference::tokens, run, wire::TlsSettings};"),
        ("report/curl.rs", "use crate::{exchange::Exchange, report::View, score::Score};"),
    ] {
        assert!(breaches(path, text).is_empty(), "{text}");
    }
}

#[test]
fn a_rule_that_is_not_pure_is_named() {
    let path = "families/pagination/rules/order.rs";
    for (text, word) in [
        ("async fn judge() {}", "async fn"),
        ("let later = async { 1 };", "async {"),
        ("use std::time::{Duration, Instant};", "Instant"),
        ("use std::time::SystemTime;", "SystemTime"),
        ("let at = jiff::Timestamp::now();", "now"),
        ("let n: u8 = rand::random();", "rand"),
        ("use tokio::time::sleep;", "tokio"),
        ("std::fs::read(path)", "std::fs"),
        ("use super::super::probe::Walker;", "families::pagination::probe::Walker"),
    ] {
        assert_eq!(breaches(path, text), [format!("{path}: a rule -> {word}")], "{text}");
        assert!(breaches("families/pagination/probe/order.rs", text).is_empty(), "{text}");
    }
    assert!(breaches(path, "use std::time::Duration;\nlet operand = known;").is_empty());
    assert!(breaches(path, r#"defects: &["async.no-monitor"], prefer == "respond-async""#).is_empty());
}
