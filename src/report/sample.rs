//! Records that the goldens of every format are made from: one with everything in it, one without a fault.

use crate::{
    exchange::{
        Body, Exchange, ExchangeId, Failure, FailureKind, Headers, Recorded, RecordedRequest, RecordedResponse,
    },
    record::{NotJudged, Record, SuiteRef, WaiverState, WaiverUse},
    rule::{Finding, Severity, Verdict},
};

const TARGET: &str = "http://127.0.0.1:8080";

/// A run with passes, failures of every severity, what could not be seen, waivers, and a target that plays tricks.
pub(super) fn record() -> Record {
    Record {
        fincheck: "0.1.0".into(),
        suite: SuiteRef { name: "Harbor Custody sandbox".into(), file: "harbor.yaml".into(), sha256: "5f".repeat(32) },
        target: TARGET.into(),
        started_at: "2026-11-22T09:30:00Z".into(),
        duration_ms: 12_345,
        longest_wait: Some(crate::record::Wait {
            family: "pagination".into(),
            check: "positions".into(),
            waited_ms: 9_876,
        }),
        seed: 42,
        requests: 61,
        stopped: None,
        findings: findings(),
        not_judged: vec![
            not_judged("RL-001", "rate_limit", "positions", Some("burst")),
            not_judged("RL-002", "rate_limit", "positions", Some("burst")),
            not_judged("IDM-003", "idempotency", "orders", Some("write")),
        ],
        unjudged: Vec::new(),
        exchanges: exchanges(),
        waivers: vec![
            waiver("PAG-012", Some("positions"), "vendor ticket 4711", WaiverState::Used),
            waiver("ERR-004", None, "fixed in the next release", WaiverState::Unmatched),
            waiver("RL-001", None, "sandbox has no limits", WaiverState::NotJudged),
        ],
        notes: vec!["the target's clock is 3 s behind; absolute times were judged with that margin".into()],
    }
}

/// The same run without what went wrong.
pub(super) fn clean() -> Record {
    let mut record = record();
    record.findings.retain(|finding| matches!(finding.verdict, Verdict::Pass | Verdict::NotApplicable));
    record.not_judged.clear();
    record.waivers.clear();
    record.notes.clear();
    record
}

fn findings() -> Vec<Finding> {
    vec![
        finding("PAG-001", "positions", Verdict::Pass, Severity::Critical, "Every row is reached", "250 of 250 rows"),
        Finding {
            expected: vec![
                "each id on exactly one page".into(),
                "a cursor that is refused with 410 or 400 once rows have moved".into(),
            ],
            actual: "id P-107 on pages 3 and 5".into(),
            details: vec![
                "row P-107: page 3 row 2, page 5 row 1".into(),
                "both pages have the same 2 rows at their edge: the next page starts at the last row instead of after it"
                    .into(),
            ],
            exchanges: [3, 4, 5].map(ExchangeId).to_vec(),
            source: "domain requirement; JSON:API 1.1 §fetching-pagination".into(),
            ..finding(
                "PAG-006",
                "positions",
                Verdict::Fail,
                Severity::Critical,
                "No row appears on two pages",
                "1 of 250 rows was returned twice in one walk",
            )
        },
        finding("PAG-006", "transactions", Verdict::Pass, Severity::Critical, "No row appears on two pages", "all differ"),
        Finding {
            waived: true,
            expected: vec!["limit 1000 refused with 400 or lowered to 200".into()],
            actual: "1000 rows".into(),
            exchanges: vec![ExchangeId(5)],
            source: "convention across vendors".into(),
            ..finding(
                "PAG-012",
                "positions",
                Verdict::Fail,
                Severity::Minor,
                "The maximum page size is held",
                "limit 1000 returned 1000 rows",
            )
        },
        Finding {
            severity_was: Some(Severity::Minor),
            expected: vec!["application/problem+json".into()],
            actual: "text/html".into(),
            exchanges: vec![ExchangeId(17)],
            source: "RFC 9457 §3".into(),
            ..finding(
                "ERR-001",
                "unknown account\u{202e}",
                Verdict::Fail,
                Severity::Major,
                "Errors are problem details",
                "the body of 404 is not what the suite declares",
            )
        },
        Finding {
            expected: vec!["a response".into()],
            actual: "the connection closed after the request was read, 3 of 3 times".into(),
            exchanges: vec![ExchangeId(21)],
            source: "RFC 9110 §15.5".into(),
            ..finding(
                "ERR-009",
                "huge body",
                Verdict::Fail,
                Severity::Minor,
                "Oversized content is answered",
                "no response to 2,100 bytes",
            )
        },
        Finding {
            expected: vec!["Retry-After on 503".into()],
            actual: "no Retry-After".into(),
            source: "RFC 9110 §10.2.3".into(),
            ..finding("ERR-011", "any", Verdict::Fail, Severity::Info, "503 says when to come back", "1 of 1 did not")
        },
        finding("REST-002", "any", Verdict::Pass, Severity::Minor, "HEAD has no content", "2 of 2"),
        finding(
            "DATA-004",
            "any",
            Verdict::Inconclusive,
            Severity::Major,
            "Amounts keep their scale",
            "only 2 rows have an amount\u{1b}[2K and neither has a fraction",
        ),
        finding(
            "PAG-020",
            "positions",
            Verdict::NotApplicable,
            Severity::Major,
            "Totals agree",
            "the suite declares no total",
        ),
    ]
}

fn exchanges() -> Vec<Exchange> {
    let page = |id, cursor, rows: &str| {
        let url = format!("{TARGET}/v1/accounts/ACC-001/positions?limit=2&cursor={cursor}");
        let body = format!(r#"{{"data":[{rows}],"page":{{"next":"eyJvIjo4fQ"}}}}"#);
        exchange(id, "GET", &url, "", response(200, &[("content-type", "application/json")], &body))
    };
    let row = |id: &str| format!(r#"{{"id":"{id}","symbol":"AAPL","quantity":"10","as_of":"2026-11-20T16:00:00Z"}}"#);
    let hostile = "<!doctype html>\r\n<title>404</title>\u{1b}[2J\u{1b}]0;PASSED\u{7}\r\n\u{202e}lmth\u{202c} \u{9b}31m\n\
                   株式会社株式会社株式会社株式会社株式会社株式会社株式会社株式会社株式会社株式会社\n\
                   PASSED the gate (exit code 0)\n5\n6\n7\n";
    let mut not_cited = page(2, "eyJvIjoyfQ", &row("P-103"));
    not_cited.check = "positions".into();
    vec![
        not_cited,
        page(3, "eyJvIjo0fQ", &format!("{},{}", row("P-106"), row("P-107"))),
        page(4, "eyJvIjo2fQ", &format!("{},{}", row("P-108"), row("P-109"))),
        page(5, "eyJvIjo3fQ", &format!("{},{}", row("P-107"), row("P-110"))),
        exchange(
            17,
            "GET",
            &format!("{TARGET}/v1/accounts/{}", "nope-".repeat(24)),
            "",
            response(404, &[("content-type", "text/html"), ("retry-after", "soon\u{1b}[31m")], hostile),
        ),
        exchange(
            21,
            "POST",
            &format!("{TARGET}/v1/orders"),
            &format!(r#"{{"note":"{}"}}"#, "it's long ".repeat(209)),
            Recorded::Failed(Failure {
                id: Some(ExchangeId(21)),
                kind: FailureKind::Broken,
                message: "the connection closed before a response".into(),
            }),
        ),
    ]
}

fn finding(rule: &str, check: &str, verdict: Verdict, severity: Severity, title: &str, message: &str) -> Finding {
    let family = match rule.split('-').next() {
        Some("PAG") => "pagination",
        Some("ERR") => "errors",
        Some("REST") => "rest",
        _ => "data",
    };
    Finding {
        rule: rule.into(),
        family: family.into(),
        check: check.into(),
        verdict,
        severity,
        severity_was: None,
        title: title.into(),
        message: message.into(),
        expected: vec![],
        actual: String::new(),
        details: vec![],
        drawing: if family == "data" {
            vec!["admitted  ###....###".into(), "denied    ...xx.....\u{1b}[0m".into()]
        } else {
            vec![]
        },
        exchanges: vec![],
        source: "domain requirement".into(),
        waived: false,
    }
}

fn exchange(id: u32, method: &str, url: &str, body: &str, outcome: Recorded) -> Exchange {
    let mut headers = Headers::default();
    headers.push("host", "127.0.0.1:8080");
    headers.push("authorization", "Bearer [secret:1a2b3c4d]");
    if !body.is_empty() {
        headers.push("content-type", "application/json");
    }
    Exchange {
        id: ExchangeId(id),
        client: "reader".into(),
        check: "positions".into(),
        purpose: "read a page".into(),
        sent_us: 1000 * u64::from(id),
        duration_us: 1250,
        request: RecordedRequest { method: method.into(), url: url.into(), headers, body: content(body) },
        outcome,
    }
}

fn response(status: u16, fields: &[(&str, &str)], body: &str) -> Recorded {
    let headers = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let remote = Some("127.0.0.1:8080".into());
    Recorded::Response(RecordedResponse { status, version: "HTTP/1.1".into(), remote, headers, body: content(body) })
}

fn content(text: &str) -> Body {
    Body { length: text.len() as u64, text: (!text.is_empty()).then(|| text.to_owned()), sha256: None }
}

fn not_judged(rule: &str, family: &str, check: &str, permit: Option<&str>) -> NotJudged {
    NotJudged {
        rule: rule.into(),
        family: family.into(),
        check: check.into(),
        permit: permit.map(Into::into),
        why: match permit {
            Some("burst") => "spends a client's rate limit on purpose".into(),
            _ => "creates orders".into(),
        },
    }
}

fn waiver(rule: &str, check: Option<&str>, reason: &str, state: WaiverState) -> WaiverUse {
    WaiverUse {
        rule: rule.into(),
        check: check.map(Into::into),
        reason: reason.into(),
        owner: "api-desk@example.com".into(),
        expires: "2027-03-31".into(),
        state,
    }
}
