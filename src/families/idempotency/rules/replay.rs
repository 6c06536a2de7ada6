//! What a repetition is answered with.

use super::{
    super::{
        config::Replay,
        evidence::{Answer, Evidence, Kept},
    },
    on, told, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const IDM_002: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "IDM-002",
        slug: "repetition-answered-otherwise",
        family: "idempotency",
        title: "A repetition is answered as the first request was",
        sent: "A request that creates, with a fresh key, and three identical repetitions after it was answered.",
        requirement: "A repetition succeeds and names the same id. Where the suite declares that the stored answer is \
                      replayed (`replay: stored`), the content is the same too, apart from what it calls volatile; where \
                      it declares that repetitions are refused, 4xx is right. 201 and then 200 is no difference.",
        not_applicable: "The suite declares no idempotent operation.",
        severity: Severity::Major,
        strength: Strength::Should,
        source: "draft-ietf-httpapi-idempotency-key-header §2.6; AIP-155 (stale success responses)",
        remedy: "Store the answer, or at least the id of what was created, with the key, and answer repetitions from it.",
        defects: &["idempotency.new-id-on-replay", "idempotency.replay-is-500"],
    },
    judge: |evidence| on(evidence, replay),
};

fn replay(evidence: &Evidence) -> Judgement {
    let Some(repeated) = evidence.repeated.first() else { return untried(evidence) };
    let first = &repeated.trial.first;
    let mut parts: Vec<Judgement> = repeated.repeats.iter().map(|answer| one(evidence, first, answer)).collect();
    if parts.is_empty() {
        return untried(evidence);
    }
    parts.extend(evidence.kept.iter().flat_map(|kept| later(evidence, kept)));
    let mut judgement = Judgement::worst(parts, "");
    if let Some(marker) = repeated.repeats.iter().find_map(|answer| answer.marker.as_ref()) {
        judgement = judgement.detail(format!("repetitions are marked as such by {marker}"));
    }
    judgement
}

/// What repetitions after a while show: an answer that was stored does not change. Whether the key is still known then is
/// for IDM-009.
fn later<'e>(evidence: &'e Evidence, kept: &'e Kept) -> impl Iterator<Item = Judgement> + 'e {
    let same = |answer: &&Answer| answer.is_success() && answer.same_as(&kept.trial.first) == Some(true);
    let answers = kept.repeats.iter().map(|(_, answer)| answer).filter(same);
    answers.map(|answer| one(evidence, &kept.trial.first, answer))
}

fn one(evidence: &Evidence, first: &Answer, again: &Answer) -> Judgement {
    let declared = evidence.declared.replay;
    let cited = || first.exchange.into_iter().chain(again.exchange);
    let expected = |judgement: Judgement| {
        let success = format!("success, with `{}`", first.identity().unwrap_or("the same id"));
        let judgement = judgement.expected(success).actual(told(again)).cite(cited());
        if declared == Some(Replay::Refused) { judgement.expected("a refusal (4xx), as declared") } else { judgement }
    };
    if again.says_nothing() {
        return Judgement::inconclusive(format!("a repetition got {}", told(again))).cite(cited());
    }
    if again.is_success() {
        return match again.same_as(first) {
            Some(true) if declared == Some(Replay::Stored) && again.difference.is_some() => {
                let difference = again.difference.clone().unwrap_or_default();
                Judgement::fail("a repetition is answered with other content than the first, although the stored answer is declared")
                    .expected("the same content, apart from what the suite calls volatile")
                    .actual(difference)
                    .cite(cited())
            }
            Some(true) => {
                let judgement =
                    Judgement::pass("repetitions succeed and name what the first request created").cite(cited());
                match &again.difference {
                    Some(difference) => judgement.detail(format!("their content may differ: {difference}")),
                    None => judgement,
                }
            }
            Some(false) => expected(Judgement::fail("a repetition names another id than the first answer")),
            None => expected(Judgement::fail("a repetition does not say what the first request created")),
        };
    }
    if again.is_server_error() {
        return expected(Judgement::fail(
            "a repetition of a request that succeeded is answered with an error of the server",
        ));
    }
    if declared == Some(Replay::Refused) {
        return Judgement::pass("repetitions are refused, as declared").cite(cited());
    }
    if again.status() == Some(409) && evidence.declared.processing.is_none() {
        let why = "the key was still in progress long after its request was answered; the suite does not say how long it may be (`processing`)";
        return Judgement::inconclusive(why).cite(cited());
    }
    if evidence.declared.field.is_none() && declared.is_none() {
        // A key in the body may be a natural one, which must not come twice.
        let why = "a repetition is refused; the suite does not say whether that is right (`replay: refused`)";
        return Judgement::inconclusive(format!("{why}: {}", told(again))).cite(cited());
    }
    expected(Judgement::fail("a repetition of a request that succeeded is refused"))
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            super::evidence::Repeated,
            testing::{answer, judged, repeated},
        },
        *,
    };
    use crate::rule::Verdict;

    fn judge(repeats: Vec<Answer>, declare: impl Fn(&mut Evidence)) -> Judgement {
        let repeated = Repeated { repeats, ..repeated(&[]) };
        let mut evidence = Evidence { repeated: vec![repeated], ..Evidence::default() };
        evidence.declared.field = Some("Idempotency-Key".into());
        declare(&mut evidence);
        judged(&IDM_002, evidence)
    }

    fn verdict(statuses: &[u16], declare: impl Fn(&mut Evidence)) -> Verdict {
        judge(statuses.iter().map(|status| answer(*status)).collect(), declare).verdict
    }

    #[test]
    fn any_success_with_the_same_id_passes() {
        assert_eq!(verdict(&[201, 200, 201], |_| {}), Verdict::Pass);
        let other = Answer { id: Some("b".into()), ..answer(201) };
        assert_eq!(judge(vec![answer(201), other], |_| {}).verdict, Verdict::Fail);
        let nameless = Answer { id: None, ..answer(204) };
        assert_eq!(judge(vec![nameless], |_| {}).verdict, Verdict::Fail);
    }

    #[test]
    fn content_counts_only_where_the_stored_answer_is_declared() {
        let changed = || Answer { difference: Some("$.status was \"new\" and is \"done\"".into()), ..answer(200) };
        assert_eq!(judge(vec![changed()], |_| {}).verdict, Verdict::Pass);
        assert_eq!(judge(vec![changed()], |e| e.declared.replay = Some(Replay::Current)).verdict, Verdict::Pass);
        assert_eq!(judge(vec![changed()], |e| e.declared.replay = Some(Replay::Stored)).verdict, Verdict::Fail);
        assert_eq!(verdict(&[200], |e| e.declared.replay = Some(Replay::Stored)), Verdict::Pass);
    }

    #[test]
    fn a_stored_answer_does_not_change_later_either() {
        let kept = |answer: Answer| {
            let repeats = vec![("1s".parse().unwrap(), answer)];
            Some(Kept { trial: repeated(&[]).trial, repeats, after: repeated(&[]).after, cut_short: false })
        };
        let changed = Answer { difference: Some("$.status was \"new\" and is \"done\"".into()), ..answer(200) };
        let verdict = |answer: &Answer| {
            judge(vec![super::super::testing::answer(201)], |evidence| {
                evidence.declared.replay = Some(Replay::Stored);
                evidence.kept = kept(answer.clone());
            })
            .verdict
        };
        assert_eq!(verdict(&changed), Verdict::Fail);
        // A key that is forgotten by then is another rule's.
        assert_eq!(verdict(&Answer { id: Some("b".into()), ..changed }), Verdict::Pass);
    }

    #[test]
    fn errors_fail_and_a_gateway_tells_nothing() {
        assert_eq!(verdict(&[201, 500, 201], |_| {}), Verdict::Fail);
        assert_eq!(verdict(&[422], |_| {}), Verdict::Fail);
        for status in [401, 429, 503, 504] {
            assert_eq!(verdict(&[201, status], |_| {}), Verdict::Inconclusive, "{status}");
        }
    }

    #[test]
    fn a_refusal_is_right_where_declared_and_open_where_the_key_is_in_the_body() {
        assert_eq!(verdict(&[422, 422], |e| e.declared.replay = Some(Replay::Refused)), Verdict::Pass);
        assert_eq!(verdict(&[500], |e| e.declared.replay = Some(Replay::Refused)), Verdict::Fail);
        assert_eq!(verdict(&[422], |e| e.declared.field = None), Verdict::Inconclusive);
        assert_eq!(verdict(&[409], |_| {}), Verdict::Inconclusive);
        let span = "2s".parse().unwrap();
        assert_eq!(verdict(&[409], |e| e.declared.processing = Some(span)), Verdict::Fail);
    }
}
