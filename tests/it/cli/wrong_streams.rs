//! Suites with streams that cannot be: each mistake at its place, with what would be right.

use crate::support::Program;

const SUITE: &str = r#"fincheck: 1
name: Streams that cannot be
target: { base_url: "http://127.0.0.1:1", permits: [read, write, burst] }
clients:
  reader: { bearer: tok }
websocket:
  - name: elsewhere
    path: wss://stream.example.com/v1
    client: reeder
    other_client: rival
    subprotocols: ["a b", c, c]
    query: { from: "{{last}}" }
  - name: misspelt
    path: /stream
    heartbeet: { interval: 1s }
    sequence: { last: $.n, per: sream }
  - name: taken up nowhere
    path: /stream#orders
    client: reader
    sequence: { last: $.n, per: key }
    resume: {}
    session: { expiring_client: expired, expires_after: 0s }
  - name: of other types
    path: /stream
    private: 3
    sequence: $.n
    messages: { id: event_id }
    lag: -1s
  - name: moved by nobody
    path: /stream
    listen: 0s
    messages: { id: $.id }
    stimulus: { call: { client: readr, request: POST /orders, body: { reference: "{{reference}}" } } }
"#;

/// Line and column, and what is said of it.
const SAID: &[(&str, &[&str])] = &[
    ("8:11", &["`wss://stream.example.com/v1` is not a path", "ws or wss follows from it"]),
    ("9:13", &["there is no client `reeder`", "did you mean `reader`?"]),
    ("10:19", &["there is no client `rival`", "there is `reader`"]),
    ("11:21", &["`a b` is no name of a subprotocol", "a name has no spaces"]),
    ("11:30", &["`c` is offered twice"]),
    ("12:21", &["`{{last}}` is known only where a stream is taken up", "of `resume`"]),
    ("15:5", &["unknown key `heartbeet`", "did you mean `heartbeat`?"]),
    ("16:33", &["the text `sream` is not one of the values allowed here", "did you mean `stream`?"]),
    ("18:11", &["`/stream#orders` has a fragment", "written `%23`"]),
    ("20:33", &["nothing says which key a message is of", "add `key`"]),
    ("21:13", &["nothing says where the stream is to be taken up", "use `{{last}}`"]),
    ("22:33", &["there is no client `expired`"]),
    ("22:57", &["this takes some time at least"]),
    ("25:14", &["found the number 3, wanted true or false"]),
    ("26:15", &["found the text `$.n`, wanted a mapping"]),
    ("27:21", &["`event_id` is not a JSONPath; it begins with $"]),
    ("28:10", &["`-1s` is not a duration; write a whole number and ms, s, m or h"]),
    ("31:13", &["this takes some time at least"]),
    ("33:33", &["there is no client `readr`", "did you mean `reader`?"]),
];

#[test]
fn wrong_streams_are_refused_where_they_are_wrong() {
    let ended = Program::with(&["lint", "suite.yaml"]).file("suite.yaml", SUITE).ended();
    ended.exits(2).prints_nothing();
    let lines: Vec<&str> = SUITE.lines().collect();
    for (at, texts) in SAID {
        let place = format!("suite.yaml:{at}\n");
        let mut said = ended.stderr.split("\n\n");
        let told = said.find(|told| told.contains(&place));
        let told = told.unwrap_or_else(|| panic!("nothing is said of {at}: {}", ended.told()));
        let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
        for text in *texts {
            assert!(told.contains(text), "{at} lacks {text:?}: {told}");
        }
        let line: usize = at.split(':').next().unwrap().parse().unwrap();
        let start: String = lines[line - 1].trim().chars().take(10).collect();
        assert!(told.contains(&start), "{at} does not show {start:?}: {told}");
    }
    ended.complains(&format!("{} errors in the suite; nothing was sent", SAID.len()));
}
