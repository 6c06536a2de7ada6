//! Sessions end when they must, and say so.

use super::{
    super::evidence::{
        Evidence,
        session::{Crowd, Flood, Lasting, Sessions},
    },
    on, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_018: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-018",
        slug: "session-without-bounds",
        family: "websocket",
        title: "Expiry and limits of sessions hold, and are told",
        sent: "A stream is held open beyond the expiry of its credentials and beyond the longest session; more connections \
               are opened, and more messages sent, than the suite says are allowed.",
        requirement: "The stream ends, or asks for new credentials, within the grace; no event is told after it. Beyond a \
                      limit there is a refused handshake, an error, or a close code.",
        not_applicable: "The suite declares no bounds of sessions (`session`).",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "OWASP API2:2023 and API4:2023; IANA WebSocket close codes 1008, 3000, 3008",
        remedy: "Check credentials again while a stream is open, and close with 3000 or 1008 when they expire; count \
                 connections and messages, and refuse with a code what is too much.",
        defects: &["stream.outlives-token", "stream.no-connection-limit"],
    },
    judge: |evidence| on(evidence, bounded),
};

const NOTHING: &str = "the suite declares no bounds of sessions (`session`)";

fn bounded(evidence: &Evidence) -> Judgement {
    let Some(seen) = &evidence.session else { return untried(evidence, None) };
    let Sessions { declared: [expires, lasts, counts, rates], expiry, longest, connections, rate } = seen;
    let part =
        |declared: bool, judged: Option<Judgement>| declared.then(|| judged.unwrap_or_else(|| untried(evidence, None)));
    let parts = [
        part(*expires, expiry.as_ref().map(|seen| lasting(seen, "its credentials expired", Severity::Critical))),
        part(*lasts, longest.as_ref().map(|seen| lasting(seen, "its longest time was over", Severity::Minor))),
        part(*counts, connections.as_ref().map(crowd)),
        part(*rates, (!rate.is_empty()).then(|| flood(rate))),
    ];
    Judgement::worst(parts.into_iter().flatten().collect(), NOTHING)
}

fn lasting(seen: &Lasting, what: &str, severity: Severity) -> Judgement {
    let cite = |judgement: Judgement| judgement.cite(seen.exchanges.iter().copied());
    if seen.late > 0 {
        return cite(
            Judgement::fail(format!("events were told on a stream after {what}"))
                .severity(severity)
                .expected(format!("the end, or a demand for new credentials, within {} of its beginning", seen.due))
                .actual(format!("{} events after that", seen.late)),
        );
    }
    if let (Some(after), Some(sign)) = (seen.told_after, seen.signs.first()) {
        let judgement = if after <= seen.due {
            Judgement::pass(format!("a stream ended {after} after it began, when {what}: {}", sign.told()))
        } else {
            Judgement::pass(format!("a stream told no more events after {what}, and ended after {after}"))
        };
        return cite(judgement);
    }
    if let Some(why) = &seen.blocked {
        return cite(Judgement::inconclusive(why.clone()));
    }
    if seen.in_time == 0 {
        return cite(Judgement::inconclusive("no event was told even before, so silence afterwards shows nothing"));
    }
    cite(
        Judgement::fail(format!("a stream went silent after {what}, without a word"))
            .severity(Severity::Minor)
            .expected("a close code or an error")
            .actual("nothing more came, and the connection stayed open"),
    )
}

fn crowd(seen: &Crowd) -> Judgement {
    let cite = |judgement: Judgement| judgement.cite(seen.exchanges.iter().copied());
    if let Some((open, sign)) = &seen.refused {
        let judgement = Judgement::pass(format!("with {open} connections open, {}", sign.told()));
        return cite(if *open < seen.most {
            judgement.detail("that was before the limit: other connections of the client may have been open")
        } else {
            judgement
        });
    }
    if let Some(why) = &seen.blocked {
        return cite(Judgement::inconclusive(why.clone()));
    }
    if seen.open <= seen.most {
        return cite(Judgement::inconclusive(format!("only {} connections could be opened", seen.open)));
    }
    cite(
        Judgement::fail(format!("more connections than the declared {} are taken", seen.most))
            .expected("a refused handshake, an error, or a close code for one of them")
            .actual(format!("{} were open at once", seen.open)),
    )
}

/// A flood that goes unnoticed counts when it does so twice.
fn flood(tries: &[Flood]) -> Judgement {
    let cite = |judgement: Judgement| judgement.cite(tries.iter().flat_map(|one| one.exchanges.iter().copied()));
    if let Some((sent, sign)) = tries.iter().find_map(|one| one.refused.as_ref()) {
        return cite(Judgement::pass(format!("after {sent} messages, {}", sign.told())));
    }
    if let Some(why) = tries.iter().find_map(|one| one.blocked.as_ref()) {
        return cite(Judgement::inconclusive(why.clone()));
    }
    // What was sent may wait in buffers, so that it is taken more slowly; what was acknowledged was taken.
    let over = |one: &Flood| one.answered > one.most;
    let mut unnoticed = tries.iter().filter(|one| over(one));
    let (Some(first), Some(_)) = (unnoticed.next(), unnoticed.next()) else {
        return cite(Judgement::inconclusive(
            "more messages than allowed were not sent and acknowledged within the time, twice",
        ));
    };
    cite(
        Judgement::fail("more messages than declared are taken without a word")
            .severity(Severity::Minor)
            .expected(format!("an error or a close code beyond {} in {}", first.most, first.window))
            .actual(format!("{} sent, {} of them acknowledged within that time", first.sent, first.answered)),
    )
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::evidence::recovery::{Sign, SignKind},
        *,
    };
    use crate::{notation::Span, rule::Verdict};

    fn seconds(seconds: u64) -> Span {
        Span(std::time::Duration::from_secs(seconds))
    }

    fn sign() -> Sign {
        Sign { kind: SignKind::Closed, text: "3000".into() }
    }

    fn judge(session: Sessions) -> (Verdict, Option<Severity>) {
        let judged = bounded(&Evidence { session: Some(session), ..Evidence::default() });
        (judged.verdict, judged.severity)
    }

    fn expiry(expiry: Lasting) -> (Verdict, Option<Severity>) {
        judge(Sessions { declared: [true, false, false, false], expiry: Some(expiry), ..Sessions::default() })
    }

    #[test]
    fn events_after_expiry_fail() {
        let seen = Lasting { due: seconds(3), in_time: 2, ..Lasting::default() };
        assert_eq!(expiry(Lasting { late: 1, ..seen.clone() }), (Verdict::Fail, Some(Severity::Critical)));
        let told = Lasting { signs: vec![sign()], told_after: Some(seconds(2)), ..seen.clone() };
        assert_eq!(expiry(told).0, Verdict::Pass);
        assert_eq!(expiry(seen.clone()), (Verdict::Fail, Some(Severity::Minor)), "silence");
        assert_eq!(expiry(Lasting { in_time: 0, ..seen }).0, Verdict::Inconclusive);
    }

    #[test]
    fn only_what_is_declared_is_judged() {
        assert_eq!(judge(Sessions::default()).0, Verdict::NotApplicable);
        let counts =
            |connections| Sessions { declared: [false, false, true, false], connections, ..Sessions::default() };
        let seen = Crowd { most: 3, open: 4, ..Crowd::default() };
        assert_eq!(judge(counts(None)).0, Verdict::Inconclusive);
        assert_eq!(judge(counts(Some(seen.clone()))).0, Verdict::Fail);
        assert_eq!(judge(counts(Some(Crowd { open: 3, ..seen.clone() }))).0, Verdict::Inconclusive);
        assert_eq!(judge(counts(Some(Crowd { refused: Some((3, sign())), ..seen }))).0, Verdict::Pass);
    }

    #[test]
    fn a_flood_must_go_unnoticed_twice() {
        let one = || Flood { most: 5, window: seconds(1), sent: 10, answered: 10, ..Flood::default() };
        let rates = |rate| judge(Sessions { declared: [false, false, false, true], rate, ..Sessions::default() }).0;
        assert_eq!(rates(vec![one()]), Verdict::Inconclusive);
        assert_eq!(rates(vec![one(), one()]), Verdict::Fail);
        assert_eq!(
            rates(vec![one(), Flood { answered: 5, ..one() }]),
            Verdict::Inconclusive,
            "the rest may still wait"
        );
        assert_eq!(rates(vec![Flood { refused: Some((6, sign())), ..one() }]), Verdict::Pass);
    }
}
