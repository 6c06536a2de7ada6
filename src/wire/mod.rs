//! What a suite says about the wire: the bounds of a run and the credentials of its clients.

mod credentials;
mod limits;

pub use credentials::Credentials;
pub use limits::Limits;
