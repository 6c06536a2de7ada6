//! A small client, and walks through lists.

use std::{collections::BTreeSet, sync::Arc};

use http::{HeaderMap, StatusCode};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::super::{Options, Running, defect, start, tokens, variant};

/// Rows of the transactions of ACC-001 in tests.
pub(super) const TRANSACTIONS: usize = 400;

/// The paths of the lists that are paged by cursor.
pub(super) const LISTS: [&str; 4] = [
    "/v1/accounts",
    "/v1/accounts/ACC-001/positions",
    "/v1/accounts/ACC-001/transactions",
    "/v1/accounts/ACC-001/orders",
];
pub(super) const POSITIONS: &str = LISTS[1];
pub(super) const LEDGER: &str = LISTS[2];
pub(super) const ORDERS: &str = LISTS[3];
pub(super) const STATEMENTS: &str = "/v1/accounts/ACC-001/statements";

/// A running API with a client for it.
pub(super) struct Api {
    pub(super) running: Running,
    http: reqwest::Client,
}

/// A response, read whole.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {:?}", self.text))
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn code(&self) -> String {
        self.json()["code"].as_str().expect("a code").to_owned()
    }

    /// The rows of a page; none if this is not one.
    pub(super) fn rows(&self) -> Vec<Value> {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        body.as_array().or(body["data"].as_array()).cloned().unwrap_or_default()
    }

    pub(super) fn ids(&self) -> Vec<String> {
        self.rows().iter().map(|row| row["id"].to_string().replace('"', "")).collect()
    }

    pub(super) fn next(&self) -> Option<String> {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_default();
        body["page"]["next"].as_str().filter(|next| !next.is_empty()).map(str::to_owned)
    }

    /// The target of a link by its relation.
    pub(super) fn link(&self, relation: &str) -> Option<String> {
        let wanted = format!("rel=\"{relation}\"");
        let mut links = self.header("link")?.split(", ").filter(|link| link.ends_with(&wanted));
        Some(links.next()?.split('>').next()?.trim_start_matches('<').to_owned())
    }
}

pub(super) fn client() -> reqwest::Client {
    let builder = client_trusting(rustls::RootCertStore::empty());
    builder.redirect(reqwest::redirect::Policy::none()).build().expect("a client")
}

pub(super) fn client_trusting(roots: rustls::RootCertStore) -> reqwest::ClientBuilder {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    reqwest::Client::builder().no_proxy().tls_backend_preconfigured(config)
}

impl Api {
    pub(super) async fn clean() -> Self {
        Self::with(&[], &[]).await
    }

    /// The API with these defects and variants.
    pub(super) async fn with(defects: &[&str], variants: &[&str]) -> Self {
        let options = Options {
            defects: defects.iter().map(|name| defect(name).expect("a defect")).collect(),
            variants: variants.iter().map(|name| variant(name).expect("a variant")).collect(),
            ..Options::default()
        };
        Self::start(options).await
    }

    /// The API with these options and few rows.
    pub(super) async fn start(options: Options) -> Self {
        let options = Options { transactions: TRANSACTIONS, ..options };
        Self { running: start(options).await.expect("the API starts"), http: client() }
    }

    pub(super) fn url(&self, target: &str) -> String {
        if target.starts_with("http") { target.to_owned() } else { format!("{}{target}", self.running.base_url()) }
    }

    /// A request of the trader.
    pub(super) fn request(&self, method: Method, target: &str) -> RequestBuilder {
        self.bare(method, target).bearer_auth(tokens::TRADER)
    }

    /// A request without credentials.
    pub(super) fn bare(&self, method: Method, target: &str) -> RequestBuilder {
        self.http.request(method, self.url(target))
    }

    pub(super) async fn send(&self, request: RequestBuilder) -> Got {
        let response = request.send().await.expect("a response");
        let (status, headers) = (response.status(), response.headers().clone());
        Got { status, headers, text: response.text().await.expect("a body") }
    }

    pub(super) async fn get(&self, target: &str) -> Got {
        self.send(self.request(Method::GET, target)).await
    }

    pub(super) async fn get_as(&self, token: &str, target: &str) -> Got {
        self.send(self.bare(Method::GET, target).bearer_auth(token)).await
    }

    pub(super) async fn post(&self, target: &str, body: &Value) -> Got {
        self.write(Method::POST, target, body.to_string()).await
    }

    pub(super) async fn write(&self, method: Method, target: &str, body: String) -> Got {
        self.send(self.request(method, target).header("content-type", "application/json").body(body)).await
    }

    pub(super) async fn delete(&self, target: &str) -> Got {
        self.send(self.request(Method::DELETE, target)).await
    }

    /// Creates a position at an instant; returns its id.
    pub(super) async fn position(&self, as_of: &str) -> String {
        let made = self.post(POSITIONS, &json!({ "symbol": "AAPL", "quantity": "1", "as_of": as_of })).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["id"].to_string().replace('"', "")
    }

    /// The pages of a list, following cursors until one repeats; at most `most` of them.
    pub(super) async fn pages(&self, target: &str, most: usize) -> Vec<Got> {
        let mark = if target.contains('?') { '&' } else { '?' };
        let mut followed = BTreeSet::new();
        let mut pages = vec![self.get(target).await];
        while let Some(next) = pages.last().and_then(Got::next)
            && pages.len() < most
            && followed.insert(next.clone())
        {
            pages.push(self.get(&format!("{target}{mark}cursor={next}")).await);
        }
        pages
    }

    /// The rows of a whole list.
    pub(super) async fn rows(&self, target: &str) -> Vec<Value> {
        self.pages(target, 500).await.iter().flat_map(Got::rows).collect()
    }

    /// The ids of a whole list, in the order sent.
    pub(super) async fn ids(&self, target: &str) -> Vec<String> {
        self.pages(target, 500).await.iter().flat_map(Got::ids).collect()
    }
}

/// The ids that occur more than once.
pub(super) fn repeated(ids: &[String]) -> BTreeSet<&String> {
    let mut seen = BTreeSet::new();
    ids.iter().filter(|id| !seen.insert(*id)).collect()
}
