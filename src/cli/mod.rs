//! The command line: arguments and environment in, exit codes out. The only place that prints.

mod args;
mod catalogue;
mod check;
mod exit;
mod output;
mod progress;
mod run;
mod serve;
mod signals;
mod tools;

pub use exit::Exit;

use clap::Parser;

use args::{Arguments, Command};

use crate::wire::callbacks;

/// Reads the arguments and does what they say.
pub fn main() -> Exit {
    let arguments = Arguments::parse();
    output::logging(&arguments.common);
    let color = output::Color::from(arguments.common.color);
    let done = match arguments.command {
        Command::Run(run) if run.plan_only => {
            run.sources().and_then(|sources| check::plan(&run.suites, sources, &run.callbacks(), color))
        }
        Command::Run(run) => run::run(&run, &arguments.common, color),
        Command::Plan(suites) => check::sources(&suites)
            .and_then(|sources| check::plan(&suites, sources, &callbacks::Settings::default(), color)),
        Command::Lint(suites) => check::lint(&suites, color),
        Command::Rules(rules) => catalogue::rules(&rules),
        Command::Explain(explain) => catalogue::explain(&explain.rule),
        Command::Serve(serve) => serve::serve(&serve),
        Command::Schema => tools::schema(),
        Command::Completions(completions) => tools::completions(completions.shell),
        Command::Man => tools::man(),
    };
    done.unwrap_or_else(|error| {
        output::complain(&error, color);
        error.downcast_ref::<Exit>().copied().unwrap_or(Exit::Usage)
    })
}

/// The command line as clap knows it, for man pages, completions and tests.
pub fn command() -> clap::Command {
    <Arguments as clap::CommandFactory>::command()
}
