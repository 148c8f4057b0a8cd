//! gzip and zstd, found from the content.

use std::borrow::Cow;
use std::io::{self, BufReader, Chain, Cursor, Read};

const GZIP: [u8; 2] = [0x1F, 0x8B];
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// Frames that zstd decoders skip start with 0x184D2A50 to 0x184D2A5F, in little-endian order.
const ZSTD_SKIPPABLE: [u8; 3] = [0x2A, 0x4D, 0x18];
/// The largest window that a zstd frame may ask for: 2^27 bytes, as the `zstd` program allows.
const ZSTD_MAX_WINDOW_LOG: u32 = 27;

/// What went wrong with reading.
#[derive(Debug)]
pub enum ReadError {
    /// The compressed data is damaged or stops early, and how: a fault of the input.
    Damaged(String),
    /// The file itself could not be read: a fault of the run.
    Unreadable(io::Error),
}

/// A file's bytes, decompressed if need be.
pub struct Decompressed<R: Read>(Kind<R>);

/// The first bytes, looked at already, and what follows them.
type Source<R> = BufReader<Chain<Cursor<Vec<u8>>, Watched<R>>>;

enum Kind<R: Read> {
    Plain(Source<R>),
    Gzip(flate2::bufread::MultiGzDecoder<Source<R>>),
    Zstd(zstd::stream::read::Decoder<'static, Source<R>>),
}

/// How a file that begins so is compressed, if it is.
fn form(head: &[u8]) -> Option<Form> {
    let skippable = head.len() >= 4 && head[0] & 0xF0 == 0x50 && head[1..4] == ZSTD_SKIPPABLE;
    match head {
        _ if head.starts_with(&GZIP) => Some(Form::Gzip),
        _ if head.starts_with(&ZSTD) || skippable => Some(Form::Zstd),
        _ => None,
    }
}

enum Form {
    Gzip,
    Zstd,
}

/// Whether a file that begins so is compressed.
pub fn is_compressed(head: &[u8]) -> bool {
    form(head).is_some()
}

/// Remembers that an error came from the file and not from its content.
struct Watched<R> {
    inner: R,
    failed: bool,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.inner.read(buffer);
        self.failed |= result.is_err();
        result
    }
}

/// The beginning of what a file holds, no more than `most` bytes, from the beginning of the file.
pub fn beginning(raw: &[u8], most: usize) -> Cow<'_, [u8]> {
    if !is_compressed(raw) {
        return Cow::Borrowed(&raw[..raw.len().min(most)]);
    }
    let (mut text, mut length) = (vec![0; most], 0);
    if let Ok(mut reader) = Decompressed::new(raw) {
        // The end is cut off; what comes before it counts.
        while length < text.len()
            && let Ok(count @ 1..) = reader.read(&mut text[length..])
        {
            length += count;
        }
    }
    text.truncate(length);
    Cow::Owned(text)
}

impl<R: Read> Decompressed<R> {
    /// Looks at the first bytes of `reader`.
    ///
    /// # Errors
    ///
    /// When `reader` cannot be read.
    pub fn new(reader: R) -> io::Result<Decompressed<R>> {
        let mut head = Vec::new();
        let mut reader = Watched { inner: reader, failed: false };
        (&mut reader).take(ZSTD.len() as u64).read_to_end(&mut head)?;
        let form = form(&head);
        let source = BufReader::with_capacity(64 * 1024, Cursor::new(head).chain(reader));
        Ok(Decompressed(match form {
            Some(Form::Gzip) => Kind::Gzip(flate2::bufread::MultiGzDecoder::new(source)),
            Some(Form::Zstd) => {
                let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
                decoder.window_log_max(ZSTD_MAX_WINDOW_LOG)?;
                Kind::Zstd(decoder)
            }
            None => Kind::Plain(source),
        }))
    }

    /// Whether what is read is what stands in the file.
    pub fn is_plain(&self) -> bool {
        matches!(self.0, Kind::Plain(_))
    }

    /// Reads the next bytes; 0 at the end.
    ///
    /// # Errors
    ///
    /// When the compressed data is damaged, or the file cannot be read.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        loop {
            let result = match &mut self.0 {
                Kind::Plain(reader) => reader.read(buffer),
                Kind::Gzip(decoder) => decoder.read(buffer),
                Kind::Zstd(decoder) => decoder.read(buffer),
            };
            match result {
                Ok(count) => return Ok(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.explain(error)),
            }
        }
    }

    fn explain(&self, error: io::Error) -> ReadError {
        let (name, source) = match &self.0 {
            Kind::Plain(_) => return ReadError::Unreadable(error),
            Kind::Gzip(decoder) => ("gzip", decoder.get_ref()),
            Kind::Zstd(decoder) => ("zstd", decoder.get_ref()),
        };
        if source.get_ref().get_ref().1.failed {
            ReadError::Unreadable(error)
        } else {
            ReadError::Damaged(format!("{name} says: {error}"))
        }
    }
}
