//! Addresses and names of the network behind an API.

use std::{net::Ipv4Addr, sync::LazyLock};

use regex::Regex;
use url::{Host, Url};

use super::super::evidence::Inside;

static IPV4: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}(?::\d{2,5})?").expect("the pattern is written here")
});
/// A name below a private top-level name; a scheme, a port, a digit or a hyphen tells it from a dotted error code.
static HOST: LazyLock<Regex> = LazyLock::new(|| {
    let name = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9-]+)*\.(?:internal|local|localdomain|intranet|lan|corp)";
    Regex::new(&format!(r"(https?://)?\b{name}\b(:\d{{2,5}})?|\b[a-z0-9.-]+\.svc\.cluster\.local\b"))
        .expect("the pattern is written here")
});

/// The private addresses and internal host names in a text; `own` is where the request was sent.
pub(super) fn find<'t>(text: &'t str, own: &Url) -> impl Iterator<Item = (Inside, &'static str, &'t str)> {
    let addresses = addresses(text, own).map(|shown| (Inside::Address, "a private address", shown));
    addresses.chain(hosts(text, own).map(|shown| (Inside::Address, "an internal host name", shown)))
}

fn addresses<'t>(text: &'t str, own: &Url) -> impl Iterator<Item = &'t str> {
    let own_address = match own.host() {
        Some(Host::Ipv4(address)) => Some(address),
        _ => None,
    };
    let loopback_target = own_address.is_some_and(|address| address.is_loopback())
        || own.host_str().is_some_and(|host| host == "localhost" || host == "[::1]");
    IPV4.find_iter(text)
        .filter(move |found| {
            let Ok(address) = found.as_str().split(':').next().unwrap_or_default().parse::<Ipv4Addr>() else {
                return false;
            };
            let private = address.is_private() || address.is_loopback() || address.is_link_local();
            let own = Some(address) == own_address || (loopback_target && address.is_loopback());
            private && !own && stands_alone(text, found.start(), found.end())
        })
        .map(|found| found.as_str())
}

/// Whether what stands around it makes it an address of the API: no version number, no network mask, no longer
/// dotted number, and not the caller's own address.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let mut after = text[end..].chars();
    let joined = before.is_some_and(|c| c.is_alphanumeric() || ".-_".contains(c));
    let continued = match after.next() {
        Some('.') => after.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => c.is_alphanumeric() || "/-_".contains(c) && after.next().is_some_and(|c| c.is_ascii_digit()),
        None => false,
    };
    let near: String = text[..start].chars().rev().take(24).collect::<Vec<_>>().into_iter().rev().collect();
    let near = near.to_ascii_lowercase();
    !joined && !continued && !["version", "your", "client", "caller", "remote"].iter().any(|word| near.contains(word))
}

fn hosts<'t>(text: &'t str, own: &Url) -> impl Iterator<Item = &'t str> {
    HOST.captures_iter(text).filter_map(move |captures| {
        let whole = captures.get(0)?;
        let name = whole.as_str().trim_start_matches("https://").trim_start_matches("http://");
        let name = name.split(':').next().unwrap_or_default();
        let marked = captures.get(1).is_some() || captures.get(2).is_some();
        let telling = marked
            || name.contains('-')
            || name.bytes().any(|b| b.is_ascii_digit())
            || name.ends_with(".svc.cluster.local");
        let mail = text[..whole.start()].ends_with('@');
        let longer = text[whole.end()..].chars().next().is_some_and(|c| c.is_alphanumeric() || "_-".contains(c));
        (telling && !mail && !longer && own.host_str() != Some(name)).then(|| whole.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base: &str, text: &str) -> Vec<String> {
        find(text, &base.parse().unwrap()).map(|(_, _, shown)| shown.to_owned()).collect()
    }

    fn seen(text: &str) -> Vec<String> {
        at("https://api.example.com/v1", text)
    }

    #[test]
    fn private_addresses_and_internal_names_are_found() {
        assert_eq!(seen("connect ECONNREFUSED 10.20.0.17:5432"), ["10.20.0.17:5432"]);
        assert_eq!(seen("upstream 192.168.4.2."), ["192.168.4.2"]);
        assert_eq!(seen("http://172.20.1.1:8080/internal"), ["172.20.1.1:8080"]);
        assert_eq!(seen("no route to ledger-db-2.internal"), ["ledger-db-2.internal"]);
        assert_eq!(seen("http://ledger.local/x"), ["http://ledger.local"]);
        assert_eq!(seen("orders.prod.svc.cluster.local refused"), ["orders.prod.svc.cluster.local"]);
    }

    #[test]
    fn what_merely_looks_like_one_is_not() {
        for text in [
            "version 10.0.0.1",
            "release v10.0.0.1",
            "your address 10.0.0.1 is not allowed",
            "10.0.0.0/8 is reserved",
            "1.10.0.0.1",
            "192.0.2.1 and 8.8.8.8",
            "999.1.1.1",
            "payment.internal",
            "error.local",
            "write to desk-7@corp-mail.local",
            "com.example.internal.Reader",
        ] {
            assert_eq!(seen(text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn the_targets_own_address_is_no_disclosure() {
        assert_eq!(at("http://127.0.0.1:8080", "http://127.0.0.1:8080/next and 127.0.0.1:9"), Vec::<String>::new());
        assert_eq!(at("http://localhost:8080", "127.0.0.1:8080"), Vec::<String>::new());
        assert_eq!(at("http://10.0.0.9", "10.0.0.9 asks 10.0.0.8"), ["10.0.0.8"]);
        assert_eq!(at("http://gate-1.internal", "gate-1.internal asks db-1.internal"), ["db-1.internal"]);
    }
}
