//! Tells transport failures apart by what lies at the bottom of the library's error.

use std::{error::Error, io};

use rustls::CertificateError;

use super::{Limits, attempt::Fault};
use crate::exchange::FailureKind;

/// What kind of failure an error is, and one line about it for people.
pub(super) fn classify(error: &reqwest::Error, peer: &str, limits: &Limits) -> Fault {
    if error.is_builder() {
        return (FailureKind::Request, format!("the request cannot be sent: {}", bottom(error)));
    }
    if error.is_dns() {
        return (FailureKind::Dns, format!("the host name of {peer} does not resolve"));
    }
    if let Some(tls) = find::<rustls::Error>(error) {
        return (FailureKind::Tls, format!("no TLS with {peer}: {}", explain_tls(tls)));
    }
    if error.is_connect() {
        return connecting(error, peer, limits);
    }
    if let Some(fault) = transferring(error, peer, limits) {
        return fault;
    }
    http2(error, peer, limits)
}

/// The same of an exchange that goes over HTTP/1.1 on a connection of its own.
pub(super) fn of_http(error: &hyper::Error, peer: &str, limits: &Limits) -> Fault {
    transferring(error, peer, limits)
        .unwrap_or_else(|| (FailureKind::Broken, format!("the exchange with {peer} was cut off: {}", bottom(error))))
}

/// A failure after connecting, in HTTP/1.1 or below.
fn transferring(error: &(dyn Error + 'static), peer: &str, limits: &Limits) -> Option<Fault> {
    if let Some(http) = find::<hyper::Error>(error) {
        if http.is_parse_too_large() {
            let message = format!("{peer} sent more header fields than the {} allowed", limits.headers);
            return Some((FailureKind::TooLarge, message));
        }
        if http.is_parse() {
            return Some((FailureKind::Protocol, format!("{peer} did not answer in HTTP: {http}")));
        }
        if http.is_incomplete_message() {
            return Some(closed(peer));
        }
        if http.is_user() {
            return Some((FailureKind::Request, format!("the request cannot be sent: {}", bottom(error))));
        }
    }
    find::<io::Error>(error).map(|io| broken(io, peer, limits))
}

/// TCP does not connect.
pub(super) fn no_connection(why: &io::Error, peer: &str) -> Fault {
    (FailureKind::Connect, format!("no connection to {peer}: {}", unconnected(why).unwrap_or_else(|| bottom(why))))
}

/// TLS is not agreed on.
pub(super) fn no_tls(why: &io::Error, peer: &str) -> Fault {
    let reason = find::<rustls::Error>(why).map_or_else(|| bottom(why), explain_tls);
    (FailureKind::Tls, format!("no TLS with {peer}: {reason}"))
}

/// Why TCP does not connect, in words of ours.
fn unconnected(why: &io::Error) -> Option<String> {
    let reason = match why.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "unreachable",
        io::ErrorKind::TimedOut => "no answer",
        _ => return None,
    };
    Some(reason.to_owned())
}

/// A failure before anything was sent.
fn connecting(error: &reqwest::Error, peer: &str, limits: &Limits) -> Fault {
    if error.is_timeout() {
        return (FailureKind::Connect, format!("no connection to {peer} within {}", limits.connect_timeout));
    }
    let io = find::<io::Error>(error);
    // The connector's own error types cannot be named; only their texts tell at which step they arose.
    let step = |text: &str| chain(error).any(|link| link.to_string().starts_with(text));
    if step("tcp ") || step("tunnel error") || io.is_none() {
        let reason = io.and_then(unconnected).unwrap_or_else(|| bottom(error));
        return (FailureKind::Connect, format!("no connection to {peer}: {reason}"));
    }
    (FailureKind::Tls, format!("no TLS with {peer}: {}", bottom(error)))
}

fn broken(io: &io::Error, peer: &str, limits: &Limits) -> Fault {
    use io::ErrorKind as Kind;
    match io.kind() {
        Kind::UnexpectedEof => closed(peer),
        Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe | Kind::NotConnected => {
            (FailureKind::Broken, format!("{peer} reset the connection before the response was complete"))
        }
        Kind::TimedOut => (FailureKind::Timeout, format!("no complete response from {peer} within {}", limits.timeout)),
        Kind::InvalidData | Kind::InvalidInput => {
            (FailureKind::Protocol, format!("{peer} did not keep to HTTP's framing: {}", line(&io.to_string())))
        }
        _ => (FailureKind::Broken, format!("the connection to {peer} broke: {}", line(&io.to_string()))),
    }
}

fn closed(peer: &str) -> Fault {
    (FailureKind::Broken, format!("{peer} closed the connection before the response was complete"))
}

/// HTTP/2's errors cannot be named here, but their texts say which side saw the fault.
fn http2(error: &reqwest::Error, peer: &str, limits: &Limits) -> Fault {
    let text = bottom(error);
    // Debug data follows in brackets, in Rust's notation.
    let (text, data) = text.split_once(" (b\"").unwrap_or((&text, ""));
    if data.starts_with("header_list_way_too_large") {
        return (FailureKind::TooLarge, format!("{peer} sent header fields larger than {}", limits.headers));
    }
    if error.is_decode() && text.starts_with("stream error detected: unspecific protocol error") {
        // Once the content has begun, what is left to be wrong with a stream is its length (RFC 9113 §8.1.1).
        return (FailureKind::Broken, format!("{peer} sent content that is not as long as announced"));
    }
    if text.contains("error detected") {
        return (FailureKind::Protocol, format!("{peer} did not keep to HTTP/2: {text}"));
    }
    (FailureKind::Broken, format!("the exchange with {peer} was cut off: {text}"))
}

fn explain_tls(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "its certificate comes from an authority that is not trusted here".to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "its certificate is for another host name".to_owned(),
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "its certificate has expired".to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "its certificate is not valid yet".to_owned(),
        rustls::Error::InvalidCertificate(CertificateError::BadSignature) => {
            "its certificate was not signed by the authority it names".to_owned()
        }
        rustls::Error::InvalidMessage(_) => "it does not speak TLS there".to_owned(),
        other => line(&other.to_string()),
    }
}

/// An error and what caused it. `io::Error` hides what it wraps from `source`.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&link| {
        let wrapped = link.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| link.source())
    })
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    chain(error).find_map(|link| link.downcast_ref())
}

/// The innermost cause; outer ones only say that something went wrong, and may quote the URL.
fn bottom(error: &(dyn Error + 'static)) -> String {
    line(&chain(error).last().map_or_else(String::new, ToString::to_string))
}

/// One printable line of bounded length: the text may quote what the peer sent.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}
