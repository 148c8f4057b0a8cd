//! Surveys a text: whether it belongs to the protocol at all, the number of its events, their time, and a fingerprint.
//!
//! Everything is derived from the compiled protocol: no event and no field is known here by its name.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use memchr::memmem::Finder;
use sessionlint_core::event::Options;
use sessionlint_core::event::parse_frame;
use sessionlint_core::event::{Event, NotAnEvent, timestamp};
use sessionlint_core::finding::Place;
use sessionlint_core::input::json::{Node, NodeKind, inner, unescaped};
use sessionlint_core::input::{Frame, Input, Piece, Wire};
use sessionlint_core::protocol::Protocol;
use sessionlint_core::records::Classifier;
use sessionlint_core::schema::Pointer;
use sessionlint_core::schema::date_time::{self, Time};
use sessionlint_core::text::nearest;

/// Finds the events of a protocol in texts.
pub struct Surveyor<'p> {
    protocol: &'p Protocol,
    /// The name of each event type, in quotes.
    quoted: Vec<Finder<'static>>,
    /// The fields that all event types require, apart from the type itself.
    required: Vec<Pointer>,
}

/// The result of surveying a text.
#[derive(Default)]
pub struct Survey {
    /// Number of events, including those of unknown types.
    pub events: u64,
    /// Number of frames, including broken ones.
    pub pieces: u64,
    /// Whether a part of the text cannot be read.
    pub broken: bool,
    /// Whether the text holds anything of the protocol, as far as it can be read.
    pub of_protocol: bool,
    /// Whether known event types occur inside other JSON, while no frame holds anything of the protocol.
    pub encloses: bool,
    /// The source text of the first event, with its wrapper.
    pub first: Option<Vec<u8>>,
    /// The time that all events share; `None` if they differ, or if an event has none.
    pub instant: Option<SharedTime>,
    /// A fingerprint of the contents; `None` if there are none.
    pub digest: Option<u64>,
}

/// A time that all events so far share.
pub struct SharedTime {
    pub time: Time,
    /// The spelling in the first event.
    pub written: Arc<str>,
    /// The place of the time in the second event.
    pub second: Option<Place>,
}

impl<'p> Surveyor<'p> {
    pub fn new(protocol: &'p Protocol) -> Surveyor<'p> {
        let quoted = |name: &str| Finder::new(format!("\"{name}\"").as_bytes()).into_owned();
        let events = &protocol.tables().events;
        let required = events.iter().map(|event| event.schema.required().into_iter().collect::<BTreeSet<_>>());
        let of_all = required.reduce(|all, more| &all & &more).unwrap_or_default();
        let event_type = &protocol.tables().shape.event_type;
        // A member for the type occurs in many other JSON texts, too.
        let of_all = of_all.into_iter().map(|name| Pointer(vec![name.to_owned()]));
        let required = of_all.filter(|field| !field.contains(event_type)).collect();
        Surveyor { protocol, quoted: events.iter().map(|event| quoted(&event.name)).collect(), required }
    }

    /// Returns whether a known event type occurs anywhere in a text.
    fn names_event_type(&self, text: &[u8]) -> bool {
        self.quoted.iter().any(|name| name.find(text).is_some())
    }

    /// Surveys a text. `records`: the classifier of records, if the text holds stored records instead of events.
    pub fn survey(&self, text: &[u8], options: &Options, records: Option<&Classifier<'_>>) -> Survey {
        let mut input = Input::new(options.wire(), options.max_line_bytes()).reading(self.protocol.texts());
        let mut survey = Survey::default();
        let mut hasher = DefaultHasher::new();
        let mut piece = |piece: Piece<'_>| {
            survey.pieces += 1;
            let frame = match piece {
                Piece::Frame(frame) => frame,
                Piece::Stray(frame) => {
                    survey.broken = true;
                    return frame.text.hash(&mut hasher);
                }
                Piece::Odd(oddity, _) => return oddity.hash(&mut hasher),
                Piece::Fault(broken) => {
                    survey.broken = true;
                    return (broken.rule, broken.message).hash(&mut hasher);
                }
            };
            match (parse_frame(&frame), records) {
                (Ok(tree), None) => self.frame(&frame, &tree.root, options, &mut survey, &mut hasher),
                (Ok(tree), Some(classifier)) => {
                    survey.of_protocol = survey.of_protocol || classifier.has_complete_record(&tree.root, frame.text);
                    digest(&tree.root, frame.text, &mut hasher);
                }
                (Err(_), None) if self.protocol.texts().any(|text| text.as_bytes() == frame.text.trim_ascii()) => {
                    survey.events += 1;
                    survey.of_protocol = true;
                    frame.text.hash(&mut hasher);
                }
                (Err(_), _) => {
                    survey.broken = true;
                    frame.text.hash(&mut hasher);
                }
            }
        };
        input.feed(text, &mut piece);
        input.finish(&mut piece);
        survey.digest = (survey.pieces > 0).then(|| hasher.finish());
        if records.is_none() && !survey.of_protocol && self.names_event_type(text) {
            (survey.of_protocol, survey.encloses) = (survey.broken, !survey.broken);
        }
        survey
    }

    fn frame(&self, frame: &Frame<'_>, root: &Node, options: &Options, survey: &mut Survey, hasher: &mut impl Hasher) {
        let text = frame.text;
        let event = match Event::find(root, text, self.protocol, options.wire() == Some(Wire::JsonRpc)) {
            Ok(event) => event,
            Err(found) => {
                // An object without a type may be an event that lost it.
                survey.of_protocol |= matches!(found, NotAnEvent::Other(..)) && self.has_required(root, text);
                return digest(root, text, hasher);
            }
        };
        survey.events += 1;
        let known = || self.protocol.tables().events.iter().map(|event| &*event.name);
        survey.of_protocol = survey.of_protocol
            || event.event_type.is_some()
            || nearest(&event.name, known()).is_some()
            || self.has_required(event.node, text);
        digest(event.node, text, hasher);
        let at = self.protocol.tables().shape.time.as_ref();
        let field = at.map(|at| event.field(text, at));
        let written =
            field.and_then(|field| timestamp(text, field)).map(|time| String::from_utf8_lossy(&time).into_owned());
        let time = written.as_deref().and_then(date_time::parse);
        if survey.events == 1 {
            survey.first = Some(text.to_vec());
            survey.instant =
                time.zip(written).map(|(time, written)| SharedTime { time, written: written.into(), second: None });
            return;
        }
        survey.instant = survey.instant.take().filter(|instant| time == Some(instant.time));
        if survey.events == 2
            && let Some(instant) = &mut survey.instant
            && let Some(node) = at.and_then(|at| event.node.at(text, &at.0))
        {
            instant.second = Some(frame.place(node.span.clone(), Some(1)));
        }
    }

    fn has_required(&self, node: &Node, text: &[u8]) -> bool {
        !self.required.is_empty() && self.required.iter().all(|field| node.at(text, &field.0).is_some())
    }
}

/// Adds a value to the fingerprint of a text. White space and escapes do not matter; the order of keys and the spelling
/// of numbers do.
fn digest(node: &Node, text: &[u8], hasher: &mut impl Hasher) {
    match &node.kind {
        NodeKind::Null => 0_u8.hash(hasher),
        NodeKind::Bool(value) => (1_u8, value).hash(hasher),
        NodeKind::Number => (2_u8, &text[node.span.clone()]).hash(hasher),
        NodeKind::String => (3_u8, &*unescaped(inner(text, &node.span))).hash(hasher),
        NodeKind::Array(items) => {
            (4_u8, items.len()).hash(hasher);
            items.iter().for_each(|item| digest(item, text, hasher));
        }
        NodeKind::Object(members) => {
            (5_u8, members.len()).hash(hasher);
            for member in members {
                unescaped(inner(text, &member.key)).hash(hasher);
                digest(&member.value, text, hasher);
            }
        }
    }
}
