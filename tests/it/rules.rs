//! Every defect of the reference API is reported under its rule's id; the clean API and its legal oddities are not.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::PathBuf,
    sync::Arc,
};

use fincheck::{
    families::{self, FAMILIES},
    plan::{Choice, Plan},
    record::Record,
    reference::{self, DEFECTS, Defect, Options, VARIANTS, tokens},
    rule::Verdict,
    run::{self, Silent},
    suite,
};
use futures_util::{StreamExt, future::join, stream};
use tokio_util::sync::CancellationToken;

const REFERENCE: &str = include_str!("../../suites/reference.yaml");
/// Enough rows to walk, few enough to be quick.
const TRANSACTIONS: usize = 2_000;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The suite that a run uses.
enum SuiteText<'a> {
    Inline(&'a str),
    File(PathBuf),
}

/// Which kind of limiter decides takes longest to find out, and few oddities have a say in it.
const KIND_OF_LIMITER: [&str; 2] = ["RATE-009", "RATE-012"];
const ABOUT_THE_KIND: [&str; 7] = [
    "clean",
    "limits.delays",
    "limits.one-token",
    "limits.window-aligned",
    "rate.admits-double",
    "rate.fixed-window-instead",
    "rate.throttles-early",
];

/// Everything, but the kind of limiter only where it may be another one; streams alone where streams are odd, and only
/// there: what is odd elsewhere is not told over them, and nothing of them elsewhere.
fn choice(what_is_odd: &str) -> Choice {
    if is_about_streams(what_is_odd) {
        return Choice { only: vec!["websocket".to_owned()], ..Choice::default() };
    }
    let mut skip = Vec::new();
    if !ABOUT_THE_KIND.contains(&what_is_odd) {
        skip.extend(KIND_OF_LIMITER.map(str::to_owned));
    }
    if what_is_odd != "clean" {
        skip.push("websocket".to_owned());
    }
    Choice { skip, ..Choice::default() }
}

fn is_about_streams(what_is_odd: &str) -> bool {
    what_is_odd.starts_with("stream.")
}

/// Streams for which much is waited for in vain; they are begun with.
const LONGEST: [&str; 3] = ["stream.no-acknowledgement", "stream.no-close-reply", "stream.silent-on-error"];

/// Runs a suite against the reference API.
async fn record(options: Options, text: &SuiteText<'_>, choice: Choice) -> Record {
    let api = reference::start(Options { transactions: TRANSACTIONS, ..options }).await.unwrap();
    let record = record_of(&api, text, choice).await;
    api.stop().await;
    record
}

/// Runs a suite against an API that goes on.
async fn record_of(api: &reference::Running, text: &SuiteText<'_>, choice: Choice) -> Record {
    let environment = |name: &str| {
        Some(match name {
            "FINCHECK_DEMO_URL" => api.base_url().to_owned(),
            "FINCHECK_DEMO_READER" => tokens::READER.to_owned(),
            "FINCHECK_DEMO_TRADER" => tokens::TRADER.to_owned(),
            "FINCHECK_DEMO_RIVAL" => tokens::RIVAL.to_owned(),
            "FINCHECK_DEMO_EXPIRING" => tokens::EXPIRING.to_owned(),
            _ => return None,
        })
    };
    let load = suite::Options { environment: &environment, env_file: &[], vars: &[], target: None, families: FAMILIES };
    let suite = match text {
        SuiteText::Inline(text) => suite::load_text("suite", text, &load),
        SuiteText::File(path) => suite::load_file(path, &load),
    };
    let suite = suite.unwrap_or_else(|report| panic!("{}", report.render(false, 100)));
    let plan = Plan::new(&suite, choice).unwrap();
    let run = run::Options { jobs: 4, seed: 1, ..run::Options::default() };
    run::run(&plan, &run, Arc::new(Silent), CancellationToken::new()).await.unwrap()
}

/// What failed: `PAG-005 critical positions`.
fn failures(record: &Record) -> BTreeSet<String> {
    let failed = record.findings.iter().filter(|finding| finding.verdict == Verdict::Fail);
    failed.map(|f| format!("{} {} {}", f.rule, f.severity.as_str(), f.check)).collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// So many runs go on at once on each of two threads: most of a run is waiting.
const AT_ONCE: usize = 12;
/// The same where streams are checked, which takes more of a machine.
const STREAMS_AT_ONCE: usize = 2;

/// Does this with every named item, on two threads.
fn on_two_threads<T: Send, R: Send, F: Future<Output = R>>(
    items: Vec<(&str, T)>,
    work: impl Fn(T) -> F + Sync,
) -> Vec<R> {
    let (even, odd): (Vec<_>, Vec<_>) = items.into_iter().enumerate().partition(|(number, _)| number % 2 == 0);
    let half = |items: Vec<(usize, (&str, T))>| {
        let (mut streams, others): (Vec<_>, Vec<_>) =
            items.into_iter().map(|(_, item)| item).partition(|(name, _)| is_about_streams(name));
        streams.sort_by_key(|(name, _)| !LONGEST.contains(name));
        let others = stream::iter(others).map(|(_, item)| work(item)).buffer_unordered(AT_ONCE);
        let streams = stream::iter(streams).map(|(_, item)| work(item)).buffer_unordered(STREAMS_AT_ONCE);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (mut done, of_streams): (Vec<R>, Vec<R>) = runtime.block_on(join(others.collect(), streams.collect()));
        done.extend(of_streams);
        done
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| half(odd));
        let mut done = half(even);
        done.extend(other.join().unwrap());
        done
    })
}

/// What failed with a defect.
async fn failed_with(defect: &'static Defect) -> (&'static str, BTreeSet<String>) {
    let options = Options { defects: vec![defect], ..Options::default() };
    (defect.name, failures(&record(options, &SuiteText::Inline(REFERENCE), choice(defect.name)).await))
}

/// Whether a rule that a defect is to trip did not.
fn is_missed(defect: &Defect, failed: &BTreeSet<String>) -> bool {
    defect.rules.iter().any(|rule| !failed.iter().any(|failure| failure.starts_with(rule)))
}

#[test]
fn every_defect_is_reported_under_its_rule() {
    let mut seen: BTreeMap<&str, BTreeSet<String>> =
        on_two_threads(DEFECTS.iter().map(|defect| (defect.name, defect)).collect(), failed_with).into_iter().collect();
    let path = root().join("fixtures/expected/defects.txt");
    let expected = std::fs::read_to_string(&path).unwrap();
    // Beside many others a run may not get to work in time: what needs calm gets it.
    for defect in DEFECTS {
        let failed = &seen[defect.name];
        if is_missed(defect, failed) || entry(&expected, defect.name) != told_of(defect, failed) {
            seen.extend([runtime().block_on(failed_with(defect))]);
        }
    }
    let mut missed = String::new();
    let mut told = String::new();
    for defect in DEFECTS {
        let failed = &seen[defect.name];
        for rule in defect.rules {
            if !failed.iter().any(|failure| failure.starts_with(rule)) {
                writeln!(missed, "{} did not trip {rule}", defect.name).unwrap();
            }
        }
        told.push_str(&told_of(defect, failed));
    }
    assert!(missed.is_empty(), "{missed}");
    // All ids that each defect triggers, so that collateral noise shows in review.
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &told).unwrap();
        return;
    }
    assert!(told == expected, "UPDATE_EXPECT=1 rewrites {}:\n{}", path.display(), difference(&expected, &told));
}

/// A defect and all that it triggers, as the list of them has it.
fn told_of(defect: &Defect, failed: &BTreeSet<String>) -> String {
    let failures: BTreeSet<&str> = failed.iter().filter_map(|failure| without_chance(defect, failure)).collect();
    let mut told = format!("{}\n", defect.name);
    for failure in failures {
        writeln!(told, "  {failure}").unwrap();
    }
    told
}

/// What a list of defects has of this one.
fn entry<'l>(list: &'l str, name: &str) -> &'l str {
    let Some(start) = list.find(&format!("{name}\n")) else { return "" };
    let failures = list[start..].lines().skip(1).take_while(|line| line.starts_with(' '));
    let length: usize = failures.map(|line| line.len() + 1).sum();
    &list[start..start + name.len() + 1 + length]
}

/// What time does not decide. Several limits have a defect of limits, and both streams have one of streams; on which of
/// them it shows beyond doubt depends on time, and so does which other rules of the family notice it.
fn without_chance<'f>(defect: &Defect, failure: &'f str) -> Option<&'f str> {
    let family = match defect.name.split('.').next() {
        Some("rate") => "RATE-",
        Some("stream") => "WS-",
        _ => return Some(failure),
    };
    let is_owed = !failure.starts_with(family) || defect.rules.iter().any(|rule| failure.starts_with(rule));
    is_owed.then(|| failure.match_indices(' ').nth(1).map_or(failure, |(at, _)| &failure[..at]))
}

fn difference(expected: &str, actual: &str) -> String {
    let diff = similar::TextDiff::from_lines(expected, actual);
    diff.unified_diff().context_radius(2).to_string()
}

#[test]
fn a_second_run_with_the_same_seed_meets_nothing_of_the_first() {
    runtime().block_on(async {
        let api = reference::start(Options { transactions: TRANSACTIONS, ..Options::default() }).await.unwrap();
        let only = ["async_operation", "idempotency"].map(str::to_owned).to_vec();
        for _ in 0..2 {
            let choice = Choice { only: only.clone(), ..Choice::default() };
            let record = record_of(&api, &SuiteText::Inline(REFERENCE), choice).await;
            assert!(record.findings.iter().any(|finding| finding.verdict == Verdict::Pass));
            assert_eq!(failures(&record), BTreeSet::new());
        }
        api.stop().await;
    });
}

#[test]
fn every_rule_names_defects_that_exist_and_trip_it() {
    for judged in families::rules() {
        assert!(!judged.rule.defects.is_empty(), "{} has no defect", judged.rule.id);
        for name in judged.rule.defects {
            let defect = reference::defect(name).unwrap_or_else(|| panic!("{}: no defect {name}", judged.rule.id));
            assert!(defect.rules.contains(&judged.rule.id), "{name} does not claim {}", judged.rule.id);
        }
    }
    for defect in DEFECTS {
        for id in defect.rules {
            assert!(families::rule(id).is_some(), "{} names the unknown rule {id}", defect.name);
        }
    }
}

/// What the suite has to say differently for a variant, where the variant changes what the API documents.
fn suite_for(variant: &str) -> String {
    match variant {
        "oversize-rejected" => REFERENCE.replace("oversize: clamped", "oversize: rejected"),
        // Any page size is taken, so that none is there to be refused.
        "lenient-size" => {
            REFERENCE.replace("code: invalid_limit", "code: unknown_parameter").replace("limit=-1", "unknown=-1")
        }
        // How a limit refuses is documented.
        "limits.503" => {
            let declared = "refusal: { status: [503] }\n    limit: { quota";
            REFERENCE
                .replace(", status: [429] }", ", status: [503] }")
                .replace("    refusal: { code", "    # refusal: { code")
                .replace("limit: { quota", declared)
        }
        "limits.house-code-200" => {
            let declared =
                "refusal: { code: { path: '$.error[0]', values: ['EAPI:Rate limit exceeded'] } }\n    limit: { quota";
            let envelope = "    fields: $.errors\n    also: [{ type: object, required: [error] }]\n";
            REFERENCE
                .replace("    refusal: { code", "    # refusal: { code")
                .replace("limit: { quota", declared)
                .replace("    fields: $.errors\n", envelope)
        }
        "idempotency.natural-duplicate" => REFERENCE.replace("replay: stored", "replay: refused"),
        "webhook.recipe-stripe" => REFERENCE.replace("recipe: standard-webhooks", "recipe: stripe"),
        "webhook.recipe-square" => REFERENCE.replace("recipe: standard-webhooks", "recipe: square"),
        "webhook.recipe-gocardless" => REFERENCE.replace("recipe: standard-webhooks", "recipe: gocardless"),
        "anchor-restart-code" => REFERENCE.replace(
            "    other_client: rival\n    churn:",
            "    restart: { status: 409, contains: cursor_expired_restart }\n    other_client: rival\n    churn:",
        ),
        // Where numbers are counted for each connection is documented.
        "stream.numbers-per-connection" => {
            REFERENCE.replace("sequence: { last: $.sequence }", "sequence: { last: $.sequence, per: connection }")
        }
        "idempotency.replay-current" => REFERENCE.replace("replay: stored", "replay: current"),
        "house-errors" => {
            let (before, rest) = REFERENCE.split_once("  errors:\n    media_type").unwrap();
            let (_, after) = rest.split_once("\n\n").unwrap();
            format!(
                "{before}  errors:\n    media_type: application/json\n    code: $.error.code\n    message: $.error.message\n    \
                 correlation_id: $.error.request_id\n\n{after}"
            )
        }
        _ => REFERENCE.to_owned(),
    }
}

/// What is legal, and worth saying.
const ADVICE: [(&str, &str); 1] = [("stream.close-without-code", "WS-016 info market stream")];

#[test]
fn the_clean_api_and_its_legal_oddities_are_not_accused() {
    let names: Vec<(&str, Option<&str>)> = std::iter::once(("clean", None))
        .chain(
            VARIANTS
                .iter()
                .map(|variant| variant.name)
                .filter(|name| !name.starts_with("paging."))
                .map(|n| (n, Some(n))),
        )
        .collect();
    let accused = on_two_threads(names, |name| async move {
        let variants = name.and_then(reference::variant).into_iter().collect();
        let text = name.map_or_else(|| REFERENCE.to_owned(), suite_for);
        let choice = choice(name.unwrap_or("clean"));
        let record = record(Options { variants, ..Options::default() }, &SuiteText::Inline(&text), choice).await;
        let advice = ADVICE.iter().filter(|(about, _)| name == Some(*about)).map(|(_, advice)| *advice);
        told(name.unwrap_or("clean"), &record, &advice.collect::<Vec<_>>())
    });
    let accused: String = accused.concat();
    assert!(accused.is_empty(), "{accused}");
}

/// How the listing is spelled, and what is said of counted pages without any proof of harm.
const STYLES: &[(&str, &[&str])] = &[
    ("paging.cursor-header", &[]),
    ("paging.link-header-array", &[]),
    ("paging.next-url", &[]),
    ("paging.last-id", &[]),
    ("paging.has-more", &[]),
    ("paging.offset", &["PAG-019 info positions"]),
    ("paging.page-number", &["PAG-019 info positions"]),
];

#[test]
fn every_spelling_of_pagination_is_walked_and_not_accused() {
    let known: BTreeSet<&str> = STYLES.iter().map(|(name, _)| *name).collect();
    let all: BTreeSet<&str> =
        VARIANTS.iter().map(|variant| variant.name).filter(|n| n.starts_with("paging.")).collect();
    assert_eq!(known, all);
    let accused: Vec<String> = runtime().block_on(async {
        stream::iter(STYLES)
            .map(|(name, advice)| async move {
                let variants = reference::variant(name).into_iter().collect();
                let file = root().join(format!("fixtures/suites/paging/{name}.yaml"));
                let record =
                    record(Options { variants, ..Options::default() }, &SuiteText::File(file), Choice::default()).await;
                let mut told = told(name, &record, advice);
                // A spelling that is not understood would be silent too: the walk must have been judged.
                for rule in ["PAG-004", "PAG-005", "PAG-010"] {
                    if !record.findings.iter().any(|f| f.rule == rule && f.verdict == Verdict::Pass) {
                        writeln!(told, "{name}: {rule} did not pass").unwrap();
                    }
                }
                told
            })
            .buffer_unordered(16)
            .collect()
            .await
    });
    let accused = accused.concat();
    assert!(accused.is_empty(), "{accused}");
}

/// Every failure that is not among the expected ones, and every judgement that could not be made at all.
fn told(name: &str, record: &Record, expected: &[&str]) -> String {
    let mut told = String::new();
    for finding in record.findings.iter().filter(|finding| finding.verdict == Verdict::Fail) {
        let line = format!("{} {} {}", finding.rule, finding.severity.as_str(), finding.check);
        if !expected.contains(&line.as_str()) {
            writeln!(told, "{name}: {line}: {} ({})", finding.message, finding.actual).unwrap();
        }
    }
    if let Some(stopped) = &record.stopped {
        writeln!(told, "{name}: stopped: {stopped:?}").unwrap();
    }
    told
}

#[test]
fn without_the_permit_to_write_nothing_is_written() {
    let text = REFERENCE.replace("permits: [read, write, burst, disconnect, malformed]", "permits: [read]");
    assert_ne!(text, REFERENCE);
    let record = runtime().block_on(record(Options::default(), &SuiteText::Inline(&text), Choice::default()));
    let written: Vec<&str> = record
        .exchanges
        .iter()
        .filter(|exchange| exchange.request.method != "GET" && !exchange.request.url.contains("/oauth/"))
        .map(|exchange| exchange.purpose.as_str())
        .collect();
    assert_eq!(written, Vec::<&str>::new());
    assert!(record.exchanges.len() > 50);
}
