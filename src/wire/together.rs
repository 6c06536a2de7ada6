//! Several requests under way at once.

use futures_util::future::join_all;

use super::Wire;
use crate::exchange::{Outcome, Request};

impl Wire {
    /// Sends requests so that they are under way at once; outcomes in the order of the requests.
    pub async fn together(&self, requests: Vec<Request>) -> Vec<Outcome> {
        join_all(requests.into_iter().map(|request| self.send(Request { obey: false, ..request }))).await
    }
}
