//! Checks: each family reads its own items.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use super::{Checks, Meaning};
use crate::{
    families::Setting,
    suite::diagnostic::{Complaints, crop},
};

/// The most problems collected; nobody reads more.
const MOST_PROBLEMS: usize = 1_000;

impl Meaning<'_> {
    /// Makes the checks that can be made, and collects what is wrong with the others.
    pub(super) fn checks(
        &self,
        clients: &BTreeSet<String>,
        names: &BTreeSet<String>,
        complaints: &mut Complaints,
    ) -> Checks {
        let setting = Setting { clients, names };
        let (mut checks, mut problems) = (Vec::new(), Vec::new());
        for family in self.options.families {
            let Some(Value::Array(items)) = self.document.get(family.name) else { continue };
            self.check_names(family.name, items, complaints);
            for (index, item) in items.iter().enumerate() {
                if problems.len() >= MOST_PROBLEMS {
                    return (checks, problems);
                }
                match (family.load)(item.clone(), &setting) {
                    Ok(check) => checks.push(check),
                    Err(found) => {
                        let at = format!("/{}/{index}", family.name);
                        // A family that cannot read an item does not say whether its client is known.
                        if let Some(client) = item.get("client").and_then(Value::as_str) {
                            let mut unknown = Vec::new();
                            setting.known_client(client, &format!("{at}/client"), &mut unknown);
                            self.problems(&unknown, complaints);
                        }
                        problems.extend(found.into_iter().map(|problem| (at.clone(), problem)));
                    }
                }
            }
        }
        (checks, problems)
    }

    fn check_names(&self, family: &str, items: &[Value], complaints: &mut Complaints) {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (index, item) in items.iter().enumerate() {
            let Some(name) = item.get("name").and_then(Value::as_str) else { continue };
            let Some(first) = seen.insert(name, index) else { continue };
            let first = self.root.locate(&format!("/{family}/{first}/name")).node.place;
            let message = format!("there are two {family} checks called `{}`", crop(name, 60));
            self.error(&format!("/{family}/{index}/name"), message, complaints).see(first, "the first one");
        }
    }
}
