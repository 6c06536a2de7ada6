//! Redirects (RFC 9110 §15.4): followed for GET and HEAD, within the target's origin, up to a bound.

use http::Method;
use url::Url;

use super::{
    compose::{Composer, Draft},
    target::{Refusal, append_query},
};
use crate::exchange::{Failure, FailureKind, Reply};

/// Where one request has been.
#[derive(Default)]
pub(super) struct Trail(Vec<Url>);

impl Trail {
    /// Where a reply sends us next; nothing if it is the answer.
    pub(super) fn next(
        &mut self,
        reply: &Reply,
        draft: &Draft,
        composer: &Composer,
        limit: usize,
    ) -> Result<Option<Url>, Failure> {
        let redirects = matches!(reply.status, 301 | 302 | 303 | 307 | 308);
        if !redirects || limit == 0 || !(draft.method == Method::GET || draft.method == Method::HEAD) {
            return Ok(None);
        }
        // A redirect that says nowhere to go is for the probe to judge.
        let Some(mut next) = reply.headers.get("location").and_then(|location| draft.url.join(location).ok()) else {
            return Ok(None);
        };
        let refuse = |kind, message| Err(Failure { id: Some(reply.id), kind, message });
        if let Err(Refusal::Foreign(origin) | Refusal::Malformed(origin)) = composer.admit(&mut next) {
            let message = format!("status {} leads to {origin}, outside the target; not followed", reply.status);
            return refuse(FailureKind::ForeignOrigin, message);
        }
        // A server that echoes the query has the credentials in it already.
        let present: Vec<String> = next.query_pairs().map(|(name, _)| name.into_owned()).collect();
        let missing = draft.credentials.iter().filter(|(name, _)| !present.contains(name));
        append_query(&mut next, missing.map(|(name, value)| (name.as_str(), value.as_str())));
        self.0.push(draft.url.clone());
        if self.0.contains(&next) {
            return refuse(FailureKind::Redirect, format!("status {} leads back to where it came from", reply.status));
        }
        if self.0.len() > limit {
            return refuse(FailureKind::Redirect, format!("more than {limit} redirects in a row"));
        }
        Ok(Some(next))
    }
}
