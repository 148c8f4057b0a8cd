//! Turns findings into edits that may fix them.

use std::ops::Range;
use std::sync::Arc;

use sessionlint_core::event::parse_frame;
use sessionlint_core::finding::Finding;
use sessionlint_core::input::Piece;
use sessionlint_core::input::json::Node;
use sessionlint_core::protocol::tables::Fix;

use super::insert::insertion;
use crate::lint::canonical::FixtureReader;

/// A replacement of some bytes of a file.
#[derive(Debug, PartialEq)]
pub struct Edit {
    /// The bytes of the file that are replaced.
    pub at: Range<usize>,
    pub new: Vec<u8>,
    /// The rule whose finding it fixes.
    pub rule: Arc<str>,
}

/// An event of a fixture, with its place in the file.
pub struct Site {
    /// The bytes of its frame in the file.
    pub frame: Range<usize>,
    /// The index of its type in the protocol's tables.
    pub event_type: usize,
    /// The event itself, with offsets in its frame.
    pub event: Node,
    pub stream: Option<String>,
}

/// Returns the edits that the findings propose, in the order of the file and without overlaps.
pub fn propose(reader: &FixtureReader<'_>, bytes: &[u8], findings: &[Finding]) -> Vec<Edit> {
    let mut sites = None;
    let mut edits: Vec<_> = findings
        .iter()
        .filter_map(|finding| {
            let fix = reader.protocol.rule(&finding.rule).and_then(|rule| rule.fix.as_ref());
            let (at, new) = match (&finding.proposal, fix) {
                (Some(proposal), _) => (place(finding, bytes)?, proposal.as_bytes().to_vec()),
                (None, Some(Fix::Negate)) => {
                    let at = place(finding, bytes)?;
                    let new: &[u8] = if &bytes[at.clone()] == b"true" { b"false" } else { b"true" };
                    (at, new.to_vec())
                }
                (None, Some(fix)) => edit_by_events(
                    reader,
                    bytes,
                    finding,
                    fix,
                    sites.get_or_insert_with(|| event_sites(reader, bytes)),
                )?,
                (None, None) => return None,
            };
            Some(Edit { at, new, rule: finding.rule.clone() })
        })
        .collect();
    edits.sort_by_key(|edit| (edit.at.start, edit.at.end));
    edits.dedup_by(|later, earlier| later.at.start < earlier.at.end || later == earlier);
    edits
}

/// Returns the file with the edits applied.
pub fn apply(bytes: &[u8], edits: &[&Edit]) -> Vec<u8> {
    let mut ordered = edits.to_vec();
    ordered.sort_by_key(|edit| (edit.at.start, edit.at.end));
    let (mut new, mut at) = (Vec::with_capacity(bytes.len()), 0);
    for edit in ordered {
        new.extend_from_slice(&bytes[at..edit.at.start]);
        new.extend_from_slice(&edit.new);
        at = edit.at.end;
    }
    new.extend_from_slice(&bytes[at..]);
    new
}

/// Returns the bytes of the key or value that a finding is about; `None` if it has no place within one line.
fn place(finding: &Finding, bytes: &[u8]) -> Option<Range<usize>> {
    let range = finding.place.start as usize..finding.place.end as usize;
    bytes.get(range.clone()).filter(|found| !found.is_empty() && !found.contains(&b'\n')).map(|_| range)
}

/// Returns the edit of a fix that changes or inserts an event of the finding's stream.
fn edit_by_events(
    reader: &FixtureReader<'_>,
    bytes: &[u8],
    finding: &Finding,
    fix: &Fix,
    sites: &[Site],
) -> Option<(Range<usize>, Vec<u8>)> {
    match fix {
        Fix::Negate => None,
        Fix::Set { event_type, at, to } => {
            let before = sites.partition_point(|site| (site.frame.start as u64) < finding.place.start);
            let of_stream = |site: &&Site| site.stream.as_deref() == finding.stream.as_deref();
            let mut of_stream = sites[..before].iter().rev().filter(of_stream);
            let event_type = reader.protocol.event_id(event_type)?;
            let site = of_stream.find(|site| site.event_type == event_type)?;
            let found = site.event.at(&bytes[site.frame.clone()], &at.0)?.span.clone();
            let new = serde_json::to_vec(to).ok()?;
            Some((site.frame.start + found.start..site.frame.start + found.end, new))
        }
        Fix::Insert(template) => {
            let place = finding.related.last().filter(|related| related.file.is_none());
            let start = place.map_or(finding.place.start, |related| related.place.start) as usize;
            let site = sites[..sites.partition_point(|site| site.frame.start <= start)].last()?;
            let site = Some(site).filter(|site| site.frame.contains(&start))?;
            insertion(reader, bytes, site, template)
        }
    }
}

/// Returns the events of a file that are of a known type and occupy one range of bytes.
fn event_sites(reader: &FixtureReader<'_>, bytes: &[u8]) -> Vec<Site> {
    let mut sites = Vec::new();
    reader.pieces(bytes, reader.wire_of(bytes), &mut |piece| {
        let Piece::Frame(frame) = piece else { return };
        if frame.wide {
            return;
        }
        let (Ok(tree), [segment]) = (parse_frame(&frame), frame.segments) else { return };
        let Some(event) = reader.event(&tree, frame.text) else { return };
        let Some(event_type) = event.event_type else { return };
        let start = segment.origin.offset as usize;
        let stream = reader.protocol.tables().shape.stream.as_ref().and_then(|at| {
            let name = event.node.at(frame.text, &at.0)?.to_value(frame.text);
            Some(name.as_str().map_or_else(|| name.to_string(), str::to_owned))
        });
        let event = event.node.clone();
        sites.push(Site { frame: start..start + frame.text.len(), event_type, event, stream });
    });
    sites
}
