//! Checks the rows of Arrow tables: each row is one event, and each group of rows an input of its own.

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::mem;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::cast::AsArray;
use arrow_array::types::ByteArrayType;
use arrow_array::{Array, ArrayRef, GenericByteArray, Int64Array, RecordBatch, StringArray};
use arrow_buffer::ArrowNativeType;
use arrow_cast::{CastOptions, cast_with_options};
use arrow_schema::{ArrowError, DataType};
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3_arrow::{PyDataType, PyRecordBatch, PySchema};
use sessionlint::Checker;

use crate::columns::{FindingRows, SummaryRows, findings_schema, summaries_schema};
use crate::options::{Keywords, Rules};
use crate::protocol;
use crate::report::Report;

/// Checks the rows of a table, which come in batches.
///
/// The keyword arguments are those of `sessionlint.arrow.check_events`. `row_type` is the Arrow type of the column
/// `order`; None if there is none.
#[pyclass(frozen, module = "sessionlint._native")]
pub struct TableChecker {
    columns: Columns,
    state: Mutex<State>,
}

/// The names of the columns.
struct Columns {
    json: String,
    order: Option<String>,
    stream: Option<String>,
}

/// What is known of the rows so far.
struct State {
    checker: Checker,
    findings: FindingRows,
    summaries: SummaryRows,
    /// The group of the last row; `None` before the first one.
    group: Option<Group>,
    /// The digests of all groups, to notice one that comes a second time.
    seen: HashSet<[u64; 2]>,
    hashers: [RandomState; 2],
    /// The number of rows.
    rows: i64,
}

struct Group {
    /// The value of the column `stream`.
    source: Option<Arc<str>>,
    /// The order of its last row.
    order: i64,
}

/// The columns of a batch.
struct Batch {
    json: ArrayRef,
    order: Option<Int64Array>,
    stream: Option<StringArray>,
}

/// Why rows cannot be judged.
enum TableError {
    /// There is no such column.
    Column(String),
    /// A column has another type than it must have.
    Type(String),
    /// A value is missing or is not where it must be.
    Value(String),
    Arrow(ArrowError),
}

impl From<ArrowError> for TableError {
    fn from(error: ArrowError) -> TableError {
        TableError::Arrow(error)
    }
}

impl From<TableError> for PyErr {
    fn from(error: TableError) -> PyErr {
        match error {
            TableError::Column(message) => PyKeyError::new_err(message),
            TableError::Type(message) => PyTypeError::new_err(message),
            TableError::Value(message) => PyValueError::new_err(message),
            TableError::Arrow(error) => PyValueError::new_err(error.to_string()),
        }
    }
}

#[pymethods]
impl TableChecker {
    #[new]
    #[pyo3(signature = (*, json, order = None, stream = None, row_type = None, protocol = None, wire = None, fragment = false, rules = None))]
    #[allow(clippy::too_many_arguments)] // They are Python's keyword arguments.
    fn new(
        json: String,
        order: Option<String>,
        stream: Option<String>,
        row_type: Option<PyDataType>,
        protocol: Option<&Bound<'_, PyAny>>,
        wire: Option<String>,
        fragment: bool,
        rules: Option<Rules>,
    ) -> PyResult<TableChecker> {
        let protocol = protocol::of_argument(protocol)?;
        let options =
            Keywords { file: None, wire, fragment, rules, excerpts: false, finds: false }.options(&protocol)?;
        let state = State {
            checker: Checker::new(&protocol, options),
            findings: FindingRows::new(&protocol, row_type_of(row_type)),
            summaries: SummaryRows::default(),
            // Without groups, all rows are one, even if there are none.
            group: stream.is_none().then_some(Group { source: None, order: i64::MIN }),
            seen: HashSet::new(),
            hashers: [RandomState::new(), RandomState::new()],
            rows: 0,
        };
        Ok(TableChecker { columns: Columns { json, order, stream }, state: Mutex::new(state) })
    }

    /// Judge the rows of a record batch, and return the findings as one.
    fn feed<'py>(&self, py: Python<'py>, batch: PyRecordBatch) -> PyResult<Bound<'py, PyAny>> {
        let batch = batch.into_inner();
        let found = py.detach(|| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let batch = self.columns.read(&batch)?;
            state.feed(&batch, &self.columns)?;
            let State { checker, findings, group, .. } = &mut *state;
            findings.add(group.as_ref().and_then(|group| group.source.as_ref()), checker.take_findings());
            Ok::<_, TableError>(findings.take()?)
        });
        to_python(py, found?)
    }

    /// End the table, and return the findings that only its end shows.
    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let found = py.detach(|| {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.end_group();
            state.findings.release();
            state.findings.take()
        });
        to_python(py, found.map_err(TableError::from)?)
    }

    /// Return the summaries of the groups that have ended since the last call.
    fn take_summaries<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let counted = self.state.lock().unwrap_or_else(PoisonError::into_inner).summaries.take();
        to_python(py, counted.map_err(TableError::from)?)
    }
}

impl Columns {
    /// Returns the columns of a batch.
    fn read(&self, batch: &RecordBatch) -> Result<Batch, TableError> {
        let json = plain(column(batch, &self.json)?)?;
        if !json.data_type().is_string() && !json.data_type().is_binary() {
            let kind = json.data_type();
            return Err(TableError::Type(format!(
                "the column {:?} must hold JSON as strings or bytes, but holds {kind}",
                self.json
            )));
        }
        let order = self.order.as_ref().map(|name| {
            let order = column(batch, name)?;
            if !is_number(order.data_type()) {
                let kind = order.data_type();
                return Err(TableError::Type(format!(
                    "the column {name:?} must hold integers, dates or timestamps, but holds {kind}"
                )));
            }
            as_type(order, &DataType::Int64, name)
        });
        let stream = self.stream.as_ref().map(|name| as_type(&plain(column(batch, name)?)?, &DataType::Utf8, name));
        Ok(Batch {
            json,
            order: order.transpose()?.map(|order| order.as_primitive().clone()),
            stream: stream.transpose()?.map(|stream| stream.as_string().clone()),
        })
    }
}

fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef, TableError> {
    batch.column_by_name(name).ok_or_else(|| {
        let schema = batch.schema();
        let names = schema.fields().iter().map(|field| format!("{:?}", field.name())).collect::<Vec<_>>();
        TableError::Column(format!("there is no column {name:?}, only {}", names.join(", ")))
    })
}

/// Returns a column whose values stand in it themselves.
fn plain(column: &ArrayRef) -> Result<ArrayRef, TableError> {
    match column.data_type() {
        DataType::Dictionary(_, value) => Ok(arrow_cast::cast(column, value)?),
        _ => Ok(column.clone()),
    }
}

/// Returns a column as one of another type.
fn as_type(column: &ArrayRef, to: &DataType, name: &str) -> Result<ArrayRef, TableError> {
    let options = CastOptions { safe: false, ..CastOptions::default() };
    cast_with_options(column, to, &options)
        .map_err(|error| TableError::Value(format!("the column {name:?} cannot be read as {to}: {error}")))
}

/// Returns whether a type is that of numbers that are ordered, and are whole.
fn is_number(kind: &DataType) -> bool {
    kind.is_integer() || matches!(kind, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
}

/// The texts of a column, one after the other.
struct Texts<'a> {
    bytes: Cow<'a, [u8]>,
    /// The place of each row's text in `bytes`; `None` for a null.
    spans: Vec<Option<Range<usize>>>,
}

impl<'a> Texts<'a> {
    /// Returns the texts of a column that has them in this form.
    fn of<T: ByteArrayType>(column: &'a GenericByteArray<T>) -> Texts<'a> {
        let spans = column.value_offsets().windows(2).enumerate();
        let spans = spans.map(|(row, ends)| column.is_valid(row).then(|| ends[0].as_usize()..ends[1].as_usize()));
        Texts { bytes: Cow::Borrowed(column.value_data()), spans: spans.collect() }
    }

    /// Returns a copy of the texts of a column.
    fn copied<T: AsRef<[u8]>>(texts: impl Iterator<Item = Option<T>>) -> Texts<'static> {
        let (mut bytes, mut spans) = (Vec::new(), Vec::new());
        for text in texts {
            spans.push(text.map(|text| {
                let start = bytes.len();
                bytes.extend_from_slice(text.as_ref());
                start..bytes.len()
            }));
        }
        Texts { bytes: Cow::Owned(bytes), spans }
    }
}

impl State {
    /// Judges the rows of a batch.
    fn feed(&mut self, batch: &Batch, columns: &Columns) -> Result<(), TableError> {
        let json = batch.json.as_ref();
        match json.data_type() {
            DataType::Utf8 => self.rows(batch, columns, &Texts::of(json.as_string::<i32>())),
            DataType::LargeUtf8 => self.rows(batch, columns, &Texts::of(json.as_string::<i64>())),
            DataType::Binary => self.rows(batch, columns, &Texts::of(json.as_binary::<i32>())),
            DataType::LargeBinary => self.rows(batch, columns, &Texts::of(json.as_binary::<i64>())),
            DataType::Utf8View => self.rows(batch, columns, &Texts::copied(json.as_string_view().iter())),
            DataType::BinaryView => self.rows(batch, columns, &Texts::copied(json.as_binary_view().iter())),
            _ => self.rows(batch, columns, &Texts::copied(json.as_fixed_size_binary().iter())),
        }
    }

    /// Judges rows, whose JSON is in these texts.
    fn rows(&mut self, batch: &Batch, columns: &Columns, texts: &Texts<'_>) -> Result<(), TableError> {
        // The rows of the current group that are not judged yet.
        let mut pending = Vec::with_capacity(texts.spans.len());
        for (row, span) in texts.spans.iter().enumerate() {
            if let (Some(stream), Some(name)) = (&batch.stream, &columns.stream) {
                let source = stream.is_valid(row).then(|| stream.value(row));
                if self.group.as_ref().is_none_or(|group| group.source.as_deref() != source) {
                    self.checker.events(&texts.bytes, pending.drain(..));
                    self.begin_group(source, name)?;
                }
            }
            let number = self.number(batch, columns, row)?.cast_unsigned();
            match span {
                Some(span) => pending.push((span.clone(), number)),
                None => {
                    self.checker.events(&texts.bytes, pending.drain(..));
                    self.checker.event(b"null", number);
                }
            }
            self.rows += 1;
        }
        self.checker.events(&texts.bytes, pending);
        Ok(())
    }

    /// Returns the number of a row of a batch.
    fn number(&mut self, batch: &Batch, columns: &Columns, row: usize) -> Result<i64, TableError> {
        let (Some(order), Some(group), Some(name)) = (&batch.order, &mut self.group, &columns.order) else {
            return Ok(self.rows);
        };
        let nth = self.rows;
        if order.is_null(row) {
            return Err(TableError::Value(format!("row {nth} has no value in the column {name:?}")));
        }
        let number = order.value(row);
        if number < mem::replace(&mut group.order, number) {
            let of = group.source.as_ref().map(|source| format!(" of {source:?}")).unwrap_or_default();
            return Err(TableError::Value(format!(
                "row {nth}{of} comes too late by the column {name:?}: sort the rows by it"
            )));
        }
        Ok(number)
    }

    /// Ends the group of the last row, and begins that of the next one. `name`: the name of the column.
    fn begin_group(&mut self, source: Option<&str>, name: &str) -> Result<(), TableError> {
        self.end_group();
        if !self.seen.insert([self.hashers[0].hash_one(source), self.hashers[1].hash_one(source)]) {
            let nth = self.rows;
            let of = source.map_or("without a value".to_owned(), |source| format!("of {source:?}"));
            return Err(TableError::Value(format!(
                "row {nth} {of} does not follow the others of its group: sort the rows by the column {name:?}"
            )));
        }
        self.group = Some(Group { source: source.map(Arc::from), order: i64::MIN });
        Ok(())
    }

    /// Ends the group of the last row.
    fn end_group(&mut self) {
        if let Some(group) = self.group.take() {
            let report = self.checker.next_input();
            self.summaries.add(group.source.as_ref(), report.summary.clone());
            self.findings.add_report(group.source.as_ref(), report);
        }
    }
}

/// Collects the reports of files as record batches.
#[pyclass(frozen, module = "sessionlint._native")]
pub struct ReportTable {
    rows: Mutex<(FindingRows, SummaryRows)>,
}

#[pymethods]
impl ReportTable {
    #[new]
    #[pyo3(signature = (*, protocol = None))]
    fn new(protocol: Option<&Bound<'_, PyAny>>) -> PyResult<ReportTable> {
        let protocol = protocol::of_argument(protocol)?;
        Ok(ReportTable { rows: Mutex::new((FindingRows::new(&protocol, DataType::Int64), SummaryRows::default())) })
    }

    /// Add the report of a file, and return the number of findings that were not taken.
    fn add(&self, file: &str, report: &Report) -> usize {
        let (findings, summaries) = &mut *self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, report) = (Some(Arc::from(file)), report.inner());
        summaries.add(file.as_ref(), report.summary.clone());
        findings.add_report(file.as_ref(), report.clone());
        findings.release();
        findings.len()
    }

    /// Return the findings that were not taken yet, as a record batch.
    fn take<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let found = self.rows.lock().unwrap_or_else(PoisonError::into_inner).0.take();
        to_python(py, found.map_err(TableError::from)?)
    }

    /// Return the summaries that were not taken yet, as a record batch.
    fn take_summaries<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let counted = self.rows.lock().unwrap_or_else(PoisonError::into_inner).1.take();
        to_python(py, counted.map_err(TableError::from)?)
    }
}

/// Return the schema of findings, and that of summaries. `row_type` is the Arrow type of the rows' numbers.
#[pyfunction]
#[pyo3(signature = (row_type = None))]
pub fn table_schemas<'py>(
    py: Python<'py>,
    row_type: Option<PyDataType>,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let findings = PySchema::new(findings_schema(&row_type_of(row_type)));
    Ok((findings.into_pyarrow(py)?, PySchema::new(summaries_schema()).into_pyarrow(py)?))
}

fn row_type_of(argument: Option<PyDataType>) -> DataType {
    argument.map_or(DataType::Int64, PyDataType::into_inner)
}

fn to_python(py: Python<'_>, batch: RecordBatch) -> PyResult<Bound<'_, PyAny>> {
    PyRecordBatch::new(batch).into_pyarrow(py)
}
