//! Connections: accepts, reads a request within bounds, and answers it, however rudely that was asked for.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::hub::{Arrived, Hub};
use crate::exchange::{Answer, Headers};

/// So many connections are open at once; more wait.
const CONNECTIONS: usize = 100;
/// The largest head of a request.
const HEAD: usize = 64 << 10;
/// The largest content.
const BODY: usize = 1 << 20;
/// How long a head may take, or the next one on an idle connection; and how long content may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest that a connection is held without an answer.
const LONGEST_HANG: Duration = Duration::from_mins(5);

pub(super) async fn accept(listener: TcpListener, hub: Arc<Hub>, tasks: TaskTracker, stop: CancellationToken) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = async {
                let slot = Arc::clone(&slots).acquire_owned().await.ok();
                (slot, listener.accept().await)
            } => accepted,
        };
        let (slot, Ok((stream, remote))) = accepted else {
            // Out of file descriptors: others must close first.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let (hub, stop) = (Arc::clone(&hub), stop.clone());
        tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = connection(stream, remote, hub) => {}
            }
            drop(slot);
        });
    }
}

async fn connection(stream: TcpStream, remote: SocketAddr, hub: Arc<Hub>) {
    // Small answers must not wait for the caller's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(Notify::new());
    let service = service_fn(|request| {
        let (hub, reset) = (Arc::clone(&hub), Arc::clone(&reset));
        async move { answer(request, remote, &hub, &reset).await }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_header_size(HEAD)
        .max_buf_size(2 * HEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // What goes wrong on a connection is the caller's affair; what arrived is recorded.
        _ = &mut connection => {}
        () = reset.notified() => {
            let _ = connection.into_parts().io.into_inner().set_zero_linger();
        }
    }
}

/// Ends a connection without a response.
#[derive(Debug, thiserror::Error)]
#[error("held long enough")]
struct Close;

async fn answer(
    request: Request<Incoming>,
    remote: SocketAddr,
    hub: &Hub,
    reset: &Notify,
) -> Result<Response<Full<Bytes>>, Close> {
    let Some(slot) = hub.addressee(request.uri().path()) else { return Ok(plain(StatusCode::NOT_FOUND)) };
    let began = hub.now();
    let (head, body) = request.into_parts();
    let body = match tokio::time::timeout(PATIENCE, Limited::new(body, BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => {
            hub.refuse();
            return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE));
        }
        Err(_) => {
            hub.refuse();
            return Ok(plain(StatusCode::REQUEST_TIMEOUT));
        }
    };
    if !hub.has_room(body.len()) {
        return Ok(plain(StatusCode::SERVICE_UNAVAILABLE));
    }
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let arrived = Arrived {
        method: head.method.as_str().to_owned(),
        query: head.uri.query().map(str::to_owned),
        headers: head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body,
        remote,
        began,
    };
    match hub.deliver(&slot, arrived) {
        Answer::Respond(status, headers, content) => Ok(response(status, &headers, content)),
        Answer::Hang(time) => {
            tokio::time::sleep(time.min(LONGEST_HANG)).await;
            Err(Close)
        }
        Answer::Reset => {
            reset.notify_one();
            let never: Infallible = std::future::pending().await;
            match never {}
        }
    }
}

fn response(status: u16, headers: &Headers, content: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(content));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    for (name, value) in headers.iter() {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

/// An answer to what is no delivery; the connection is closed, for its content may not have been read.
fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let close: Headers = [("connection".to_owned(), "close".to_owned())].into_iter().collect();
    response(status.as_u16(), &close, Bytes::new())
}
