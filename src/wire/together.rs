//! Several requests under way at once: each on a connection of its own, their last octets released at one instant.
//!
//! Everything but the last octet of each content goes ahead, so that connecting, TLS and the heads are out of the way
//! when the rest is released; what a server does with a request it then does for all of them at the same time.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::future::join_all;
use hyper::body::{Body, Frame, SizeHint};
use tokio::{sync::watch, time::Instant};

use super::{Wire, client, compose::Draft};
use crate::exchange::{Outcome, Request};

/// Most requests that can be under way at once in this way.
const MOST: usize = 64;

impl Wire {
    /// Sends requests so that they are under way at once; outcomes in the order of the requests. A 429 or 503 is an
    /// outcome, not waited out; redirects are not followed. Beyond 64 requests the rest follows when those are answered.
    pub async fn together(&self, requests: Vec<Request>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(requests.len());
        for batch in requests.chunks(MOST) {
            outcomes.extend(self.batch(batch).await);
        }
        outcomes
    }

    async fn batch(&self, requests: &[Request]) -> Vec<Outcome> {
        let mut drafts = Vec::with_capacity(requests.len());
        for request in requests {
            let admitted = self.admit_beside();
            drafts.push(admitted.and_then(|()| self.composer.compose(request)));
        }
        self.keep_pace(requests.len()).await;
        let waiting = drafts.iter().filter(|draft| draft.is_ok()).count();
        let gate = Gate::new(waiting);
        let lanes = requests.iter().zip(drafts).enumerate().map(|(number, (request, draft))| {
            let gate = gate.clone();
            async move {
                let mut draft: Draft = draft?;
                let place = gate.place();
                let client = self.lane(number);
                self.attempt_by(request, &mut draft, &client, Some(place)).await
            }
        });
        join_all(lanes).await
    }

    /// The client of a lane: it shares no connection with another's, and keeps its own for the next time.
    fn lane(&self, number: usize) -> reqwest::Client {
        let mut lanes = self.lanes.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        while lanes.len() <= number {
            // The same settings made the wire's own client.
            let lane = client::build(&self.settings).unwrap_or_else(|_| self.client.clone());
            lanes.push(lane);
        }
        lanes[number].clone()
    }
}

/// Opens when all that wait for it have arrived.
#[derive(Clone)]
struct Gate {
    missing: Arc<AtomicUsize>,
    opened: Arc<watch::Sender<Option<Instant>>>,
}

impl Gate {
    fn new(waiting: usize) -> Self {
        Self { missing: Arc::new(AtomicUsize::new(waiting)), opened: Arc::new(watch::Sender::new(None)) }
    }

    fn place(&self) -> Place {
        Place { gate: self.clone(), arrived: false }
    }

    fn arrive(&self) {
        if self.missing.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.opened.send_replace(Some(Instant::now()));
        }
    }
}

/// A place at the gate. Whoever gives it up does not keep the others waiting.
pub(super) struct Place {
    gate: Gate,
    arrived: bool,
}

impl Place {
    fn arrive(&mut self) {
        if !std::mem::replace(&mut self.arrived, true) {
            self.gate.arrive();
        }
    }

    /// When the gate opened, since `start`.
    pub(super) fn watch(&self) -> Opened {
        Opened(self.gate.opened.subscribe())
    }

    /// Waits until the gate opens.
    pub(super) async fn pass(mut self) {
        let mut opened = self.gate.opened.subscribe();
        self.arrive();
        let _ = opened.wait_for(Option::is_some).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.arrive();
    }
}

/// Tells when a gate opened.
pub(super) struct Opened(watch::Receiver<Option<Instant>>);

impl Opened {
    /// How long after `start` it opened, if it did.
    pub(super) fn since(&self, start: Instant) -> Option<Duration> {
        let opened = *self.0.borrow();
        opened.map(|instant| instant.saturating_duration_since(start))
    }
}

/// Content whose last octet waits for the gate.
pub(super) struct HeldBack {
    rest: Bytes,
    last: Bytes,
    pass: Option<Pin<Box<dyn Future<Output = ()> + Send + Sync>>>,
    place: Option<Place>,
}

impl HeldBack {
    /// `content` must not be empty.
    pub(super) fn new(mut content: Bytes, place: Place) -> Self {
        let last = content.split_off(content.len().saturating_sub(1));
        Self { rest: content, last, pass: None, place: Some(place) }
    }
}

impl Body for HeldBack {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if !self.rest.is_empty() {
            return Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))));
        }
        if self.last.is_empty() {
            return Poll::Ready(None);
        }
        if let Some(place) = self.place.take() {
            self.pass = Some(Box::pin(place.pass()));
        }
        if let Some(pass) = &mut self.pass
            && pass.as_mut().poll(cx).is_pending()
        {
            return Poll::Pending;
        }
        self.pass = None;
        Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.last)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.last.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.rest.len() + self.last.len()) as u64)
    }
}
