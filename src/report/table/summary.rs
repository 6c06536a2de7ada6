//! What the report opens and closes with.

use super::page::{BAD, GOOD, Page, STRONG, WARN};
use crate::{
    report::{View, text},
    score::{Grade, Ledger, Tenths},
};

/// What was tested, and when.
pub(super) fn header(page: &mut Page, view: &View<'_>) {
    page.marked(STRONG, "fincheck", &format!("{}: {}", view.fincheck, view.suite.name));
    page.labelled("suite", &view.suite.file);
    page.labelled("target", view.target);
    page.labelled("started", view.started_at);
    if let Some(stopped) = view.stopped {
        use crate::record::Stopped::{Budget, Interrupted, LoginRefused, Setup, Unavailable, Unreachable};
        let (what, message) = match stopped {
            Interrupted => ("interrupted", ""),
            Budget(message) => ("budget spent:", message.as_str()),
            Unreachable(message) => ("target unreachable:", message.as_str()),
            Unavailable(message) => ("target not available:", message.as_str()),
            LoginRefused(message) => ("login refused:", message.as_str()),
            Setup(message) => ("setup failed:", message.as_str()),
        };
        page.marked(BAD, "INCOMPLETE", format!("the run ended before its plan did: {what} {message}").trim_end());
    }
}

/// A column of the table of families, and whether it is shown even where all of it is zero.
type Column = (&'static str, fn(&Ledger) -> u32, bool);

const COLUMNS: [Column; 6] = [
    ("passed", |ledger| ledger.passed, true),
    ("failed", |ledger| ledger.failed, true),
    ("waived", |ledger| ledger.waived, false),
    ("inconclusive", |ledger| ledger.inconclusive, true),
    ("n/a", |ledger| ledger.not_applicable, true),
    ("not judged", |ledger| ledger.not_permitted + ledger.not_run, false),
];

/// The families, one line each.
pub(super) fn families(page: &mut Page, view: &View<'_>) {
    if view.score.families.is_empty() {
        return;
    }
    let columns: Vec<_> =
        COLUMNS.iter().filter(|(_, count, always)| *always || count(&view.score.ledger) > 0).collect();
    let mut header = vec!["family", "score"];
    header.extend(columns.iter().map(|(name, ..)| *name));
    let rows = view
        .score
        .families
        .iter()
        .map(|family| {
            let mut row = vec![family.family.clone(), family.score.map_or("-".to_owned(), |score| score.to_string())];
            row.extend(columns.iter().map(|(_, count, _)| count(&family.ledger).to_string()));
            row
        })
        .collect();
    page.blank();
    page.table(&header, rows);
}

/// The counts, which add up, and the score.
pub(super) fn sums(page: &mut Page, view: &View<'_>) {
    let score = &view.score;
    page.heading("summary");
    page.labelled("ledger", &score.ledger.to_string());
    page.labelled(
        "score",
        &match score.score {
            Some(score) => format!("{score} of 100"),
            None => "none: nothing that is scored was judged".to_owned(),
        },
    );
    page.labelled(
        "grade",
        &match score.grade {
            Some(grade) => grade_line(grade, score.score),
            None => "none".to_owned(),
        },
    );
    page.labelled(
        "coverage",
        &match score.coverage {
            Some(coverage) => {
                let ledger = &score.ledger;
                let seen = ledger.judged + ledger.inconclusive + ledger.not_run;
                format!("{coverage} % ({} judged of {seen} that could be)", ledger.judged)
            }
            None => "none: nothing could be judged".to_owned(),
        },
    );
    let milliseconds = |ms: u64| text::microseconds(ms.saturating_mul(1000));
    let waited = view
        .longest_wait
        .map(|wait| format!(", of which {} {} waited {}", wait.family, wait.check, milliseconds(wait.waited_ms)));
    page.labelled("duration", &format!("{}{}", milliseconds(view.duration_ms), waited.unwrap_or_default()));
    page.labelled("requests", &format!("{} (seed {})", view.requests, view.seed));
}

fn grade_line(grade: Grade, score: Option<Tenths>) -> String {
    match score.map(|score| Grade::of(score, false)) {
        Some(earned) if earned != grade => {
            format!(
                "{} (a critical failure allows no better; the score alone is worth {})",
                grade.as_str(),
                earned.as_str()
            )
        }
        _ => grade.as_str().to_owned(),
    }
}

/// Whether the gate was passed, and if not, every reason.
pub(super) fn decision(page: &mut Page, view: &View<'_>) {
    let decision = &view.gate.decision;
    page.blank();
    let (style, word, meaning) = match decision.exit_code {
        0 => (GOOD, "PASSED", "the gate"),
        1 => (BAD, "FAILED", "the target fell short of the gate"),
        130 => (WARN, "INTERRUPTED", "the gate is not decided"),
        _ => (WARN, "UNDECIDED", "the run could not be completed or judged"),
    };
    page.marked(style, word, &format!("{meaning} (exit code {})", decision.exit_code));
    decision.reasons.iter().for_each(|reason| page.item(2, reason));
}
