//! draft
mod check;
pub mod error; pub mod finding; mod input; mod machine; mod protocol; mod schema;
pub use check::{Checker, Options, check};
pub use finding::{Finding, Report, Severity, Summary};
pub use input::{Wire, compressed::{Decompressed, ReadError}};
pub use protocol::{Protocol, Basis, Rule, Example}; pub use error::ProtocolError;
