//! Who is calling (RFC 6750): bearer tokens, and the scope that writing needs.

use http::{HeaderMap, Method, header};

use crate::reference::{
    problem::{Fault, Problem},
    tokens::{self, Principal},
};

/// The principal behind the request's bearer token.
pub(super) fn authenticate(headers: &HeaderMap) -> Result<Principal, Problem> {
    let mut sent = headers.get_all(header::AUTHORIZATION).iter();
    let Some(first) = sent.next() else {
        return Err(Problem::new(Fault::Unauthenticated, "send a bearer token in the Authorization header")
            .header(header::WWW_AUTHENTICATE, "Bearer realm=\"brokerage\""));
    };
    let scheme_and_token = first.as_bytes().split_at_checked(7).filter(|_| sent.next().is_none());
    let token = scheme_and_token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"bearer ")).map(|(_, token)| token);
    token.and_then(tokens::principal).ok_or_else(|| {
        let challenge = "Bearer realm=\"brokerage\", error=\"invalid_token\"";
        let credential = String::from_utf8_lossy(token.unwrap_or(first.as_bytes())).into_owned();
        Problem::new(Fault::InvalidToken, "the bearer token is not known, or not of this form")
            .header(header::WWW_AUTHENTICATE, challenge)
            .credential(credential)
    })
}

/// The same for a stream, where the token may be in the query instead; two of them are one too many.
pub(super) fn authenticate_listener(headers: &HeaderMap, token: Option<&str>) -> Result<Principal, Problem> {
    let Some(token) = token else { return authenticate(headers) };
    let principal = tokens::principal(token.as_bytes()).filter(|_| !headers.contains_key(header::AUTHORIZATION));
    principal.ok_or_else(|| {
        let challenge = "Bearer realm=\"brokerage\", error=\"invalid_token\"";
        Problem::new(Fault::InvalidToken, "the token in the query is not known, or not the only one")
            .header(header::WWW_AUTHENTICATE, challenge)
            .credential(token.to_owned())
    })
}

/// Refuses writing with a token that may only read.
pub(super) fn authorise(principal: Principal, method: &Method) -> Result<(), Problem> {
    if principal.may_write || method.is_safe() {
        return Ok(());
    }
    let challenge = "Bearer realm=\"brokerage\", error=\"insufficient_scope\", scope=\"write\"";
    Err(Problem::new(Fault::InsufficientScope, "this token may read but not write")
        .header(header::WWW_AUTHENTICATE, challenge))
}
