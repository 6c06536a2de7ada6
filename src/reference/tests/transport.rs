//! Sockets: both versions of HTTP, TLS, start and stop.

use std::time::Duration;

use reqwest::{Method, Version};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    super::{Options, Tls, start, tokens},
    client::{Api, POSITIONS, client_trusting},
};

#[tokio::test]
async fn http2_is_spoken_by_prior_knowledge() {
    let api = Api::clean().await;
    let roots = rustls::RootCertStore::empty();
    let client = client_trusting(roots).http2_prior_knowledge().build().expect("a client");
    let response = client.get(api.url(POSITIONS)).bearer_auth(tokens::READER).send().await.expect("a response");
    assert_eq!((response.version(), response.status().as_u16()), (Version::HTTP_2, 200));
    let link = response.headers()["link"].to_str().expect("text").to_owned();
    assert!(link.starts_with(&format!("<{}", api.url(POSITIONS))), "{link}");
    let head = client.request(Method::HEAD, api.url(POSITIONS)).bearer_auth(tokens::READER).send().await;
    assert_eq!(head.expect("a response").status(), 200);
}

#[tokio::test]
async fn tls_is_served_when_asked_for() {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let tls = Tls { chain: made.cert.pem().into(), key: made.signing_key.serialize_pem().into() };
    let running = start(Options { tls: Some(tls), transactions: 1, ..Options::default() }).await.expect("starts");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let client = client_trusting(roots).build().expect("a client");
    let url = format!("{}{POSITIONS}", running.base_url());
    let response = client.get(&url).bearer_auth(tokens::READER).send().await.expect("a response");
    assert_eq!(response.version(), Version::HTTP_2);
    assert!(url.starts_with("https://"));
    assert!(response.headers()["link"].to_str().expect("text").contains("<https://"));
    let unusable = Tls { chain: b"none".to_vec(), key: Vec::new() };
    assert!(start(Options { tls: Some(unusable), ..Options::default() }).await.is_err());
}

#[tokio::test]
async fn links_are_built_from_the_host_that_was_addressed() {
    let api = Api::clean().await;
    let request = api.request(Method::GET, POSITIONS).header("host", "api.example.com:8443");
    let got = api.send(request).await;
    assert!(got.link("next").expect("a link").starts_with("http://api.example.com:8443/v1/accounts/"));
    for odd in ["user:word@api.example.com", "a b", "x\">y"] {
        let got = api.send(api.request(Method::GET, POSITIONS).header("host", odd)).await;
        assert!(got.status == 400 || got.link("next").expect("a link").starts_with(api.running.base_url()), "{odd}");
    }
}

#[tokio::test]
async fn an_old_client_without_host_is_served() {
    let api = Api::clean().await;
    let mut stream = TcpStream::connect(api.running.addr()).await.expect("a connection");
    let request = format!("GET {POSITIONS} HTTP/1.0\r\nAuthorization: Bearer {}\r\n\r\n", tokens::READER);
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("a response");
    assert!(text.starts_with("HTTP/1.0 200"), "{text}");
    assert!(text.contains(&format!("<http://{}{POSITIONS}", api.running.addr())), "{text}");
}

#[tokio::test]
async fn stopping_frees_the_port_and_closes_idle_connections() {
    let api = Api::clean().await;
    let addr = api.running.addr();
    api.get("/v1/health").await;
    let mut idle = TcpStream::connect(addr).await.expect("a connection");
    tokio::time::timeout(Duration::from_secs(5), api.running.stop()).await.expect("stops in time");
    assert_eq!(idle.read(&mut [0]).await.unwrap_or(0), 0, "closed or reset");
    let again = start(Options { port: addr.port(), transactions: 1, ..Options::default() }).await.expect("starts");
    assert_eq!(again.addr(), addr);
    assert!(start(Options { port: addr.port(), ..Options::default() }).await.is_err(), "the port is taken");
}
