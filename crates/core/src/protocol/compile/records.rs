//! Compiles `[record]`, kinds, containers, checks, links and `[reconcile]`, and finds the mistakes in them.

use globset::Glob;
use toml::Spanned;

use super::super::file;
use super::super::records::{
    Check, Container, IndexedFields, Link, LinkCheck, LinkTest, List, Reconciliation, ReconciliationRules, RecordKind,
    Records, Test,
};
use super::super::tables::EventShape;
use super::{Compiler, Speaker};
use crate::schema::Subschema;
use crate::text::{did_you_mean, nearest};

impl Compiler<'_> {
    /// Compiles `[record]` and all tables for stored records.
    pub(crate) fn compile_records(&mut self, record: &file::Record) -> (EventShape, Records) {
        let file = self.file;
        let shape = EventShape {
            time: record.time.as_ref().map(|at| self.parse_pointer(at)),
            stream: record.stream.as_ref().map(|at| self.parse_pointer(at)),
            ..EventShape::default()
        };
        self.check_kinds_differ(&file.kind);
        let is_first = |number: usize| {
            let name = file.kind[number].name.get_ref();
            file.kind[..number].iter().all(|earlier| earlier.name.get_ref() != name)
        };
        let firsts = file.kind.iter().enumerate().filter(|(number, _)| is_first(*number));
        let kinds: Vec<_> = firsts.filter_map(|(_, kind)| self.compile_kind(kind)).collect();
        self.check_record_shape(record, &shape, &kinds);
        let containers = file.container.iter().filter_map(|container| self.compile_container(container)).collect();
        let count = self.events.len();
        let mut records = Records {
            kinds,
            containers,
            tolerance: record.tolerance.as_ref().map_or(0.0, |seconds| self.compile_tolerance(seconds)),
            event: record.event.as_ref().map(|at| self.parse_pointer(at)),
            unknown: self.use_rule(&record.unknown, &Speaker::RECORD),
            broken: self.use_rule(&record.broken, &Speaker::RECORD),
            checks: (0..count).map(|_| Vec::new()).collect(),
            links: (0..count).map(|_| Vec::new()).collect(),
            indexed: (0..count).map(|_| None).collect(),
            reconcile: file.reconcile.as_ref().and_then(|words| self.compile_reconciliation(words.get_ref())),
        };
        for check in &file.check {
            if !check.when.is_empty() || check.each.is_some() {
                let message = "`when` and `each` are for the events of streams".to_owned();
                self.refuse(check.at.span(), message, "a record is tested field by field");
            }
            let rule = self.use_rule(&check.rule, &Speaker::RECORD_CHECK);
            for on in &check.on.0 {
                let Some(id) = self.find_kind(on, &records) else { continue };
                let slot = self.slot(id, &check.at);
                let Some(test) = self.compile_test(id, check) else { continue };
                if let Test::Repeated = test {
                    self.index_by(id, slot, &mut records, &check.at);
                }
                records.checks[id].push(Check { slot, test, rule });
            }
        }
        for link in &file.link {
            self.compile_link(link, &mut records);
        }
        if records.kinds.is_empty() {
            let message = "there is no kind of record".to_owned();
            self.refuse(record.unknown.span(), message, "add a [[kind]] with its name");
        }
        (shape, records)
    }

    /// Compiles the tolerance between times. Refuses what is no length of time.
    fn compile_tolerance(&mut self, seconds: &Spanned<f64>) -> f64 {
        let number = *seconds.get_ref();
        if !(number.is_finite() && number >= 0.0) {
            let message = format!("times cannot be {number} seconds apart");
            self.refuse(seconds.span(), message, "write 0 or a number above it; left out, it is 0");
        }
        number
    }

    /// Finds the number of a kind or container by name, which is the name of its schema.
    fn find_record_type(&mut self, name: &Spanned<String>) -> Option<usize> {
        let id = self.event_ids.get(name.get_ref().as_str()).copied();
        if id.is_none() {
            let near = nearest(name.get_ref(), self.event_ids.keys().map(|known| &**known));
            let help = near.map_or_else(|| format!("add {}.schema.json", name.get_ref()), did_you_mean);
            self.refuse(name.span(), format!("there is no schema of {}", name.get_ref()), help);
        }
        id
    }

    /// Finds the number of a kind by name. Refuses a container, which is judged by its schema alone.
    fn find_kind(&mut self, name: &Spanned<String>, records: &Records) -> Option<usize> {
        let id = self.find_record_type(name)?;
        if records.kinds.iter().all(|kind| kind.id != id) {
            let message = format!("{} is not a kind of record", name.get_ref());
            self.refuse(name.span(), message, "[[check]] and [[link]] are about what a [[kind]] names");
            return None;
        }
        Some(id)
    }

    /// Checks the fields of `[record]`: every kind must have the time, and at least one the stream.
    fn check_record_shape(&mut self, record: &file::Record, shape: &EventShape, kinds: &[RecordKind]) {
        if let (Some(written), Some(pointer)) = (&record.time, &shape.time) {
            let ids: Vec<usize> = kinds.iter().map(|kind| kind.id).collect();
            self.check_field_of_all(&ids, pointer, written.span(), "kinds of record");
        }
        if let (Some(written), Some(pointer)) = (&record.stream, &shape.stream)
            && kinds.iter().all(|kind| self.events[kind.id].schema.at(&pointer.0) == Subschema::Missing)
        {
            let message = format!("no kind of record has a field {pointer}");
            self.refuse(written.span(), message, "`stream` is the field that names a record's session");
        }
    }

    /// Checks that no kind occurs twice, and that no field is `telling` for two kinds.
    fn check_kinds_differ(&mut self, kinds: &[file::Kind]) {
        for (index, kind) in kinds.iter().enumerate() {
            for other in &kinds[..index] {
                if other.name.get_ref() == kind.name.get_ref() {
                    let message = format!("there are two kinds {}", kind.name.get_ref());
                    self.refuse(kind.name.span(), message, "put everything about a kind into one [[kind]]");
                    continue;
                }
                let told: Vec<_> = other.telling.iter().map(Spanned::get_ref).collect();
                for field in kind.telling.iter().filter(|field| told.contains(&field.get_ref())) {
                    let message =
                        format!("{} is already a telling field of the kind {}", field.get_ref(), other.name.get_ref());
                    self.refuse(field.span(), message, "a telling field is one that no other kind has");
                }
            }
        }
    }

    /// Compiles a `[[kind]]`.
    fn compile_kind(&mut self, kind: &file::Kind) -> Option<RecordKind> {
        let id = self.find_record_type(&kind.name)?;
        let mut files = Vec::new();
        for pattern in &kind.files {
            match Glob::new(pattern.get_ref()) {
                Ok(glob) => files.push(glob.compile_matcher()),
                Err(error) => {
                    let message = format!("this is not a valid pattern: {error}");
                    self.refuse(
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
        Some(RecordKind { id, files, telling })
    }

    /// Compiles a `[[container]]`.
    fn compile_container(&mut self, container: &file::Container) -> Option<Container> {
        let id = self.find_record_type(&container.name)?;
        if container.known.is_empty() || container.known.iter().any(Vec::is_empty) {
            let message = format!("anything would be a {}: no key identifies it", container.name.get_ref());
            self.refuse(container.name.span(), message, "`known` is a list of lists of keys, each of at least one");
        }
        let mut lists = Vec::new();
        for (key, kind) in &container.lists {
            let pointer = crate::schema::Pointer(vec![key.get_ref().clone()]);
            self.check_field(id, &pointer, &key.span());
            let kind = if kind.get_ref() == "*" { None } else { Some(self.find_record_type(kind)?) };
            lists.push(List { key: key.get_ref().clone(), kind });
        }
        Some(Container { id, known: container.known.clone(), lists, folder: container.folder })
    }

    /// Compiles the test of a `[[check]]`.
    fn compile_test(&mut self, id: usize, check: &file::Check) -> Option<Test> {
        let help = "a record is tested by same-as, below, beside, \"no-time-zone\" or \"repeated\"";
        let Some(is) = &check.is else {
            self.refuse(check.at.span(), "this check has no `is`".to_owned(), help);
            return None;
        };
        Some(match is {
            file::Test::SameAs(other) => Test::SameAs(self.slot(id, other)),
            file::Test::Below(number) => Test::Below(*number),
            file::Test::Beside(other) => Test::Beside(self.slot(id, other)),
            file::Test::NoTimeZone => Test::NoTimeZone,
            file::Test::Repeated => Test::Repeated,
            file::Test::Says(_) => {
                let message = "this test is for the events of streams".to_owned();
                self.refuse(check.at.span(), message, help);
                return None;
            }
        })
    }

    /// Compiles a `[[link]]`.
    fn compile_link(&mut self, link: &file::Link, records: &mut Records) {
        // The rules are used, whatever is wrong with the rest.
        let missing = link.missing.as_ref().map(|rule| self.use_rule(rule, &Speaker::LINK));
        let rules: Vec<_> = link.check.iter().map(|check| self.use_rule(&check.rule, &Speaker::LINK_CHECK)).collect();
        let (Some(id), Some(to)) = (self.find_kind(&link.on, records), self.find_kind(&link.to, records)) else {
            return;
        };
        let slot = self.slot(id, &link.at);
        let key = self.slot(to, &link.key);
        self.index_by(to, key, records, &link.key);
        let mut checks = Vec::new();
        for (check, rule) in link.check.iter().zip(rules) {
            let test = match &check.is {
                file::LinkTest::Not(other) => LinkTest::Not(self.index_field(to, other, records)),
                file::LinkTest::Before(other) => LinkTest::Before(self.index_field(to, other, records)),
                file::LinkTest::After([start, seconds]) => {
                    LinkTest::After(self.index_field(to, start, records), self.index_field(to, seconds, records))
                }
            };
            checks.push(LinkCheck { slot: self.slot(id, &check.at), test, rule });
        }
        records.links[id].push(Link { slot, to, label: link.label.get_ref().clone(), missing, checks });
    }

    /// Compiles `[reconcile]`.
    fn compile_reconciliation(&mut self, words: &file::Reconcile) -> Option<Reconciliation> {
        let file::Reconcile { started, completed, results, session, action, rules } = words;
        let rules = ReconciliationRules {
            action_missing: self.use_rule(&rules.action_missing, &Speaker::RECONCILED),
            action_unexpected: self.use_rule(&rules.action_unexpected, &Speaker::RECONCILED),
            outcome: self.use_rule(&rules.outcome, &Speaker::RECONCILED_PAIR),
            action_time: self.use_rule(&rules.action_time, &Speaker::RECONCILED_TIME),
            session_time: self.use_rule(&rules.session_time, &Speaker::RECONCILED_PAIR),
            record_missing: self.use_rule(&rules.record_missing, &Speaker::RECONCILED),
        };
        let (session_kind, action_kind) = (self.find_record_type(&session.kind)?, self.find_record_type(&action.kind)?);
        let field = |compiler: &mut Self, kind: usize, at: &Spanned<String>| {
            let pointer = compiler.parse_pointer(at);
            compiler.check_field(kind, &pointer, &at.span());
            pointer
        };
        Some(Reconciliation {
            started: (started.on.clone(), self.parse_pointer(&started.key), self.parse_pointer(&started.name)),
            completed: (completed.on.clone(), self.parse_pointer(&completed.key)),
            results: results.on.clone(),
            each: (
                self.parse_pointer(&results.each),
                self.parse_pointer(&results.key),
                self.parse_pointer(&results.ok),
            ),
            session: session_kind,
            action: action_kind,
            duration: field(self, session_kind, &session.duration),
            name: field(self, action_kind, &action.name),
            result: field(self, action_kind, &action.result),
            error: field(self, action_kind, &action.error),
            rules,
        })
    }

    /// Indexes the records of a kind by a field. Refuses a second field for the same kind.
    fn index_by(&mut self, id: usize, key: usize, records: &mut Records, at: &Spanned<String>) {
        match &records.indexed[id] {
            None => records.indexed[id] = Some(IndexedFields { key, slots: Vec::new() }),
            Some(known) if known.key == key => {}
            Some(known) => {
                let message =
                    format!("{} is already named by {}", self.events[id].name, self.events[id].slots[known.key]);
                self.refuse(at.span(), message, "a kind of record is named by one field");
            }
        }
    }

    /// Adds a field to those that are indexed of a kind's records, and returns its index among them.
    fn index_field(&mut self, id: usize, at: &Spanned<String>, records: &mut Records) -> usize {
        let slot = self.slot(id, at);
        let Some(remembered) = &mut records.indexed[id] else { return 0 };
        remembered.slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
            remembered.slots.push(slot);
            remembered.slots.len() - 1
        })
    }
}
