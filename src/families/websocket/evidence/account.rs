//! What became of every event after a loss.
//!
//! Truth is what another connection, held open throughout, was told, and what the stimulus made. An event is found again
//! by its id, by its number where numbers are the same on every connection, by the stimulus's reference; or a snapshot
//! includes it. Where any of these says that it arrived it did: the account errs on the target's side.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

/// How many lost events are named.
const NAMED: usize = 20;

/// An event as it is known on every connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Event {
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) id: Option<String>,
    /// What it happened to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) key: Option<String>,
    /// The stimulus's reference.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) reference: Option<String>,
    /// The first and the last of the numbers it stands for, where they are the same on every connection.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) numbers: Option<(u64, u64)>,
    /// What is numbered by itself, where that is not the stream.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) scope: Option<String>,
}

impl Event {
    /// Whether it can be told apart from others.
    pub(crate) fn is_named(&self) -> bool {
        self.id.is_some() || self.reference.is_some() || self.numbers.is_some()
    }

    /// In words.
    pub(crate) fn told(&self) -> String {
        let numbers = self.numbers.map(|(first, last)| match &self.scope {
            Some(scope) => format!("{scope} {}", range(first, last)),
            None => format!("number {}", range(first, last)),
        });
        let parts = [
            self.id.as_ref().map(|id| format!("`{id}`")),
            numbers,
            self.reference.as_ref().map(|reference| format!("reference {reference}")),
            self.key.as_ref().filter(|_| self.id.is_none()).map(|key| format!("of `{key}`")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { "an event without a name".to_owned() } else { parts.join(", ") }
    }
}

fn range(first: u64, last: u64) -> String {
    if first == last { first.to_string() } else { format!("{first} to {last}") }
}

/// An event that the stimulus made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Made {
    /// The reference it was given.
    pub(crate) reference: String,
    /// What the answer says it is known by.
    pub(crate) id: Option<String>,
}

impl Made {
    /// Whether this message tells of it.
    pub(crate) fn is(&self, event: &Event) -> bool {
        let reference = Some(self.reference.as_str());
        [&event.reference, &event.id, &event.key].into_iter().any(|name| name.as_deref() == reference)
            || self.id.is_some() && (event.id == self.id || event.key == self.id)
    }
}

/// An event that certainly happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Known {
    /// As the other connection was told of it, if it was.
    pub(crate) event: Option<Event>,
    /// As the stimulus made it, if it did.
    pub(crate) made: Option<Made>,
}

impl Known {
    /// All that certainly happened: what the witness was told, and what was made and the witness did not live to be told.
    pub(crate) fn all(witnessed: &[Event], made: &[Made], witness_lives: bool) -> Vec<Self> {
        let mut open: Vec<Option<&Made>> = made.iter().map(Some).collect();
        let named = witnessed.iter().filter(|event| event.is_named() || made.iter().any(|made| made.is(event)));
        let mut all: Vec<Self> = named
            .map(|event| {
                let by = open.iter_mut().find(|made| made.is_some_and(|made| made.is(event)));
                Self { event: Some(event.clone()), made: by.and_then(Option::take).cloned() }
            })
            .collect();
        if !witness_lives {
            all.extend(open.into_iter().flatten().map(|made| Self { event: None, made: Some(made.clone()) }));
        }
        all
    }

    /// What it happened to, where that is known.
    pub(crate) fn key(&self) -> Option<String> {
        self.event.as_ref().and_then(|event| event.key.clone().or_else(|| event.scope.clone()))
    }

    fn shown(&self) -> Event {
        let mut event = self.event.clone().unwrap_or_default();
        if let Some(made) = &self.made {
            event.reference.get_or_insert_with(|| made.reference.clone());
            event.id = event.id.or_else(|| made.id.clone());
        }
        event
    }
}

/// A snapshot as far as it was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SnapshotSeen {
    /// The number of the last event it includes, where numbers are the same on every connection.
    pub(crate) number: Option<u64>,
    /// What it is a snapshot of, where each is numbered by itself.
    pub(crate) scope: Option<String>,
    /// The key that it was asked for, if it was for one: it says nothing of others.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) key: Option<String>,
    /// Its rows, where the suite says where they are.
    pub(crate) rows: Option<Vec<Event>>,
}

/// Whether a snapshot includes an event.
enum Includes {
    Yes,
    No,
    Unknown,
}

/// What became of the events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// How many events are certain to have happened.
    pub(crate) known: u64,
    /// Of those, how many were delivered before the loss.
    pub(crate) before: u64,
    /// How many were delivered after it.
    pub(crate) recovered: u64,
    /// How many a snapshot included.
    pub(crate) covered: u64,
    /// How many a snapshot may have included.
    pub(crate) uncertain: u64,
    /// How many neither.
    pub(crate) lost: u64,
    /// The first of those.
    pub(crate) examples: Vec<Event>,
    /// How many messages told of an event that was told already.
    pub(crate) again: u64,
}

impl Account {
    /// How many happened while nobody listened.
    pub(crate) fn missed(&self) -> u64 {
        self.known - self.before
    }

    /// Whether nothing is open.
    pub(crate) fn is_settled(&self) -> bool {
        self.lost == 0 && self.uncertain == 0
    }

    /// In words.
    pub(crate) fn told(&self) -> String {
        let parts = [
            (self.recovered, "delivered later"),
            (self.covered, "included in a snapshot"),
            (self.uncertain, "perhaps included in a snapshot"),
            (self.lost, "lost"),
        ];
        let parts: Vec<String> =
            parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
        let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        format!("{} missed{parts}", self.missed())
    }
}

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Before,
    Recovered,
    Covered,
    Uncertain,
    Lost,
}

/// Accounts for every known event: told `before` the loss, `after` it, or included in one of the `snapshots` after it.
pub(crate) fn account(known: &[Known], before: &[Event], after: &[Event], snapshots: &[SnapshotSeen]) -> Account {
    let mut account = Account { known: known.len() as u64, again: again(before, after), ..Account::default() };
    for (one, fate) in fates(known, before, after, snapshots) {
        match fate {
            Fate::Before => account.before += 1,
            Fate::Recovered => account.recovered += 1,
            Fate::Covered => account.covered += 1,
            Fate::Uncertain => account.uncertain += 1,
            Fate::Lost => {
                account.lost += 1;
                if account.examples.len() < NAMED {
                    account.examples.push(one.shown());
                }
            }
        }
    }
    account
}

/// The events of which it is not certain that they arrived.
pub(crate) fn open<'k>(
    known: &'k [Known],
    before: &[Event],
    after: &[Event],
    snapshots: &[SnapshotSeen],
) -> Vec<&'k Known> {
    let fates = fates(known, before, after, snapshots).into_iter();
    fates.filter(|(_, fate)| matches!(fate, Fate::Uncertain | Fate::Lost)).map(|(one, _)| one).collect()
}

fn fates<'k>(
    known: &'k [Known],
    before: &[Event],
    after: &[Event],
    snapshots: &[SnapshotSeen],
) -> Vec<(&'k Known, Fate)> {
    let (told, later) = (Index::of(before), Index::of(after));
    let rows: Vec<Rows> = snapshots.iter().map(|snapshot| rows(known, snapshot)).collect();
    let fate = |one: &Known| {
        if told.has(one) {
            Fate::Before
        } else if later.has(one) {
            Fate::Recovered
        } else {
            match covered(one, snapshots, &rows, &later) {
                Includes::Yes => Fate::Covered,
                Includes::Unknown => Fate::Uncertain,
                Includes::No => Fate::Lost,
            }
        }
    };
    known.iter().map(|one| (one, fate(one))).collect()
}

/// A snapshot's rows, and whether any of the known events is among them.
type Rows = Option<(Index, bool)>;

fn rows(known: &[Known], snapshot: &SnapshotSeen) -> Rows {
    let index = Index::of(snapshot.rows.as_deref()?);
    let any = known.iter().any(|one| index.has(one));
    Some((index, any))
}

fn covered(one: &Known, snapshots: &[SnapshotSeen], rows: &[Rows], later: &Index) -> Includes {
    let mut best = Includes::No;
    let key = one.key();
    for (snapshot, rows) in snapshots.iter().zip(rows) {
        if snapshot.key.is_some() && key.is_some() && snapshot.key != key {
            continue;
        }
        let numbers = one.event.as_ref().and_then(|event| {
            let same = snapshot.scope.is_none() || event.scope.is_none() || snapshot.scope == event.scope;
            event.numbers.filter(|_| same)
        });
        // Numbers of another scope say nothing, so an unknown scope counts for the target.
        let in_time = snapshot.number.zip(numbers).map(|(number, (first, last))| {
            // One that stands for several numbers may be told in part after a snapshot with the others.
            let scope = one.event.as_ref().and_then(|event| event.scope.as_ref());
            last <= number || first <= number && later.spans(scope, (number.saturating_add(1), last))
        });
        match (in_time, rows) {
            (Some(true), _) => return Includes::Yes,
            (_, Some((rows, _))) if rows.has(one) || rows.holds(one) => return Includes::Yes,
            // Rows that include none of the events may be of another kind: what is gone is not among them.
            (None, None | Some((_, false))) => best = Includes::Unknown,
            _ => {}
        }
    }
    best
}

fn again(before: &[Event], after: &[Event]) -> u64 {
    let mut seen = HashSet::new();
    let name = |event: &Event| {
        let numbered = || event.numbers.map(|numbers| format!("{:?} {numbers:?}", event.scope));
        event.id.clone().or_else(numbered)
    };
    before.iter().chain(after).filter_map(name).filter(|name| !seen.insert(name.clone())).count() as u64
}

/// Events by all the names they have.
#[derive(Debug, Default)]
pub(crate) struct Index {
    ids: HashSet<String>,
    keys: HashSet<String>,
    references: HashSet<String>,
    /// Whether any of them stands for several numbers.
    merged: bool,
    /// By scope: first numbers and last numbers of runs without a hole.
    runs: HashMap<Option<String>, BTreeMap<u64, u64>>,
}

impl Index {
    /// Of these events.
    pub(crate) fn of(events: &[Event]) -> Self {
        let mut index = Self::default();
        let mut numbers: HashMap<Option<String>, Vec<(u64, u64)>> = HashMap::new();
        for event in events {
            index.ids.extend(event.id.clone());
            index.keys.extend(event.key.clone());
            index.references.extend(event.reference.clone());
            if let Some(range) = event.numbers {
                index.merged |= range.0 < range.1;
                numbers.entry(event.scope.clone()).or_default().push(range);
            }
        }
        for (scope, mut ranges) in numbers {
            ranges.sort_unstable();
            let mut runs: BTreeMap<u64, u64> = BTreeMap::new();
            let mut open: Option<(u64, u64)> = None;
            for (first, last) in ranges {
                open = match open {
                    Some((from, to)) if first <= to.saturating_add(1) => Some((from, to.max(last))),
                    before => {
                        runs.extend(before);
                        Some((first, last))
                    }
                };
            }
            runs.extend(open);
            index.runs.insert(scope, runs);
        }
        index
    }

    /// Whether an event of it is this one.
    pub(crate) fn has(&self, known: &Known) -> bool {
        let made = known.made.as_ref().is_some_and(|made| {
            let named = |id: &String| self.ids.contains(id) || self.keys.contains(id);
            self.references.contains(&made.reference) || named(&made.reference) || made.id.as_ref().is_some_and(named)
        });
        made || known.event.as_ref().is_some_and(|event| self.tells(event))
    }

    /// Whether one of them is about what this event happened to.
    fn holds(&self, known: &Known) -> bool {
        let key = known.event.as_ref().and_then(|event| event.key.as_ref());
        key.is_some_and(|key| self.keys.contains(key) || self.ids.contains(key))
    }

    /// Whether one of them is this event. Where both have ids these decide: a number may have been given anew.
    pub(crate) fn tells(&self, event: &Event) -> bool {
        if let Some(id) = event.id.as_ref().filter(|_| !self.ids.is_empty() && !self.merged) {
            return self.ids.contains(id);
        }
        event.id.as_ref().is_some_and(|id| self.ids.contains(id))
            || event.numbers.is_some_and(|numbers| self.spans(event.scope.as_ref(), numbers))
            || event.id.is_none() && event.reference.as_ref().is_some_and(|name| self.references.contains(name))
    }

    fn spans(&self, scope: Option<&String>, (first, last): (u64, u64)) -> bool {
        let runs = self.runs.get(&scope.cloned());
        runs.and_then(|runs| runs.range(..=first).next_back()).is_some_and(|(_, end)| *end >= last)
    }
}

#[cfg(test)]
mod tests;
