//! Which resource a path names, and which methods it takes.

use http::Method;

use crate::reference::{
    limits::{Endpoint, Kind},
    streams::Channel,
};

/// A resource of the API; account and row ids are as the path spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::reference) enum Route<'a> {
    Health,
    Accounts,
    Account(&'a str),
    Positions(&'a str),
    Position(&'a str, &'a str),
    Transactions(&'a str),
    Transaction(&'a str, &'a str),
    Orders(&'a str),
    Order(&'a str, &'a str),
    OrderBatches(&'a str),
    OrderBatch(&'a str, &'a str),
    Transfers(&'a str),
    Transfer(&'a str, &'a str),
    Withdrawals(&'a str),
    Withdrawal(&'a str, &'a str),
    Balance(&'a str),
    Statements(&'a str),
    Limited(Kind, Endpoint),
    LimitedNotes(Kind),
    Notes,
    Note(&'a str),
    Operation(&'a str),
    Cancellation(&'a str),
    Webhooks,
    Webhook(&'a str),
    Stream(Channel),
    StreamsRestart,
    Book(&'a str),
    BookBurst(&'a str),
}

impl<'a> Route<'a> {
    /// The resource at this path.
    pub(in crate::reference) fn of(path: &'a str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix("/v1/")?.split('/').collect();
        Some(match segments.as_slice() {
            ["health"] => Self::Health,
            ["accounts"] => Self::Accounts,
            ["accounts", account] => Self::Account(account),
            ["accounts", account, "positions"] => Self::Positions(account),
            ["accounts", account, "positions", id] => Self::Position(account, id),
            ["accounts", account, "transactions"] => Self::Transactions(account),
            ["accounts", account, "transactions", id] => Self::Transaction(account, id),
            ["accounts", account, "orders"] => Self::Orders(account),
            ["accounts", account, "orders", id] => Self::Order(account, id),
            ["accounts", account, "order-batches"] => Self::OrderBatches(account),
            ["accounts", account, "order-batches", id] => Self::OrderBatch(account, id),
            ["accounts", account, "transfers"] => Self::Transfers(account),
            ["accounts", account, "transfers", id] => Self::Transfer(account, id),
            ["accounts", account, "withdrawals"] => Self::Withdrawals(account),
            ["accounts", account, "withdrawals", id] => Self::Withdrawal(account, id),
            ["accounts", account, "balance"] => Self::Balance(account),
            ["accounts", account, "statements"] => Self::Statements(account),
            ["limited", "notes"] => Self::Notes,
            ["limited", "notes", id] => Self::Note(id),
            ["limited", kind] => Self::Limited(Kind::parse(kind)?, Endpoint::Main),
            ["limited", kind, "other"] => Self::Limited(Kind::parse(kind)?, Endpoint::Other),
            ["limited", kind, "notes"] => Self::LimitedNotes(Kind::parse(kind)?),
            ["operations", id] => Self::Operation(id),
            ["operations", id, "cancel"] => Self::Cancellation(id),
            ["webhooks"] => Self::Webhooks,
            ["webhooks", id] => Self::Webhook(id),
            ["streams", "orders"] => Self::Stream(Channel::Orders),
            ["streams", "market"] => Self::Stream(Channel::Market),
            ["streams", "restart"] => Self::StreamsRestart,
            ["market", symbol, "book"] => Self::Book(symbol),
            ["market", symbol, "burst"] => Self::BookBurst(symbol),
            _ => return None,
        })
    }

    /// What `Allow` says (RFC 9110 §10.2.1). A ledger is only ever added to.
    pub(in crate::reference) fn allow(self) -> &'static str {
        match self {
            Self::Positions(_)
            | Self::Transactions(_)
            | Self::Orders(_)
            | Self::OrderBatches(_)
            | Self::Transfers(_)
            | Self::Withdrawals(_) => "GET, HEAD, POST, OPTIONS",
            Self::Position(..) => "GET, HEAD, PATCH, DELETE, OPTIONS",
            Self::Order(..) | Self::Note(_) | Self::Webhook(_) => "GET, HEAD, DELETE, OPTIONS",
            Self::LimitedNotes(_)
            | Self::Cancellation(_)
            | Self::Webhooks
            | Self::StreamsRestart
            | Self::BookBurst(_) => "POST, OPTIONS",
            _ => "GET, HEAD, OPTIONS",
        }
    }

    /// Whether a POST has nothing to say but that it is made, so that its body may be left out.
    pub(in crate::reference) fn needs_no_body(self) -> bool {
        matches!(self, Self::Cancellation(_) | Self::StreamsRestart)
    }

    /// Whether the resource takes this method; names are case-sensitive (RFC 9110 §9.1).
    pub(in crate::reference) fn allows(self, method: &Method) -> bool {
        self.allow().split(", ").any(|allowed| allowed == method.as_str())
    }
}
