//! `RateLimit` and `RateLimit-Policy` as structured fields (RFC 9651, draft-ietf-httpapi-ratelimit-headers).

use sfv::{BareItem, Dictionary, Item, List, ListEntry, Parser};

/// What the two fields are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Structured {
    /// Neither was sent.
    Absent,
    /// Named items, as from version 08 of the draft on.
    Named {
        /// The policies.
        policies: Vec<Policy>,
        /// What is left of them.
        states: Vec<State>,
        /// What a member of either list lacks or has wrong.
        flaws: Vec<String>,
    },
    /// One state in the form of version 07.
    Single {
        /// `limit`
        limit: Option<i64>,
        /// `remaining`
        remaining: Option<i64>,
        /// `reset`
        reset: Option<i64>,
    },
    /// Only a policy in the form of the versions before 08: no names.
    OldPolicy,
    /// Neither of these forms; which field, and how it reads.
    Unparseable(String),
}

/// A policy by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Policy {
    pub(in super::super) name: String,
    pub(in super::super) q: Option<i64>,
    pub(in super::super) w: Option<i64>,
    /// What its partition is called, if it is: one name may then stand there more than once.
    pub(in super::super) pk: Option<String>,
}

/// What is left of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct State {
    pub(in super::super) name: String,
    pub(in super::super) r: Option<i64>,
    pub(in super::super) t: Option<i64>,
    pub(in super::super) pk: Option<String>,
}

/// Reads the two fields, whichever form they have.
pub(in super::super) fn structured(ratelimit: Option<&str>, policy: Option<&str>) -> Structured {
    let mut flaws = Vec::new();
    let states = match ratelimit.map(read) {
        None => None,
        Some(Form::Named(items)) => Some(items),
        Some(Form::Members(members)) => return single(&members),
        Some(Form::Old | Form::Neither) => {
            return Structured::Unparseable(format!("RateLimit: {}", ratelimit.unwrap_or_default()));
        }
    };
    let policies = match policy.map(read) {
        Some(Form::Named(items)) => Some(items),
        Some(Form::Old) if states.is_none() => return Structured::OldPolicy,
        // Unnamed policies beside named states: nothing to compare by.
        None | Some(Form::Old) => None,
        Some(Form::Members(_) | Form::Neither) => {
            return Structured::Unparseable(format!("RateLimit-Policy: {}", policy.unwrap_or_default()));
        }
    };
    if states.is_none() && policies.is_none() {
        return Structured::Absent;
    }
    let policies = policies.unwrap_or_default().iter().map(|item| named_policy(item, &mut flaws)).collect();
    let states = states.unwrap_or_default().iter().map(|item| named_state(item, &mut flaws)).collect();
    Structured::Named { policies, states, flaws }
}

enum Form {
    Named(Vec<Item>),
    Members(Dictionary),
    Old,
    Neither,
}

fn read(text: &str) -> Form {
    if let Ok(list) = Parser::new(text).parse::<List>() {
        let items: Option<Vec<Item>> = list
            .into_iter()
            .map(|entry| match entry {
                ListEntry::Item(item) => Some(item),
                ListEntry::InnerList(_) => None,
            })
            .collect();
        let Some(items) = items else { return Form::Neither };
        if !items.is_empty() && items.iter().all(|item| matches!(item.bare_item, BareItem::Integer(_))) {
            return Form::Old;
        }
        if items.iter().all(|item| name(item).is_some()) {
            return Form::Named(items);
        }
    }
    let known = |members: &Dictionary| ["limit", "remaining", "reset"].iter().any(|name| members.contains_key(*name));
    match Parser::new(text).parse::<Dictionary>() {
        Ok(members) if known(&members) => Form::Members(members),
        _ => Form::Neither,
    }
}

/// The name of an item: a string, or a token as some write it.
fn name(item: &Item) -> Option<String> {
    match &item.bare_item {
        BareItem::String(name) => Some(name.as_str().to_owned()),
        BareItem::Token(name) => Some(name.as_str().to_owned()),
        _ => None,
    }
}

fn single(members: &Dictionary) -> Structured {
    let number = |name: &str| match members.get(name) {
        Some(ListEntry::Item(item)) => item.bare_item.as_integer().map(i64::from),
        _ => None,
    };
    Structured::Single { limit: number("limit"), remaining: number("remaining"), reset: number("reset") }
}

fn named_policy(item: &Item, flaws: &mut Vec<String>) -> Policy {
    let name = name(item).unwrap_or_default();
    let q = number(item, "q", 0, &format!("the policy \"{name}\""), flaws);
    if !item.params.contains_key("q") {
        flaws.push(format!("the policy \"{name}\" has no quota q"));
    }
    let w = number(item, "w", 1, &format!("the policy \"{name}\""), flaws);
    Policy { q, w, pk: partition(item), name }
}

fn named_state(item: &Item, flaws: &mut Vec<String>) -> State {
    let name = name(item).unwrap_or_default();
    let r = number(item, "r", 0, &format!("the limit \"{name}\""), flaws);
    if !item.params.contains_key("r") {
        flaws.push(format!("the limit \"{name}\" does not say what is left (r)"));
    }
    let t = number(item, "t", 0, &format!("the limit \"{name}\""), flaws);
    State { r, t, pk: partition(item), name }
}

fn number(item: &Item, key: &str, least: i64, of: &str, flaws: &mut Vec<String>) -> Option<i64> {
    let value = item.params.get(key)?;
    let number = value.as_integer().map(i64::from);
    if number.is_none_or(|number| number < least) {
        let shown = number.map_or_else(|| "no whole number".to_owned(), |number| number.to_string());
        flaws.push(format!("{key} of {of} is {shown}, where a whole number from {least} up belongs"));
    }
    number
}

fn partition(item: &Item) -> Option<String> {
    item.params.get("pk").map(|pk| format!("{pk:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_version_of_the_draft_is_recognised_by_its_form() {
        let named = structured(Some("\"5-in-8sec\"; r=4; t=8"), Some("\"5-in-8sec\"; q=5; w=8; pk=:MTJjYTE3YjQ5YWYy:"));
        let Structured::Named { policies, states, flaws } = named else { panic!("{named:?}") };
        assert_eq!((policies[0].q, policies[0].w, states[0].r, states[0].t), (Some(5), Some(8), Some(4), Some(8)));
        assert_eq!((states[0].name.as_str(), flaws.len()), ("5-in-8sec", 0));
        assert_eq!(
            structured(Some("limit=5, remaining=0, reset=8"), Some("5;w=8")),
            Structured::Single { limit: Some(5), remaining: Some(0), reset: Some(8) }
        );
        assert_eq!(structured(None, Some("5;w=8")), Structured::OldPolicy);
        assert_eq!(structured(None, None), Structured::Absent);
        assert!(matches!(structured(Some("default;r=5;t=1"), None), Structured::Named { .. }));
    }

    #[test]
    fn what_has_no_form_of_any_version_is_unparseable() {
        for broken in ["\"a;r=1", "r=1;t=2", "{\"r\":1}", "\"a\" r=1", "(\"a\" \"b\")", "5;w=8"] {
            assert!(matches!(structured(Some(broken), None), Structured::Unparseable(_)), "{broken}");
        }
        assert!(matches!(structured(None, Some("10 per minute")), Structured::Unparseable(_)));
    }

    #[test]
    fn members_with_missing_or_wrong_parameters_are_named() {
        let Structured::Named { flaws, .. } = structured(Some("\"a\";r=-1;t=x"), Some("\"a\";w=0")) else { panic!() };
        assert_eq!(flaws.len(), 4, "{flaws:?}");
    }
}
