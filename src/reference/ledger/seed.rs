//! The rows the API starts with: the same for the same seed.
//!
//! Times are fixed and lie before 2026, so that rows created by a client are newer unless it says otherwise.

use rand::{Rng, RngExt, SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use rust_decimal::Decimal;

use super::{
    Account, Books, Collection, Currency, Ledger, Money, Order, OrderKind, OrderStatus, Position, SYMBOLS, Side,
    Statement, TimeInForce, Transaction, TransactionKind, reference_value,
};
use crate::reference::tokens::Tenant;

/// 2026-01-01T00:00:00Z: every seeded row is older.
const END: i64 = 1_767_225_600_000;
const SECOND: i64 = 1_000;
const DAY: i64 = 86_400 * SECOND;

/// Sizes of the groups of positions with one `as_of`; everything else is single.
const TIES: [usize; 7] = [12, 8, 5, 5, 3, 3, 2];

/// Everything the API starts with.
pub(in crate::reference) fn seed(seed: u64, transactions: usize) -> Ledger {
    let account =
        |number, tenant, name, currency, age| Account { number, tenant, name, currency, opened_at: END - age * DAY };
    let accounts = [
        (account(1, Tenant::One, "Brokerage", Currency::Usd, 1_470), [140, transactions, 60, 48]),
        (account(2, Tenant::One, "Custody", Currency::Eur, 900), [30, 300, 12, 12]),
        (account(3, Tenant::One, "Reserve", Currency::Chf, 30), [0, 0, 0, 0]),
        (account(901, Tenant::Two, "Brokerage", Currency::Gbp, 700), [40, 120, 8, 12]),
    ];
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut next_id = 0;
    let mut books = std::collections::BTreeMap::<String, Books>::new();
    for (account, [positions, transactions, orders, statements]) in &accounts {
        let kept = Books {
            tenant: account.tenant,
            positions: Collection::seeded(positions_of(&mut random, &mut next_id, *positions)),
            transactions: Collection::seeded(transactions_of(&mut random, &mut next_id, *transactions)),
            orders: Collection::seeded(orders_of(&mut random, &mut next_id, *orders)),
            batches: Collection::seeded(Vec::new()),
            transfers: Collection::seeded(Vec::new()),
            withdrawals: Collection::seeded(Vec::new()),
            cash: Decimal::ZERO,
            statements: statements_of(&mut random, *statements, account.currency),
        };
        books.insert(account.id(), kept);
    }
    // Drawn after all rows, so that these do not depend on it.
    for kept in books.values_mut() {
        kept.cash = Money { minor: random.random_range(10_000_000..100_000_000), currency: Currency::CASH }.amount();
    }
    let accounts = Collection::seeded(accounts.into_iter().map(|(account, _)| account).collect());
    let notes = [Collection::seeded(Vec::new()), Collection::seeded(Vec::new())];
    Ledger { accounts, books, notes, next_id }
}

/// Ids in random order: nothing may depend on a younger row having the larger id.
fn shuffled_ids(random: &mut ChaCha8Rng, next_id: &mut u32, count: usize) -> Vec<u32> {
    let mut ids: Vec<u32> = (*next_id + 1..).take(count).collect();
    *next_id += u32::try_from(count).unwrap_or(u32::MAX);
    ids.shuffle(random);
    ids
}

fn positions_of(random: &mut ChaCha8Rng, next_id: &mut u32, count: usize) -> Vec<Position> {
    let mut as_of = END;
    let mut times = Vec::with_capacity(count);
    let mut groups = TIES.into_iter();
    while times.len() < count {
        as_of -= random.random_range(60..7_200) * SECOND;
        let group = if times.len() % 15 == 9 { groups.next().unwrap_or(1) } else { 1 };
        times.extend(std::iter::repeat_n(as_of, group.min(count - times.len())));
    }
    let ids = shuffled_ids(random, next_id, count);
    let rows = ids.into_iter().zip(times).filter_map(|(id, as_of)| {
        let symbol = SYMBOLS[random.random_range(0..SYMBOLS.len())].0;
        let quantity = Decimal::new(random.random_range(1..50_000), 1).normalize();
        let market_value = reference_value(symbol, quantity)?;
        Some(Position { id, symbol: symbol.into(), quantity, market_value, as_of, note: None })
    });
    rows.collect()
}

/// In ascending order, spread over four years, now and then several at one instant.
fn transactions_of(random: &mut ChaCha8Rng, next_id: &mut u32, count: usize) -> Vec<Transaction> {
    let step = 1_460 * DAY / i64::try_from(count.max(1)).unwrap_or(i64::MAX);
    let mut at = END - 1_460 * DAY;
    let mut slot = at;
    let mut rows = Vec::with_capacity(count);
    for id in (*next_id + 1..).take(count) {
        // One draw per row keeps a million of them cheap: its bytes decide everything.
        let [tie, jitter, kind, currency, amount @ ..] = random.next_u64().to_le_bytes();
        slot += step;
        if tie % 32 != 0 {
            at = (slot - step * i64::from(jitter) / 256 / 2).max(at) / SECOND * SECOND;
        }
        let kind = TransactionKind::ALL[usize::from(kind) % TransactionKind::ALL.len()];
        let currency = Currency::ALL[usize::from(currency) % Currency::ALL.len()];
        let minor = 100 + i64::from(u32::from_le_bytes(amount)) % 5_000_000;
        let amount = Money { minor: if kind.is_debit() { -minor } else { minor }, currency };
        rows.push(Transaction { booked_at: at, amount, words: None, id, kind });
    }
    *next_id += u32::try_from(count).unwrap_or(u32::MAX);
    rows
}

fn orders_of(random: &mut ChaCha8Rng, next_id: &mut u32, count: usize) -> Vec<Order> {
    let mut created_at = END;
    let ids = shuffled_ids(random, next_id, count);
    let rows = ids.into_iter().map(|id| {
        if !random.random_ratio(1, 8) {
            created_at -= random.random_range(60..3_600) * SECOND;
        }
        let (symbol, cents) = SYMBOLS[random.random_range(0..SYMBOLS.len())];
        let price = Money { minor: cents + random.random_range(-500..500), currency: Currency::Usd };
        Order {
            id,
            symbol: symbol.into(),
            side: if random.random() { Side::Buy } else { Side::Sell },
            kind: if random.random() { OrderKind::Market } else { OrderKind::Limit(price) },
            quantity: Decimal::from(random.random_range(1..500)),
            time_in_force: if random.random() { TimeInForce::Day } else { TimeInForce::GoodTillCancelled },
            client_reference: None,
            status: OrderStatus::ALL[random.random_range(0..OrderStatus::ALL.len())],
            created_at,
        }
    });
    rows.collect()
}

fn statements_of(random: &mut ChaCha8Rng, count: usize, currency: Currency) -> Vec<Statement> {
    let rows = (0..i32::try_from(count).unwrap_or(0)).map(|back| {
        let (year, month) = (2025 - back / 12, 12 - back % 12);
        let period = format!("{year}-{month:02}");
        Statement {
            id: format!("STM-{period}"),
            period,
            closing_balance: Money { minor: random.random_range(0..500_000_000), currency },
            issued_at: END - i64::from(back) * 30 * DAY - DAY,
        }
    });
    rows.collect()
}
