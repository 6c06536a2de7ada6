//! The rules of the family. Each judges the traffic of a run, the answers to a case, or both.

mod code;
mod codes;
mod correlation;
mod disclosure;
mod echo;
mod envelope;
mod fields;
mod message;
mod problem;
mod refusal;

pub(in crate::families) use envelope::{acceptable, flaw, unusable};

use super::evidence::{
    Case, CaseOutcome, CaseResponse, Content, Envelope, ErrorResponse, Evidence, Traffic, is_problem,
};
use crate::{
    families::{Evidence as AnyEvidence, JudgedRule},
    rule::{Judgement, Rule, Severity, Strength},
};

/// Every rule, by id.
pub(super) const RULES: &[JudgedRule] = &[
    JudgedRule { rule: &envelope::MACHINE_READABLE, judge: envelope::machine_readable },
    JudgedRule { rule: &code::CODE, judge: code::code },
    JudgedRule { rule: &message::MESSAGE, judge: message::message },
    JudgedRule { rule: &correlation::CORRELATION, judge: correlation::correlation },
    JudgedRule { rule: &codes::STABLE, judge: codes::stable },
    JudgedRule { rule: &problem::MEMBERS, judge: problem::members },
    JudgedRule { rule: &disclosure::INTERNALS, judge: disclosure::internals },
    JudgedRule { rule: &echo::ECHO, judge: echo::echo },
    JudgedRule { rule: &fields::LOCATED, judge: fields::located },
];

/// Most examples that a finding shows.
const EXAMPLES: usize = 5;

/// Hands the evidence to the judge for it.
fn judge(
    evidence: &AnyEvidence,
    traffic: impl FnOnce(&Traffic) -> Judgement,
    case: impl FnOnce(&Case) -> Judgement,
) -> Judgement {
    let AnyEvidence::Errors(evidence) = evidence else {
        return Judgement::inconclusive("nothing was seen");
    };
    match &**evidence {
        Evidence::Traffic(seen) => traffic(seen),
        Evidence::Case(seen) => case(seen),
    }
}

/// For rules that all traffic is judged by, not single cases.
fn only_traffic(_: &Case) -> Judgement {
    Judgement::not_applicable("this is judged on all errors of a run together")
}

/// For rules that need what only a case says.
fn only_cases(_: &Traffic) -> Judgement {
    Judgement::not_applicable("this is judged where a case of the suite says what was wrong with its request")
}

/// The answers of a case with an acceptable status, or why there is none to judge.
fn refused(case: &Case) -> Result<Vec<&CaseResponse>, Box<Judgement>> {
    let mut refused = Vec::new();
    let mut why = Vec::new();
    for answer in &case.answers {
        match &answer.outcome {
            CaseOutcome::Nothing(message, _) => why.push(format!("no response: {message}")),
            CaseOutcome::Response(response) if case.expected.statuses.contains(&response.answer.status) => {
                refused.push(&**response);
            }
            CaseOutcome::Response(response) => {
                why.push(format!("{}, which is another outcome", response.answer.line()));
            }
        }
    }
    if refused.is_empty() {
        let mut judgement = Judgement::inconclusive("the fault that the case speaks of was not met");
        judgement.details = why;
        return Err(Box::new(judgement));
    }
    Ok(refused)
}

/// Whether something before the API answered: it does so unlike the rest, and not in the API's shape.
fn is_edge(answer: &ErrorResponse, traffic: &Traffic) -> bool {
    let elsewhere = traffic.origin.as_ref().is_some_and(|origin| *origin != answer.origin);
    !is_object(answer) && (elsewhere || matches!(answer.status, 502 | 504))
}

fn is_problem_details(answer: &ErrorResponse) -> bool {
    answer.media_type.as_deref().is_some_and(is_problem)
}

fn is_object(answer: &ErrorResponse) -> bool {
    matches!(answer.content, Content::Object(_))
}

/// Errors of the API itself in its own main envelope: what rules about members speak of.
fn own(traffic: &Traffic) -> impl Iterator<Item = &ErrorResponse> {
    traffic.answers.iter().filter(|answer| !answer.oauth && is_shaped(answer))
}

/// Whether an error has the main envelope, or may have it.
fn is_shaped(answer: &ErrorResponse) -> bool {
    is_object(answer) && matches!(answer.envelope, Envelope::Declared | Envelope::Unknown)
}

/// A failure with examples: the first few as facts, each cited.
fn fail_with(message: String, examples: &[(&ErrorResponse, String)]) -> Judgement {
    let mut judgement = Judgement::fail(message);
    if let Some((first, what)) = examples.first() {
        judgement = judgement.actual(format!("{}: {what}", first.line()));
    }
    for (answer, what) in examples.iter().take(EXAMPLES) {
        judgement = judgement.detail(format!("{}: {what}", answer.line())).cite([answer.exchange]);
    }
    if examples.len() > EXAMPLES {
        judgement = judgement.detail(format!("and {} more", examples.len() - EXAMPLES));
    }
    judgement
}

/// `1 error response`, `7 error responses`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// What the unit tests of the rules share.
#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{
        super::{
            evidence::{CaseAnswer, Declared, Expected},
            shape::Shape,
            testing,
        },
        *,
    };
    use crate::exchange::Reply;

    /// Traffic of these replies, as exchanges from 1, under an `errors` block.
    pub(in super::super) fn traffic(errors: Value, replies: impl IntoIterator<Item = Reply>) -> Traffic {
        traffic_of(&testing::shape(errors), replies)
    }

    /// Traffic of these replies under a shape.
    pub(in super::super) fn traffic_of(shape: &Shape, replies: impl IntoIterator<Item = Reply>) -> Traffic {
        let answers: Vec<_> = (1..).zip(replies).map(|(id, reply)| testing::answer(id, shape, reply)).collect();
        Traffic { declared: shape.declared.clone(), seen: answers.len() as u64, answers, ..Traffic::default() }
    }

    /// The evidence of traffic.
    pub(in super::super) fn seen(traffic: Traffic) -> AnyEvidence {
        AnyEvidence::Errors(Box::new(Evidence::Traffic(traffic)))
    }

    /// The evidence of a case that got these replies.
    pub(in super::super) fn case(
        errors: Value,
        expected: Expected,
        replies: impl IntoIterator<Item = Reply>,
    ) -> AnyEvidence {
        let shape = testing::shape(errors);
        let answers = (1..).zip(replies).map(|(id, reply)| CaseAnswer {
            value: None,
            outcome: CaseOutcome::Response(Box::new(response(id, &shape, reply))),
        });
        let case = Case { declared: shape.declared.clone(), expected, answers: answers.collect() };
        AnyEvidence::Errors(Box::new(Evidence::Case(case)))
    }

    /// The evidence of a case that got no response.
    pub(in super::super) fn unanswered() -> AnyEvidence {
        let outcome = CaseOutcome::Nothing("connection refused".into(), None);
        let answers = vec![CaseAnswer { value: None, outcome }];
        let case = Case { declared: Declared::default(), expected: Expected::default(), answers };
        AnyEvidence::Errors(Box::new(Evidence::Case(case)))
    }

    fn response(id: u32, shape: &Shape, reply: Reply) -> CaseResponse {
        let body = serde_json::from_slice::<Value>(&reply.body).ok();
        CaseResponse {
            answer: testing::answer(id, shape, reply),
            shape: body.as_ref().map(super::super::difference::members).unwrap_or_default(),
            schema_problems: Vec::new(),
            located: Vec::new(),
        }
    }

    /// A JSON reply.
    pub(in super::super) fn json(status: u16, body: &Value) -> Reply {
        testing::reply(status, "application/json", &body.to_string())
    }

    /// A reply with problem details.
    pub(in super::super) fn problem(status: u16, body: &Value) -> Reply {
        testing::reply(status, "application/problem+json", &body.to_string())
    }

    #[test]
    fn rules_are_in_order_complete_and_of_this_family() {
        let ids: Vec<&str> = RULES.iter().map(|judged| judged.rule.id).collect();
        assert_eq!(ids, (1..=9).map(|n| format!("ERR-00{n}")).collect::<Vec<_>>());
        assert!(RULES.iter().all(|judged| judged.rule.family == "errors" && !judged.rule.defects.is_empty()));
    }

    #[test]
    fn without_evidence_nothing_is_decided() {
        for judged in RULES {
            let verdict = (judged.judge)(&AnyEvidence::None).verdict;
            assert_eq!(verdict, crate::rule::Verdict::Inconclusive, "{}", judged.rule.id);
        }
    }
}
