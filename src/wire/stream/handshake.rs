//! The opening handshake (RFC 6455 §4.1).

use std::{pin::pin, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, StatusCode, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;

use super::{About, Log, Stream, codec::Reader};
use crate::{
    exchange::{Failure, FailureKind, Handshake, Headers, Opening, Request, Unopened},
    wire::{
        Wire,
        attempt::{Answerer, Fault, Response},
        compose::Draft,
        connect::Transport,
        failure, target,
    },
};

/// What a handshake came to.
enum Answer {
    /// 101, with what came right behind it.
    Switched { status: u16, headers: Headers, received: Duration, transport: Box<dyn Transport>, rest: Bytes },
    /// Anything else.
    Refused(Response),
}

impl Wire {
    /// Opens a WebSocket connection on a TCP connection of its own. It is one exchange of the run's budget; what is answered
    /// otherwise than with 101 is read to its end, and neither repeated nor followed. How right a 101 is is for others to
    /// judge.
    pub async fn open(self: &Arc<Self>, opening: Opening) -> Result<Stream, Unopened> {
        let mut draft = self.composer.compose(&opening.request).map_err(Unopened::Failed)?;
        let refuse = |why: &str| {
            let message = format!("no stream can be opened: {why}");
            Err(Unopened::Failed(Failure { id: None, kind: FailureKind::Request, message }))
        };
        if self.settings.proxy.is_some() {
            return refuse("streams do not go through a proxy; run without --proxy");
        }
        if self.settings.http2_prior_knowledge {
            return refuse("the target is spoken to in HTTP/2 only, and the handshake is one of HTTP/1.1");
        }
        let key = ask(&opening, &mut draft);
        let slot = self.admit(&opening.request).await.map_err(Unopened::Failed)?;
        let mut sent = self.now();
        let (id, request) = self.number(&opening.request, &mut draft);
        let request: Request = request.into_owned();
        let mut answerer = Answerer::default();
        let answering = self.shake_hands(&draft, opening.receive_buffer, &mut sent, &mut answerer);
        let answered = self.bounded(self.now(), answering).await;
        drop(slot);
        let refused = match answered {
            Ok(Answer::Switched { status, headers, received, transport, rest }) => {
                let handshake = Handshake { id, status, headers, key, sent, received };
                self.recorder.opened(&request, &handshake);
                let Draft { url, headers, .. } = draft;
                return Ok(Stream {
                    wire: Arc::clone(self),
                    transport: Some(transport),
                    reader: Reader::new(&rest, self.limits.body, received),
                    out: BytesMut::new(),
                    ended: None,
                    unheard: None,
                    handshake,
                    about: About { request, url, headers, version: answerer.version, remote: answerer.remote },
                    log: Log::default(),
                });
            }
            Ok(Answer::Refused(response)) => Ok(response),
            Err(fault) => Err(fault),
        };
        match self.conclude(id, &request, &draft, &answerer, sent, refused) {
            Ok(reply) => Err(Unopened::Refused(reply)),
            Err(failure) => Err(Unopened::Failed(failure)),
        }
    }

    async fn shake_hands(
        &self,
        draft: &Draft,
        receive_buffer: Option<u32>,
        sent: &mut Duration,
        answerer: &mut Answerer,
    ) -> Result<Answer, Fault> {
        let (transport, remote) = self.connect(&draft.url, receive_buffer).await?;
        answerer.remote = remote;
        let classify = |why: hyper::Error| failure::of_http(&why, &self.peer, &self.limits);
        let message =
            message(draft).map_err(|why| (FailureKind::Request, format!("the handshake cannot be sent: {why}")))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(transport)).await.map_err(classify)?;
        *sent = self.now();
        let answering = async {
            let mut response = sender.send_request(message).await.map_err(classify)?;
            let received = self.now();
            answerer.version = "HTTP/1.1";
            if response.status() != StatusCode::SWITCHING_PROTOCOLS {
                let mut response = reqwest::Response::from(response.map(reqwest::Body::wrap));
                return Ok(Answer::Refused(self.read(&mut response).await?));
            }
            let (status, headers) = (response.status().as_u16(), self.head(response.headers())?);
            let switched = hyper::upgrade::on(&mut response).await.map_err(classify)?;
            let parts = switched.downcast::<TokioIo<Box<dyn Transport>>>().map_err(|_| {
                (FailureKind::Request, "the connection was not handed over by the HTTP library".to_owned())
            })?;
            let (transport, rest) = (parts.io.into_inner(), parts.read_buf);
            Ok(Answer::Switched { status, headers, received, transport, rest })
        };
        // The connection must be driven until the response is read to its end or the connection is handed over.
        let (mut connection, mut answering) = (pin!(connection.with_upgrades()), pin!(answering));
        let mut driving = true;
        loop {
            tokio::select! {
                biased;
                answer = &mut answering => return answer,
                _ = &mut connection, if driving => driving = false,
            }
        }
    }
}

/// Adds the fields of the handshake that the request does not set itself, and says which key is sent.
fn ask(opening: &Opening, draft: &mut Draft) -> String {
    let mut add = |name: HeaderName, text: String| {
        if let Some(own) = draft.headers.get(name.as_str()) {
            return own.to_owned();
        }
        if let Ok(value) = HeaderValue::from_str(&text) {
            draft.headers.push(name.as_str(), text.as_str());
            draft.fields.insert(name, value);
        }
        text
    };
    add(header::CONNECTION, "Upgrade".into());
    add(header::UPGRADE, "websocket".into());
    add(header::SEC_WEBSOCKET_VERSION, opening.version.to_string());
    if !opening.subprotocols.is_empty() {
        add(header::SEC_WEBSOCKET_PROTOCOL, opening.subprotocols.join(", "));
    }
    if opening.compression {
        add(header::SEC_WEBSOCKET_EXTENSIONS, "permessage-deflate; client_max_window_bits".into());
    }
    add(header::SEC_WEBSOCKET_KEY, generate_key())
}

/// The handshake in HTTP/1.1's form.
fn message(draft: &Draft) -> Result<http::Request<Empty<Bytes>>, http::Error> {
    let url = &draft.url;
    let target = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
    let mut message = http::Request::builder().method(draft.method.clone()).uri(target);
    if let Some(fields) = message.headers_mut() {
        fields.clone_from(&draft.fields);
        if let Ok(host) = HeaderValue::from_str(&target::authority(url)) {
            fields.insert(header::HOST, host);
        }
    }
    message.body(Empty::new())
}
