//! Frames and the octets they are sent as (RFC 6455 §5.2).

use std::{io::Cursor, time::Duration};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_tungstenite::tungstenite::protocol::frame::{FrameHeader, coding::OpCode};
use uuid::Uuid;

use crate::{
    exchange::{Frame, Opcode, Outgoing},
    notation::ByteSize,
};

/// The longest head of a frame.
const LONGEST_HEAD: usize = 14;
/// So much room is made for what is read next, at least.
const ROOM: usize = 16 << 10;
/// So much is asked for where there is too little.
const CHUNK: usize = 64 << 10;

/// Takes octets apart into frames, without copying their content.
pub(super) struct Reader {
    buffer: BytesMut,
    /// The largest content of a frame.
    largest: ByteSize,
    /// When the last octets came.
    pub(super) at: Duration,
}

impl Reader {
    /// A reader of what is there already.
    pub(super) fn new(octets: &[u8], largest: ByteSize, at: Duration) -> Self {
        Self { buffer: BytesMut::from(octets), largest, at }
    }

    /// Where the next octets go.
    pub(super) fn room(&mut self) -> &mut BytesMut {
        if self.buffer.capacity() - self.buffer.len() < ROOM {
            self.buffer.reserve(CHUNK);
        }
        &mut self.buffer
    }

    /// The next frame that is complete; an error says why what came cannot be a frame.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, String> {
        let Some((head, opcode, size, length)) = self.head()? else { return Ok(None) };
        if length > self.largest.0 {
            return Err(format!("a frame of {length} octets, more than the {} allowed", self.largest));
        }
        let Ok(length) = usize::try_from(length) else { return Err(format!("a frame of {length} octets")) };
        let missing = (size + length).saturating_sub(self.buffer.len());
        if missing > 0 {
            // Once, instead of by doubling and copying.
            self.buffer.reserve(missing);
            return Ok(None);
        }
        self.buffer.advance(size);
        let mut payload = if length == 0 { BytesMut::new() } else { self.buffer.split_to(length) };
        if let Some(mask) = head.mask {
            apply(mask, &mut payload);
        }
        Ok(Some(Frame {
            at: self.at,
            fin: head.is_final,
            rsv: u8::from(head.rsv1) << 2 | u8::from(head.rsv2) << 1 | u8::from(head.rsv3),
            masked: head.mask.is_some(),
            opcode,
            payload: payload.freeze(),
        }))
    }

    /// The head, what the frame is, the head's length and the content's.
    fn head(&self) -> Result<Option<(FrameHeader, Opcode, usize, u64)>, String> {
        let Some(first) = self.buffer.first() else { return Ok(None) };
        let (opcode, known) = (Opcode::from(*first), self.buffer.len().min(LONGEST_HEAD));
        let mut octets = [0; LONGEST_HEAD];
        octets[..known].copy_from_slice(&self.buffer[..known]);
        if matches!(opcode, Opcode::Reserved(_)) {
            // The library refuses these; whoever judges the peer wants to see them.
            octets[0] = octets[0] & 0xf0 | Opcode::Binary.bits();
        }
        let mut cursor = Cursor::new(&octets[..known]);
        let parsed = FrameHeader::parse(&mut cursor).map_err(|why| format!("no frame: {why}"))?;
        let Some((head, length)) = parsed else { return Ok(None) };
        let size = usize::try_from(cursor.position()).unwrap_or(LONGEST_HEAD);
        if head.len(length) != size {
            return Err(format!("a frame whose length {length} is not written as short as it can be"));
        }
        Ok(Some((head, opcode, size, length)))
    }
}

/// Adds the octets of a frame to what is sent next.
pub(super) fn write(frame: &Outgoing, out: &mut BytesMut) {
    let mask = frame.masked.then(fresh_mask);
    let head = FrameHeader {
        is_final: frame.fin,
        rsv1: frame.rsv & 4 != 0,
        rsv2: frame.rsv & 2 != 0,
        rsv3: frame.rsv & 1 != 0,
        opcode: OpCode::from(frame.opcode.bits() & 15),
        mask,
    };
    out.reserve(LONGEST_HEAD + frame.payload.len());
    let mut writer = out.writer();
    // Writing to memory does not fail.
    let _ = head.format(frame.payload.len() as u64, &mut writer);
    let begin = out.len();
    out.put_slice(&frame.payload);
    if let Some(mask) = mask {
        apply(mask, &mut out[begin..]);
    }
}

/// Masks or unmasks (RFC 6455 §5.3).
fn apply(mask: [u8; 4], octets: &mut [u8]) {
    let (words, rest) = octets.as_chunks_mut::<4>();
    for word in words {
        *word = (u32::from_ne_bytes(*word) ^ u32::from_ne_bytes(mask)).to_ne_bytes();
    }
    for (octet, mask) in rest.iter_mut().zip(mask) {
        *octet ^= mask;
    }
}

fn fresh_mask() -> [u8; 4] {
    let [a, b, c, d, ..] = Uuid::new_v4().into_bytes();
    [a, b, c, d]
}

/// The octets of a frame, as a client sends it; for frames that are never completed.
pub fn octets(frame: &Outgoing) -> Bytes {
    let mut out = BytesMut::new();
    write(frame, &mut out);
    out.freeze()
}

#[cfg(test)]
mod tests;
