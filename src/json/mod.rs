//! Reading JSON that others wrote: JSONPath, and a streaming reader of rows that builds no tree.

mod fields;
mod path;
mod rows;
mod scalar;

pub use fields::fields;
pub use path::{FORMAT as PATH_FORMAT, Path, Step};
pub use rows::{PageRead, PageReader, PageValues, RowSink, Wanted};
pub use scalar::Scalar;
