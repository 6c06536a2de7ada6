//! Payloads are written as over HTTP.

use super::{
    super::evidence::{Conduct, Evidence, OddKind},
    on, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_019: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-019",
        slug: "payload-unlike-http",
        family: "websocket",
        title: "Messages write amounts and instants like answers over HTTP",
        sent: "Nothing more: events are read as they come, and members are compared with the answers of the requests that \
               caused them.",
        requirement: "A member that is a text over HTTP is a text in the stream, and a number a number, unless the suite \
                      declares otherwise (`payloads`); an amount is a plain decimal with no more digits than a JSON number \
                      keeps, always of one JSON type; a currency is a code; an id is a text or an integer below 2^53; an \
                      instant says its offset from UTC, or counts the declared unit since 1970, and does not lie ahead of \
                      the server's own clock. (An instant earlier than the one before of the same key is only told.)",
        not_applicable: "The suite names neither members to compare nor amounts, ids nor instants.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "RFC 8259 §6; RFC 7493 §2.2; RFC 3339 §5.6",
        remedy: "Serialise events with the same types as answers: decimals as texts, instants in UTC with `Z`.",
        defects: &["stream.money-as-number", "stream.local-time"],
    },
    judge: |evidence| on(evidence, payload),
};

fn payload(evidence: &Evidence) -> Judgement {
    let Some(steady) = &evidence.steady else { return untried(evidence, None) };
    let seen = &steady.conduct;
    if steady.rounds.is_empty() {
        return untried(evidence, steady.blocked.as_ref());
    }
    if seen.asked && seen.events == 0 {
        return Judgement::inconclusive("no event came whose members could be looked at").cite(seen.exchanges.clone());
    }
    let mut parts = vec![forms(seen), inexact(seen), instants(seen), ahead(seen), backwards(seen), checked(seen)];
    parts.extend(ODD.iter().map(|odd| odd.judge(seen)));
    let nothing = "the suite names neither members to compare nor amounts, ids nor instants, or no event has them";
    Judgement::worst(parts, nothing)
}

/// How one kind of oddity is told.
struct Odd(OddKind, &'static str, &'static str);

const ODD: &[Odd] = &[
    Odd(OddKind::Form, "an amount is not written as the suite declares", "what `payloads.numbers` says"),
    Odd(OddKind::Mixed, "an amount is a number in one event and a text in another", "the same JSON type in all events"),
    Odd(
        OddKind::Decimal,
        "an amount is no plain decimal",
        "digits with at most one point: no exponent, no separators, no symbol",
    ),
    Odd(OddKind::Currency, "a currency is no code", "a code such as EUR"),
    Odd(OddKind::Unit, "an instant is not in the declared unit", "what `payloads.unit` says, since 1970"),
    Odd(OddKind::NoUnit, "an instant is a number, and the suite does not say of what (`payloads.unit`)", ""),
    Odd(OddKind::Id, "an id is a number that readers of JSON do not keep exactly", "a text, or an integer below 2^53"),
];

impl Odd {
    fn judge(&self, seen: &Conduct) -> Judgement {
        let Self(kind, message, expected) = *self;
        let mut found = seen.odd.iter().filter(|odd| odd.kind == kind);
        let Some(first) = found.next() else { return Judgement::not_applicable("") };
        let actual = format!("{} at {}", first.written, first.at);
        if kind == OddKind::NoUnit {
            return Judgement::inconclusive(message).detail(actual).cite(seen.exchanges.clone());
        }
        let judgement = Judgement::fail(message).expected(expected).actual(actual).cite(seen.exchanges.clone());
        let others = found.filter(|odd| odd.at != first.at).take(3);
        others.fold(judgement, |judgement, odd| judgement.detail(format!("{} at {}", odd.written, odd.at)))
    }
}

/// What was looked at, so that a pass says it.
fn checked(seen: &Conduct) -> Judgement {
    let counts = [(seen.amounts, "amounts"), (seen.ids, "ids")];
    let told: Vec<String> =
        counts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if told.is_empty() {
        return Judgement::not_applicable("");
    }
    Judgement::pass(format!("{} were looked at", told.join(" and "))).cite(seen.exchanges.clone())
}

fn forms(seen: &Conduct) -> Judgement {
    if seen.forms.is_empty() {
        return match seen.compared {
            0 => Judgement::not_applicable("nothing to compare"),
            many => Judgement::pass(format!("{many} members are written as over HTTP")).cite(seen.exchanges.clone()),
        };
    }
    let mut judgement = Judgement::fail("a member is a number in the stream and a text over HTTP, or the reverse")
        .expected("the same JSON type in both")
        .cite(seen.exchanges.clone());
    if let Some((path, answer, event)) = seen.forms.first() {
        judgement = judgement.actual(format!("{path} is {event} in the stream and {answer} over HTTP"));
    }
    let mut known = Vec::new();
    for (path, answer, event) in &seen.forms {
        if !known.contains(&path) {
            known.push(path);
            judgement = judgement.detail(format!("{path}: {event} in the stream, {answer} over HTTP"));
        }
    }
    judgement
}

fn inexact(seen: &Conduct) -> Judgement {
    let Some((path, written)) = seen.inexact.first() else { return Judgement::not_applicable("") };
    Judgement::fail("an amount is a number that readers of JSON do not keep exactly")
        .expected("a text, or a plain decimal number of at most 15 digits")
        .actual(format!("{written} at {path}"))
        .severity(Severity::Critical)
        .cite(seen.exchanges.clone())
}

fn instants(seen: &Conduct) -> Judgement {
    if seen.instants == 0 {
        return Judgement::not_applicable("");
    }
    if let Some(written) = seen.local.first() {
        return Judgement::fail("an instant does not say its offset from UTC")
            .expected("an RFC 3339 instant, such as 2026-01-02T03:04:05.678Z")
            .actual(format!("`{written}`"))
            .cite(seen.exchanges.clone());
    }
    if let Some(written) = seen.no_instants.first() {
        return Judgement::inconclusive(format!("`{written}` is no instant that can be read"))
            .cite(seen.exchanges.clone());
    }
    Judgement::pass(format!("{} instants say what they count from", seen.instants)).cite(seen.exchanges.clone())
}

fn ahead(seen: &Conduct) -> Judgement {
    let Some((written, clock)) = seen.ahead.first() else { return Judgement::not_applicable("") };
    Judgement::fail("an event happens in the future")
        .expected("an instant at most a minute ahead of the `Date` of the handshake and what has passed since")
        .actual(format!("`{written}`, when the handshake said {clock}"))
        .cite(seen.exchanges.clone())
}

fn backwards(seen: &Conduct) -> Judgement {
    let Some((before, written)) = seen.backwards.first() else { return Judgement::not_applicable("") };
    Judgement::fail("an event is older than the one before of the same key")
        .expected("instants of one key that do not go back")
        .actual(format!("`{written}` after `{before}`"))
        .severity(Severity::Info)
        .cite(seen.exchanges.clone())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::super::evidence::{Listened, Side, Steady},
        *,
    };
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn judged(conduct: Conduct) -> Judgement {
        let main = Side {
            exchange: ExchangeId(1),
            lasted: Duration::ZERO,
            messages: 1,
            data: 1,
            counts: None,
            otherwise: None,
            behind: Duration::ZERO,
            ended: None,
        };
        let round = Listened { main, witness: None, only_main: vec![], only_witness: vec![], common: 0 };
        let steady = Steady { rounds: vec![round], conduct, ..Steady::default() };
        payload(&Evidence { steady: Some(steady), ..Evidence::default() })
    }

    #[test]
    fn each_convention_is_held() {
        let triple = ("$.q".to_owned(), "\"1.5\"".to_owned(), "1.5".to_owned());
        let pair = || ("a".to_owned(), "b".to_owned());
        let verdict = |conduct| judged(conduct).verdict;
        assert_eq!(verdict(Conduct::default()), Verdict::NotApplicable);
        assert_eq!(verdict(Conduct { compared: 3, instants: 2, ..Conduct::default() }), Verdict::Pass);
        assert_eq!(verdict(Conduct { compared: 3, forms: vec![triple], ..Conduct::default() }), Verdict::Fail);
        assert_eq!(verdict(Conduct { inexact: vec![pair()], ..Conduct::default() }), Verdict::Fail);
        assert_eq!(verdict(Conduct { instants: 1, local: vec!["x".into()], ..Conduct::default() }), Verdict::Fail);
        assert_eq!(
            verdict(Conduct { instants: 1, no_instants: vec!["x".into()], ..Conduct::default() }),
            Verdict::Inconclusive
        );
        assert_eq!(verdict(Conduct { ahead: vec![pair()], ..Conduct::default() }), Verdict::Fail);
    }

    #[test]
    fn oddities_fail_and_a_number_of_nothing_declared_is_not_judged() {
        let verdict = |kind| {
            let odd = vec![super::super::super::evidence::Oddity { kind, at: "$.a".into(), written: "1".into() }];
            judged(Conduct { events: 1, asked: true, odd, ..Conduct::default() }).verdict
        };
        for odd in ODD.iter().filter(|odd| odd.0 != OddKind::NoUnit) {
            assert_eq!(verdict(odd.0), Verdict::Fail, "{}", odd.1);
        }
        assert_eq!(verdict(OddKind::NoUnit), Verdict::Inconclusive);
        assert_eq!(judged(Conduct { asked: true, ..Conduct::default() }).verdict, Verdict::Inconclusive);
        assert_eq!(judged(Conduct { ids: 2, events: 2, asked: true, ..Conduct::default() }).verdict, Verdict::Pass);
    }

    #[test]
    fn going_back_is_only_told() {
        let pair = ("a".to_owned(), "b".to_owned());
        let judgement = judged(Conduct { instants: 2, backwards: vec![pair], ..Conduct::default() });
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, Some(Severity::Info)));
    }
}
