//! Steps: clients and names they use, contents, captures.

use std::collections::BTreeSet;

use super::Meaning;
use crate::{
    families::Setting,
    notation::Template,
    suite::{
        Step,
        diagnostic::Complaints,
        sections::escape,
        step::{Capture, WrittenStep},
        yaml::{Kind, Node},
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
            self.names_of_step(&at, &Setting { clients, names }, complaints);
            if let Some(step) = step {
                self.step(&at, &step, complaints);
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

    /// Clients and names that a step uses, be it otherwise right or not.
    fn names_of_step(&self, at: &str, setting: &Setting<'_>, complaints: &mut Complaints) {
        if complaints.is_full() {
            return;
        }
        let step = self.root.locate(at).node;
        let mut problems = Vec::new();
        if let Some(client) = step.get("client").and_then(Node::text) {
            setting.known_client(client, &format!("{at}/client"), &mut problems);
        }
        self.problems(&problems, complaints);
        for key in ["request", "query", "headers", "form", "text", "body"] {
            if let Some(node) = step.get(key) {
                self.templates(&format!("{at}/{key}"), node, key == "body", setting, complaints);
            }
        }
    }

    fn step(&self, at: &str, step: &WrittenStep, complaints: &mut Complaints) {
        // Values may hold templates, so only names are judged here.
        self.fields(&format!("{at}/headers"), step.headers.keys().map(|name| (name.as_str(), None)), complaints);
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

    /// Templates in the texts of a value; what is no template is reported only in a body, elsewhere its type says so.
    fn templates(&self, at: &str, node: &Node, is_body: bool, setting: &Setting<'_>, complaints: &mut Complaints) {
        if complaints.is_full() {
            return;
        }
        match &node.kind {
            Kind::Text(text) if text.contains("{{") => match text.parse::<Template>() {
                Ok(template) => {
                    let mut problems = Vec::new();
                    setting.known_names(template.names(), &[], at, &mut problems);
                    self.problems(&problems, complaints);
                }
                Err(message) if is_body => {
                    complaints.error(node.place, message);
                }
                Err(_) => {}
            },
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.templates(&format!("{at}/{index}"), item, is_body, setting, complaints);
                }
            }
            Kind::Map(entries) => {
                for entry in entries {
                    self.templates(&format!("{at}/{}", escape(&entry.key)), &entry.value, is_body, setting, complaints);
                }
            }
            _ => {}
        }
    }
}
