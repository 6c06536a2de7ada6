//! From a block of a suite to a check: what a schema cannot say.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::{
    IdempotencyCheck,
    config::{Config, Operation},
    evidence::Declared,
    patch::patched,
};
use crate::families::{Call, Check, Problem, Setting};

/// Names that the check supplies to what creates.
const OWN: &[&str] = &["reference", "key", "uuid"];
/// The longest key that is tried.
const LONGEST_KEY: usize = 4_096;

/// Makes a check of one item of `idempotency:`.
pub(super) fn load(item: Value, setting: &Setting<'_>) -> Result<Box<dyn Check>, Vec<Problem>> {
    let config: Config = serde_json::from_value(item).map_err(|e| vec![Problem::new("", e.to_string())])?;
    let mut problems = Vec::new();
    if let Some(client) = &config.client {
        setting.known_client(client, "/client", &mut problems);
    }
    creates(&config.create, "/create", setting, &mut problems);
    key_problems(&config, setting, &mut problems);
    config.effects.problems("/effects", setting, &[], &mut problems);
    variation_problems(&config, setting, &mut problems);
    other_problems(&config, setting, &mut problems);
    channel_problems(&config, setting, &mut problems);
    if let Some(undo) = &config.undo {
        undo.problems("/undo", setting, &["id"], &mut problems);
    }
    for (index, path) in config.volatile.iter().enumerate().filter(|(_, path)| path.steps().is_none()) {
        let message = format!("`{path}` does more than name members and elements");
        problems.push(Problem::new(format!("/volatile/{index}"), message));
    }
    if problems.is_empty() { Ok(Box::new(IdempotencyCheck { config })) } else { Err(problems) }
}

fn creates(call: &Call, at: &str, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    call.problems(at, setting, OWN, problems);
    if call.is_safe() {
        let message = format!("`{}` creates nothing", call.request.method);
        problems.push(Problem::new(format!("{at}/request"), message));
    }
    if !call.uses("reference") {
        let problem = Problem::new(at, "nothing in the request says which effect is its own");
        problems.push(problem.help("send `{{reference}}` in it, and find it again by `effects`"));
    }
}

fn key_problems(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let key = &config.key;
    setting.known_names(key.value.names(), &["uuid", "reference"], "/key/value", problems);
    if !key.value.names().any(|name| matches!(name, "uuid" | "reference")) {
        let problem = Problem::new("/key/value", "every request would have the same key");
        problems.push(problem.help("use `{{uuid}}` in it"));
    }
    if key.body && key.header.is_some() {
        problems.push(Problem::new("/key/header", "the key goes into a header field or into the body, not both"));
    }
    if key.body && !config.create.uses("key") {
        problems.push(Problem::new("/create", "the key goes into the request, but nothing in it uses `{{key}}`"));
    }
    if let Some(name) = key.header.as_ref().filter(|name| http::HeaderName::from_bytes(name.as_bytes()).is_err()) {
        problems.push(Problem::new("/key/header", format!("`{name}` is not the name of a header field")));
    }
    match key.max_length {
        Some(0) => problems.push(Problem::new("/key/max_length", "a key has at least one character")),
        Some(length) if length > LONGEST_KEY => {
            problems.push(Problem::new("/key/max_length", format!("keys over {LONGEST_KEY} characters are not tried")));
        }
        Some(length) if length < 36 && key.value.names().any(|name| name == "uuid") => {
            let problem =
                Problem::new("/key/max_length", format!("a UUID has 36 characters, over the {length} allowed"));
            problems.push(problem.help("say how keys look (`value`), such as `{{reference}}`, which has 18"));
        }
        _ => {}
    }
}

/// What is sent instead of the request.
fn variation_problems(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let mut patches = |patch: &Map<String, Value>, at: &str| {
        let Some(call) = patched(&config.create, patch) else {
            let problem = Problem::new(at, "this does not fit the request, which has no JSON body, or a form of texts");
            return problems.push(problem.help("give the whole request as `changed_call`"));
        };
        if !call.uses("reference") {
            problems.push(Problem::new(at, "this takes the reference out of the request"));
        }
        // Only what the patch brings in, at its place in the patch.
        let (mut known, mut found) = (Vec::new(), Vec::new());
        config.create.problems("", setting, OWN, &mut known);
        call.problems("", setting, OWN, &mut found);
        for mut problem in found.into_iter().filter(|problem| !known.contains(problem)) {
            let within = problem.at.strip_prefix("/body").or(problem.at.strip_prefix("/form"));
            problem.at = format!("{at}{}", within.unwrap_or_default());
            problems.push(problem);
        }
    };
    if let Some(patch) = &config.changed {
        patches(patch, "/changed");
    }
    if let Some(patch) = &config.invalid {
        patches(patch, "/invalid");
    }
    if let Some(call) = &config.changed_call {
        creates(call, "/changed_call", setting, problems);
        if config.changed.is_some() {
            problems.push(Problem::new("/changed_call", "`changed` says already what is changed"));
        }
    }
    if config.after_invalid.is_some() && config.invalid.is_none() {
        let problem = Problem::new("/after_invalid", "nothing says what an invalid request is");
        problems.push(problem.help("add `invalid`, such as `invalid: { amount: null }`"));
    }
}

fn other_problems(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let mut operation = |other: &Operation, at: &str| {
        if let Some(client) = &other.client {
            setting.known_client(client, &format!("{at}/client"), problems);
        }
        creates(&other.create, &format!("{at}/create"), setting, problems);
        if config.key.body && !other.create.uses("key") {
            let message = "the key goes into the request, but nothing in it uses `{{key}}`";
            problems.push(Problem::new(format!("{at}/create"), message));
        }
        other.effects.problems(&format!("{at}/effects"), setting, &[], problems);
        if let Some(undo) = &other.undo {
            undo.problems(&format!("{at}/undo"), setting, &["id"], problems);
        }
    };
    if let Some(other) = &config.other_operation {
        operation(other, "/other_operation");
    }
    if let Some(other) = &config.other_client {
        operation(other, "/other_client");
        if other.client.is_none() || other.client == config.client {
            let problem = Problem::new("/other_client", "this is the check's own client");
            problems.push(problem.help("name a client of another tenant (`client`)"));
        }
    }
}

/// What else shows an effect.
fn channel_problems(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    for (index, channel) in config.downstream.iter().enumerate() {
        channel.find().problems(&format!("/downstream/{index}"), setting, &[], problems);
    }
    if let Some(events) = &config.events {
        events.register.problems("/events/register", setting, &["callback_url"], problems);
        if !events.register.uses("callback_url") {
            let message = "nothing in the request uses `{{callback_url}}`";
            problems.push(Problem::new("/events/register", message));
        }
        if let Some(unregister) = &events.unregister {
            unregister.problems("/events/unregister", setting, &["id"], problems);
            if events.registration.is_none() {
                let problem = Problem::new("/events", "nothing says where the answer holds the registration's id");
                problems.push(problem.help("add `registration`, such as `registration: $.id`"));
            }
        }
    }
    if let Some(balance) = &config.balance {
        balance.call.problems("/balance/call", setting, &[], problems);
        if Decimal::from_str(&balance.each).map_or(true, |each| each.is_zero()) {
            let problem =
                Problem::new("/balance/each", format!("`{}` is no amount that a balance can move by", balance.each));
            problems.push(problem.help("write a decimal, such as \"-10.00\""));
        }
    }
}

impl Config {
    /// What rules need to know of it.
    pub(super) fn declared(&self) -> Declared {
        Declared {
            field: self.key.field().map(str::to_owned),
            required: self.key.required,
            max_length: self.key.max_length,
            changed: self.changed.is_some() || self.changed_call.is_some(),
            amount: self.amount.is_some(),
            mismatch: self.mismatch,
            replay: self.replay,
            processing: self.processing,
            retention: self.retention,
            each: self.balance.as_ref().map(|balance| balance.each.clone()),
            others: [self.other_client.is_some(), self.other_operation.is_some()],
            channels: !self.downstream.is_empty() || self.events.is_some(),
            invalid: self.invalid.is_some(),
            after_invalid: self.after_invalid,
        }
    }
}
