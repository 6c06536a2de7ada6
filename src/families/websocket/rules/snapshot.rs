//! Snapshots and deltas line up.

use super::{
    super::evidence::{Alignment, Evidence, Rebuilt, Snapshots},
    EXAMPLES, number, on, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_012: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-012",
        slug: "snapshot-apart-from-deltas",
        family: "websocket",
        title: "A snapshot and the deltas that follow it line up",
        sent: "A subscription whose deltas are kept; a snapshot, over HTTP or in the stream itself; where the suite says \
               how deltas change it, another snapshot later, and the first one brought up to its number by the deltas.",
        requirement: "The first delta that is not in a snapshot begins at its number plus one, or before. A snapshot that \
                      is brought up to the number of a later one equals it, value by value.",
        not_applicable: "There is no snapshot, or the suite does not say where it has its number.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "Binance \"how to manage a local order book correctly\"; Kraken WebSocket v2 book checksum",
        remedy: "Read the state and the number of the last event that changed it in one transaction, or under the lock \
                 under which events are numbered.",
        defects: &["stream.snapshot-behind", "stream.book-diverges"],
    },
    judge: |evidence| on(evidence, snapshot),
};

fn snapshot(evidence: &Evidence) -> Judgement {
    let declared = &evidence.declared;
    if !declared.rest_snapshot && !declared.streamed_snapshot {
        return Judgement::not_applicable("the suite names no snapshot");
    }
    if !declared.sequence || !declared.snapshot_sequence {
        return Judgement::not_applicable("the suite does not say where snapshots and deltas are numbered");
    }
    let Some(seen) = &evidence.snapshot else { return untried(evidence, None) };
    if seen.alignments.is_empty() && seen.rebuilt.is_empty() {
        return untried(evidence, seen.blocked.as_ref());
    }
    Judgement::worst(vec![aligned(seen), rebuilt(&seen.rebuilt)], "no snapshot came")
}

/// Whether a snapshot and the delta that follows it leave something out between them.
fn is_apart(one: &Alignment) -> bool {
    matches!((one.sequence, one.delta), (Some(sequence), Some((first, _))) if first > sequence.saturating_add(1))
}

/// Whether it could never be told, because each snapshot was older than the first delta.
fn is_older(one: &Alignment) -> bool {
    matches!((one.sequence, one.heard_from), (Some(sequence), Some(first)) if first > sequence.saturating_add(1))
}

fn aligned(seen: &Snapshots) -> Judgement {
    let cited = |list: &[&Alignment]| -> Vec<_> {
        list.iter().flat_map(|one| [Some(one.stream), one.snapshot]).flatten().collect()
    };
    let told: Vec<&Alignment> =
        seen.alignments.iter().filter(|one| one.delta.is_some() && one.sequence.is_some()).collect();
    let all: Vec<&Alignment> = seen.alignments.iter().collect();
    let apart: Vec<&Alignment> = seen.alignments.iter().filter(|one| is_apart(one) || is_older(one)).collect();
    if apart.len() > 1 {
        let mut judgement =
            Judgement::fail("between a snapshot and the first delta that is not in it, events are missing")
                .expected("a first delta that begins at the snapshot's number plus one, or before")
                .actual(format!("events are missing in {} of {} tries", apart.len(), all.len()))
                .cite(cited(&apart));
        judgement.details.extend(apart.iter().take(EXAMPLES).map(|one| line(one)));
        return judgement;
    }
    if let [one] = apart.as_slice() {
        let why = "events were missing after a snapshot once, and that could not be confirmed";
        return Judgement::inconclusive(why).detail(line(one)).cite(cited(&apart));
    }
    if seen.alignments.iter().all(|one| one.sequence.is_none()) {
        return Judgement::inconclusive("no snapshot has a number where the suite says").cite(cited(&all));
    }
    if told.is_empty() {
        return Judgement::inconclusive("no delta came after a snapshot").cite(cited(&all));
    }
    Judgement::pass(format!(
        "{} went together with the deltas after it",
        number(told.len() as u64, "snapshot", "snapshots")
    ))
    .cite(cited(&told))
}

fn line(one: &Alignment) -> String {
    let key = one.key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
    let sequence = one.sequence.map(|sequence| sequence.to_string()).unwrap_or_default();
    let delta = one.delta.map(|(first, _)| first).or(one.heard_from).map(|first| first.to_string()).unwrap_or_default();
    let tries = if one.attempts > 1 { format!(", in {} attempts", one.attempts) } else { String::new() };
    format!("{key}the snapshot's number is {sequence}, the first delta begins at {delta}{tries}")
}

fn rebuilt(all: &[Rebuilt]) -> Judgement {
    let wrong: Vec<&Rebuilt> = all.iter().filter(|one| !one.differences.is_empty()).collect();
    let cited = |list: &[&Rebuilt]| -> Vec<_> {
        list.iter().flat_map(|one| [one.stream, one.snapshots[0], one.snapshots[1]]).collect()
    };
    let every: Vec<&Rebuilt> = all.iter().collect();
    match wrong.as_slice() {
        [] if all.is_empty() => Judgement::not_applicable("nothing was rebuilt"),
        [] => {
            let deltas: u64 = all.iter().map(|one| one.deltas).sum();
            let told = number(all.len() as u64, "snapshot was", "snapshots were");
            Judgement::pass(format!("{told} rebuilt from an earlier one by {deltas} deltas, and equal it"))
                .cite(cited(&every))
        }
        [one] if all.len() > 1 || one.deltas == 0 => {
            let why = "a snapshot differed from what deltas make of an earlier one, once";
            let judgement = Judgement::inconclusive(why).cite(cited(&[one]));
            differences(judgement, one)
        }
        [one] => {
            let why = "a snapshot differs from what deltas make of an earlier one, and that could not be confirmed";
            differences(Judgement::inconclusive(why).cite(cited(&[one])), one)
        }
        [one, ..] => {
            let judgement = Judgement::fail("deltas make something else of a snapshot than a later snapshot says")
                .expected("the same value for each key, at the same number")
                .actual(format!("{} of {} rebuilt snapshots differ", wrong.len(), all.len()))
                .cite(cited(&wrong));
            differences(judgement, one)
        }
    }
}

fn differences(mut judgement: Judgement, one: &Rebuilt) -> Judgement {
    let key = one.key.as_ref().map(|key| format!("{key}: ")).unwrap_or_default();
    judgement = judgement.detail(format!("{key}from number {} to {} by {} deltas", one.from, one.to, one.deltas));
    for difference in one.differences.iter().take(EXAMPLES) {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        judgement = judgement.detail(format!(
            "{} at {}: {} in the snapshot, {} as rebuilt",
            difference.table,
            difference.key,
            value(&difference.snapshot),
            value(&difference.rebuilt)
        ));
    }
    judgement
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::evidence::{Declared, Difference},
        *,
    };
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn alignment(sequence: u64, delta: (u64, u64)) -> Alignment {
        Alignment {
            stream: ExchangeId(1),
            snapshot: Some(ExchangeId(2)),
            key: None,
            sequence: Some(sequence),
            heard_from: None,
            delta: Some(delta),
            attempts: 1,
        }
    }

    fn rebuilt(differences: usize) -> Rebuilt {
        let one = Difference { table: "$.bids".into(), key: "1".into(), snapshot: None, rebuilt: Some("2".into()) };
        Rebuilt {
            stream: ExchangeId(1),
            snapshots: [ExchangeId(2), ExchangeId(3)],
            key: None,
            from: 1,
            to: 9,
            deltas: 8,
            rows: 10,
            differences: vec![one; differences],
        }
    }

    fn judged(alignments: Vec<Alignment>, rebuilt: Vec<Rebuilt>) -> Verdict {
        let declared = Declared { sequence: true, snapshot_sequence: true, rest_snapshot: true, ..Declared::default() };
        let snapshots = Snapshots { alignments, rebuilt, ..Snapshots::default() };
        snapshot(&Evidence { declared, snapshot: Some(snapshots), ..Evidence::default() }).verdict
    }

    #[test]
    fn a_delta_may_overlap_a_snapshot_but_not_leave_a_hole() {
        assert_eq!(judged(vec![alignment(10, (11, 11)), alignment(10, (8, 12))], vec![]), Verdict::Pass);
        assert_eq!(judged(vec![alignment(10, (12, 12)); 2], vec![]), Verdict::Fail);
        assert_eq!(judged(vec![alignment(10, (12, 12)), alignment(10, (11, 11))], vec![]), Verdict::Inconclusive);
    }

    #[test]
    fn a_snapshot_that_stays_older_than_the_first_delta_fails() {
        let older = || Alignment { heard_from: Some(20), delta: None, attempts: 5, ..alignment(10, (0, 0)) };
        assert_eq!(judged(vec![older(), older()], vec![]), Verdict::Fail);
        let none = || Alignment { delta: None, ..alignment(10, (0, 0)) };
        assert_eq!(judged(vec![none(), none()], vec![]), Verdict::Inconclusive);
    }

    #[test]
    fn what_was_rebuilt_must_be_equal_twice() {
        let good = || vec![alignment(10, (11, 11))];
        assert_eq!(judged(good(), vec![rebuilt(0), rebuilt(0)]), Verdict::Pass);
        assert_eq!(judged(good(), vec![rebuilt(1), rebuilt(0)]), Verdict::Inconclusive);
        assert_eq!(judged(good(), vec![rebuilt(1), rebuilt(2)]), Verdict::Fail);
    }

    #[test]
    fn without_snapshot_there_is_nothing_to_judge() {
        assert_eq!(snapshot(&Evidence::default()).verdict, Verdict::NotApplicable);
    }
}
