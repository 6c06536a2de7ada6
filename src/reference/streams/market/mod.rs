//! The market: books that change by themselves for as long as anybody wants to be told.

mod book;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rand::{SeedableRng, rngs::ChaCha8Rng};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use self::book::Book;
use super::{
    audience::Audience,
    event::{Event, Symbols},
    hub::{Subscriber, with_request},
    outbox::{Item, Outbox},
};
use crate::reference::{
    behaviour::Behaviour,
    defects::stream::{DATA_AFTER_UNSUBSCRIBE, SNAPSHOT_BEHIND},
    http::Api,
    ledger::SYMBOLS,
};

/// How many events of a burst are made before those who keep up are waited for.
const BATCH: u32 = 32;
/// How long those are waited for at the most.
const PATIENCE: Duration = Duration::from_millis(200);

/// All books.
pub(in crate::reference) struct Market {
    is: Behaviour,
    state: Mutex<State>,
}

struct State {
    books: Vec<Book>,
    /// The books as they were in the beginning.
    initial: Vec<Book>,
    random: ChaCha8Rng,
    /// The book that changes next.
    next: usize,
    ticking: bool,
    audience: Audience,
}

impl Market {
    pub(super) fn new(is: Behaviour, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let books: Vec<Book> = (0..SYMBOLS.len()).map(|symbol| Book::new(symbol, &mut random)).collect();
        let initial = books.clone();
        let audience = Audience::default();
        Self { is, state: Mutex::new(State { books, initial, random, next: 0, ticking: false, audience }) }
    }

    /// A book as it is now; none of a symbol that is not traded.
    pub(in crate::reference) fn book(&self, symbol: &str) -> Option<Value> {
        let symbol = super::event::symbol(symbol)?;
        let state = self.state();
        let books = if self.is.has(SNAPSHOT_BEHIND) { &state.initial } else { &state.books };
        books.get(symbol).map(Book::render)
    }

    /// Subscribes to books, which begin to change if they did not.
    pub(super) fn subscribe(&self, api: &Arc<Api>, who: &Subscriber<'_>, symbols: Symbols) {
        let mut state = self.state();
        who.outbox.push(Item::Acknowledgement(with_request(answer("subscribed", symbols), who.request)));
        state.audience.join(who.outbox, symbols);
        if !state.ticking {
            state.ticking = true;
            api.tasks.spawn(tick(Arc::clone(api)));
        }
    }

    pub(super) fn unsubscribe(&self, who: &Subscriber<'_>, symbols: Symbols) {
        let mut state = self.state();
        if !self.is.has(DATA_AFTER_UNSUBSCRIBE) {
            state.audience.leave(who.outbox, symbols);
        }
        who.outbox.push(Item::Acknowledgement(with_request(answer("unsubscribed", symbols), who.request)));
    }

    /// A connection has ended.
    pub(super) fn leave(&self, outbox: &Arc<Outbox>) {
        let mut state = self.state();
        state.audience.leave(outbox, Symbols::ALL);
        state.audience.release();
    }

    /// Tells what was held.
    pub(super) fn release(&self) {
        self.state().audience.release();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn change(&mut self, symbol: usize, padding: usize, is: &Behaviour) {
        if let Some(book) = self.books.get_mut(symbol) {
            let event = Event::Book(Arc::new(book.change(&mut self.random, padding)));
            self.audience.tell(event, is);
        }
    }
}

fn answer(kind: &str, symbols: Symbols) -> Value {
    let names: Vec<&str> =
        SYMBOLS.iter().enumerate().filter(|(place, _)| symbols.has(*place)).map(|(_, (name, _))| *name).collect();
    json!({ "type": kind, "channel": "book", "symbols": names })
}

/// Changes one book after the other until nobody is left to be told.
async fn tick(api: Arc<Api>) {
    let mut ticks = interval(api.times.market_tick.max(Duration::from_micros(100)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while api.stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let market = &api.streams.market;
        let mut state = market.state();
        if state.audience.is_empty() {
            state.ticking = false;
            return;
        }
        let symbol = state.next;
        state.next = (symbol + 1) % SYMBOLS.len();
        state.change(symbol, 0, &market.is);
    }
}

/// Changes one book many times, as fast as those who keep up can take it.
pub(in crate::reference) async fn burst(api: Arc<Api>, symbol: usize, messages: u32, padding: usize) {
    for number in 0..messages {
        api.streams.market.state().change(symbol, padding, &api.streams.market.is);
        if number % BATCH == BATCH - 1 {
            let since = Instant::now();
            tokio::task::yield_now().await;
            while api.streams.market.state().audience.is_busy() && since.elapsed() < PATIENCE {
                if api.stop.is_cancelled() {
                    return;
                }
                sleep(Duration::from_millis(1)).await;
            }
        }
    }
}
