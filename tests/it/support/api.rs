//! The reference API, on a thread of its own for as long as a test needs it.

use std::{sync::mpsc, thread};

use fincheck::reference::{self, Options};
use tokio::sync::oneshot;

/// The reference API at work; it ends when this is dropped.
pub(crate) struct Api {
    url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Api {
    /// Starts it with few rows.
    pub(crate) fn small() -> Self {
        Self::start(Options { transactions: 60, ..Options::default() })
    }

    /// Starts it with few rows and one way in which it is wrong.
    pub(crate) fn with_defect(name: &str) -> Self {
        let defects = vec![reference::defect(name).unwrap()];
        Self::start(Options { transactions: 60, defects, ..Options::default() })
    }

    fn start(options: Options) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (started, start) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let api = reference::start(options).await.unwrap();
                started.send(api.base_url().to_owned()).unwrap();
                let _ = stopped.await;
                api.stop().await;
            });
        });
        Self { url: start.recv().unwrap(), stop: Some(stop), thread: Some(thread) }
    }

    /// Its base URL.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
