//! WS-003 and WS-006: pings and broken frames.

use super::{
    super::evidence::frames::{FaultTry, Faulted, Faults, Ping, Pings, Ponged},
    on,
    tries::{Seen, Settled, Try, part, seconds},
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_003: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-003",
        slug: "ping-not-answered-in-kind",
        family: "websocket",
        title: "A ping is answered by a pong with the same octets",
        sent: "Pings with 0, 1 and 125 octets, one at a time, and one between the two fragments of a valid message. What \
               raises doubts is sent again on a fresh connection.",
        requirement: "A pong with the same octets comes within 2 s (or five round trips, if that is more), the connection \
                      stays, and the message in fragments is understood.",
        not_applicable: "Never.",
        severity: Severity::Critical,
        strength: Strength::Normative,
        source: "RFC 6455 §5.5.2, §5.5.3 (identical application data), §5.4 (control frames between fragments)",
        remedy: "Answer each ping at once with a pong that carries its octets, also in the middle of a fragmented message.",
        defects: &["stream.no-pong", "stream.pong-altered", "stream.drops-on-fragmented-ping"],
    },
    judge: |evidence| on(evidence, |seen| part(seen.pings.as_ref(), pongs)),
};

pub(super) const WS_006: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-006",
        slug: "broken-frame-taken",
        family: "websocket",
        title: "A broken frame fails the connection",
        sent: "On a connection each: a frame without mask, the reserved opcode 3, RSV1 without extension, a fragmented \
               ping, a ping with 126 octets, a continuation of nothing, a text that is not UTF-8; then a ping and, where \
               the suite declares one, a valid message. What stays usable is tried again.",
        requirement: "The connection is ended promptly, with a close frame or without. The server masks no frame.",
        not_applicable: "Never.",
        severity: Severity::Minor,
        strength: Strength::Normative,
        source: "RFC 6455 §5.1, §5.2, §5.4, §5.5, §8.1; §7.1.7 (how a connection is failed)",
        remedy: "Check mask, reserved bits, opcodes, fragments and UTF-8, and close with 1002 (1007 for UTF-8).",
        defects: &["stream.takes-unmasked", "stream.takes-reserved"],
    },
    judge: |evidence| on(evidence, |seen| part(seen.faults.as_ref(), faults)),
};

fn pongs(seen: &Pings) -> Judgement {
    let tries = seen.pings.iter().map(|ping| Try {
        what: if ping.between {
            "a ping between fragments".into()
        } else {
            format!("a ping with {} octet{}", ping.octets, if ping.octets == 1 { "" } else { "s" })
        },
        exchange: ping.exchange,
        seen: pong(ping),
    });
    Settled::new(tries).judge(
        "a ping is not answered as it must be",
        &["a pong with the same octets, in time, on a connection that stays"],
        "each ping is answered by a pong with the same octets",
    )
}

fn pong(ping: &Ping) -> Seen {
    match &ping.answer {
        Ponged::Same(after) if *after > ping.limit_ms => Seen::less_bad(
            Severity::Major,
            format!("the pong comes after {}, later than {}", seconds(*after), seconds(ping.limit_ms)),
        ),
        Ponged::Same(_) if ping.acknowledged == Some(false) => {
            Seen::less_bad(Severity::Major, "it is answered, but the message in fragments is not acknowledged")
        }
        Ponged::Same(_) => Seen::Good,
        Ponged::Altered(octets) => Seen::bad(format!("a pong comes with other octets ({octets})")),
        Ponged::None(waited) => Seen::bad(format!("no pong in {}", seconds(*waited))),
        Ponged::Ended(ended) if going_away(ended.code) => {
            Seen::Neither(format!("the connection was ended by {}", ended.told()))
        }
        Ponged::Ended(ended) => Seen::bad(format!("the connection is ended by {}", ended.told())),
        Ponged::Untried(why) => Seen::Neither(why.clone()),
    }
}

/// Whether a code says that the server goes away, whatever the client did.
pub(super) fn going_away(code: Option<u16>) -> bool {
    matches!(code, Some(1001 | 1012 | 1013 | 3000))
}

fn faults(seen: &Faults) -> Judgement {
    if let Some(exchange) = seen.masked {
        return Judgement::fail("the server masks its frames")
            .expected("frames without mask, as RFC 6455 §5.1 asks of a server")
            .actual("a masked frame")
            .cite([exchange]);
    }
    let tries = seen.tries.iter().map(|one| Try {
        what: one.fault.line().to_owned(),
        exchange: one.exchange,
        seen: match &one.outcome {
            Faulted::Ended(_) => Seen::Good,
            Faulted::Usable(how) => Seen::bad(format!("the connection stays usable: {how}")),
            Faulted::Silent(waited) => Seen::Neither(format!("neither an end nor an answer in {}", seconds(*waited))),
            Faulted::Untried(why) => Seen::Neither(why.clone()),
        },
    });
    let judgement = Settled::new(tries).judge(
        "broken frames do not fail the connection",
        &["a close frame with 1002 (1007 for what is not UTF-8)", "the end of the TCP connection"],
        "broken frames fail the connection",
    );
    seen.tries.iter().filter_map(odd_code).fold(judgement, Judgement::detail)
}

/// A close code that does not say what was wrong; telling of it is not demanded (§7.1.7).
fn odd_code(one: &FaultTry) -> Option<String> {
    let Faulted::Ended(ended) = &one.outcome else { return None };
    (ended.frame && !matches!(ended.code, Some(1002 | 1007)))
        .then(|| format!("{} is answered by {}", one.fault.line(), ended.told()))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{super::evidence::frames::Fault, testing::ended},
        *,
    };
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn ping(octets: usize, answer: Ponged) -> Ping {
        let exchange = Some(ExchangeId(u32::try_from(octets).unwrap() + 1));
        Ping { exchange, octets, between: false, limit_ms: 2_000, answer, acknowledged: None }
    }

    fn judge(pings: Vec<Ping>) -> Judgement {
        pongs(&Pings { pings })
    }

    #[test]
    fn the_same_octets_in_time_pass() {
        let judged = judge(vec![ping(0, Ponged::Same(1)), ping(1, Ponged::Same(2_000)), ping(125, Ponged::Same(3))]);
        assert_eq!(judged.verdict, Verdict::Pass);
    }

    #[test]
    fn no_pong_and_another_pong_and_an_end_fail_when_they_repeat() {
        for answer in [
            Ponged::None(6_000),
            Ponged::Altered(124),
            Ponged::Ended(ended(Some(1002), "")),
            Ponged::Ended(ended(None, "")),
        ] {
            let judged = judge(vec![ping(125, answer.clone()), ping(125, answer.clone())]);
            assert_eq!((judged.verdict, judged.severity), (Verdict::Fail, None), "{answer:?}");
            assert_eq!(judge(vec![ping(125, answer.clone()), ping(125, Ponged::Same(1))]).verdict, Verdict::Pass);
        }
        let gone = Ponged::Ended(ended(Some(1001), ""));
        assert_eq!(judge(vec![ping(1, gone.clone()), ping(1, gone)]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_late_pong_and_a_lost_message_are_less_than_no_pong() {
        let late = judge(vec![ping(1, Ponged::Same(2_001)), ping(1, Ponged::Same(3_000))]);
        assert_eq!((late.verdict, late.severity), (Verdict::Fail, Some(Severity::Major)));
        let between = |acknowledged| Ping { between: true, acknowledged, ..ping(4, Ponged::Same(1)) };
        let lost = judge(vec![between(Some(false)), between(Some(false))]);
        assert_eq!((lost.verdict, lost.severity), (Verdict::Fail, Some(Severity::Major)));
        assert_eq!(judge(vec![between(None)]).verdict, Verdict::Pass);
    }

    fn fault(outcome: Faulted) -> FaultTry {
        FaultTry { fault: Fault::ReservedOpcode, exchange: Some(ExchangeId(3)), outcome }
    }

    #[test]
    fn an_end_of_any_kind_is_right_after_a_broken_frame() {
        for code in [Some(1002), Some(1008), None] {
            let judged = faults(&Faults { tries: vec![fault(Faulted::Ended(ended(code, "")))], masked: None });
            assert_eq!(judged.verdict, Verdict::Pass);
            assert_eq!(judged.details.len(), usize::from(code == Some(1008)));
        }
    }

    #[test]
    fn a_connection_that_stays_usable_twice_fails_and_silence_decides_nothing() {
        let usable = || fault(Faulted::Usable("a ping is answered".into()));
        assert_eq!(faults(&Faults { tries: vec![usable(), usable()], masked: None }).verdict, Verdict::Fail);
        assert_eq!(faults(&Faults { tries: vec![usable()], masked: None }).verdict, Verdict::Inconclusive);
        let silent = fault(Faulted::Silent(5_000));
        assert_eq!(faults(&Faults { tries: vec![silent], masked: None }).verdict, Verdict::Inconclusive);
        let masked = Faults { tries: vec![fault(Faulted::Ended(ended(None, "")))], masked: Some(ExchangeId(1)) };
        assert_eq!(faults(&masked).verdict, Verdict::Fail);
    }
}
