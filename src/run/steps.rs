//! Setup and teardown.

use std::sync::Mutex;

use bytes::Bytes;
use serde_json::Value;

use super::{afterwards::Afterwards, lock};
use crate::{
    exchange::{Outcome, Payload, Reply, Request, Who},
    json::Scalar,
    notation::{Template, Unknown, Values, render_json},
    suite::{Capture, Content, Step, Suite},
    wire::Wire,
};

/// Runs the setup steps; the first that fails ends it.
pub(super) async fn setup(suite: &Suite, wire: &Wire, values: &Mutex<Values>) -> Result<(), String> {
    for step in &suite.setup {
        run(step, "setup", wire, values).await.map_err(|why| format!("setup step `{}`: {why}", step.name))?;
    }
    Ok(())
}

/// Runs every teardown step whose names are known; says what failed.
pub(super) async fn teardown(suite: &Suite, values: &Mutex<Values>, afterwards: &Afterwards) -> Vec<String> {
    let mut notes = Vec::new();
    if suite.teardown.is_empty() {
        return notes;
    }
    let Some(wire) = afterwards.wire() else { return vec!["teardown could not be run".into()] };
    for step in &suite.teardown {
        if let Err(why) = run(step, "teardown", &wire, values).await {
            notes.push(format!("teardown step `{}`: {why}", step.name));
        }
    }
    notes
}

async fn run(step: &Step, phase: &'static str, wire: &Wire, values: &Mutex<Values>) -> Result<(), String> {
    let request = {
        let mut known = lock(values).clone();
        known.entry("uuid".into()).or_insert_with(|| uuid::Uuid::new_v4().to_string());
        build(step, phase, &known)?
    };
    let outcome: Outcome = wire.send(request).await;
    let reply = outcome.map_err(|failure| failure.message)?;
    if !step.expects(reply.status) {
        let body: String = String::from_utf8_lossy(&reply.body).chars().take(200).collect();
        return Err(format!("{} was answered with status {} ({}): {body}", step.request, reply.status, reply.id));
    }
    for (name, capture) in &step.capture {
        let value = captured(capture, &reply)
            .ok_or_else(|| format!("the answer ({}) holds nothing to capture as `{name}`", reply.id))?;
        lock(values).insert(name.clone(), value);
    }
    Ok(())
}

fn build(step: &Step, phase: &'static str, values: &Values) -> Result<Request, String> {
    let told = |unknown: Unknown| unknown.to_string();
    let target = step.request.target.render_path(values).map_err(told)?;
    let mut request = Request::new(Who::named(Some(&step.client)), step.request.method.clone(), target).purpose(phase);
    phase.clone_into(&mut request.check);
    for (name, value) in &step.query {
        request.query.push((name.clone(), value.render(values).map_err(told)?));
    }
    for (name, value) in &step.headers {
        request.headers.push(name, value.render(values).map_err(told)?);
    }
    let pairs = |fields: &[(String, Template)]| -> Result<Vec<(String, String)>, String> {
        fields.iter().map(|(name, value)| Ok((name.clone(), value.render(values).map_err(told)?))).collect()
    };
    request.payload = match &step.content {
        Content::None => Payload::None,
        Content::Json(value) => Payload::Json(render_json(value, values)?),
        Content::Form(fields) => Payload::Form(pairs(fields)?),
        Content::Text(text, media) => Payload::Raw(Bytes::from(text.render(values).map_err(told)?), media.clone()),
    };
    Ok(request)
}

fn captured(capture: &Capture, reply: &Reply) -> Option<String> {
    match capture {
        Capture::Body(path) => {
            let body: Value = serde_json::from_slice(&reply.body).ok()?;
            match Scalar::from_value(path.first(&body)?) {
                Scalar::Bool(value) => Some(value.to_string()),
                scalar => scalar.text().map(str::to_owned),
            }
        }
        Capture::Header(header) => {
            let value = reply.headers.get(&header.header)?;
            match &header.pattern {
                Some(pattern) => pattern.capture(value).map(str::to_owned),
                None => Some(value.to_owned()),
            }
        }
    }
}
