//! Turns a request into the message that is sent: URL, header fields, content.
//!
//! What a request sets itself wins over its client's credentials, these over the suite's own header fields, these
//! over our defaults. Fields that every request of a client carries are checked and converted once.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::{Url, form_urlencoded};

use super::{
    Settings, WireError,
    target::{Base, Refusal, append_query},
};
use crate::exchange::{Failure, FailureKind, Headers, Payload, Request, Who};

const ACCEPT: &str = "application/json, application/problem+json;q=0.9, */*;q=0.1";
const USER_AGENT: &str = concat!("fincheck/", env!("CARGO_PKG_VERSION"));

/// Knows everything about a message that does not depend on the request.
pub(super) struct Composer {
    base: Base,
    clients: BTreeMap<String, Standing>,
    common: Vec<Field>,
    correlation: Option<HeaderName>,
}

/// What every request of a client carries.
#[derive(Default)]
struct Standing {
    fields: Vec<Field>,
    query: Vec<(String, String)>,
}

/// A header field in the form the library sends and in the form we keep.
struct Field {
    name: HeaderName,
    value: HeaderValue,
    text: String,
}

/// A message ready to be sent, any number of times.
pub(super) struct Draft {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) fields: HeaderMap,
    /// The same fields as they are kept.
    pub(super) headers: Headers,
    pub(super) body: Bytes,
    /// The field that each exchange gives a fresh value, unless the request set it.
    pub(super) correlation: Option<HeaderName>,
    /// Whether repeating it changes nothing (RFC 9110 §9.2.1).
    pub(super) safe: bool,
    /// Parameters that a redirect has to carry again.
    pub(super) credentials: Vec<(String, String)>,
}

impl Composer {
    pub(super) fn new(settings: &Settings) -> Result<Self, WireError> {
        let base = Base::new(&settings.base)?;
        let mut common: Vec<Field> = settings
            .headers
            .iter()
            .map(|(name, text)| Field::new(name, text.to_owned(), "headers of the target"))
            .collect::<Result<_, _>>()?;
        for (name, text) in [("accept", ACCEPT), ("user-agent", USER_AGENT)] {
            if settings.headers.get(name).is_none() {
                common.push(Field::new(name, text.to_owned(), "default")?);
            }
        }
        let mut clients = BTreeMap::new();
        for (client, credentials) in &settings.clients {
            let mut standing = Standing { fields: Vec::new(), query: credentials.query() };
            for (name, text) in credentials.header_fields() {
                let mut field = Field::new(name, text, &format!("client `{client}`"))?;
                // Keeps it out of HTTP/2's compression tables (RFC 7541 §7.1.3).
                field.value.set_sensitive(true);
                standing.fields.push(field);
            }
            clients.insert(client.clone(), standing);
        }
        let correlation = settings
            .correlation_header
            .as_deref()
            .map(|name| Ok(Field::new(name, String::new(), "correlation header")?.name))
            .transpose()?;
        Ok(Self { base, clients, common, correlation })
    }

    pub(super) fn base(&self) -> &Url {
        self.base.url()
    }

    /// Lets a URL of the target's own origin pass.
    pub(super) fn admit(&self, url: &mut Url) -> Result<(), Refusal> {
        self.base.admit(url)
    }

    /// The message of a request; fails when nothing can be sent.
    pub(super) fn compose(&self, request: &Request) -> Result<Draft, Failure> {
        let forged;
        let nobody = Standing::default();
        let standing = match &request.who {
            Who::Anonymous => &nobody,
            Who::Client(name) => self.clients.get(name).ok_or_else(|| unfit(format!("there is no client `{name}`")))?,
            Who::Forged(token) => {
                let field = Field::new("authorization", format!("Bearer {token}"), "forged token");
                forged = Standing { fields: vec![field.map_err(|error| unfit(error.to_string()))?], query: Vec::new() };
                &forged
            }
        };
        let mut url = self.base.resolve(&request.target).map_err(|refusal| match refusal {
            Refusal::Foreign(origin) => failure(
                FailureKind::ForeignOrigin,
                format!("not requested: it lies at {origin}, outside {}", super::target::origin(self.base())),
            ),
            Refusal::Malformed(message) => unfit(message),
        })?;
        let pairs = request.query.iter().chain(&standing.query);
        append_query(&mut url, pairs.map(|(name, value)| (name.as_str(), value.as_str())));

        let method = method(&request.method)?;
        let (body, media_type) = content(&request.payload);
        let (mut fields, mut headers) = (HeaderMap::with_capacity(12), Headers::default());
        for (name, text) in request.headers.iter() {
            let field = Field::new(name, String::new(), "request").map_err(|error| unfit(error.to_string()))?;
            let value = HeaderValue::from_bytes(text.as_bytes()).map_err(|_| {
                unfit(format!("the value of `{name}` holds characters that a header field cannot carry"))
            })?;
            headers.push(name, text);
            fields.append(field.name, value);
        }
        let media_type = media_type.filter(|_| request.headers.get("content-type").is_none());
        if let Some(text) = media_type {
            let field = Field::new("content-type", text.to_owned(), "request").map_err(|e| unfit(e.to_string()))?;
            field.add_to(&mut fields, &mut headers);
        }
        for field in standing.fields.iter().filter(|field| request.headers.get(field.name.as_str()).is_none()) {
            field.add_to(&mut fields, &mut headers);
        }
        // Names are looked up in what is there now, so that a field the suite repeats stays repeated.
        let taken = fields.len();
        for field in &self.common {
            if headers.iter().take(taken).all(|(name, _)| name != field.name) {
                field.add_to(&mut fields, &mut headers);
            }
        }
        let correlation = self.correlation.clone().filter(|name| !fields.contains_key(name));
        Ok(Draft {
            safe: method.is_safe(),
            method,
            url,
            fields,
            headers,
            body,
            correlation,
            credentials: standing.query.clone(),
        })
    }
}

impl Field {
    fn new(name: &str, text: String, place: &str) -> Result<Self, WireError> {
        let header = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| WireError::HeaderName { name: name.to_owned(), place: place.to_owned() })?;
        let value = HeaderValue::from_bytes(text.as_bytes())
            .map_err(|_| WireError::HeaderValue { name: name.to_owned(), place: place.to_owned() })?;
        Ok(Self { name: header, value, text })
    }

    fn add_to(&self, fields: &mut HeaderMap, headers: &mut Headers) {
        headers.push(self.name.as_str(), self.text.as_str());
        fields.append(&self.name, self.value.clone());
    }
}

fn method(name: &str) -> Result<Method, Failure> {
    let method = Method::from_bytes(name.as_bytes()).map_err(|_| unfit(format!("`{name}` is not a method")))?;
    if method == Method::CONNECT {
        return Err(unfit("CONNECT asks for a tunnel, not for a resource".to_owned()));
    }
    Ok(method)
}

/// The octets of a payload and their media type.
fn content(payload: &Payload) -> (Bytes, Option<&str>) {
    match payload {
        Payload::None => (Bytes::new(), None),
        Payload::Json(value) => (Bytes::from(value.to_string()), Some("application/json")),
        Payload::Form(pairs) => {
            let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
            (Bytes::from(text), Some("application/x-www-form-urlencoded"))
        }
        Payload::Raw(octets, media_type) => (octets.clone(), media_type.as_deref()),
    }
}

fn unfit(message: String) -> Failure {
    failure(FailureKind::Request, message)
}

fn failure(kind: FailureKind, message: String) -> Failure {
    Failure { id: None, kind, message }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::{Credentials, Secret};

    fn settings() -> Settings {
        let mut settings = Settings::new(Url::parse("http://h.example/api").unwrap());
        settings.clients.insert("reader".into(), Credentials::Bearer(Secret::new("tok")));
        settings.headers.push("X-Tenant", "t1");
        for language in ["de", "en"] {
            settings.headers.push("Accept-Language", language);
        }
        settings.correlation_header = Some("X-Correlation-Id".into());
        settings
    }

    fn compose(request: &Request) -> Result<Draft, Failure> {
        Composer::new(&settings()).unwrap().compose(request)
    }

    fn reader(method: &str) -> Request {
        Request::new(Who::Client("reader".into()), method, "/v1/x")
    }

    #[test]
    fn defaults_credentials_and_the_suites_fields_are_sent() {
        let draft = compose(&reader("GET")).unwrap();
        assert_eq!(draft.headers.get("authorization"), Some("Bearer tok"));
        assert_eq!(draft.headers.get("x-tenant"), Some("t1"));
        assert_eq!(draft.headers.all("accept-language").collect::<Vec<_>>(), ["de", "en"]);
        assert_eq!(draft.headers.get("accept"), Some(ACCEPT));
        assert_eq!(draft.headers.get("user-agent"), Some(USER_AGENT));
        assert_eq!(draft.headers.get("content-type"), None);
        assert!(draft.safe && draft.correlation.is_some() && draft.body.is_empty());
        assert_eq!(draft.fields.len(), draft.headers.iter().count());
    }

    #[test]
    fn what_a_request_sets_wins_and_its_repeated_fields_are_kept() {
        let request = reader("GET")
            .header("Authorization", "Custom x")
            .header("X-Tenant", "t2")
            .header("Accept", "text/csv")
            .header("X-Correlation-Id", "mine")
            .header("X-Many", "1")
            .header("X-Many", "2");
        let draft = compose(&request).unwrap();
        for (name, expected) in
            [("authorization", "Custom x"), ("x-tenant", "t2"), ("accept", "text/csv"), ("x-correlation-id", "mine")]
        {
            assert_eq!(draft.headers.all(name).collect::<Vec<_>>(), [expected]);
            assert_eq!(draft.fields.get_all(name).iter().collect::<Vec<_>>(), [expected]);
        }
        assert_eq!(draft.headers.all("x-many").collect::<Vec<_>>(), ["1", "2"]);
        assert!(draft.correlation.is_none());
    }

    #[test]
    fn each_payload_has_its_octets_and_media_type() {
        for (payload, octets, media_type) in [
            (Payload::Json(json!({"a": [1, "b"]})), r#"{"a":[1,"b"]}"#, Some("application/json")),
            (Payload::Form(vec![("a b".into(), "c&d".into())]), "a+b=c%26d", Some("application/x-www-form-urlencoded")),
            (Payload::Raw("<x".into(), Some("application/xml".into())), "<x", Some("application/xml")),
            (Payload::Raw("raw".into(), None), "raw", None),
        ] {
            let mut request = reader("POST");
            request.payload = payload;
            let draft = compose(&request).unwrap();
            assert_eq!((&draft.body[..], draft.headers.get("content-type")), (octets.as_bytes(), media_type));
            assert!(!draft.safe);
        }
        let mut request = reader("POST").header("Content-Type", "application/vnd.x+json");
        request.payload = Payload::Json(json!(1));
        let sent = compose(&request).unwrap().headers;
        assert_eq!(sent.all("content-type").collect::<Vec<_>>(), ["application/vnd.x+json"]);
    }

    #[test]
    fn forged_and_anonymous_requests_carry_nobodys_credentials() {
        let forged = compose(&Request::new(Who::Forged("bogus".into()), "GET", "/x")).unwrap();
        assert_eq!(forged.headers.get("authorization"), Some("Bearer bogus"));
        let anonymous = compose(&Request::new(Who::Anonymous, "GET", "/x")).unwrap();
        assert_eq!(anonymous.headers.get("authorization"), None);
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_its_kind() {
        let stranger = Request::new(Who::Client("stranger".into()), "GET", "/x");
        for (request, kind, needle) in [
            (stranger, FailureKind::Request, "`stranger`"),
            (reader("GE T"), FailureKind::Request, "`GE T`"),
            (reader("CONNECT"), FailureKind::Request, "tunnel"),
            (reader("GET").header("X-A", "a\r\nb"), FailureKind::Request, "`x-a`"),
            (reader("GET").header("X A", "a"), FailureKind::Request, "`x a`"),
            (Request::new(Who::Forged("a\nb".into()), "GET", "/x"), FailureKind::Request, "authorization"),
            (
                Request::new(Who::Anonymous, "GET", "https://evil.example/x"),
                FailureKind::ForeignOrigin,
                "https://evil.example",
            ),
        ] {
            let failure = compose(&request).err().unwrap();
            assert_eq!((failure.kind, failure.id), (kind, None), "{failure}");
            assert!(failure.message.contains(needle), "{failure}");
        }
    }

    #[test]
    fn settings_with_unusable_fields_are_refused_without_showing_the_value() {
        let mut bad = settings();
        bad.clients.insert("broken".into(), Credentials::Bearer(Secret::new("hu\nsh")));
        let error = Composer::new(&bad).err().unwrap().to_string();
        assert!(error.contains("`broken`") && !error.contains("sh\n") && !error.contains("hu"), "{error}");
        let mut bad = settings();
        bad.correlation_header = Some("X Id".into());
        assert!(Composer::new(&bad).err().unwrap().to_string().contains("`X Id`"));
    }
}
