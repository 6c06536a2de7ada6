//! Broken peers, met by the program itself: each is a clear message or a finding, never a panic or a hang.

mod answers;
mod content;
mod reach;
mod secrets;
mod streams;
mod walks;

use crate::support::{Ended, Peer, Program};

/// A suite with nothing but one cursor walk. The bounds are far above what an honest peer on a busy machine needs,
/// except where a test says otherwise.
fn suite(url: &str) -> String {
    suite_within(url, "{ timeout: 20s, connect_timeout: 20s, duration: 60s, max_wait: 1s }")
}

/// The same within other limits.
fn suite_within(url: &str, limits: &str) -> String {
    format!(
        "fincheck: 1
name: Broken peer
target: {{ base_url: '{url}' }}
limits: {limits}
clients:
  reader: {{ bearer: '${{TOKEN:-tok-0f1e2d3c}}' }}
pagination:
  - name: rows
    client: reader
    request: GET /rows
    rows: $.data
    id: $.id
    cursor: {{ next: $.next, parameter: cursor }}
    page_size: {{ parameter: limit, sizes: [2, 5], default: 2, maximum: 5 }}
"
    )
}

/// A run of that suite against a peer, without the rules that every exchange is held against.
fn run(peer: &Peer) -> Ended {
    Program::running(&suite(&peer.url())).and(&["--only", "pagination"]).ended()
}

/// A run that does not have the patience to wait for slow peers.
fn run_impatiently(peer: &Peer) -> Ended {
    let limits = "{ timeout: 300ms, connect_timeout: 20s, duration: 60s, headers: 32KiB, body: 256KiB }";
    Program::running(&suite_within(&peer.url(), limits)).and(&["--only", "pagination"]).ended()
}
