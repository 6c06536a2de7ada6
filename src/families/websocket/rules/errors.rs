//! WS-009: messages that cannot be understood.

use super::{
    super::evidence::errors::{What, WrongTry, Wrongs},
    on,
    tries::{Seen, Settled, Try, part, seconds},
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_009: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-009",
        slug: "error-without-message",
        family: "websocket",
        title: "A message that cannot be understood is answered, and the connection stays",
        sent: "A message that is no JSON (where the target permits `malformed`), the wrong messages of the suite's \
               `errors.messages`, one that is larger than `errors.largest`, on a connection each; then a ping. What raises \
               doubts is sent again.",
        requirement: "An error message comes, with a code where the suite says where, and with the value in common where \
                      the suite names one; the connection stays. What is too large may be answered by a close frame (1009).",
        not_applicable: "The client sends no messages: the suite declares neither `subscribe` nor `errors`.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "a mistake in one message must not cost a client its whole session; error messages of Coinbase, Kraken, \
                 Alpaca; RFC 6455 §7.4.1 (1009)",
        remedy: "Answer with an error that carries a code and the request's id, and keep the connection; close with 1009 \
                 what is too large.",
        defects: &["stream.drops-on-error", "stream.silent-on-error"],
    },
    judge: |evidence| on(evidence, |seen| part(seen.wrongs.as_ref(), wrongs)),
};

fn wrongs(seen: &Wrongs) -> Judgement {
    if !seen.talks {
        return Judgement::not_applicable(
            "the client sends no messages (neither `subscribe` nor `errors` is declared)",
        );
    }
    let tries = seen.tries.iter().map(|one| Try {
        what: one.what.line(),
        exchange: one.exchange,
        seen: match &one.trouble {
            Some(trouble) => Seen::Neither(trouble.clone()),
            None => match &one.what {
                What::TooLarge(_) => too_large(one),
                What::Garbage => garbage(one, seen),
                What::Own(_) => own(one, seen),
            },
        },
    });
    Settled::new(tries).judge(
        "a message that cannot be understood is not answered as it must be",
        &["an error message, on a connection that stays"],
        "messages that cannot be understood are answered by an error",
    )
}

/// What the suite says is wrong must be answered.
fn own(one: &WrongTry, seen: &Wrongs) -> Seen {
    match (&one.told, &one.ended) {
        (told, Some(ended)) => {
            let after = if told.is_some() { "an error message is followed" } else { "it is answered" };
            Seen::bad(format!("{after} by {}", ended.told()))
        }
        (None, None) if one.other || !seen.recognised => Seen::Neither(
            "no message that the suite calls an error (`messages.error`) came; whether another meant it is unknown"
                .into(),
        ),
        (None, None) => Seen::bad(format!("no answer in {}", seconds(one.waited_ms))),
        (Some(_), None) if one.correlated == Some(false) => {
            Seen::bad("the error message has not the value in common that the suite names")
        }
        (Some(_), None) if seen.code && one.code.is_none() => {
            Seen::less_bad(Severity::Minor, "the error message has no code where the suite says it is")
        }
        (Some(_), None) if one.usable => Seen::Good,
        (Some(_), None) => Seen::Neither("an error message came; whether the connection stays was not seen".into()),
    }
}

/// Garbage may be answered by a close frame where the suite says so; where it says nothing of errors, hardly anything is
/// demanded.
fn garbage(one: &WrongTry, seen: &Wrongs) -> Seen {
    let Some(ended) = &one.ended else {
        return if one.told.is_none() && one.other {
            Seen::Neither("something came that the suite does not call an error (`messages.error`)".into())
        } else if one.told.is_none() && !seen.declared {
            Seen::Neither("no answer, and the suite does not say what errors are like (`errors`)".into())
        } else if one.told.is_some() && one.usable {
            // A code and a value in common cannot be asked of what cannot be read.
            Seen::Good
        } else {
            own(&WrongTry { correlated: None, ..one.clone() }, &Wrongs { code: false, ..seen.clone() })
        };
    };
    let explained = one.told.is_some() || ended.frame;
    if seen.closes && explained {
        return Seen::Good;
    }
    if seen.declared || !explained {
        return Seen::bad(format!("it is answered by {}", ended.told()));
    }
    Seen::Neither(format!(
        "it is answered by {}; where that is by contract, the suite says `errors.closes: true`",
        ended.told()
    ))
}

/// An end of TCP may have overtaken the close frame, because what was not read is left in the buffers.
fn too_large(one: &WrongTry) -> Seen {
    if one.ended.is_some() || one.told.is_some() {
        return Seen::Good;
    }
    if one.other {
        return Seen::Neither("something came that the suite does not call an error (`messages.error`)".into());
    }
    if one.usable {
        Seen::bad(format!("neither an error message nor an end in {}", seconds(one.waited_ms)))
    } else {
        Seen::Neither("neither an error message nor an end came, and nothing else".into())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{super::evidence::Ended, testing},
        *,
    };
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn told(what: What) -> WrongTry {
        WrongTry {
            what,
            exchange: Some(ExchangeId(1)),
            trouble: None,
            told: Some("{\"type\":\"error\"}".into()),
            code: Some("malformed".into()),
            correlated: Some(true),
            other: false,
            waited_ms: 5_000,
            ended: None,
            usable: true,
        }
    }

    fn ended(code: Option<u16>) -> Ended {
        testing::ended(code, "")
    }

    fn declared() -> Wrongs {
        Wrongs { talks: true, recognised: true, declared: true, code: true, ..Wrongs::default() }
    }

    fn twice(seen: &Wrongs, one: &WrongTry) -> Judgement {
        wrongs(&Wrongs { tries: vec![one.clone(), one.clone()], ..seen.clone() })
    }

    fn own_name() -> What {
        What::Own("unknown op".into())
    }

    #[test]
    fn an_error_on_a_connection_that_stays_passes() {
        for what in [What::Garbage, own_name(), What::TooLarge(70_000)] {
            assert_eq!(twice(&declared(), &told(what)).verdict, Verdict::Pass);
        }
        assert_eq!(wrongs(&Wrongs::default()).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn silence_and_an_end_fail_when_they_repeat() {
        for what in [What::Garbage, own_name()] {
            let silent = WrongTry { told: None, ..told(what.clone()) };
            assert_eq!(twice(&declared(), &silent).verdict, Verdict::Fail);
            let dropped = WrongTry { told: None, ended: Some(ended(None)), ..told(what.clone()) };
            assert_eq!(twice(&declared(), &dropped).verdict, Verdict::Fail);
            let once = Wrongs { tries: vec![dropped, told(what)], ..declared() };
            assert_eq!(wrongs(&once).verdict, Verdict::Pass);
        }
    }

    #[test]
    fn code_and_common_value_are_asked_of_what_can_be_read() {
        let plain = |what| WrongTry { code: None, correlated: Some(false), ..told(what) };
        assert_eq!(twice(&declared(), &plain(What::Garbage)).verdict, Verdict::Pass);
        assert_eq!(twice(&declared(), &plain(own_name())).severity, None);
        let coded = WrongTry { code: None, ..told(own_name()) };
        assert_eq!(twice(&declared(), &coded).severity, Some(Severity::Minor));
        assert_eq!(twice(&Wrongs { code: false, ..declared() }, &coded).verdict, Verdict::Pass);
    }

    #[test]
    fn where_nothing_is_declared_of_errors_hardly_anything_is_demanded() {
        let bare = || Wrongs { talks: true, ..Wrongs::default() };
        let closed = WrongTry { told: None, ended: Some(ended(Some(1003))), ..told(What::Garbage) };
        assert_eq!(twice(&bare(), &closed).verdict, Verdict::Inconclusive);
        assert_eq!(twice(&declared(), &closed).verdict, Verdict::Fail);
        assert_eq!(twice(&Wrongs { closes: true, ..declared() }, &closed).verdict, Verdict::Pass);
        let silent = WrongTry { told: None, ..told(What::Garbage) };
        assert_eq!(twice(&bare(), &silent).verdict, Verdict::Inconclusive);
        let echoed = WrongTry { told: None, other: true, ..told(own_name()) };
        assert_eq!(twice(&declared(), &echoed).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn what_is_too_large_may_be_closed_or_dropped_but_not_taken() {
        for code in [Some(1009), Some(1008), None] {
            let closed = WrongTry { told: None, ended: Some(ended(code)), ..told(What::TooLarge(70_000)) };
            assert_eq!(twice(&declared(), &closed).verdict, Verdict::Pass);
        }
        let taken = WrongTry { told: None, ..told(What::TooLarge(70_000)) };
        assert_eq!(twice(&declared(), &taken).verdict, Verdict::Fail);
        let quiet = WrongTry { usable: false, ..taken };
        assert_eq!(twice(&declared(), &quiet).verdict, Verdict::Inconclusive);
    }
}
