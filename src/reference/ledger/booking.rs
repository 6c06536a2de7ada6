//! Books a payment: the row, the money on both sides, and one posting in each ledger, all in one step.

use super::{
    Books, Instruction, Ledger, Money, PaymentKind, Transaction, TransactionKind, Transfer, Withdrawal, Words, instant,
};

impl Ledger {
    /// Carries out an instruction of an account that is there; an account may go below zero.
    pub(in crate::reference) fn pay(
        &mut self,
        payer: &str,
        kind: PaymentKind,
        instruction: &Instruction,
        settles_at: Option<i64>,
    ) -> Option<Transfer> {
        let id = self.new_id();
        let row = Transfer { id, instruction: instruction.clone(), created_at: instant::now(), settles_at };
        let books = self.books.get_mut(payer)?;
        books.cash -= instruction.amount.amount();
        match kind {
            PaymentKind::Transfer => books.transfers.insert(row.clone()),
            PaymentKind::Withdrawal => books.withdrawals.insert(Withdrawal(row.clone())),
        }
        self.post(payer, &row);
        if let Some(payee) = instruction.to.as_deref() {
            let description = format!("transfer from {payer}").into();
            let transaction = self.posting(&row, TransactionKind::Deposit, instruction.amount, description);
            if let Some(books) = self.books.get_mut(payee) {
                books.cash += instruction.amount.amount();
                books.transactions.insert(transaction);
            }
        }
        Some(row)
    }

    /// Writes a payment down in the payer's ledger.
    pub(in crate::reference) fn post(&mut self, payer: &str, row: &Transfer) {
        let amount = Money { minor: -row.instruction.amount.minor, ..row.instruction.amount };
        let to = row.instruction.to.as_deref();
        let description = to.map_or_else(|| "withdrawal".to_owned(), |to| format!("transfer to {to}")).into();
        let transaction = self.posting(row, TransactionKind::Withdrawal, amount, description);
        if let Some(books) = self.books.get_mut(payer) {
            books.transactions.insert(transaction);
        }
    }

    /// Changes the amount of a payment and nothing else: a defect.
    pub(in crate::reference) fn overwrite(&mut self, payer: &str, kind: PaymentKind, id: u32, minor: i64) {
        let Some(books) = self.books.get_mut(payer) else { return };
        match kind {
            PaymentKind::Transfer => books.transfers.update(id, |row| row.instruction.amount.minor = minor),
            PaymentKind::Withdrawal => books.withdrawals.update(id, |row| row.0.instruction.amount.minor = minor),
        }
    }

    fn posting(&mut self, row: &Transfer, kind: TransactionKind, amount: Money, description: Box<str>) -> Transaction {
        let words = Words { description: Some(description), reference: Some(row.instruction.reference.clone()) };
        Transaction { booked_at: row.created_at, amount, words: Some(Box::new(words)), id: self.new_id(), kind }
    }
}

impl Books {
    /// A payment by its number.
    pub(in crate::reference) fn payment(&self, kind: PaymentKind, id: u32) -> Option<&Transfer> {
        match kind {
            PaymentKind::Transfer => self.transfers.get(id),
            PaymentKind::Withdrawal => self.withdrawals.get(id).map(|row| &row.0),
        }
    }

    /// Whether a payment of this kind has this reference.
    pub(in crate::reference) fn has_reference(&self, kind: PaymentKind, reference: &str) -> bool {
        match kind {
            PaymentKind::Transfer => self.transfers.rows().iter().any(|row| *row.instruction.reference == *reference),
            PaymentKind::Withdrawal => {
                self.withdrawals.rows().iter().any(|row| *row.0.instruction.reference == *reference)
            }
        }
    }
}
