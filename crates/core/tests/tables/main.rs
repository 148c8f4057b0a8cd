//! What the words of a protocol's tables say, each by a protocol that is made for it.

mod conditions;
mod items;
mod likely;
mod objects;
mod order;
mod others;
mod parents;
mod related;
mod series;
mod texts;
mod types;

use sessionlint_core::{Options, Protocol, ProtocolError, check};

/// A protocol in memory: its tables, the schemas of its events, and rules without words of their own.
struct Folder {
    tables: &'static str,
    /// Event types, each with the properties of its schema and those that are required.
    events: &'static [(&'static str, &'static str, &'static [&'static str])],
    rules: &'static [&'static str],
}

impl Folder {
    fn files(&self) -> Vec<(String, String)> {
        let mut toml = format!(
            "name = \"small\"\nversion = \"1\"\n[event]\ntype = \"/type\"\nunknown = \"unknown-event\"\n{}\n",
            self.tables
        );
        for rule in self.rules {
            toml += &format!(
                "[rule.{rule}]\nseverity = \"error\"\nbasis = \"framing\"\nsays = \"{rule}\"\nhelp = \"mend it\"\n"
            );
        }
        let mut files = vec![("protocol.toml".to_owned(), toml)];
        for (name, properties, required) in self.events {
            let schema = format!(
                r#"{{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","required":{:?},"properties":{{"type":{{"const":"{name}"}}{}{properties}}}}}"#,
                [&["type"], *required].concat(),
                if properties.is_empty() { "" } else { "," },
            );
            files.push((format!("{name}.schema.json"), schema));
        }
        files
    }

    #[track_caller]
    fn load(&self) -> Protocol {
        Protocol::from_files("small", self.files()).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Returns what is wrong with the folder, mistake by mistake.
    fn mistakes(&self) -> Vec<String> {
        let error = Protocol::from_files("small", self.files()).err();
        let of_error = |error: ProtocolError| match error.problems() {
            [] => vec![error.to_string()],
            problems => problems.iter().map(|problem| problem.message().to_owned()).collect(),
        };
        error.map(of_error).unwrap_or_default()
    }

    /// Judges lines: returns the rules that are broken, each with its line and the pointer of its finding.
    #[track_caller]
    fn judge(&self, lines: &[&str]) -> Vec<(String, u64, String)> {
        let report = check(&self.load(), lines.join("\n").as_bytes(), Options::default());
        let found = report.findings.into_iter().filter(|found| self.rules.contains(&&*found.rule));
        found
            .map(|found| {
                (found.rule.to_string(), found.place.line, found.pointer.as_deref().unwrap_or_default().to_owned())
            })
            .collect()
    }

    /// Judges lines, and compares the rules that are broken, their lines, and the pointers of their findings.
    #[track_caller]
    fn points(&self, lines: &[&str], expected: &[(&str, u64, &str)]) {
        let found = self.judge(lines);
        let found: Vec<_> = found.iter().map(|(rule, line, at)| (rule.as_str(), *line, at.as_str())).collect();
        assert_eq!(found, expected, "{lines:#?}");
    }

    /// Judges lines, and compares the rules that are broken and their lines.
    #[track_caller]
    fn says(&self, lines: &[&str], expected: &[(&str, u64)]) {
        let found = self.judge(lines);
        let found: Vec<_> = found.iter().map(|(rule, line, _)| (rule.as_str(), *line)).collect();
        assert_eq!(found, expected, "{lines:#?}");
    }
}
