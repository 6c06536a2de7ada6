use serde_json::Value;

use super::{sample, *};
use crate::{
    exchange::ExchangeId,
    record::{Record, Stopped, WaiverState, WaiverUse},
    rule::{Finding, Verdict},
    score::Gate,
};

fn rendered(name: &str, record: &Record, options: RenderOptions) -> String {
    let format = FORMATS.iter().find(|format| format.name == name).expect("the format is listed");
    (format.render)(&View::new(record, &Gate::default()), &options)
}

fn table(record: &Record) -> String {
    rendered("table", record, RenderOptions::default())
}

fn json(record: &Record) -> Value {
    let text = rendered("json", record, RenderOptions::default());
    assert!(text.ends_with("}\n"));
    serde_json::from_str(&text).expect("the report is JSON")
}

fn golden(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/records"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn the_sample_is_shown_as_it_was_reviewed() {
    golden("sample.table", &table(&sample::record()));
    golden("sample.json", &rendered("json", &sample::record(), RenderOptions::default()));
}

#[test]
fn a_clean_run_is_shown_as_it_was_reviewed() {
    golden("clean.table", &table(&sample::clean()));
    golden(
        "clean.verbose.table",
        &rendered("table", &sample::clean(), RenderOptions { verbose: 1, ..RenderOptions::default() }),
    );
}

#[test]
fn an_interrupted_run_says_so_first_and_last() {
    let mut record = sample::record();
    record.stopped = Some(Stopped::Interrupted);
    let text = table(&record);
    assert!(text.lines().take(6).any(|line| line.starts_with("INCOMPLETE")), "{text}");
    assert!(text.contains("INTERRUPTED the gate is not decided (exit code 130)"), "{text}");
    let json = json(&record);
    assert_eq!((&json["complete"], &json["exit_code"]), (&Value::from(false), &Value::from(130)));
    assert_eq!(json["stopped"]["why"], "interrupted");
}

#[test]
fn a_run_that_could_not_be_judged_is_neither_passed_nor_failed() {
    let mut record = sample::clean();
    record.findings.clear();
    record.stopped = Some(Stopped::Unreachable("connection refused\u{1b}[2J".into()));
    let text = table(&record);
    assert!(text.contains("INCOMPLETE the run ended before its plan did: target unreachable:"), "{text}");
    assert!(text.contains("UNDECIDED the run could not be completed or judged (exit code 3)"), "{text}");
    assert!(text.contains("  score      none: nothing that is scored was judged"), "{text}");
    assert!(text.contains("  ledger     0 planned = 0 passed + 0 failed"), "{text}");
}

#[test]
fn a_capped_grade_says_what_the_score_alone_is_worth() {
    let mut record = sample::clean();
    let pass = record.findings[0].clone();
    record.findings.extend((0..99).map(|n| Finding { rule: format!("PAG-1{n:02}"), ..pass.clone() }));
    let failed = Finding { rule: "PAG-099".into(), verdict: Verdict::Fail, ..pass };
    record.findings.push(failed);
    let text = table(&record);
    assert!(
        text.contains("  grade      D (a critical failure allows no better; the score alone is worth A)"),
        "{text}"
    );
}

#[test]
fn a_waived_failure_names_the_agreement_it_rests_on() {
    let mut record = sample::record();
    let expired =
        WaiverUse { state: WaiverState::Expired, reason: "an older ticket".into(), ..record.waivers[0].clone() };
    record.waivers.insert(0, expired);
    let text = table(&record);
    assert!(text.contains("1000 returned 1000 rows [vendor ticket 4711;"), "{text}");
    assert!(text.contains("  - PAG-012 positions: expired, it held until 2027-03-31"), "{text}");
}

#[test]
fn no_line_is_wider_than_asked_for() {
    let record = sample::record();
    for width in [40, 57, 80, 200] {
        let text = rendered("table", &record, RenderOptions { width, color: false, verbose: 2 });
        for line in text.lines() {
            assert!(text::width(line) <= usize::from(width), "{width}: {line}");
        }
    }
}

#[test]
fn nothing_a_target_sent_reaches_the_terminal_unescaped() {
    let text = rendered("table", &sample::record(), RenderOptions { verbose: 2, ..RenderOptions::default() });
    assert_eq!(text::lines(&text), text);
    assert!(text.contains(r"\u{1b}[2J\u{1b}]0;PASSED\u{7}") && text.contains(r"\u{202e}lmth"), "{text}");
    let json = rendered("json", &sample::record(), RenderOptions::default());
    assert_eq!(text::lines(&json), json);
    // Text of a body never starts a line, where it could pass for the report's own words.
    assert_eq!(text.lines().filter(|line| line.starts_with("PASSED")).count(), 0);
}

#[test]
fn colour_adds_nothing_but_colour() {
    for record in [sample::record(), sample::clean()] {
        let coloured = rendered("table", &record, RenderOptions { color: true, ..RenderOptions::default() });
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), table(&record));
    }
}

#[test]
fn the_json_report_has_the_keys_that_are_promised() {
    let json = json(&sample::record());
    for key in [
        "schema_version fincheck complete exit_code suite target started_at duration_ms score grade coverage ledger",
        "families findings gate exchanges not_judged waivers notes seed requests stopped",
    ]
    .iter()
    .flat_map(|keys| keys.split(' '))
    {
        assert!(json.get(key).is_some(), "{key}");
    }
    for finding in json["findings"].as_array().unwrap() {
        for key in "rule family check verdict severity title message expected actual exchanges source waived".split(' ')
        {
            assert!(finding.get(key).is_some(), "{key} of {finding}");
        }
    }
    assert_eq!(json["findings"].as_array().unwrap().len(), sample::record().findings.len());
    assert_eq!(json["gate"]["passed"], false);
    assert_eq!(json["families"][0]["family"], "pagination");
}

#[test]
fn only_exchanges_that_are_cited_are_reported_and_in_order() {
    let mut record = sample::record();
    record.exchanges.reverse();
    let json = json(&record);
    let ids: Vec<_> = json["exchanges"].as_array().unwrap().iter().map(|e| e["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, [3, 4, 5, 17, 21]);
}

#[test]
fn failures_are_sorted_by_severity_then_rule_then_check() {
    let mut record = sample::record();
    record.findings.reverse();
    let again = record.findings.iter().find(|f| f.rule == "ERR-001").unwrap().clone();
    record.findings.push(Finding { check: "a check before".into(), ..again });
    let text = table(&record);
    let heads: Vec<_> = text.lines().filter(|l| l.starts_with("FAIL ")).map(|l| l.get(..30).unwrap_or(l)).collect();
    assert_eq!(
        heads,
        [
            "FAIL critical PAG-006 position",
            "FAIL major ERR-001 a check bef",
            "FAIL major ERR-001 unknown acc",
            "FAIL minor ERR-009 huge body  ",
            "FAIL info ERR-011 any  503 say"
        ]
    );
}

#[test]
fn failures_beyond_twenty_take_a_line_each() {
    let mut record = sample::record();
    let failure = record.findings.iter().find(|f| f.rule == "ERR-009").unwrap().clone();
    record.findings = (0..23).map(|n| Finding { check: format!("check {n:02}"), ..failure.clone() }).collect();
    let text = table(&record);
    assert_eq!(text.lines().filter(|line| line.starts_with("FAIL ")).count(), 20);
    assert!(text.contains("3 more failures in brief"), "{text}");
    assert!(text.contains("  - minor ERR-009 check 22:"), "{text}");
}

#[test]
fn citing_an_exchange_that_the_record_lacks_is_survived() {
    let mut record = sample::record();
    for finding in &mut record.findings {
        finding.exchanges = vec![ExchangeId(u32::MAX)];
    }
    assert!(!table(&record).contains("curl"));
    assert_eq!(json(&record)["exchanges"], serde_json::json!([]));
}

#[test]
fn a_record_read_back_renders_the_same_bytes_in_every_format() {
    let record = sample::record();
    let read_back: Record = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
    for format in FORMATS {
        let options = RenderOptions { verbose: 1, ..RenderOptions::default() };
        assert_eq!(
            rendered(format.name, &record, options),
            rendered(format.name, &read_back, options),
            "{}",
            format.name
        );
    }
}

#[test]
fn names_and_extensions_of_formats_are_unique() {
    let mut names: Vec<_> = FORMATS.iter().map(|format| format.name).collect();
    let mut extensions: Vec<_> = FORMATS.iter().flat_map(|format| format.extensions).collect();
    let (all_names, all_extensions) = (names.len(), extensions.len());
    names.sort_unstable();
    names.dedup();
    extensions.sort_unstable();
    extensions.dedup();
    assert_eq!((names.len(), extensions.len()), (all_names, all_extensions));
}
