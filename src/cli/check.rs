//! Suites without traffic: loading, `lint`, `plan`.

use std::{io::Read, path::PathBuf};

use anyhow::Context;
use comfy_table::Table;

use super::{
    args::Suites,
    exit::Exit,
    output::{Color, print, say, width},
};
use crate::{
    families::FAMILIES,
    plan::{Choice, Plan},
    suite::{self, Report, Suite},
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
        target: suites.target.as_deref(),
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
pub(super) fn plan(suites: &Suites, color: Color) -> anyhow::Result<Exit> {
    let mut exit = Exit::Passed;
    for source in sources(suites)? {
        match load_or_tell(&source, suites, color)? {
            Some(suite) => print(&told(&Plan::new(&suite, choice(suites))?))?,
            None => exit = Exit::Usage,
        }
    }
    Ok(exit)
}

/// A plan in words.
pub(super) fn told(plan: &Plan<'_>) -> String {
    let suite = plan.suite;
    let permits: Vec<&str> = suite.target.permits.iter().map(|permit| permit.as_str()).collect();
    let mut text = format!(
        "{}\ntarget   {}\npermits  {}\nlimits   {} requests, {}, {} at once{}\n",
        suite.name,
        suite.target.base_url,
        permits.join(", "),
        suite.limits.requests,
        suite.limits.duration,
        suite.limits.concurrency,
        suite.limits.rate.map_or_else(String::new, |rate| format!(", {rate}")),
    );
    for step in &suite.setup {
        text.push_str(&format!("\nsetup    {} ({})", step.request, step.client));
    }
    for item in &plan.items {
        let planned = &item.planned;
        let clients = if planned.clients.is_empty() { "no credentials".into() } else { planned.clients.join(", ") };
        text.push_str(&format!(
            "\n{}: {}  [{}]\n",
            item.check.family().name,
            item.check.name(),
            if planned.writes > 0 { format!("{clients}; writes at most {}×", planned.writes) } else { clients }
        ));
        text.push_str(&format!(
            "  judges {}\n",
            if planned.rules.is_empty() { "nothing".into() } else { crate::rule::ids(&planned.rules) }
        ));
        let mut steps = Table::new();
        steps
            .load_style(comfy_table::TableStyle::new())
            .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
            .set_width(width() - 3);
        for (what, requests) in &planned.steps {
            steps.add_row([what.clone(), format!("at most {requests}")]);
        }
        for line in steps.lines().filter(|_| !planned.steps.is_empty()) {
            text.push_str(&format!("   {}\n", line.trim_end()));
        }
        for unplanned in planned.unplanned.iter().filter(|unplanned| unplanned.permit.is_some()) {
            text.push_str(&format!("  not {}: {}\n", unplanned.rule, unplanned.why));
        }
    }
    for step in &suite.teardown {
        text.push_str(&format!("\nteardown {} ({})", step.request, step.client));
    }
    text.push_str(&format!("\nat most {} requests; nothing was sent\n", plan.requests()));
    text
}
