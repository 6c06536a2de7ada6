//! Sockets: listens, accepts, speaks TLS if asked, and hands each request to `http`.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{
    sync::{CancellationToken, DropGuard},
    task::TaskTracker,
};

use super::{
    Options, Tls,
    behaviour::Behaviour,
    http::{Api, Peer, answer},
    ledger,
    paging::Cursors,
};

/// How long a peer may take for its TLS handshake or, when the API stops, for its last response.
const PATIENCE: Duration = Duration::from_secs(1);

/// A running API. It stops when this is dropped; [`Running::stop`] also waits until it has.
#[derive(Debug)]
pub struct Running {
    base_url: String,
    addr: SocketAddr,
    tasks: TaskTracker,
    stop: DropGuard,
}

impl Running {
    /// `http://127.0.0.1:PORT`, without a slash at the end; `https` with TLS.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where the API listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Refuses new connections, lets requests in progress finish within a second, and closes.
    pub async fn stop(self) {
        drop(self.stop);
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Starts the API on 127.0.0.1. Fails if the port is taken or the TLS material cannot be used.
pub async fn start(options: Options) -> io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let addr = listener.local_addr()?;
    let tls = options.tls.as_ref().map(acceptor).transpose()?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let peer = Peer { scheme, authority: addr.to_string() };
    let behaviour = Behaviour::new(&options);
    let cursors = Cursors::new(behaviour.clone())?;
    let tasks = TaskTracker::new();
    let ledger = ledger::seed(options.seed, options.transactions);
    let stop = CancellationToken::new();
    let api = Arc::new(Api::new(behaviour, options.seed, cursors, ledger, options.times, tasks.clone(), stop.clone()));
    tasks.spawn(accept(listener, tls, api, peer, tasks.clone(), stop.clone()));
    Ok(Running { base_url: format!("{scheme}://{addr}"), addr, tasks, stop: stop.drop_guard() })
}

fn acceptor(tls: &Tls) -> io::Result<TlsAcceptor> {
    let invalid = |error: &dyn std::error::Error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string());
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(&tls.chain).collect::<Result<_, _>>().map_err(|e| invalid(&e))?;
    let key = PrivateKeyDer::from_pem_slice(&tls.key).map_err(|e| invalid(&e))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| invalid(&e))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    api: Arc<Api>,
    peer: Peer,
    tasks: TaskTracker,
    stop: CancellationToken,
) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors: others must close first.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        tasks.spawn(connection(stream, tls.clone(), Arc::clone(&api), peer.clone(), stop.clone()));
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, api: Arc<Api>, peer: Peer, stop: CancellationToken) {
    // Small answers must not wait for the caller's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    match tls {
        None => serve(stream, api, peer, stop).await,
        Some(acceptor) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await {
                serve(stream, api, peer, stop).await;
            }
        }
    }
}

async fn serve<S>(stream: S, api: Arc<Api>, peer: Peer, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new());
    builder.http2().timer(TokioTimer::new());
    let service = service_fn(move |request| answer(&api, &peer, request));
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // How a connection ends is the peer's affair.
        _ = connection.as_mut() => {}
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(PATIENCE, connection).await;
        }
    }
}
