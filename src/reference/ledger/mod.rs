//! What the API keeps: accounts and, for each, its rows in memory.
//!
//! A list is a [`Collection`] of rows in the order of their sort key. Seeded rows are compact; their text is made when
//! they are served.

mod account;
mod batch;
mod booking;
mod collection;
pub(super) mod instant;
mod money;
mod note;
mod order;
mod position;
mod row;
mod seed;
mod statement;
mod transaction;
mod transfer;

pub(super) use account::{Account, Books};
pub(super) use batch::Batch;
pub(super) use collection::Collection;
pub(super) use money::{Currency, Money, decimal};
pub(super) use note::Note;
pub(super) use order::{Order, OrderKind, OrderStatus, Side, TimeInForce};
pub(super) use position::{Position, SYMBOLS, reference_value};
pub(super) use row::{Ids, Key, Row};
pub(super) use seed::seed;
pub(super) use statement::Statement;
pub(super) use transaction::{Transaction, TransactionKind, Words};
pub(super) use transfer::{Instruction, PaymentKind, Transfer, Withdrawal};

use std::collections::BTreeMap;

use super::tokens::Tenant;

/// Everything the API knows.
pub(super) struct Ledger {
    pub(super) accounts: Collection<Account>,
    books: BTreeMap<String, Books>,
    /// Of the one tenant and of the other.
    notes: [Collection<Note>; 2],
    next_id: u32,
}

impl Ledger {
    /// The rows of an account, if this tenant may see it.
    pub(super) fn books(&self, account: &str, tenant: Tenant) -> Option<&Books> {
        self.books.get(account).filter(|books| books.tenant == tenant)
    }

    /// The same, to write to.
    pub(super) fn books_mut(&mut self, account: &str, tenant: Tenant) -> Option<&mut Books> {
        self.books.get_mut(account).filter(|books| books.tenant == tenant)
    }

    /// The rows of all accounts of a tenant, by id.
    pub(super) fn all_books(&self, tenant: Tenant) -> impl Iterator<Item = (&str, &Books)> {
        self.books
            .iter()
            .filter(move |(_, books)| books.tenant == tenant)
            .map(|(account, books)| (account.as_str(), books))
    }

    /// Whether there is such an account, whoever owns it: anybody may pay anybody.
    pub(super) fn has_account(&self, account: &str) -> bool {
        self.books.contains_key(account)
    }

    /// The notes of a tenant.
    pub(super) fn notes(&self, tenant: Tenant) -> &Collection<Note> {
        let [one, two] = &self.notes;
        match tenant {
            Tenant::One => one,
            Tenant::Two => two,
        }
    }

    /// The same, to write to.
    pub(super) fn notes_mut(&mut self, tenant: Tenant) -> &mut Collection<Note> {
        let [one, two] = &mut self.notes;
        match tenant {
            Tenant::One => one,
            Tenant::Two => two,
        }
    }

    /// An id that no row has had before; larger than all earlier ones.
    pub(super) fn new_id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }
}
