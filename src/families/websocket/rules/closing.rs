//! WS-007 and WS-008: closing handshakes, and ends that the server causes.

use super::{
    super::evidence::{
        Ended, Evidence,
        closing::{CloseFrame, Closing, Closings},
        frames::{Faulted, Ponged},
    },
    on,
    tries::{Seen, Settled, Try, seconds},
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_007: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-007",
        slug: "closing-handshake-not-completed",
        family: "websocket",
        title: "The closing handshake is completed, with legal codes",
        sent: "Close frames with 1000, without code, and with 4000 and a reason, on a connection each; again where the \
               answer raised doubts. Every close frame of the check's connections is read.",
        requirement: "A close frame comes in answer within 5 s, no data after it, and the server then ends the TCP \
                      connection. Every code is one that a frame may carry, every reason UTF-8 of at most 123 octets.",
        not_applicable: "Never.",
        severity: Severity::Major,
        strength: Strength::Normative,
        source: "RFC 6455 §5.5.1 (the answer, no data after it, the end of TCP), §7.4.1, §7.4.2; IANA's registry of close \
                 codes for 1012 to 1014",
        remedy: "Answer a close frame with one, usually with the same code, send no data after it, then close the TCP \
                 connection. 1005, 1006 and 1015 are for a library's own use only.",
        defects: &["stream.no-close-reply", "stream.illegal-close-code"],
    },
    judge: |evidence| on(evidence, completed),
};

pub(super) const WS_008: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-008",
        slug: "unexplained-end",
        family: "websocket",
        title: "A connection that the server ends says why",
        sent: "Nothing of its own: every connection of the check that the server ended, and that we had given no reason to.",
        requirement: "A close frame comes first, or an error message that explains the end. What happens once may be the \
                      network's doing and decides nothing.",
        not_applicable: "The server ended no connection by itself.",
        severity: Severity::Major,
        strength: Strength::Should,
        source: "RFC 6455 §7.4.1 (codes), §7.2.1, §1.4; IANA's registry of close codes",
        remedy: "Send a close frame with a code before the TCP connection is ended: 1001 or 1012 for a restart, 1008 for a \
                 policy, 1011 for an error, 1013 for overload.",
        defects: &["stream.unexplained-drop"],
    },
    judge: |evidence| on(evidence, explained),
};

fn completed(evidence: &Evidence) -> Judgement {
    let illegal = all_ends(evidence).find_map(|ended| {
        let frame = CloseFrame { code: ended.code, ..CloseFrame::default() };
        Some((ended.exchange, frame.illegal()?))
    });
    if let Some((exchange, illegal)) = illegal {
        return illegal_code(&illegal).cite([exchange]);
    }
    evidence
        .closings
        .as_ref()
        .map_or_else(|| Judgement::inconclusive("the run ended before a connection was closed"), closings)
}

/// Every end that the server caused, whatever we did before.
fn all_ends(evidence: &Evidence) -> impl Iterator<Item = &Ended> {
    let watched = evidence.alive.iter().flat_map(|alive| &alive.dead).filter_map(|one| one.ended.as_ref());
    let wrongs = evidence.wrongs.iter().flat_map(|wrongs| &wrongs.tries).filter_map(|one| one.ended.as_ref());
    let faults = evidence.faults.iter().flat_map(|faults| &faults.tries).filter_map(|one| match &one.outcome {
        Faulted::Ended(ended) => Some(ended),
        _ => None,
    });
    own_ends(evidence).chain(watched).chain(wrongs).chain(faults)
}

/// Every end that the server caused although we did nothing that would explain it.
fn own_ends(evidence: &Evidence) -> impl Iterator<Item = &Ended> {
    let alive = evidence.alive.iter().flat_map(|alive| alive.idle.iter().chain(&alive.living));
    let pings = evidence.pings.iter().flat_map(|pings| &pings.pings).filter_map(|ping| match &ping.answer {
        Ponged::Ended(ended) => Some(ended),
        _ => None,
    });
    evidence.ends.iter().chain(alive.filter_map(|one| one.ended.as_ref())).chain(pings)
}

fn illegal_code(what: &str) -> Judgement {
    Judgement::fail("a close frame has what none may have")
        .expected("a code of 1000 to 1003, 1007 to 1014 or 3000 to 4999, or no content at all")
        .expected("a reason in UTF-8 of at most 123 octets")
        .actual(what)
}

fn closings(seen: &Closings) -> Judgement {
    let illegal = seen.tries.iter().find_map(|one| Some((one.exchange, one.reply.as_ref()?.illegal()?)));
    if let Some((exchange, illegal)) = illegal {
        return illegal_code(&illegal).cite(exchange);
    }
    let tries = seen.tries.iter().map(|one| Try {
        what: one.sent.map_or_else(|| "a close frame without code".into(), |code| format!("a close frame with {code}")),
        exchange: one.exchange,
        seen: closing(one),
    });
    Settled::new(tries).judge(
        "the closing handshake is not completed",
        &["a close frame within 5 s, no data after it, and then the end of the TCP connection"],
        "closing handshakes are completed, with legal codes",
    )
}

fn closing(one: &Closing) -> Seen {
    if let Some(trouble) = &one.trouble {
        return Seen::Neither(trouble.clone());
    }
    if one.reply.is_none() {
        return Seen::bad(match &one.end {
            Some(_) => "the TCP connection is ended without a close frame in answer".to_owned(),
            None => format!("no close frame in answer in {}", seconds(one.waited_ms)),
        });
    }
    if one.data_after > 0 {
        let plural = if one.data_after == 1 { "" } else { "s" };
        return Seen::bad(format!("{} data frame{plural} after the close frame in answer", one.data_after));
    }
    if one.end.is_none() {
        return Seen::less_bad(
            Severity::Minor,
            format!("the TCP connection is open {} after the close frame in answer", seconds(one.lingered_ms)),
        );
    }
    Seen::Good
}

fn explained(evidence: &Evidence) -> Judgement {
    let mut own: Vec<&Ended> = own_ends(evidence).collect();
    // One connection may have been watched for several purposes.
    own.sort_by_key(|ended| ended.exchange);
    own.dedup_by_key(|ended| ended.exchange);
    let unexplained: Vec<&Ended> = own.iter().copied().filter(|ended| !ended.frame && ended.told.is_none()).collect();
    let judgement = match unexplained.as_slice() {
        [] if own.is_empty() => return Judgement::not_applicable("the server ended no connection by itself"),
        [] => Judgement::pass("every connection that the server ended says why"),
        [one] => Judgement::inconclusive(format!(
            "one connection of {} that ended did so by {}, which may be the network's doing",
            own.len(),
            one.told()
        )),
        [one, ..] => Judgement::fail("connections end without a word")
            .expected("a close frame with a code, or an error message, before the TCP connection ends")
            .actual(format!("{} connections: {}", unexplained.len(), one.told())),
    };
    let shown = if unexplained.is_empty() { own } else { unexplained };
    shown.iter().take(8).fold(judgement, |judgement, ended| {
        let age = u64::try_from(ended.lived.as_millis()).unwrap_or(u64::MAX);
        judgement.detail(format!("{}: {} after {}", ended.exchange, ended.told(), seconds(age))).cite([ended.exchange])
    })
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::evidence::{
                alive::{Alive, Watched},
                frames::{Fault, FaultTry, Faults},
            },
            testing::ended,
        },
        *,
    };
    use crate::{
        exchange::{End, ExchangeId},
        rule::Verdict,
    };

    fn done(sent: Option<u16>) -> Closing {
        let reply = Some(CloseFrame { code: sent, ..CloseFrame::default() });
        Closing { sent, exchange: Some(ExchangeId(1)), reply, end: Some(End::Closed), ..Closing::default() }
    }

    fn judge(tries: Vec<Closing>) -> Judgement {
        closings(&Closings { tries })
    }

    #[test]
    fn a_completed_handshake_passes_whatever_legal_code_answers() {
        assert_eq!(judge(vec![done(Some(1000)), done(None), done(Some(4000))]).verdict, Verdict::Pass);
        let mut other = done(Some(4000));
        other.reply = Some(CloseFrame::read(&1000_u16.to_be_bytes()));
        other.end = Some(End::Reset);
        assert_eq!(judge(vec![other]).verdict, Verdict::Pass);
    }

    #[test]
    fn an_end_of_tcp_is_no_answer() {
        // As anvil does it.
        let dropped = || Closing { reply: None, ..done(Some(1000)) };
        assert_eq!(judge(vec![dropped(), dropped()]).verdict, Verdict::Fail);
        assert_eq!(judge(vec![dropped()]).verdict, Verdict::Inconclusive);
        assert_eq!(judge(vec![dropped(), done(Some(1000))]).verdict, Verdict::Pass);
        let silent = || Closing { reply: None, end: None, waited_ms: 5_000, ..done(None) };
        assert_eq!(judge(vec![silent(), silent()]).severity, None);
    }

    #[test]
    fn data_after_the_answer_fails_and_an_open_connection_is_less() {
        let data = || Closing { data_after: 1, ..done(None) };
        assert_eq!((judge(vec![data(), data()]).verdict, judge(vec![data(), data()]).severity), (Verdict::Fail, None));
        let open = || Closing { end: None, lingered_ms: 5_000, ..done(None) };
        assert_eq!(judge(vec![open(), open()]).severity, Some(Severity::Minor));
    }

    #[test]
    fn one_illegal_code_is_enough() {
        for code in [999_u16, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
            let mut one = done(None);
            one.reply = Some(CloseFrame::read(&code.to_be_bytes()));
            assert_eq!(judge(vec![one]).verdict, Verdict::Fail, "{code}");
            assert_eq!(completed(&ends(&[ended(Some(code), "")])).verdict, Verdict::Fail, "{code}");
        }
    }

    fn ends(ends: &[Ended]) -> Evidence {
        Evidence { ends: ends.to_vec(), ..Evidence::default() }
    }

    #[test]
    fn ends_without_a_word_fail_when_they_repeat() {
        let verdict = |list: &[Ended]| explained(&ends(list)).verdict;
        let on = |exchange, ended| Ended { exchange: ExchangeId(exchange), ..ended };
        let (silent, away) = (ended(None, ""), ended(Some(1001), ""));
        assert_eq!(verdict(&[]), Verdict::NotApplicable);
        assert_eq!(verdict(std::slice::from_ref(&silent)), Verdict::Inconclusive);
        assert_eq!(verdict(&[silent.clone(), silent.clone()]), Verdict::Inconclusive, "one connection");
        assert_eq!(verdict(&[silent.clone(), on(8, away.clone()), on(9, silent.clone())]), Verdict::Fail);
        assert_eq!(verdict(&[on(8, away.clone()), away]), Verdict::Pass);
        let told = Ended { told: Some("slow client".into()), ..silent.clone() };
        assert_eq!(verdict(&[on(8, told.clone()), told]), Verdict::Pass);
        let empty = Ended { frame: true, ..silent };
        assert_eq!(verdict(&[on(8, empty.clone()), empty]), Verdict::Pass);
    }

    #[test]
    fn a_dead_peer_and_a_broken_frame_explain_an_end() {
        let dead = Watched { ended: Some(ended(None, "")), ..Watched::default() };
        let fault = FaultTry { fault: Fault::Unmasked, exchange: None, outcome: Faulted::Ended(ended(None, "")) };
        let mut evidence = Evidence {
            alive: Some(Alive { dead: vec![dead.clone(), dead.clone()], ..Alive::default() }),
            faults: Some(Faults { tries: vec![fault.clone(), fault], masked: None }),
            ..Evidence::default()
        };
        assert_eq!(explained(&evidence).verdict, Verdict::NotApplicable);
        let other = Ended { exchange: ExchangeId(8), ..ended(None, "") };
        let living = vec![dead.clone(), Watched { ended: Some(other), ..Watched::default() }];
        evidence.alive = Some(Alive { living, ..Alive::default() });
        assert_eq!(explained(&evidence).verdict, Verdict::Fail);
    }
}
