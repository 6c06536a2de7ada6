//! RATE-007 and RATE-008: the fields that tell of a limit can be read and agree with each other.

use std::collections::BTreeMap;

use super::{
    super::{
        config::{Dialect, Model},
        evidence::{Answer, Burst, Evidence},
        signal::{self, Counter, Reset, Structured},
    },
    count, on,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const RATE_007: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-007",
        slug: "ratelimit-fields-broken",
        family: "rate_limit",
        title: "RateLimit and RateLimit-Policy can be read and agree",
        sent: "The limited request; every answer is read.",
        requirement: "The fields have the form of a version of the draft (otherwise major). From version 08 on each \
                      policy has a quota, each limit says what is left, of a policy that is there, and not more than \
                      its quota unless bursts are declared.",
        not_applicable: "The fields are not sent.",
        severity: Severity::Minor,
        strength: Strength::Convention,
        source: "draft-ietf-httpapi-ratelimit-headers §3.1, §4.1, §6, §7.3 (work in progress); RFC 9651",
        remedy: "Write the fields with a library for structured fields, both from the same policies.",
        defects: &["rate.dangling-policy", "rate.unparseable-fields"],
    },
    judge: |evidence| on(evidence, structured),
};

pub(super) const RATE_008: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "RATE-008",
        slug: "counters-incoherent",
        family: "rate_limit",
        title: "Counters of a limit are coherent",
        sent: "The limited request, one after another; the counters of every answer are compared.",
        requirement: "What is left is never negative, does not rise within a window that is declared fixed, and the \
                      reset keeps one unit: the declared one, if one is.",
        not_applicable: "No counters are sent.",
        severity: Severity::Minor,
        strength: Strength::Convention,
        source: "Zalando RESTful API Guidelines, rule 153; draft-ietf-httpapi-ratelimit-headers, interoperability issues",
        remedy: "Clamp what is left at zero, take all counters from one place, and write the reset in one unit.",
        defects: &["rate.negative-remaining", "rate.remaining-rises"],
    },
    judge: |evidence| on(evidence, counters),
};

fn structured(evidence: &Evidence) -> Judgement {
    if !matches!(evidence.declared.signal.dialect, Dialect::Auto | Dialect::Ietf | Dialect::Draft07) {
        return Judgement::not_applicable("other fields are declared to tell of the limit");
    }
    let limit = evidence.declared.limit.as_ref();
    let bursts = limit.is_some_and(|limit| limit.burst > 0 || limit.model == Some(Model::TokenBucket));
    let (mut named, mut older) = (Vec::new(), 0);
    for answer in evidence.answers().filter(|answer| !answer.is_cached()) {
        let (ratelimit, policy) = (answer.field("ratelimit"), answer.field("ratelimit-policy"));
        match signal::structured(ratelimit.as_deref(), policy.as_deref()) {
            Structured::Absent => {}
            Structured::Single { .. } | Structured::OldPolicy => older += 1,
            Structured::Unparseable(text) => {
                return Judgement::fail("a field that tells of the limit cannot be read")
                    .severity(Severity::Major)
                    .expected("a list of named items, such as RateLimit: \"default\";r=50;t=30")
                    .expected("the form of an older version, such as RateLimit: limit=100, remaining=50, reset=30")
                    .actual(text)
                    .cite([answer.exchange]);
            }
            Structured::Named { policies, states, flaws } => {
                named.push(answer);
                let mut wrong = flaws;
                for state in &states {
                    let same: Vec<_> = policies.iter().filter(|policy| policy.name == state.name).collect();
                    if !policies.is_empty() && same.is_empty() {
                        wrong.push(format!("the limit \"{}\" is of a policy that is not there", state.name));
                    }
                    // Of several partitions with one name nobody can tell which is meant, unless they say so.
                    let own = same.iter().filter(|policy| state.pk.is_none() || policy.pk == state.pk);
                    if let (Some(r), Some(q), false) = (state.r, own.filter_map(|policy| policy.q).max(), bursts)
                        && r > q
                    {
                        wrong.push(format!("\"{}\" has {r} left of a quota of {q}", state.name));
                    }
                }
                if let Some(first) = wrong.first() {
                    let mut judgement = Judgement::fail("the fields that tell of the limit do not agree")
                        .expected("each policy with a quota, each limit with what is left of a policy that is there")
                        .actual(first.clone())
                        .detail(format!("RateLimit: {}", ratelimit.unwrap_or_default()))
                        .detail(format!("RateLimit-Policy: {}", policy.unwrap_or_default()))
                        .cite([answer.exchange]);
                    judgement.details.extend(wrong.into_iter().skip(1).take(5));
                    return judgement;
                }
            }
        }
    }
    match (named.first(), older) {
        (Some(first), _) => {
            Judgement::pass(format!("{} with readable fields", count(named.len(), "answer"))).cite([first.exchange])
        }
        (None, 0) => Judgement::not_applicable("no answer carries RateLimit or RateLimit-Policy"),
        (None, older) => {
            Judgement::pass(format!("{} with the fields of an older version of the draft", count(older, "answer")))
        }
    }
}

fn counters(evidence: &Evidence) -> Judgement {
    let read = |answer: &Answer| signal::counters(answer, &evidence.declared.signal);
    let answers: Vec<(&Answer, Vec<Counter>)> = evidence
        .answers()
        .filter(|answer| !answer.is_cached())
        .map(|answer| (answer, read(answer)))
        .filter(|(_, counters)| !counters.is_empty())
        .collect();
    let Some((first, _)) = answers.first() else {
        return Judgement::not_applicable("no answer carries counters of a limit");
    };
    for (answer, counters) in &answers {
        if let Some((counter, left)) =
            counters.iter().find_map(|counter| Some((counter, counter.remaining.filter(|left| *left < 0)?)))
        {
            return Judgement::fail("less than nothing is left")
                .expected("0 when the limit is spent")
                .actual(format!("{}: {left} left", counter.name))
                .cite([answer.exchange]);
        }
    }
    if let Some(judgement) = unit_changes(evidence, &answers) {
        return judgement;
    }
    let fixed = evidence.declared.limit.as_ref().filter(|limit| limit.model == Some(Model::FixedWindow));
    let mut judged = false;
    if let Some(window) = fixed.and_then(|limit| limit.window) {
        let window_us = u64::try_from(window.0.as_micros()).unwrap_or(u64::MAX);
        for burst in &evidence.bursts {
            judged |= burst.sequential >= 3;
            if let Some(judgement) = rises(evidence, burst, window_us) {
                return judgement;
            }
        }
    }
    if answers.len() < 2 {
        return Judgement::inconclusive("only one answer carries counters").cite([first.exchange]);
    }
    let judgement =
        Judgement::pass(format!("the counters of {} agree", count(answers.len(), "answer"))).cite([first.exchange]);
    if judged {
        judgement
    } else {
        judgement.detail("whether what is left falls is judged only where a fixed window is declared with its length")
    }
}

/// The reset in two units, or in another than declared.
fn unit_changes(evidence: &Evidence, answers: &[(&Answer, Vec<Counter>)]) -> Option<Judgement> {
    let mut seen: BTreeMap<&str, (&Answer, String)> = BTreeMap::new();
    for (answer, counters) in answers {
        for counter in counters {
            let Some(reset) = &counter.reset else { continue };
            let unit = match (reset.unit(), reset) {
                (Some(unit), _) => signal::unit_name(unit).to_owned(),
                (None, Reset::Unknown(text)) if signal::is_instant(text) => {
                    "an instant in a form of its own".to_owned()
                }
                _ => continue,
            };
            let declared = evidence.declared.signal.reset_unit.map(signal::unit_name);
            if let Some(declared) = declared.filter(|declared| *declared != unit) {
                let judgement = Judgement::fail("the reset is not in the declared unit")
                    .expected(declared)
                    .actual(format!("{}: {unit}", shown(answer, counter)))
                    .cite([answer.exchange]);
                return Some(judgement);
            }
            match seen.get(counter.name.as_str()) {
                None => {
                    seen.insert(&counter.name, (answer, unit));
                }
                Some((_, known)) if *known == unit => {}
                Some((other, known)) => {
                    let judgement = Judgement::fail("the reset changes its unit")
                        .expected("one unit in every answer")
                        .actual(format!("{unit} in {}, {known} in {}", answer.exchange, other.exchange))
                        .detail(format!("{}: {}", answer.exchange, shown(answer, counter)))
                        .detail(format!("{}: {}", other.exchange, shown(other, counter)))
                        .cite([other.exchange, answer.exchange]);
                    return Some(judgement);
                }
            }
        }
    }
    None
}

fn shown(answer: &Answer, counter: &Counter) -> String {
    format!("{}: {}", counter.reset_field, answer.field(&counter.reset_field).unwrap_or_default())
}

/// What is left rises within one window: sharded counters may wobble a little, and one window may end meanwhile.
fn rises(evidence: &Evidence, burst: &Burst, window_us: u64) -> Option<Judgement> {
    let sequential = burst.answers.get(..burst.sequential)?;
    let begin = sequential.first()?.sent_us;
    let in_window = sequential.iter().take_while(|answer| answer.received_us < begin.saturating_add(window_us));
    let mut left: BTreeMap<String, Vec<(&Answer, i64, i64)>> = BTreeMap::new();
    for answer in in_window {
        for counter in signal::counters(answer, &evidence.declared.signal) {
            if let Some(remaining) = counter.remaining {
                let limit = counter.limit.unwrap_or(0);
                left.entry(counter.name).or_default().push((answer, remaining, limit));
            }
        }
    }
    for (name, values) in &left {
        let limit = values.iter().map(|(.., limit)| *limit).max().unwrap_or(0);
        let tolerance = (limit / 20).max(2);
        let jump = |at: usize| values[at].1.saturating_sub(values[at - 1].1);
        // At most one window ends within its length: the largest rise may be that.
        let turn = (1..values.len()).filter(|at| jump(*at) > 0).max_by_key(|at| jump(*at));
        let mut lowest = values.first()?;
        for (at, value) in values.iter().enumerate().skip(1) {
            if turn == Some(at) || value.1 < lowest.1 {
                lowest = value;
            } else if value.1.saturating_sub(lowest.1) > tolerance {
                let judgement = Judgement::fail("what is left rises within a fixed window")
                    .expected("each request leaves less, until the window ends")
                    .actual(format!("{name}: {} left, after {}", value.1, lowest.1))
                    .cite([lowest.0.exchange, value.0.exchange]);
                return Some(judgement);
            }
        }
    }
    None
}
