//! A flowchart for Mermaid; each lifecycle is a subgraph.

use std::fmt::{self, Write};

use sessionlint_core::protocol::Protocol;

use super::{Edge, Graph, Node, labels, legend};

/// Maximum number of characters in a line of a box.
const LINE: usize = 40;
/// The style of states and moves that no recording has reached.
const NEVER: &str = "stroke:#768390,color:#768390,stroke-dasharray:1 4";

/// Writes the lifecycles as one Mermaid flowchart.
///
/// # Errors
///
/// Returns only errors of the writer.
pub fn mermaid(out: &mut String, protocol: &Protocol, graphs: &[Graph]) -> fmt::Result {
    writeln!(out, "flowchart TD")?;
    if graphs.iter().flat_map(|graph| &graph.nodes).any(|node| node.recovery) {
        writeln!(out, "  classDef recovery stroke-dasharray: 5 4")?;
    }
    writeln!(out, "  classDef words fill:none,stroke:none,text-align:left")?;
    if graphs.iter().any(|graph| graph.counted) {
        writeln!(out, "  classDef never {NEVER}")?;
    }
    // Links cannot have classes: they are styled by their index, in the order in which they are drawn.
    let (mut lines_drawn, mut never) = (0, Vec::new());
    for (number, graph) in graphs.iter().enumerate() {
        writeln!(out, "  subgraph g{number}[\"{}\"]", escaped(&graph.title))?;
        for (state, node) in graph.nodes.iter().enumerate() {
            if node.initial {
                writeln!(out, "    start{number}((\"start\")) --> s{number}_{state}")?;
                lines_drawn += 1;
            }
            let class = match node {
                Node { never: true, .. } => ":::never",
                Node { recovery: true, .. } => ":::recovery",
                _ => "",
            };
            writeln!(out, "    s{number}_{state}[\"{}\"]{class}", node_label(node))?;
        }
        for edge in &graph.edges {
            let line = match edge {
                Edge { rule: Some(_), .. } => "-.->",
                Edge { usual: true, .. } => "==>",
                _ => "-->",
            };
            let mut lines: Vec<_> = edge.rule.iter().map(|rule| format!("✗ {rule}")).collect();
            lines.extend(edge.events.iter().cloned());
            let (from, to) = (edge.from, edge.to);
            writeln!(out, "    s{number}_{from} {line}|\"{}\"| s{number}_{to}", label(&lines))?;
            never.extend(edge.never.then(|| lines_drawn.to_string()));
            lines_drawn += 1;
        }
        if !graph.notes.is_empty() {
            writeln!(out, "    notes{number}[\"{}\"]:::words", label(&graph.notes))?;
        }
        writeln!(out, "  end")?;
    }
    if !never.is_empty() {
        writeln!(out, "  linkStyle {} {NEVER}", never.join(","))?;
    }
    writeln!(out, "  legend[\"{}\"]:::words", label(&legend(protocol.tables(), graphs)))
}

/// Returns the label of a state: its name and the lines below it.
fn node_label(node: &Node) -> String {
    let name = format!("<b>{}</b>", escaped(&node.name));
    let below = labels::box_lines(node, LINE).into_iter().map(|(_, line)| format!("<br/>{}", escaped(&line)));
    std::iter::once(name).chain(below).collect()
}

fn label(lines: &[String]) -> String {
    lines.iter().map(|line| escaped(line)).collect::<Vec<_>>().join("<br/>")
}

/// Escapes a text within quotes. Mermaid interprets directives, comments, Markdown, formulas and HTML in texts, so that
/// every character that is not known to be harmless is written as its code point.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_alphanumeric() || !c.is_ascii() || matches!(c, ' ' | '.' | ',' | '-' | '(' | ')' | '=') {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", c as u32);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn no_text_leaves_its_quotes() {
        assert_eq!(escaped("a\"]; click s0 \"x"), "a#34;#93;#59; click s0 #34;x");
        assert_eq!(escaped("%%{init}%% <b>"), "#37;#37;#123;init#125;#37;#37; #60;b#62;");
        assert_eq!(escaped("`md` #35; $$x$$ a|b"), "#96;md#96; #35;35#59; #36;#36;x#36;#36; a#124;b");
        assert_eq!(escaped("tool.call (ok = true), ✗ é"), "tool.call (ok = true), ✗ é");
    }
}
