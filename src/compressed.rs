//! Decompresses gzip and zstd, which are detected from the content.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Chain, Cursor, Read};

use thiserror::Error;

const GZIP: [u8; 2] = [0x1F, 0x8B];
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Frames that zstd decoders skip start with 0x184D2A50 to 0x184D2A5F, in little-endian order.
const ZSTD_SKIPPABLE: [u8; 3] = [0x2A, 0x4D, 0x18];
/// The largest window that a zstd frame may ask for: 2^27 bytes, as the `zstd` program allows.
const ZSTD_MAX_WINDOW_LOG: u32 = 27;

/// The number of bytes that are decompressed at once. A decoder that finds damage discards the bytes that it
/// decompressed in the same call. So calls must be small, and of one size: the loss must not depend on the caller's
/// buffer.
const PIECE: usize = 4096;

/// An error of [`Decompressor::read`].
#[derive(Debug, Error)]
pub enum ReadError {
    /// The compressed data is damaged or stops early: a fault of the input. Holds the reason.
    #[error("{0}")]
    Damaged(String),
    /// The file itself could not be read: a fault of the run.
    #[error(transparent)]
    Unreadable(#[from] io::Error),
}

/// A reader of a file's bytes that decompresses them if they are compressed.
pub struct Decompressor<R: Read> {
    decoder: Decoder<R>,
    /// The error that the next read returns, after the bytes that were already returned.
    failed: Option<ReadError>,
}

/// The first bytes, which have been read to detect the compression, and the rest.
type Source<R> = BufReader<Chain<Cursor<Vec<u8>>, ErrorTracker<R>>>;

enum Decoder<R: Read> {
    Plain(Source<R>),
    Gzip(BufReader<flate2::bufread::MultiGzDecoder<Source<R>>>),
    Zstd(BufReader<zstd::stream::read::Decoder<'static, Source<R>>>),
}

/// Returns the compression of a file that begins with `head`; `None` if it is not compressed.
fn compression_of(head: &[u8]) -> Option<Compression> {
    let skippable = head.len() >= 4 && head[0] & 0xF0 == 0x50 && head[1..4] == ZSTD_SKIPPABLE;
    match head {
        _ if head.starts_with(&GZIP) => Some(Compression::Gzip),
        _ if head.starts_with(&ZSTD) || skippable => Some(Compression::Zstd),
        _ => None,
    }
}

enum Compression {
    Gzip,
    Zstd,
}

/// Returns whether a file that begins with `head` is compressed.
pub fn is_compressed(head: &[u8]) -> bool {
    compression_of(head).is_some()
}

/// A reader that remembers whether the file itself could not be read, as opposed to being damaged.
struct ErrorTracker<R> {
    inner: R,
    failed: bool,
}

impl<R: Read> Read for ErrorTracker<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        self.failed |= result.is_err();
        result
    }
}

/// Returns the first `most` decompressed bytes, or fewer, from the beginning of a file.
pub fn beginning(raw: &[u8], most: usize) -> Cow<'_, [u8]> {
    if !is_compressed(raw) {
        return Cow::Borrowed(&raw[..raw.len().min(most)]);
    }
    let (mut text, mut length) = (vec![0; most], 0);
    if let Ok(mut reader) = Decompressor::new(raw) {
        // The compressed data is truncated: an error at its end is expected.
        while length < text.len()
            && let Ok(count @ 1..) = reader.read(&mut text[length..])
        {
            length += count;
        }
    }
    text.truncate(length);
    Cow::Owned(text)
}

impl<R: Read> Decompressor<R> {
    /// Reads the first bytes of `reader` to detect the compression.
    ///
    /// # Errors
    ///
    /// If `reader` cannot be read.
    pub fn new(reader: R) -> io::Result<Decompressor<R>> {
        let mut head = Vec::new();
        let mut reader = ErrorTracker { inner: reader, failed: false };
        (&mut reader).take(ZSTD.len() as u64).read_to_end(&mut head)?;
        let compression = compression_of(&head);
        let source = BufReader::with_capacity(64 * 1024, Cursor::new(head).chain(reader));
        let decoder = match compression {
            Some(Compression::Gzip) => {
                Decoder::Gzip(BufReader::with_capacity(PIECE, flate2::bufread::MultiGzDecoder::new(source)))
            }
            Some(Compression::Zstd) => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
                decoder.window_log_max(ZSTD_MAX_WINDOW_LOG)?;
                Decoder::Zstd(BufReader::with_capacity(PIECE, decoder))
            }
            None => Decoder::Plain(source),
        };
        Ok(Decompressor { decoder, failed: None })
    }

    /// Returns whether the file is not compressed.
    pub fn is_plain(&self) -> bool {
        matches!(self.decoder, Decoder::Plain(_))
    }

    /// Reads the next bytes; 0 at the end.
    ///
    /// # Errors
    ///
    /// If the compressed data is damaged, or if the file cannot be read.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut length = 0;
        while length < buffer.len() {
            let result = match &mut self.decoder {
                Decoder::Plain(reader) => reader.read(&mut buffer[length..]),
                Decoder::Gzip(decoder) => read_piece(decoder, &mut buffer[length..]),
                Decoder::Zstd(decoder) => read_piece(decoder, &mut buffer[length..]),
            };
            match result {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if length == 0 => return Err(self.explain(error)),
                Err(error) => {
                    self.failed = Some(self.explain(error));
                    break;
                }
            }
            // Do not wait for more bytes while there are some.
            if self.is_plain() || self.compressed().is_none_or(|source| source.buffer().is_empty()) {
                break;
            }
        }
        Ok(length)
    }

    /// Returns the source of the decoder; `None` if the file is not compressed.
    fn compressed(&self) -> Option<&Source<R>> {
        match &self.decoder {
            Decoder::Plain(_) => None,
            Decoder::Gzip(decoder) => Some(decoder.get_ref().get_ref()),
            Decoder::Zstd(decoder) => Some(decoder.get_ref().get_ref()),
        }
    }

    fn explain(&self, error: io::Error) -> ReadError {
        let name = match &self.decoder {
            Decoder::Plain(_) => return ReadError::Unreadable(error),
            Decoder::Gzip(_) => "gzip",
            Decoder::Zstd(_) => "zstd",
        };
        if self.compressed().is_some_and(|source| source.get_ref().get_ref().1.failed) {
            ReadError::Unreadable(error)
        } else {
            ReadError::Damaged(format!("{name}: {error}"))
        }
    }
}

/// Reads the next bytes of a decoder, as many as it gives in one piece.
fn read_piece(decoder: &mut impl BufRead, buffer: &mut [u8]) -> io::Result<usize> {
    let bytes = decoder.fill_buf()?;
    let count = bytes.len().min(buffer.len());
    buffer[..count].copy_from_slice(&bytes[..count]);
    decoder.consume(count);
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Returns the bytes that can be read in pieces of `size`, and whether the data is damaged.
    fn read(compressed: &[u8], size: usize) -> (Vec<u8>, bool) {
        let mut reader = Decompressor::new(compressed).expect("it is in memory");
        let (mut buffer, mut all) = (vec![0; size], Vec::new());
        loop {
            match reader.read(&mut buffer) {
                Ok(0) => return (all, false),
                Ok(count) => all.extend_from_slice(&buffer[..count]),
                Err(_) => return (all, true),
            }
        }
    }

    #[test]
    fn what_comes_before_damage_does_not_depend_on_how_it_is_read() {
        let line = b"{\"type\":\"session.status\",\"payload\":{\"session_id\":\"ses_1\"}}\n";
        for lines in [100, 3000, 10_000] {
            let text = line.repeat(lines);
            let mut zstd = zstd::stream::write::Encoder::new(Vec::new(), 1).expect("it is in memory");
            zstd.include_checksum(true).expect("it is in memory");
            zstd.write_all(&text).expect("it is in memory");
            let mut zstd = zstd.finish().expect("it is in memory");
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(&text).expect("it is in memory");
            let mut gzip = gzip.finish().expect("it is in memory");
            for compressed in [&mut zstd, &mut gzip] {
                assert_eq!(read(compressed, 1000), (text.clone(), false));
                for at in [compressed.len() / 3, compressed.len() / 2, compressed.len() - 5, compressed.len() - 1] {
                    compressed[at] ^= 0xFF;
                    let first = read(compressed, 1000);
                    for size in [16, 16 * 1024, 64 * 1024, 256 * 1024] {
                        assert!(first == read(compressed, size), "{lines} lines, {at}, {size}");
                    }
                    compressed[at] ^= 0xFF;
                }
            }
            // The checksum is at the very end.
            zstd.truncate(zstd.len() - 1);
            let (before, is_damaged) = read(&zstd, 64 * 1024);
            assert!(is_damaged && before.len() + PIECE >= text.len(), "{} of {}", before.len(), text.len());
        }
    }
}
