//! Variations of a request as the suite writes it.

use serde_json::{Map, Value};

use crate::{families::Call, notation::Template};

/// The request with a merge patch (RFC 7396) applied to its JSON body or form; none if it has neither, or the patch
/// does not fit.
pub(super) fn patched(call: &Call, patch: &Map<String, Value>) -> Option<Call> {
    let mut call = call.clone();
    if let Some(body) = &mut call.body {
        merge(body, &Value::Object(patch.clone()));
        return Some(call);
    }
    let form = call.form.as_mut()?;
    for (name, value) in patch {
        match value {
            Value::Null => drop(form.remove(name)),
            Value::String(text) => drop(form.insert(name.clone(), text.parse::<Template>().ok()?)),
            _ => return None,
        }
    }
    Some(call)
}

/// `MergePatch` of RFC 7396 §2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            target.shift_remove(name);
        } else {
            merge(target.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// The request without what holds `{{name}}`, wherever that is.
pub(super) fn without(call: &Call, name: &str) -> Call {
    let mut call = call.clone();
    let uses = |template: &Template| template.names().any(|used| used == name);
    call.query.retain(|_, value| !uses(value));
    call.headers.retain(|_, value| !uses(value));
    if let Some(form) = &mut call.form {
        form.retain(|_, value| !uses(value));
    }
    if let Some(body) = &mut call.body {
        strip(body, &|text| text.parse::<Template>().is_ok_and(|template| uses(&template)));
    }
    call
}

fn strip(value: &mut Value, gone: &dyn Fn(&str) -> bool) {
    match value {
        Value::Object(map) => {
            map.retain(|_, item| !item.as_str().is_some_and(gone));
            map.values_mut().for_each(|item| strip(item, gone));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip(item, gone)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(value: Value) -> Call {
        serde_json::from_value(value).unwrap()
    }

    fn patch(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn a_body_is_merged_at_any_depth_and_null_removes() {
        let before = call(json!({"request": "POST /x", "body": {"a": {"b": 1, "c": 2}, "d": "x"}}));
        let after = patched(&before, &patch(&json!({"a": {"b": "9", "e": {"f": null}}, "d": null}))).unwrap();
        assert_eq!(after.body, Some(json!({"a": {"b": "9", "c": 2, "e": {}}})));
    }

    #[test]
    fn a_form_takes_texts_only_and_a_text_no_patch() {
        let before = call(json!({"request": "POST /x", "form": {"a": "1", "b": "2"}}));
        let after = patched(&before, &patch(&json!({"a": "9", "b": null}))).unwrap().form.unwrap();
        assert_eq!(after.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>(), ["a=9"]);
        assert!(patched(&before, &patch(&json!({"a": 9}))).is_none());
        let text = call(json!({"request": "POST /x", "text": "<a/>"}));
        assert!(patched(&text, &patch(&json!({"a": "9"}))).is_none());
    }

    #[test]
    fn what_holds_a_name_is_left_out() {
        let before = call(json!({
            "request": "POST /x", "headers": {"X-Key": "{{key}}", "X-Other": "a"}, "body": {"k": "p-{{key}}", "n": {"k": "{{key}}", "r": "{{r}}"}}
        }));
        let after = without(&before, "key");
        assert_eq!(after.body, Some(json!({"n": {"r": "{{r}}"}})));
        assert_eq!(after.headers.keys().collect::<Vec<_>>(), ["X-Other"]);
        assert!(!after.uses("key"));
    }
}
