//! Connections that are spoken to below the HTTP library: TCP, and TLS on it.

use std::{io, net::SocketAddr, sync::Arc};

use rustls_pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream, lookup_host},
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use url::Url;

use super::{Wire, attempt::Fault, failure, tls};
use crate::exchange::FailureKind;

/// A connection, with or without TLS.
pub(super) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {
    /// The connection below.
    fn tcp(&self) -> &TcpStream;
}

impl Transport for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Transport for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

impl Wire {
    /// A connection of its own to the URL's origin for HTTP/1.1, within the time for connecting. The receive buffer, in
    /// octets, is set before connecting, because the window that is announced depends on it.
    pub(super) async fn connect(
        &self,
        url: &Url,
        receive_buffer: Option<u32>,
    ) -> Result<(Box<dyn Transport>, Option<SocketAddr>), Fault> {
        let limit = self.limits.connect_timeout;
        let connecting = async {
            let tcp = self.connect_tcp(url, receive_buffer).await?;
            let remote = tcp.peer_addr().ok();
            if url.scheme() != "https" {
                return Ok((Box::new(tcp) as Box<dyn Transport>, remote));
            }
            let no_tls = |why: io::Error| failure::no_tls(&why, &self.peer);
            let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let name = ServerName::try_from(host).map_err(|why| no_tls(io::Error::other(why)))?;
            let config = self.tls_alone().map_err(no_tls)?;
            let secure = TlsConnector::from(config).connect(name, tcp).await.map_err(no_tls)?;
            Ok((Box::new(secure) as Box<dyn Transport>, remote))
        };
        timeout(limit.0, connecting)
            .await
            .unwrap_or_else(|_| Err((FailureKind::Connect, format!("no connection to {} within {limit}", self.peer))))
    }

    async fn connect_tcp(&self, url: &Url, receive_buffer: Option<u32>) -> Result<TcpStream, Fault> {
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err((FailureKind::Request, format!("`{url}` names no host")));
        };
        let unknown = || (FailureKind::Dns, format!("the host name of {} does not resolve", self.peer));
        let addresses = lookup_host((host.trim_matches(['[', ']']), port)).await.map_err(|_| unknown())?;
        let mut last = unknown();
        for address in addresses {
            match connect_to(address, receive_buffer).await {
                Ok(stream) => return Ok(stream),
                Err(why) => last = failure::no_connection(&why, &self.peer),
            }
        }
        Err(last)
    }

    /// The TLS configuration of such connections, made once.
    fn tls_alone(&self) -> io::Result<Arc<rustls::ClientConfig>> {
        if let Some(known) = self.tls_alone.get() {
            return Ok(Arc::clone(known));
        }
        let config = tls::config(&self.settings.tls, true, &[b"http/1.1"]).map_err(io::Error::other)?;
        Ok(Arc::clone(self.tls_alone.get_or_init(|| Arc::new(config))))
    }
}

async fn connect_to(address: SocketAddr, receive_buffer: Option<u32>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(octets) = receive_buffer {
        socket.set_recv_buffer_size(octets)?;
    }
    let stream = socket.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
