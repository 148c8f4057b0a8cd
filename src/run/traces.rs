//! Whether a file of a folder has anything of the protocol in it.

use std::fs::File;
use std::path::Path;

use sessionlint_core::event::{SearchResult, Settings, TraceSearch};
use sessionlint_core::protocol::Protocol;

use super::BLOCK;
use super::paths::is_stream_name;
use crate::compressed::Decompressor;

/// Number of bytes in which nearly every recording has its first event.
const FIRST_BYTES: usize = 8 * 1024;

/// Returns what a file looks like that has nothing of the protocol in it, from its first byte to its last; `None` for
/// every other file, and for one that cannot be read: that is for the check to report. `start`: its beginning,
/// decompressed.
///
/// An empty file is foreign unless it has the ending of a stream, whose producer may have failed.
pub fn foreign_look(protocol: &Protocol, settings: &Settings, path: &Path, start: &[u8]) -> Option<String> {
    if TraceSearch::new(protocol, settings).feed(&start[..start.len().min(FIRST_BYTES)]) {
        return None;
    }
    let mut search = TraceSearch::new(protocol, settings);
    let mut reader = Decompressor::new(File::open(path).ok()?).ok()?;
    let mut block = vec![0; BLOCK];
    loop {
        match reader.read(&mut block).ok()? {
            0 => break,
            count if search.feed(&block[..count]) => return None,
            _ => {}
        }
    }
    match search.finish() {
        SearchResult::Found => None,
        SearchResult::Empty => (!is_stream_name(path)).then(|| "there is nothing in it".to_owned()),
        SearchResult::Foreign(looks) => Some(looks),
    }
}
