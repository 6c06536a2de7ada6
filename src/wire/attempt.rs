//! One exchange: a message sent once, and the answer read to its end.

use std::{borrow::Cow, net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Version};
use reqwest::Body;
use uuid::Uuid;

use super::{
    Heard, Wire, body,
    compose::Draft,
    failure,
    together::{HeldBack, Place},
};
use crate::exchange::{ExchangeId, Failure, FailureKind, Headers, Outcome, Reply, Request};

/// What is known of the answering side once its response has begun.
#[derive(Default)]
pub(super) struct Answerer {
    pub(super) version: &'static str,
    pub(super) remote: Option<SocketAddr>,
}

/// A response before it has a number.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Headers,
    pub(super) body: Bytes,
}

/// Why there is no response.
pub(super) type Fault = (FailureKind, String);

impl Wire {
    /// Sends the message once and tells the recorder.
    pub(super) async fn attempt(&self, request: &Request, draft: &mut Draft) -> Outcome {
        self.attempt_by(request, draft, &self.client, None).await
    }

    /// Sends the message once by this client, its last octet not before the others at the gate, and tells the recorder.
    pub(super) async fn attempt_by(
        &self,
        request: &Request,
        draft: &mut Draft,
        client: &reqwest::Client,
        place: Option<Place>,
    ) -> Outcome {
        let opened = place.as_ref().map(Place::watch);
        let mut answerer = Answerer::default();
        let began = self.now();
        let (id, request) = self.number(request, draft);
        let result = self.bounded(began, self.transfer(client, draft, place, &mut answerer)).await;
        let released = opened.and_then(|opened| opened.since(self.start));
        self.conclude(id, &request, draft, &answerer, released.unwrap_or(began), result)
    }

    /// Numbers a message that is about to be sent, and gives it its correlation id.
    pub(super) fn number<'r>(&self, request: &'r Request, draft: &mut Draft) -> (ExchangeId, Cow<'r, Request>) {
        let id = self.recorder.next_id();
        let mut request = Cow::Borrowed(request);
        if let Some(name) = &draft.correlation {
            let fresh = Uuid::new_v4().to_string();
            // Whoever judges the answer needs to know which id was sent.
            request.to_mut().headers.set(name.as_str(), fresh.as_str());
            draft.headers.set(name.as_str(), fresh.as_str());
            if let Ok(value) = HeaderValue::try_from(fresh) {
                draft.fields.insert(name, value);
            }
        }
        (id, request)
    }

    /// Tells the recorder what became of a message.
    pub(super) fn conclude(
        &self,
        id: ExchangeId,
        request: &Request,
        draft: &Draft,
        answerer: &Answerer,
        sent: Duration,
        result: Result<Response, Fault>,
    ) -> Outcome {
        let received = self.now();
        let outcome = match result {
            Ok(Response { status, headers, body }) => {
                Ok(Reply { id, url: draft.url.clone(), status, headers, body, sent, received })
            }
            Err((kind, message)) => Err(Failure { id: Some(id), kind, message }),
        };
        self.recorder.heard(&Heard {
            id,
            request,
            url: &draft.url,
            headers: &draft.headers,
            body: &draft.body,
            version: answerer.version,
            remote: answerer.remote,
            outcome: &outcome,
            sent,
            took: received.saturating_sub(sent),
        });
        outcome
    }

    /// The exchange within its time, the run's time, and until the run is interrupted.
    pub(super) async fn bounded<T>(
        &self,
        sent: Duration,
        transfer: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let limits = &self.limits;
        let left = limits.duration.0.saturating_sub(sent);
        tokio::select! {
            biased;
            timed = tokio::time::timeout(limits.timeout.0.min(left), transfer) => match timed {
                Ok(result) => result,
                Err(_) if left < limits.timeout.0 => {
                    let message = format!("given up: the run's time of {} was spent before the answer was complete", limits.duration);
                    Err((FailureKind::Interrupted, message))
                }
                Err(_) => {
                    let message = format!("no complete response from {} within {}", self.peer, limits.timeout);
                    Err((FailureKind::Timeout, message))
                }
            },
            () = self.cancel.cancelled() => {
                Err((FailureKind::Interrupted, "the run was interrupted before the answer was complete".into()))
            }
        }
    }

    async fn transfer(
        &self,
        client: &reqwest::Client,
        draft: &Draft,
        place: Option<Place>,
        answerer: &mut Answerer,
    ) -> Result<Response, Fault> {
        let mut message = reqwest::Request::new(draft.method.clone(), draft.url.clone());
        *message.headers_mut() = draft.fields.clone();
        match place {
            Some(place) if draft.body.is_empty() => place.pass().await,
            Some(place) => *message.body_mut() = Some(Body::wrap(HeldBack::new(draft.body.clone(), place))),
            None if draft.body.is_empty() => {}
            None => *message.body_mut() = Some(Body::from(draft.body.clone())),
        }
        let classify = |error| failure::classify(&error, &self.peer, &self.limits);
        let mut response = client.execute(message).await.map_err(classify)?;
        *answerer = Answerer { version: version(response.version()), remote: response.remote_addr() };
        self.read(&mut response).await
    }

    /// Reads a response to its end.
    pub(super) async fn read(&self, response: &mut reqwest::Response) -> Result<Response, Fault> {
        let headers = self.head(response.headers())?;
        let body = body::read(response, &headers, self.limits.body).await.map_err(|error| match error {
            body::Unreadable::Transport(error) => failure::classify(&error, &self.peer, &self.limits),
            body::Unreadable::Fault(kind, message) => (kind, format!("{} sent {message}", self.peer)),
        })?;
        Ok(Response { status: response.status().as_u16(), headers, body })
    }

    /// The header fields of a response, within their bounds.
    pub(super) fn head(&self, fields: &HeaderMap) -> Result<Headers, Fault> {
        let bound = self.limits.headers;
        let size: u64 = fields.iter().map(|(n, v)| (n.as_str().len() + v.len() + 4) as u64).sum();
        if size > bound.0 {
            return Err((FailureKind::TooLarge, format!("{} sent header fields larger than {bound}", self.peer)));
        }
        Ok(convert(fields))
    }
}

/// The fields as we keep them; octets that are not UTF-8 are replaced.
fn convert(fields: &HeaderMap) -> Headers {
    let mut headers = Headers::default();
    for (name, value) in fields {
        headers.push(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
    }
    headers
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "HTTP/0.9",
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_11 => "HTTP/1.1",
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_3 => "HTTP/3",
        _ => "",
    }
}
