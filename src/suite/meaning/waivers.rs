//! Waivers and severities: rules and checks they name.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Meaning, Severities};
use crate::{
    families::{Family, JudgedRule},
    rule::Severity,
    suite::{
        Waiver,
        diagnostic::{Complaints, crop, nearest},
        sections::escape,
        written::WrittenWaiver,
        yaml::Node,
    },
};

impl Meaning<'_> {
    pub(super) fn waivers(&self, written: Vec<Option<WrittenWaiver>>, complaints: &mut Complaints) -> Vec<Waiver> {
        let mut waivers = Vec::with_capacity(written.len());
        for (index, waiver) in written.into_iter().enumerate() {
            let at = format!("/waivers/{index}");
            let node = self.root.locate(&at).node;
            let text = |key: &str| node.get(key).and_then(Node::text);
            for key in ["reason", "owner"] {
                if text(key).is_some_and(|text| text.trim().is_empty()) {
                    self.error(&format!("{at}/{key}"), format!("a waiver needs its {key}"), complaints);
                }
            }
            let Some(id) = waiver.as_ref().map(|waiver| waiver.rule.as_str()).or(text("rule")) else { continue };
            let Some((family, rule)) = self.rule(id) else {
                self.error(&format!("{at}/rule"), unknown(id), complaints).help(self.nearest_rule(id));
                continue;
            };
            if let Some(check) = text("check") {
                self.waived_check(&format!("{at}/check"), family, check, complaints);
            }
            if let Some(waiver) = waiver {
                waivers.push(Waiver {
                    rule: rule.rule.id.to_owned(),
                    check: waiver.check,
                    reason: waiver.reason,
                    owner: waiver.owner,
                    expires: waiver.expires.0,
                });
            }
        }
        waivers
    }

    fn waived_check(&self, at: &str, family: &Family, check: &str, complaints: &mut Complaints) {
        // A family that watches all traffic has a check that no suite writes down.
        if family.observer.is_some() {
            return;
        }
        let items = self.document.get(family.name).and_then(Value::as_array);
        let names: Vec<&str> =
            items.into_iter().flatten().filter_map(|item| item.get("name").and_then(Value::as_str)).collect();
        if !names.contains(&check) {
            let message = format!("there is no {} check `{}`", family.name, crop(check, 60));
            self.error(at, message, complaints).help(nearest(check, names));
        }
    }

    pub(super) fn severity(&self, written: BTreeMap<String, Severity>, complaints: &mut Complaints) -> Severities {
        let unknown_ids = self.keys("severity").filter(|id| self.rule(id).is_none());
        for id in unknown_ids {
            let at = format!("/severity/{}", escape(id));
            self.key_error(&at, unknown(id), complaints).help(self.nearest_rule(id));
        }
        written
            .into_iter()
            .filter_map(|(id, severity)| Some((self.rule(&id)?.1.rule.id.to_owned(), severity)))
            .collect()
    }

    fn rules(&self) -> impl Iterator<Item = (&'static Family, &'static JudgedRule)> {
        self.options.families.iter().flat_map(|family| family.rules.iter().map(move |rule| (family, rule)))
    }

    fn rule(&self, id: &str) -> Option<(&'static Family, &'static JudgedRule)> {
        self.rules().find(|(_, judged)| judged.rule.id.eq_ignore_ascii_case(id))
    }

    fn nearest_rule(&self, id: &str) -> String {
        // The list of all rules would fill a screen.
        let help = nearest(id, self.rules().map(|(_, judged)| judged.rule.id));
        if help.starts_with("there is ") { "`fincheck rules` lists them".into() } else { help }
    }
}

fn unknown(id: &str) -> String {
    format!("there is no rule `{}`", crop(id, 60))
}
