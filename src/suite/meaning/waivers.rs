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
    },
};

impl Meaning<'_> {
    pub(super) fn waivers(&self, written: Vec<Option<WrittenWaiver>>, complaints: &mut Complaints) -> Vec<Waiver> {
        let mut waivers = Vec::with_capacity(written.len());
        for (index, waiver) in written.into_iter().enumerate() {
            let Some(waiver) = waiver else { continue };
            let at = format!("/waivers/{index}");
            for (key, text) in [("reason", &waiver.reason), ("owner", &waiver.owner)] {
                if text.trim().is_empty() {
                    self.key_error(&format!("{at}/{key}"), format!("a waiver needs its {key}"), complaints);
                }
            }
            let Some((family, rule)) = self.rule(&waiver.rule) else {
                let at = format!("{at}/rule");
                self.error(&at, unknown(&waiver.rule), complaints).help(self.nearest_rule(&waiver.rule));
                continue;
            };
            if let Some(check) = &waiver.check {
                self.waived_check(&format!("{at}/check"), family, check, complaints);
            }
            waivers.push(Waiver {
                rule: rule.rule.id.to_owned(),
                check: waiver.check,
                reason: waiver.reason,
                owner: waiver.owner,
                expires: waiver.expires.0,
            });
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
        let mut severities = Severities::new();
        for (id, severity) in written {
            if let Some((_, rule)) = self.rule(&id) {
                severities.insert(rule.rule.id.to_owned(), severity);
            } else {
                let at = format!("/severity/{}", escape(&id));
                self.key_error(&at, unknown(&id), complaints).help(self.nearest_rule(&id));
            }
        }
        severities
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
