//! RATE-002 and RATE-004: a refusal tells when to come back, and its signals agree.

use super::{
    super::{
        clock::epoch_us,
        evidence::{Answer, Evidence},
        signal::{self, Asked, Counter, Reset},
    },
    EXAMPLES, cited, count, on, refusals, seconds, unspent,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const RATE_002: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-002",
        slug: "refusal-without-wait",
        family: "rate_limit",
        title: "A refusal tells when to come back",
        sent: "The limited request until it is refused.",
        requirement: "Every refusal carries Retry-After, a whole number of seconds or an HTTP-date, or header fields \
                      that say when there will be more; a Retry-After in another form is wrong in any case.",
        not_applicable: "Refusals with a status of success.",
        severity: Severity::Major,
        strength: Strength::Convention,
        source: "RFC 9110 §10.2.3, §5.6.7 (form); RFC 6585 §4 (MAY carry it); UK Open Banking and AU CDR (SHOULD)",
        remedy: "Send Retry-After with every 429, in whole seconds, rounded up.",
        defects: &["rate.no-retry-after", "rate.fractional-retry-after", "rate.epoch-retry-after"],
    },
    judge: |evidence| on(evidence, tells),
};

pub(super) const RATE_004: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-004",
        slug: "waits-disagree",
        family: "rate_limit",
        title: "Advertised waits are coherent",
        sent: "The limited request until it is refused, and again after the wait.",
        requirement: "Retry-After is not earlier than the reset of what is spent, and does not say \"at once\" while the \
                      limit stays spent.",
        not_applicable: "Refusals carry only one signal.",
        severity: Severity::Minor,
        strength: Strength::Should,
        source: "draft-ietf-httpapi-ratelimit-headers §6 (SHOULD NOT be earlier), §7; RFC 9110 §10.2.3",
        remedy: "Compute Retry-After and the reset from the same instant, and round both up.",
        defects: &["rate.reset-beyond-retry-after", "rate.zero-retry-after"],
    },
    judge: |evidence| on(evidence, coherent),
};

fn tells(evidence: &Evidence) -> Judgement {
    let met = refusals(evidence);
    if met.is_empty() {
        return unspent(evidence).unwrap_or_else(|| Judgement::inconclusive("no refusal was met"));
    }
    let errors: Vec<&Answer> = met.into_iter().filter(|answer| answer.status >= 400).collect();
    if errors.is_empty() {
        return Judgement::not_applicable("refusals have a status of success, which no Retry-After belongs to");
    }
    let flaws: Vec<(&Answer, String)> =
        errors.iter().filter_map(|answer| Some((*answer, flaw(answer, evidence)?))).collect();
    let Some((first, what)) = flaws.first() else {
        let told = errors.iter().find_map(|answer| signal::told(answer, &evidence.declared.signal, &evidence.clock));
        let by = told.map_or_else(|| "Retry-After".to_owned(), |told| told.by);
        return Judgement::pass(format!("{} said when to come back ({by})", count(errors.len(), "refusal")))
            .cite(cited(errors));
    };
    let mut judgement =
        Judgement::fail(format!("{} of {} did not say when to come back", flaws.len(), count(errors.len(), "refusal")))
            .expected("Retry-After with a whole number of seconds")
            .expected("Retry-After with an HTTP-date")
            .expected("RateLimit, RateLimit-Reset, X-RateLimit-Reset or a declared field that says when")
            .actual(what.clone())
            .cite([first.exchange]);
    for (answer, what) in flaws.iter().skip(1).take(EXAMPLES - 1) {
        judgement = judgement.detail(format!("{}: {what}", answer.exchange)).cite([answer.exchange]);
    }
    judgement
}

/// What keeps a client from learning when to come back.
fn flaw(answer: &Answer, evidence: &Evidence) -> Option<String> {
    match signal::asked(answer) {
        Some(Asked::Malformed(flaw)) => {
            let value = answer.field("retry-after").unwrap_or_default();
            Some(format!("Retry-After: {value} ({})", flaw.told()))
        }
        Some(Asked::Seconds(_) | Asked::Date(_)) => None,
        None if signal::told(answer, &evidence.declared.signal, &evidence.clock).is_some() => None,
        None => Some(format!("status {} without Retry-After or another field that says when", answer.status)),
    }
}

/// One second may be lost to rounding on either side.
const ROUNDING_MS: i64 = 1_000;
/// Two header fields with a resolution of one second each, one of them by the clock.
const BY_THE_CLOCK_MS: i64 = 2_000;

fn coherent(evidence: &Evidence) -> Judgement {
    if let Some(judgement) = unspent(evidence) {
        return judgement;
    }
    if let Some(judgement) = now_and_not_now(evidence) {
        return judgement;
    }
    let mut compared = Vec::new();
    for answer in refusals(evidence).into_iter().filter(|answer| !answer.is_cached()) {
        let Some((asked_ms, tolerance)) = asked_ms(answer) else { continue };
        let resets = signal::counters(answer, &evidence.declared.signal);
        let Some((reset_ms, field)) = resets.iter().filter_map(spent_reset).max() else { continue };
        if asked_ms + tolerance < reset_ms {
            let asked = answer.field("retry-after").unwrap_or_default();
            return Judgement::fail("Retry-After is earlier than the reset of the limit that is spent")
                .expected(format!("Retry-After of at least {} seconds", reset_ms / 1_000))
                .expected("a reset not later than Retry-After")
                .actual(format!("Retry-After: {asked}, and {field} says {} s", reset_ms / 1_000))
                .cite([answer.exchange]);
        }
        compared.push(answer);
    }
    if compared.is_empty() {
        return Judgement::not_applicable("refusals carry one signal at most, which agrees with itself");
    }
    let mut judgement =
        Judgement::pass(format!("in {} Retry-After was not earlier than the reset", count(compared.len(), "refusal")))
            .cite(cited(compared));
    let window = evidence.declared.limit.as_ref().and_then(|limit| limit.window);
    let longest = evidence.waits.iter().filter_map(|wait| wait.told_ms).max();
    if let (Some(window), Some(longest)) = (window, longest)
        && u128::from(longest) > window.0.as_millis() + 1_000
    {
        judgement = judgement.detail(format!("a wait of {} is longer than the window of {window}", seconds(longest)));
    }
    judgement
}

/// What Retry-After asks for, in milliseconds, and how far other fields may be from it.
fn asked_ms(answer: &Answer) -> Option<(i64, i64)> {
    match signal::asked(answer)? {
        Asked::Seconds(seconds) => Some((i64::try_from(seconds).ok()?.saturating_mul(1_000), ROUNDING_MS)),
        Asked::Date(date) => {
            let sent = epoch_us(&answer.field("date")?)?;
            Some((date.saturating_sub(sent) / 1_000, BY_THE_CLOCK_MS))
        }
        Asked::Malformed(_) => None,
    }
}

/// The reset of a limit that is spent, in milliseconds, where the fields are those that the draft speaks of.
fn spent_reset(counter: &Counter) -> Option<(i64, &str)> {
    let spent = counter.ietf && counter.remaining.is_none_or(|left| left <= 0);
    match counter.reset {
        Some(Reset::Delta(seconds)) if spent => {
            Some((i64::try_from(seconds).ok()?.saturating_mul(1_000), counter.reset_field.as_str()))
        }
        _ => None,
    }
}

/// A refusal that says "now", repeatedly, while the limit stays spent for more than a moment.
fn now_and_not_now(evidence: &Evidence) -> Option<Judgement> {
    let at_once = |answer: &Answer| {
        asked_ms(answer).is_some_and(|(ms, tolerance)| ms <= 0 && (tolerance == ROUNDING_MS || ms < -BY_THE_CLOCK_MS))
    };
    let zeros: Vec<&Answer> = refusals(evidence).into_iter().filter(|answer| at_once(answer)).collect();
    let refuted = evidence
        .waits
        .iter()
        .find(|wait| at_once(&wait.refusal) && wait.answer.is_refused() && wait.waited_ms >= 1_000)?;
    if zeros.len() < 2 {
        return None;
    }
    let asked = refuted.refusal.field("retry-after").unwrap_or_default();
    let judgement = Judgement::fail("a refusal says to come back at once, and the limit stays spent")
        .expected("Retry-After that says how long the limit stays spent")
        .actual(format!("Retry-After: {asked}, and refused again {} later", seconds(refuted.waited_ms)))
        .cite([refuted.refusal.exchange, refuted.answer.exchange]);
    Some(judgement)
}
