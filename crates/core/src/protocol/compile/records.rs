//! `[record]`, kinds, containers, checks and links → tables, and what is wrong with them.

use globset::Glob;
use toml::Spanned;

use super::super::file;
use super::super::records::{
    Check, Container, Kind, Link, LinkCheck, LinkTest, List, Reconcile, ReconcileRules, Records, Remembered, Test,
};
use super::super::tables::EventShape;
use super::Compiler;
use crate::schema::Subschema;
use crate::text::{did_you_mean, nearest};

impl Compiler<'_> {
    pub(crate) fn records(&mut self, record: &file::Record) -> (EventShape, Records) {
        let file = self.file;
        let shape = EventShape {
            time: record.time.as_ref().map(|at| self.pointer(at)),
            stream: record.stream.as_ref().map(|at| self.pointer(at)),
            ..EventShape::default()
        };
        self.told_apart(&file.kind);
        let kinds: Vec<_> = file.kind.iter().filter_map(|kind| self.kind(kind)).collect();
        self.check_record_shape(record, &shape, &kinds);
        let containers = file.container.iter().filter_map(|container| self.container(container)).collect();
        let count = self.events.len();
        let mut records = Records {
            kinds,
            containers,
            event: record.event.as_ref().map(|at| self.pointer(at)),
            unknown: self.rule_of(&record.unknown),
            broken: self.rule_of(&record.broken),
            checks: (0..count).map(|_| Vec::new()).collect(),
            links: (0..count).map(|_| Vec::new()).collect(),
            remembered: (0..count).map(|_| None).collect(),
            reconcile: file.reconcile.as_ref().and_then(|words| self.reconcile(words)),
        };
        for check in &file.check {
            let Some(id) = self.kind_id(&check.on, &records) else { continue };
            let (slot, test) = (self.slot(id, &check.at), self.test(id, &check.is));
            if let Test::Repeated = test {
                self.remember(id, slot, &mut records, &check.at);
            }
            records.checks[id].push(Check { slot, test, rule: self.rule_of(&check.rule) });
        }
        for link in &file.link {
            self.link(link, &mut records);
        }
        if records.kinds.is_empty() {
            let message = "there is no kind of record".to_owned();
            self.problem(record.unknown.span(), message, "add a [[kind]] with its name");
        }
        (shape, records)
    }

    /// The number of a kind or container, which is the name of a schema.
    fn record_type(&mut self, name: &Spanned<String>) -> Option<usize> {
        let id = self.event_ids.get(name.get_ref().as_str()).copied();
        if id.is_none() {
            let near = nearest(name.get_ref(), self.event_ids.keys().map(|known| &**known));
            let help = near.map_or_else(|| format!("add {}.schema.json", name.get_ref()), did_you_mean);
            self.problem(name.span(), format!("there is no schema of {}", name.get_ref()), help);
        }
        id
    }

    /// The number of a kind: a container is judged by its schema alone.
    fn kind_id(&mut self, name: &Spanned<String>, records: &Records) -> Option<usize> {
        let id = self.record_type(name)?;
        if records.kinds.iter().all(|kind| kind.id != id) {
            let message = format!("{} is no kind of record", name.get_ref());
            self.problem(name.span(), message, "[[check]] and [[link]] are about what a [[kind]] names");
            return None;
        }
        Some(id)
    }

    /// Time is what every record has, and a container has not; not every kind has a stream.
    fn check_record_shape(&mut self, record: &file::Record, shape: &EventShape, kinds: &[Kind]) {
        if let (Some(written), Some(pointer)) = (&record.time, &shape.time) {
            kinds.iter().for_each(|kind| self.check_field(kind.id, pointer, &written.span()));
        }
        if let (Some(written), Some(pointer)) = (&record.stream, &shape.stream)
            && kinds.iter().all(|kind| self.events[kind.id].schema.at(&pointer.0) == Subschema::Missing)
        {
            let message = format!("no kind of record has a field {pointer}");
            self.problem(written.span(), message, "`stream` is the field that names a record's session");
        }
    }

    /// No field may tell of two kinds, and no kind may be there twice.
    fn told_apart(&mut self, kinds: &[file::Kind]) {
        for (index, kind) in kinds.iter().enumerate() {
            for other in &kinds[..index] {
                if other.name.get_ref() == kind.name.get_ref() {
                    let message = format!("there are two kinds {}", kind.name.get_ref());
                    self.problem(kind.name.span(), message, "say all of a kind in one [[kind]]");
                    continue;
                }
                let told: Vec<_> = other.telling.iter().map(Spanned::get_ref).collect();
                for field in kind.telling.iter().filter(|field| told.contains(&field.get_ref())) {
                    let message = format!("{} tells of a {} already", field.get_ref(), other.name.get_ref());
                    self.problem(field.span(), message, "a telling field is one that no other kind has");
                }
            }
        }
    }

    fn kind(&mut self, kind: &file::Kind) -> Option<Kind> {
        let id = self.record_type(&kind.name)?;
        let mut files = Vec::new();
        for pattern in &kind.files {
            match Glob::new(pattern.get_ref()) {
                Ok(glob) => files.push(glob.compile_matcher()),
                Err(error) => {
                    let message = format!("this is no pattern: {error}");
                    self.problem(
                        pattern.span(),
                        message,
                        "a pattern is such as session*, for the name without its ending",
                    );
                }
            }
        }
        for field in &kind.telling {
            let pointer = crate::schema::Pointer(vec![field.get_ref().clone()]);
            self.check_field(id, &pointer, &field.span());
        }
        let telling = kind.telling.iter().map(|field| field.get_ref().clone()).collect();
        Some(Kind { id, files, telling })
    }

    fn container(&mut self, container: &file::Container) -> Option<Container> {
        let id = self.record_type(&container.name)?;
        if container.known.is_empty() || container.known.iter().any(Vec::is_empty) {
            let message = format!("anything would be a {}: no key tells it", container.name.get_ref());
            self.problem(container.name.span(), message, "`known` is a list of lists of keys, each of at least one");
        }
        let mut lists = Vec::new();
        for (key, kind) in &container.lists {
            let pointer = crate::schema::Pointer(vec![key.get_ref().clone()]);
            self.check_field(id, &pointer, &key.span());
            let kind = if kind.get_ref() == "*" { None } else { Some(self.record_type(kind)?) };
            lists.push(List { key: key.get_ref().clone(), kind });
        }
        Some(Container { id, known: container.known.clone(), lists, folder: container.folder })
    }

    fn test(&mut self, id: usize, test: &file::Test) -> Test {
        match test {
            file::Test::SameAs(other) => Test::SameAs(self.slot(id, other)),
            file::Test::Below(number) => Test::Below(*number),
            file::Test::Beside(other) => Test::Beside(self.slot(id, other)),
            file::Test::NoTimeZone => Test::NoTimeZone,
            file::Test::Repeated => Test::Repeated,
        }
    }

    fn link(&mut self, link: &file::Link, records: &mut Records) {
        let (Some(id), Some(to)) = (self.kind_id(&link.on, records), self.kind_id(&link.to, records)) else { return };
        let slot = self.slot(id, &link.at);
        let key = self.slot(to, &link.key);
        self.remember(to, key, records, &link.key);
        let mut checks = Vec::new();
        for check in &link.check {
            let test = match &check.is {
                file::LinkTest::Not(other) => LinkTest::Not(self.remembered(to, other, records)),
                file::LinkTest::Before(other) => LinkTest::Before(self.remembered(to, other, records)),
                file::LinkTest::After(start, seconds) => {
                    LinkTest::After(self.remembered(to, start, records), self.remembered(to, seconds, records))
                }
            };
            checks.push(LinkCheck { slot: self.slot(id, &check.at), test, rule: self.rule_of(&check.rule) });
        }
        let missing = link.missing.as_ref().map(|rule| self.rule_of(rule));
        records.links[id].push(Link { slot, to, label: link.label.clone(), missing, checks });
    }

    fn reconcile(&mut self, words: &file::Reconcile) -> Option<Reconcile> {
        let file::Reconcile { started, completed, results, session, action, rules } = words;
        let (session_kind, action_kind) = (self.record_type(&session.kind)?, self.record_type(&action.kind)?);
        let field = |compiler: &mut Self, kind: usize, at: &Spanned<String>| {
            let pointer = compiler.pointer(at);
            compiler.check_field(kind, &pointer, &at.span());
            pointer
        };
        Some(Reconcile {
            started: (started.on.clone(), self.pointer(&started.key), self.pointer(&started.name)),
            completed: (completed.on.clone(), self.pointer(&completed.key)),
            results: results.on.clone(),
            each: (self.pointer(&results.each), self.pointer(&results.key), self.pointer(&results.ok)),
            session: session_kind,
            action: action_kind,
            duration: field(self, session_kind, &session.duration),
            name: field(self, action_kind, &action.name),
            result: field(self, action_kind, &action.result),
            error: field(self, action_kind, &action.error),
            rules: ReconcileRules {
                action_missing: self.rule_of(&rules.action_missing),
                action_unexpected: self.rule_of(&rules.action_unexpected),
                outcome: self.rule_of(&rules.outcome),
                action_time: self.rule_of(&rules.action_time),
                session_time: self.rule_of(&rules.session_time),
                record_missing: self.rule_of(&rules.record_missing),
            },
        })
    }

    /// Records of this kind are named by this field.
    fn remember(&mut self, id: usize, key: usize, records: &mut Records, at: &Spanned<String>) {
        match &records.remembered[id] {
            None => records.remembered[id] = Some(Remembered { key, slots: Vec::new() }),
            Some(known) if known.key == key => {}
            Some(known) => {
                let message =
                    format!("{} is named by {} already", self.events[id].name, self.events[id].slots[known.key]);
                self.problem(at.span(), message, "a kind of record is named by one field");
            }
        }
    }

    /// A field that is remembered of records of this kind.
    fn remembered(&mut self, id: usize, at: &Spanned<String>, records: &mut Records) -> usize {
        let slot = self.slot(id, at);
        let Some(remembered) = &mut records.remembered[id] else { return 0 };
        remembered.slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
            remembered.slots.push(slot);
            remembered.slots.len() - 1
        })
    }
}
