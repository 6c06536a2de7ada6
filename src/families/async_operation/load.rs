//! From an item of `async_operation:` to a check: what a schema cannot say.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{AsyncOperationCheck, config::Config};
use crate::families::{Call, Check, Problem, Setting};

/// Makes a check of one item of `async_operation:`.
pub(super) fn load(item: Value, setting: &Setting<'_>) -> Result<Box<dyn Check>, Vec<Problem>> {
    let config: Config = serde_json::from_value(item).map_err(|e| vec![Problem::new("", e.to_string())])?;
    let mut problems = Vec::new();
    if let Some(client) = &config.client {
        setting.known_client(client, "/client", &mut problems);
    }
    start("/start", &config.start, setting, &mut problems);
    if let Some(failing) = &config.failing {
        start("/failing/start", &failing.start, setting, &mut problems);
        if !(200..=599).contains(&failing.status) {
            problems
                .push(Problem::new("/failing/status", format!("{} is not the status of an answer", failing.status)));
        }
    }
    for status in config.accepted.iter().filter(|status| !(200..=299).contains(*status)) {
        problems.push(Problem::new("/accepted", format!("{status} accepts nothing; 200 to 299 do")));
    }
    if config.accepted.is_empty() {
        problems.push(Problem::new("/accepted", "nothing says that a start was accepted"));
    }
    monitor(&config, setting, &mut problems);
    states(&config, &mut problems);
    rest(&config, setting, &mut problems);
    if let Some(webhook) = &config.webhook {
        webhook.problems("/webhook", setting, &mut problems);
    }
    if problems.is_empty() { Ok(Box::new(AsyncOperationCheck { config })) } else { Err(problems) }
}

fn start(at: &str, call: &Call, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    call.problems(at, setting, &["reference"], problems);
    if call.is_safe() {
        let message = format!("`{}` starts nothing", call.request.method);
        problems.push(Problem::new(format!("{at}/request"), message));
    }
}

fn monitor(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let monitor = &config.monitor;
    if let Some(call) = &monitor.call {
        call.problems("/monitor/call", setting, &["operation", "reference"], problems);
        if !call.is_safe() {
            problems.push(Problem::new("/monitor/call/request", "a monitor is asked with GET"));
        }
        if monitor.id.is_none() && config.id.is_none() {
            let problem = Problem::new("/monitor/call", "nothing says where the answer to the start has the id");
            problems.push(problem.help("say so with `monitor.id`"));
        }
    } else if monitor.id.is_some() {
        let problem = Problem::new("/monitor/id", "an id alone leads nowhere");
        problems.push(problem.help("say with `monitor.call` how it is asked for"));
    }
    if let Some(name) = &monitor.header
        && http::HeaderName::from_bytes(name.as_bytes()).is_err()
    {
        problems.push(Problem::new("/monitor/header", format!("`{name}` is not the name of a header field")));
    }
}

fn states(config: &Config, problems: &mut Vec<Problem>) {
    let mut seen = BTreeMap::new();
    for (word, kind) in config.state.words() {
        if let Some(other) = seen.insert(word, kind) {
            let message = format!("`{word}` stands for {} and for {}", other.as_str(), kind.as_str());
            problems.push(Problem::new("/state", message));
        }
    }
    if config.state.succeeded.is_empty() {
        problems.push(Problem::new("/state/succeeded", "no word says that an operation is done"));
    }
    if config.failing.is_some() && config.state.failed.is_empty() {
        problems.push(Problem::new("/state", "no word says that an operation failed (`failed`)"));
    }
    if let Some(poll) = &config.poll {
        if !(5..=1_000).contains(&poll.most) {
            problems.push(Problem::new("/poll/most", "a monitor is asked between 5 and 1000 times"));
        }
        if poll.interval.0.is_zero() || poll.interval.0 > poll.longest.0 {
            let problem =
                Problem::new("/poll/interval", "the first wait is longer than nothing, and no longer than `longest`");
            problems.push(problem);
        }
    }
}

fn rest(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    let knows_id = config.id.is_some() || config.monitor.id.is_some();
    let named = |call: &Call, at: &str, problems: &mut Vec<Problem>| {
        if call.uses("operation") && !knows_id {
            let problem = Problem::new(at, "`{{operation}}` is known only where the suite says where the id is");
            problems.push(problem.help("say so with `id`"));
        }
    };
    if let Some(result) = &config.result {
        let ways = [result.href.is_some(), result.call.is_some(), result.inline];
        if ways.into_iter().filter(|way| *way).count() != 1 {
            let problem = Problem::new("/result", "the result is in one place");
            problems.push(problem.help("say one of `href`, `call` and `inline: true`"));
        }
        if let Some(call) = &result.call {
            call.problems("/result/call", setting, &["operation", "reference"], problems);
            named(call, "/result/call", problems);
            if !call.is_safe() {
                problems.push(Problem::new("/result/call/request", "a result is asked for with GET"));
            }
        }
        for (path, template) in &result.expect {
            let at = format!("/result/expect/{}", path.to_string().replace('~', "~0").replace('/', "~1"));
            setting.known_names(template.names(), &["operation", "reference"], &at, problems);
        }
    }
    if config.cancelled_leaves_nothing && (config.cancel.is_none() || config.effects.is_none()) {
        let problem = Problem::new("/cancelled_leaves_nothing", "nothing says how that is seen");
        problems.push(
            problem
                .help("say with `cancel` how an operation is called off, and with `effects` how what exists is found"),
        );
    }
    if let Some(find) = &config.effects {
        find.problems("/effects", setting, &["operation"], problems);
        let starts = [Some(("/start", &config.start)), config.failing.as_ref().map(|f| ("/failing/start", &f.start))];
        for (at, call) in starts.into_iter().flatten().filter(|(_, call)| !call.uses("reference")) {
            let _ = call;
            let problem = Problem::new(at, "`effects` are found by `{{reference}}`, which the start does not send");
            problems.push(problem);
        }
    }
    if let Some(call) = &config.cancel {
        call.problems("/cancel", setting, &["operation", "reference"], problems);
        named(call, "/cancel", problems);
    }
    if let Some(call) = &config.undo {
        call.problems("/undo", setting, &["operation", "reference", "result"], problems);
        named(call, "/undo", problems);
    }
    if let Some(client) = &config.other_client {
        setting.known_client(client, "/other_client", problems);
        if Some(client) == config.client.as_ref() {
            problems.push(Problem::new("/other_client", format!("`{client}` is the client that starts operations")));
        }
    }
    for (index, prefer) in config.prefer.iter().enumerate() {
        let wait = prefer.strip_prefix("wait=").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        if prefer != "respond-async" && !wait {
            let problem = Problem::new(format!("/prefer/{index}"), format!("`{prefer}` is not looked at"));
            problems.push(problem.help("`respond-async` and `wait=N` are"));
        }
    }
}
