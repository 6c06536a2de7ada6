//! What the pagination probe saw, as facts that rules can judge years later.

mod answer;
mod churned;
mod declared;
mod order;
mod rows;
mod walk;

pub use answer::{Answer, Got};
pub use churned::{ChurnKind, Churned, WriteFact, WriteKind};
pub use declared::{Declared, Spelling};

pub(super) use order::instant;
pub use order::{Inversion, OrderSeen, OrderWatch};
pub use rows::{Identity, Names, Repeat, RowId, RowList, missing, repeats};
pub use walk::{End, LinkSeen, PageFact, TokenSample, Walk};

use serde::{Deserialize, Serialize};

use super::config::{Inclusive, Relation};
use crate::exchange::ExchangeId;

/// Everything the probe of one check saw.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What the suite declares, as far as rules need it.
    pub declared: Declared,
    /// The ids of rows, as far as they are kept.
    pub names: Names,
    /// Why nothing could be seen, if so: the listing itself could not be read.
    pub blocked: Option<Answer>,
    /// The listing asked for without any paging parameter.
    pub bare: Option<Answer>,
    /// Walks with nothing written meanwhile, all asked for alike; the first is the reference.
    pub quiet: Vec<Walk>,
    /// The reference walk once more, after everything that is held against it: rows that others wrote in between show.
    #[serde(default)]
    pub closing: Option<Walk>,
    /// How many rows had other values of what is filtered by in that walk.
    #[serde(default)]
    pub rewritten: usize,
    /// Walks with other page sizes, nothing written meanwhile.
    pub sized: Vec<Walk>,
    /// Walks in each declared order, nothing written meanwhile.
    pub ordered: Vec<Walk>,
    /// The answer to an order that does not exist.
    pub unknown_order: Option<Answer>,
    /// A page size changed in the middle of a walk.
    pub size_changes: Vec<SizeChange>,
    /// Answers to page sizes that are too large or no numbers.
    pub odd_sizes: Vec<OddSize>,
    /// Pages asked for twice.
    pub repeated_pages: Vec<RepeatedPage>,
    /// Answers to cursors that the target never issued.
    pub bad_tokens: Vec<BadToken>,
    /// A cursor of one filter sent with another.
    pub rebound: Option<Rebound>,
    /// A cursor sent by others than the client it was issued to.
    pub foreign: Option<Foreign>,
    /// Links that were followed.
    pub links: Vec<LinkFollowed>,
    /// Answers to pages beyond the end.
    pub beyond: Vec<Answer>,
    /// Filtered walks.
    pub filtered: Vec<Filtered>,
    /// Walks of windows of time.
    pub windows: Option<Windows>,
    /// Walks with rows written meanwhile.
    pub churned: Vec<Churned>,
    /// Walks over rows with equal sort keys that the probe created.
    pub tied: Vec<Walk>,
    /// Those rows.
    pub tied_rows: Vec<RowId>,
    /// Rows that the probe created and could not delete.
    pub left_behind: Vec<RowId>,
    /// Why the probe could not write what it meant to, if so.
    pub churn_trouble: Option<String>,
    /// Whether the run ended while the probe was at work.
    pub cut_short: bool,
}

/// A page size changed in the middle of a walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeChange {
    /// The size before.
    pub from: u64,
    /// The size after.
    pub to: u64,
    /// The answer to the changed request.
    pub answer: Answer,
}

/// A page size that is too large or no number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OddSize {
    /// The value sent.
    pub value: String,
    /// What it tests.
    pub kind: OddSizeKind,
    /// The answer.
    pub answer: Answer,
}

/// What an odd page size tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OddSizeKind {
    /// Just over the declared maximum.
    OverMaximum,
    /// Far over any maximum.
    Huge,
    /// Zero, negative, or no number.
    Nonsense,
}

/// A page asked for twice with the same cursor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepeatedPage {
    /// The first answer.
    pub first: Answer,
    /// The second.
    pub second: Answer,
}

/// A cursor that the target never issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadToken {
    /// How it was made.
    pub made: BadTokenKind,
    /// The answer.
    pub answer: Answer,
}

/// How a bad cursor was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadTokenKind {
    /// One character in the middle of a good one changed.
    Edited,
    /// The second half of a good one cut off.
    Truncated,
    /// Random base64url.
    Random,
    /// 8 KiB of text.
    Long,
    /// Nothing: many APIs take that for the first page.
    Empty,
    /// A page number or offset that is none: zero where counting begins at one, negative, a word.
    NoNumber,
}

/// A cursor of one filter sent with another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebound {
    /// The filter it was issued for: `symbol=AAPL`.
    pub issued_for: String,
    /// The filter it was sent with.
    pub sent_with: String,
    /// The answer.
    pub answer: Answer,
    /// How many of its rows satisfy the first, how many the second, and how many neither.
    pub first: usize,
    /// See above.
    pub second: usize,
    /// See above.
    pub neither: usize,
}

/// A cursor sent by others than the client it was issued to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Foreign {
    /// The client it was issued to.
    pub owner: String,
    /// The rows that client saw behind it.
    pub owned: Vec<RowId>,
    /// The other client without the cursor.
    pub control: Option<Answer>,
    /// The other client with it.
    pub other: Option<Answer>,
    /// Without credentials and without the cursor.
    pub anonymous_control: Option<Answer>,
    /// Without credentials and with it.
    pub anonymous: Option<Answer>,
}

/// A link that was followed, or why not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFollowed {
    /// The number of the page that carried it, from 0.
    pub page: usize,
    /// Whether that was the last page of its walk.
    pub on_last: bool,
    /// Its relation.
    pub relation: Relation,
    /// As written.
    pub target: String,
    /// The exchange that carried it.
    pub carried_by: ExchangeId,
    /// Whether it leads to the target's own origin.
    pub same_origin: bool,
    /// Query parameters of the request that it should have kept and did not.
    pub lost: Vec<String>,
    /// The parameter that carries a credential in the URL, if one does.
    pub credential: Option<String>,
    /// The answer, if it was followed.
    pub answer: Option<Answer>,
    /// The rows it should lead to, where they are known.
    pub should_be: Option<Vec<RowId>>,
}

/// What is shown of a row that holds no value where one is said to be.
pub const NOTHING: &str = "nothing";

/// A filtered walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filtered {
    /// The filter: `symbol=AAPL`.
    pub filter: String,
    /// The walk.
    pub walk: Walk,
    /// Rows it delivered that do not satisfy the filter, with the value they have.
    pub violating: Vec<(RowId, String)>,
    /// Rows of the reference walk that satisfy the filter.
    pub matching: Vec<RowId>,
}

/// Windows of time: two that meet at an instant, and the one that spans both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// Which ends belong to a window, as declared.
    pub inclusive: Inclusive,
    /// The three instants, as sent.
    pub instants: [String; 3],
    /// From the first to the second instant.
    pub early: Walk,
    /// From the second to the third instant.
    pub late: Walk,
    /// From the first to the third instant.
    pub whole: Walk,
    /// Rows whose instant is exactly the second one.
    pub at_boundary: Vec<RowId>,
    /// Rows of the reference walk strictly inside the whole window.
    pub inside: Vec<RowId>,
    /// Rows delivered by any of the three that lie outside its window, with their instants.
    pub outside: Vec<(RowId, String)>,
}
