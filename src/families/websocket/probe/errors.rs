//! Messages that cannot be understood.

use std::time::Duration;

use serde_json::Value;

use super::{
    super::{
        config::{Config, Correlated},
        evidence::errors::{What, WrongTry, Wrongs},
        feed::{How, Kind, excerpt, render, spoken},
    },
    frames::{Event, Frames, ms, waited},
    framing::random,
};
use crate::{
    exchange::{Opcode, Outgoing},
    families::{PlannedCheck, Session},
    json::Path,
};

/// The step of a plan by which garbage is sent; without it, none is.
pub(in super::super) const GARBAGE: &str = "send a message that is no JSON";
/// How long an answer is waited for, at least.
const ANSWER: Duration = Duration::from_secs(5);
/// How long a pong is waited for.
const PONG: Duration = Duration::from_secs(2);
/// The largest message that is sent, in octets.
const LARGEST: u64 = 16 << 20;

/// One message.
struct Wrong<'a> {
    what: What,
    text: String,
    correlated: Option<&'a Correlated>,
}

/// The most connections that this takes, without garbage.
pub(in super::super) fn most(config: &Config) -> u64 {
    let own = config.errors.as_ref().map_or(0, |errors| errors.messages.len() + usize::from(errors.largest.is_some()));
    2 * own as u64
}

/// Whether the client sends messages at all.
pub(in super::super) const fn talks(config: &Config) -> bool {
    config.subscribe.is_some() || config.errors.is_some() || config.authenticate.is_some()
}

/// Sends wrong messages on a connection each; again where the answer raised doubts.
pub(super) async fn probe(session: &dyn Session, config: &Config, plan: &PlannedCheck) -> Wrongs {
    let refuses = config.subscribe.as_ref().is_some_and(|subscribe| subscribe.refused.is_some());
    let mut seen = Wrongs {
        talks: talks(config),
        recognised: config.messages.error.is_some() || refuses,
        declared: config.errors.is_some(),
        closes: config.errors.as_ref().is_some_and(|errors| errors.closes),
        code: config.errors.as_ref().is_some_and(|errors| errors.code.is_some()),
        tries: Vec::new(),
    };
    if !seen.talks {
        return seen;
    }
    for wrong in messages(session, config, plan) {
        for _ in 0..2 {
            if session.stopping() {
                return seen;
            }
            let one = match &wrong {
                Ok(wrong) => send(session, config, &seen, wrong).await,
                Err((what, why)) => WrongTry { trouble: Some(why.clone()), ..untried(what.clone()) },
            };
            let again = one.trouble.is_none() && !one.is_answered(seen.code);
            seen.tries.push(one);
            if !again {
                break;
            }
        }
    }
    seen
}

fn messages<'a>(
    session: &dyn Session,
    config: &'a Config,
    plan: &PlannedCheck,
) -> Vec<Result<Wrong<'a>, (What, String)>> {
    let mut all = Vec::new();
    if plan.steps.iter().any(|(step, _)| step == GARBAGE) {
        all.push(Ok(Wrong { what: What::Garbage, text: "{\"fincheck\": ".into(), correlated: None }));
    }
    let Some(errors) = &config.errors else { return all };
    for wrong in &errors.messages {
        let what = What::Own(wrong.name.clone());
        all.push(match render(&wrong.message, &spoken(session, config, &config.owner(), None)) {
            Ok(text) => Ok(Wrong { what, text, correlated: wrong.correlation.as_ref() }),
            Err(why) => Err((what, why)),
        });
    }
    if let Some(largest) = errors.largest.filter(|largest| *largest < LARGEST) {
        let padding = usize::try_from(largest + 1_024).unwrap_or_default();
        let text = format!("{{\"fincheck\": \"{}\"}}", "x".repeat(padding));
        all.push(Ok(Wrong { what: What::TooLarge(text.len() as u64), text, correlated: None }));
    }
    all
}

fn untried(what: What) -> WrongTry {
    WrongTry {
        what,
        exchange: None,
        trouble: None,
        told: None,
        code: None,
        correlated: None,
        other: false,
        waited_ms: 0,
        ended: None,
        usable: false,
    }
}

async fn send(session: &dyn Session, config: &Config, seen: &Wrongs, wrong: &Wrong<'_>) -> WrongTry {
    let mut one = untried(wrong.what.clone());
    let how = How::to("see how a message that cannot be understood is answered");
    let mut line = match Frames::open(session, config, how).await {
        Ok(line) => line,
        Err(why) => {
            (one.exchange, one.trouble) = (why.exchange(), Some(why.why()));
            return one;
        }
    };
    one.exchange = Some(line.exchange());
    if let Some(ended) = line.ended() {
        one.trouble = Some(format!("the connection was ended before by {}", ended.told()));
        return one;
    }
    let sent = session.now();
    line.send(Outgoing::text(wrong.text.clone())).await;
    let until = sent + config.lag.0.max(ANSWER);
    while one.told.is_none() {
        match line.next(until).await {
            Event::Message(message) if message.kind == Kind::Error => {
                one.told = Some(excerpt(&message.text));
                let error = serde_json::from_slice::<Value>(&message.text).unwrap_or_default();
                let path = config.errors.as_ref().and_then(|errors| errors.code.as_ref());
                one.code = path.and_then(|path| text(path, &error)).map(|code| code.chars().take(64).collect());
                one.correlated = wrong.correlated.map(|correlated| {
                    let message = serde_json::from_str::<Value>(&wrong.text).unwrap_or_default();
                    let ours = text(&correlated.message, &message);
                    ours.is_some() && ours == text(&correlated.error, &error)
                });
            }
            Event::Message(message) => {
                one.other |= message.kind == Kind::Other || !seen.recognised && message.kind == Kind::Data;
            }
            Event::Closed | Event::Ended | Event::Quiet => break,
            Event::Stopped => {
                one.trouble = Some("the run ended before it could be answered".into());
                return one;
            }
            Event::Pong(..) | Event::Other(_) => {}
        }
        if session.now() >= until {
            break;
        }
    }
    one.waited_ms = ms(waited(session, sent, session.now()));
    if line.ended().is_none() {
        one.usable = is_usable(session, &mut line).await;
    }
    one.ended = line.ended();
    line.leave().await;
    one
}

/// Whether a ping is answered or, where none is (that is for another rule to say), whether anything comes at all.
async fn is_usable(session: &dyn Session, line: &mut Frames<'_>) -> bool {
    let payload = random(session, 8);
    line.send(Outgoing::new(Opcode::Ping, payload.clone())).await;
    let until = session.now() + PONG;
    let mut came = false;
    loop {
        match line.next(until).await {
            Event::Pong(octets, _) if octets == payload => return true,
            Event::Message(_) | Event::Pong(..) | Event::Other(_) => came = true,
            Event::Quiet => {}
            Event::Closed | Event::Ended | Event::Stopped => return false,
        }
        if session.now() >= until {
            return came;
        }
    }
}

/// The value at a path, as text.
fn text(path: &Path, value: &Value) -> Option<String> {
    match path.first(value)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
