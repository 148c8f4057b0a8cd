//! The files of a protocol, as texts by what they are.

use std::io::ErrorKind;
use std::path::Path;

use super::tables::Rule;
use super::{SCHEMA_ENDING, schemas};
use crate::bytes::Digest;
use crate::error::ProtocolError;
use crate::schema::Schema;
use crate::schema::written::SHARED_FILE;

/// The beginning of the name of a schema file of a dialect; the dialect's name follows, and a slash.
const DIALECTS: &str = "dialects/";

/// The texts of a protocol's files.
#[derive(Clone)]
pub(super) struct Folder {
    /// The name of the folder in messages.
    pub(super) name: String,
    /// The text of `protocol.toml`.
    pub(super) protocol: String,
    /// The event types, each with the text of its schema.
    pub(super) schemas: Vec<(String, String)>,
    /// The text of `shared.json`.
    pub(super) shared: Option<String>,
    /// The text of `document.md`.
    pub(super) document: Option<String>,
    /// The text of `examples.toml`.
    pub(super) examples: Option<String>,
    /// The schemas of dialects.
    pub(super) dialects: Vec<DialectSchema>,
    /// The name of the dialect whose schemas are among those of the protocol.
    pub(super) dialect: Option<String>,
}

/// A schema of a dialect, in a folder of its name.
#[derive(Clone)]
pub(super) struct DialectSchema {
    pub(super) dialect: String,
    /// The event type.
    pub(super) event: String,
    pub(super) text: String,
}

impl Folder {
    /// Returns a digest of everything that decides how events are judged. `rules` are passed because those of the
    /// framing are not in a file of the folder.
    pub(super) fn digest(&self, rules: &[Rule]) -> Digest {
        let mut digest = Digest::default();
        rules.iter().for_each(|rule| digest.add(rule.name.as_bytes()));
        digest.add(self.protocol.as_bytes());
        self.shared.iter().for_each(|text| digest.add(text.as_bytes()));
        for (name, text) in &self.schemas {
            digest.add(name.as_bytes());
            digest.add(text.as_bytes());
        }
        digest
    }

    /// Sorts the files of a protocol by their names.
    pub(super) fn new<N: AsRef<str>, T: Into<String>>(
        name: &str,
        files: impl IntoIterator<Item = (N, T)>,
    ) -> Result<Folder, ProtocolError> {
        let (mut protocol, mut schemas, mut shared, mut document, mut examples) = (None, Vec::new(), None, None, None);
        let mut dialects = Vec::new();
        for (file, text) in files {
            if let Some(file) = file.as_ref().strip_prefix(DIALECTS) {
                let (dialect, file) = file.split_once('/').unwrap_or_default();
                if let Some(event) = file.strip_suffix(SCHEMA_ENDING) {
                    let (dialect, event) = (dialect.to_owned(), event.to_owned());
                    dialects.push(DialectSchema { dialect, event, text: text.into() });
                }
                continue;
            }
            match file.as_ref() {
                "protocol.toml" => protocol = Some(text.into()),
                SHARED_FILE => shared = Some(text.into()),
                "document.md" => document = Some(text.into()),
                "examples.toml" => examples = Some(text.into()),
                other => {
                    let event = other.strip_suffix(SCHEMA_ENDING);
                    schemas.extend(event.map(|event| (event.to_owned(), text.into())));
                }
            }
        }
        schemas.sort();
        let missing = || ProtocolError::unreadable(&Path::new(name).join("protocol.toml"), ErrorKind::NotFound.into());
        Ok(Folder {
            name: name.to_owned(),
            protocol: protocol.ok_or_else(missing)?,
            schemas,
            shared,
            document,
            examples,
            dialects,
            dialect: None,
        })
    }

    /// Returns the folder with the schemas of a dialect in place of those of the same types, or beside the others.
    pub(super) fn in_dialect(&self, dialect: &str) -> Folder {
        let own = || self.dialects.iter().filter(|one| one.dialect == dialect);
        let is_kept = |(name, _): &&(String, String)| own().all(|one| one.event != *name);
        let kept: Vec<_> = self.schemas.iter().filter(is_kept).cloned().collect();
        let mut schemas: Vec<_> = own().map(|one| (one.event.clone(), one.text.clone())).chain(kept).collect();
        schemas.sort();
        Folder { schemas, dialect: Some(dialect.to_owned()), ..self.clone() }
    }

    /// Returns the name of the file of an event type's schema.
    pub(super) fn schema_file(&self, event: &str) -> String {
        let dialect = self
            .dialect
            .iter()
            .find(|name| self.dialects.iter().any(|one| one.dialect == **name && one.event == event));
        let folder = dialect.map(|name| format!("{DIALECTS}{name}/")).unwrap_or_default();
        format!("{folder}{event}{SCHEMA_ENDING}")
    }

    /// Returns the schemas of a dialect that can be read, by event type.
    pub(super) fn schemas_of<'f>(&'f self, dialect: &'f str) -> impl Iterator<Item = (&'f str, Schema)> {
        let own = self.dialects.iter().filter(move |one| one.dialect == dialect);
        own.map(|one| (one.event.as_str(), schemas::read_trusted(&one.text, self.shared.as_deref())))
    }
}
