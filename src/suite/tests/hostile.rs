//! Text made to hurt: it is refused in bounded time and memory, and never panics.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use proptest::prelude::*;

use super::{load, with};

/// Generous for a busy machine running unoptimised code; what is quadratic takes far longer.
const SOON: Duration = Duration::from_secs(20);

fn refused_soon(text: &str) -> String {
    let started = Instant::now();
    let report = load(text).expect_err("refused");
    let shown = report.render(false, 120);
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    assert!(shown.len() < 1 << 20, "{}", shown.len());
    shown
}

fn many(count: usize, line: &dyn Fn(usize) -> String) -> String {
    (0..count).map(line).collect::<Vec<_>>().concat()
}

#[test]
fn alias_bombs_stop() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..20 {
        let last = format!("*a{}", n - 1);
        writeln!(bomb, "a{n}: &a{n} [{}]", [last.as_str(); 10].join(", ")).unwrap();
    }
    assert!(refused_soon(&bomb).contains("over 500000 values"));
    assert!(refused_soon("a: &a [*a]").contains("an alias stands inside what it refers to"));
    let mut deep = String::from("a0: &a0 []\n");
    for n in 1..40 {
        writeln!(deep, "a{n}: &a{n} [[[[[*a{}]]]]]", n - 1).unwrap();
    }
    assert!(refused_soon(&deep).contains("nested over 64 deep"));
}

#[test]
fn deep_nesting_stops() {
    for open in ["[", "{a: ", "- ", "? "] {
        let shown = refused_soon(&open.repeat(100_000));
        assert!(shown.contains("nested over 64 deep"), "{open} {shown}");
    }
}

#[test]
fn many_keys_and_many_repeats_stop() {
    let keys = many(300_000, &|n| format!("k{n}: 1\n"));
    assert!(refused_soon(&keys).contains("over 500000 values") || refused_soon(&keys).contains("more"));
    let repeats = "a: 1\n".repeat(200_000);
    assert!(refused_soon(&repeats).contains("is there twice"));
}

#[test]
fn comparing_everything_with_everything_is_bounded() {
    let clients = many(100_000, &|n| format!("  c{n}: {{}}\n"));
    assert!(refused_soon(&with(&format!("clients:\n{clients}"))).contains("at most 1000 are accepted"));
    let clients = many(1_000, &|n| format!("  c{n}: {{ bearer: x }}\n"));
    let steps = many(10_000, &|n| format!("  - {{ client: d{n}, request: GET /x }}\n"));
    refused_soon(&with(&format!("clients:\n{clients}setup:\n{steps}")));
    let body = many(100_000, &|n| format!("      k{n}: '{{{{x{n}}}}}'\n"));
    refused_soon(&with(&format!("setup:\n  - client: anonymous\n    request: GET /x\n    body:\n{body}")));
    let keys = many(100_000, &|n| format!("  k{n}: 1\n"));
    refused_soon(&with(&format!("limits:\n{keys}")));
    let checks = many(10_000, &|n| format!("  - {{ name: c{n}, client: x, request: GET /x, k: 1 }}\n"));
    refused_soon(&with(&format!("pagination:\n{checks}")));
}

#[test]
fn long_scalars_and_names_stay_out_of_the_report() {
    let long = "x".repeat(3 << 20);
    refused_soon(&with(&format!("{long}: 1")));
    refused_soon(&with(&format!("\"{long}\": 1")));
    refused_soon(&with(&format!("limits: {{ duration: {long} }}")));
    refused_soon(&with(&format!("preset: {long}")));
    refused_soon(&with(&format!("waivers: [{{ rule: {long}, reason: a, owner: b, expires: {long} }}]")));
    refused_soon(&format!("a: {}", "${".repeat(1 << 20)));
    refused_soon(&"x".repeat((4 << 20) + 1));
}

#[test]
fn holes_in_the_text_are_told_apart() {
    for (text, part) in [
        ("", "the file is empty"),
        ("  \n\n", "the file is empty"),
        ("# only\n# comments\n", "nothing but comments"),
        ("---\n", "the file is empty"),
        ("- a\n", "a suite is a mapping"),
        ("text", "a suite is a mapping"),
        ("a: b\u{0}c\n", "U+0000"),
        ("a: \u{1b}[31m\n", "U+001B"),
        ("a:\n\tb: c\n", "tabs"),
        ("a: 1\n---\nb: 2\n", "second YAML document"),
        ("a: *b\n", "this is not YAML"),
        ("a: !secret b\n", "no YAML tags"),
        ("<<: 5\n", "`<<` takes a mapping"),
        ("? [a]\n: b\n", "a key is text"),
    ] {
        let shown = refused_soon(text);
        assert!(shown.contains(part), "{text:?}: {shown}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in any::<String>()) {
        if let Err(report) = load(&text) {
            prop_assert!(!report.diagnostics.is_empty());
            report.render(true, 80);
        }
    }

    #[test]
    fn nothing_that_looks_like_a_suite_panics(lines in prop::collection::vec(line(), 0..30)) {
        if let Err(report) = load(&lines.join("\n")) {
            prop_assert!(!report.diagnostics.is_empty());
            report.render(false, 80);
        }
    }
}

/// A line of the kind suites are made of, at any indentation.
fn line() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        "fincheck",
        "name",
        "target",
        "base_url",
        "permits",
        "clients",
        "bearer",
        "limits",
        "duration",
        "vars",
        "setup",
        "request",
        "client",
        "capture",
        "expect",
        "body",
        "pagination",
        "rows",
        "waivers",
        "expires",
        "severity",
        "extends",
        "preset",
        "<<",
        "errors",
        "conventions",
        "ä",
        "rate_limit",
    ]);
    let values = prop::sample::select(vec![
        "",
        "1",
        "1.10",
        "x",
        "\"\"",
        "[]",
        "{}",
        "[a, b]",
        "{ bearer: \"${TOKEN}\" }",
        "${TOKEN}",
        "${NONE}",
        "{{x}}",
        "GET /x/{{y}}",
        "$.a",
        "5m",
        "http://127.0.0.1",
        "&a [1]",
        "*a",
        "|",
        ">",
        "2027-03-31",
        "null",
        "~",
        "é\u{301}",
        "[{ rule: PAG-001 }]",
        "- ",
        "'",
        "\"",
    ]);
    (0..5_usize, any::<bool>(), keys, values).prop_map(|(indent, item, key, value)| {
        format!("{}{}{key}: {value}", "  ".repeat(indent), if item { "- " } else { "" })
    })
}
