//! Nobody is told of events who may not know of them.

use super::{
    super::evidence::{
        Evidence,
        access::{Access, Intruder},
    },
    on, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_002: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-002",
        slug: "stream-open-to-others",
        family: "websocket",
        title: "A private stream tells nothing to those who may not listen",
        sent: "The stream is opened and subscribed to without credentials, with a forged token, and as `other_client`, while \
               its owner is told of events.",
        requirement: "None of the owner's events is told: the handshake is refused, or an error or a close follows, or \
                      nothing comes.",
        not_applicable: "The suite does not say that the stream is private.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "RFC 6455 §10.5; OWASP API1:2023 and API2:2023",
        remedy: "Authenticate before anything is sent, and filter every event by the principal of the connection.",
        defects: &["stream.open-to-anyone", "stream.leaks-to-rival"],
    },
    judge: |evidence| on(evidence, closed),
};

fn closed(evidence: &Evidence) -> Judgement {
    let Some(seen) = &evidence.access else { return untried(evidence, None) };
    if !seen.private {
        return Judgement::not_applicable("the suite does not say that the stream is private");
    }
    let judgement = judged(seen);
    let tried = seen.tries.iter().filter_map(|tried| tried.exchange);
    seen.tries
        .iter()
        .fold(judgement, |judgement, tried| {
            let messages =
                if tried.messages > 0 { format!(", {} messages came", tried.messages) } else { String::new() };
            judgement.detail(format!("{}: {}{messages}", tried.who.told(), tried.answer))
        })
        .cite(tried)
        .cite(seen.exchanges.iter().copied())
}

fn judged(seen: &Access) -> Judgement {
    // What was told cannot be untold: one observation is enough.
    if let Some((tried, event)) = seen.tries.iter().find_map(|tried| Some((tried, tried.leaked.first()?))) {
        return Judgement::fail(format!("{} is told of the owner's events", tried.who.told()))
            .expected("a refused handshake (401, 403), an error, a close, or nothing")
            .actual(format!("{} of {} events, the first {}", tried.leaked.len(), seen.owner, event.told()));
    }
    if let Some(why) = &seen.blocked {
        return Judgement::inconclusive(why.clone());
    }
    if seen.owner == 0 {
        return Judgement::inconclusive(
            "the owner was told of no event meanwhile, so nothing could have been told to others",
        );
    }
    if let Some(tried) = seen.tries.iter().find(|tried| tried.alike > 0) {
        return Judgement::inconclusive(format!(
            "{} got messages like the owner's to the letter; whether they are meant for both cannot be seen without a \
             `stimulus` whose `{{{{reference}}}}` the events have (`messages.reference`)",
            tried.who.told()
        ));
    }
    if seen.tries.is_empty() {
        return Judgement::inconclusive("nobody else could try to listen");
    }
    let judgement = Judgement::pass(format!("of {} events nobody else was told any", seen.owner));
    if seen.tries.iter().any(|tried| tried.who == Intruder::Other) {
        return judgement;
    }
    judgement.detail("no client of another principal tried: the suite names no `other_client`")
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::evidence::{access::Intrusion, account::Event},
        *,
    };
    use crate::rule::Verdict;

    fn tried(who: Intruder, leaked: usize, alike: u64) -> Intrusion {
        let leaked = vec![Event::default(); leaked];
        Intrusion { who, answer: "opened".into(), messages: 1, leaked, alike, exchange: None }
    }

    fn judge(access: Access) -> Verdict {
        closed(&Evidence { access: Some(access), ..Evidence::default() }).verdict
    }

    #[test]
    fn one_event_told_to_another_fails() {
        let seen = |tries| Access { private: true, owner: 2, tries, ..Access::default() };
        assert_eq!(judge(seen(vec![tried(Intruder::Nobody, 0, 0), tried(Intruder::Other, 1, 0)])), Verdict::Fail);
        assert_eq!(judge(seen(vec![tried(Intruder::Nobody, 0, 0)])), Verdict::Pass);
        assert_eq!(judge(seen(vec![tried(Intruder::Other, 0, 1)])), Verdict::Inconclusive);
    }

    #[test]
    fn silence_without_events_proves_nothing() {
        let tries = vec![tried(Intruder::Nobody, 0, 0)];
        assert_eq!(judge(Access { private: true, tries: tries.clone(), ..Access::default() }), Verdict::Inconclusive);
        assert_eq!(judge(Access { owner: 2, tries, ..Access::default() }), Verdict::NotApplicable);
        assert_eq!(judge(Access { private: true, owner: 2, ..Access::default() }), Verdict::Inconclusive);
    }
}
