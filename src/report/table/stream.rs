//! Streams: how much was said, and the frames around the end.

use super::page::Page;
use crate::{
    exchange::{End, Opcode, RecordedEnding, RecordedFrame, RecordedStream, Tally},
    report::text,
};

/// So many frames are shown: of the beginning, and of the end.
const SHOWN: (usize, usize) = (3, 5);
/// How many characters of a frame's content are shown.
const CONTENT: usize = 100;

/// `101, 2.1 s, 3 frames (20 bytes) sent, 12 frames (400 bytes) received, reset by the target`.
pub(super) fn brief(stream: &RecordedStream, duration: &str) -> String {
    let tally =
        |tally: Tally| format!("{} ({})", text::count(tally.frames, "frame"), text::count(tally.octets, "byte"));
    let (sent, received) = (tally(stream.sent), tally(stream.received));
    let ending = stream.ending.as_ref().map_or_else(String::new, |end| format!(", {}", ending(end)));
    format!("{}, {duration}, {sent} sent, {received} received{ending}", stream.status)
}

fn ending(ending: &RecordedEnding) -> String {
    let who = if ending.ours { "fincheck" } else { "the target" };
    match &ending.how {
        End::Closed => format!("closed by {who}"),
        End::Reset => format!("reset by {who}"),
        End::Broken(why) => format!("broken: {why}"),
    }
}

/// The first frames and the last, with their times since the handshake.
pub(super) fn frames(page: &mut Page, since: u64, stream: &RecordedStream) {
    let all: Vec<_> = stream.first.iter().chain(&stream.last).collect();
    let many = all.len() as u64 + stream.left_out;
    let (begin, end) = if all.len() <= SHOWN.0 + SHOWN.1 {
        (all.as_slice(), &[][..])
    } else {
        (&all[..SHOWN.0], &all[all.len() - SHOWN.1..])
    };
    let mut label = "frames";
    for frame in begin {
        page.labelled(std::mem::take(&mut label), &line(since, frame));
    }
    if !end.is_empty() {
        let between = many - (begin.len() + end.len()) as u64;
        page.labelled("", &format!("… {between} more"));
    }
    for frame in end {
        page.labelled("", &line(since, frame));
    }
}

/// `+1.2 ms received text, 34 bytes: {"type":"hello"}`.
fn line(since: u64, frame: &RecordedFrame) -> String {
    let time = text::microseconds(frame.at_us.saturating_sub(since));
    let direction = if frame.ours { "sent" } else { "received" };
    let mut what = match frame.opcode {
        Opcode::Continuation => "continuation".to_owned(),
        Opcode::Text => "text".to_owned(),
        Opcode::Binary => "binary".to_owned(),
        Opcode::Close => frame.code.map_or_else(|| "close".to_owned(), |code| format!("close {code}")),
        Opcode::Ping => "ping".to_owned(),
        Opcode::Pong => "pong".to_owned(),
        Opcode::Reserved(bits) => format!("reserved opcode {bits}"),
    };
    if !frame.fin {
        what.push_str(" (more follows)");
    }
    if frame.rsv != 0 {
        what.push_str(&format!(" (RSV {:03b})", frame.rsv));
    }
    if frame.masked != frame.ours {
        what.push_str(if frame.masked { " (masked)" } else { " (not masked)" });
    }
    let content = frame.text.as_deref().map_or_else(String::new, |content| {
        let (beginning, whole) = text::beginning(content, 1, CONTENT);
        let rest = if whole && content.len() as u64 >= frame.length.saturating_sub(2) { "" } else { "…" };
        format!(": {beginning}{rest}")
    });
    format!("+{time} {direction} {what}, {}{content}", text::count(frame.length, "byte"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(opcode: Opcode, text: Option<&str>) -> RecordedFrame {
        RecordedFrame {
            at_us: 3_000,
            ours: false,
            fin: true,
            rsv: 0,
            masked: false,
            opcode,
            code: None,
            length: text.map_or(0, |text| text.len() as u64),
            text: text.map(Into::into),
        }
    }

    #[test]
    fn what_is_odd_about_a_frame_is_said() {
        assert_eq!(line(1_000, &frame(Opcode::Text, Some("hello"))), "+2.0 ms received text, 5 bytes: hello");
        let odd = RecordedFrame { fin: false, rsv: 4, masked: true, ..frame(Opcode::Reserved(3), None) };
        let expected = "+2.0 ms received reserved opcode 3 (more follows) (RSV 100) (masked), 0 bytes";
        assert_eq!(line(1_000, &odd), expected);
        let long = frame(Opcode::Text, Some(&"x".repeat(300)));
        assert!(line(0, &long).ends_with("x…"), "{}", line(0, &long));
        let close = RecordedFrame { code: Some(1001), length: 5, ours: true, ..frame(Opcode::Close, Some("bye")) };
        assert_eq!(line(0, &close), "+3.0 ms sent close 1001 (not masked), 5 bytes: bye");
    }

    #[test]
    fn a_stream_is_told_in_a_line() {
        let stream = RecordedStream {
            status: 101,
            version: "HTTP/1.1".into(),
            remote: None,
            headers: crate::exchange::Headers::default(),
            sent: Tally { frames: 1, octets: 2 },
            received: Tally { frames: 1_000, octets: 20_000 },
            first: vec![],
            left_out: 0,
            last: vec![],
            ending: Some(RecordedEnding { at_us: 5, ours: false, how: End::Reset }),
        };
        let line = brief(&stream, "2 s");
        assert!(
            line.starts_with("101, 2 s, 1 frame (2 bytes) sent, 1") && line.ends_with("reset by the target"),
            "{line}"
        );
    }
}
