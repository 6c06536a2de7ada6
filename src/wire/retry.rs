//! When a request is sent again: a connection that failed, and a peer that asks to wait.

use std::time::{Duration, SystemTime};

use super::{Wire, compose::Draft};
use crate::{
    exchange::{Failure, FailureKind, Outcome, Reply, Request, RetryAfter},
    notation::Span,
};

/// Pauses before a failed transfer is tried again.
const PAUSES: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];
/// How often a request is sent when the peer keeps asking to wait.
const MOST_TRIES: u32 = 5;
/// The longest wait where the peer names none; begins at one second and doubles.
const LONGEST_UNASKED: Duration = Duration::from_secs(4);

impl Wire {
    /// One hop of a request: sent until there is an answer, or no reason to hope for one.
    pub(super) async fn deliver(&self, request: &Request, draft: &mut Draft) -> Outcome {
        let mut failures = Failures::default();
        let mut asked_to_wait = 0;
        loop {
            let slot = self.admit(request).await?;
            let outcome = self.attempt(request, draft).await;
            drop(slot);
            match outcome {
                Err(failure) => {
                    let Some(pause) = failures.pause_after(failure.kind, draft.safe) else { return Err(failure) };
                    self.recorder.waiting(request.who.name(), pause, &failure.message);
                    self.pause(pause).await;
                    if self.stopping() {
                        return Err(failure);
                    }
                }
                Ok(reply) => {
                    asked_to_wait += 1;
                    let wait = request.obey.then(|| wait_asked(&reply, draft.safe, asked_to_wait)).flatten();
                    let Some(wait) = wait.filter(|wait| *wait <= self.limits.max_wait.0) else { return Ok(reply) };
                    self.hold_back(request, &reply, wait)?;
                }
            }
        }
    }

    /// Closes the client's gate, unless the run would be over before it opens again.
    fn hold_back(&self, request: &Request, reply: &Reply, wait: Duration) -> Result<(), Failure> {
        let left = self.limits.duration.0.saturating_sub(self.now());
        if wait > left {
            let message = format!(
                "not repeated: status {} asks to wait {}, longer than the run's time of {} allows",
                reply.status,
                Span(wait),
                self.limits.duration
            );
            return Err(Failure { id: Some(reply.id), kind: FailureKind::Budget, message });
        }
        let client = request.who.name();
        self.turn.close_gate(client, wait);
        self.recorder.waiting(client, wait, &format!("status {}", reply.status));
        Ok(())
    }
}

/// How often the transfer of one request failed.
#[derive(Default)]
struct Failures {
    all: usize,
    timeouts: usize,
}

impl Failures {
    /// How long to pause before trying again; nothing if there is no point in it.
    fn pause_after(&mut self, kind: FailureKind, safe: bool) -> Option<Duration> {
        let worth_it = match kind {
            // Nothing was sent, so nothing can happen twice.
            FailureKind::Connect => true,
            FailureKind::Broken => safe,
            FailureKind::Timeout => {
                self.timeouts += 1;
                safe && self.timeouts == 1
            }
            _ => false,
        };
        self.all += 1;
        PAUSES.get(self.all - 1).copied().filter(|_| worth_it)
    }
}

/// How long a reply asks to wait before the request is repeated, if it does.
fn wait_asked(reply: &Reply, safe: bool, tries: u32) -> Option<Duration> {
    // 429 says that the request was not processed; 503 does not.
    let obeyed = reply.status == 429 || (reply.status == 503 && safe);
    if !obeyed || tries >= MOST_TRIES {
        return None;
    }
    let unasked = || Duration::from_secs(1 << (tries - 1)).min(LONGEST_UNASKED);
    let Some(asked) = reply.headers.get("retry-after").and_then(RetryAfter::parse) else { return Some(unasked()) };
    let date = reply.headers.get("date").and_then(|date| httpdate::parse_http_date(date).ok());
    Some(asked.wait(date.unwrap_or_else(SystemTime::now)))
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;
    use crate::exchange::{ExchangeId, Headers};

    fn reply(status: u16, fields: &[(&str, &str)]) -> Reply {
        Reply {
            id: ExchangeId(1),
            url: Url::parse("http://h.example").unwrap(),
            status,
            headers: fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Headers>(),
            body: bytes::Bytes::new(),
            sent: Duration::ZERO,
            received: Duration::ZERO,
        }
    }

    #[test]
    fn connections_are_tried_three_times_and_unsafe_requests_only_if_nothing_was_sent() {
        use FailureKind::{Broken, Connect, Dns, Protocol, Timeout, Tls};
        let pauses = |kind, safe| {
            let mut failures = Failures::default();
            (0..3).map_while(|_| failures.pause_after(kind, safe)).collect::<Vec<_>>()
        };
        assert_eq!(pauses(Connect, false), PAUSES);
        assert_eq!(pauses(Broken, true), PAUSES);
        assert!(pauses(Broken, false).is_empty());
        assert_eq!(pauses(Timeout, true), PAUSES[..1]);
        assert!(pauses(Timeout, false).is_empty());
        for kind in [Dns, Tls, Protocol] {
            assert!(pauses(kind, true).is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn waits_follow_retry_after_and_double_without_it() {
        let seconds = |s| Some(Duration::from_secs(s));
        let plain = reply(429, &[]);
        let unasked: Vec<_> = (1..=5).map(|tries| wait_asked(&plain, false, tries)).collect();
        assert_eq!(unasked, [seconds(1), seconds(2), seconds(4), seconds(4), None]);
        assert_eq!(wait_asked(&reply(429, &[("retry-after", "7")]), false, 1), seconds(7));
        assert_eq!(wait_asked(&reply(429, &[("retry-after", "soon")]), false, 2), seconds(2));
        assert_eq!(wait_asked(&reply(503, &[]), true, 1), seconds(1));
        assert_eq!(wait_asked(&reply(503, &[]), false, 1), None);
        assert_eq!(wait_asked(&reply(500, &[("retry-after", "7")]), true, 1), None);
    }

    #[test]
    fn a_date_is_counted_from_the_responses_own() {
        let fields = [("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT"), ("date", "Fri, 31 Dec 1999 23:59:29 GMT")];
        assert_eq!(wait_asked(&reply(503, &fields), true, 1), Some(Duration::from_secs(30)));
        assert_eq!(wait_asked(&reply(503, &fields[..1]), true, 1), Some(Duration::ZERO));
    }
}
