//! Sends a request that must fail, as often as its case asks for, and reads what comes.

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use jsonschema::Validator;

use super::{
    ERRORS,
    config::{ErrorCase, Literal},
    difference, echo,
    evidence::{Case, CaseAnswer, CaseOutcome, CaseResponse, Evidence, Expected, Located},
    locate::locate,
    reading::read,
    schema,
    shape::Shape,
};
use crate::{
    exchange::{Payload, Request, Who},
    families::{
        Check, Conventions, Evidence as AnyEvidence, Family, Footprint, Permit, PlannedCheck, Selection, Session,
        Unplanned,
    },
    notation::{Template, Values, render_json},
};

/// A check of one request that must fail.
#[derive(Debug)]
pub(super) struct CaseCheck {
    case: ErrorCase,
    schema: Option<Validator>,
    shape: Shape,
}

impl CaseCheck {
    /// A check of a case that was found to be in order; `schema` is the case's own, compiled.
    pub(super) fn new(case: ErrorCase, schema: Option<Validator>) -> Self {
        Self { case, schema, shape: Shape::new(&Conventions::default()) }
    }

    /// The rules that the case says enough for.
    fn rules(&self) -> Vec<&'static str> {
        let case = &self.case;
        [
            ("ERR-001", true),
            ("ERR-002", case.code.is_some()),
            ("ERR-005", !case.values.is_empty()),
            ("ERR-008", case.is_marked()),
            ("ERR-009", !case.fields.is_empty()),
        ]
        .into_iter()
        .filter_map(|(id, judged)| judged.then_some(id))
        .collect()
    }

    fn is_safe(&self) -> bool {
        matches!(self.case.request.method.as_str(), "GET" | "OPTIONS")
    }

    fn permits(&self) -> impl Iterator<Item = Permit> {
        let needed = if self.is_safe() { Permit::Read } else { Permit::Write };
        [Some(needed), self.case.is_malformed().then_some(Permit::Malformed)].into_iter().flatten()
    }

    fn repetitions(&self) -> u64 {
        (self.case.values.len() as u64).max(1)
    }

    fn request(&self, values: &Values, who: Who) -> Result<Request, String> {
        let case = &self.case;
        let text = |template: &Template| template.render(values).map_err(|unknown| unknown.to_string());
        let whole = case.request.target.to_string().starts_with("{{");
        // A captured URL stands for itself; a value inside a path must not add to the path.
        let target = if whole {
            text(&case.request.target)?
        } else {
            case.request.target.render_path(values).map_err(|unknown| unknown.to_string())?
        };
        let mut request = Request::new(who, case.request.method.clone(), target).purpose("a request that must fail");
        for (name, value) in &case.query {
            request = request.query(name.clone(), text(value)?);
        }
        for (name, value) in &case.headers {
            request = request.header(name, text(value)?);
        }
        if let Some(body) = &case.body {
            request.payload = Payload::Json(render_json(body, values)?);
        } else if let Some(form) = &case.form {
            let fields: Result<_, String> = form.iter().map(|(name, value)| Ok((name.clone(), text(value)?))).collect();
            request.payload = Payload::Form(fields?);
        } else if let Some(raw) = &case.text {
            request.payload = Payload::Raw(Bytes::from(text(raw)?), Some(case.text_type().to_owned()));
        }
        Ok(request)
    }

    async fn ask(&self, session: &dyn Session, value: Option<&str>) -> CaseOutcome {
        let mut values = session.values();
        values.extend(value.map(|value| ("value".to_owned(), value.to_owned())));
        if self.case.canary {
            values.insert("canary".to_owned(), echo::markup(session.random()));
        }
        let who = if self.case.is_forged() { echo::forged(session) } else { Who::named(self.case.client.as_deref()) };
        let mut request = match self.request(&values, who) {
            Ok(request) => request,
            Err(why) => return CaseOutcome::Nothing(why, None),
        };
        request.check.clone_from(&self.case.name);
        let reply = match session.send(request.clone()).await {
            Ok(reply) => reply,
            Err(failure) => return CaseOutcome::Nothing(failure.message, failure.id),
        };
        let (answer, body) = read(&request, &reply, &self.shape);
        let body = body.as_ref();
        let declared = self.shape.declared.errors.fields.as_ref();
        let by = |field: &String| Some(Located { field: field.clone(), by: locate(body?, declared, field)? });
        CaseOutcome::Response(Box::new(CaseResponse {
            shape: body.map(difference::members).unwrap_or_default(),
            schema_problems: match (&self.schema, body) {
                (Some(schema), Some(body)) => schema::problems(schema, body),
                _ => Vec::new(),
            },
            located: self.case.fields.iter().filter_map(by).collect(),
            answer,
        }))
    }
}

impl Check for CaseCheck {
    fn name(&self) -> &str {
        &self.case.name
    }

    fn family(&self) -> &'static Family {
        &ERRORS
    }

    fn adopt(&mut self, conventions: &Conventions) {
        self.shape = Shape::new(conventions);
    }

    fn plan(&self, selection: &Selection<'_>) -> PlannedCheck {
        let wanted = ERRORS.rules.iter().filter(|judged| (selection.wants)(judged.rule)).map(|judged| judged.rule.id);
        let own = self.rules();
        let rules: Vec<_> = wanted.filter(|id| own.contains(id)).collect();
        if let Some(permit) = self.permits().find(|permit| !selection.permits(*permit)) {
            let why = format!("{} needs the permit `{}`", self.case.request, permit.as_str());
            let unplanned = |rule| Unplanned { rule, permit: Some(permit), why: why.clone() };
            return PlannedCheck { unplanned: rules.into_iter().map(unplanned).collect(), ..PlannedCheck::default() };
        }
        if rules.is_empty() {
            return PlannedCheck::default();
        }
        PlannedCheck {
            rules,
            steps: vec![(format!("{}, which must fail", self.case.request), self.repetitions())],
            writes: if self.is_safe() { 0 } else { self.repetitions() },
            clients: self.case.named_client().map(str::to_owned).into_iter().collect(),
            footprint: if self.is_safe() { Footprint::Reads } else { Footprint::Writes },
            ..PlannedCheck::default()
        }
    }

    fn probe<'a>(&'a self, session: &'a dyn Session, _: &'a PlannedCheck) -> BoxFuture<'a, AnyEvidence> {
        async move {
            let case = &self.case;
            let values: Vec<Option<&str>> = match case.values.as_slice() {
                [] => vec![None],
                values => values.iter().map(|Literal(value)| Some(value.as_str())).collect(),
            };
            let mut answers = Vec::new();
            for value in values {
                if session.stopping() {
                    break;
                }
                let outcome = self.ask(session, value).await;
                answers.push(CaseAnswer { value: value.map(str::to_owned), outcome });
            }
            let expected = Expected {
                request: case.request.to_string(),
                statuses: case.status.0.clone(),
                code: case.code.as_ref().map(|Literal(code)| code.clone()),
                schema: case.schema.clone(),
                fields: case.fields.clone(),
                sent_fields: case.sent_fields(),
                canary: case.is_marked(),
            };
            let declared = self.shape.declared.clone();
            AnyEvidence::Errors(Box::new(Evidence::Case(Case { declared, expected, answers })))
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures_util::FutureExt;
    use serde_json::{Value, json};

    use super::{
        super::testing::{Scripted, conventions, reply},
        *,
    };
    use crate::{
        exchange::{ExchangeId, Failure, FailureKind, Outcome},
        families::Setting,
        rule::{Judgement, Verdict},
    };

    fn check(item: Value) -> Box<dyn Check> {
        let clients = BTreeSet::from(["reader".to_owned()]);
        let names = BTreeSet::from(["account".to_owned()]);
        let setting = Setting { clients: &clients, names: &names };
        let mut check = (ERRORS.load)(item, &setting).unwrap_or_else(|problems| panic!("{problems:?}"));
        check.adopt(&conventions(json!({"code": "$.code", "message": "$.detail"})));
        check
    }

    fn plan(check: &dyn Check, permits: &[Permit]) -> PlannedCheck {
        let permits: BTreeSet<Permit> = permits.iter().copied().collect();
        check.plan(&Selection { wants: &|_| true, permits: &permits })
    }

    fn probe(check: &dyn Check, session: &Scripted) -> AnyEvidence {
        let plan = plan(check, &[Permit::Read, Permit::Write, Permit::Malformed]);
        check.probe(session, &plan).now_or_never().expect("a scripted session never waits")
    }

    fn judged(id: &str, evidence: &AnyEvidence) -> Judgement {
        let judged = ERRORS.rules.iter().find(|judged| judged.rule.id == id).unwrap();
        (judged.judge)(evidence)
    }

    #[expect(clippy::unnecessary_wraps, reason = "what a script of outcomes is made of")]
    fn refusal(status: u16, body: &Value) -> Outcome {
        Ok(reply(status, "application/json", &body.to_string()))
    }

    #[test]
    fn a_case_plans_what_it_can_judge_and_what_it_may_send() {
        let read = json!({"name": "x", "client": "reader", "request": "GET /x", "status": 404, "code": "unknown"});
        let read = plan(&*check(read), &[Permit::Read]);
        assert_eq!((read.rules.as_slice(), read.requests(), read.writes), (&["ERR-001", "ERR-002"][..], 1, 0));
        assert_eq!((read.clients.as_slice(), read.footprint), (&["reader".to_owned()][..], Footprint::Reads));
        let write = json!({"name": "x", "request": "POST /{{value}}", "values": ["A", "B", "C"], "status": 404});
        let write = check(write);
        let allowed = plan(&*write, &[Permit::Read, Permit::Write]);
        assert_eq!((allowed.requests(), allowed.writes, allowed.footprint), (3, 3, Footprint::Writes));
        let refused = plan(&*write, &[Permit::Read]);
        assert_eq!((refused.rules.len(), refused.requests()), (0, 0));
        assert_eq!(refused.unplanned.iter().map(|u| u.permit).collect::<Vec<_>>(), [Some(Permit::Write); 2]);
        let broken = check(json!({"name": "x", "request": "POST /x", "text": "{\"a\":", "status": 400}));
        assert_eq!(plan(&*broken, &[Permit::Read, Permit::Write]).unplanned[0].permit, Some(Permit::Malformed));
        let plain =
            check(json!({"name": "x", "request": "POST /x", "text": "a", "content_type": "text/plain", "status": 415}));
        assert_eq!(plan(&*plain, &[Permit::Read, Permit::Write]).rules, ["ERR-001"]);
    }

    #[test]
    fn the_fault_is_repeated_with_each_value() {
        let check =
            check(json!({"name": "unknown", "client": "reader", "request": "GET /accounts/{{value}}?of={{account}}",
            "values": ["A/1", "A2", 3], "status": [404], "code": "unknown"}));
        let error =
            |code: &str, value: &str| refusal(404, &json!({"code": code, "detail": format!("no account {value}")}));
        let session = Scripted::new([error("unknown", "A/1"), error("unknown", "A2"), error("other", "3")]);
        let evidence = probe(&*check, &session);
        let asked = session.asked.lock().unwrap();
        let targets: Vec<&str> = asked.iter().map(|request| request.target.as_str()).collect();
        assert_eq!(targets, ["/accounts/A%2F1?of=ACC-001", "/accounts/A2?of=ACC-001", "/accounts/3?of=ACC-001"]);
        assert_eq!(asked[0].who, Who::Client("reader".into()));
        assert_eq!(judged("ERR-001", &evidence).verdict, Verdict::Pass);
        assert_eq!(judged("ERR-002", &evidence).exchanges, [ExchangeId(3)]);
        assert_eq!(judged("ERR-005", &evidence).verdict, Verdict::Fail);
    }

    #[test]
    fn fields_schema_and_marker_are_looked_for_in_the_answer() {
        let check = check(json!({"name": "bad order", "request": "POST /orders", "status": 422, "canary": true,
            "body": {"limitPrice": "-1", "note": "{{canary}}", "symbol": ""}, "fields": ["/limitPrice", "/symbol"],
            "headers": {"X-A": "{{account}}"}, "schema": {"required": ["errors"]}}));
        let located = json!({"code": "invalid", "detail": "no", "errors": [{"pointer": "#/limit_price"}]});
        let evidence = probe(&*check, &Scripted::new([refusal(422, &located)]));
        for id in ["ERR-001", "ERR-008", "ERR-009"] {
            assert_eq!(judged(id, &evidence).verdict, Verdict::Pass, "{id}");
        }
        let page = "<html>bad note <fincheck-0123456789abcdef></html>".to_owned();
        let session = Scripted::new([Ok(reply(422, "text/html", &page))]);
        let evidence = probe(&*check, &session);
        let Payload::Json(sent) = &session.asked.lock().unwrap()[0].payload else { panic!() };
        assert_eq!(sent["note"], "<fincheck-0123456789abcdef>");
        for id in ["ERR-001", "ERR-008", "ERR-009"] {
            assert_eq!(judged(id, &evidence).verdict, Verdict::Fail, "{id}");
        }
        let bare = probe(&*check, &Scripted::new([refusal(422, &json!({"code": "invalid", "detail": "no"}))]));
        assert!(judged("ERR-001", &bare).message.contains("schema"));
    }

    #[test]
    fn a_token_that_belongs_to_nobody_must_not_come_back() {
        let check = check(json!({"name": "x", "client": "forged", "request": "GET /x", "status": 401}));
        assert_eq!(plan(&*check, &[Permit::Read]).rules, ["ERR-001", "ERR-008"]);
        assert!(plan(&*check, &[Permit::Read]).clients.is_empty());
        let token = "fincheck-0123456789abcdef0123456789abcdef";
        for (detail, verdict) in
            [("unknown token".to_owned(), Verdict::Pass), (format!("unknown: {token}"), Verdict::Fail)]
        {
            let session = Scripted::new([refusal(401, &json!({"code": "x", "detail": detail}))]);
            let evidence = probe(&*check, &session);
            assert_eq!(session.asked.lock().unwrap()[0].who, Who::Forged(token.into()));
            assert_eq!(judged("ERR-008", &evidence).verdict, verdict, "{detail}");
        }
    }

    #[test]
    fn forms_and_broken_texts_are_sent_as_written() {
        let form = check(json!({"name": "x", "request": "POST /x", "form": {"a": "{{account}} &"}, "status": 400}));
        let session = Scripted::new([refusal(400, &json!({"code": "x"}))]);
        probe(&*form, &session);
        let Payload::Form(fields) = &session.asked.lock().unwrap()[0].payload else { panic!() };
        assert_eq!(fields, &[("a".to_owned(), "ACC-001 &".to_owned())]);
        let text = check(json!({"name": "x", "request": "POST /x", "text": "{\"a\":", "status": 400}));
        let session = Scripted::new([refusal(400, &json!({"code": "x"}))]);
        probe(&*text, &session);
        let Payload::Raw(bytes, media_type) = &session.asked.lock().unwrap()[0].payload else { panic!() };
        assert_eq!((&bytes[..], media_type.as_deref()), (&b"{\"a\":"[..], Some("application/json")));
    }

    #[test]
    fn no_response_decides_nothing_and_an_ended_run_sends_nothing() {
        let check = check(json!({"name": "x", "request": "GET /x", "status": 404}));
        let failure = Failure { id: Some(ExchangeId(1)), kind: FailureKind::Timeout, message: "too slow".into() };
        let evidence = probe(&*check, &Scripted::new([Err(failure)]));
        let judgement = judged("ERR-001", &evidence);
        assert_eq!(
            (judgement.verdict, judgement.details.as_slice()),
            (Verdict::Inconclusive, &["no response: too slow".to_owned()][..])
        );
        let mut session = Scripted::new([]);
        session.stopping = true;
        assert_eq!(judged("ERR-001", &probe(&*check, &session)).verdict, Verdict::Inconclusive);
        assert!(session.asked.lock().unwrap().is_empty());
    }

    #[test]
    fn evidence_survives_being_written_down() {
        let check = check(json!({"name": "x", "request": "GET /x", "status": 404, "code": "unknown"}));
        let evidence = probe(&*check, &Scripted::new([refusal(404, &json!({"code": "other", "detail": "d"}))]));
        let text = serde_json::to_string(&evidence).unwrap();
        let again: AnyEvidence = serde_json::from_str(&text).unwrap();
        for judged in ERRORS.rules {
            assert_eq!((judged.judge)(&again), (judged.judge)(&evidence), "{}", judged.rule.id);
        }
    }
}
