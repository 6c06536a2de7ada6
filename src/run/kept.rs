//! What is kept of an exchange while a run goes on, as small as it can be: there may be very many.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;

use crate::{
    exchange::{Body, Failure, Headers},
    wire::stream::Log,
};

/// Small, because there is one for every exchange of the run.
pub(super) struct Kept {
    pub(super) common: Arc<Common>,
    pub(super) sent_us: u64,
    pub(super) took_us: u64,
    pub(super) url: Box<str>,
    /// What is kept of some only: the request's header fields and content.
    pub(super) whole: Option<Box<(Head, Bytes)>>,
    pub(super) outcome: KeptOutcome,
}

/// What many exchanges have in common.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Common {
    pub(super) client: String,
    pub(super) check: String,
    pub(super) purpose: &'static str,
    pub(super) method: String,
    pub(super) version: &'static str,
    pub(super) remote: Option<SocketAddr>,
}

pub(super) enum KeptOutcome {
    /// One that is not kept whole: its status and the length of its body.
    Brief(u16, u64),
    Response(Box<KeptResponse>),
    Failed(Box<Failure>),
    Stream(Box<KeptStream>),
}

pub(super) struct KeptStream {
    pub(super) status: u16,
    pub(super) head: Head,
    pub(super) log: Log,
}

pub(super) struct KeptResponse {
    pub(super) status: u16,
    pub(super) head: Head,
    pub(super) body: KeptBody,
}

/// Header fields, names and values in turn, each with a line feed behind it, which no field can contain.
pub(super) struct Head(Box<str>);

impl Head {
    pub(super) fn of(headers: &Headers) -> Self {
        let mut text = String::with_capacity(headers.iter().map(|(name, value)| name.len() + value.len() + 2).sum());
        for piece in headers.iter().flat_map(|(name, value)| [name, value]) {
            text.push_str(piece);
            text.push('\n');
        }
        Self(text.into())
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut pieces = self.0.split_terminator('\n');
        std::iter::from_fn(move || Some((pieces.next()?, pieces.next()?)))
    }
}

pub(super) enum KeptBody {
    Whole(Bytes),
    Digest(Body),
    Length(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_given_back_as_they_were() {
        let fields = [("link", "<a>; rel=next"), ("link", "<b>"), ("x-empty", ""), ("x-text", " ä\t ")];
        let headers: Headers = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        assert_eq!(Head::of(&headers).fields().collect::<Vec<_>>(), fields);
        assert_eq!(Head::of(&Headers::default()).fields().count(), 0);
    }
}
