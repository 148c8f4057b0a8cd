//! Findings and summaries as Arrow record batches, with the same columns for tables and for files.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_cast::cast;
use arrow_schema::{ArrowError, DataType, Field, Fields, Schema, SchemaRef};
use sessionlint::{Finding, FindingKind, Place, Protocol, Related, Report, Summary};

/// Findings that become a record batch, each with its source: the group of a table's row, or the path of a file.
pub struct FindingRows {
    protocol: Protocol,
    /// The type of the rows' numbers.
    row_type: DataType,
    rows: Vec<FindingRow>,
    /// The findings of which only the first of a kind is listed, until the end, when their repeats are known.
    first_only: BTreeMap<FindingKind, FindingRow>,
}

struct FindingRow {
    source: Option<Arc<str>>,
    finding: Finding,
    /// The number of findings that the row stands for.
    count: u64,
}

impl FindingRows {
    pub fn new(protocol: &Protocol, row_type: DataType) -> FindingRows {
        FindingRows { protocol: protocol.clone(), row_type, rows: Vec::new(), first_only: BTreeMap::new() }
    }

    /// The number of findings that `take` would return.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn add(&mut self, source: Option<&Arc<str>>, findings: impl IntoIterator<Item = Finding>) {
        for finding in findings {
            let first_only = self.protocol.lists_first_only(&finding.rule);
            let kind = first_only.then(|| finding.kind());
            let row = FindingRow { source: source.cloned(), finding, count: 1 };
            match kind {
                None => self.rows.push(row),
                // Each input of stored records lists a first one.
                Some(kind) => {
                    self.first_only.entry(kind).and_modify(|first| first.count += 1).or_insert(row);
                }
            }
        }
    }

    /// Adds the findings and the repeats of a report.
    pub fn add_report(&mut self, source: Option<&Arc<str>>, report: Report) {
        self.add(source, report.findings);
        for repeat in report.repeats {
            let (rule, event_type) = (repeat.rule.clone(), repeat.event_type.clone());
            // A kind without a pointer is the least of its event type.
            let least = FindingKind { rule, event_type, pointer: repeat.pointer.clone() };
            if let Some((_, first)) = self.first_only.range_mut(least..).next().filter(|(kind, _)| repeat.is_of(kind)) {
                first.count += repeat.count;
            }
        }
    }

    /// Adds the findings that were kept back for their repeats: there will be no more of them.
    pub fn release(&mut self) {
        let mut first_only: Vec<_> = std::mem::take(&mut self.first_only).into_values().collect();
        first_only.sort_by_key(|row| (row.source.clone(), row.finding.place.row, row.finding.place.event));
        self.rows.append(&mut first_only);
    }

    /// Returns the findings that were not taken yet.
    ///
    /// # Errors
    ///
    /// If they have more text than a column can hold.
    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        let text = |of: fn(&FindingRow) -> Option<&str>| texts(rows.iter().map(of));
        let help_of_rule = |row: &FindingRow| self.protocol.rule(&row.finding.rule).map(|rule| rule.help.clone());
        let help = rows.iter().map(|row| row.finding.help.as_deref().map(str::to_owned).or_else(|| help_of_rule(row)));
        let mut columns = vec![text(|row| row.source.as_deref())];
        columns.extend(places(|| rows.iter().map(|row| &row.finding.place), &self.row_type)?);
        columns.extend([
            text(|row| Some(&row.finding.rule)),
            text(|row| Some(row.finding.severity.as_str())),
            text(|row| Some(&row.finding.message)),
            Arc::new(help.collect::<StringArray>()),
            text(|row| row.finding.event_type.as_deref()),
            text(|row| row.finding.stream.as_deref()),
            text(|row| row.finding.pointer.as_deref()),
            numbers(rows.iter().map(|row| Some(row.count))),
            self.related(&rows)?,
        ]);
        RecordBatch::try_new(findings_schema(&self.row_type), columns)
    }

    fn related(&self, rows: &[FindingRow]) -> Result<ArrayRef, ArrowError> {
        let lengths = OffsetBuffer::from_lengths(rows.iter().map(|row| row.finding.related.len()));
        let all = || rows.iter().flat_map(|row| row.finding.related.iter());
        let mut columns = vec![texts(all().map(|related: &Related| Some(&*related.message)))];
        columns.extend(places(|| all().map(|related| &*related.place), &self.row_type)?);
        let fields = related_fields(&self.row_type);
        let places = StructArray::try_new_with_length(fields.clone(), columns, None, all().count())?;
        Ok(Arc::new(ListArray::try_new(item(fields), lengths, Arc::new(places), None)?))
    }
}

/// Counts of inputs that become a record batch, each with its source.
#[derive(Default)]
pub struct SummaryRows(Vec<(Option<Arc<str>>, Summary)>);

impl SummaryRows {
    pub fn add(&mut self, source: Option<&Arc<str>>, summary: Summary) {
        self.0.push((source.cloned(), summary));
    }

    /// Returns the summaries that were not taken yet.
    ///
    /// # Errors
    ///
    /// If they have more text than a column can hold.
    pub fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = std::mem::take(&mut self.0);
        let counts = |of: fn(&Summary) -> u64| numbers(rows.iter().map(|(_, summary)| Some(of(summary))));
        let columns = vec![
            texts(rows.iter().map(|(source, _)| source.as_deref())),
            counts(|summary| summary.events),
            counts(|summary| summary.records),
            counts(|summary| summary.streams),
            counts(|summary| summary.skipped),
            counts(|summary| summary.errors),
            counts(|summary| summary.warnings),
            counts(|summary| summary.notes),
        ];
        RecordBatch::try_new(summaries_schema(), columns)
    }
}

/// Returns the schema of findings. `row_type`: the type of the rows' numbers.
pub fn findings_schema(row_type: &DataType) -> SchemaRef {
    let mut fields = vec![text_field("source", true)];
    fields.extend(place_fields(row_type));
    fields.extend([
        text_field("rule", false),
        text_field("severity", false),
        text_field("message", false),
        text_field("help", true),
        text_field("type", true),
        text_field("stream", true),
        text_field("pointer", true),
        number_field("count", false),
        Field::new("related", DataType::List(item(related_fields(row_type))), false),
    ]);
    Arc::new(Schema::new(fields))
}

/// Returns the schema of summaries.
pub fn summaries_schema() -> SchemaRef {
    let counts = ["events", "records", "streams", "skipped", "errors", "warnings", "notes"];
    let counts = counts.map(|name| number_field(name, false));
    Arc::new(Schema::new([text_field("source", true)].into_iter().chain(counts).collect::<Fields>()))
}

fn place_fields(row_type: &DataType) -> [Field; 6] {
    [
        Field::new("row", row_type.clone(), true),
        number_field("event", true),
        number_field("line", false),
        number_field("column", false),
        number_field("start", false),
        number_field("end", false),
    ]
}

/// Returns the columns of [`place_fields`]. `all` returns the places.
fn places<'p, I: Iterator<Item = &'p Place>>(
    all: impl Fn() -> I,
    row_type: &DataType,
) -> Result<[ArrayRef; 6], ArrowError> {
    let place = |of: fn(&Place) -> Option<u64>| numbers(all().map(of));
    Ok([
        cast(&place(|place| place.row), row_type)?,
        place(|place| place.event),
        place(|place| Some(place.line)),
        place(|place| Some(place.column)),
        place(|place| Some(place.start)),
        place(|place| Some(place.end)),
    ])
}

fn related_fields(row_type: &DataType) -> Fields {
    [text_field("message", false)].into_iter().chain(place_fields(row_type)).collect()
}

fn item(fields: Fields) -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Struct(fields), false))
}

fn text_field(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::Utf8, nullable)
}

fn number_field(name: &str, nullable: bool) -> Field {
    Field::new(name, DataType::Int64, nullable)
}

fn texts<'t>(texts: impl Iterator<Item = Option<&'t str>>) -> ArrayRef {
    let mut builder = StringBuilder::new();
    builder.extend(texts);
    Arc::new(builder.finish())
}

/// Returns numbers as a column. Tables know signed numbers: a row's number came from one, and no other reaches 2⁶³.
fn numbers(numbers: impl Iterator<Item = Option<u64>>) -> ArrayRef {
    Arc::new(numbers.map(|number| number.map(u64::cast_signed)).collect::<Int64Array>())
}
