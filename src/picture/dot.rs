//! A digraph for Graphviz; each lifecycle is a cluster.

use std::fmt::{self, Write};

use sessionlint_core::protocol::Protocol;

use super::{Edge, Graph, Node, labels, legend};

/// Maximum number of characters in a line of a box.
const LINE: usize = 40;

/// Writes the lifecycles as one DOT digraph.
///
/// # Errors
///
/// Returns only errors of the writer.
pub fn dot(out: &mut String, protocol: &Protocol, graphs: &[Graph]) -> fmt::Result {
    writeln!(out, "digraph protocol {{")?;
    writeln!(out, "  label=\"{}\";", left_aligned(&legend(protocol.tables(), graphs)))?;
    writeln!(out, "  labeljust=l; fontname=\"Helvetica\"; fontsize=11;")?;
    writeln!(out, "  node [shape=box, style=rounded, fontname=\"Helvetica\", fontsize=11];")?;
    writeln!(out, "  edge [fontname=\"Helvetica\", fontsize=10];")?;
    for (number, graph) in graphs.iter().enumerate() {
        let mut title = vec![graph.title.clone()];
        title.extend(graph.notes.iter().cloned());
        writeln!(out, "  subgraph cluster_{number} {{")?;
        writeln!(out, "    label=\"{}\";", left_aligned(&title))?;
        for (state, node) in graph.nodes.iter().enumerate() {
            if node.initial {
                writeln!(out, "    start_{number} [shape=point, width=0.15, label=\"\"];")?;
                writeln!(out, "    start_{number} -> s{number}_{state};")?;
            }
            let style = match node {
                Node { never: true, .. } => ", style=\"rounded,dotted\", color=\"#768390\", fontcolor=\"#768390\"",
                Node { recovery: true, .. } => ", style=\"rounded,dashed\"",
                _ => "",
            };
            writeln!(out, "    s{number}_{state} [label=\"{}\"{style}];", centred(&node_lines(node)))?;
        }
        for edge in &graph.edges {
            let mut lines: Vec<_> = edge.rule.iter().map(|rule| format!("✗ {rule}")).collect();
            lines.extend(edge.events.iter().cloned());
            let style = match edge {
                Edge { never: true, .. } => ", style=dotted, color=\"#768390\", fontcolor=\"#768390\"",
                Edge { rule: Some(_), .. } => ", style=dashed, color=\"#b3261e\", fontcolor=\"#b3261e\"",
                Edge { usual: true, .. } => ", penwidth=3",
                _ => "",
            };
            let (from, to) = (edge.from, edge.to);
            writeln!(out, "    s{number}_{from} -> s{number}_{to} [label=\"{}\"{style}];", centred(&lines))?;
        }
        writeln!(out, "  }}")?;
    }
    writeln!(out, "}}")
}

fn node_lines(node: &Node) -> Vec<String> {
    let mut lines = vec![node.name.clone()];
    lines.extend(labels::box_lines(node, LINE).into_iter().map(|(_, line)| line));
    lines
}

fn centred(lines: &[String]) -> String {
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("\\n")
}

fn left_aligned(lines: &[String]) -> String {
    lines.iter().map(|line| escaped(line) + "\\l").collect()
}

/// Escapes a text within quotes. In labels, Graphviz has escapes of its own, such as `\N`, and reads `&lt;` as `<`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn no_text_leaves_its_quotes() {
        assert_eq!(escaped(r#"a"]; b [x="\"#), r#"a\"]; b [x=\"\\"#);
        assert_eq!(escaped(r"\N &lt; <b>"), r"\\N &amp;lt; <b>");
    }
}
