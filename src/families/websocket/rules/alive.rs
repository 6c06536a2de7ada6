//! WS-004 and WS-005: signs of life, dead peers and living ones.

use super::{
    super::evidence::{
        Ended,
        alive::{Alive, Watched},
    },
    framing::going_away,
    on,
    tries::{Seen, Settled, Try, part, seconds},
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_004: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-004",
        slug: "silent-stream",
        family: "websocket",
        title: "The stream shows that it is alive as often as declared",
        sent: "Nothing, for three declared intervals on a subscribed connection, but the answers to pings and heartbeats; \
               again where it was silent.",
        requirement: "Something comes at least every interval: data, a ping, a heartbeat. More than two intervals of \
                      silence on an open connection fail.",
        not_applicable: "The suite declares no heartbeat (`heartbeat.interval`).",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "a client can tell a quiet market from a dead line; RFC 6455 §5.5.2; heartbeats of Binance, Kraken, Coinbase",
        remedy: "Send a ping or a heartbeat whenever nothing else was sent for the interval.",
        defects: &["stream.silent"],
    },
    judge: |evidence| on(evidence, |seen| part(seen.alive.as_ref(), signs)),
};

pub(super) const WS_005: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-005",
        slug: "dead-peer-kept-or-living-dropped",
        family: "websocket",
        title: "A peer that does not answer is given up, one that answers is kept",
        sent: "No answer to pings or heartbeats on one connection, answers for three timeouts on another; again where the \
               first was kept or the second dropped.",
        requirement: "The first is ended within the declared timeout of the first ping or heartbeat without answer, given \
                      twice the time; the second is kept.",
        not_applicable: "The suite declares no timeout (`heartbeat.timeout`), or neither pings nor an answer.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "stale connections must not hold sessions and limits; RFC 6455 §5.5.2 (keepalive)",
        remedy: "End a connection on which no pong comes within the timeout, and count every pong that does.",
        defects: &["stream.never-drops-dead", "stream.drops-the-living"],
    },
    judge: |evidence| on(evidence, |seen| part(seen.alive.as_ref(), kept)),
};

fn signs(seen: &Alive) -> Judgement {
    let Some(interval) = seen.interval_ms else {
        return Judgement::not_applicable("the suite declares no heartbeat (`heartbeat.interval`)");
    };
    let tries = seen.idle.iter().map(|watched| Try {
        what: format!("watched for {}", seconds(watched.lasted_ms)),
        exchange: watched.exchange,
        seen: sign(watched, interval),
    });
    // However long each was watched, they are tries of the same.
    let tries = tries.map(|one| Try { what: "a quiet connection".into(), ..one });
    let told = seen.idle.first().map(|watched| {
        format!(
            "{} message{} and {} ping{} in {}; the longest silence {}",
            watched.messages,
            if watched.messages == 1 { "" } else { "s" },
            watched.pings,
            if watched.pings == 1 { "" } else { "s" },
            seconds(watched.lasted_ms),
            seconds(watched.silence_ms)
        )
    });
    let judgement = Settled::new(tries).judge(
        "the stream falls silent",
        &[&format!("a message or a ping at least every {}", seconds(interval))],
        "the stream shows that it is alive",
    );
    told.into_iter().fold(judgement, Judgement::detail)
}

fn sign(watched: &Watched, interval: u64) -> Seen {
    if let Some(trouble) = &watched.trouble {
        return Seen::Neither(trouble.clone());
    }
    if watched.silence_ms > interval * 2 + watched.guard_ms() {
        return Seen::bad(format!(
            "nothing for {} from {} on",
            seconds(watched.silence_ms),
            seconds(watched.silence_from_ms)
        ));
    }
    if let Some(ended) = &watched.ended {
        return Seen::Neither(format!("it was ended after {} by {}", seconds(age(ended)), ended.told()));
    }
    if watched.cut_short {
        return Seen::Neither("the run ended before three intervals had passed".into());
    }
    if watched.silence_ms > interval + interval / 2 + watched.guard_ms() {
        return Seen::Neither(format!(
            "nothing for {}, over an interval and less than two",
            seconds(watched.silence_ms)
        ));
    }
    Seen::Good
}

fn kept(seen: &Alive) -> Judgement {
    let Some(timeout) = seen.timeout_ms else {
        return Judgement::not_applicable(
            "the suite declares no timeout (`heartbeat.timeout`) with `pings` or `answer`",
        );
    };
    let asked = if seen.by_message { "heartbeat" } else { "ping" };
    let dead = seen.dead.iter().map(|watched| Try {
        what: "a connection that answers nothing".into(),
        exchange: watched.exchange,
        seen: dropped(watched, asked),
    });
    let living = seen.living.iter().map(|watched| Try {
        what: "a connection that answers".into(),
        exchange: watched.exchange,
        seen: stayed(watched, seen, asked),
    });
    Settled::new(dead.chain(living)).judge(
        "the living and the dead are not told apart",
        &[
            &format!("the end of a connection within {} of the first {asked} without answer", seconds(timeout)),
            &format!("no end of a connection on which each {asked} is answered"),
        ],
        "a peer that does not answer is given up, one that answers is kept",
    )
}

fn dropped(watched: &Watched, asked: &str) -> Seen {
    if let Some(trouble) = &watched.trouble {
        return Seen::Neither(trouble.clone());
    }
    match (&watched.ended, watched.asked_ms) {
        (Some(_), Some(_)) => Seen::Good,
        (Some(ended), None) => {
            Seen::Neither(format!("it was ended after {} by {}, before any {asked}", seconds(age(ended)), ended.told()))
        }
        (None, _) if watched.cut_short => Seen::Neither("the run ended before it would have to be given up".into()),
        (None, Some(asked_ms)) => Seen::bad(format!(
            "it is open {} after the first {asked} without answer",
            seconds(watched.lasted_ms.saturating_sub(asked_ms))
        )),
        (None, None) => Seen::bad(format!("no {asked} comes in {}, and it stays open", seconds(watched.lasted_ms))),
    }
}

fn stayed(watched: &Watched, seen: &Alive, asked: &str) -> Seen {
    if let Some(trouble) = &watched.trouble {
        return Seen::Neither(trouble.clone());
    }
    let Some(ended) = &watched.ended else {
        return match (watched.cut_short, watched.asked_ms) {
            (true, _) => Seen::Neither("the run ended before three timeouts had passed".into()),
            (false, None) => Seen::Neither(format!("no {asked} came that could be answered")),
            (false, Some(_)) => Seen::Good,
        };
    };
    let told = format!("it is ended after {} by {}", seconds(age(ended)), ended.told());
    let aged = seen.longest_ms.is_some_and(|longest| age(ended) + watched.guard_ms() >= longest);
    if aged || watched.asked_ms.is_none() || ended.told.is_some() {
        return Seen::Neither(told);
    }
    // Codes that speak of other things than silence; those of applications only where the reason does not.
    let elsewhere =
        going_away(ended.code) || (matches!(ended.code, Some(1008 | 3001..)) && !speaks_of_silence(&ended.reason));
    if elsewhere { Seen::Neither(told) } else { Seen::bad(told) }
}

fn age(ended: &Ended) -> u64 {
    u64::try_from(ended.lived.as_millis()).unwrap_or(u64::MAX)
}

fn speaks_of_silence(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    ["ping", "pong", "heartbeat", "keepalive", "keep-alive", "timeout", "timed out", "idle"]
        .iter()
        .any(|word| reason.contains(word))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{super::testing::ended, *};
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn watched(silence_ms: u64) -> Watched {
        Watched {
            exchange: Some(ExchangeId(1)),
            lasted_ms: 3_000,
            silence_ms,
            pings: 3,
            asked_ms: Some(700),
            ..Watched::default()
        }
    }

    fn idle(idle: Vec<Watched>) -> Verdict {
        signs(&Alive { interval_ms: Some(1_000), idle, ..Alive::default() }).verdict
    }

    #[test]
    fn silence_over_two_intervals_fails_when_it_repeats() {
        assert_eq!(idle(vec![watched(1_000)]), Verdict::Pass);
        assert_eq!(idle(vec![watched(1_900)]), Verdict::Inconclusive);
        assert_eq!(idle(vec![watched(2_300)]), Verdict::Inconclusive);
        assert_eq!(idle(vec![watched(2_300), watched(2_300)]), Verdict::Fail);
        assert_eq!(idle(vec![watched(2_300), watched(900)]), Verdict::Pass);
        assert_eq!(signs(&Alive::default()).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn what_could_not_be_watched_decides_nothing() {
        let short = Watched { cut_short: true, ..watched(900) };
        let gone = Watched { ended: Some(ended(Some(1001), "")), ..watched(900) };
        let never = Watched { trouble: Some("refused".into()), ..Watched::default() };
        for one in [short, gone, never] {
            assert_eq!(idle(vec![one.clone(), one]), Verdict::Inconclusive);
        }
    }

    fn judge(dead: Vec<Watched>, living: Vec<Watched>) -> Judgement {
        let timeout_ms = Some(1_500);
        kept(&Alive { timeout_ms, longest_ms: Some(60_000), dead, living, ..Alive::default() })
    }

    fn gone(code: Option<u16>, reason: &str) -> Watched {
        Watched { ended: Some(ended(code, reason)), ..watched(900) }
    }

    #[test]
    fn any_end_gives_up_a_dead_peer() {
        // As `websockets`, aiohttp and the `ws` of npm do it.
        for end in [gone(Some(1011), "keepalive ping timeout"), gone(None, "")] {
            assert_eq!(judge(vec![end], vec![watched(900)]).verdict, Verdict::Pass);
        }
    }

    #[test]
    fn a_dead_peer_that_is_kept_twice_fails() {
        let silent = Watched { asked_ms: None, pings: 0, ..watched(3_000) };
        for one in [watched(900), silent] {
            let judged = judge(vec![one.clone(), one], vec![watched(900)]);
            assert_eq!(judged.verdict, Verdict::Fail);
        }
        let short = Watched { cut_short: true, ..watched(900) };
        assert_eq!(judge(vec![short], vec![watched(900)]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn a_living_peer_that_is_dropped_twice_fails_unless_something_else_explains_it() {
        let living = |one: Watched| judge(vec![gone(None, "")], vec![one.clone(), one]).verdict;
        assert_eq!(living(gone(Some(1011), "keepalive ping timeout")), Verdict::Fail);
        assert_eq!(living(gone(None, "")), Verdict::Fail);
        assert_eq!(living(gone(Some(4009), "heartbeat missed")), Verdict::Fail);
        assert_eq!(living(gone(Some(4009), "not subscribed")), Verdict::Inconclusive);
        assert_eq!(living(gone(Some(1001), "")), Verdict::Inconclusive);
        assert_eq!(living(gone(Some(3000), "token expired")), Verdict::Inconclusive);
        let mut told = gone(Some(1000), "");
        told.ended.as_mut().unwrap().told = Some("token expired".into());
        assert_eq!(living(told), Verdict::Inconclusive);
        let mut aged = gone(None, "");
        aged.ended.as_mut().unwrap().lived = Duration::from_mins(1);
        assert_eq!(living(aged), Verdict::Inconclusive);
        assert_eq!(judge(vec![gone(None, "")], vec![gone(None, "")]).verdict, Verdict::Inconclusive);
    }
}
