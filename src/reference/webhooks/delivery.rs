//! Delivers a message: again and again on schedule, until it is taken or the schedule is over.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use http::{StatusCode, header};
use reqwest::redirect::Policy;
use tokio::time::{sleep, timeout};
use url::Url;

use super::{Webhooks, address, message::Message, registration::Registration, signature};
use crate::reference::{
    defects::webhook::{FOLLOWS_REDIRECTS, NEW_ID_PER_ATTEMPT, NO_RETRY, RETRIES_AFTER_SUCCESS, RETRY_STORM},
    variants::DUPLICATES,
};

/// How a storm goes: the wait between attempts, and how many follow the first.
const STORM: (Duration, usize) = (Duration::from_millis(20), 10);

/// What a receiver made of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Taken,
    Failed,
    /// The receiver wants nothing more, ever.
    Gone,
}

/// A client that does nothing by itself; none if TLS cannot be set up.
pub(super) fn client() -> Option<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    // Only plain text is spoken, on loopback: there is nobody to trust.
    let config = config.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .no_proxy()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .http1_only()
        // A receiver may close what it has answered on, and a failure must be the receiver's.
        .pool_max_idle_per_host(0)
        .user_agent("brokerage-webhooks/1")
        .build()
        .ok()
}

/// Delivers a message to one receiver, after a while.
pub(super) async fn deliver(webhooks: &Webhooks, number: u32, mut message: Message, delay: Duration) {
    sleep(delay).await;
    let mut waits = schedule(webhooks).into_iter();
    let mut is_first = true;
    loop {
        let Some(registration) = webhooks.enabled(number) else { return };
        let outcome = if is_first && webhooks.is.is(DUPLICATES) {
            let (one, other) =
                tokio::join!(attempt(webhooks, &registration, &message), attempt(webhooks, &registration, &message));
            if one == Outcome::Failed { other } else { one }
        } else {
            attempt(webhooks, &registration, &message).await
        };
        is_first = false;
        match outcome {
            Outcome::Taken if !webhooks.is.has(RETRIES_AFTER_SUCCESS) => return,
            Outcome::Gone => return webhooks.disable(number),
            Outcome::Taken | Outcome::Failed => {}
        }
        let Some(wait) = waits.next() else { return };
        sleep(wait).await;
        if webhooks.is.has(NEW_ID_PER_ATTEMPT) {
            message = message.renamed();
        }
    }
}

/// The waits before each further attempt.
fn schedule(webhooks: &Webhooks) -> Vec<Duration> {
    if webhooks.is.has(NO_RETRY) {
        Vec::new()
    } else if webhooks.is.has(RETRY_STORM) {
        vec![STORM.0; STORM.1]
    } else {
        webhooks.times.redelivery.to_vec()
    }
}

/// One attempt: anything but a 2xx in time is a failure.
async fn attempt(webhooks: &Webhooks, registration: &Registration, message: &Message) -> Outcome {
    let sent = timeout(webhooks.times.delivery_timeout, send(webhooks, registration, message)).await;
    match sent.ok().flatten() {
        Some(status) if status.is_success() => Outcome::Taken,
        Some(StatusCode::GONE) => Outcome::Gone,
        _ => Outcome::Failed,
    }
}

/// The status of the answer; its body is not read.
async fn send(webhooks: &Webhooks, registration: &Registration, message: &Message) -> Option<StatusCode> {
    let response = post(webhooks, registration, &registration.url, message).await?;
    if response.status().is_redirection() && webhooks.is.has(FOLLOWS_REDIRECTS) {
        let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
        let target = registration.url.join(location).ok()?;
        return post(webhooks, registration, &target, message).await.map(|response| response.status());
    }
    Some(response.status())
}

async fn post(
    webhooks: &Webhooks,
    registration: &Registration,
    url: &Url,
    message: &Message,
) -> Option<reqwest::Response> {
    if !address::is_here(url) {
        return None;
    }
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let mut request = webhooks.client()?.post(url.clone()).header(header::CONTENT_TYPE, "application/json");
    for (name, value) in signature::headers(&webhooks.is, &registration.secret, &registration.url, message, timestamp) {
        request = request.header(name, value);
    }
    request.body(message.payload.clone()).send().await.ok()
}
