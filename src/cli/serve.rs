//! The reference API: `fincheck serve`, and for `fincheck run --demo`.

use std::{sync::mpsc, thread};

use anyhow::{Context, anyhow};

use super::{
    args::Serve,
    exit::Exit,
    output::{print, say},
};
use crate::{
    families::nearest,
    reference::{self, DEFECTS, Defect, Options, Times, VARIANTS, Variant, tokens},
};

/// `fincheck serve`.
pub(super) fn serve(options: &Serve) -> anyhow::Result<Exit> {
    if options.list_defects || options.list_variants {
        let width =
            DEFECTS.iter().map(|d| d.name.len()).chain(VARIANTS.iter().map(|v| v.name.len())).max().unwrap_or(0);
        let mut text = String::new();
        for defect in DEFECTS.iter().filter(|_| options.list_defects) {
            text.push_str(&format!("{:width$}  {:8}  {}\n", defect.name, defect.rules.join(" "), defect.summary));
        }
        for variant in VARIANTS.iter().filter(|_| options.list_variants) {
            text.push_str(&format!("{:width$}  {}\n", variant.name, variant.summary));
        }
        print(&text)?;
        return Ok(Exit::Passed);
    }
    let options = Options {
        port: options.port,
        defects: defects(&options.defect)?,
        variants: variants(&options.variant)?,
        seed: options.seed,
        transactions: options.transactions,
        times: Times { limit_window: options.limit_window.0, limit_quota: options.limit_quota, ..Times::default() },
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let port = options.port;
        let running = reference::start(options).await.with_context(|| format!("port {port} of 127.0.0.1"))?;
        print(&format!(
            "{}\nreader  {}\ntrader  {}\nrival   {}\nburst-a {}\nburst-b {}\nexpiring {}\n",
            running.base_url(),
            tokens::READER,
            tokens::TRADER,
            tokens::RIVAL,
            tokens::BURST_A,
            tokens::BURST_B,
            tokens::EXPIRING
        ))?;
        say("the reference API is running; interrupt to stop it");
        super::signals::interrupted().await;
        running.stop().await;
        Ok(Exit::Passed)
    })
}

pub(super) fn defects(names: &[String]) -> anyhow::Result<Vec<&'static Defect>> {
    let known = |name: &String| {
        reference::defect(name).ok_or_else(|| {
            let help = near(name, DEFECTS.iter().map(|defect| defect.name));
            anyhow!("there is no defect `{name}`; {help}`fincheck serve --list-defects` lists them all")
        })
    };
    names.iter().map(known).collect()
}

pub(super) fn variants(names: &[String]) -> anyhow::Result<Vec<&'static Variant>> {
    let known = |name: &String| {
        reference::variant(name).ok_or_else(|| {
            let help = near(name, VARIANTS.iter().map(|variant| variant.name));
            anyhow!("there is no variant `{name}`; {help}`fincheck serve --list-variants` lists them all")
        })
    };
    names.iter().map(known).collect()
}

fn near(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    let help = nearest(name, known);
    if help.starts_with("did you mean") { help + " " } else { String::new() }
}

/// The reference API on a thread of its own; it ends when this is dropped.
pub(super) struct Demo {
    pub(super) base_url: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Demo {
    pub(super) fn start(options: Options) -> anyhow::Result<Self> {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (started, start) = mpsc::channel();
        let serve = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(started.send(Err(error))),
            };
            runtime.block_on(async move {
                match reference::start(options).await {
                    Ok(running) => {
                        let _ = started.send(Ok(running.base_url().to_owned()));
                        let _ = stopped.await;
                        running.stop().await;
                    }
                    Err(error) => drop(started.send(Err(error))),
                }
            });
        };
        let thread = thread::Builder::new().name("reference".into()).spawn(serve)?;
        let base_url =
            start.recv().context("the reference API did not start")?.context("the reference API did not start")?;
        Ok(Self { base_url, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
