//! What is kept of operations.

use serde::{Deserialize, Serialize};

/// What the family's rules judge.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was seen of webhooks.
    pub webhook: Option<super::webhook::Evidence>,
}
