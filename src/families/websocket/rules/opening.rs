//! WS-001: the opening handshake.

use super::{
    super::evidence::opening::{Handshakes, Shake, Shaken},
    on,
    tries::{Seen, Settled, Try, part},
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_001: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-001",
        slug: "wrong-opening-handshake",
        family: "websocket",
        title: "The opening handshake is answered as RFC 6455 says",
        sent: "Handshakes with the declared subprotocols, with none, and with permessage-deflate offered; one for version \
               99; a plain GET. What raises doubts is sent again.",
        requirement: "101 with Upgrade, Connection and the Sec-WebSocket-Accept that follows from the key, at most one \
                      subprotocol and only one that was offered, only extensions that were offered. Version 99 and a \
                      plain GET are not answered with 101.",
        not_applicable: "Never.",
        severity: Severity::Major,
        strength: Strength::Normative,
        source: "RFC 6455 §4.2.2, §4.4; RFC 7692 §5; RFC 9110 §7.8",
        remedy: "Compute Sec-WebSocket-Accept from the key as received; choose subprotocol and extensions from what the \
                 client offers, or leave the fields out; answer unknown versions with 426 and Sec-WebSocket-Version: 13.",
        defects: &["stream.wrong-accept", "stream.unoffered-protocol"],
    },
    judge: |evidence| on(evidence, |seen| part(seen.opening.as_ref(), handshakes)),
};

fn handshakes(seen: &Handshakes) -> Judgement {
    let usual = seen.shakes.iter().filter(|shake| !is_optional_refusal(shake, seen)).map(|shake| Try {
        what: told(shake),
        exchange: shake.exchange,
        seen: match &shake.outcome {
            Shaken::Untried => Seen::Neither("the run ended before it was sent".into()),
            Shaken::Nothing(why) => Seen::Neither(format!("no answer: {why}")),
            Shaken::Refused { status, .. } => Seen::Neither(format!("refused with status {status}")),
            Shaken::Opened { .. } => shake.flaw().map_or(Seen::Good, Seen::bad),
        },
    });
    let version = seen.version.iter().map(|shake| Try {
        what: "a handshake for version 99".into(),
        exchange: shake.exchange,
        seen: match &shake.outcome {
            Shaken::Opened { .. } => Seen::less_bad(Severity::Minor, "it is opened"),
            // 426 speaks of versions and must then name them; 400 may be another's than the API's.
            Shaken::Refused { status: 426, versions } if versions.is_empty() => {
                Seen::less_bad(Severity::Minor, "status 426 without Sec-WebSocket-Version")
            }
            _ => Seen::Good,
        },
    });
    let plain = seen.plain.iter().map(|(status, exchange)| Try {
        what: "a plain GET".into(),
        exchange: Some(*exchange),
        seen: if *status == 101 { Seen::bad("status 101") } else { Seen::Good },
    });
    let settled = Settled::new(usual.chain(version).chain(plain));
    let judgement = settled.judge(
        "the opening handshake is not answered as it must be",
        &[
            "101 with `Upgrade: websocket`, `Connection: Upgrade`, and the accept value that follows from the key",
            "at most one of the subprotocols offered, and only extensions offered",
            "400 or 426 with `Sec-WebSocket-Version: 13` for a version that does not exist",
        ],
        "handshakes are answered as they must be",
    );
    let silent = seen.version.iter().find_map(|shake| match &shake.outcome {
        Shaken::Refused { status, versions } if versions.is_empty() => Some(*status),
        _ => None,
    });
    match silent {
        Some(status) => judgement.detail(format!(
            "version 99 is refused with status {status} without the Sec-WebSocket-Version that RFC 6455 §4.4 asks for, \
             as some intermediaries do"
        )),
        None => judgement,
    }
}

/// Whether a handshake that offers nothing is refused where one with a subprotocol is not: it may be required.
fn is_optional_refusal(shake: &Shake, seen: &Handshakes) -> bool {
    shake.protocols.is_empty()
        && matches!(shake.outcome, Shaken::Refused { .. })
        && seen.shakes.iter().any(|other| !other.protocols.is_empty() && other.is_open())
}

fn told(shake: &Shake) -> String {
    let offered: Vec<&str> = shake.protocols.iter().chain(&shake.extensions).map(String::as_str).collect();
    if offered.is_empty() {
        "a handshake that offers nothing".into()
    } else {
        format!("a handshake that offers {}", offered.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn opened(id: u32, offered: &[&str], chosen: &[&str]) -> Shake {
        let outcome = Shaken::Opened {
            upgrade: texts(&["WebSocket"]),
            connection: texts(&["keep-alive, upgrade"]),
            accept: texts(&["abc="]),
            expected: "abc=".into(),
            protocols: texts(chosen),
            extensions: Vec::new(),
        };
        Shake { exchange: Some(ExchangeId(id)), protocols: texts(offered), extensions: Vec::new(), outcome }
    }

    fn judge(shakes: Vec<Shake>) -> Judgement {
        let versions = texts(&["13"]);
        let version = Shake { outcome: Shaken::Refused { status: 426, versions }, ..Shake::default() };
        handshakes(&Handshakes { shakes, version: vec![version], plain: vec![(426, ExchangeId(9))] })
    }

    #[test]
    fn a_right_handshake_passes_however_its_tokens_are_spelled() {
        assert_eq!(judge(vec![opened(1, &["v1"], &["v1"]), opened(2, &[], &[])]).verdict, Verdict::Pass);
        assert_eq!(judge(vec![opened(1, &["v1"], &[])]).verdict, Verdict::Pass);
    }

    #[test]
    fn what_was_not_offered_fails_when_it_repeats() {
        for chosen in [&["v2"][..], &["v1", "v1"], &["v1, v2"], &[""]] {
            let judged = judge(vec![opened(1, &["v1"], chosen), opened(2, &["v1"], chosen)]);
            assert_eq!(judged.verdict, Verdict::Fail, "{chosen:?}");
        }
        assert_eq!(judge(vec![opened(1, &["v1"], &["v2"])]).verdict, Verdict::Inconclusive);
        assert_eq!(judge(vec![opened(1, &[], &["v1"]), opened(2, &[], &["v1"])]).verdict, Verdict::Fail);
        let extension = |name: &str| {
            let mut shake = opened(1, &[], &[]);
            if let Shaken::Opened { extensions, .. } = &mut shake.outcome {
                *extensions = texts(&[name]);
            }
            shake.extensions = texts(&["permessage-deflate"]);
            shake
        };
        assert!(extension("permessage-deflate; server_no_context_takeover").flaw().is_none());
        assert!(extension("x-webkit-deflate-frame").flaw().is_some());
    }

    #[test]
    fn each_field_of_the_answer_counts() {
        type Change = fn(&mut Shaken);
        let changes: [Change; 4] = [
            |shaken| {
                if let Shaken::Opened { accept, .. } = shaken {
                    *accept = vec!["abd=".into()];
                }
            },
            |shaken| {
                if let Shaken::Opened { accept, .. } = shaken {
                    accept.clear();
                }
            },
            |shaken| {
                if let Shaken::Opened { upgrade, .. } = shaken {
                    upgrade.clear();
                }
            },
            |shaken| {
                if let Shaken::Opened { connection, .. } = shaken {
                    *connection = vec!["close".into()];
                }
            },
        ];
        for change in changes {
            let mut shakes = vec![opened(1, &[], &[]), opened(2, &[], &[])];
            for shake in &mut shakes {
                change(&mut shake.outcome);
            }
            assert_eq!(judge(shakes).verdict, Verdict::Fail);
        }
    }

    #[test]
    fn a_refusal_decides_nothing_and_a_subprotocol_may_be_required() {
        let refused = |offered: &[&str], status| Shake {
            protocols: texts(offered),
            outcome: Shaken::Refused { status, versions: Vec::new() },
            ..Shake::default()
        };
        assert_eq!(judge(vec![refused(&[], 401)]).verdict, Verdict::Inconclusive);
        assert_eq!(judge(vec![opened(1, &["v1"], &["v1"]), refused(&[], 400)]).verdict, Verdict::Pass);
    }

    #[test]
    fn another_version_and_a_plain_get_must_not_open() {
        let seen = |version: Vec<Shaken>, plain| Handshakes {
            shakes: vec![opened(1, &[], &[])],
            version: version.into_iter().map(|outcome| Shake { outcome, ..Shake::default() }).collect(),
            plain,
        };
        let open = || opened(1, &[], &[]).outcome;
        let judged = handshakes(&seen(vec![open(), open()], Vec::new()));
        assert_eq!((judged.verdict, judged.severity), (Verdict::Fail, Some(Severity::Minor)));
        let refused = |status| Shaken::Refused { status, versions: Vec::new() };
        assert_eq!(handshakes(&seen(vec![refused(426), refused(426)], Vec::new())).verdict, Verdict::Fail);
        let judged = handshakes(&seen(vec![refused(400)], vec![(200, ExchangeId(3))]));
        assert_eq!((judged.verdict, judged.details.len()), (Verdict::Pass, 1));
        let twice = vec![(101, ExchangeId(3)), (101, ExchangeId(4))];
        assert_eq!(handshakes(&seen(vec![refused(400)], twice)).severity, None);
    }
}
