//! Where events may go: to the machine of the caller, and nowhere else.
//!
//! The API is a sandbox on loopback. A caller declares a receiver on `http://127.0.0.1`; anything else would make the API
//! a way to reach into a network. Defects accept more, but even they call loopback addresses alone: nothing leaves the
//! machine.

use std::net::{IpAddr, Ipv4Addr};

use url::{Host, Url};

use crate::reference::{behaviour::Behaviour, defects::webhook::REACHES_PRIVATE_ADDRESS};

/// Why an address cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) enum Refused {
    /// It is no URL, or one that no request can be sent to.
    Malformed,
    /// Events are not sent there.
    NotAllowed,
}

/// The address of a receiver.
pub(in crate::reference) fn parse(text: &str, is: &Behaviour) -> Result<Url, Refused> {
    let url = Url::parse(text).map_err(|_| Refused::Malformed)?;
    let has_login = !url.username().is_empty() || url.password().is_some();
    if !matches!(url.scheme(), "http" | "https") || has_login || url.fragment().is_some() {
        return Err(Refused::Malformed);
    }
    let allowed = url.scheme() == "http" && url.host() == Some(Host::Ipv4(Ipv4Addr::LOCALHOST));
    if allowed || is.has(REACHES_PRIVATE_ADDRESS) { Ok(url) } else { Err(Refused::NotAllowed) }
}

/// Whether a request to this URL stays on the machine.
pub(super) fn is_here(url: &Url) -> bool {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).to_canonical(),
        Some(Host::Domain(_)) | None => return false,
    };
    url.scheme() == "http" && address.is_loopback()
}

#[cfg(test)]
mod tests {
    use super::{Refused, is_here, parse};
    use crate::reference::{Options, behaviour::Behaviour, defect};

    #[test]
    fn only_the_declared_loopback_address_is_taken() {
        let clean = Behaviour::new(&Options::default());
        let open = defect("webhook.reaches-private-address").expect("a defect");
        let open = Behaviour::new(&Options { defects: vec![open], ..Options::default() });
        for (text, expected) in [
            ("http://127.0.0.1:8080/hook?x=1", None),
            ("http://0x7f.1/", None),
            ("https://127.0.0.1/", Some(Refused::NotAllowed)),
            ("http://127.0.0.2:8080/", Some(Refused::NotAllowed)),
            ("http://[::1]/", Some(Refused::NotAllowed)),
            ("http://[::ffff:127.0.0.1]/", Some(Refused::NotAllowed)),
            ("http://localhost/", Some(Refused::NotAllowed)),
            ("http://10.0.0.1/", Some(Refused::NotAllowed)),
            ("http://169.254.169.254/latest", Some(Refused::NotAllowed)),
            ("http://2852039166/", Some(Refused::NotAllowed)),
            ("https://receiver.example/", Some(Refused::NotAllowed)),
            ("http://a:b@127.0.0.1/", Some(Refused::Malformed)),
            ("http://127.0.0.1/#part", Some(Refused::Malformed)),
            ("ftp://127.0.0.1/", Some(Refused::Malformed)),
            ("/hook", Some(Refused::Malformed)),
        ] {
            assert_eq!(parse(text, &clean).err(), expected, "{text}");
            let malformed = expected.filter(|refused| *refused == Refused::Malformed);
            assert_eq!(parse(text, &open).err(), malformed, "{text}");
        }
    }

    #[test]
    fn nothing_leaves_the_machine() {
        let open = defect("webhook.reaches-private-address").expect("a defect");
        let open = Behaviour::new(&Options { defects: vec![open], ..Options::default() });
        for (text, here) in [
            ("http://127.0.0.2:9/", true),
            ("http://[::1]:9/", true),
            ("http://[::ffff:127.0.0.1]/", true),
            ("https://127.0.0.1/", false),
            ("http://localhost/", false),
            ("http://10.0.0.1/", false),
            ("http://169.254.169.254/", false),
            ("http://[::ffff:10.0.0.1]/", false),
            ("http://0.0.0.0/", false),
        ] {
            assert_eq!(parse(text, &open).map(|url| is_here(&url)), Ok(here), "{text}");
        }
    }
}
