//! Peers that cannot be reached, or will not let us in.

use std::{net::TcpListener, sync::Arc};

use rcgen::{CertificateParams, KeyPair};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::{run, suite};
use crate::support::{Peer, Program, answer, json};

/// A port that nobody listens on.
fn dead_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[test]
fn a_dead_port_could_not_be_reached() {
    let address = dead_port();
    let ended = Program::running(&suite(&format!("http://{address}"))).ended();
    ended.could_not_judge(&format!("could not be reached: no connection to {address}: connection refused"));
    assert_eq!(ended.report()["ledger"]["judged"], 0);
    assert_eq!(ended.report()["complete"], false);
}

#[test]
fn a_name_that_does_not_resolve_could_not_be_reached() {
    let ended = Program::running(&suite("http://no-such-host.invalid")).ended();
    ended.could_not_judge("the host name of no-such-host.invalid does not resolve");
}

#[test]
fn tls_to_a_plain_text_port_could_not_be_reached() {
    let peer = Peer::refusing(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let ended = Program::running(&suite(&format!("https://{}", peer.address()))).ended();
    ended.could_not_judge("it does not speak TLS there");
}

#[test]
fn plain_text_to_a_tls_port_could_not_be_reached() {
    let peer = tls_peer();
    let ended = Program::running(&suite(&format!("http://{}", peer.address()))).ended();
    ended.could_not_judge("could not be reached");
}

#[test]
fn a_certificate_of_an_unknown_authority_could_not_be_reached() {
    let peer = tls_peer();
    let url = format!("https://{}", peer.address());
    let ended = Program::running(&suite(&url)).ended();
    ended.could_not_judge("its certificate comes from an authority that is not trusted here");
    peer.was_left_alone();
    Program::running(&suite(&url)).and(&["--insecure"]).ended().prints("only 0 rows");
    assert!(!peer.heard().is_empty());
}

/// A peer with a certificate that it made itself, and an empty list.
fn tls_peer() -> Peer {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    Peer::behind(
        move |socket| Some(StreamOwned::new(ServerConnection::new(Arc::clone(&config)).ok()?, socket)),
        |_| json(r#"{"data": [], "next": null}"#),
    )
}

#[test]
fn credentials_that_are_refused_everywhere_are_no_fault_of_the_target() {
    for status in [401, 403] {
        let peer = Peer::always(answer(status, &[("WWW-Authenticate", "Bearer")], ""));
        let why = format!("every request with credentials was refused (client `reader`: status {status})");
        let ended = run(&peer);
        ended.could_not_judge(&why);
        assert_eq!(ended.report()["score"], serde_json::Value::Null);
        // Whatever was learned from the refusals themselves.
        Program::running(&suite(&peer.url())).ended().could_not_judge(&why);
    }
}

#[test]
fn a_setup_step_that_is_refused_ends_the_run_before_its_checks() {
    let peer = Peer::always(answer(401, &[], "who are you"));
    let suite = suite(&peer.url()) + "setup:\n  - { client: reader, request: POST /orders, body: { symbol: AAPL } }\n";
    let ended = Program::running(&suite).ended();
    ended.could_not_judge("setup step `POST /orders`: POST /orders was answered with status 401");
    assert_eq!(peer.heard().len(), 1);
}

#[test]
fn a_refusal_that_the_suite_asks_for_is_no_refused_login() {
    let peer = Peer::always(answer(
        403,
        &[("Content-Type", "application/problem+json")],
        r#"{"title": "Forbidden", "status": 403}"#,
    ));
    let suite = format!(
        "fincheck: 1
name: Refusals
target: {{ base_url: '{}' }}
clients:
  reader: {{ bearer: tok-0f1e2d3c }}
errors:
  - {{ name: not for readers, client: reader, request: GET /secret, status: 403 }}
",
        peer.url()
    );
    Program::running(&suite).and(&["--only", "not for readers"]).ended().exits(0);
}
