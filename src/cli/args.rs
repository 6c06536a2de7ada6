//! What can be typed.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::{
    families::FAMILIES,
    notation::{Rate, Span},
    rule::Severity,
    score::Tenths,
};

/// Conformance tester for financial APIs.
///
/// A YAML suite says how one API spells things; `fincheck run` drives that API through pagination under concurrent
/// writes, error bodies and more, and prints a scored report. `fincheck run --demo` shows it on an API that ships inside.
#[derive(Debug, Parser)]
#[command(version, name = "fincheck", arg_required_else_help = true, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) common: Common,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(super) struct Common {
    /// Say more; twice for every request's fate.
    #[arg(short, long, global = true, action = ArgAction::Count, env = "FINCHECK_VERBOSE")]
    pub(super) verbose: u8,
    /// Only the result, in one line.
    #[arg(short, long, global = true, conflicts_with = "verbose", env = "FINCHECK_QUIET")]
    pub(super) quiet: bool,
    /// When to colour.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", env = "FINCHECK_COLOR")]
    pub(super) color: ColorWhen,
    /// Do not show progress.
    #[arg(long, global = true, env = "FINCHECK_NO_PROGRESS")]
    pub(super) no_progress: bool,
}

/// When to colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorWhen {
    /// On a terminal, unless `NO_COLOR`, `TERM=dumb` or `CI` say otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run suites and print the report
    Run(Box<Run>),
    /// Show what would be sent; no traffic
    Plan(Suites),
    /// Validate suites; no traffic
    Lint(Suites),
    /// List the rules
    Rules(Rules),
    /// Explain one rule: what is sent, what must happen, how to fix it
    Explain(Explain),
    /// Run the reference API alone, clean or with named defects
    Serve(Serve),
    /// Print the JSON Schema of the suite format
    Schema,
    /// Print completions for a shell
    Completions(Completions),
    /// Print the manual page
    Man,
}

/// Which suites, and which part of them.
#[derive(Debug, Args)]
pub(super) struct Suites {
    /// Suite files, `-` for standard input; `fincheck.yaml` if none is given
    #[arg(value_name = "SUITE")]
    pub(super) files: Vec<PathBuf>,
    /// Only this family, check or rule; repeatable
    #[arg(long, value_name = "NAME", env = "FINCHECK_ONLY", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Not this family, check or rule; repeatable
    #[arg(long, value_name = "NAME", env = "FINCHECK_SKIP", value_delimiter = ',')]
    pub(super) skip: Vec<String>,
    /// Set a variable of the suite; repeatable
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) vars: Vec<(String, String)>,
    /// Read environment variables from a file
    #[arg(long, value_name = "FILE", env = "FINCHECK_ENV_FILE")]
    pub(super) env_file: Option<PathBuf>,
    /// Use this base URL instead of the suite's
    #[arg(long, value_name = "URL", env = "FINCHECK_TARGET")]
    pub(super) target: Option<String>,
}

/// Options of `run`.
#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    pub(super) suites: Suites,
    /// Start the reference API and run its own suite against it
    #[arg(long, conflicts_with = "files", help_heading = "Demo")]
    pub(super) demo: bool,
    /// A defect for the reference API to have; repeatable, see `fincheck serve --list-defects`
    // Without the conflict, naming a suite as well would lift the requirement, for `demo` conflicts with suites itself.
    #[arg(long, value_name = "NAME", requires = "demo", conflicts_with_all = ["files", "target"], help_heading = "Demo")]
    pub(super) defect: Vec<String>,
    /// A legal oddity for the reference API to have; repeatable, see `fincheck serve --list-variants`
    // Without the conflict, naming a suite as well would lift the requirement, for `demo` conflicts with suites itself.
    #[arg(long, value_name = "NAME", requires = "demo", conflicts_with_all = ["files", "target"], help_heading = "Demo")]
    pub(super) variant: Vec<String>,
    /// Only show what would be sent, like `fincheck plan`
    #[arg(long = "dry-run")]
    pub(super) plan_only: bool,
    /// Write the report to a file, in the format that its name ends in (.json, .txt); repeatable
    #[arg(short, long, value_name = "FILE", help_heading = "Report")]
    pub(super) output: Vec<PathBuf>,
    /// The format of the report on standard output
    #[arg(long, value_name = "FORMAT", default_value = "table", env = "FINCHECK_FORMAT", help_heading = "Report", value_parser = formats())]
    pub(super) format: String,
    /// The least severe failure that fails the gate
    #[arg(long, value_name = "SEVERITY", value_enum, default_value_t, env = "FINCHECK_FAIL_ON", help_heading = "Gate")]
    pub(super) fail_on: FailOn,
    /// The least score that passes the gate, in percent
    #[arg(long, value_name = "SCORE", env = "FINCHECK_FAIL_UNDER", help_heading = "Gate")]
    pub(super) fail_under: Option<Tenths>,
    /// The least coverage that counts as a run, in percent
    #[arg(long, value_name = "COVERAGE", env = "FINCHECK_MIN_COVERAGE", help_heading = "Gate")]
    pub(super) min_coverage: Option<Tenths>,
    /// How many checks that only read run side by side
    #[arg(short, long, value_name = "N", env = "FINCHECK_JOBS", help_heading = "Traffic", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) jobs: Option<u16>,
    /// At most so many requests, such as 50/s
    #[arg(long, value_name = "RATE", env = "FINCHECK_RATE_LIMIT", help_heading = "Traffic")]
    pub(super) rate_limit: Option<Rate>,
    /// The longest one exchange may take, such as 10s
    #[arg(long, value_name = "TIME", env = "FINCHECK_TIMEOUT", help_heading = "Traffic")]
    pub(super) timeout: Option<Span>,
    /// The longest the run may take, such as 5m
    #[arg(long, value_name = "TIME", env = "FINCHECK_MAX_TIME", help_heading = "Traffic")]
    pub(super) max_time: Option<Span>,
    /// Trust the authorities in this PEM file too
    #[arg(long, value_name = "FILE", env = "FINCHECK_CACERT", help_heading = "Traffic")]
    pub(super) cacert: Option<PathBuf>,
    /// Accept any certificate
    #[arg(long, env = "FINCHECK_INSECURE", help_heading = "Traffic")]
    pub(super) insecure: bool,
    /// Send everything through this proxy
    #[arg(long, value_name = "URL", env = "FINCHECK_PROXY", hide_env_values = true, help_heading = "Traffic")]
    pub(super) proxy: Option<url::Url>,
    /// Receive the target's callbacks on this address; port 0 takes a free one
    #[arg(
        long,
        value_name = "ADDR",
        env = "FINCHECK_WEBHOOK_LISTEN",
        default_value = "127.0.0.1:0",
        help_heading = "Callbacks"
    )]
    pub(super) webhook_listen: std::net::SocketAddr,
    /// The URL at which the target reaches that address, such as a tunnel's
    #[arg(long, value_name = "URL", env = "FINCHECK_WEBHOOK_URL", value_parser = callback_url, help_heading = "Callbacks")]
    pub(super) webhook_url: Option<url::Url>,
    /// The seed of every random choice
    #[arg(long, value_name = "N", env = "FINCHECK_SEED", default_value_t = 1, help_heading = "Traffic")]
    pub(super) seed: u64,
}

/// The least severe failure that fails the gate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum FailOn {
    /// Money or data is lost, duplicated or shown to the wrong party.
    Critical,
    /// An integration breaks.
    Major,
    /// A client must work around it.
    #[default]
    Minor,
    /// Failures never fail the gate.
    Never,
}

impl From<FailOn> for Option<Severity> {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Critical => Some(Severity::Critical),
            FailOn::Major => Some(Severity::Major),
            FailOn::Minor => Some(Severity::Minor),
            FailOn::Never => None,
        }
    }
}

/// Options of `rules`.
#[derive(Debug, Args)]
pub(super) struct Rules {
    /// Only the rules of one family
    #[arg(long, value_name = "FAMILY", value_parser = families())]
    pub(super) family: Option<String>,
    /// The format of the list
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub(super) format: RulesFormat,
}

/// The format of the list of rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum RulesFormat {
    /// A table, for a terminal.
    #[default]
    Table,
    /// JSON.
    Json,
    /// Markdown: the catalogue under `docs/`.
    Markdown,
}

/// Options of `explain`.
#[derive(Debug, Args)]
pub(super) struct Explain {
    /// The rule's id, such as PAG-006
    pub(super) rule: String,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub(super) struct Serve {
    /// The TCP port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 8080)]
    pub(super) port: u16,
    /// A defect to have; repeatable
    #[arg(long, value_name = "NAME")]
    pub(super) defect: Vec<String>,
    /// A legal oddity to have; repeatable
    #[arg(long, value_name = "NAME")]
    pub(super) variant: Vec<String>,
    /// How many transactions account ACC-001 has
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    pub(super) transactions: usize,
    /// The seed of its data
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// The window of its rate limits, 1ms to 24h
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = window)]
    pub(super) limit_window: Span,
    /// How many requests its rate limits admit per window, or at once
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) limit_quota: u32,
    /// List the defects and end
    #[arg(long)]
    pub(super) list_defects: bool,
    /// List the legal oddities and end
    #[arg(long)]
    pub(super) list_variants: bool,
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub(super) struct Completions {
    /// The shell
    pub(super) shell: Shell,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    if name.is_empty() { Err("the name is empty".into()) } else { Ok((name.to_owned(), value.to_owned())) }
}

fn callback_url(text: &str) -> Result<url::Url, String> {
    let url: url::Url = text.parse().map_err(|error| format!("{error}"))?;
    let plain = matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.fragment().is_none();
    if plain && url.has_host() { Ok(url) } else { Err("write an http or https URL without query and fragment".into()) }
}

fn window(text: &str) -> Result<Span, String> {
    let window: Span = text.parse()?;
    let fits = Duration::from_millis(1) <= window.0 && window.0 <= Duration::from_hours(24);
    if fits { Ok(window) } else { Err("a window lasts 1ms to 24h".into()) }
}

fn formats() -> clap::builder::PossibleValuesParser {
    crate::report::FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().into()
}

fn families() -> clap::builder::PossibleValuesParser {
    FAMILIES.iter().map(|family| family.name).collect::<Vec<_>>().into()
}
