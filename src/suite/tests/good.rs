//! Suites that load, and what becomes of them.

use serde_json::json;

use super::{environment, families::FAMILIES, load, options, refused, with};
use crate::{
    families::Permit,
    rule::Severity,
    suite::{Capture, Content, Options, PRESETS, load_text, schema, shape},
};

/// One of everything.
const FULL: &str = r#"
# a comment
fincheck: 1
name: Harbor
preset: problem-details
target:
  base_url: ${URL:-http://127.0.0.1:8080/v1}
  permits: [read, write]
  headers: { X-Version: 3, X-Run: "${TOKEN}" }
  http2: true
clients:
  reader: { bearer: "${TOKEN}" }
  trader: { basic: { username: "007", password: "" } }
  desk:
    header:
      X-Key: ${DIGITS}
  old: { query: { api_key: literal-key } }
limits: { requests: ${NUMBER_OF:-500}, duration: 5m, rate: 50/s }
vars: { account: ACC-001, amount: 1.10, flag: true }
conventions:
  correlation: { request: X-Id, response: X-Id }
  errors: { code: $.code }
setup:
  - name: open
    client: trader
    request: POST /orders/{{account}}
    query: { limit: 10, exact: 1.10 }
    headers: { X-Run: "{{run_id}}" }
    body: { symbol: "{{uuid}}", quantity: "1.10", lots: 3 }
    expect: 201
    capture:
      order: $.id
      location: { header: Location, pattern: "/orders/([^/]+)$" }
  - { client: anonymous, request: "GET /orders/{{order}}", expect: [200, 404], form: { a: "{{location}}" } }
teardown:
  - { client: trader, request: "DELETE /orders/{{order}}", text: bye, content_type: text/plain }
pagination:
  - name: positions
    client: reader
    request: GET /accounts/{{account}}/positions/{{order}}
    rows: $.data
    next: { cursor: $.page.next }
    sizes: [1, 7]
waivers:
  - { rule: pag-001, check: positions, reason: known, owner: desk, expires: 2027-03-31 }
severity: { PAG-001: minor }
"#;

/// In YAML flow style `${` must be quoted; the suite above is written as people write.
fn full() -> String {
    FULL.replace("requests: ${NUMBER_OF:-500}", "requests: 500")
}

#[test]
fn everything_ends_up_where_it_belongs() {
    let suite = load(&full()).unwrap();
    assert_eq!(suite.target.base_url.as_str(), "http://127.0.0.1:8080/v1");
    assert_eq!(suite.target.permits.iter().copied().collect::<Vec<_>>(), [Permit::Read, Permit::Write]);
    assert_eq!(suite.target.headers.get("x-version"), Some("3"));
    assert!(suite.target.http2);
    assert_eq!(suite.clients.keys().collect::<Vec<_>>(), ["desk", "old", "reader", "trader"]);
    assert_eq!((suite.limits.requests, suite.limits.concurrency), (500, 4));
    assert_eq!(suite.vars["amount"], "1.10");
    assert_eq!(suite.vars["flag"], "true");
    let [open, read] = suite.setup.as_slice() else { panic!("two steps") };
    assert_eq!(open.query.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>(), ["exact=1.10", "limit=10"]);
    assert_eq!(open.content, Content::Json(json!({"symbol": "{{uuid}}", "quantity": "1.10", "lots": 3})));
    assert!(matches!(&open.capture["order"], Capture::Body(path) if path.to_string() == "$.id"));
    assert!(matches!(&open.capture["location"], Capture::Header(header) if header.header == "Location"));
    assert!(read.expects(404) && !read.expects(201));
    assert_eq!(suite.teardown.len(), 1);
    assert_eq!(suite.checks.iter().map(|c| c.name()).collect::<Vec<_>>(), ["positions"]);
    assert_eq!(suite.waivers[0].rule, "PAG-001");
    assert_eq!(suite.waivers[0].expires.to_string(), "2027-03-31");
    assert_eq!(suite.severity["PAG-001"], Severity::Minor);
    let errors = suite.conventions.errors.unwrap();
    assert_eq!(errors.media_type.as_deref(), Some("application/problem+json"));
    assert_eq!(errors.code.unwrap().to_string(), "$.code");
    assert_eq!(suite.text, full());
    assert_eq!(suite.sha256.len(), 64);
    assert!(suite.warnings.is_empty(), "{:?}", suite.warnings);
}

#[test]
fn credentials_are_secrets_as_written() {
    let suite = load(&full()).unwrap();
    assert_eq!(suite.secrets, ["0042", "007", "MDA3Og==", "literal-key", "t0k-12345"]);
    assert!(!format!("{suite:?}").contains("t0k"));
}

#[test]
fn the_schema_accepts_what_is_accepted() {
    let schema = schema(FAMILIES);
    let validator = shape::validator(&schema).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let as_written: serde_json::Value = serde_yaml::from_str(&full()).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&as_written).map(|e| format!("{} {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
}

#[test]
fn every_preset_loads_and_is_named_in_order() {
    let schema = schema(FAMILIES);
    let validator = shape::validator(&schema).unwrap();
    for preset in PRESETS {
        // A preset holds what a suite could hold itself.
        let document: serde_json::Value = serde_yaml::from_str(&with(preset.text)).unwrap();
        assert!(validator.is_valid(&document), "{}", preset.name);
    }
    let mut names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
    for name in &names {
        let suite = load(&with(&format!("preset: {name}"))).unwrap();
        assert!(suite.conventions.errors.is_some_and(|errors| errors.code.is_some()), "{name}");
        assert!(suite.warnings.is_empty(), "{name}");
        let document: serde_json::Value = serde_yaml::from_str(&with(&format!("preset: {name}"))).unwrap();
        assert!(validator.is_valid(&document), "{name}");
    }
    names.sort_unstable();
    assert_eq!(names, ["cdr", "google-aip", "obie", "problem-details", "stripe"]);
}

#[test]
fn a_variable_alone_takes_the_type_it_looks_like_except_in_clients() {
    let suite =
        load(&with("clients: { a: { bearer: \"${NUMBER}\" } }\nlimits:\n  requests: ${NUMBER}\n  redirects: 0"));
    let suite = suite.unwrap();
    assert_eq!(suite.limits.requests, 42);
    assert_eq!(suite.secrets, ["42"]);
    let quoted = refused(&with("limits:\n  requests: \"${NUMBER}\""));
    assert_eq!(quoted, ["5:13 found the text `42`, wanted a whole number"]);
}

#[test]
fn defaults_escapes_and_the_environment_file() {
    let file = [("TOKEN".to_owned(), "from-file".to_owned()), ("ONLY".to_owned(), "file".to_owned())];
    let text =
        with("vars:\n  a: ${TOKEN}/${ONLY}\n  b: ${NONE:-x:-y}\n  c: ${EMPTY:-z}\n  d: ${EMPTY}\n  e: $${NO} $5\n");
    let suite = load_text("x", &text, &Options { env_file: &file, ..options(&environment) }).unwrap();
    let values: Vec<&str> = suite.vars.values().map(String::as_str).collect();
    // `d` is nothing at all: written plainly, it is YAML's null.
    assert_eq!(values, ["t0k-12345/file", "x:-y", "z", "", "${NO} $5"]);
}

#[test]
fn flags_win_and_what_they_replace_is_not_looked_up() {
    let text = "fincheck: 1\nname: x\ntarget:\n  base_url: ${UNSET}\nvars:\n  account: ${UNSET}\n";
    let vars = [("account".to_owned(), "A".to_owned()), ("more".to_owned(), "B".to_owned())];
    let given = Options { target: Some("https://api.example.com"), vars: &vars, ..options(&environment) };
    let suite = load_text("x", text, &given).unwrap();
    assert_eq!(suite.target.base_url.as_str(), "https://api.example.com/");
    assert_eq!(suite.vars["account"], "A");
    assert_eq!(suite.vars["more"], "B");
    let bad = load_text("x", text, &Options { target: Some("api.example.com"), ..given }).unwrap_err();
    assert_eq!(bad.diagnostics[0].file, "--target");
    assert!(bad.to_string().contains("api.example.com"), "{bad}");
}

#[test]
fn numbers_that_may_lose_digits_are_warned_of() {
    let text = with(
        "setup:\n  - client: anonymous\n    request: POST /x\n    body:\n      price: 1.10\n      sort: 01234\n      lots: 5\n      id: 12345678901234567890123\n",
    );
    let suite = load(&text).unwrap();
    let warned: Vec<usize> = suite.warnings.iter().map(|w| w.line).collect();
    assert_eq!(warned, [8, 11]);
    let Content::Json(body) = &suite.setup[0].content else { panic!("JSON") };
    assert_eq!(body["sort"], "01234");
}

#[test]
fn aliases_and_merge_keys_share_parts() {
    let text = with(
        "pagination:\n  - &first { name: a, request: GET /a, rows: $.data }\n  - { <<: *first, name: b }\n  - <<: [*first, {id: $.id}]\n    name: c\n",
    );
    let suite = load(&text).unwrap();
    assert_eq!(suite.checks.iter().map(|c| c.name()).collect::<Vec<_>>(), ["a", "b", "c"]);
}

#[test]
fn a_byte_order_mark_and_windows_lines_are_accepted() {
    assert!(load(&format!("\u{feff}{}", with("").replace('\n', "\r\n"))).is_ok());
}

#[test]
fn what_is_not_judged_yet_is_accepted_with_a_warning() {
    let suite = load(&with("conventions:\n  money: { amount: $.a }\n  timestamps: [$.t]")).unwrap();
    let lines: Vec<usize> = suite.warnings.iter().map(|w| w.line).collect();
    assert_eq!(lines, [5, 6]);
}
