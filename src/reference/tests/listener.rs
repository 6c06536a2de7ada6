//! A client of streams that is not ours.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        handshake::client::{Request, Response},
        protocol::{
            CloseFrame,
            frame::{Frame, coding::OpCode},
        },
    },
};

use super::{
    super::{Options, Times, defect, tokens, variant},
    client::{Api, ORDERS},
};

pub(super) const STREAM: &str = "/v1/streams/orders";
pub(super) const MARKET: &str = "/v1/streams/market";

/// How long is waited for what must come.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// Nothing for this long, and nothing comes.
pub(super) const QUIET: Duration = Duration::from_millis(400);

/// Times that let a test be short.
pub(super) fn times() -> Times {
    Times {
        stream_heartbeat: Duration::from_millis(150),
        stream_ping: Duration::from_millis(200),
        stream_timeout: Duration::from_millis(700),
        stream_session: Duration::from_millis(600),
        ..Times::default()
    }
}

/// The API with these defects and variants, and those times.
pub(super) async fn api(defects: &[&str], variants: &[&str]) -> Api {
    with(defects, variants, &times()).await
}

/// The same, which waits longer for pongs than it takes to fill the buffers in between.
pub(super) async fn patient(defects: &[&str], variants: &[&str]) -> Api {
    with(defects, variants, &Times { stream_timeout: PATIENCE, ..times() }).await
}

async fn with(defects: &[&str], variants: &[&str], times: &Times) -> Api {
    let options = Options {
        defects: defects.iter().map(|name| defect(name).expect("a defect")).collect(),
        variants: variants.iter().map(|name| variant(name).expect("a variant")).collect(),
        times: *times,
        ..Options::default()
    };
    Api::start(options).await
}

/// What is answered within a while to octets sent on a new connection.
pub(super) async fn spoken(api: &Api, octets: &[u8], time: Duration) -> Vec<u8> {
    let mut stream = TcpStream::connect(api.running.addr()).await.expect("a connection");
    stream.write_all(octets).await.expect("sent");
    let mut heard = Vec::new();
    let _ = timeout(time, stream.read_to_end(&mut heard)).await;
    heard
}

/// Places an order with a reference of its own; returns it as answered.
pub(super) async fn order(api: &Api) -> Value {
    let reference = uuid::Uuid::new_v4().to_string();
    let body = json!({
        "symbol": "AAPL", "side": "buy", "type": "limit", "quantity": "2.5", "client_reference": reference,
        "limit_price": { "amount": "10.10", "currency": "USD" },
    });
    let made = api.post(ORDERS, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()
}

/// The handshake of a client with a token in the header.
pub(super) fn request(api: &Api, target: &str, token: Option<&str>) -> Request {
    let url = api.url(target).replacen("http", "ws", 1);
    let mut request = url.into_client_request().expect("a request");
    if let Some(token) = token {
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("a value"));
    }
    request
}

/// An open stream.
pub(super) struct Listener {
    socket: WebSocketStream<TcpStream>,
    pub(super) response: Response,
}

impl Listener {
    pub(super) async fn with(api: &Api, request: Request) -> Result<Self, Error> {
        let stream = TcpStream::connect(api.running.addr()).await.expect("a connection");
        let (socket, response) = client_async(request, stream).await?;
        Ok(Self { socket, response })
    }

    pub(super) async fn open(api: &Api, target: &str, token: Option<&str>) -> Result<Self, Error> {
        Self::with(api, request(api, target, token)).await
    }

    /// The trader, on the stream of orders, with nothing asked for.
    pub(super) async fn trader(api: &Api) -> Self {
        Self::open(api, STREAM, Some(tokens::TRADER)).await.expect("a stream")
    }

    /// The trader, subscribed, and past the snapshot; with the acknowledgement.
    pub(super) async fn subscribed(api: &Api) -> (Self, Value) {
        let mut listener = Self::trader(api).await;
        listener.say(&json!({ "op": "subscribe", "channel": "orders", "request_id": "r1" })).await;
        let acknowledgement = listener.hear("subscribed").await;
        listener.hear("snapshot").await;
        (listener, acknowledgement)
    }

    /// Anybody, subscribed to books, and past the acknowledgement.
    pub(super) async fn books(api: &Api, symbols: &[&str]) -> Self {
        let mut listener = Self::open(api, MARKET, None).await.expect("a stream");
        listener.say(&json!({ "op": "subscribe", "channel": "book", "symbols": symbols, "request_id": 7 })).await;
        listener
    }

    /// Resumes; with the answer.
    pub(super) async fn resumed(api: &Api, token: &str, place: Value) -> (Self, Value) {
        let mut listener = Self::open(api, STREAM, Some(token)).await.expect("a stream");
        let mut message = json!({ "op": "subscribe", "channel": "orders", "request_id": "r3" });
        message.as_object_mut().expect("members").extend(place.as_object().expect("a place").clone());
        listener.say(&message).await;
        let answer = listener.first(|value| value["request_id"] == "r3").await;
        (listener, answer)
    }

    pub(super) async fn say(&mut self, message: &Value) {
        self.send(Message::text(message.to_string())).await;
    }

    pub(super) async fn send(&mut self, message: Message) {
        self.socket.send(message).await.expect("sent");
    }

    /// Sends a masked frame of any kind.
    pub(super) async fn frame(&mut self, opcode: OpCode, fin: bool, rsv1: bool, payload: &[u8]) {
        let mut frame = match opcode {
            OpCode::Data(_) => Frame::message(payload.to_vec(), opcode, fin),
            OpCode::Control(_) => Frame::ping(payload.to_vec()),
        };
        frame.header_mut().opcode = opcode;
        frame.header_mut().rsv1 = rsv1;
        frame.header_mut().is_final = fin;
        self.send(Message::Frame(frame)).await;
    }

    /// Sends octets as they are.
    pub(super) async fn octets(&mut self, octets: &[u8]) {
        self.socket.get_mut().write_all(octets).await.expect("sent");
    }

    /// The next message before an instant, as far as the connection lasts.
    pub(super) async fn next_by(&mut self, until: Instant) -> Result<Option<Message>, ()> {
        match timeout_at(until, self.socket.next()).await {
            Err(_) => Err(()),
            Ok(Some(Ok(message))) => Ok(Some(message)),
            Ok(_) => Ok(None),
        }
    }

    /// The first message that is meant; it must come.
    pub(super) async fn first(&mut self, is_meant: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.next_by(until).await.expect("a message in time").expect("an open connection") {
                Message::Text(text) => {
                    let value: Value = serde_json::from_str(&text).expect("JSON");
                    if is_meant(&value) {
                        return value;
                    }
                }
                Message::Close(frame) => panic!("closed: {frame:?}"),
                _ => {}
            }
        }
    }

    pub(super) async fn hear(&mut self, kind: &str) -> Value {
        self.first(|value| value["type"] == kind).await
    }

    /// All messages but heartbeats, for a while.
    pub(super) async fn listen(&mut self, time: Duration) -> Vec<Value> {
        let until = Instant::now() + time;
        let mut heard = Vec::new();
        while let Ok(Some(message)) = self.next_by(until).await {
            if let Message::Text(text) = message {
                heard.push(serde_json::from_str(&text).expect("JSON"));
            }
        }
        heard.retain(|value: &Value| value["type"] != "heartbeat");
        heard
    }

    /// All that comes, of any kind, for a while; whether the connection lasted.
    pub(super) async fn watch(&mut self, time: Duration) -> (Vec<Message>, bool) {
        let until = Instant::now() + time;
        let mut seen = Vec::new();
        loop {
            match self.next_by(until).await {
                Err(()) => return (seen, true),
                Ok(None) => return (seen, false),
                Ok(Some(message)) => {
                    let is_last = matches!(message, Message::Close(_));
                    seen.push(message);
                    if is_last {
                        return (seen, false);
                    }
                }
            }
        }
    }

    /// Events until one is told of this order, in the order they came.
    pub(super) async fn until_order(&mut self, order: &Value) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.hear("order").await;
            let is_last = event["order"]["id"] == order["id"];
            events.push(event);
            if is_last {
                return events;
            }
        }
    }

    /// How the connection ends, which it must: its close frame, if there is one, with its code, if it has one.
    pub(super) async fn end(&mut self) -> Option<(Option<u16>, String)> {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Message::Close(frame) = self.next_by(until).await.expect("an end in time")? {
                return Some(
                    frame
                        .map_or((None, String::new()), |frame| (Some(u16::from(frame.code)), frame.reason.to_string())),
                );
            }
        }
    }

    /// The octets that came while nothing was read or answered, and those that come before the end or for a while.
    pub(super) async fn unread(&mut self, time: Duration) -> (Vec<u8>, bool) {
        let mut octets = Vec::new();
        let ended = timeout(time, self.socket.get_mut().read_to_end(&mut octets)).await.is_ok();
        (octets, ended)
    }

    /// Closes in order, and waits for the answer.
    pub(super) async fn close(mut self, code: u16) -> Option<(Option<u16>, String)> {
        let frame = CloseFrame { code: code.into(), reason: "".into() };
        self.send(Message::Close(Some(frame))).await;
        self.end().await
    }

    /// Loses the connection without a word.
    pub(super) fn lose(self) {
        drop(self.socket.into_inner());
    }
}
