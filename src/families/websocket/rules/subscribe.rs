//! Subscriptions begin and end as one can rely on.

use super::{
    super::{
        evidence::{Evidence, Steady, Subscription},
        feed::Subscribed,
    },
    number, on, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const WS_010: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-010",
        slug: "subscription-without-known-start",
        family: "websocket",
        title: "A subscription is acknowledged and starts from a known state",
        sent: "The message that subscribes, on two connections of their own, while something happens; then, where the \
               suite says how, the message that takes it back, and something happens once more.",
        requirement: "The acknowledgement that the suite declares comes. Where the stream brings a snapshot, it comes \
                      before the events that change it. Nothing comes later than two seconds after the end of the \
                      subscription was acknowledged.",
        not_applicable: "The suite does not say how to subscribe.",
        severity: Severity::Major,
        strength: Strength::Convention,
        source: "Kraken WebSocket v2 subscription lifecycle; Coinbase `subscriptions` message; Binance \"how to manage a \
                 local order book\"",
        remedy: "Register the subscriber first, then answer, then send the snapshot with the number of the last event it \
                 includes, then what happened after that number. Take the subscriber off the list before the end of the \
                 subscription is acknowledged.",
        defects: &["stream.no-acknowledgement", "stream.data-after-unsubscribe", "stream.deltas-before-snapshot"],
    },
    judge: |evidence| on(evidence, subscribe),
};

fn subscribe(evidence: &Evidence) -> Judgement {
    if !evidence.declared.subscribe {
        return Judgement::not_applicable("the suite does not say how to subscribe: everything comes by itself");
    }
    let Some(steady) = &evidence.steady else { return untried(evidence, None) };
    if steady.subscriptions.is_empty() {
        return untried(evidence, steady.blocked.as_ref());
    }
    let parts = vec![acknowledged(evidence, steady), starts(evidence, steady), ends(steady)];
    Judgement::worst(parts, "the suite declares neither an acknowledgement nor a snapshot nor how a subscription ends")
}

fn acknowledged(evidence: &Evidence, steady: &Steady) -> Judgement {
    if !evidence.declared.acknowledged {
        return Judgement::not_applicable("no acknowledgement is declared");
    }
    let all = &steady.subscriptions;
    let of =
        |wanted: fn(&Subscribed) -> bool| -> Vec<&Subscription> { all.iter().filter(|one| wanted(&one.how)).collect() };
    let refused = of(|how| matches!(how, Subscribed::Refused(_)));
    if let Some(Subscription { exchange, how: Subscribed::Refused(text), .. }) = refused.first() {
        let why = format!("the subscription was refused: {text}");
        return Judgement::inconclusive(why).cite([*exchange]);
    }
    let missing = of(|how| matches!(how, Subscribed::Unanswered));
    let cited = missing.iter().map(|one| one.exchange);
    match missing.len() {
        0 => Judgement::pass(format!(
            "{} acknowledged",
            number(all.len() as u64, "subscription was", "subscriptions were")
        ))
        .cite(all.iter().map(|one| one.exchange)),
        1 if all.len() > 1 => {
            Judgement::inconclusive("one subscription was not acknowledged, another one was").cite(cited)
        }
        1 => Judgement::inconclusive("the subscription was not acknowledged, and could not be tried again").cite(cited),
        several => {
            let mut judgement = Judgement::fail("subscriptions are not acknowledged")
                .expected(
                    "the message that the suite declares as acknowledgement, within twice the declared lag, or two seconds",
                )
                .actual(format!("it did not come in {several} of {} tries", all.len()))
                .cite(cited);
            for one in missing.iter().take(2) {
                let came = number(one.data, "event", "events");
                let ended = one.ended.as_ref().map(|ended| format!(", then {}", ended.told()));
                judgement = judgement.detail(format!("{came} came on that connection{}", ended.unwrap_or_default()));
            }
            judgement
        }
    }
}

fn starts(evidence: &Evidence, steady: &Steady) -> Judgement {
    let declared = &evidence.declared;
    let all = &steady.subscriptions;
    let early: Vec<&Subscription> = all.iter().filter(|one| !one.early.is_empty()).collect();
    if !declared.streamed_snapshot {
        let unnumbered = all.iter().any(|one| one.data > 0 && one.numbered == 0);
        return if declared.rest_snapshot || !unnumbered && declared.sequence {
            Judgement::not_applicable("the stream brings no snapshots")
        } else {
            Judgement::not_applicable("neither snapshots nor numbers are declared")
        };
    }
    if !early.is_empty() && declared.rest_snapshot {
        return Judgement::pass("events come before the snapshot, but a snapshot can be asked for over HTTP");
    }
    match early.len() {
        0 => {}
        1 => {
            return Judgement::inconclusive("an event came before the snapshot that it changes, once")
                .cite(early.iter().map(|one| one.exchange));
        }
        several => {
            let mut judgement = Judgement::fail("events come before the snapshot that they change")
                .expected("first the snapshot, then the events that are not in it")
                .actual(format!("events came first in {several} of {} subscriptions", all.len()))
                .cite(early.iter().map(|one| one.exchange));
            judgement
                .details
                .extend(early.iter().filter_map(|one| one.early.first()).map(|text| format!("first: {text}")));
            return judgement;
        }
    }
    let begun = all.iter().filter(|one| one.snapshots > 0).count();
    if begun > 0 {
        return Judgement::pass(format!("{begun} of {} subscriptions began with a snapshot", all.len()))
            .cite(all.iter().map(|one| one.exchange));
    }
    if all.iter().all(|one| one.data == 0) {
        return Judgement::inconclusive("neither a snapshot nor an event came")
            .cite(all.iter().map(|one| one.exchange));
    }
    Judgement::pass("no snapshot came, and events are numbered or a snapshot is only sent after a loss")
}

fn ends(steady: &Steady) -> Judgement {
    let all = &steady.unsubscriptions;
    if all.is_empty() {
        return Judgement::not_applicable("the suite does not say how a subscription ends");
    }
    let cited = || all.iter().map(|one| one.exchange);
    let unanswered = all.iter().filter(|one| one.how == Subscribed::Unanswered).count();
    let after: Vec<_> = all.iter().filter(|one| !one.after.is_empty()).collect();
    if after.len() > 1 {
        let mut judgement = Judgement::fail("events come after the subscription was taken back")
            .expected("none later than two seconds after the acknowledgement")
            .actual(format!("events came in {} of {} tries", after.len(), all.len()))
            .cite(after.iter().map(|one| one.exchange));
        judgement
            .details
            .extend(after.iter().filter_map(|one| one.after.first()).map(|text| format!("such as {text}")));
        return judgement;
    }
    if unanswered > 1 {
        return Judgement::fail("the end of a subscription is not acknowledged")
            .expected("the message that the suite declares as acknowledgement")
            .actual(format!("it did not come in {unanswered} of {} tries", all.len()))
            .cite(cited());
    }
    if after.len() + unanswered > 0 {
        return Judgement::inconclusive("the end of a subscription did not work once, and could not be confirmed")
            .cite(cited());
    }
    if all.iter().any(|one| one.busy) {
        Judgement::pass("nothing came after the subscription was taken back").cite(cited())
    } else {
        Judgement::inconclusive("whether a subscription ends could not be seen: nothing happened").cite(cited())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::super::evidence::{Declared, Unsubscription},
        *,
    };
    use crate::{exchange::ExchangeId, rule::Verdict};

    fn subscription(how: Subscribed, data: u64, early: usize) -> Subscription {
        Subscription {
            exchange: ExchangeId(1),
            how,
            data,
            numbered: data,
            snapshots: 1,
            early: vec!["{}".into(); early],
            stimulated: true,
            ended: None,
        }
    }

    fn acknowledged() -> Subscribed {
        Subscribed::Acknowledged(Duration::from_millis(3))
    }

    fn ended(after: usize, busy: bool) -> Unsubscription {
        Unsubscription {
            exchange: ExchangeId(2),
            how: acknowledged(),
            before: 2,
            after: vec!["{}".into(); after],
            busy,
        }
    }

    fn judged(subscriptions: Vec<Subscription>, unsubscriptions: Vec<Unsubscription>) -> Verdict {
        let declared = Declared {
            subscribe: true,
            acknowledged: true,
            streamed_snapshot: true,
            sequence: true,
            ..Declared::default()
        };
        let steady = Steady { subscriptions, unsubscriptions, ..Steady::default() };
        subscribe(&Evidence { declared, steady: Some(steady), ..Evidence::default() }).verdict
    }

    #[test]
    fn only_what_repeats_fails() {
        let good = || subscription(acknowledged(), 2, 0);
        assert_eq!(judged(vec![good(), good()], vec![]), Verdict::Pass);
        let silent = || subscription(Subscribed::Unanswered, 0, 0);
        assert_eq!(judged(vec![silent(), good(), good()], vec![]), Verdict::Inconclusive);
        assert_eq!(judged(vec![silent(), silent()], vec![]), Verdict::Fail);
        let early = || subscription(acknowledged(), 2, 1);
        assert_eq!(judged(vec![early(), good(), good()], vec![]), Verdict::Inconclusive);
        assert_eq!(judged(vec![early(), early()], vec![]), Verdict::Fail);
        assert_eq!(judged(vec![subscription(Subscribed::Refused("no".into()), 0, 0)], vec![]), Verdict::Inconclusive);
    }

    #[test]
    fn what_comes_after_the_end_fails() {
        let good = || vec![subscription(acknowledged(), 2, 0); 2];
        assert_eq!(judged(good(), vec![ended(0, true)]), Verdict::Pass);
        assert_eq!(judged(good(), vec![ended(0, false)]), Verdict::Inconclusive);
        assert_eq!(judged(good(), vec![ended(1, true)]), Verdict::Inconclusive);
        assert_eq!(judged(good(), vec![ended(1, true), ended(1, true)]), Verdict::Fail);
    }

    #[test]
    fn nothing_to_subscribe_to_is_not_judged() {
        assert_eq!(subscribe(&Evidence::default()).verdict, Verdict::NotApplicable);
    }
}
