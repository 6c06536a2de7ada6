//! The one place where an HTTP client is built.

use std::time::Duration;

use reqwest::{Client, Proxy, redirect::Policy};

use super::{Settings, WireError, target, tls};

/// Idle connections are closed sooner than common servers close them (2 s, 5 s): a request sent on a connection that
/// the server is just closing would look as if the server had broken it.
const IDLE: Duration = Duration::from_millis(1_500);

/// What HTTP/2's library refuses, it refuses as a protocol violation of the peer, or by closing the connection that
/// other exchanges share. So it is given room, and the bound itself is held where HTTP/1.1's is.
const HEADER_ROOM: u64 = 4;

/// A client that does nothing by itself: no redirects, retries, decompression, cookies, proxies from the environment.
pub(super) fn build(settings: &Settings) -> Result<Client, WireError> {
    let https = |url: &url::Url| url.scheme() == "https";
    let uses_tls = https(&settings.base) || settings.proxy.as_ref().is_some_and(https);
    let alpn: &[&[u8]] = if settings.http2_prior_knowledge { &[b"h2"] } else { &[b"h2", b"http/1.1"] };
    let limits = &settings.limits;
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls::config(&settings.tls, uses_tls, alpn)?)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(limits.connect_timeout.0)
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(limits.concurrency.max(1))
        .http2_max_header_list_size(u32::try_from(limits.headers.0.saturating_mul(HEADER_ROOM)).unwrap_or(u32::MAX));
    builder = match &settings.proxy {
        Some(url) => {
            let refuse = |reason: String| WireError::Proxy { proxy: target::origin(url), reason };
            if !matches!(url.scheme(), "http" | "https") {
                return Err(refuse("it must be an http or https URL".into()));
            }
            builder.proxy(Proxy::all(url.clone()).map_err(|error| refuse(error.without_url().to_string()))?)
        }
        None => builder.no_proxy(),
    };
    if settings.http2_prior_knowledge {
        builder = builder.http2_prior_knowledge();
    }
    builder.build().map_err(|error| WireError::Client(error.without_url().to_string()))
}
