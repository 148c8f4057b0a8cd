//! An SVG image, which can be viewed without another program. Each lifecycle is drawn below the one before it.

use std::fmt::{self, Write};

use sessionlint_core::protocol::Protocol;

use super::labels::{self, LineStyle};
use super::layout::{EdgeShape, Layout, NodeShape, RankEdge, Rect, Size, layout, ranks};
use super::{Edge, Graph, Node, legend};

/// Width of a character of small text, of a state's name, and of a lifecycle's title. The font is monospaced, so that
/// the width of a text is known.
const SMALL: f64 = 6.7;
const NAME: f64 = 8.6;
const TITLE: f64 = 9.8;
const LINE: f64 = 14.0;
const NAME_LINE: f64 = 19.0;
const PADDING: f64 = 8.0;
/// Space around the image.
const MARGIN: f64 = 24.0;
/// Space for the mark of the initial state.
const START: f64 = 36.0;
/// Distance from a box to the label of a loop at its side.
const LOOP: f64 = 30.0;
/// Maximum number of characters in a line of a box, and of a label.
const BOX_LINE: usize = 34;
const LABEL_LINE: usize = 26;
/// Number of characters in a line of notes, if the picture is not wider.
const NOTE_LINE: usize = 96;

/// The style sheet: dark text on a light card, or the other way round if the reader's system is dark. The card gives
/// contrast on any background.
const STYLE: &str = "\
text{font-family:'DejaVu Sans Mono','SF Mono',Menlo,Consolas,monospace;font-size:11px;fill:#1f2328}
.title{font-size:16px;font-weight:bold}.name{font-size:14px;font-weight:bold}.rule{fill:#b3261e}.note{fill:#59636e}
.card{fill:#ffffff}.box{fill:#eef4fb;stroke:#2f5d8a;stroke-width:1.5}.recovery{fill:#ffffff;stroke-dasharray:5 4}
.legal{fill:none;stroke:#2f5d8a;stroke-width:2}.usual{stroke-width:4}.forbidden{fill:none;stroke:#b3261e;stroke-width:1.3;stroke-dasharray:5 4}
.tip{fill:#2f5d8a}.forbidden-tip{fill:#b3261e}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.rule{fill:#ff9d94}.note{fill:#9da7b1}.card{fill:#0d1117}
.box{fill:#172434;stroke:#79b8ff}.recovery{fill:#0d1117}.legal{stroke:#79b8ff}.forbidden{stroke:#ff9d94}
.tip{fill:#79b8ff}.forbidden-tip{fill:#ff9d94}}
";

/// The style sheet of states and moves that no recording has reached.
const NEVER: &str = "\
.never{fill:none;stroke:#768390;stroke-width:1.3;stroke-dasharray:1 4}.never-tip,.never-words{fill:#768390}
.unseen{fill:none;stroke:#768390;stroke-dasharray:1 4}
";

/// Writes the lifecycles as one SVG document.
///
/// # Errors
///
/// Returns only errors of the writer.
pub fn svg(out: &mut String, protocol: &Protocol, graphs: &[Graph]) -> fmt::Result {
    let panels: Vec<_> = graphs.iter().map(Panel::new).collect();
    let mut width = panels.iter().map(Panel::width).fold(0.0, f64::max);
    let notes = ((width / SMALL) as usize).max(NOTE_LINE);
    let sentences = |all: &[String]| all.iter().flat_map(|note| labels::wrapped(note, notes)).collect::<Vec<_>>();
    let legend = sentences(&legend(protocol.tables(), graphs));
    let notes_of: Vec<_> = graphs.iter().map(|graph| sentences(&graph.notes)).collect();
    for line in legend.iter().chain(notes_of.iter().flatten()) {
        width = width.max(LEGEND_SAMPLE + text_width(line, SMALL));
    }
    let mut body = String::new();
    let mut y = MARGIN;
    for ((panel, graph), notes) in panels.iter().zip(graphs).zip(&notes_of) {
        text(&mut body, MARGIN, y + 15.0, "title", &graph.title)?;
        y += 26.0;
        for note in notes {
            let class = if note.starts_with('✗') { "rule" } else { "note" };
            text(&mut body, MARGIN, y + 11.0, class, note)?;
            y += LINE + 2.0;
        }
        panel.draw(&mut body, MARGIN, y + START)?;
        y += START + panel.layout.size.height + 2.0 * MARGIN;
    }
    y = draw_legend(&mut body, y, &legend)?;
    let (width, height) = ((width + 2.0 * MARGIN).ceil(), (y + MARGIN).ceil());
    let name = escaped(&labels::printable(protocol.title()));
    writeln!(
        out,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img">"#
    )?;
    let counted = graphs.iter().any(|graph| graph.counted);
    let never = if counted { NEVER } else { "" };
    writeln!(out, "<title>{name}: the order of events</title>\n<style>\n{STYLE}{never}</style>\n<defs>")?;
    for (id, class) in [("legal", "tip"), ("forbidden", "forbidden-tip"), ("never", "never-tip")] {
        if id == "never" && !counted {
            continue;
        }
        writeln!(
            out,
            r#"<marker id="{id}" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="{class}" d="M0 0.5L8 4L0 7.5z"/></marker>"#
        )?;
    }
    writeln!(out, "</defs>\n<rect class=\"card\" width=\"{width}\" height=\"{height}\" rx=\"8\"/>")?;
    writeln!(out, "{body}</svg>")
}

/// Width of the samples of lines and boxes before the text of the legend.
const LEGEND_SAMPLE: f64 = 56.0;

fn draw_legend(out: &mut String, mut y: f64, legend: &[String]) -> Result<f64, fmt::Error> {
    let (left, right) = (MARGIN, MARGIN + LEGEND_SAMPLE - 14.0);
    for words in legend {
        let middle = y + 7.0;
        if words.starts_with("dashed box") {
            let (width, height) = (right - left, 12.0);
            let top = middle - 6.0;
            writeln!(
                out,
                r#"<rect class="box recovery" x="{left}" y="{top}" width="{width}" height="{height}" rx="4"/>"#
            )?;
        } else if let Some(class) =
            [("solid", "legal"), ("thick", "legal usual"), ("dashed", "forbidden"), ("dotted", "never")]
                .iter()
                .find_map(|(start, class)| words.starts_with(start).then_some(class))
        {
            let tip = tip(class);
            writeln!(out, r#"<path class="{class}" d="M{left} {middle}H{right}" marker-end="url(#{tip})"/>"#)?;
        }
        text(out, MARGIN + LEGEND_SAMPLE, y + 11.0, "note", words)?;
        y += LINE + 4.0;
    }
    Ok(y)
}

/// The picture of one lifecycle, with its layout.
pub(super) struct Panel<'g> {
    graph: &'g Graph,
    pub boxes: Vec<Vec<(LineStyle, String)>>,
    /// The edges between two different states.
    pub edges: Vec<&'g Edge>,
    loops: Vec<Vec<&'g Edge>>,
    pub layout: Layout,
}

impl<'g> Panel<'g> {
    pub(super) fn new(graph: &'g Graph) -> Panel<'g> {
        let boxes: Vec<_> = graph.nodes.iter().map(|node| labels::box_lines(node, BOX_LINE)).collect();
        let (loops, edges): (Vec<_>, Vec<_>) = graph.edges.iter().partition(|edge| edge.from == edge.to);
        let loops: Vec<Vec<&Edge>> = (0..graph.nodes.len())
            .map(|node| loops.iter().copied().filter(|edge| edge.from == node).collect())
            .collect();
        let rank_edges: Vec<_> =
            edges.iter().map(|edge| RankEdge { from: edge.from, to: edge.to, legal: edge.rule.is_none() }).collect();
        let ranks = ranks(graph.nodes.len(), &rank_edges);
        let shapes: Vec<_> = (0..graph.nodes.len())
            .map(|node| {
                let labels: Vec<_> = loops[node].iter().map(|edge| label_size(edge)).collect();
                let looped = labels.iter().map(|label| label.height + PADDING).sum::<f64>();
                let wide = labels.iter().map(|label| label.width).fold(0.0, f64::max);
                let name = text_width(&graph.nodes[node].name, NAME);
                let text = boxes[node].iter().map(|(_, line)| text_width(line, SMALL)).fold(name, f64::max);
                let height = NAME_LINE + boxes[node].len() as f64 * LINE + 1.5 * PADDING;
                NodeShape {
                    rank: ranks[node],
                    size: Size { width: text.max(70.0) + 2.0 * PADDING, height: height.max(looped) },
                    beside: if labels.is_empty() { 0.0 } else { LOOP + wide },
                }
            })
            .collect();
        let shaped: Vec<_> = edges
            .iter()
            .map(|edge| EdgeShape {
                from: edge.from,
                to: edge.to,
                label: label_size(edge),
                pull: if edge.rule.is_none() { 3.0 } else { 1.0 },
            })
            .collect();
        let layout = layout(&shapes, &shaped);
        Panel { graph, boxes, edges, loops, layout }
    }

    fn width(&self) -> f64 {
        self.layout.size.width.max(text_width(&self.graph.title, TITLE))
    }

    fn draw(&self, out: &mut String, x: f64, y: f64) -> fmt::Result {
        writeln!(out, r#"<g transform="translate({x:.1} {y:.1})">"#)?;
        for (edge, points) in self.edges.iter().zip(&self.layout.lines) {
            let class = class(edge);
            let tip = tip(class);
            writeln!(out, r#"<path class="{class}" d="{}" marker-end="url(#{tip})"/>"#, path(points))?;
        }
        for (edge, place) in self.edges.iter().zip(&self.layout.labels) {
            label(out, *place, edge)?;
        }
        for (state, place) in self.layout.nodes.iter().enumerate() {
            self.draw_node(out, state, *place)?;
            for (edge, path, place) in self.loops_of(state) {
                let class = class(edge);
                writeln!(out, r#"<path class="{class}" d="{path}" marker-end="url(#{class})"/>"#)?;
                label(out, place, edge)?;
            }
        }
        writeln!(out, "</g>")
    }

    /// Returns the moves from a state back to it, each with the path of its line and the place of its label.
    pub(super) fn loops_of(&self, state: usize) -> Vec<(&'g Edge, String, Rect)> {
        let place = self.layout.nodes[state];
        let mut top = place.y;
        let mut loops = Vec::new();
        for edge in &self.loops[state] {
            let size = label_size(edge);
            let (right, middle) = (place.right(), top + (size.height + PADDING) / 2.0);
            let (out, above, below) = (right + LOOP, middle - 6.0, middle + 6.0);
            let (first, second) = (middle - 16.0, middle + 16.0);
            let path = format!("M{right:.1} {above:.1}C{out:.1} {first:.1} {out:.1} {second:.1} {right:.1} {below:.1}");
            loops.push((*edge, path, Rect { x: out - 4.0, y: middle - size.height / 2.0, size }));
            top += size.height + PADDING;
        }
        loops
    }

    fn draw_node(&self, out: &mut String, state: usize, place: Rect) -> fmt::Result {
        let node = &self.graph.nodes[state];
        let middle = place.x + place.size.width / 2.0;
        if node.initial {
            let top = place.y - START + 10.0;
            writeln!(out, r#"<circle class="tip" cx="{middle:.1}" cy="{top:.1}" r="5"/>"#)?;
            let y = place.y;
            writeln!(out, r#"<path class="legal" d="M{middle:.1} {top:.1}V{y:.1}" marker-end="url(#legal)"/>"#)?;
            text(out, middle + 10.0, top + 4.0, "note", "start")?;
        }
        let class = match node {
            Node { never: true, .. } => "box unseen",
            Node { recovery: true, .. } => "box recovery",
            _ => "box",
        };
        let Size { width, height } = place.size;
        writeln!(
            out,
            r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{width:.1}" height="{height:.1}" rx="8"/>"#,
            place.x, place.y
        )?;
        let lines = &self.boxes[state];
        let inside = NAME_LINE + lines.len() as f64 * LINE;
        let mut y = place.y + (height - inside) / 2.0 + 13.0;
        text(out, place.x + PADDING, y, "name", &node.name)?;
        y += NAME_LINE - LINE;
        for (line, words) in lines {
            y += LINE;
            text(out, place.x + PADDING, y, if *line == LineStyle::Rule { "rule" } else { "note" }, words)?;
        }
        Ok(())
    }
}

/// Returns the marker at the end of a line of a class.
fn tip(class: &str) -> &str {
    class.split(' ').next().unwrap_or(class)
}

fn class(edge: &Edge) -> &'static str {
    match edge {
        Edge { never: true, .. } => "never",
        Edge { rule: Some(_), .. } => "forbidden",
        Edge { usual: true, .. } => "legal usual",
        _ => "legal",
    }
}

pub(super) fn label_lines(edge: &Edge) -> Vec<String> {
    let rule = edge.rule.iter().map(|rule| format!("✗ {rule}"));
    rule.chain(labels::lines(&edge.events, LABEL_LINE)).collect()
}

fn label_size(edge: &Edge) -> Size {
    let lines = label_lines(edge);
    let width = lines.iter().map(|line| text_width(line, SMALL)).fold(0.0, f64::max);
    Size { width: width + PADDING, height: lines.len() as f64 * LINE + 4.0 }
}

fn label(out: &mut String, place: Rect, edge: &Edge) -> fmt::Result {
    let Size { width, height } = place.size;
    let (x, y) = (place.x, place.y);
    writeln!(out, r#"<rect class="card" x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" rx="3"/>"#)?;
    for (number, line) in label_lines(edge).iter().enumerate() {
        let class = match edge {
            Edge { never: true, .. } => "never-words",
            Edge { rule: Some(_), .. } if number == 0 => "rule",
            _ => "event",
        };
        text(out, x + PADDING / 2.0, y + 11.5 + number as f64 * LINE, class, line)?;
    }
    Ok(())
}

/// Returns the path through points, with straight and curved segments in turn.
pub(super) fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let _ = match (index, index.checked_sub(1).map(|before| points[before])) {
            (_, None) => write!(path, "M{x:.1} {y:.1}"),
            (odd, Some(_)) if odd % 2 == 1 => write!(path, "L{x:.1} {y:.1}"),
            (_, Some((from_x, from_y))) => {
                let middle = (from_y + y) / 2.0;
                write!(path, "C{from_x:.1} {middle:.1} {x:.1} {middle:.1} {x:.1} {y:.1}")
            }
        };
    }
    path
}

/// Returns the width of a text with characters of this width; those of East Asia are twice as wide.
fn text_width(text: &str, character: f64) -> f64 {
    let wide = |c: char| matches!(c as u32, 0x1100..=0x115F | 0x2E80..=0xFFFF | 0x1F000..);
    text.chars().map(|c| if wide(c) { 2.0 * character } else { character }).sum()
}

fn text(out: &mut String, x: f64, y: f64, class: &str, words: &str) -> fmt::Result {
    writeln!(out, r#"<text class="{class}" x="{x:.1}" y="{y:.1}">{}</text>"#, escaped(words))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
