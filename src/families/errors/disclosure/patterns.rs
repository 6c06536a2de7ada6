//! Texts that only the inside of a program writes.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use super::super::evidence::Inside;

/// A text that gives something away.
struct Pattern {
    kind: Inside,
    name: &'static str,
    text: &'static str,
}

const fn pattern(kind: Inside, name: &'static str, text: &'static str) -> Pattern {
    Pattern { kind, name, text }
}

/// Most telling first.
const PATTERNS: &[Pattern] = &[
    pattern(Inside::StackTrace, "a Java stack frame", r"\bat [\w$.<>/@-]+\([\w$]+\.(?:java|kt|scala|groovy|clj):\d+\)"),
    pattern(
        Inside::StackTrace,
        "a Python traceback",
        r#"Traceback \(most recent call last\)|File "[^"\n]+\.pyx?", line \d+"#,
    ),
    pattern(
        Inside::StackTrace,
        "a Node.js stack frame",
        r"\bat (?:async )?(?:[\w$.<>\[\] ]+ )?\(?(?:file://|node:|/|[A-Za-z]:\\)[^\s()]+:\d+:\d+\)?",
    ),
    pattern(
        Inside::StackTrace,
        "a .NET stack frame",
        r"\bat [\w.<>`+\[\], ]+\([^)\n]*\) in [^\n]+:line \d+|\bat (?:System|Microsoft)\.[\w.<>`+\[\]]+\([^)\n]*\)|--- End of (?:inner exception )?stack trace",
    ),
    pattern(
        Inside::StackTrace,
        "a Go stack trace",
        r"goroutine \d+ \[[a-z ,0-9]+\]:|[\w/.-]+\.go:\d+ \+0x[0-9a-f]+|runtime error: (?:index out of range|invalid memory address|slice bounds)",
    ),
    pattern(
        Inside::StackTrace,
        "a PHP error with its place",
        r"(?:Fatal error|Parse error|Warning|Notice|Uncaught \w+)[^\n]* in [^\s]+\.php(?::| on line )\d+|#\d+ [^\s(]+\.php\(\d+\): ",
    ),
    pattern(Inside::StackTrace, "a Ruby stack frame", r"[\w/.-]+\.rb:\d+:in [`'][^`'\n]+'"),
    pattern(Inside::StackTrace, "a Rust panic", r"thread '[^'\n]+' panicked at "),
    pattern(
        Inside::Sql,
        "an SQL statement",
        r#"\bSELECT\b[^\n]+?\bFROM\s+[\w."`\[]+[^\n]*?\b(?:WHERE|JOIN|ORDER BY|GROUP BY|LIMIT)\b|\bINSERT INTO\s+[\w."`\[\]]+\s*\(|\bUPDATE\s+[\w."`\[\]]+\s+SET\s+[\w."`\[\]]+\s*=|\bDELETE FROM\s+[\w."`\[\]]+\s+WHERE\b|(?i:\bselect\b[^\n]+?\bfrom\b[^\n]+?\bwhere\b[^\n]+?=\s*(?:\$\d|\?|%s))"#,
    ),
    pattern(
        Inside::Sql,
        "an error of a database",
        r#"\bSQLSTATE\b\W{0,3}[0-9A-Z]{5}\b|\bORA-\d{5}\b|You have an error in your SQL syntax|syntax error at or near "|violates (?:unique|foreign key|not-null|check) constraint "|invalid input syntax for (?:type )?(?:integer|bigint|uuid|numeric|timestamp)|\bSQLITE_(?:ERROR|CONSTRAINT|BUSY|MISMATCH)\b|\bno such (?:table|column): |Unclosed quotation mark after the character string|Incorrect syntax near '|\bER_(?:DUP_ENTRY|PARSE_ERROR|NO_SUCH_TABLE|BAD_FIELD_ERROR)\b|E11000 duplicate key error"#,
    ),
    pattern(
        Inside::DebugPage,
        "a page for developers",
        r"You're seeing this error because you have|Werkzeug Debugger|// Werkzeug|Action Controller: Exception caught|Whoops! There was an error|<b>\s*Stack Trace:\s*</b>|Server Error in '[^'\n]*' Application|sf-dump-\d",
    ),
    pattern(
        Inside::SourcePath,
        "a source file with its line",
        r"(?:(?:^|[\s\x22'(=\[>:])/(?:[\w.@+-]+/)+[\w.@+-]+|\b[A-Za-z]:\\(?:[\w .@+-]+\\)+[\w.@+-]+)\.(?:py|js|mjs|cjs|ts|tsx|jsx|rb|php|go|java|kt|scala|rs|cs|vb|ex|exs|pl|pm|c|cc|cpp)(?::\d+|\(\d+\)|:line \d+| on line \d+|\x22?, line \d+)",
    ),
    pattern(
        Inside::ExceptionClass,
        "the name of an exception class",
        r"\b(?:[a-z][a-z0-9_]*\.){2,}(?:[A-Z]\w*\$)?[A-Z]\w*(?:Exception|Error)\b|\bSystem\.(?:[A-Z]\w+\.)*[A-Z]\w*Exception\b",
    ),
    pattern(
        Inside::Product,
        "a product and its version",
        r"\bApache(?: Tomcat)?/\d+\.\d+\.\d+|\bnginx/\d+\.\d+\.\d+|\bJetty\(?:?/?\d+\.\d+\.\d+|\bopenresty/\d+\.\d+|\bMicrosoft-IIS/\d+|\bPHP/\d+\.\d+\.\d+|\bWhitelabel Error Page\b",
    ),
];

/// One pass tells which patterns occur at all; almost always none does. All of them are about ASCII, which keeps the
/// automata small, and on bytes because a class such as `[^ ]` then matches parts of characters.
static SET: LazyLock<RegexSet> = LazyLock::new(|| {
    let texts = PATTERNS.iter().map(|pattern| pattern.text);
    RegexSetBuilder::new(texts).unicode(false).build().expect("the patterns are written here")
});
/// Each pattern by itself, compiled when it first occurs.
static EACH: [OnceLock<Regex>; PATTERNS.len()] = [const { OnceLock::new() }; PATTERNS.len()];

/// What occurs in a text, each pattern once: its kind, its name, and the text that matched.
pub(super) fn find(text: &str) -> impl Iterator<Item = (Inside, &'static str, &str)> {
    SET.matches(text.as_bytes()).into_iter().filter_map(move |index| {
        let pattern = &PATTERNS[index];
        let compile = || RegexBuilder::new(pattern.text).unicode(false).build().expect("the patterns are written here");
        let found = EACH[index].get_or_init(compile).find(text.as_bytes())?;
        let shown = text.get(found.range()).unwrap_or_default();
        Some((pattern.kind, pattern.name, shown.trim_start_matches(['\'', '"', '(', '=', '[', '>', ':', ' '])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> Option<(Inside, &'static str)> {
        find(text).next().map(|(kind, name, _)| (kind, name))
    }

    #[test]
    fn stack_frames_of_every_runtime_are_known() {
        for (text, name) in [
            ("\tat java.base/java.lang.Thread.run(Thread.java:1583)", "a Java stack frame"),
            ("at com.x.Y$Z.<init>(Y.kt:3)", "a Java stack frame"),
            ("  File \"/srv/api/views.py\", line 12, in get", "a Python traceback"),
            ("    at Object.<anonymous> (/app/src/index.js:10:5)", "a Node.js stack frame"),
            ("at node:internal/process/task_queues:95:5", "a Node.js stack frame"),
            ("at Ledger.Api.Post(Order o) in C:\\src\\Api.cs:line 42", "a .NET stack frame"),
            ("at System.Text.Json.JsonSerializer.Read()", "a .NET stack frame"),
            ("goroutine 17 [running]:", "a Go stack trace"),
            ("main.go:31 +0x1d", "a Go stack trace"),
            ("Fatal error: Uncaught TypeError in /var/www/a.php:12", "a PHP error with its place"),
            ("app/models/order.rb:12:in `save!'", "a Ruby stack frame"),
            ("thread 'main' panicked at src/main.rs:3:5", "a Rust panic"),
        ] {
            assert_eq!(first(text), Some((Inside::StackTrace, name)), "{text}");
        }
    }

    #[test]
    fn databases_paths_pages_classes_and_products_are_known() {
        for (text, kind) in [
            ("SELECT id FROM positions WHERE account_id = $1 ORDER BY as_of", Inside::Sql),
            ("select o.id from orders o where o.id=?", Inside::Sql),
            ("ERROR: x (SQLSTATE 22P02)", Inside::Sql),
            ("SQLSTATE[42S02]: Base table", Inside::Sql),
            ("ORA-00942: table or view", Inside::Sql),
            ("duplicate key value violates unique constraint \"orders_pkey\"", Inside::Sql),
            ("bad row at /srv/app/ledger/book.py:88", Inside::SourcePath),
            ("<title>TypeError // Werkzeug Debugger</title>", Inside::DebugPage),
            ("org.springframework.web.HttpRequestMethodNotSupportedException", Inside::ExceptionClass),
            ("<hr><center>nginx/1.18.0</center>", Inside::Product),
        ] {
            assert_eq!(first(text).map(|f| f.0), Some(kind), "{text}");
        }
    }

    #[test]
    fn ordinary_errors_give_nothing_away() {
        for text in [
            "/data/attributes/price",
            "/legs/0/limit_price must be positive",
            "$.orders[0].quantity: 12",
            "the order was rejected at 10:15:00 (limit: 3)",
            "Select an account from the list where you hold positions",
            "see https://docs.example.com/errors/index.html:80",
            "https://api.example.com/problems/insufficient-funds",
            "com.amazon.coral.service#UnrecognizedClientException",
            "update the order and set a limit",
            "UK.OBIE.Resource.NotFound",
            "urn:au-cds:error:cds-all:Resource/NotFound",
            "must match ^[A-Z]{3}$",
            "ValidationError: quantity",
            "please look at the documentation (section 4:12)",
            "2026-01-31T10:15:30.123Z",
            "the file /statements/2026-01.csv was not found",
        ] {
            assert_eq!(first(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn never_panics(text in "(?s).*") {
            let _ = find(&text).count();
        }
    }
}
