//! `permessage-deflate` without context takeover (RFC 7692).

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Ends each flushed block and is left out (§7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

/// A message, compressed; as it is if that fails.
pub(super) fn deflate(message: &[u8]) -> Option<Vec<u8>> {
    let mut compressor = Compress::new(Compression::fast(), false);
    let mut out = Vec::with_capacity(message.len() + 64);
    loop {
        let taken = usize::try_from(compressor.total_in()).ok()?;
        compressor.compress_vec(&message[taken..], &mut out, FlushCompress::Sync).ok()?;
        let all_taken = usize::try_from(compressor.total_in()).ok()? == message.len();
        if all_taken && out.len() < out.capacity() {
            break;
        }
        out.reserve(1_024);
    }
    out.ends_with(&TAIL).then(|| out.truncate(out.len() - TAIL.len()))?;
    Some(out)
}

/// A message of at most so many octets; or whether it has more, rather than being wrong.
pub(super) fn inflate(message: &[u8], most: usize) -> Result<Vec<u8>, bool> {
    let input = [message, &TAIL].concat();
    let mut decompressor = Decompress::new(false);
    let mut out = Vec::with_capacity(most + 1);
    loop {
        let taken = usize::try_from(decompressor.total_in()).map_err(|_| false)?;
        let before = out.len();
        let status = decompressor.decompress_vec(&input[taken..], &mut out, FlushDecompress::Sync);
        if out.len() > most {
            return Err(true);
        }
        let all_taken = decompressor.total_in() == input.len() as u64;
        match status {
            Ok(Status::StreamEnd) => return Ok(out),
            Ok(_) if all_taken => return Ok(out),
            Ok(_) if out.len() > before => {}
            _ => return Err(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{deflate, inflate};

    #[test]
    fn messages_survive_compression_within_bounds() {
        for length in [0, 1, 100, 5_000, 60_000] {
            let text: Vec<u8> =
                (0..length).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24).to_le_bytes()[0]).collect();
            let packed = deflate(&text).expect("compressed");
            assert_eq!(inflate(&packed, 60_000), Ok(text), "{length}");
        }
        assert_eq!(inflate(&deflate(&[b'a'; 1_001]).expect("compressed"), 1_000), Err(true));
        assert_eq!(inflate(&[0xFF, 0xFF, 0xFF], 1_000), Err(false));
    }
}
