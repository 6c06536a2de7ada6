//! Failures, each as a block from which an engineer can act.

use super::{
    page::{BAD, Page, WARN},
    stream,
};
use crate::{
    exchange::{Body, Exchange, Recorded, RecordedResponse},
    report::{FindingView, View, text},
    rule::{Finding, Severity},
};

/// So many failures are shown in full; the others in a line each.
const BLOCKS: usize = 20;
/// So many details of a failure are shown.
const DETAILS: usize = 12;
/// A longer command, mostly one with a huge query, is left to the JSON report.
const LONGEST_COMMAND: usize = 2_000;
/// So many exchanges of a failure are shown.
const EXCHANGES: usize = 4;
/// How much of a body is shown: lines and characters.
const BODY: (usize, usize) = (6, 400);

/// Fields of a response that explain a verdict more often than not. Those that end in `-` name a prefix.
const TELLING_FIELDS: [&str; 15] = [
    "allow",
    "content-encoding",
    "deprecation",
    "etag",
    "idempotency-",
    "link",
    "location",
    "preference-applied",
    "ratelimit",
    "ratelimit-",
    "retry-after",
    "sunset",
    "vary",
    "www-authenticate",
    "x-ratelimit-",
];

/// Every failure that is not waived, worst first.
pub(super) fn all(page: &mut Page, view: &View<'_>) {
    let failures = view.failures();
    let (full, brief) = failures.split_at(failures.len().min(BLOCKS));
    for failure in full {
        page.blank();
        block(page, view, failure);
    }
    if !brief.is_empty() {
        page.heading(&format!(
            "{} in brief; the JSON report has all of each",
            text::count(brief.len() as u64, "more failure")
        ));
        for FindingView { finding, .. } in brief {
            let severity = finding.severity.as_str();
            page.item(2, &format!("{severity} {} {}: {}", finding.rule, finding.check, finding.message));
        }
    }
}

fn block(page: &mut Page, view: &View<'_>, failure: &FindingView<'_>) {
    let finding = failure.finding;
    let style = if finding.severity >= Severity::Major { BAD } else { WARN };
    let mark = format!("FAIL {}", finding.severity.as_str());
    page.marked(style, &mark, &format!("{} {}  {}", finding.rule, finding.check, finding.title));
    if let Some(was) = finding.severity_was {
        let direction = if finding.severity > was { "raised" } else { "lowered" };
        page.paragraph(&format!("the suite {direction} the severity from {}", was.as_str()));
    }
    page.paragraph(&finding.message);
    for (n, expected) in finding.expected.iter().enumerate() {
        page.labelled(if n == 0 { "expected" } else { "or" }, expected);
    }
    if !finding.actual.is_empty() {
        page.labelled("actual", &finding.actual);
    }
    details(page, finding);
    exchanges(page, view, finding);
    if let Some(curl) = &failure.curl {
        if curl.command.len() > LONGEST_COMMAND {
            let length = curl.command.len();
            page.labelled("repeat", &format!("with the command in the JSON report, which has {length} characters"));
        } else {
            page.labelled("repeat", "with this command");
            curl.notes.iter().for_each(|note| page.item(13, note));
            let width = usize::from(page.width());
            page.verbatim(curl.lines(width));
        }
    }
    page.labelled("source", &finding.source);
    page.labelled("more", &format!("fincheck explain {}", finding.rule));
}

fn details(page: &mut Page, finding: &Finding) {
    finding.details.iter().take(DETAILS).for_each(|detail| page.item(4, detail));
    if let Some(more) = finding.details.len().checked_sub(DETAILS).filter(|more| *more > 0) {
        page.item(4, &format!("and {more} more, in the JSON report"));
    }
}

/// The first exchanges that are cited and always the last, which decides; of that one also what came back.
fn exchanges(page: &mut Page, view: &View<'_>, finding: &Finding) {
    let cited: Vec<_> = finding.exchanges.iter().filter_map(|id| view.exchange(*id)).collect();
    let Some((deciding, before)) = cited.split_last() else {
        return;
    };
    let shown = before.len().min(EXCHANGES - 1);
    for (n, exchange) in before[..shown].iter().enumerate() {
        page.labelled(if n == 0 { "exchanges" } else { "" }, &brief(view.target, exchange));
    }
    if before.len() > shown {
        let left_out: Vec<_> = before[shown..].iter().take(DETAILS).map(|exchange| exchange.id.to_string()).collect();
        let etc = if before.len() - shown > left_out.len() { ", …" } else { "" };
        page.labelled("", &format!("{} more: {}{etc}", before.len() - shown, left_out.join(", ")));
    }
    page.labelled(if shown == 0 { "exchange" } else { "" }, &brief(view.target, deciding));
    match &deciding.outcome {
        Recorded::Response(response) => answer(page, response),
        Recorded::Stream(stream) => stream::frames(page, deciding.sent_us, stream),
        Recorded::Failed(_) => {}
    }
}

/// `#12 GET /v1/accounts -> 200, 1.2 ms, 345 bytes, application/json`.
fn brief(target: &str, exchange: &Exchange) -> String {
    let Exchange { id, client, duration_us, request, outcome, .. } = exchange;
    let url = match request.url.strip_prefix(target.trim_end_matches('/')) {
        Some(path) if path.starts_with(['/', '?']) => path,
        _ => request.url.as_str(),
    };
    let duration = text::microseconds(*duration_us);
    let came_back = match outcome {
        Recorded::Response(response) => {
            let media_type =
                response.headers.media_type().map_or_else(String::new, |media_type| format!(", {media_type}"));
            format!("{}, {duration}, {}{media_type}", response.status, text::count(response.body.length, "byte"))
        }
        Recorded::Stream(stream) => stream::brief(stream, &duration),
        Recorded::Failed(failure) => format!("no response after {duration}: {failure}"),
    };
    format!("{id} {} {url} as {client} -> {came_back}", request.method)
}

fn answer(page: &mut Page, response: &RecordedResponse) {
    for (name, value) in response.headers.iter() {
        if TELLING_FIELDS.iter().any(|known| *known == name || (known.ends_with('-') && name.starts_with(known))) {
            page.labelled("", &format!("{name}: {value}"));
        }
    }
    match &response.body {
        Body { length: 0, .. } => {}
        Body { text: Some(content), length, .. } => {
            let (beginning, whole) = text::beginning(content, BODY.0, BODY.1);
            let rest = if whole { String::new() } else { format!("\n… ({} in all)", text::count(*length, "byte")) };
            page.quoted("content", &format!("{beginning}{rest}"));
        }
        Body { text: None, length, sha256 } => {
            let hash = sha256.as_ref().map_or_else(String::new, |hash| format!(", SHA-256 {hash}"));
            page.labelled("content", &format!("{} not kept{hash}", text::count(*length, "byte")));
        }
    }
}
