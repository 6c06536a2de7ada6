//! How connections end (RFC 6455 §7).

use serde::{Deserialize, Serialize};

use crate::exchange::{End, ExchangeId};

/// A close frame that the server sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct CloseFrame {
    /// The code, if it has one.
    pub(in super::super) code: Option<u16>,
    /// The reason, at most 123 octets of it.
    pub(in super::super) reason: String,
    /// What is wrong with the content beside the code, if anything.
    pub(in super::super) flaw: Option<String>,
}

impl CloseFrame {
    /// Reads the content of a close frame (RFC 6455 §5.5.1).
    pub(in super::super) fn read(payload: &[u8]) -> Self {
        let Some((code, reason)) = payload.split_first_chunk::<2>() else {
            let flaw = (!payload.is_empty()).then(|| "one octet of content, where a code has two".to_owned());
            return Self { code: None, reason: String::new(), flaw };
        };
        let flaw = if std::str::from_utf8(reason).is_err() {
            Some("the reason is not UTF-8".to_owned())
        } else if payload.len() > 125 {
            Some(format!("{} octets of content, of which a control frame has at most 125", payload.len()))
        } else {
            None
        };
        let reason = String::from_utf8_lossy(&reason[..reason.len().min(123)]).into_owned();
        Self { code: Some(u16::from_be_bytes(*code)), reason, flaw }
    }

    /// What no close frame may have, if it has it (RFC 6455 §7.4, and the registry it founds).
    pub(in super::super) fn illegal(&self) -> Option<String> {
        let code = self.code.and_then(|code| match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => None,
            1005 | 1006 | 1015 => Some(format!("code {code}, which no frame may carry")),
            _ => Some(format!("code {code}, which is not assigned")),
        });
        code.or_else(|| self.flaw.clone())
    }
}

/// How closing handshakes are answered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in super::super) struct Closings {
    /// The tries in order; each that raised doubts is followed by the same once more.
    pub(in super::super) tries: Vec<Closing>,
}

/// One closing handshake.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(in super::super) struct Closing {
    /// The code sent, if one was.
    pub(in super::super) sent: Option<u16>,
    /// The connection, if one was made.
    pub(in super::super) exchange: Option<ExchangeId>,
    /// Why it was not tried, if so.
    pub(in super::super) trouble: Option<String>,
    /// How long was waited for the answer, in milliseconds, less what fincheck was kept from working.
    pub(in super::super) waited_ms: u64,
    /// The answer, if one came.
    pub(in super::super) reply: Option<CloseFrame>,
    /// How many data frames came after it.
    pub(in super::super) data_after: u64,
    /// How the TCP connection ended, if it did.
    pub(in super::super) end: Option<End>,
    /// How long was waited for that after the answer, in milliseconds, less what fincheck was kept from working.
    pub(in super::super) lingered_ms: u64,
}

impl Closing {
    /// Whether a close frame answered, nothing came after it, and the connection ended.
    pub(in super::super) fn is_complete(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.illegal().is_none()) && self.data_after == 0 && self.end.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_close_frame_is_read_whatever_it_holds() {
        assert_eq!(CloseFrame::read(b""), CloseFrame::default());
        let close = CloseFrame::read(b"\x03\xf3bye");
        assert_eq!((close.code, close.reason.as_str(), close.flaw), (Some(1011), "bye", None));
        assert!(CloseFrame::read(b"\x03").illegal().is_some());
        assert!(CloseFrame::read(b"\x03\xe8\xff").illegal().is_some());
        assert!(CloseFrame::read(&[3; 126]).illegal().is_some());
    }

    #[test]
    fn only_codes_of_the_registry_and_of_applications_are_legal() {
        let legal = |code: u16| CloseFrame::read(&code.to_be_bytes()).illegal().is_none();
        let all: Vec<u16> = (0..=u16::MAX).filter(|code| legal(*code)).collect();
        let expected: Vec<u16> = (1000..=1003).chain(1007..=1014).chain(3000..=4999).collect();
        assert_eq!(all, expected);
    }
}
