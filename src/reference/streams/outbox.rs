//! What waits to be sent to one client: bounded, and never silently less than there was.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Value;
use tokio::{sync::Notify, time::Instant};

use super::event::Event;
use crate::reference::{
    behaviour::Behaviour,
    defects::stream::{
        DROPS_SILENTLY, ILLEGAL_CLOSE_CODE, NEVER_CATCHES_UP, NO_ACKNOWLEDGEMENT, SLOW_HARMS_OTHERS, UNEXPLAINED_DROP,
    },
    variants::{STREAM_CLOSE_WITHOUT_CODE, STREAM_CONFLATES},
};

/// A client that has not taken a frame for so long holds the connection up.
const HOLD_UP: Duration = Duration::from_millis(100);
/// How much may wait beside events before the client is given up: it asks, and does not listen.
const MOST_ANSWERS: usize = 5_000;
/// How many events wait where a defect sets no bound.
const MOST_EVENTS: usize = 200_000;

/// Something to be sent.
#[derive(Debug)]
pub(super) enum Item {
    Acknowledgement(Value),
    Snapshot(Value),
    Told(Value),
    Event(Event),
    /// An event of the past, which waits beside the bound.
    Replayed(Event),
    Heartbeat,
    /// A ping or a pong.
    Control(u8, Vec<u8>),
    /// The last frame.
    Close(Option<u16>, String),
    /// The connection ends without a word.
    Drop,
}

/// The queue of one connection.
pub(super) struct Outbox {
    is: Behaviour,
    /// Most events that wait.
    bound: usize,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    items: VecDeque<Item>,
    events: usize,
    /// Nothing more is taken since then.
    shut: Option<Instant>,
    /// The last frame is out.
    closed: bool,
    /// When the frame that is being written was begun.
    writing: Option<Instant>,
    /// Whether there was once no room.
    was_slow: bool,
    last_event: Instant,
    last_frame: Instant,
}

impl Outbox {
    pub(super) fn new(is: Behaviour, bound: usize) -> Arc<Self> {
        let now = Instant::now();
        let state = State {
            items: VecDeque::new(),
            events: 0,
            shut: None,
            closed: false,
            writing: None,
            was_slow: false,
            last_event: now,
            last_frame: now,
        };
        Arc::new(Self { is, bound: bound.max(1), state: Mutex::new(state), changed: Notify::new() })
    }

    /// Adds something that is no event.
    pub(super) fn push(&self, item: Item) {
        if matches!(item, Item::Acknowledgement(_)) && self.is.has(NO_ACKNOWLEDGEMENT) {
            return;
        }
        let mut state = self.state();
        if state.shut.is_none() {
            if state.items.len() - state.events > MOST_ANSWERS {
                state.items.clear();
                state.end(Item::Drop);
            } else {
                state.items.push_back(item);
            }
            self.changed.notify_one();
        }
    }

    /// Adds an event. Where there is no room the client is told so and closed, after what waits already.
    pub(super) fn event(&self, event: Event) {
        let mut state = self.state();
        if state.shut.is_some() {
            return;
        }
        state.last_event = Instant::now();
        if state.events >= self.bound {
            state.was_slow = true;
            if self.is.is(STREAM_CONFLATES) && state.conflate(&event) || self.is.has(DROPS_SILENTLY) {
                return;
            }
            let unbounded = self.is.has(NEVER_CATCHES_UP) || self.is.has(SLOW_HARMS_OTHERS);
            if !(unbounded && state.events < MOST_EVENTS || self.is.is(STREAM_CONFLATES)) {
                let close = self.close_item(1013, "slow consumer");
                state.end(close);
                self.changed.notify_one();
                return;
            }
        }
        state.events += 1;
        state.items.push_back(Item::Event(event));
        self.changed.notify_one();
    }

    /// Closes the connection after what waits already.
    pub(super) fn close(&self, code: u16, reason: &str) {
        let close = self.close_item(code, reason);
        self.end(close, false);
    }

    /// Closes the connection at once, or drops it.
    pub(super) fn fail(&self, code: u16, reason: &str, drop: bool) {
        let close = if drop { Item::Drop } else { self.close_item(code, reason) };
        self.end(close, true);
    }

    /// Answers a close frame, with its code (RFC 6455 §5.5.1). True if it is the answer to ours, which needs none.
    pub(super) fn answer_close(&self, code: Option<u16>) -> bool {
        let mut state = self.state();
        if state.closed {
            return true;
        }
        state.items.clear();
        state.shut = None;
        let code = if self.is.has(ILLEGAL_CLOSE_CODE) { Some(1006) } else { code };
        let code = code.filter(|_| !self.is.is(STREAM_CLOSE_WITHOUT_CODE));
        state.end(Item::Close(code, String::new()));
        self.changed.notify_one();
        false
    }

    fn end(&self, last: Item, at_once: bool) {
        let mut state = self.state();
        if state.shut.is_none() {
            if at_once {
                state.items.clear();
            }
            state.end(last);
            self.changed.notify_one();
        }
    }

    fn close_item(&self, code: u16, reason: &str) -> Item {
        if self.is.has(UNEXPLAINED_DROP) {
            Item::Drop
        } else if self.is.is(STREAM_CLOSE_WITHOUT_CODE) {
            Item::Close(None, String::new())
        } else {
            let code = if self.is.has(ILLEGAL_CLOSE_CODE) { 1006 } else { code };
            Item::Close(Some(code), reason.to_owned())
        }
    }

    /// The next thing to be sent; to be followed by [`Outbox::sent`].
    pub(super) async fn next(&self) -> Item {
        loop {
            let changed = self.changed.notified();
            if let Some(item) = self.state().take() {
                return item;
            }
            changed.await;
        }
    }

    /// Says that what was taken last is out.
    pub(super) fn sent(&self, was_last: bool) {
        let mut state = self.state();
        state.writing = None;
        state.last_frame = Instant::now();
        state.closed |= was_last;
    }

    /// Since when nothing more is taken.
    pub(super) fn shut(&self) -> Option<Instant> {
        self.state().shut
    }

    pub(super) fn is_full(&self) -> bool {
        let state = self.state();
        state.shut.is_none() && state.events >= self.bound
    }

    /// Whether the client has taken nothing for a while although there is something.
    pub(super) fn is_held_up(&self) -> bool {
        self.state().writing.is_some_and(|since| since.elapsed() > HOLD_UP)
    }

    /// Whether a client that takes what it is sent has still much to take.
    pub(super) fn is_busy(&self) -> bool {
        let state = self.state();
        state.shut.is_none()
            && state.events > self.bound / 4
            && state.writing.is_none_or(|since| since.elapsed() <= HOLD_UP)
    }

    pub(super) fn was_slow(&self) -> bool {
        self.state().was_slow
    }

    /// When the last event was queued and when the last frame was sent; the opening counts as both.
    pub(super) fn last(&self) -> (Instant, Instant) {
        let state = self.state();
        (state.last_event, state.last_frame)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&mut self, last: Item) {
        self.events = self.items.iter().filter(|item| matches!(item, Item::Event(_))).count();
        self.items.push_back(last);
        self.shut = Some(Instant::now());
    }

    fn take(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.events -= usize::from(matches!(item, Item::Event(_)));
        self.writing = Some(Instant::now());
        Some(item)
    }

    /// Merges a change of a book into the one that waits; false if none does.
    fn conflate(&mut self, event: &Event) -> bool {
        let Event::Book(later) = event else { return false };
        let waiting = self.items.iter_mut().rev().find_map(|item| match item {
            Item::Event(Event::Book(waiting)) if waiting.symbol == later.symbol => Some(waiting),
            _ => None,
        });
        let Some(waiting) = waiting else { return false };
        *waiting = Arc::new(waiting.merged(later));
        true
    }
}
