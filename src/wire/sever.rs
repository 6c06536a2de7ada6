//! A request whose connection is lost on purpose.
//!
//! The message goes over HTTP/1.1 on a connection of its own, through a transport that closes itself at the wanted point:
//! below HTTP and above TLS, where it is known what has been handed over and what has come.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, header};
use hyper::{
    body::{Body, Frame, SizeHint},
    client::conn::http1,
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::Notify,
};

use super::{
    Wire,
    attempt::{Answerer, Fault, Response},
    compose::Draft,
    connect::Transport,
    target,
};
use crate::exchange::{Failure, FailureKind, Outcome, Request};

impl Wire {
    /// Sends a request once and cuts the connection as soon as its last octet is handed over or, `after_first_byte`, as
    /// soon as the first octet of the response has come. Having cut it is a failure of kind `Severed`.
    pub async fn sever(&self, request: Request, after_first_byte: bool) -> Outcome {
        let request = Request { obey: false, ..request };
        let mut draft = self.composer.compose(&request)?;
        let refuse = |why: &str| {
            let message = format!("the connection cannot be cut on purpose: {why}");
            Err(Failure { id: None, kind: FailureKind::Request, message })
        };
        if self.settings.proxy.is_some() {
            return refuse("it goes through a proxy");
        }
        if self.settings.http2_prior_knowledge {
            return refuse("the target is spoken to in HTTP/2, where requests share one");
        }
        let slot = self.admit(&request).await?;
        let began = self.now();
        let (id, request) = self.number(&request, &mut draft);
        let mut answerer = Answerer::default();
        let result = self.bounded(began, self.transfer_and_cut(&draft, after_first_byte, &mut answerer)).await;
        drop(slot);
        self.conclude(id, &request, &draft, &answerer, began, result)
    }

    async fn transfer_and_cut(
        &self,
        draft: &Draft,
        after_first_byte: bool,
        answerer: &mut Answerer,
    ) -> Result<Response, Fault> {
        let (stream, remote) = self.connect(&draft.url, None).await?;
        answerer.remote = remote;

        let state = Arc::new(State::default());
        let cuttable = Cuttable { stream: Some(stream), begun: false, state: Arc::clone(&state), after_first_byte };
        let unusable =
            |why: &dyn std::fmt::Display| (FailureKind::Request, format!("the request cannot be sent: {why}"));
        let message = message(draft, Arc::clone(&state)).map_err(|why| unusable(&why))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(cuttable)).await.map_err(|why| unusable(&why))?;
        let response = async {
            let answer = sender.send_request(message).await;
            // The connection must live until it is cut or the response has begun.
            answer.map(|response| response.status().as_u16())
        };
        tokio::pin!(connection, response);
        let cut = state.cut.notified();
        tokio::pin!(cut);
        let mut driving = true;
        let begun = loop {
            tokio::select! {
                biased;
                () = &mut cut => break None,
                _ = &mut connection, if driving => driving = false,
                status = &mut response => break Some(status),
            }
        };
        let severed = || {
            let place =
                if after_first_byte { "the first octet of the response" } else { "the last octet of the request" };
            (FailureKind::Severed, format!("the connection was cut on purpose after {place}"))
        };
        match begun {
            None => Err(severed()),
            Some(_) if state.is_cut.load(Ordering::Acquire) => Err(severed()),
            Some(Ok(status)) => Err((
                FailureKind::Protocol,
                format!("{} answered with status {status} before it had the whole request", self.peer),
            )),
            Some(Err(why)) => Err((FailureKind::Broken, format!("{} closed the connection itself: {why}", self.peer))),
        }
    }
}

/// The message in HTTP/1.1's form.
fn message(draft: &Draft, state: Arc<State>) -> Result<http::Request<Watched>, http::Error> {
    let url = &draft.url;
    let target = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
    let mut message = http::Request::builder().method(draft.method.clone()).uri(target);
    if let Some(fields) = message.headers_mut() {
        fields.clone_from(&draft.fields);
        if let Ok(host) = HeaderValue::from_str(&target::authority(url)) {
            fields.insert(header::HOST, host);
        }
    }
    let content = draft.body.clone();
    state.handed_over.store(content.is_empty(), Ordering::Release);
    message.body(Watched { content, state })
}

#[derive(Default)]
struct State {
    /// HTTP has taken the last octet of the content.
    handed_over: AtomicBool,
    is_cut: AtomicBool,
    cut: Notify,
}

/// Content that tells when its last octet is taken.
struct Watched {
    content: Bytes,
    state: Arc<State>,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let content = std::mem::take(&mut self.content);
        self.state.handed_over.store(true, Ordering::Release);
        Poll::Ready((!content.is_empty()).then(|| Ok(Frame::data(content))))
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.content.len() as u64)
    }
}

/// A transport that closes itself.
struct Cuttable {
    stream: Option<Box<dyn Transport>>,
    /// Whether anything was written at all.
    begun: bool,
    state: Arc<State>,
    after_first_byte: bool,
}

impl Cuttable {
    fn cut(&mut self) {
        // Closing hands over what was written; what the peer still says meets a reset.
        self.stream = None;
        self.state.is_cut.store(true, Ordering::Release);
        self.state.cut.notify_one();
    }

    fn stream(&mut self) -> io::Result<Pin<&mut Box<dyn Transport>>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::ConnectionAborted.into())
    }
}

impl AsyncRead for Cuttable {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.stream()?.poll_read(cx, buffer))?;
        let came = buffer.filled().len() > before;
        if came && self.after_first_byte && self.state.handed_over.load(Ordering::Acquire) {
            self.cut();
            buffer.set_filled(before);
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Cuttable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(self.stream()?.poll_write(cx, octets))?;
        self.begun |= written > 0;
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.stream()?.poll_flush(cx))?;
        if !self.after_first_byte && self.begun && self.state.handed_over.load(Ordering::Acquire) {
            self.cut();
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }
}
