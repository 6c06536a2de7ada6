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
            ("ERR-008", case.canary),
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

    fn request(&self, values: &Values) -> Result<Request, String> {
        let case = &self.case;
        let text = |template: &Template| template.render(values).map_err(|unknown| unknown.to_string());
        let who = Who::named(case.client.as_deref());
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
        let mut request = match self.request(&values) {
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
        let client = self.case.client.iter().filter(|name| *name != "anonymous");
        PlannedCheck {
            rules,
            steps: vec![(format!("{}, which must fail", self.case.request), self.repetitions())],
            writes: if self.is_safe() { 0 } else { self.repetitions() },
            clients: client.cloned().collect(),
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
                canary: case.canary,
            };
            let declared = self.shape.declared.clone();
            AnyEvidence::Errors(Box::new(Evidence::Case(Case { declared, expected, answers })))
        }
        .boxed()
    }
}
