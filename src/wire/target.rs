//! Where a request goes: always the base URL's origin.

use std::fmt::Write as _;

use url::{Position, Url};

use super::WireError;

/// The base URL of a target.
pub(super) struct Base {
    url: Url,
    /// Up to and including the path, without the slash at its end.
    prefix: String,
}

/// Why a target cannot be requested.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It lies at that other origin.
    Foreign(String),
    /// It is no URL.
    Malformed(String),
}

impl Base {
    pub(super) fn new(url: &Url) -> Result<Self, WireError> {
        let refuse = |reason| Err(WireError::Base { url: origin(url), reason });
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return refuse("it must be an http or https URL");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("credentials belong under `clients`");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("it holds a query or a fragment; only scheme, host, port and path belong here");
        }
        let prefix = url[..Position::AfterPath].trim_end_matches('/').to_owned();
        Ok(Self { url: url.clone(), prefix })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    /// The URL of a target, which is a path below the base or an absolute URL of the same origin.
    pub(super) fn resolve(&self, target: &str) -> Result<Url, Refusal> {
        let mut url = if is_absolute(target) {
            Url::parse(target)
        } else {
            // The slash keeps what follows from being read as part of the host.
            let slash = if target.is_empty() || target.starts_with(['/', '?']) { "" } else { "/" };
            Url::parse(&format!("{}{slash}{target}", self.prefix))
        }
        .map_err(|error| Refusal::Malformed(format!("`{target}` is not a path or URL: {error}")))?;
        self.admit(&mut url)?;
        Ok(url)
    }

    /// Lets a URL of this origin pass, without userinfo and fragment.
    pub(super) fn admit(&self, url: &mut Url) -> Result<(), Refusal> {
        let same = url.scheme() == self.url.scheme()
            && url.host_str() == self.url.host_str()
            && url.port_or_known_default() == self.url.port_or_known_default();
        if !same {
            return Err(Refusal::Foreign(origin(url)));
        }
        url.set_fragment(None);
        if !url.username().is_empty() || url.password().is_some() {
            // Neither can fail on a URL with a host.
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        Ok(())
    }
}

/// Adds query parameters, percent-encoded; what the URL already has stays as written.
pub(super) fn append_query<'a>(url: &mut Url, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut query = url.query().unwrap_or_default().to_owned();
    let before = query.len();
    for (name, value) in pairs {
        if !query.is_empty() && !query.ends_with('&') {
            query.push('&');
        }
        encode(name, &mut query);
        query.push('=');
        encode(value, &mut query);
    }
    if query.len() > before {
        url.set_query(Some(&query));
    }
}

/// Spaces become `%20`, which also those servers read that do not take `+` for a space.
fn encode(text: &str, out: &mut String) {
    for piece in url::form_urlencoded::byte_serialize(text.as_bytes()) {
        out.push_str(if piece == "+" { "%20" } else { piece });
    }
}

fn is_absolute(target: &str) -> bool {
    let begins = |scheme: &str| target.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    begins("http://") || begins("https://")
}

/// Host and port, for messages.
pub(super) fn authority(url: &Url) -> String {
    let mut text = url.host_str().unwrap_or_default().to_owned();
    if let Some(port) = url.port() {
        let _ = write!(text, ":{port}");
    }
    text
}

/// Scheme, host and port, for messages.
pub(super) fn origin(url: &Url) -> String {
    if url.has_host() { format!("{}://{}", url.scheme(), authority(url)) } else { format!("{}:", url.scheme()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(base: &str, target: &str) -> Result<String, Refusal> {
        Base::new(&Url::parse(base).unwrap()).unwrap().resolve(target).map(String::from)
    }

    #[test]
    fn paths_are_joined_below_the_base() {
        for (base, target, expected) in [
            ("http://h.example", "/v1/x", "http://h.example/v1/x"),
            ("http://h.example/", "v1/x?a=b%20c", "http://h.example/v1/x?a=b%20c"),
            ("https://h.example:8443/api/", "/v1/x#top", "https://h.example:8443/api/v1/x"),
            ("http://h.example/api", "", "http://h.example/api"),
            ("http://h.example/api", "?a=b", "http://h.example/api?a=b"),
            ("http://h.example", "@evil.example/x", "http://h.example/@evil.example/x"),
            ("http://h.example", "//evil.example/x", "http://h.example//evil.example/x"),
            ("http://h.example", ":99/x", "http://h.example/:99/x"),
            ("http://h.example/api", "HTTP://H.example:80/other?q", "http://h.example/other?q"),
            ("http://h.example", "http://user:pw@h.example/x", "http://h.example/x"),
            ("http://[::1]:80", "/x", "http://[::1]/x"),
        ] {
            assert_eq!(resolve(base, target).as_deref(), Ok(expected), "{base} {target}");
        }
    }

    #[test]
    fn other_origins_are_refused() {
        for (target, expected) in [
            ("https://h.example/x", "https://h.example"),
            ("http://h.example:81/x", "http://h.example:81"),
            ("http://h.example.evil.example/x", "http://h.example.evil.example"),
            ("http://h.example@evil.example/x", "http://evil.example"),
            ("http:\\\\evil.example", "http://h.example/http:"),
        ] {
            match resolve("http://h.example", target) {
                Err(Refusal::Foreign(origin)) => assert_eq!(origin, expected, "{target}"),
                Ok(url) => assert!(url.starts_with(expected), "{target} became {url}"),
                Err(other) => panic!("{target}: {other:?}"),
            }
        }
        assert!(matches!(resolve("http://h.example", "http://[::1"), Err(Refusal::Malformed(_))));
    }

    #[test]
    fn query_pairs_are_encoded_and_what_was_there_is_kept() {
        let mut url = Url::parse("http://h.example/x?keep=a%2Fb+c&flag").unwrap();
        append_query(&mut url, [("cursor", "a b&c=+/é"), ("ä", "")].into_iter());
        assert_eq!(url.query(), Some("keep=a%2Fb+c&flag&cursor=a%20b%26c%3D%2B%2F%C3%A9&%C3%A4="));
        append_query(&mut url, std::iter::empty());
        assert!(url.as_str().ends_with("%C3%A4="));
    }

    #[test]
    fn base_urls_that_cannot_be_one_are_refused_without_showing_secrets() {
        for bad in
            ["ftp://h.example", "http://u:secret@h.example", "http://h.example?a", "http://h.example#a", "data:x"]
        {
            let error = Base::new(&Url::parse(bad).unwrap()).err().unwrap().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_target_leaves_the_origin(target in r"[a-z/\\@:.?#\[\]% ]{0,12}(http://|https://|//)?[a-z/\\@:.?#\[\]%]{0,20}") {
            let base = Base::new(&Url::parse("http://h.example:81/p").unwrap()).unwrap();
            if let Ok(url) = base.resolve(&target) {
                proptest::prop_assert_eq!(authority(&url), "h.example:81");
                proptest::prop_assert_eq!(url.scheme(), "http");
                proptest::prop_assert_eq!(url.username(), "");
            }
        }
    }
}
