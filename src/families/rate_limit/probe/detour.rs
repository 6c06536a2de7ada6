//! Ways around a spent limit, each tried between two plain requests that must stay refused.

use super::{
    super::evidence::{Answer, Detour, Try},
    prober::Prober,
};
use crate::exchange::{Request, Who};

/// How often a way that got through is tried.
pub(in super::super) const TRIES: u64 = 3;
/// How often the limit is spent again because it recovered while ways were tried.
pub(in super::super) const SPENT_AGAIN: u64 = 4;

/// What is changed of the request.
#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Change {
    /// A header field that claims another address.
    Header(&'static str, &'static str),
    /// A slash behind the path.
    TrailingSlash,
    /// Another case of the last letter of the path.
    Case,
    /// A query parameter that means nothing.
    Query,
}

/// The ways that every limit is tried by; addresses of the documentation ranges (RFC 5737).
pub(in super::super) const DETOURS: &[Change] = &[
    Change::Header("X-Forwarded-For", "203.0.113.7"),
    Change::Header("Forwarded", "for=203.0.113.8"),
    Change::Header("X-Real-IP", "203.0.113.9"),
    Change::Header("Client-IP", "203.0.113.10"),
    Change::TrailingSlash,
    Change::Case,
    Change::Query,
];

impl Prober<'_> {
    pub(super) async fn try_detours(&mut self) {
        let second = self.config.second_client.clone();
        let mut ways: Vec<(String, Request)> = Vec::new();
        if let Ok(limited) = &self.limited {
            ways.extend(DETOURS.iter().filter_map(|change| changed(limited, *change)));
            ways.extend(second.map(|client| {
                let request = Request { who: Who::Client(client.clone()), ..limited.clone() };
                (format!("the client's further credentials `{client}`"), request)
            }));
        }
        let Some(mut before) = self.ask_limited().await else { return };
        let mut spent_again = 0;
        for (change, request) in ways {
            let mut detour = Detour { change, tries: Vec::new() };
            loop {
                detour.tries = self.try_detour(&request, &mut before).await;
                let shown = detour.tries.last().is_some_and(Try::is_controlled);
                if shown || spent_again == SPENT_AGAIN {
                    break;
                }
                // The limit recovered meanwhile: it is spent again, and the way tried once more.
                spent_again += 1;
                if !self.spend().await {
                    break;
                }
                let Some(answer) = self.ask_limited().await else { break };
                before = answer;
            }
            self.evidence.evasion.push(detour);
        }
        self.note_last(&before);
    }

    /// One way, each try between two plain requests; again as long as it gets through.
    async fn try_detour(&mut self, request: &Request, before: &mut Answer) -> Vec<Try> {
        let mut tries = Vec::new();
        for _ in 0..TRIES {
            if !before.is_kept_out() {
                break;
            }
            let request = Request { purpose: "a way around the spent limit", ..request.clone() };
            // Not the client's own for the silent wait: what it says may be of another limit.
            let Some(changed) = self.ask(request, false).await else { break };
            let Some(after) = self.ask_limited().await else { break };
            let one = Try { before: before.clone(), changed, after: after.clone() };
            *before = after;
            let through = one.got_through();
            tries.push(one);
            if !through {
                break;
            }
        }
        tries
    }

    /// A refused detour may prolong the block too: the wait begins with whatever came last.
    fn note_last(&mut self, last: &Answer) {
        if last.is_kept_out() {
            self.last_refusal = Some(last.clone());
        }
    }
}

fn changed(limited: &Request, change: Change) -> Option<(String, Request)> {
    let mut request = limited.clone();
    let told = match change {
        Change::Header(name, value) => {
            request.headers.set(name, value);
            format!("{name}: {value}")
        }
        Change::Query => {
            request.query.push(("fincheck".into(), "1".into()));
            "the query parameter fincheck=1".into()
        }
        Change::TrailingSlash => {
            let (path, query) = split(&limited.target);
            if path.ends_with('/') {
                return None;
            }
            request.target = format!("{path}/{query}");
            "a slash behind the path".into()
        }
        Change::Case => {
            let (path, query) = split(&limited.target);
            let at = path.rfind(|c: char| c.is_ascii_alphabetic())?;
            let begin = path.rfind('/').unwrap_or(0);
            if at < begin {
                return None;
            }
            let mut letters = path.to_owned();
            let letter = path.as_bytes().get(at)?;
            let other =
                if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
            letters.replace_range(at..=at, &char::from(other).to_string());
            request.target = format!("{letters}{query}");
            "another case of a letter of the path".into()
        }
    };
    Some((told, request))
}

/// A target as its path and its query, with the question mark.
fn split(target: &str) -> (&str, &str) {
    target.split_at(target.find('?').unwrap_or(target.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_alters_one_thing() {
        let plain = Request::new(Who::Anonymous, "GET", "/v1/limited/window?a=b");
        let target = |change| changed(&plain, change).map(|(_, request)| request.target);
        assert_eq!(target(Change::TrailingSlash).unwrap(), "/v1/limited/window/?a=b");
        assert_eq!(target(Change::Case).unwrap(), "/v1/limited/windoW?a=b");
        let (_, query) = changed(&plain, Change::Query).unwrap();
        assert_eq!((query.target.as_str(), query.query.len()), ("/v1/limited/window?a=b", 1));
        assert!(changed(&Request::new(Who::Anonymous, "GET", "/v1/1"), Change::Case).is_none());
        assert!(changed(&Request::new(Who::Anonymous, "GET", "/"), Change::TrailingSlash).is_none());
    }
}
