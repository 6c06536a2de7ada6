//! A stream as the record has it.

use std::time::Duration;

use crate::{
    exchange::{Headers, Opcode, RecordedEnding, RecordedFrame, RecordedStream, Redactor},
    wire::stream::{Ending, Noted},
};

use super::kept::{Common, KeptStream};

/// The record of a stream, redacted.
pub(super) fn record(kept: &KeptStream, common: &Common, headers: Headers, redactor: &Redactor) -> RecordedStream {
    let log = &kept.log;
    RecordedStream {
        status: kept.status,
        version: common.version.to_owned(),
        remote: common.remote.map(|address| address.to_string()),
        headers,
        sent: log.sent,
        received: log.received,
        first: log.first.iter().map(|noted| frame(noted, redactor)).collect(),
        left_out: log.left_out,
        last: log.last.iter().map(|noted| frame(noted, redactor)).collect(),
        ending: log.ending.clone().map(|Ending { at, ours, how }| RecordedEnding { at_us: micros(at), ours, how }),
    }
}

fn frame(noted: &Noted, redactor: &Redactor) -> RecordedFrame {
    let Noted { at, ours, fin, rsv, masked, opcode, length, ref head } = *noted;
    let (code, words) = match (opcode, head.split_first_chunk()) {
        (Opcode::Close, Some((code, reason))) => (Some(u16::from_be_bytes(*code)), reason),
        _ => (None, head.as_slice()),
    };
    // What is compressed, or octets by its own word, is no text.
    let is_text = rsv & 4 == 0 && !matches!(opcode, Opcode::Binary) && !words.is_empty();
    let text = is_text.then(|| redactor.redact(&String::from_utf8_lossy(words)).into_owned());
    RecordedFrame { at_us: micros(at), ours, fin, rsv, masked, opcode, code, length, text }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(opcode: Opcode, head: &[u8]) -> Noted {
        let at = Duration::from_millis(2);
        Noted { at, ours: true, fin: true, rsv: 0, masked: true, opcode, length: 300, head: head.to_vec() }
    }

    #[test]
    fn secrets_in_frames_are_hidden_and_close_frames_are_read() {
        let mut redactor = Redactor::new(b"run");
        redactor.add("hush-0123456789");
        let text = |noted| frame(&noted, &redactor).text;
        let hidden = text(noted(Opcode::Text, br#"{"token":"hush-0123456789"}"#)).unwrap();
        assert!(!hidden.contains("hush") && hidden.contains("[secret:"), "{hidden}");
        let cut = text(noted(Opcode::Continuation, br#"{"token":"hush-012345"#)).unwrap();
        assert!(!cut.contains("hush") && cut.contains("in part"), "{cut}");
        let close = frame(&noted(Opcode::Close, b"\x03\xe9going away"), &redactor);
        assert_eq!((close.code, close.text.as_deref(), close.length), (Some(1001), Some("going away"), 300));
        assert_eq!(frame(&noted(Opcode::Close, b"\x03"), &redactor).code, None);
        assert_eq!(text(noted(Opcode::Binary, b"hush-0123456789")), None);
        assert_eq!(text(Noted { rsv: 4, ..noted(Opcode::Text, b"deflated") }), None);
    }
}
