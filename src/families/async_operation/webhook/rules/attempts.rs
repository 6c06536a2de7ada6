//! Which deliveries are attempts to deliver the same event.

use std::collections::BTreeSet;

use super::super::evidence::{Answered, Event, Evidence, Failing};

/// Two attempts closer than this, in milliseconds, do not wait a second between them, whatever clocks and networks do.
pub(super) const STORM_MS: u64 = 900;

/// The attempts to deliver one event to one address, in order.
pub(super) struct Chain<'e> {
    pub(super) attempts: Vec<&'e Event>,
}

/// The chains of an address.
///
/// Attempts say the same, whatever id they come under, or have the same id and tell of the same. What names no operation
/// says nothing that only one event could say.
pub(super) fn chains(evidence: &Evidence, mailbox: usize) -> Vec<Chain<'_>> {
    let mut chains: Vec<Chain<'_>> = Vec::new();
    for event in super::readable(evidence).filter(|event| event.mailbox == mailbox) {
        let alike = |chain: &&mut Chain<'_>| {
            chain.attempts.iter().any(|known| {
                known.content == event.content && super::tells(evidence, event)
                    || known.id.is_some() && known.id == event.id && known.facts == event.facts
            })
        };
        match chains.iter_mut().find(alike) {
            Some(chain) => chain.attempts.push(event),
            None => chains.push(Chain { attempts: vec![event] }),
        }
    }
    chains
}

impl<'e> Chain<'e> {
    /// The last attempt.
    pub(super) fn last(&self) -> Option<&'e Event> {
        self.attempts.last().copied()
    }

    /// The first attempt, if it was made to fail.
    pub(super) fn failed(&self) -> Option<&'e Event> {
        self.attempts.first().copied().filter(|event| !event.answered.is_acknowledged())
    }

    /// The second attempt, if each came under another id. Where one id comes twice it is kept from attempt to attempt,
    /// and these are several events that look alike.
    pub(super) fn renamed(&self) -> Option<&'e Event> {
        let ids: BTreeSet<_> = self.attempts.iter().map(|event| &event.id).collect();
        self.attempts.get(1).copied().filter(|_| ids.len() == self.attempts.len())
    }

    /// An attempt that says something else than the first.
    pub(super) fn changed(&self) -> Option<&'e Event> {
        let first = self.attempts.first()?;
        self.attempts.iter().copied().find(|event| event.content != first.content)
    }

    /// Each attempt with the one after it.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&'e Event, &'e Event)> {
        self.attempts.windows(2).map(|pair| (pair[0], pair[1]))
    }

    /// Whether two attempts in a row came without waiting: one alone may be the same delivery sent twice.
    pub(super) fn storms(&self) -> bool {
        let short: Vec<bool> = self
            .pairs()
            .map(|(one, next)| !one.answered.is_acknowledged() && next.received_ms - one.received_ms < STORM_MS)
            .collect();
        short.windows(2).any(|two| two == [true, true])
    }

    /// Of two waits in a row, whether the second is less than half of the first, and what the first was between. What a
    /// target waits after it gave an attempt up cannot be seen, for nobody sees when it does.
    pub(super) fn shrinks(&self) -> impl Iterator<Item = (bool, [&'e Event; 2])> {
        self.attempts.windows(3).filter(|three| three.iter().take(2).all(|event| event.answered != Answered::Hung)).map(
            |three| {
                let wait = |at: usize| three[at + 1].received_ms - three[at].received_ms;
                (wait(1) * 2 < wait(0), [three[0], three[1]])
            },
        )
    }

    /// How often it came again after it was acknowledged in time.
    pub(super) fn repeats(&self) -> usize {
        let acknowledged = self.attempts.iter().position(|event| event.answered.is_acknowledged() && !event.late);
        acknowledged.map_or(0, |at| self.attempts.len() - at - 1)
    }
}

/// Whether another attempt should have come by the time when waiting for it ended: twice as late as declared, it does
/// not come any more.
pub(super) fn overdue(evidence: &Evidence, failing: &Failing, chain: &Chain<'_>) -> bool {
    let (Some(schedule), Some(last)) = (&evidence.declared.redelivery, chain.last()) else { return false };
    let step = if chain.attempts.len() == 1 { Some(schedule.first_ms) } else { schedule.longest_ms };
    let Some(step) = step else { return false };
    let timeout = match (last.answered, schedule.timeout_ms) {
        (Answered::Hung, None) => return false,
        (Answered::Hung, Some(timeout)) => timeout,
        _ => 0,
    };
    !failing.cut_short && failing.until_ms > last.received_ms + 2 * step + timeout
}
