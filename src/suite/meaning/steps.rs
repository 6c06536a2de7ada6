//! Steps: clients and names they use, contents, captures.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Meaning;
use crate::{
    families::Setting,
    notation::Template,
    suite::{
        Step,
        diagnostic::Complaints,
        sections::escape,
        step::{Capture, WrittenStep},
    },
};

impl Meaning<'_> {
    /// Checks steps in their order; what each captures is known to the next.
    pub(super) fn steps(
        &self,
        section: &str,
        written: Vec<Option<WrittenStep>>,
        clients: &BTreeSet<String>,
        names: &mut BTreeSet<String>,
        complaints: &mut Complaints,
    ) -> Vec<Step> {
        let mut steps = Vec::with_capacity(written.len());
        for (index, step) in written.into_iter().enumerate() {
            let at = format!("/{section}/{index}");
            if let Some(step) = step {
                self.step(&at, &step, &Setting { clients, names }, complaints);
                steps.push(step.into_step());
            }
            // A step that cannot be read captures its names too, so that their uses are not called unknown.
            let captures = self.root.locate(&format!("{at}/capture"));
            if captures.complete {
                names.extend(captures.node.entries().iter().map(|entry| entry.key.clone()));
            }
        }
        steps
    }

    fn step(&self, at: &str, step: &WrittenStep, setting: &Setting<'_>, complaints: &mut Complaints) {
        let mut problems = Vec::new();
        setting.known_client(&step.client, &format!("{at}/client"), &mut problems);
        problems.iter().for_each(|problem| self.problem(problem, complaints));
        self.templates(&format!("{at}/request"), &step.request.target, setting, complaints);
        let maps = [("query", Some(&step.query)), ("headers", Some(&step.headers)), ("form", step.form.as_ref())];
        for (key, map) in maps {
            for (name, value) in map.into_iter().flatten() {
                self.templates(&format!("{at}/{key}/{}", escape(name)), &value.0, setting, complaints);
            }
        }
        // Values may hold templates, so only names are judged here.
        self.fields(&format!("{at}/headers"), step.headers.keys().map(|name| (name.as_str(), None)), complaints);
        if let Some(text) = &step.text {
            self.templates(&format!("{at}/text"), text, setting, complaints);
        }
        if let Some(body) = &step.body {
            self.body(&format!("{at}/body"), body, setting, complaints);
        }
        self.content(at, step, complaints);
        for (name, capture) in &step.capture {
            let at = format!("{at}/capture/{}", escape(name));
            self.name(&at, name, complaints);
            if let Capture::Header(header) = capture
                && http::HeaderName::from_bytes(header.header.as_bytes()).is_err()
            {
                self.error(&format!("{at}/header"), "this is not the name of a header field", complaints);
            }
        }
    }

    fn content(&self, at: &str, step: &WrittenStep, complaints: &mut Complaints) {
        let given = [("body", step.body.is_some()), ("form", step.form.is_some()), ("text", step.text.is_some())];
        let given: Vec<&str> = given.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect();
        if let [first, others @ ..] = given.as_slice() {
            for other in others {
                let message = format!("a request has one content: `{first}` or `{other}`, not both");
                let first = self.root.locate(&format!("{at}/{first}"));
                let complaint = self.key_error(&format!("{at}/{other}"), message, complaints);
                complaint.see(first.key.unwrap_or(first.node.place), "the first one");
            }
        }
        if step.content_type.is_some() && step.text.is_none() {
            self.key_error(&format!("{at}/content_type"), "`content_type` goes with `text`", complaints)
                .help("a `body` is sent as application/json, a `form` as application/x-www-form-urlencoded");
        }
    }

    fn templates(&self, at: &str, template: &Template, setting: &Setting<'_>, complaints: &mut Complaints) {
        let mut problems = Vec::new();
        setting.known_names(template.names(), &[], at, &mut problems);
        problems.iter().for_each(|problem| self.problem(problem, complaints));
    }

    /// Templates in the texts of a JSON body.
    fn body(&self, at: &str, value: &Value, setting: &Setting<'_>, complaints: &mut Complaints) {
        match value {
            Value::String(text) if text.contains("{{") => match text.parse::<Template>() {
                Ok(template) => self.templates(at, &template, setting, complaints),
                Err(message) => {
                    self.error(at, message, complaints);
                }
            },
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(i, item)| self.body(&format!("{at}/{i}"), item, setting, complaints));
            }
            Value::Object(map) => {
                map.iter().for_each(|(k, item)| self.body(&format!("{at}/{}", escape(k)), item, setting, complaints));
            }
            _ => {}
        }
    }
}
