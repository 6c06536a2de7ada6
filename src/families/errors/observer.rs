//! Watches the run and keeps the error responses worth judging.

use std::collections::HashMap;

use super::{
    evidence::{Case, CaseOutcome, Content, Envelope, ErrorResponse, Evidence, Fault, Traffic},
    provoke::EveryExchange,
    reading::{origin, read},
    shape::Shape,
};
use crate::{
    exchange::{Outcome, Reply, Request},
    families::{Check, Conventions, Evidence as AnyEvidence, Observer},
};

/// Most error responses kept of a run.
pub const KEPT: usize = 400;
/// Most kept of one kind, so that a flood of 429 leaves room for the rest.
const KEPT_OF_A_KIND: u32 = 40;
/// Most faults of cases kept.
const FAULTS: usize = 200;
/// Most values of `Server` and `Via` counted apart.
const ORIGINS: usize = 8;

/// Keeps the error responses of a run.
#[derive(Debug)]
pub(super) struct Watch {
    shape: Shape,
    provoke: bool,
    seen: u64,
    kept: Vec<ErrorResponse>,
    kinds: HashMap<String, u32>,
    /// Who answered requests that did not fail, and how often.
    origins: Vec<(String, u64)>,
    faults: Vec<Fault>,
}

impl Watch {
    pub(super) fn new(conventions: &Conventions) -> Self {
        let shape = Shape::new(conventions);
        let provoke = shape.declared.errors.provoke.unwrap_or(true);
        let (kept, kinds, origins, faults) = <_>::default();
        Self { shape, provoke, seen: 0, kept, kinds, origins, faults }
    }

    fn count_origin(&mut self, reply: &Reply) {
        let (server, via) = (reply.headers.get("server"), reply.headers.get("via"));
        let same = |known: &str| match via {
            None => known == server.unwrap_or_default(),
            Some(_) => known == origin(reply),
        };
        if let Some((_, count)) = self.origins.iter_mut().find(|(known, _)| same(known)) {
            *count += 1;
        } else if self.origins.len() < ORIGINS {
            self.origins.push((origin(reply), 1));
        }
    }

    fn keep(&mut self, request: &Request, reply: &Reply) {
        self.seen += 1;
        if self.kept.len() == KEPT {
            return;
        }
        let (answer, _) = read(request, reply, &self.shape);
        let count = self.kinds.entry(kind(&answer)).or_insert(0);
        if *count < KEPT_OF_A_KIND {
            *count += 1;
            self.kept.push(answer);
        }
    }
}

/// What makes a response unlike others: of each kind, the first ones are kept.
fn kind(answer: &ErrorResponse) -> String {
    let content = match &answer.content {
        Content::Empty => "empty",
        Content::Object(_) => "object",
        Content::OtherJson(_) => "other json",
        Content::NotJson(looks, _) => looks,
        Content::Unread(_) => "unread",
    };
    let envelope = match &answer.envelope {
        Envelope::Unknown => "unknown",
        Envelope::Declared => "declared",
        Envelope::Also => "also",
        Envelope::Foreign(_) => "foreign",
    };
    let inside: Vec<_> = answer.disclosures.iter().map(|disclosure| disclosure.kind).collect();
    format!(
        "{} {:?} {content} {envelope} {inside:?} {:?} {:?}",
        answer.status, answer.media_type, answer.canaries, answer.echoes
    )
}

impl Observer for Watch {
    fn see(&mut self, request: &Request, outcome: &Outcome) {
        let Ok(reply) = outcome else { return };
        if reply.status < 400 {
            self.count_origin(reply);
        } else if request.method != "HEAD" {
            self.keep(request, reply);
        }
    }

    fn note(&mut self, check: &str, evidence: &AnyEvidence) {
        let AnyEvidence::Errors(evidence) = evidence else { return };
        if let Evidence::Case(case) = &**evidence
            && self.faults.len() < FAULTS
            && let Some(fault) = fault(check, case)
        {
            self.faults.push(fault);
        }
    }

    fn check(&self, clients: &[String]) -> Option<Box<dyn Check>> {
        Some(Box::new(EveryExchange::new(self.provoke.then_some(clients))))
    }

    fn evidence(&self) -> AnyEvidence {
        let origin = self.origins.iter().max_by_key(|(_, count)| *count).map(|(origin, _)| origin.clone());
        AnyEvidence::Errors(Box::new(Evidence::Traffic(Traffic {
            declared: self.shape.declared.clone(),
            seen: self.seen,
            answers: self.kept.clone(),
            origin,
            faults: self.faults.clone(),
        })))
    }
}

/// The fault that a case provoked, if its first answer shows it.
fn fault(check: &str, case: &Case) -> Option<Fault> {
    let CaseOutcome::Response(response) = &case.answers.first()?.outcome else { return None };
    let answer = &response.answer;
    case.expected.statuses.contains(&answer.status).then(|| Fault {
        check: check.to_owned(),
        statuses: case.expected.statuses.clone(),
        code: case.expected.code.clone(),
        exchange: answer.exchange,
        status: answer.status,
        seen_code: answer.code.as_ref().and_then(|code| code.text()).map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{
            evidence::{CaseAnswer, CaseResponse, Declared, Expected},
            testing::{answer, conventions, reply, shape},
        },
        *,
    };
    use crate::exchange::{ExchangeId, Failure, FailureKind, Who};

    fn watch() -> Watch {
        Watch::new(&conventions(json!({})))
    }

    fn get() -> Request {
        Request::new(Who::Anonymous, "GET", "/x")
    }

    fn traffic(watch: &Watch) -> Traffic {
        let AnyEvidence::Errors(evidence) = watch.evidence() else { panic!() };
        let Evidence::Traffic(traffic) = *evidence else { panic!() };
        traffic
    }

    #[test]
    fn only_error_responses_with_content_are_kept() {
        let mut watch = watch();
        for status in [200, 204, 304] {
            watch.see(&get(), &Ok(reply(status, "application/json", "{}")));
        }
        watch.see(&Request::new(Who::Anonymous, "HEAD", "/x"), &Ok(reply(404, "", "")));
        let failure = Failure { id: Some(ExchangeId(1)), kind: FailureKind::Timeout, message: "slow".into() };
        watch.see(&get(), &Err(failure));
        assert_eq!((traffic(&watch).seen, traffic(&watch).answers.len()), (0, 0));
        watch.see(&get(), &Ok(reply(404, "application/json", "{}")));
        assert_eq!((traffic(&watch).seen, traffic(&watch).answers.len()), (1, 1));
    }

    #[test]
    fn a_flood_of_one_kind_leaves_room_for_others_and_memory_is_bounded() {
        let mut watch = watch();
        for _ in 0..1000 {
            watch.see(&get(), &Ok(reply(429, "application/json", "{}")));
        }
        watch.see(&get(), &Ok(reply(500, "text/html", "<html>")));
        assert_eq!(traffic(&watch).seen, 1001);
        assert_eq!(traffic(&watch).answers.len(), KEPT_OF_A_KIND as usize + 1);
        assert_eq!(traffic(&watch).answers.last().unwrap().status, 500);
        for kind in 0..2 * KEPT {
            watch.see(&get(), &Ok(reply(400, &format!("x/y{kind}"), "{}")));
        }
        assert_eq!(traffic(&watch).answers.len(), KEPT);
        assert!(watch.kinds.len() <= KEPT);
    }

    #[test]
    fn faults_of_cases_are_noted_once_they_were_provoked() {
        let case = |status: u16| {
            let shape = shape(json!({"code": "$.code"}));
            let answer = answer(7, &shape, reply(status, "application/json", "{\"code\":\"unknown\"}"));
            let response = CaseResponse { answer, shape: vec![], schema_problems: vec![], located: vec![] };
            let outcome = CaseOutcome::Response(Box::new(response));
            let expected = Expected { statuses: vec![404], code: Some("declared".into()), ..Expected::default() };
            let answers = vec![CaseAnswer { value: None, outcome }];
            AnyEvidence::Errors(Box::new(Evidence::Case(Case { declared: Declared::default(), expected, answers })))
        };
        let mut watch = watch();
        watch.note("a", &case(404));
        watch.note("b", &case(200));
        watch.note("c", &AnyEvidence::None);
        let fault = Fault {
            check: "a".into(),
            statuses: vec![404],
            code: Some("declared".into()),
            exchange: ExchangeId(7),
            status: 404,
            seen_code: Some("unknown".into()),
        };
        assert_eq!(traffic(&watch).faults, [fault]);
    }

    #[test]
    fn the_usual_origin_is_that_of_most_responses_that_did_not_fail() {
        let mut watch = watch();
        let from = |server: &str, via: &str| {
            let mut reply = reply(200, "application/json", "{}");
            reply.headers.push("Server", server);
            if !via.is_empty() {
                reply.headers.push("Via", via);
            }
            reply
        };
        watch.see(&get(), &Ok(from("gate", "")));
        watch.see(&get(), &Ok(from("gate", "1.1 edge")));
        watch.see(&get(), &Ok(from("gate", "1.1 edge")));
        assert_eq!(traffic(&watch).origin.as_deref(), Some("gate via 1.1 edge"));
        (0..20).for_each(|n| watch.see(&get(), &Ok(from(&format!("s{n}"), ""))));
        assert_eq!(watch.origins.len(), ORIGINS);
    }
}
