//! TLS: whom we trust, and HTTP/2 by agreement.

use std::io::Write;

use axum::Router;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::*;
use crate::wire::TlsSettings;

/// A server with a certificate for this name, and the file of the authority that issued it.
async fn secure(name: &str, alpn: &[&[u8]]) -> (Url, NamedTempFile) {
    secure_with(name, alpn, Router::new().fallback(|| async { "safe" })).await
}

async fn secure_with(name: &str, alpn: &[&[u8]], router: Router) -> (Url, NamedTempFile) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, format!("authority {}", uuid::Uuid::new_v4()));
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(authority.pem().as_bytes()).unwrap();

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of("https", tcp.local_addr().unwrap());
    let listener = Secure { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) };
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, file)
}

/// Greets in a frame and echoes octets until the other side goes; says how it went.
fn echoing(
    gone: tokio::sync::mpsc::UnboundedSender<std::io::Result<u64>>,
    mut request: axum::extract::Request,
) -> axum::response::Response {
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(&mut request).await.unwrap();
        let (mut from, mut to) = tokio::io::split(hyper_util::rt::TokioIo::new(upgraded));
        to.write_all(b"\x81\x02hi").await.unwrap();
        let _ = gone.send(tokio::io::copy(&mut from, &mut to).await);
    });
    let response = axum::response::Response::builder().status(101).header("upgrade", "websocket");
    response.header("connection", "upgrade").body(axum::body::Body::empty()).unwrap()
}

struct Secure {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl axum::serve::Listener for Secure {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            if let Ok((socket, address)) = self.tcp.accept().await
                && let Ok(stream) = self.acceptor.accept(socket).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

fn trusting(url: &Url, authority: Option<&NamedTempFile>, insecure: bool) -> Setup {
    let ca_file = authority.map(|file| file.path().to_owned());
    Setup::new(Settings { tls: TlsSettings { ca_file, insecure }, ..Settings::new(url.clone()) })
}

#[tokio::test]
async fn the_protocol_is_agreed_on_and_the_authority_of_the_file_is_trusted() {
    for (offered, expected) in [
        (&[b"h2".as_slice(), b"http/1.1"][..], "HTTP/2"),
        (&[b"http/1.1".as_slice()][..], "HTTP/1.1"),
        (&[][..], "HTTP/1.1"),
    ] {
        let (url, authority) = secure("127.0.0.1", offered).await;
        let setup = trusting(&url, Some(&authority), false);
        assert_eq!(&setup.get("/x").await.unwrap().body[..], b"safe");
        assert_eq!(setup.tape.told()[0].version, expected);
    }
}

#[tokio::test]
async fn unknown_authorities_and_wrong_names_are_tls_failures_unless_anything_is_accepted() {
    let (url, _) = secure("127.0.0.1", &[]).await;
    let (misnamed, authority) = secure("other.example", &[]).await;
    for (url, authority, needle) in [
        (&url, None, "not trusted"),
        (&url, Some(&authority), "not trusted"),
        (&misnamed, Some(&authority), "host name"),
    ] {
        let setup = trusting(url, authority, false);
        let failure = failed(setup.get("/x").await);
        assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
        assert!(failure.message.contains(needle), "{failure}");
        assert_eq!(setup.tape.outcomes().len(), 1, "a certificate does not get better by trying again");
        assert_eq!(trusting(url, authority, true).get("/x").await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn a_peer_without_tls_is_a_tls_failure() {
    let plain = served(Router::new().fallback(|| async { "plain" })).await;
    let garbage = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url_of("http", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                drop(socket);
            }
        });
        url
    };
    for url in [plain, garbage] {
        let secure = Url::parse(&url.as_str().replace("http:", "https:")).unwrap();
        let failure = failed(trusting(&secure, None, false).get("/x").await);
        assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_no_tls_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of("https", listener.local_addr().unwrap());
    drop(listener);
    assert_eq!(failed(trusting(&url, None, false).get("/x").await).kind, FailureKind::Connect);
}

#[tokio::test]
async fn a_handshake_that_is_never_answered_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of("https", listener.local_addr().unwrap());
    let mut settings = Settings::new(url);
    settings.limits.connect_timeout = Span(Duration::from_millis(40));
    let failure = failed(Setup::new(settings).get("/x").await);
    assert_eq!(failure.kind, FailureKind::Connect, "{failure}");
    assert!(failure.message.contains("within 40ms"), "{failure}");
    drop(listener);
}

#[tokio::test]
async fn connections_are_cut_and_requests_released_together_over_tls_too() {
    let (url, authority) = secure("127.0.0.1", &[b"http/1.1"]).await;
    let setup = trusting(&url, Some(&authority), false);
    for after_first_byte in [false, true] {
        let failure = failed(setup.wire.sever(get("/x"), after_first_byte).await);
        assert_eq!(failure.kind, FailureKind::Severed, "{failure}");
    }
    let (url, authority) = secure("127.0.0.1", &[b"h2"]).await;
    let setup = trusting(&url, Some(&authority), false);
    let outcomes = setup.wire.together(vec![get("/x"), get("/y")]).await;
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_ok_and(|reply| reply.body == "safe")));
}

#[tokio::test]
async fn streams_go_over_tls_in_http_1_and_end_as_wanted() {
    use crate::exchange::{Frame, Loss, Opcode, Opening, Outgoing, Received, Unopened};
    let (tell, mut gone) = tokio::sync::mpsc::unbounded_channel();
    let router = Router::new().fallback(move |request| std::future::ready(echoing(tell.clone(), request)));
    let (url, authority) = secure_with("127.0.0.1", &[b"h2", b"http/1.1"], router).await;
    let setup = trusting(&url, Some(&authority), false);
    for loss in [Loss::Closed, Loss::Reset("\u{1}".into())] {
        let mut stream = setup.wire.open(Opening::new(get("/s"))).await.unwrap();
        let sent = Outgoing { masked: false, ..Outgoing::new(Opcode::Binary, vec![1; 100_000]) };
        stream.send(sent.clone()).await.unwrap();
        let mut frames: Vec<Frame> = Vec::new();
        while frames.len() < 2 {
            let until = setup.wire.now() + Duration::from_secs(5);
            assert_eq!(stream.receive(&mut frames, until).await, Received::Frames);
        }
        assert_eq!((&frames[0].payload[..], &frames[1].payload), (&b"hi"[..], &sent.payload));
        stream.lose(loss.clone()).await;
        assert_eq!(gone.recv().await.unwrap().is_ok(), loss == Loss::Closed);
    }
    let Err(Unopened::Failed(failure)) = trusting(&url, None, false).wire.open(Opening::new(get("/s"))).await else {
        panic!("trusted")
    };
    assert_eq!(failure.kind, FailureKind::Tls, "{failure}");
    assert!(failure.message.contains("not trusted"), "{failure}");
}
