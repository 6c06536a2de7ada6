//! `fincheck run`.

use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::{
    args::{Common, Run},
    check::{Source, choice, load_or_tell, sources},
    exit::Exit,
    output::{Color, ReportFile, print, say, width},
    progress::Progress,
    serve::{self, Demo},
    signals,
};
use crate::{
    plan::Plan,
    record::Record,
    reference::{self, tokens},
    report::{FORMATS, RenderOptions, View},
    run::{self, Options},
    score::Gate,
    suite::Suite,
    wire::{TlsSettings, callbacks},
};

/// The suite of the reference API.
const DEMO: &str = include_str!("../../suites/reference.yaml");

/// `fincheck run`.
pub(super) fn run(options: &Run, common: &Common, color: Color) -> anyhow::Result<Exit> {
    let (_demo, sources) = if options.demo {
        // An exported variable is meant for other suites; the option itself is a misunderstanding.
        if options.suites.target.is_some() && std::env::var("FINCHECK_TARGET").ok() != options.suites.target {
            anyhow::bail!("`--demo` starts a target of its own: leave out `--target`");
        }
        let demo = Demo::start(reference::Options {
            defects: serve::defects(&options.defect)?,
            variants: serve::variants(&options.variant)?,
            ..reference::Options::default()
        })?;
        let values = [
            ("FINCHECK_DEMO_URL", demo.base_url.as_str()),
            ("FINCHECK_DEMO_READER", tokens::READER),
            ("FINCHECK_DEMO_TRADER", tokens::TRADER),
            ("FINCHECK_DEMO_RIVAL", tokens::RIVAL),
            ("FINCHECK_DEMO_EXPIRING", tokens::EXPIRING),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        (Some(demo), vec![Source::Embedded("suites/reference.yaml", DEMO, values)])
    } else {
        (None, sources(&options.suites)?)
    };
    if sources.len() > 1 && (options.format != "table" || !options.output.is_empty()) {
        anyhow::bail!(
            "with several suites there is one report each: leave out --output, and --format other than table"
        );
    }
    // Every suite is read before anything is sent, so that a mistake in the last costs nothing.
    let mut suites = Vec::new();
    for source in &sources {
        match load_or_tell(source, &options.suites, color)? {
            Some(suite) => suites.push(limited(suite, options)),
            None => return Ok(Exit::Usage),
        }
    }
    let plans = suites.iter().map(|suite| Plan::new(suite, choice(&options.suites))).collect::<Result<Vec<_>, _>>()?;
    let files = options.output.iter().map(|path| ReportFile::open(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut exit = Exit::Passed;
    let mut files = Some(files);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for plan in &plans {
        let record = runtime.block_on(driven(plan, options, common))?;
        let code = report(&record, options, common, color, files.take().unwrap_or_default())?;
        exit = exit.worse(code);
        if code == Exit::Interrupted {
            break;
        }
    }
    Ok(exit)
}

impl Run {
    /// What is to be planned; the demo's target need not be there for that.
    pub(super) fn sources(&self) -> anyhow::Result<Vec<Source>> {
        if !self.demo {
            return sources(&self.suites);
        }
        // Some free port.
        let values = vec![("FINCHECK_DEMO_URL".to_owned(), "http://127.0.0.1:0".to_owned())];
        Ok(vec![Source::Embedded("suites/reference.yaml", DEMO, values)])
    }

    /// Where callbacks are received.
    pub(super) fn callbacks(&self) -> callbacks::Settings {
        callbacks::Settings { listen: self.webhook_listen, url: self.webhook_url.clone() }
    }
}

/// The suite with the command line's limits.
fn limited(mut suite: Suite, options: &Run) -> Suite {
    let limits = &mut suite.limits;
    limits.rate = options.rate_limit.or(limits.rate);
    limits.timeout = options.timeout.unwrap_or(limits.timeout);
    limits.duration = options.max_time.unwrap_or(limits.duration);
    suite
}

async fn driven(plan: &Plan<'_>, options: &Run, common: &Common) -> anyhow::Result<Record> {
    let cancel = CancellationToken::new();
    let progress = Arc::new(Progress::new(common));
    let watch = tokio::spawn(signals::watch_for_interrupts(cancel.clone()));
    let run_options = Options {
        tls: TlsSettings { ca_file: options.cacert.clone(), insecure: options.insecure },
        proxy: options.proxy.clone(),
        jobs: options.jobs.map_or(plan.suite.limits.concurrency, usize::from),
        seed: options.seed,
        callbacks: options.callbacks(),
    };
    let record = run::run(plan, &run_options, progress.clone(), cancel).await;
    progress.finish();
    watch.abort();
    Ok(record?)
}

fn report(
    record: &Record,
    options: &Run,
    common: &Common,
    color: Color,
    files: Vec<ReportFile>,
) -> anyhow::Result<Exit> {
    let gate =
        Gate { fail_on: options.fail_on.into(), fail_under: options.fail_under, min_coverage: options.min_coverage };
    let view = View::new(record, &gate);
    let mut written = Vec::new();
    for file in files {
        let plain = RenderOptions { verbose: common.verbose, ..RenderOptions::default() };
        let (path, text) = (file.path.clone(), (file.format.render)(&view, &plain));
        file.write(&text)?;
        written.push(path);
    }
    let exit = Exit::of(view.exit_code);
    if common.quiet {
        print(&format!("{}\n", view.one_line()))?;
    } else {
        let format = FORMATS.iter().find(|format| format.name == options.format).context("unknown format")?;
        let rendering = RenderOptions { width: width(), color: color.stdout, verbose: common.verbose };
        print(&(format.render)(&view, &rendering))?;
        for path in written {
            say(&format!("written: {}", path.display()));
        }
    }
    Ok(exit)
}
