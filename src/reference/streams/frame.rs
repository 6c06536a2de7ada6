//! Frames (RFC 6455 §5.2): read as they come, right or wrong, and written as one likes.

use std::io::Cursor;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio_tungstenite::tungstenite::protocol::frame::{FrameHeader, coding::OpCode};

/// The largest payload of a frame that is read, and the largest message, in octets.
pub(super) const LARGEST: usize = 64 * 1024;
/// The longest header of a frame.
const LONGEST_HEADER: usize = 14;
/// RSV1 among the reserved bits: the message is compressed (RFC 7692 §6).
pub(super) const COMPRESSED: u8 = 4;

pub(super) const CONTINUATION: u8 = 0;
pub(super) const TEXT: u8 = 1;
pub(super) const BINARY: u8 = 2;
pub(super) const CLOSE: u8 = 8;
pub(super) const PING: u8 = 9;
pub(super) const PONG: u8 = 10;

/// A frame as it came, unmasked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) fin: bool,
    /// The three reserved bits.
    pub(super) rsv: u8,
    pub(super) masked: bool,
    /// Any of the sixteen.
    pub(super) opcode: u8,
    pub(super) payload: Vec<u8>,
}

/// Why there is no frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// The peer is gone.
    Lost,
    /// It is larger than [`LARGEST`].
    TooLarge,
    /// What came cannot be a frame.
    Broken,
}

/// Reads frames.
pub(super) struct Reader<R> {
    io: R,
    buffer: BytesMut,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(io: R) -> Self {
        Self { io, buffer: BytesMut::new() }
    }

    /// The next frame. Nothing is lost if this is given up before it is done.
    pub(super) async fn next(&mut self) -> Result<Frame, Unread> {
        loop {
            if let Some(frame) = parse(&mut self.buffer)? {
                return Ok(frame);
            }
            if self.io.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return Err(Unread::Lost);
            }
        }
    }

    /// Reads and forgets until the peer closes: unread octets would turn a close into a reset, which takes away what was
    /// sent last.
    pub(super) async fn drain(&mut self) {
        loop {
            self.buffer.clear();
            if self.io.read_buf(&mut self.buffer).await.unwrap_or(0) == 0 {
                return;
            }
        }
    }
}

fn parse(buffer: &mut BytesMut) -> Result<Option<Frame>, Unread> {
    let Some(&first) = buffer.first() else { return Ok(None) };
    let mut head = [0; LONGEST_HEADER];
    let known = buffer.len().min(LONGEST_HEADER);
    head[..known].copy_from_slice(&buffer[..known]);
    // The parser refuses opcodes without a meaning, which are to be judged here.
    head[0] = first & 0xF0 | TEXT;
    let mut cursor = Cursor::new(&head[..known]);
    let Some((header, length)) = FrameHeader::parse(&mut cursor).map_err(|_| Unread::Broken)? else { return Ok(None) };
    let length = usize::try_from(length).ok().filter(|length| *length <= LARGEST).ok_or(Unread::TooLarge)?;
    let start = usize::try_from(cursor.position()).map_err(|_| Unread::Broken)?;
    if buffer.len() < start + length {
        return Ok(None);
    }
    buffer.advance(start);
    let mut payload = buffer.split_to(length).to_vec();
    if let Some(mask) = header.mask {
        payload.iter_mut().zip(mask.iter().cycle()).for_each(|(octet, mask)| *octet ^= mask);
    }
    Ok(Some(Frame {
        fin: header.is_final,
        rsv: first >> 4 & 7,
        masked: header.mask.is_some(),
        opcode: first & 15,
        payload,
    }))
}

/// A whole frame of a server, as octets.
pub(super) fn frame(opcode: u8, rsv: u8, payload: &[u8]) -> Bytes {
    let header = FrameHeader {
        is_final: true,
        rsv1: rsv & 4 != 0,
        rsv2: rsv & 2 != 0,
        rsv3: rsv & 1 != 0,
        opcode: OpCode::from(opcode),
        mask: None,
    };
    let mut octets = Vec::with_capacity(LONGEST_HEADER + payload.len());
    // Writing to memory does not fail.
    let _ = header.format(payload.len() as u64, &mut octets);
    octets.extend_from_slice(payload);
    octets.into()
}

#[cfg(test)]
mod tests {
    use super::{CLOSE, COMPRESSED, LARGEST, Reader, TEXT, Unread, frame};

    #[tokio::test]
    async fn what_is_written_is_read() {
        let mut octets = Vec::new();
        for (opcode, rsv, length) in [(TEXT, 0, 0), (CLOSE, 0, 125), (11, COMPRESSED, 126), (TEXT, 7, LARGEST)] {
            octets.extend_from_slice(&frame(opcode, rsv, &vec![b'a'; length]));
        }
        let mut reader = Reader::new(octets.as_slice());
        for (opcode, rsv, length) in [(TEXT, 0, 0), (CLOSE, 0, 125), (11, COMPRESSED, 126), (TEXT, 7, LARGEST)] {
            let read = reader.next().await.expect("a frame");
            assert_eq!((read.opcode, read.rsv, read.payload.len()), (opcode, rsv, length));
            assert!(read.fin && !read.masked);
        }
        assert_eq!(reader.next().await, Err(Unread::Lost));
    }

    #[tokio::test]
    async fn masks_are_taken_off_and_bounds_are_kept() {
        // RFC 6455 §5.7: a single-frame masked text message.
        let hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let read = Reader::new(&hello[..]).next().await.expect("a frame");
        assert_eq!((read.masked, read.payload.as_slice()), (true, &b"Hello"[..]));
        let large = frame(TEXT, 0, &vec![0; LARGEST + 1]);
        assert_eq!(Reader::new(&large[..10]).next().await, Err(Unread::TooLarge));
        assert_eq!(Reader::new(&hello[..7]).next().await, Err(Unread::Lost));
    }
}
