//! The result of an operation that succeeded.

use std::time::Duration;

use super::{
    super::{
        config::ResultAt,
        evidence::{Compared, ResultSeen},
        webhook::Kind,
    },
    flow::{Flow, Run, millis, short, value},
    monitor::text,
};
use crate::{
    exchange::{Failure, Reply, Request, Who},
    json::{Path, Scalar, fields},
};

/// How often a result is asked for, at most.
pub(in crate::families::async_operation) const TRIES: u32 = 6;

/// Looks at the result, if the suite says where it is.
pub(super) async fn look(flow: Flow<'_>, run: &mut Run) {
    let Some(spelling) = &flow.config.result else { return };
    if run.operation.ended() != Some(Kind::Succeeded) {
        return;
    }
    let mut seen = ResultSeen::default();
    let redirected = run.operation.end().is_some_and(|reading| reading.redirected);
    let reply = match run.last.clone().filter(|reply| redirected && reply.is_success()) {
        Some(reply) => {
            seen.place = Some(Ok(short(reply.url.path())));
            seen.exchange = Some(reply.id);
            seen.outcome = Some(Ok(reply.status));
            Some(reply)
        }
        None if spelling.inline => {
            seen.place = Some(Ok("the monitor".into()));
            seen.inline = true;
            run.last.clone().inspect(|reply| {
                seen.exchange = Some(reply.id);
                seen.outcome = Some(Ok(reply.status));
            })
        }
        None => ask(flow, run, spelling, &mut seen).await,
    };
    if let Some(reply) = reply.filter(Reply::is_success) {
        seen.id = text(spelling.id.as_ref().and_then(|path| value(&reply.body, path)).as_ref());
        let monitor = run.last.as_ref().filter(|_| !redirected);
        seen.compared = compare(spelling, run, monitor, &reply);
    }
    run.operation.result = Some(seen);
}

/// Asks for the result until it is there, as long as it may take to be seen.
async fn ask(flow: Flow<'_>, run: &Run, spelling: &ResultAt, seen: &mut ResultSeen) -> Option<Reply> {
    let request = match request(flow, run, spelling) {
        Ok(request) => request,
        Err(why) => {
            seen.place = Some(Err(why));
            return None;
        }
    };
    let target = flow.session.base().join(&request.target).map_or(request.target.clone(), |url| url.path().to_owned());
    seen.place = Some(Ok(short(&target)));
    let began = flow.session.now();
    let pause = (flow.config.settle.0 / (TRIES - 1)).max(Duration::from_millis(1));
    for time in 0..TRIES {
        let outcome = flow.session.send(request.clone()).await;
        seen.waited_ms = millis(flow.session.now().saturating_sub(began));
        match outcome {
            Ok(reply) => {
                seen.exchange = Some(reply.id);
                seen.outcome = Some(Ok(reply.status));
                if reply.is_success() {
                    return Some(reply);
                }
            }
            Err(Failure { message, id, .. }) => {
                seen.exchange = id.or(seen.exchange);
                seen.outcome = Some(Err(message));
            }
        }
        if flow.session.stopping() {
            // What was not there yet might still have come.
            seen.outcome = Some(Err("the run ended before the result could settle".into()));
            return None;
        }
        if time + 1 < TRIES {
            flow.session.pause(pause).await;
        }
    }
    None
}

fn request(flow: Flow<'_>, run: &Run, spelling: &ResultAt) -> Result<Request, String> {
    let own = flow.config.client.as_deref();
    if let Some(call) = &spelling.call {
        return call.build(call.who(own), &run.values, "ask for the result");
    }
    let path = spelling.href.as_ref().ok_or("the suite does not say where the result is")?;
    let told = run.last.as_ref().and_then(|reply| value(&reply.body, path));
    let (Some(reply), Some(href)) = (&run.last, text(told.as_ref())) else {
        return Err(format!("the monitor has no link at {path}"));
    };
    let url = reply.url.join(&href).map_err(|why| format!("the link at {path} cannot be followed: {why}"))?;
    if url.origin() != flow.session.base().origin() {
        return Err(format!("the link at {path} leads to another origin"));
    }
    let who = run.ask.as_ref().map_or(Who::Anonymous, |ask| ask.who.clone());
    let mut request = Request::new(who, "GET", url.as_str()).purpose("ask for the result");
    request.headers = run.ask.as_ref().map(|ask| ask.headers.clone()).unwrap_or_default();
    Ok(request)
}

fn compare(spelling: &ResultAt, run: &Run, monitor: Option<&Reply>, reply: &Reply) -> Vec<Compared> {
    let asked: Vec<Path> = spelling.expect.iter().map(|(path, _)| path.clone()).collect();
    let mut actual = fields(&reply.body, &asked).unwrap_or_else(|_| vec![None; asked.len()]).into_iter();
    let mut compared: Vec<Compared> = spelling
        .expect
        .iter()
        .map(|(path, template)| Compared {
            path: path.to_string(),
            expected: template.render(&run.values).ok().map(Scalar::Text),
            monitor: None,
            actual: actual.next().flatten().map(bounded),
        })
        .collect();
    compared.extend(spelling.agrees.iter().filter_map(|agreement| {
        let monitor = monitor?;
        Some(Compared {
            path: agreement.result.to_string(),
            expected: value(&monitor.body, &agreement.monitor).map(bounded),
            monitor: Some(agreement.monitor.to_string()),
            actual: value(&reply.body, &agreement.result).map(bounded),
        })
    }));
    compared
}

/// A value of no more than is useful to show.
fn bounded(value: Scalar) -> Scalar {
    match value {
        Scalar::Text(text) => Scalar::Text(short(&text)),
        Scalar::Number(text) => Scalar::Number(short(&text)),
        other => other,
    }
}
