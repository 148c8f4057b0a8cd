//! The native module of the Python package `sessionlint`: the checker, protocols, reports and the program itself.
//!
//! It converts between Python objects and the types of the crates, and decides nothing about events. The lock of the
//! interpreter is released wherever bytes are judged.

mod checker;
mod columns;
mod errors;
mod feeding;
mod finding;
mod generating;
mod options;
mod program;
mod protocol;
mod report;
mod table;

use pyo3::prelude::*;

/// The native part of sessionlint.
#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::checker::Checker;
    #[pymodule_export]
    use crate::feeding::check;
    #[pymodule_export]
    use crate::finding::{Excerpt, Finding, Related};
    #[pymodule_export]
    use crate::generating::generate;
    #[pymodule_export]
    use crate::program::run;
    #[pymodule_export]
    use crate::protocol::{Protocol, Rule, explain};
    #[pymodule_export]
    use crate::report::{Repeat, Report};
    #[pymodule_export]
    use crate::table::{ReportTable, TableChecker, table_schemas};
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
