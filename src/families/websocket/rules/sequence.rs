//! Numbers follow one another.

use std::time::Duration;

use super::{
    super::{
        evidence::{Evidence, Listened, Side},
        feed::{Flaw, FlawKind},
    },
    EXAMPLES, number, on, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_011: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-011",
        slug: "sequence-with-holes",
        family: "websocket",
        title: "Numbers of messages have no gaps, repetitions or steps back while nothing is disturbed",
        sent: "Subscriptions on two connections at once, read as fast as they come, while things happen.",
        requirement: "Within what the suite says is numbered by itself, each message's first number is the last one of \
                      the message before, plus one, unless a message in between tells of a gap or brings a snapshot.",
        not_applicable: "The suite does not say where messages are numbered.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "Binance diff depth stream (`U`, `u`); Coinbase `sequence`; Bitso `sequence`",
        remedy: "Give out numbers where events are put in order for each subscriber, under the same lock or in the same \
                 queue, so that what has a number is sent, once, in that order. Where something has to be left out, say so.",
        defects: &["stream.gap", "stream.duplicate", "stream.out-of-order"],
    },
    judge: |evidence| on(evidence, sequence),
};

/// Longer than that at a stretch not all could be read that was there.
const BEHIND: Duration = Duration::from_secs(1);

/// Irregularities of one connection that count.
fn flaws(side: &Side) -> Vec<&Flaw> {
    let Some(counts) = &side.counts else { return Vec::new() };
    // What came late after all is told once, as late.
    counts.examples.iter().filter(|flaw| flaw.kind != FlawKind::Gap || flaw.missing > 0).collect()
}

fn sequence(evidence: &Evidence) -> Judgement {
    if !evidence.declared.sequence {
        return Judgement::not_applicable(
            "the suite does not say where messages are numbered, so a client cannot see that one is missing",
        );
    }
    let Some(steady) = &evidence.steady else { return untried(evidence, None) };
    if steady.rounds.is_empty() {
        return untried(evidence, steady.blocked.as_ref());
    }
    let sides: Vec<&Side> =
        steady.rounds.iter().flat_map(|round| [Some(&round.main), round.witness.as_ref()]).flatten().collect();
    let cited = || sides.iter().map(|side| side.exchange);
    let numbered: u64 = sides.iter().filter_map(|side| side.counts.as_ref()).map(|counts| counts.numbered).sum();
    let scopes = sides.iter().filter_map(|side| side.counts.as_ref()).map(|counts| counts.scopes).max().unwrap_or(0);
    let unnumbered: u64 = sides.iter().filter_map(|side| side.counts.as_ref()).map(|counts| counts.unnumbered).sum();
    let irregular: Vec<&&Side> = sides.iter().filter(|side| !flaws(side).is_empty()).collect();
    if irregular.is_empty() {
        if numbered <= sides.len() as u64 * scopes.max(1) {
            let why = if numbered == 0 && unnumbered > 0 {
                format!("none of {unnumbered} events has a number where the suite says")
            } else {
                format!("only {} came", number(numbered, "numbered message", "numbered messages"))
            };
            return Judgement::inconclusive(why).cite(cited());
        }
        let mut judgement = Judgement::pass(format!(
            "{numbered} numbers on {} followed one another{}",
            number(sides.len() as u64, "connection", "connections"),
            if scopes > 1 { format!(", in {scopes} rows of their own") } else { String::new() }
        ))
        .cite(cited());
        if unnumbered > 0 {
            judgement = judgement.detail(format!("{unnumbered} events have no number"));
        }
        if evidence.declared.jumps {
            judgement =
                judgement.detail("jumps of the numbers are documented as the sign of a loss, and were not counted");
        }
        return judgement;
    }
    if let Some(how) = irregular.iter().find_map(|side| side.otherwise.as_ref()) {
        let why = format!("numbers do not follow one another as the suite says, but {how}");
        return Judgement::inconclusive(why).cite(irregular.iter().map(|side| side.exchange));
    }
    if irregular.iter().all(|side| side.behind >= BEHIND) {
        let why = "numbers did not follow one another where fincheck did not read fast enough";
        return Judgement::inconclusive(why).cite(irregular.iter().map(|side| side.exchange));
    }
    let all: Vec<&Flaw> = irregular.iter().flat_map(|side| flaws(side)).collect();
    let witnessed = steady.rounds.iter().any(witnessed);
    if all.len() < 2 && !witnessed {
        let why =
            "numbers did not follow one another once, and neither the other connection nor a second try showed it";
        return Judgement::inconclusive(why)
            .detail(all.first().map(|flaw| told(flaw)).unwrap_or_default())
            .cite(irregular.iter().map(|side| side.exchange));
    }
    failure(&all, numbered, witnessed).cite(irregular.iter().map(|side| side.exchange))
}

/// Whether one connection heard what is missing on the other.
fn witnessed(round: &Listened) -> bool {
    let missing = |side: &Side| flaws(side).iter().any(|flaw| flaw.kind == FlawKind::Gap);
    missing(&round.main) && !round.only_witness.is_empty()
        || round.witness.as_ref().is_some_and(missing) && !round.only_main.is_empty()
}

fn failure(all: &[&Flaw], numbered: u64, witnessed: bool) -> Judgement {
    let of = |kind| all.iter().filter(|flaw| flaw.kind == kind).count();
    let kinds = [
        (FlawKind::Gap, "gaps"),
        (FlawKind::Late, "messages out of order"),
        (FlawKind::Repeated, "repetitions"),
        (FlawKind::Altered, "numbers given twice to different messages"),
        (FlawKind::Backwards, "steps back"),
    ];
    let seen: Vec<String> = kinds
        .iter()
        .filter(|(kind, _)| of(*kind) > 0)
        .map(|(kind, name)| match (of(*kind), *kind) {
            (1, FlawKind::Gap) => "1 gap".to_owned(),
            (1, FlawKind::Late) => "1 message out of order".to_owned(),
            (1, FlawKind::Repeated) => "1 repetition".to_owned(),
            (1, FlawKind::Altered) => "1 number given twice to different messages".to_owned(),
            (1, FlawKind::Backwards) => "1 step back".to_owned(),
            (many, _) => format!("{many} {name}"),
        })
        .collect();
    let mut judgement = Judgement::fail("numbers of messages do not follow one another")
        .expected("each number is the one before plus one, or a message that tells of a gap, or a snapshot, in between")
        .actual(format!("{} in {numbered} numbered messages", seen.join(", ")));
    if all.iter().all(|flaw| flaw.kind == FlawKind::Repeated) {
        // A client that compares numbers loses nothing.
        judgement = judgement.severity(Severity::Minor);
    }
    if witnessed {
        judgement = judgement.detail("the other connection heard what is missing");
    }
    judgement.details.extend(all.iter().take(EXAMPLES).map(|flaw| told(flaw)));
    if all.len() > EXAMPLES {
        judgement = judgement.detail(format!("and {} more", all.len() - EXAMPLES));
    }
    judgement
}

fn told(flaw: &Flaw) -> String {
    let Flaw { kind, scope, before, first, last, earlier, message, .. } = flaw;
    let range = if first == last { first.to_string() } else { format!("{first} to {last}") };
    let what = match kind {
        FlawKind::Gap => format!("after {before}, {range} is missing"),
        FlawKind::Repeated => format!("{range} came again"),
        FlawKind::Altered => format!("{range} came again with other content, or overlaps {before}"),
        FlawKind::Late | FlawKind::Backwards => format!("{range} came after {before}"),
    };
    let scope = if scope.is_empty() { String::new() } else { format!("{scope}: ") };
    format!("{scope}{what}; between {earlier} and {message}")
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{
            evidence::{Declared, Steady},
            feed::Counts,
        },
        *,
    };
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn flaw(kind: FlawKind, missing: u64) -> Flaw {
        let (scope, earlier, message) = (String::new(), "a".into(), "b".into());
        Flaw { kind, scope, before: 2, first: 3, last: 3, missing, at: Duration::ZERO, earlier, message }
    }

    fn side(examples: Vec<Flaw>) -> Side {
        let flaws = examples.iter().map(|flaw| (flaw.kind, 1)).collect();
        Side {
            exchange: ExchangeId(1),
            lasted: Duration::from_secs(5),
            messages: 10,
            data: 10,
            counts: Some(Counts { numbered: 10, scopes: 1, flaws, examples, ..Counts::default() }),
            otherwise: None,
            behind: Duration::ZERO,
            ended: None,
        }
    }

    fn round(main: Side, witness: Side) -> Listened {
        Listened { main, witness: Some(witness), only_main: vec![], only_witness: vec![], common: 10 }
    }

    fn judged(rounds: Vec<Listened>) -> Judgement {
        let declared = Declared { sequence: true, ..Declared::default() };
        sequence(&Evidence { declared, steady: Some(Steady { rounds, ..Steady::default() }), ..Evidence::default() })
    }

    #[test]
    fn regular_numbers_pass_and_none_are_not_judged() {
        assert_eq!(judged(vec![round(side(vec![]), side(vec![]))]).verdict, Verdict::Pass);
        assert_eq!(sequence(&Evidence::default()).verdict, Verdict::NotApplicable);
        assert_eq!(judged(vec![]).verdict, Verdict::Inconclusive);
        let mut few = side(vec![]);
        few.counts.as_mut().unwrap().numbered = 1;
        assert_eq!(judged(vec![round(few.clone(), few)]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_gap_fails_when_it_is_confirmed() {
        let gap = || side(vec![flaw(FlawKind::Gap, 1)]);
        assert_eq!(judged(vec![round(gap(), side(vec![]))]).verdict, Verdict::Inconclusive);
        let mut heard = round(gap(), side(vec![]));
        heard.only_witness.push("E3".into());
        assert_eq!(judged(vec![heard]).verdict, Verdict::Fail);
        assert_eq!(judged(vec![round(gap(), gap())]).verdict, Verdict::Fail);
        assert_eq!(judged(vec![round(gap(), side(vec![])), round(gap(), side(vec![]))]).verdict, Verdict::Fail);
    }

    #[test]
    fn repetitions_weigh_less_than_other_content() {
        let of = |kind| judged(vec![round(side(vec![flaw(kind, 0), flaw(kind, 0)]), side(vec![]))]);
        assert_eq!(of(FlawKind::Repeated).severity, Some(Severity::Minor));
        for kind in [FlawKind::Altered, FlawKind::Backwards, FlawKind::Late] {
            assert_eq!((of(kind).verdict, of(kind).severity), (Verdict::Fail, None));
        }
    }

    #[test]
    fn our_own_mistakes_do_not_fail_the_target() {
        let gaps = || vec![flaw(FlawKind::Gap, 1), flaw(FlawKind::Gap, 1)];
        let slow = Side { behind: Duration::from_secs(2), ..side(gaps()) };
        assert_eq!(judged(vec![round(slow, side(vec![]))]).verdict, Verdict::Inconclusive);
        let misread = Side { otherwise: Some("they do per key".into()), ..side(gaps()) };
        assert_eq!(judged(vec![round(misread, side(vec![]))]).verdict, Verdict::Inconclusive);
    }
}
