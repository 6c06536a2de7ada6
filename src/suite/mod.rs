//! YAML text → validated [`Suite`].
//!
//! A file is read once into a tree that knows where everything was written (`yaml`); `${NAME}` is filled in
//! (`interpolate`); `extends` and `preset` are merged underneath (`inherit`); the parts are read into types, one by
//! one, so that one mistake hides no other (`sections`); what types cannot say is checked last (`meaning`). Only when
//! a part does not fit its type is the JSON Schema of the format compiled, to name every mistake of shape (`shape`).
//! All problems are reported at once, each at its place in the user's own file.

mod diagnostic;
mod env_file;
mod inherit;
mod interpolate;
mod load;
mod meaning;
mod model;
mod preset;
mod schema;
mod sections;
mod shape;
mod source;
mod step;
mod written;
mod yaml;

pub use diagnostic::{Diagnostic, Level, Report};
pub use env_file::{EnvFileError, parse_env_file};
pub use load::{Options, load_file, load_text};
pub use model::{Included, Suite, Target, Waiver};
pub use preset::PRESETS;
pub use schema::schema;
pub use step::{Capture, Content, HeaderCapture, Pattern, Step};

#[cfg(test)]
mod tests;
