//! From an item of `rate_limit:` to a check: what a schema cannot say.

use serde_json::Value;

use super::{RateLimitCheck, config::Config};
use crate::families::{Check, Conventions, Problem, Setting, errors::Shape};

/// Makes a check of one item of `rate_limit:`.
pub(super) fn load(item: Value, setting: &Setting<'_>) -> Result<Box<dyn Check>, Vec<Problem>> {
    let config: Config = serde_json::from_value(item).map_err(|e| vec![Problem::new("", e.to_string())])?;
    let mut problems = Vec::new();
    config.call().problems("", setting, &[], &mut problems);
    for (name, at) in [(&config.other_client, "/other_client"), (&config.second_client, "/second_client")] {
        if let Some(client) = name {
            setting.known_client(client, at, &mut problems);
            if Some(client) == config.client.as_ref() {
                problems.push(Problem::new(at, format!("`{client}` is the client whose limit is spent")));
            }
        }
    }
    limit(&config, &mut problems);
    refusal(&config, &mut problems);
    for (index, other) in config.others.iter().enumerate() {
        other.call.problems(&format!("/others/{index}/call"), setting, &[], &mut problems);
    }
    write(&config, setting, &mut problems);
    if let Some(forged) = &config.forged {
        for (key, map) in [("headers", &forged.headers), ("query", &forged.query)] {
            for (name, template) in map {
                setting.known_names(template.names(), &[], &format!("/forged/{key}/{name}"), &mut problems);
            }
        }
    }
    if config.second_client.is_some() && !config.evasion {
        let problem = Problem::new("/second_client", "`second_client` is tried only with `evasion: true`");
        problems.push(problem);
    }
    let shape = Shape::new(&Conventions::default());
    if problems.is_empty() { Ok(Box::new(RateLimitCheck { config, shape })) } else { Err(problems) }
}

fn limit(config: &Config, problems: &mut Vec<Problem>) {
    if let Some(limit) = &config.limit {
        if limit.quota == 0 {
            problems.push(Problem::new("/limit/quota", "a quota is at least 1"));
        }
        if limit.window.is_some_and(|window| window.0.is_zero()) {
            problems.push(Problem::new("/limit/window", "a window is longer than nothing"));
        }
        if config.budget.is_some_and(|budget| budget <= limit.most()) {
            let message = format!("{} requests are let through, so more are needed to be refused", limit.most());
            problems.push(Problem::new("/budget", message));
        }
    }
    if config.budget() < 3 || config.budget() > 10_000 {
        let problem = Problem::new("/budget", "provoking a refusal takes between 3 and 10000 requests");
        problems.push(problem.help("declare a small limit of the sandbox, or give a `budget` over the limit"));
    }
}

fn refusal(config: &Config, problems: &mut Vec<Problem>) {
    let refusal = &config.refusal;
    for status in refusal.status.iter().filter(|status| !(200..=599).contains(*status)) {
        problems.push(Problem::new("/refusal/status", format!("{status} is not the status of a refusal")));
    }
    if refusal.code.is_none() && refusal.status.iter().any(|status| (200..300).contains(status)) {
        let problem = Problem::new("/refusal/status", "a success is a refusal only where its body says so");
        problems.push(problem.help("say where: `code: { path: $.error, values: [...] }`"));
    }
    if refusal.code.as_ref().is_some_and(|code| code.values.is_empty()) {
        problems.push(Problem::new("/refusal/code/values", "no value says that a request was refused"));
    }
}

fn write(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let Some(write) = &config.write else { return };
    write.call.problems("/write/call", setting, &["reference"], problems);
    write.find.problems("/write/find", setting, &[], problems);
    if let Some(undo) = &write.undo {
        undo.problems("/write/undo", setting, &["reference", "id"], problems);
    }
    if write.call.is_safe() {
        let message = format!("`{}` creates nothing", write.call.request.method);
        problems.push(Problem::new("/write/call/request", message));
    }
    if !write.call.uses("reference") {
        let problem = Problem::new("/write/call", "the create does not use `{{reference}}`");
        problems.push(problem.help("without it nobody can tell whether a refused create happened"));
    }
    if write.most == 0 || write.most > 100 {
        problems.push(Problem::new("/write/most", "between 1 and 100 creates are sent"));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    fn places(item: Value) -> Vec<String> {
        let clients = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let names = BTreeSet::new();
        let setting = Setting { clients: &clients, names: &names };
        let problems = load(item, &setting).err().unwrap_or_default();
        problems.into_iter().map(|problem| if problem.at.is_empty() { problem.message } else { problem.at }).collect()
    }

    #[test]
    fn a_full_item_loads() {
        let item = json!({
            "name": "window", "client": "a", "request": "GET /v1/limited/window",
            "limit": {"quota": 10, "window": "2s", "burst": 0, "model": "fixed_window"},
            "refusal": {"status": [429], "code": {"path": "$.code", "values": ["rate_limited"]}},
            "scope": "client", "signal": {"dialect": "auto", "reset_unit": "epoch_ms"}, "budget": 60, "max_wait": "10s",
            "other_client": "b", "evasion": true, "second_client": "b", "forged": {"headers": {"X-Client-Id": "a"}},
            "others": [{"name": "cancel", "call": {"request": "DELETE /v1/x"}, "safety": true, "expect": [404]}],
            "write": {
                "call": {"request": "POST /v1/notes", "body": {"reference": "{{reference}}"}},
                "find": {"call": {"request": "GET /v1/notes?reference={{reference}}"}, "rows": "$.data", "id": "$.id"},
                "undo": {"request": "DELETE /v1/notes/{{id}}"}
            }
        });
        assert_eq!(places(item), Vec::<String>::new());
        assert_eq!(places(json!({"name": "x", "request": "GET /x"})), Vec::<String>::new());
    }

    #[test]
    fn everything_wrong_is_said_at_its_place() {
        let item = json!({
            "name": "x", "client": "a", "request": "GET /{{x}}", "limit": {"quota": 0, "window": "0s"},
            "refusal": {"status": [200, 99]}, "other_client": "a", "second_client": "c",
            "others": [{"name": "o", "call": {"client": "nobody", "request": "GET /o"}}],
            "write": {
                "call": {"request": "GET /n"}, "find": {"call": {"request": "GET /n"}, "id": "$.id"},
                "undo": {"request": "DELETE /n/{{nope}}"}
            }
        });
        assert_eq!(
            places(item),
            [
                "/request",
                "/other_client",
                "/second_client",
                "/limit/quota",
                "/limit/window",
                "/refusal/status",
                "/refusal/status",
                "/others/0/call/client",
                "/write/find",
                "/write/undo/request",
                "/write/call/request",
                "/write/call",
                "/second_client",
            ]
        );
    }

    #[test]
    fn a_budget_must_reach_beyond_the_limit() {
        let item = |quota: u64, budget: Value| json!({"name": "x", "request": "GET /x", "limit": {"quota": quota}, "budget": budget});
        assert_eq!(places(item(10, json!(10))), ["/budget"]);
        assert_eq!(places(item(10, json!(11))), Vec::<String>::new());
        assert_eq!(places(item(100_000, Value::Null)), ["/budget"]);
        assert!(places(json!({"name": "x", "request": "GET /x", "quota": 1}))[0].contains("quota"));
    }
}
