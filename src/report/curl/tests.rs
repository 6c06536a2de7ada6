use std::process::Command;

use super::*;
use crate::exchange::{Body, ExchangeId, Headers, Recorded, RecordedRequest, RecordedResponse};

fn exchange(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Exchange {
    let mut fields = Headers::default();
    for (name, value) in headers {
        fields.push(name, *value);
    }
    Exchange {
        id: ExchangeId(7),
        client: "reader".into(),
        check: "positions".into(),
        purpose: "read".into(),
        sent_us: 0,
        duration_us: 0,
        request: RecordedRequest {
            method: method.into(),
            url: url.into(),
            headers: fields,
            body: Body { length: body.len() as u64, text: Some(body.into()), sha256: None },
        },
        outcome: Recorded::Response(RecordedResponse {
            status: 200,
            version: "HTTP/1.1".into(),
            remote: None,
            headers: Headers::default(),
            body: Body::default(),
        }),
    }
}

fn curl(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Curl {
    Curl::repeating(&exchange(method, url, headers, body)).expect("the URL is http")
}

/// The arguments that a shell passes on for a command.
fn arguments(command: &str) -> Vec<String> {
    let script = format!("TOKEN=t0k3n\nSECRET_2=s2\ncurl() {{ printf '%s\\0' \"$@\"; }}\n{command}\n");
    let output = Command::new("sh").args(["-c", &script]).output().expect("sh runs");
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("arguments are UTF-8");
    text.split_terminator('\0').map(str::to_owned).collect()
}

#[test]
fn a_plain_get_is_short() {
    let curl = curl("GET", "http://127.0.0.1:8080/v1/accounts?limit=7&x=1", &[("host", "127.0.0.1:8080")], "");
    assert_eq!(curl.command, "curl -sS -i 'http://127.0.0.1:8080/v1/accounts?limit=7&x=1'");
    assert_eq!(curl.notes, [""; 0]);
}

#[test]
fn secrets_become_variables_and_notes_say_which() {
    let fields =
        [("authorization", "Bearer [secret:00aa11bb]"), ("x-key", "[secret:22cc]"), ("x-again", "[secret:00aa11bb]")];
    let curl = curl("DELETE", "http://127.0.0.1/orders/1", &fields, "");
    let expected = "curl -sS -i -X DELETE http://127.0.0.1/orders/1 -H 'authorization: Bearer '\"$TOKEN\" \
                    -H 'x-key: '\"$SECRET_2\" -H 'x-again: '\"$TOKEN\"";
    assert_eq!(curl.command, expected);
    assert_eq!(
        curl.notes,
        [
            "set TOKEN to the secret that the record shows as [secret:00aa11bb]",
            "set SECRET_2 to the secret that the record shows as [secret:22cc]"
        ]
    );
    assert_eq!(arguments(&curl.command)[5..7], ["-H", "authorization: Bearer t0k3n"]);
}

#[test]
fn a_shell_gets_the_recorded_request_whatever_the_width() {
    let body = "{\"note\":\"it's $HOME `x` \\ 株式\",\n\"more\":\"'''\"}";
    let fields = [
        ("authorization", "Bearer [secret:00aa11bb]"),
        ("content-type", "application/json"),
        ("x-quoted", "'; rm -rf / #"),
        ("x-empty", ""),
    ];
    let url = format!("http://127.0.0.1/v1/orders?cursor={}&q=%27'[1]", "eyJ".repeat(70));
    let curl = curl("POST", &url, &fields, body);
    let wanted = [
        "-sS",
        "-i",
        "-X",
        "POST",
        "--globoff",
        &url,
        "-H",
        "authorization: Bearer t0k3n",
        "-H",
        "content-type: application/json",
        "-H",
        "x-quoted: '; rm -rf / #",
        "-H",
        "x-empty;",
        "--data-raw",
        body,
    ];
    assert_eq!(arguments(&curl.command), wanted);
    for width in [20, 40, 41, 42, 43, 80, 300] {
        let lines = curl.lines(width);
        assert_eq!(arguments(&lines.join("\n")), wanted, "{width}");
        for line in lines {
            assert!(text::width(&line) <= width, "{width}: {line}");
        }
    }
}

#[test]
fn content_that_cannot_be_typed_is_left_to_a_file() {
    let file = |body: &str| {
        let curl = curl("PUT", "http://127.0.0.1/x", &[("content-type", "text/plain")], body);
        assert!(curl.command.ends_with("--data-binary @content"), "{}", curl.command);
        curl.notes
    };
    assert_eq!(file("a\u{1b}[2Jb"), ["first put the content of request #7 (6 bytes) into a file named `content`"]);
    assert_eq!(file(&"x".repeat(LONGEST_BODY + 1)).len(), 1);
}

#[test]
fn control_characters_never_reach_the_command() {
    let curl = curl("GET", "http://127.0.0.1/\u{202e}x", &[("x-a", "\u{1b}[31m")], "");
    assert!(curl.command.contains(r"\u{202e}x") && curl.command.contains(r"\u{1b}[31m"), "{}", curl.command);
    assert_eq!(curl.notes.len(), 1);
}

#[test]
fn what_is_not_http_has_no_command() {
    assert!(Curl::repeating(&exchange("GET", "ws://127.0.0.1/stream", &[], "")).is_none());
}

#[test]
fn methods_and_missing_media_types_are_repeated_as_they_were() {
    assert!(curl("HEAD", "http://127.0.0.1/", &[], "").command.contains(" --head "));
    let post = curl("POST", "http://127.0.0.1/", &[], "@x");
    assert_eq!(
        arguments(&post.command)[2..],
        ["-X", "POST", "http://127.0.0.1/", "-H", "content-type:", "--data-raw", "@x"]
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(48))]
    #[test]
    fn any_text_reaches_a_shell_whole(value in "[ -~äß株]{0,120}", body in "[ -~\n株]{1,200}", width in 24_usize..100) {
        let curl = curl("POST", "http://127.0.0.1/", &[("x-a", &format!("v{value}")), ("content-type", "a/b")], &body);
        let wanted = arguments(&curl.command);
        proptest::prop_assert_eq!(&wanted[wanted.len() - 1], &body);
        proptest::prop_assert_eq!(&wanted[6], &format!("x-a: v{value}"));
        let lines = curl.lines(width);
        proptest::prop_assert_eq!(arguments(&lines.join("\n")), wanted);
        proptest::prop_assert!(lines.iter().all(|line| text::width(line) <= width));
    }
}

#[test]
fn a_stream_is_opened_again_and_given_up_after_a_while() {
    let fields =
        [("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-key", "AQIDBAUGBwgJCgsMDQ4PEA==")];
    let curl = curl("GET", "http://127.0.0.1/stream", &fields, "");
    let expected = "curl -sS -i --http1.1 --max-time 5 --output - http://127.0.0.1/stream -H 'connection: Upgrade' \
                    -H 'upgrade: websocket' -H 'sec-websocket-key: AQIDBAUGBwgJCgsMDQ4PEA=='";
    assert_eq!(curl.command, expected);
    assert!(curl.notes[0].contains("handshake"), "{:?}", curl.notes);
}
