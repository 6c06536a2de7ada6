//! Payloads are written as over HTTP.

use super::{
    super::evidence::{Conduct, Evidence},
    on, untried, worst,
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
        requirement: "A member that is a text over HTTP is a text in the stream, and a number a number; an amount has no \
                      more digits than a JSON number keeps; an instant says its offset from UTC and does not lie ahead of \
                      the server's own clock. (An instant earlier than the one before of the same key is only told.)",
        not_applicable: "The suite names neither members to compare nor amounts nor instants.",
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
    let parts = vec![forms(seen), inexact(seen), instants(seen), ahead(seen), backwards(seen)];
    let nothing = "the suite names neither members to compare nor amounts nor instants, or no event has them";
    worst(parts, nothing)
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
    Judgement::pass(format!("{} instants say their offset from UTC", seen.instants)).cite(seen.exchanges.clone())
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
    fn going_back_is_only_told() {
        let pair = ("a".to_owned(), "b".to_owned());
        let judgement = judged(Conduct { instants: 2, backwards: vec![pair], ..Conduct::default() });
        assert_eq!((judgement.verdict, judgement.severity), (Verdict::Fail, Some(Severity::Info)));
    }
}
