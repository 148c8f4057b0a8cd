//! Findings → edits that may mend them.

use std::ops::Range;
use std::sync::Arc;

use sessionlint_core::event::read;
use sessionlint_core::finding::Finding;
use sessionlint_core::input::Piece;
use sessionlint_core::input::json::Node;
use sessionlint_core::protocol::tables::Fix;

use super::insert::inserted;
use crate::lint::canonical::Reading;

/// An edit.
#[derive(Debug, PartialEq)]
pub struct Proposal {
    /// What it takes the place of, in the file.
    pub at: Range<usize>,
    pub new: Vec<u8>,
    /// The rule that it mends.
    pub rule: Arc<str>,
}

/// An event of a fixture, where it stands in the file.
pub struct Site {
    /// Its frame.
    pub frame: Range<usize>,
    /// Its number among the known types.
    pub event_type: usize,
    /// Itself, in its frame.
    pub event: Node,
    pub stream: Option<String>,
}

/// What the findings propose, in the order of the file, no two for the same bytes.
pub fn of_findings(reading: &Reading<'_>, bytes: &[u8], findings: &[Finding]) -> Vec<Proposal> {
    let mut sites = None;
    let mut proposals: Vec<_> = findings
        .iter()
        .filter_map(|finding| {
            let fix = reading.protocol.rule(&finding.rule).and_then(|rule| rule.fix.as_ref());
            let (at, new) = match (&finding.proposal, fix) {
                (Some(proposal), _) => (place(finding, bytes)?, proposal.as_bytes().to_vec()),
                (None, Some(Fix::Negate)) => {
                    let at = place(finding, bytes)?;
                    let new: &[u8] = if &bytes[at.clone()] == b"true" { b"false" } else { b"true" };
                    (at, new.to_vec())
                }
                (None, Some(fix)) => {
                    by_sites(reading, bytes, finding, fix, sites.get_or_insert_with(|| of_file(reading, bytes)))?
                }
                (None, None) => return None,
            };
            Some(Proposal { at, new, rule: finding.rule.clone() })
        })
        .collect();
    proposals.sort_by_key(|proposal| (proposal.at.start, proposal.at.end));
    proposals.dedup_by(|later, earlier| later.at.start < earlier.at.end || later == earlier);
    proposals
}

/// The file with these edits.
pub fn applied(bytes: &[u8], proposals: &[&Proposal]) -> Vec<u8> {
    let mut ordered = proposals.to_vec();
    ordered.sort_by_key(|proposal| (proposal.at.start, proposal.at.end));
    let (mut new, mut at) = (Vec::with_capacity(bytes.len()), 0);
    for proposal in ordered {
        new.extend_from_slice(&bytes[at..proposal.at.start]);
        new.extend_from_slice(&proposal.new);
        at = proposal.at.end;
    }
    new.extend_from_slice(&bytes[at..]);
    new
}

/// The key or the value that a finding stands at.
fn place(finding: &Finding, bytes: &[u8]) -> Option<Range<usize>> {
    let range = finding.place.start as usize..finding.place.end as usize;
    bytes.get(range.clone()).filter(|found| !found.is_empty() && !found.contains(&b'\n')).map(|_| range)
}

/// By the events of the finding's stream.
fn by_sites(
    reading: &Reading<'_>,
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
            let site = of_stream.find(|site| site.event_type == *event_type)?;
            let found = site.event.at(&bytes[site.frame.clone()], &at.0)?.span.clone();
            let new = serde_json::to_vec(to).ok()?;
            Some((site.frame.start + found.start..site.frame.start + found.end, new))
        }
        Fix::Insert(template) => {
            let place = finding.related.last().filter(|related| related.file.is_none());
            let start = place.map_or(finding.place.start, |related| related.place.start) as usize;
            let site = sites[..sites.partition_point(|site| site.frame.start <= start)].last()?;
            let site = Some(site).filter(|site| site.frame.contains(&start))?;
            inserted(reading, bytes, site, template)
        }
    }
}

/// The events of a file that are of a known type and stand in it as they are.
fn of_file(reading: &Reading<'_>, bytes: &[u8]) -> Vec<Site> {
    let mut sites = Vec::new();
    reading.pieces(bytes, reading.wire_of(bytes), &mut |piece| {
        let Piece::Frame(frame) = piece else { return };
        let (Ok(tree), [segment]) = (read(&frame), frame.segments) else { return };
        let Some(event) = reading.event(&tree, frame.text) else { return };
        let Some(event_type) = reading.protocol.event_id(&event.name) else { return };
        let start = segment.origin.offset as usize;
        let stream = reading.protocol.tables().shape.stream.as_ref().and_then(|at| {
            let name = event.node.at(frame.text, &at.0)?.to_value(frame.text);
            Some(name.as_str().map_or_else(|| name.to_string(), str::to_owned))
        });
        let event = event.node.clone();
        sites.push(Site { frame: start..start + frame.text.len(), event_type, event, stream });
    });
    sites
}
