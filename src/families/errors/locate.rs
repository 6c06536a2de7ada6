//! Finds an invalid field in the body of a validation error, however it is spelled.

use serde_json::Value;

use crate::json::Path;

/// How the body names the field, if it does.
///
/// Locators are compared by their last name, without case, `_` and `-`: JSON Pointer, dotted path, JSONPath, array
/// of steps, bare name and camel or snake spelling are all the same. Where the suite says where locators are, only
/// those count; otherwise any string or member name, and failing that a mention in running text.
pub(super) fn locate(body: &Value, declared: Option<&Path>, field: &str) -> Option<String> {
    let wanted = leaf(field)?;
    if let Some(path) = declared {
        let mut strings = Vec::new();
        path.all(body).into_iter().for_each(|node| walk(node, &mut strings));
        return strings.into_iter().find_map(|found| found.locates(&wanted));
    }
    let mut strings = Vec::new();
    walk(body, &mut strings);
    let locator = strings.iter().find_map(|found| found.locates(&wanted));
    locator.or_else(|| strings.iter().find_map(|found| found.mentions(&wanted)))
}

enum Found<'v> {
    Text(&'v str),
    /// The name of a member that holds a complaint: text, or a list of texts.
    Member(&'v str),
}

impl Found<'_> {
    fn locates(&self, wanted: &str) -> Option<String> {
        let (Self::Text(text) | Self::Member(text)) = self;
        let plain = text.len() <= 200 && !text.contains(char::is_whitespace);
        (plain && leaf(text).as_deref() == Some(wanted)).then(|| match self {
            Self::Text(text) => format!("`{text}`"),
            Self::Member(name) => format!("the member `{name}`"),
        })
    }

    fn mentions(&self, wanted: &str) -> Option<String> {
        let Self::Text(text) = self else { return None };
        text.split(|c: char| !(c.is_alphanumeric() || "_-./$[]".contains(c)))
            .any(|word| leaf(word.trim_end_matches('.')).as_deref() == Some(wanted))
            .then(|| format!("a mention in \"{}\"", super::evidence::brief(text, 80)))
    }
}

fn walk<'v>(value: &'v Value, found: &mut Vec<Found<'v>>) {
    match value {
        Value::String(text) => found.push(Found::Text(text)),
        Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Object(map) => {
            for (name, item) in map {
                let complaint = match item {
                    Value::String(_) => true,
                    Value::Array(items) => items.first().is_some_and(Value::is_string),
                    _ => false,
                };
                // What every error has names no field, whatever the request's fields are called.
                let usual = ["type", "title", "status", "detail", "instance", "code", "message", "error", "errors"];
                if complaint && !usual.contains(&name.as_str()) {
                    found.push(Found::Member(name));
                }
                walk(item, found);
            }
        }
        _ => {}
    }
}

/// The last name of a locator, spelled plainly; array indices do not count.
fn leaf(locator: &str) -> Option<String> {
    locator
        .split(['/', '.', '[', ']', '#', '$', '\'', '"', '`'])
        .rev()
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .map(|step| step.chars().filter(|c| !"_-".contains(*c)).flat_map(char::to_lowercase).collect::<String>())
        .find(|step| !step.is_empty() && step != "*" && !step.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn by(body: &Value, field: &str) -> Option<String> {
        locate(body, None, field)
    }

    #[test]
    fn every_style_of_locator_is_understood() {
        for locator in [
            "/legs/0/limit_price",
            "#/legs/0/limit_price",
            "legs[0].limitPrice",
            "$.legs[0].limit_price",
            "$['legs'][0]['limit_price']",
            "limit-price",
            "LimitPrice",
        ] {
            let body = json!({"errors": [{"where": locator, "why": "too low"}]});
            assert_eq!(by(&body, "/legs/0/limit_price"), Some(format!("`{locator}`")), "{locator}");
        }
        let steps = json!({"detail": [{"loc": ["body", "limit_price"], "msg": "too low"}]});
        assert!(by(&steps, "/limit_price").is_some());
    }

    #[test]
    fn a_member_that_holds_complaints_names_the_field_and_an_echoed_value_does_not() {
        assert!(by(&json!({"quantity": ["must be positive"]}), "quantity").is_some());
        assert_eq!(by(&json!({"received": {"quantity": -1}}), "quantity"), None);
    }

    #[test]
    fn a_mention_in_the_message_counts_unless_the_suite_says_where_locators_are() {
        let body = json!({"message": "The limitPrice must be positive.", "errors": []});
        assert!(by(&body, "/limit_price").unwrap().contains("mention"));
        assert_eq!(locate(&body, Some(&"$.errors[*].pointer".parse().unwrap()), "/limit_price"), None);
        assert_eq!(by(&body, "/quantity"), None);
    }
}
