//! Who is told of events.

use std::{collections::VecDeque, sync::Arc};

use super::{
    event::{Event, Symbols},
    outbox::Outbox,
};
use crate::reference::{behaviour::Behaviour, defects::stream::SLOW_HARMS_OTHERS};

/// Most events that wait for a slow client where one holds up all.
const MOST_HELD: usize = 200_000;

/// Those who have subscribed.
#[derive(Default)]
pub(super) struct Audience {
    members: Vec<Member>,
    /// What nobody is told as long as one has no room: only a defect holds anything.
    held: VecDeque<Event>,
}

struct Member {
    outbox: Arc<Outbox>,
    symbols: Symbols,
}

impl Audience {
    pub(super) fn join(&mut self, outbox: &Arc<Outbox>, symbols: Symbols) {
        match self.members.iter_mut().find(|member| Arc::ptr_eq(&member.outbox, outbox)) {
            Some(member) => member.symbols = member.symbols.and(symbols),
            None => self.members.push(Member { outbox: Arc::clone(outbox), symbols }),
        }
    }

    pub(super) fn leave(&mut self, outbox: &Arc<Outbox>, symbols: Symbols) {
        self.members.retain_mut(|member| {
            if Arc::ptr_eq(&member.outbox, outbox) {
                member.symbols = member.symbols.without(symbols);
            }
            member.symbols != Symbols::default()
        });
    }

    /// Whether anybody is left to be told.
    pub(super) fn is_empty(&mut self) -> bool {
        self.members.retain(|member| member.outbox.shut().is_none());
        self.members.is_empty()
    }

    pub(super) fn tell(&mut self, event: Event, is: &Behaviour) {
        if is.has(SLOW_HARMS_OTHERS)
            && self.held.len() < MOST_HELD
            && (!self.held.is_empty() || self.members.iter().any(|member| member.outbox.is_full()))
        {
            self.held.push_back(event);
        } else {
            self.deliver(&event);
        }
    }

    /// Tells what was held, as far as there is room.
    pub(super) fn release(&mut self) {
        while !self.members.iter().any(|member| member.outbox.is_full()) {
            let Some(event) = self.held.pop_front() else { return };
            self.deliver(&event);
        }
    }

    /// Whether somebody who takes what they are sent has still much to take.
    pub(super) fn is_busy(&self) -> bool {
        self.members.iter().any(|member| member.outbox.is_busy())
    }

    fn deliver(&mut self, event: &Event) {
        for member in self.members.iter().filter(|member| event.concerns(member.symbols)) {
            member.outbox.event(event.clone());
        }
    }
}
