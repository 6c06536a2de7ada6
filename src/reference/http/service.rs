//! The way of one request through the API.
//!
//! Order of the checks: route (404), method (405), credentials (401), scope (403), `Accept` (406), media type (415), body
//! (413, 400), and then what the resource itself has to say. Nothing is changed before all of them have passed. Once a
//! request that changes something is there, it is carried out, whatever becomes of the connection it came by.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use futures_util::{FutureExt, future::Either};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header, uri::Authority};
use http_body_util::Full;
use hyper::{
    body::{Body, Incoming},
    upgrade::OnUpgrade,
};
use serde_json::Value;
use tokio::task::JoinError;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Query, Reply, access, body, correlation, negotiation, route::Route};
use crate::reference::{
    behaviour::Behaviour,
    defects::{
        async_operation::MONITOR_OPEN_TO_ANYONE, pagination::CURSOR_IS_CAPABILITY, rate::FAILED_LOGINS_DRAIN,
        stream::OPEN_TO_ANYONE,
    },
    events::Event,
    idempotency,
    ledger::{Ids, Ledger},
    limits::Limits,
    operations::Operations,
    paging::Cursors,
    problem::{Fault, Problem, Voice},
    resources,
    streams::{self, Channel, Streams},
    times::Times,
    tokens::Principal,
    variants::{GZIP, NUMERIC_IDS},
    webhooks::Webhooks,
};

/// One running API.
pub(in crate::reference) struct Api {
    pub(in crate::reference) behaviour: Behaviour,
    pub(in crate::reference) cursors: Cursors,
    pub(in crate::reference) times: Times,
    pub(in crate::reference) keys: idempotency::Store,
    /// Requests and other work that outlive a connection.
    pub(in crate::reference) tasks: TaskTracker,
    pub(in crate::reference) limits: Limits,
    /// Cancelled when the API is to stop.
    pub(in crate::reference) stop: CancellationToken,
    pub(in crate::reference) operations: Operations,
    pub(in crate::reference) webhooks: Arc<Webhooks>,
    pub(in crate::reference) streams: Streams,
    ledger: Mutex<Ledger>,
    voice: Voice,
}

impl Api {
    pub(in crate::reference) fn new(
        behaviour: Behaviour,
        seed: u64,
        cursors: Cursors,
        ledger: Ledger,
        times: Times,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let limits = Limits::new(behaviour.clone(), times);
        let webhooks = Webhooks::new(behaviour.clone(), times, tasks.clone(), stop.clone());
        let streams = Streams::new(behaviour.clone(), seed);
        Self {
            behaviour,
            cursors,
            limits,
            times,
            keys: idempotency::Store::default(),
            tasks,
            stop,
            operations: Operations::default(),
            webhooks: Arc::new(webhooks),
            streams,
            ledger: Mutex::new(ledger),
            voice: Voice::default(),
        }
    }

    /// The rows, for as long as the guard lives; never held while waiting for a peer.
    pub(in crate::reference) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells those who want to be told of an event. Returns at once.
    pub(in crate::reference) fn publish(&self, event: Event) {
        self.webhooks.publish(event);
    }

    pub(in crate::reference) fn ids(&self) -> Ids {
        if self.behaviour.is(NUMERIC_IDS) { Ids::Number } else { Ids::Text }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Api").finish_non_exhaustive()
    }
}

/// How a connection reached the API.
#[derive(Debug, Clone)]
pub(in crate::reference) struct Peer {
    /// `http` or `https`.
    pub(in crate::reference) scheme: &'static str,
    /// Used in links for callers that send no Host.
    pub(in crate::reference) authority: String,
}

/// A request that has passed every general check.
pub(in crate::reference) struct Call<'a> {
    pub(in crate::reference) api: &'a Arc<Api>,
    pub(in crate::reference) principal: Principal,
    pub(in crate::reference) headers: &'a HeaderMap,
    pub(in crate::reference) path: &'a str,
    pub(in crate::reference) query: Query,
    /// Scheme and authority the caller used: links start with it.
    pub(in crate::reference) origin: String,
    /// `null` where the method takes no body.
    pub(in crate::reference) body: Value,
    /// Cancelled when nobody is left to hear the answer.
    pub(in crate::reference) lost: &'a CancellationToken,
}

/// Answers one request; whatever goes wrong is an answer too. To be called when the request is there, not when its answer
/// is first waited for: a connection that is lost in between takes the waiting away, but not the request.
pub(in crate::reference) fn answer(
    api: &Arc<Api>,
    peer: &Peer,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Full<Bytes>>, JoinError>> + use<> {
    let lost = CancellationToken::new();
    let safe = request.method().is_safe();
    let work = respond(Arc::clone(api), peer.clone(), request, lost.clone());
    let work = if safe { Either::Left(work.map(Ok)) } else { Either::Right(api.tasks.spawn(work)) };
    let waiting = lost.drop_guard();
    async move {
        let response = work.await;
        waiting.disarm();
        response
    }
}

async fn respond(
    api: Arc<Api>,
    peer: Peer,
    mut request: Request<Incoming>,
    lost: CancellationToken,
) -> Response<Full<Bytes>> {
    let id = correlation::of(request.headers());
    let upgrade = hyper::upgrade::on(&mut request);
    let (head, body) = request.into_parts();
    let (mut reply, header_id) = match handle(&api, &peer, &head, body, upgrade, &lost).await {
        Ok(reply) => (reply, Some(id)),
        Err(problem) => api.voice.speak(problem, &id, &api.behaviour),
    };
    if api.behaviour.is(GZIP) && reply.status != StatusCode::SWITCHING_PROTOCOLS {
        reply.headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if negotiation::accepts_gzip(&head.headers) {
            reply = negotiation::gzip(reply);
        }
    }
    finish(reply, header_id.as_deref(), head.method == Method::HEAD)
}

async fn handle(
    api: &Arc<Api>,
    peer: &Peer,
    head: &http::request::Parts,
    body: Incoming,
    upgrade: OnUpgrade,
    lost: &CancellationToken,
) -> Result<Reply, Problem> {
    let path = head.uri.path();
    let Some(route) = Route::of(path) else {
        return Err(Problem::new(Fault::RouteNotFound, "nothing is served at this path").received(path));
    };
    if !route.allows(&head.method) {
        let detail = format!("this resource takes {}", route.allow());
        return Err(Problem::new(Fault::MethodNotAllowed, detail).header(header::ALLOW, route.allow()));
    }
    if head.method == Method::OPTIONS {
        return Ok(Reply::empty(StatusCode::NO_CONTENT).header(header::ALLOW, route.allow()));
    }
    let query = Query::parse(head.uri.query());
    if route == Route::Health {
        query.only(&[])?;
        return Ok(resources::health());
    }
    let principal = caller(api, head, route, &query).inspect_err(|_| {
        if api.behaviour.has(FAILED_LOGINS_DRAIN) {
            resources::drain(&api.limits, &head.headers, route, &head.method);
        }
    })?;
    access::authorise(principal, &head.method)?;
    if let Route::Stream(channel) = route {
        return streams::open(api, head, channel, principal, upgrade);
    }
    if !negotiation::accepts_json(&head.headers) {
        return Err(Problem::new(Fault::NotAcceptable, "this API answers in application/json only"));
    }
    let body = json_body(head, route, body).await?;
    let origin = format!("{}://{}", peer.scheme, authority(&head.uri, &head.headers).unwrap_or(&peer.authority));
    let call = Call { api, principal, headers: &head.headers, path, query, origin, body, lost };
    resources::answer(&call, route, &head.method).await
}

fn caller(api: &Api, head: &http::request::Parts, route: Route<'_>, query: &Query) -> Result<Principal, Problem> {
    let is_monitor = matches!(route, Route::Operation(_));
    if is_monitor && api.behaviour.has(MONITOR_OPEN_TO_ANYONE) {
        return Ok(Principal::ANYONE);
    }
    if api.behaviour.has(CURSOR_IS_CAPABILITY)
        && let Some(tenant) = query.get("cursor").and_then(|cursor| api.cursors.owner(cursor))
    {
        return Ok(Principal { tenant, client: "cursor", may_write: false });
    }
    if let Route::Stream(channel) = route {
        return listener(api, head, channel, query);
    }
    if matches!(route, Route::Book(_)) && !head.headers.contains_key(header::AUTHORIZATION) {
        return Ok(Principal::ANYONE);
    }
    access::authenticate(&head.headers)
}

/// Who opens a stream: browsers cannot send credentials there but in the query (RFC 6750 §2.3).
fn listener(api: &Api, head: &http::request::Parts, channel: Channel, query: &Query) -> Result<Principal, Problem> {
    query.only(&["access_token"])?;
    let token = query.get("access_token");
    if channel == Channel::Market && token.is_none() && !head.headers.contains_key(header::AUTHORIZATION) {
        return Ok(Principal::ANYONE);
    }
    let known = access::authenticate_listener(&head.headers, token);
    if channel == Channel::Orders && api.behaviour.has(OPEN_TO_ANYONE) {
        return Ok(known.unwrap_or(Principal::ANYONE));
    }
    known
}

async fn json_body(head: &http::request::Parts, route: Route<'_>, incoming: Incoming) -> Result<Value, Problem> {
    if route.needs_no_body() && !head.headers.contains_key(header::CONTENT_TYPE) && incoming.is_end_stream() {
        return Ok(Value::Null);
    }
    let (taken, advice) = match head.method {
        Method::POST => (&["application/json"][..], "accept-post"),
        Method::PATCH => (&["application/merge-patch+json", "application/json"][..], "accept-patch"),
        _ => return Ok(Value::Null),
    };
    let media_type = negotiation::media_type(&head.headers);
    if !media_type.is_some_and(|sent| taken.contains(&sent.as_str())) {
        let detail = format!("send the body as {}", taken.join(" or "));
        let advice = http::HeaderName::from_static(advice);
        return Err(Problem::new(Fault::UnsupportedMediaType, detail).header(advice, &taken.join(", ")));
    }
    body::parse(&body::read(incoming).await?)
}

/// The authority the caller addressed: `:authority` of HTTP/2 or the Host header.
fn authority<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let host = || headers.get(header::HOST)?.to_str().ok();
    let sent = uri.authority().map(Authority::as_str).or_else(host)?;
    // It ends up in links, so it must be a host and nothing more.
    (sent.parse::<Authority>().is_ok() && !sent.contains('@')).then_some(sent)
}

fn finish(mut reply: Reply, id: Option<&str>, is_head: bool) -> Response<Full<Bytes>> {
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
        reply.headers.insert(correlation::HEADER, id);
    }
    reply.headers.entry("x-content-type-options").or_insert(HeaderValue::from_static("nosniff"));
    reply.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if is_head {
        reply.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(reply.body.len()));
        reply.body = Bytes::new();
    }
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}
