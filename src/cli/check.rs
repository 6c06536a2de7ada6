//! Suites without traffic: loading, `lint`, `plan`.

use std::{io::Read, path::PathBuf};

use anyhow::Context;

use super::{
    args::Suites,
    exit::Exit,
    output::{Color, columns, print, say, width},
};
use crate::{
    families::FAMILIES,
    plan::{Choice, Plan},
    suite::{self, Report, Step, Suite},
    wire::callbacks,
};

/// The suite that is used when none is named.
const DEFAULT: &str = "fincheck.yaml";

/// Where a suite comes from.
pub(super) enum Source {
    File(PathBuf),
    Stdin,
    /// Text that ships inside: label, text, and what its environment variables are.
    Embedded(&'static str, &'static str, Vec<(String, String)>),
}

/// The suites that were named.
pub(super) fn sources(suites: &Suites) -> anyhow::Result<Vec<Source>> {
    if suites.files.is_empty() {
        let default = PathBuf::from(DEFAULT);
        if !default.exists() {
            anyhow::bail!("no suite is named and there is no {DEFAULT} here; name one, or try `fincheck run --demo`");
        }
        return Ok(vec![Source::File(default)]);
    }
    Ok(suites
        .files
        .iter()
        .map(|path| if path.as_os_str() == "-" { Source::Stdin } else { Source::File(path.clone()) })
        .collect())
}

/// Loads a suite; the outer error is about the command line, the inner one about the suite.
pub(super) fn load(source: &Source, suites: &Suites) -> anyhow::Result<Result<Suite, Report>> {
    let env_file = match &suites.env_file {
        None => Vec::new(),
        Some(path) => {
            let text = std::fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
            suite::parse_env_file(&text).map_err(|errors| {
                let told: Vec<String> = errors.iter().map(|error| format!("{}: {error}", path.display())).collect();
                anyhow::anyhow!("{}", told.join("\n"))
            })?
        }
    };
    let embedded: &[(String, String)] = if let Source::Embedded(_, _, values) = source { values } else { &[] };
    let environment = |name: &str| {
        let own = embedded.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        own.or_else(|| std::env::var(name).ok())
    };
    let options = suite::Options {
        environment: &environment,
        env_file: &env_file,
        vars: &suites.vars,
        target: suites.target.as_deref().filter(|_| !matches!(source, Source::Embedded(..))),
        families: FAMILIES,
    };
    Ok(match source {
        Source::File(path) => suite::load_file(path, &options),
        Source::Stdin => {
            let mut text = String::new();
            // One byte more than a suite may have, so that a larger one is seen to be.
            let limit = (4 << 20) + 1;
            io_stdin().take(limit).read_to_string(&mut text).context("standard input")?;
            suite::load_text("<stdin>", &text, &options)
        }
        Source::Embedded(label, text, _) => suite::load_text(label, text, &options),
    })
}

fn io_stdin() -> impl Read {
    std::io::stdin().lock()
}

/// Loads a suite and prints what is wrong with it.
pub(super) fn load_or_tell(source: &Source, suites: &Suites, color: Color) -> anyhow::Result<Option<Suite>> {
    match load(source, suites)? {
        Ok(suite) => {
            if !suite.warnings.is_empty() {
                let report = Report { diagnostics: suite.warnings.clone() };
                say(report.render(color.stderr, usize::from(width())).trim_end());
            }
            Ok(Some(suite))
        }
        Err(report) => {
            say(report.render(color.stderr, usize::from(width())).trim_end());
            let errors = report.errors();
            say(&format!("{errors} error{} in the suite; nothing was sent", if errors == 1 { "" } else { "s" }));
            Ok(None)
        }
    }
}

pub(super) fn choice(suites: &Suites) -> Choice {
    Choice { only: suites.only.clone(), skip: suites.skip.clone() }
}

/// `fincheck lint`.
pub(super) fn lint(suites: &Suites, color: Color) -> anyhow::Result<Exit> {
    let mut exit = Exit::Passed;
    for source in sources(suites)? {
        match load_or_tell(&source, suites, color)? {
            Some(suite) => {
                let checks = suite.checks.len();
                print(&format!("{}: valid, {checks} check{}\n", suite.file, if checks == 1 { "" } else { "s" }))?;
            }
            None => exit = Exit::Usage,
        }
    }
    Ok(exit)
}

/// `fincheck plan`.
pub(super) fn plan(
    suites: &Suites,
    sources: Vec<Source>,
    callbacks: &callbacks::Settings,
    color: Color,
) -> anyhow::Result<Exit> {
    let mut exit = Exit::Passed;
    for source in sources {
        match load_or_tell(&source, suites, color)? {
            Some(suite) => print(&told(&Plan::new(&suite, choice(suites))?, callbacks))?,
            None => exit = Exit::Usage,
        }
    }
    Ok(exit)
}

/// A plan in words, no line wider than the terminal.
pub(super) fn told(plan: &Plan<'_>, callbacks: &callbacks::Settings) -> String {
    let suite = plan.suite;
    let permits: Vec<&str> = suite.target.permits.iter().map(|permit| permit.as_str()).collect();
    let limits = format!(
        "{} requests, {}, {} at once{}",
        suite.limits.requests,
        suite.limits.duration,
        suite.limits.concurrency,
        suite.limits.rate.map_or_else(String::new, |rate| format!(", {rate}")),
    );
    let mut text = columns(0, [[suite.name.clone()]]);
    let mut facts =
        vec![("target", suite.target.base_url.to_string()), ("permits", permits.join(", ")), ("limits", limits)];
    if plan.items.iter().any(|item| item.planned.callbacks && !item.planned.rules.is_empty()) {
        facts.push(("callbacks", format!("received {}", callbacks.told())));
    }
    text.push_str(&columns(0, facts.into_iter().map(|(label, fact)| [format!("{label:8}"), fact])));
    let steps = |label: &str, steps: &[Step]| {
        let told = |step: &Step| [format!("{label:8}"), format!("{} ({})", step.request, step.client)];
        if steps.is_empty() { String::new() } else { format!("\n{}", columns(0, steps.iter().map(told))) }
    };
    text.push_str(&steps("setup", &suite.setup));
    for item in &plan.items {
        let planned = &item.planned;
        let clients = if planned.clients.is_empty() { "no credentials".into() } else { planned.clients.join(", ") };
        let writes =
            if planned.writes > 0 { format!("; writes at most {} times", planned.writes) } else { String::new() };
        let (family, name) = (item.check.family().name, item.check.name());
        text.push('\n');
        text.push_str(&columns(0, [[format!("{family}: {name}  [{clients}{writes}]")]]));
        let rules = if planned.rules.is_empty() { "nothing".into() } else { crate::rule::ids(&planned.rules) };
        text.push_str(&columns(2, [["judges".to_owned(), rules]]));
        text.push_str(&columns(4, planned.steps.iter().map(|(what, n)| [what.clone(), format!("at most {n}")])));
        let left_out = planned.unplanned.iter().filter(|unplanned| unplanned.permit.is_some());
        text.push_str(&columns(2, left_out.map(|left| [format!("not {}", left.rule), left.why.clone()])));
    }
    text.push_str(&steps("teardown", &suite.teardown));
    text.push_str(&format!("\nat most {} requests; nothing was sent\n", plan.requests()));
    text
}
