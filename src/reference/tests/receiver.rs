//! A receiver of events: remembers all it is told, and answers as it was told to.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, time::Instant};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::client::{Api, Got};

/// How long an event that must come may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One call that arrived.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) payload: Bytes,
    pub(super) at: Instant,
}

impl Call {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.payload).expect("JSON")
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn kind(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }

    pub(super) fn id(&self) -> String {
        self.json()["id"].as_str().expect("an id").to_owned()
    }

    /// The operation, transfer or withdrawal that it is about.
    pub(super) fn subject(&self) -> String {
        let data = &self.json()["data"];
        let mut ids = ["operation_id", "transfer_id", "withdrawal_id"].iter().filter_map(|name| data[name].as_str());
        ids.next().expect("a subject").to_owned()
    }
}

/// What a call is answered with.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Status(u16),
    Redirect(String),
    /// Nothing, for as long as the caller waits.
    Hang,
}

/// Given a path and how many earlier calls to it were about the same event, says how to answer.
type Plan = Arc<dyn Fn(&str, usize) -> Answer + Send + Sync>;

/// A receiver; it ends when this is dropped.
pub(super) struct Receiver {
    base: String,
    calls: watch::Sender<Vec<Call>>,
    _stop: DropGuard,
}

#[derive(Clone)]
struct Desk {
    calls: watch::Sender<Vec<Call>>,
    plan: Plan,
}

impl Receiver {
    /// Takes everything.
    pub(super) async fn willing() -> Self {
        Self::at("127.0.0.1", |_, _| Answer::Status(200)).await
    }

    pub(super) async fn at(host: &str, plan: impl Fn(&str, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((host, 0)).await.expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let calls = watch::Sender::new(Vec::new());
        let router = Router::new().fallback(take).with_state(Desk { calls: calls.clone(), plan: Arc::new(plan) });
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(axum::serve(listener, router).into_future()).await });
        Self { base, calls, _stop: stop.drop_guard() }
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Registers one of its paths as the trader; returns the secret.
    pub(super) async fn register(&self, api: &Api, path: &str, events: &[&str]) -> String {
        let made = self.try_register(api, path, events).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["secret"].as_str().expect("a secret").to_owned()
    }

    pub(super) async fn try_register(&self, api: &Api, path: &str, events: &[&str]) -> Got {
        api.post("/v1/webhooks", &json!({ "url": self.url(path), "events": events })).await
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.borrow().clone()
    }

    pub(super) fn calls_to(&self, path: &str) -> Vec<Call> {
        self.calls().into_iter().filter(|call| call.path == path).collect()
    }

    /// Waits until this holds of all calls; false if it does not in time.
    pub(super) async fn hears(&self, within: Duration, holds: impl Fn(&[Call]) -> bool) -> bool {
        let mut calls = self.calls.subscribe();
        let heard = calls.wait_for(|calls| holds(calls));
        tokio::time::timeout(within, heard).await.is_ok_and(|heard| heard.is_ok())
    }

    /// Waits until there have been so many calls to a path; returns them.
    pub(super) async fn expect(&self, path: &str, count: usize) -> Vec<Call> {
        let enough = |calls: &[Call]| calls.iter().filter(|call| call.path == path).count() >= count;
        assert!(self.hears(PATIENCE, enough).await, "{path} heard {:?}", self.calls_to(path));
        self.calls_to(path)
    }
}

async fn take(State(desk): State<Desk>, uri: Uri, headers: HeaderMap, payload: Bytes) -> Response {
    let call = Call { path: uri.path().to_owned(), headers, payload, at: Instant::now() };
    let about = |call: &Call| (call.path.clone(), call.subject(), call.kind());
    let mut earlier = 0;
    desk.calls.send_modify(|calls| {
        earlier = calls.iter().filter(|known| about(known) == about(&call)).count();
        calls.push(call.clone());
    });
    match (desk.plan)(&call.path, earlier) {
        Answer::Status(status) => StatusCode::from_u16(status).expect("a status").into_response(),
        Answer::Redirect(to) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        Answer::Hang => std::future::pending().await,
    }
}
