//! A request whose connection is lost on purpose.

use super::Wire;
use crate::exchange::{Failure, FailureKind, Outcome, Request};

impl Wire {
    /// Sends a request and cuts the connection after its last octet, or after the first octet of the response.
    pub async fn sever(&self, _request: Request, _after_first_byte: bool) -> Outcome {
        let message = "connections cannot be cut here".to_owned();
        Err(Failure { id: None, kind: FailureKind::Request, message })
    }
}
