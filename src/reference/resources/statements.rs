//! `/v1/accounts/{id}/statements`: never changed, hence paged by number.

use super::{Problem, Reply, books, books_mut};
use crate::reference::{defects::pagination::MOVING_PAGES, http::Call, ledger::Statement, paging::Numbered};

pub(super) fn list(call: &Call<'_>, account: &str) -> Result<Reply, Problem> {
    let mut ledger = call.api.ledger();
    let statements = &books(call, &ledger, account)?.statements;
    let asked = Numbered::read(&call.query)?;
    let reply = asked.reply(statements, Statement::render)?;
    if asked.page == 2 && call.api.behaviour.has(MOVING_PAGES) {
        correct(&mut books_mut(call, &mut ledger, account)?.statements);
    }
    Ok(reply)
}

/// Issues the newest statement once more under another id: a defect.
fn correct(statements: &mut Vec<Statement>) {
    if let Some(newest) = statements.first() {
        let id = format!("STM-{}-C{}", newest.period, statements.len());
        statements.insert(0, Statement { id, ..newest.clone() });
    }
}
