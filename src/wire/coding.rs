//! Content codings (RFC 9110 §8.4.1), decoded within a bound.
//!
//! `deflate` is a zlib stream by the standard, and a raw deflate stream from servers that never read it; both are
//! read. Several codings in a row are undone from the last to the first.

use std::io::Read;

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status, bufread::MultiGzDecoder};

use super::attempt::Fault;
use crate::{exchange::FailureKind, notation::ByteSize};

/// More codings in a row than this are refused: each costs a pass over the content.
const MOST: usize = 4;

/// The codings of the given `Content-Encoding` fields in the order they were applied, in lower case, `identity` left out.
pub(super) fn codings<'a>(fields: impl Iterator<Item = &'a str>) -> Vec<String> {
    fields
        .flat_map(|field| field.split(','))
        .map(|coding| coding.trim().to_ascii_lowercase())
        .filter(|coding| !coding.is_empty() && coding != "identity")
        .collect()
}

/// Undoes the codings; no stage may be larger than `limit`. Messages go on after "the peer sent ".
pub(super) fn decode(content: Bytes, codings: &[String], limit: ByteSize) -> Result<Bytes, Fault> {
    if codings.len() > MOST {
        let message = format!("content encoded {} times over; at most {MOST} codings are undone", codings.len());
        return Err((FailureKind::Encoding, message));
    }
    codings.iter().rev().try_fold(content, |content, coding| {
        let decoded = match coding.as_str() {
            "gzip" | "x-gzip" => read_all(MultiGzDecoder::new(&content[..]), limit),
            "deflate" => inflate(&content, limit),
            "br" => read_all(brotli_decompressor::Decompressor::new(&content[..], 4096), limit),
            other => {
                let other: String = other.chars().filter(|c| !c.is_control()).take(40).collect();
                let message = format!("content in the coding `{other}`, which is none of gzip, deflate and br");
                return Err((FailureKind::Encoding, message));
            }
        };
        match decoded {
            Ok(bytes) => Ok(bytes.into()),
            Err(Bad::TooLarge) => {
                Err((FailureKind::TooLarge, format!("content that is larger than {limit} once decoded ({coding})")))
            }
            Err(Bad::Corrupt) => {
                Err((FailureKind::Encoding, format!("content that is not what `content-encoding: {coding}` says")))
            }
        }
    })
}

enum Bad {
    TooLarge,
    Corrupt,
}

fn read_all(decoder: impl Read, limit: ByteSize) -> Result<Vec<u8>, Bad> {
    let mut out = Vec::new();
    decoder.take(limit.0.saturating_add(1)).read_to_end(&mut out).map_err(|_| Bad::Corrupt)?;
    if out.len() as u64 > limit.0 { Err(Bad::TooLarge) } else { Ok(out) }
}

/// Written over the bare decompressor, because the reader of `flate2` takes a stream that stops early for a whole one.
fn inflate(content: &[u8], limit: ByteSize) -> Result<Vec<u8>, Bad> {
    let mut stream = Decompress::new(has_zlib_header(content));
    let mut out = Vec::with_capacity(content.len().saturating_mul(3).min(1 << 16));
    loop {
        let read = usize::try_from(stream.total_in()).map_err(|_| Bad::Corrupt)?;
        let rest = content.get(read..).unwrap_or_default();
        let before = (stream.total_in(), stream.total_out());
        let status = stream.decompress_vec(rest, &mut out, FlushDecompress::None).map_err(|_| Bad::Corrupt)?;
        if out.len() as u64 > limit.0 {
            return Err(Bad::TooLarge);
        }
        if status == Status::StreamEnd {
            return Ok(out);
        }
        if before == (stream.total_in(), stream.total_out()) && out.len() < out.capacity() {
            return Err(Bad::Corrupt);
        }
        if out.len() == out.capacity() {
            out.reserve(out.len().max(4096));
        }
    }
}

/// RFC 1950 §2.2: compression method 8, and a check value that makes the two octets a multiple of 31.
fn has_zlib_header(content: &[u8]) -> bool {
    matches!(content, [cmf, flg, ..] if cmf & 0x0f == 8 && u16::from_be_bytes([*cmf, *flg]) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write};

    use super::*;

    const TEXT: &[u8] = b"a statement of account, a statement of account, a statement of account";
    /// `TEXT[..11]` in brotli, uncompressed meta-block (RFC 7932 §9.2), because no encoder is at hand.
    const BROTLI: &[u8] = b"\x0b\x05\x80a statement\x03";

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = write::GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(content: &[u8]) -> Vec<u8> {
        let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn raw(content: &[u8]) -> Vec<u8> {
        let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn undo(content: &[u8], field: &str, limit: u64) -> Result<Vec<u8>, FailureKind> {
        decode(Bytes::copy_from_slice(content), &codings([field].into_iter()), ByteSize(limit))
            .map(Vec::from)
            .map_err(|(kind, _)| kind)
    }

    #[test]
    fn every_coding_is_undone_alone_and_stacked() {
        let limit = 1 << 20;
        assert_eq!(undo(&gzip(TEXT), "GZip", limit).unwrap(), TEXT);
        assert_eq!(undo(&zlib(TEXT), "deflate", limit).unwrap(), TEXT);
        assert_eq!(undo(&raw(TEXT), "deflate", limit).unwrap(), TEXT);
        assert_eq!(undo(&gzip(&zlib(TEXT)), "deflate, identity , x-gzip", limit).unwrap(), TEXT);
        assert_eq!(undo(&[gzip(TEXT), gzip(b"!")].concat(), "gzip", limit).unwrap(), [TEXT, b"!"].concat());
        assert_eq!(undo(BROTLI, "br", limit).unwrap(), &TEXT[..11]);
        assert_eq!(undo(TEXT, "identity", limit).unwrap(), TEXT);
    }

    #[test]
    fn content_cut_short_or_changed_is_not_taken_for_whole() {
        for (content, coding) in
            [(gzip(TEXT), "gzip"), (zlib(TEXT), "deflate"), (raw(TEXT), "deflate"), (BROTLI.to_vec(), "br")]
        {
            for cut in 1..content.len() {
                let result = undo(&content[..cut], coding, 1 << 20);
                assert_eq!(result, Err(FailureKind::Encoding), "{coding} cut to {cut}");
            }
        }
        let mut changed = gzip(TEXT);
        let last = changed.len() - 1;
        changed[last] ^= 1;
        assert_eq!(undo(&changed, "gzip", 1 << 20), Err(FailureKind::Encoding));
        assert_eq!(undo(b"plain text", "gzip", 1 << 20), Err(FailureKind::Encoding));
    }

    #[test]
    fn bombs_are_stopped_at_the_bound() {
        let zeros = vec![0; 4 << 20];
        for (content, coding) in [(gzip(&zeros), "gzip"), (zlib(&zeros), "deflate"), (raw(&zeros), "deflate")] {
            assert_eq!(undo(&content, coding, 1 << 20), Err(FailureKind::TooLarge), "{coding}");
            assert_eq!(undo(&content, coding, 4 << 20).map(|body| body.len()), Ok(4 << 20), "{coding}");
        }
        assert_eq!(undo(&gzip(&gzip(&zeros)), "gzip, gzip", 1 << 20), Err(FailureKind::TooLarge));
    }

    #[test]
    fn unknown_codings_and_endless_stacks_are_refused() {
        assert_eq!(undo(TEXT, "zstd", 1 << 20), Err(FailureKind::Encoding));
        assert_eq!(undo(TEXT, "gzip,gzip,gzip,gzip,gzip", 1 << 20), Err(FailureKind::Encoding));
    }

    proptest::proptest! {
        #[test]
        fn never_panics(content: Vec<u8>, coding in "gzip|deflate|br") {
            let _ = undo(&content, &coding, 4096);
        }
    }
}
