//! SARIF 2.1.0, the interchange format of static analysis, for code scanning services and editors.

use std::collections::HashMap;
use std::io::{self, Write};

use serde_json::{Map, Value, json};
use sessionlint_core::finding::{Finding, Place};
use sessionlint_core::protocol::{Protocol, Rule, Rulebook};
use sessionlint_core::text::{count, visible};

use super::detect::begins_with_line;
use super::fingerprint::Fingerprints;
use super::inert::Syntax;
use super::{FileEnd, Format, GapReason, Reporter, RunEnd, json, lint_notes, plain_path, rule_page, uncounted_notes};

/// The format of SARIF logs.
pub const FORMAT: Format = Format {
    name: "sarif",
    about: "SARIF 2.1.0, for code scanning services and editors",
    syntax: Syntax::Json,
    recognises: |beginning| {
        begins_with_line(beginning, r#"{"$schema":"#, r#""runs":[{"tool":{"driver":{"name":"sessionlint","#)
    },
    reporter: |out, rules, _| Box::new(Sarif::new(out, rules)),
};

/// A SARIF log with one run, whose results are written as they are judged.
///
/// Offsets and lines refer to the decompressed file.
pub struct Sarif<'p, W> {
    out: W,
    rules: Rulebook<'p>,
    /// The index of each rule in the driver's list.
    numbers: HashMap<&'p str, usize>,
    fingerprints: Fingerprints,
    /// Notifications about the run itself, written at the end.
    notifications: Vec<Value>,
    any: bool,
    /// Buffer for the value that is being written; kept to reuse its memory.
    text: Vec<u8>,
}

impl<'p, W: Write> Sarif<'p, W> {
    /// Writes to `out`.
    pub fn new(out: W, rules: Rulebook<'p>) -> Sarif<'p, W> {
        let numbers = rules.rules().iter().enumerate().map(|(number, (_, rule))| (&*rule.name, number)).collect();
        let (fingerprints, notifications) = (Fingerprints::default(), Vec::new());
        Sarif { out, rules, numbers, fingerprints, notifications, any: false, text: Vec::new() }
    }

    fn write(&mut self, value: &Value) -> io::Result<()> {
        json::write(&mut self.text, value)?;
        self.out.write_all(&self.text)?;
        self.text.clear();
        Ok(())
    }

    fn result(&mut self, finding: &Finding) -> Value {
        let file = finding.file.as_deref().unwrap_or("-");
        let mut words = visible(&finding.message);
        if let Some(help) = &finding.help {
            words.push_str(&format!("\n{}", visible(help)));
        }
        let mut result = json!({
            "ruleId": &*finding.rule,
            "level": finding.severity.as_str(),
            "message": message(&words),
            "locations": [{"physicalLocation": physical(file, &finding.place)}],
            "partialFingerprints": {"finding/v1": self.fingerprints.next(finding)},
        });
        if let Some(number) = self.numbers.get(&*finding.rule) {
            result["ruleIndex"] = json!(number);
        }
        if !finding.related.is_empty() {
            let related = finding.related.iter().map(|related| {
                let message = message(&visible(&related.message));
                let file = related.file.as_deref().unwrap_or(file);
                json!({"physicalLocation": physical(file, &related.place), "message": message})
            });
            result["relatedLocations"] = related.collect();
        }
        let mut properties = Map::new();
        let texts = [
            ("type", finding.event_type.as_deref()),
            ("stream", finding.stream.as_deref()),
            ("pointer", finding.pointer.as_deref()),
        ];
        properties.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into()))));
        properties.extend(finding.place.event.map(|event| ("event".to_owned(), event.into())));
        if !properties.is_empty() {
            result["properties"] = properties.into();
        }
        result
    }
}

// The text around a place tells where the place ends, so excerpts are needed although none is shown.
impl<W: Write> Reporter for Sarif<'_, W> {
    fn begin(&mut self) -> io::Result<()> {
        let schema = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
        let rules: Vec<_> = self.rules.rules().into_iter().map(|(protocol, rule)| descriptor(protocol, rule)).collect();
        let protocol = self.rules.protocol;
        let version = env!("CARGO_PKG_VERSION");
        let tool = json!({"driver": {
            "name": "sessionlint",
            "version": version,
            "semanticVersion": version,
            "properties": {"protocol": protocol.name(), "protocolVersion": protocol.version()},
            "rules": rules,
        }});
        write!(self.out, r#"{{"$schema":"{schema}","version":"2.1.0","runs":[{{"tool":"#)?;
        self.write(&tool)?;
        self.out.write_all(br#","columnKind":"unicodeCodePoints","results":["#)
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let result = self.result(finding);
        self.text.extend_from_slice(if std::mem::replace(&mut self.any, true) { b",\n" } else { b"\n" });
        self.write(&result)
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        self.fingerprints.next_file();
        if let Some(error) = end.unreadable {
            self.notifications.push(json!({
                "level": "error",
                "message": message(&visible(&error.to_string())),
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(end.file)}}}],
            }));
        }
        Ok(())
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        let mut notifications = std::mem::take(&mut self.notifications);
        let unfound = end.unfound.iter().map(|error| visible(&error.to_string()));
        notifications.extend(unfound.map(|words| json!({"level": "error", "message": message(&words)})));
        // So far, each notification is an input that was not checked.
        let successful = notifications.is_empty();
        if end.hidden > 0 {
            let words = format!("{} not shown (--max-findings)", count(end.hidden, "more finding"));
            notifications.push(json!({"level": "note", "message": message(&words)}));
        }
        let incomplete = end.completeness.words();
        notifications.extend(incomplete.map(|words| json!({"level": "warning", "message": message(&words)})));
        // Findings are results, and inputs that were not read are there already.
        let passed_over = end.completeness.gaps().iter().filter(|gap| gap.reason == GapReason::PassedOver);
        notifications.extend(passed_over.map(|gap| {
            let file = gap.file.as_deref().unwrap_or("-");
            json!({
                "level": "warning",
                "message": message(&visible(&gap.message)),
                "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(file)}}}],
            })
        }));
        let more = end.left_out.and_then(|left_out| left_out.words()).into_iter().chain(lint_notes(end));
        let more = more.chain(uncounted_notes(end));
        notifications.extend(more.map(|known| json!({"level": "note", "message": message(&known)})));
        let invocation = json!({
            "executionSuccessful": successful,
            "toolExecutionNotifications": notifications,
            "properties": {"complete": end.completeness.is_complete()},
        });
        self.out.write_all(b"\n],\"invocations\":[")?;
        self.write(&invocation)?;
        self.out.write_all(b"]}]}\n")?;
        self.out.flush()
    }
}

fn descriptor(protocol: &Protocol, rule: &Rule) -> Value {
    let source = protocol.source().unwrap_or(protocol.title());
    let quotes: String = rule.quotes.iter().map(|quote| format!("\n“{quote}” — {source}")).collect();
    // A rule that is off has no level of its own; the caller's settings may give it one.
    let configuration = match rule.severity {
        Some(severity) => json!({"level": severity.as_str()}),
        None => json!({"enabled": false}),
    };
    let mut descriptor = json!({
        "id": &*rule.name,
        "shortDescription": message(&rule.means),
        "fullDescription": message(&format!("{}{quotes}", rule.means)),
        "help": message(&format!("{}{quotes}", rule.help)),
        "defaultConfiguration": configuration,
        "properties": {"basis": rule.basis},
    });
    if let Some(page) = rule_page(protocol, &rule.name) {
        descriptor["helpUri"] = json!(page);
    }
    descriptor
}

/// Returns a SARIF message: braces are doubled because single ones are placeholders, and `](` is broken up because it
/// would make a link.
fn message(text: &str) -> Value {
    json!({"text": text.replace('{', "{{").replace('}', "}}").replace("](", "]\\(")})
}

/// Returns the physical location of a place.
fn physical(file: &str, place: &Place) -> Value {
    let (line, column, length) = (place.line.max(1), place.column.max(1), place.end.saturating_sub(place.start));
    let mut region = json!({
        "startLine": line,
        "startColumn": column,
        "byteOffset": place.start,
        "byteLength": length,
    });
    if let Some(characters) = characters_of(place) {
        region["endLine"] = json!(line);
        region["endColumn"] = json!(column + characters);
    }
    json!({"artifactLocation": {"uri": uri(file)}, "region": region})
}

/// Returns the length of a place in characters; `None` if its excerpt does not have all of it: the place goes on in
/// another line, or is very long. Such a region ends with its line for whoever reads it, as the standard has it.
fn characters_of(place: &Place) -> Option<u64> {
    let marked = place.excerpt.text.get(place.excerpt.mark.clone())?;
    let is_whole = marked.len() as u64 == place.end.saturating_sub(place.start);
    (is_whole && !marked.is_empty()).then(|| marked.chars().count() as u64)
}

/// Returns a file's name as a relative reference, or as a `file` URI if it is absolute.
fn uri(file: &str) -> String {
    let file = plain_path(file);
    let file = if cfg!(windows) { file.replace('\\', "/") } else { file.to_owned() };
    let mut uri = match file.as_bytes() {
        [b'/', ..] => "file://".to_owned(),
        [drive, b':', b'/', ..] if cfg!(windows) && drive.is_ascii_alphabetic() => "file:///".to_owned(),
        _ => String::new(),
    };
    for byte in file.bytes() {
        match byte {
            // A colon would make the first part of a relative reference a scheme.
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_uris() {
        for (file, expected) in [
            ("logs/a.ndjson", "logs/a.ndjson"),
            ("./a b.ndjson", "a%20b.ndjson"),
            ("../x:1/ä?#%.log", "../x%3A1/%C3%A4%3F%23%25.log"),
            ("-", "-"),
        ] {
            assert_eq!(uri(file), expected);
        }
        assert_eq!(uri("/var/log/a.log"), "file:///var/log/a.log");
    }

    #[test]
    fn a_message_has_no_placeholders_and_no_links() {
        assert_eq!(message("{0} [x](y) `r[0]`")["text"], "{{0}} [x]\\(y) `r[0]`");
    }
}
