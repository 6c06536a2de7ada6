//! The receiver over real sockets.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;
use crate::{
    exchange::{Answer, ExchangeId, Headers},
    wire::{Called, Heard},
};

/// Notes what was called: number, check, status.
#[derive(Default)]
struct Tape {
    next: AtomicU32,
    called: Mutex<Vec<(u32, String, String)>>,
}

impl Recorder for Tape {
    fn next_id(&self) -> ExchangeId {
        ExchangeId(self.next.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn heard(&self, _: &Heard<'_>) {}
    fn waiting(&self, _: &str, _: Duration, _: &str) {}
    fn called(&self, called: &Called<'_>) {
        let told = (called.delivery.id.0, called.check.to_owned(), format!("{:?}", called.delivery.answered));
        self.called.lock().unwrap().push(told);
    }
}

fn callbacks(settings: Settings) -> (Callbacks, Arc<Tape>) {
    let tape = Arc::new(Tape::default());
    (Callbacks::new(settings, tape.clone(), Instant::now(), &CancellationToken::new()), tape)
}

fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.retry(reqwest::retry::never()).timeout(Duration::from_secs(5)).build().unwrap()
}

async fn post(url: &str, body: &str) -> Result<u16, reqwest::Error> {
    Ok(client().post(url).header("X-Event", "é").body(body.to_owned()).send().await?.status().as_u16())
}

#[tokio::test]
async fn a_callback_arrives_exactly_as_it_was_sent() {
    let (callbacks, tape) = callbacks(Settings::default());
    let mailbox = callbacks.mailbox("orders").await.unwrap();
    let token = mailbox.url().path_segments().unwrap().next_back().unwrap().to_owned();
    assert_eq!(token.len(), 32);
    let url = format!("{}?a=%20b", mailbox.url());
    assert_eq!(post(&url, "{\"a\": 1.0}\n").await.unwrap(), 200);
    let [delivery] = mailbox.deliveries().try_into().unwrap();
    assert_eq!((delivery.method.as_str(), delivery.url.as_str()), ("POST", url.as_str()));
    assert_eq!((&*delivery.body, delivery.headers.get("x-event")), (&b"{\"a\": 1.0}\n"[..], Some("é")));
    assert_eq!(delivery.id, ExchangeId(1));
    let (number, check, _) = tape.called.lock().unwrap()[0].clone();
    assert_eq!((number, check.as_str()), (1, "orders"));
}

#[tokio::test]
async fn what_is_addressed_to_nobody_is_404_and_only_counted() {
    let (callbacks, tape) = callbacks(Settings::default());
    let mailbox = callbacks.mailbox("orders").await.unwrap();
    let base = mailbox.url().join("/").unwrap();
    let gone = mailbox.url().clone();
    let other = callbacks.mailbox("others").await.unwrap();
    assert_ne!(gone, *other.url());
    drop(mailbox);
    for url in [base.as_str(), &format!("{base}guess"), gone.as_str()] {
        assert_eq!(post(url, "x").await.unwrap(), 404, "{url}");
    }
    assert!(other.deliveries().is_empty() && tape.called.lock().unwrap().is_empty());
    assert!(callbacks.notes()[0].starts_with("3 requests"), "{:?}", callbacks.notes());
}

#[tokio::test]
async fn deliveries_are_answered_as_asked_for() {
    let (callbacks, tape) = callbacks(Settings::default());
    let mailbox = callbacks.mailbox("orders").await.unwrap();
    let url = mailbox.url().as_str();
    let redirect: Headers = [("Location".to_owned(), "http://h.example/".to_owned())].into_iter().collect();
    mailbox.answer_next(vec![
        Answer::status(500),
        Answer::Respond(307, redirect, Bytes::from_static(b"no")),
        Answer::Reset,
        Answer::Hang(Duration::from_millis(20)),
    ]);
    assert_eq!(post(url, "1").await.unwrap(), 500);
    assert_eq!(post(url, "2").await.unwrap(), 307);
    let reset = post(url, "3").await.unwrap_err();
    assert!(format!("{reset:?}").contains("ConnectionReset"), "{reset:?}");
    let hung = post(url, "4").await.unwrap_err();
    assert!(!format!("{hung:?}").contains("ConnectionReset"), "{hung:?}");
    assert_eq!(post(url, "5").await.unwrap(), 200);
    let same: crate::exchange::Sameness = Arc::new(|_, body| String::from_utf8_lossy(body).into_owned());
    mailbox.answer_alike(same, vec![Answer::status(503)], Answer::status(202));
    let alike = [post(url, "a").await.unwrap(), post(url, "b").await.unwrap(), post(url, "a").await.unwrap()];
    assert_eq!(alike, [503, 503, 202]);
    assert_eq!(mailbox.deliveries().len(), 8);
    assert_eq!(tape.called.lock().unwrap().len(), 8);
}

#[tokio::test]
async fn a_caller_that_gives_up_ends_a_hang() {
    let (callbacks, _) = callbacks(Settings::default());
    let mailbox = callbacks.mailbox("orders").await.unwrap();
    mailbox.answer_next(vec![Answer::Hang(Duration::from_mins(4))]);
    let address = mailbox.url().socket_addrs(|| None).unwrap()[0];
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("POST {} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", mailbox.url().path());
    stream.write_all(request.as_bytes()).await.unwrap();
    assert!(mailbox.wait_beyond(0, Duration::from_secs(5)).await);
    drop(stream);
    // Its connection ends before the four minutes are over, or this would not.
    tokio::time::timeout(Duration::from_secs(5), async {
        while callbacks.tasks.len() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn whoever_waits_is_woken_by_what_arrives_and_by_nothing_else() {
    let (callbacks, _) = callbacks(Settings::default());
    let mailbox = callbacks.mailbox("orders").await.unwrap();
    assert!(!mailbox.wait_beyond(0, Duration::from_millis(10)).await);
    let url = mailbox.url().to_string();
    let (arrived, status) = tokio::join!(mailbox.wait_beyond(0, Duration::from_secs(5)), post(&url, "x"));
    assert!(arrived && status.unwrap() == 200);
    assert!(mailbox.wait_beyond(0, Duration::ZERO).await);
    assert!(!mailbox.wait_beyond(1, Duration::from_millis(10)).await);
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_told() {
    let (callbacks, tape) = callbacks(Settings::default());
    let mailbox = callbacks.mailbox("orders").await.unwrap();
    assert_eq!(post(mailbox.url().as_str(), &"x".repeat((1 << 20) + 1)).await.ok().filter(|s| *s != 413), None);
    let address = mailbox.url().socket_addrs(|| None).unwrap()[0];
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST {} HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", mailbox.url().path(), "y".repeat(70 << 10));
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    assert!(mailbox.deliveries().is_empty() && tape.called.lock().unwrap().is_empty());
    assert!(callbacks.notes()[0].starts_with("1 callbacks were refused"), "{:?}", callbacks.notes());
}

#[tokio::test]
async fn a_public_url_leads_to_the_address_that_is_listened_on() {
    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let public: Url = "https://hooks.example.com/in/".parse().unwrap();
    let (callbacks, _) = callbacks(Settings { listen, url: Some(public.clone()) });
    let mailbox = callbacks.mailbox("orders").await.unwrap();
    let token = mailbox.url().as_str().strip_prefix("https://hooks.example.com/in/").unwrap().to_owned();
    // A tunnel may cut off the prefix or leave it.
    for path in [format!("/in/{token}"), format!("/{token}")] {
        assert_eq!(post(&format!("http://{listen}{path}"), "x").await.unwrap(), 200);
    }
    assert_eq!(post(&format!("http://{listen}/in"), "x").await.unwrap(), 404);
    let by_hand = callbacks.mailbox_by_hand("orders").await.unwrap();
    assert_eq!(*by_hand.url(), public);
    assert!(callbacks.mailbox_by_hand("others").await.is_err());
    assert_eq!(post(&format!("http://{listen}/in"), "x").await.unwrap(), 200);
    assert_eq!((by_hand.deliveries().len(), mailbox.deliveries().len()), (1, 2));
}

#[tokio::test]
async fn other_addresses_of_this_machine_are_opened_only_if_they_are_near() {
    let (callbacks, _) = callbacks(Settings::default());
    let other = callbacks.mailbox_on("127.0.0.2".parse().unwrap(), "orders").await.unwrap();
    assert!(other.url().as_str().starts_with("http://127.0.0.2:"), "{}", other.url());
    assert_eq!(post(other.url().as_str(), "x").await.unwrap(), 200);
    for far in ["0.0.0.0", "192.0.2.1", "::"] {
        assert!(callbacks.mailbox_on(far.parse().unwrap(), "orders").await.is_err(), "{far}");
    }
    assert!(callbacks.mailbox_by_hand("orders").await.is_err());
}

#[tokio::test]
async fn once_closed_nothing_arrives() {
    let (callbacks, _) = callbacks(Settings::default());
    let mailbox = callbacks.mailbox("orders").await.unwrap();
    mailbox.answer_next(vec![Answer::Hang(Duration::from_mins(4))]);
    let url = mailbox.url().to_string();
    let hanging = tokio::spawn(async move { post(&url, "x").await });
    assert!(mailbox.wait_beyond(0, Duration::from_secs(5)).await);
    callbacks.close().await;
    assert!(hanging.await.unwrap().is_err());
    assert!(post(mailbox.url().as_str(), "x").await.unwrap_err().is_connect());
    assert!(callbacks.mailbox_on("127.0.0.3".parse().unwrap(), "orders").await.is_err());
}

#[tokio::test]
async fn an_address_that_cannot_be_listened_on_is_said() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let settings = Settings { listen: taken.local_addr().unwrap(), url: None };
    let (callbacks, _) = callbacks(settings);
    let why = callbacks.mailbox("orders").await.err().unwrap();
    assert!(why.contains("cannot be received on 127.0.0.1:"), "{why}");
    assert!(callbacks.mailbox("orders").await.is_err());
}
