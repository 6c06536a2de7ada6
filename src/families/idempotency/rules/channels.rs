//! One effect everywhere.

use super::{
    super::evidence::{ChannelSeen, Evidence},
    on, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const IDM_008: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "IDM-008",
        slug: "repetition-shows-downstream",
        family: "idempotency",
        title: "A repeated request has one effect downstream too",
        sent: "What the requests of IDM-001 and IDM-004 left in further listings (ledger postings) and in callbacks, \
               compared with what a request left that was never repeated.",
        requirement: "A repeated request has as many postings and events, by their ids, as one that was not. The same \
                      event delivered twice is one event.",
        not_applicable: "The suite names nothing else that shows an effect (`downstream`, `events`).",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "domain requirement: money moves once, and is told of once",
        remedy: "Make postings and events in the same transaction as the effect, never in the handler of a request that \
                 may be a repetition.",
        defects: &["idempotency.two-postings", "idempotency.two-events"],
    },
    judge: |evidence| on(evidence, downstream),
};

fn downstream(evidence: &Evidence) -> Judgement {
    if evidence.channels.is_empty() {
        if evidence.declared.channels {
            return untried(evidence);
        }
        return Judgement::not_applicable("the suite names nothing else that shows an effect (`downstream`, `events`)");
    }
    let control = evidence.control.as_ref().map_or("", |trial| &trial.reference);
    Judgement::worst(evidence.channels.iter().map(|channel| one(channel, control)).collect(), "")
}

fn one(channel: &ChannelSeen, control: &str) -> Judgement {
    let ChannelSeen { name, control: usual, repeated } = channel;
    let usual_number = match usual.number() {
        Some(0) => {
            return Judgement::inconclusive(format!("{name}: a request that was never repeated shows none"));
        }
        Some(number) => number,
        None => return Judgement::inconclusive(format!("{name}: {}", usual.told())).cite(usual.exchanges()),
    };
    if let Some((reference, count)) =
        repeated.iter().find(|(_, count)| count.number().is_some_and(|number| number > usual_number))
    {
        return Judgement::fail(format!("{name}: a repeated request has more than one that was not repeated"))
            .expected(format!("as many as for reference {control}, never repeated: {usual_number}"))
            .actual(format!("for reference {reference} found: {}", count.told()))
            .cite(count.exchanges())
            .cite(usual.exchanges());
    }
    if let Some((_, unseen)) = repeated.iter().find(|(_, count)| count.number().is_none()) {
        return Judgement::inconclusive(format!("{name}: {}", unseen.told())).cite(unseen.exchanges());
    }
    if repeated.first().is_none_or(|(_, count)| count.number() == Some(0)) {
        return Judgement::inconclusive(format!("{name}: the repeated request shows none")).cite(usual.exchanges());
    }
    let cited = repeated.iter().take(2).flat_map(|(_, count)| count.exchanges());
    Judgement::pass(format!("{name}: {usual_number} for a repeated request, as for one that was not")).cite(cited)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::evidence::Count,
            testing::{judged, seen, trial},
        },
        *,
    };
    use crate::rule::Verdict;

    fn judge(control: Count, repeated: Vec<Count>) -> Verdict {
        let repeated = repeated.into_iter().enumerate().map(|(at, count)| (format!("r{at}"), count)).collect();
        let channels = vec![ChannelSeen { name: "postings".into(), control, repeated }];
        judged(&IDM_008, Evidence { channels, control: Some(trial()), ..Evidence::default() }).verdict
    }

    #[test]
    fn as_many_as_without_repetition_pass_and_more_fail() {
        assert_eq!(judge(seen(&["p"]), vec![seen(&["q"]), seen(&["r"])]), Verdict::Pass);
        assert_eq!(judge(seen(&["p", "p2"]), vec![seen(&["q", "q2"])]), Verdict::Pass);
        assert_eq!(judge(seen(&["p"]), vec![seen(&["q"]), seen(&["r", "s"])]), Verdict::Fail);
    }

    #[test]
    fn what_does_not_show_says_nothing() {
        let unseen = || Count::Unseen { why: "status 500".into(), exchange: None };
        assert_eq!(judge(seen(&[]), vec![seen(&["q", "r"])]), Verdict::Inconclusive);
        assert_eq!(judge(unseen(), vec![seen(&["q"])]), Verdict::Inconclusive);
        assert_eq!(judge(seen(&["p"]), vec![unseen()]), Verdict::Inconclusive);
        assert_eq!(judge(seen(&["p"]), vec![seen(&[])]), Verdict::Inconclusive);
        assert_eq!(judge(seen(&["p"]), Vec::new()), Verdict::Inconclusive);
        assert_eq!(judged(&IDM_008, Evidence::default()).verdict, Verdict::NotApplicable);
    }
}
