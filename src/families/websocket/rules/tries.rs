//! Only what happened in a try and again in the next is held against a target.

use crate::{
    exchange::ExchangeId,
    rule::{Judgement, Severity},
};

/// What one try showed.
pub(super) enum Seen {
    /// What must happen happened.
    Good,
    /// It did not.
    Bad(Flaw),
    /// Neither was seen, and why.
    Neither(String),
}

/// What was seen instead of what must happen.
pub(super) struct Flaw {
    pub(super) actual: String,
    pub(super) severity: Option<Severity>,
}

impl Seen {
    pub(super) fn bad(actual: impl Into<String>) -> Self {
        Self::Bad(Flaw { actual: actual.into(), severity: None })
    }

    pub(super) fn less_bad(severity: Severity, actual: impl Into<String>) -> Self {
        Self::Bad(Flaw { actual: actual.into(), severity: Some(severity) })
    }
}

/// A try: what was tried, on which connection, and what it showed.
pub(super) struct Try {
    pub(super) what: String,
    pub(super) exchange: Option<ExchangeId>,
    pub(super) seen: Seen,
}

/// What a list of tries comes to. Tries of the same follow one another.
#[derive(Default)]
pub(super) struct Settled {
    good: Vec<(String, Option<ExchangeId>)>,
    /// With the severity, the worst first.
    bad: Vec<(Option<Severity>, String, Vec<ExchangeId>)>,
    doubts: Vec<(String, Vec<ExchangeId>)>,
}

impl Settled {
    pub(super) fn new(tries: impl IntoIterator<Item = Try>) -> Self {
        let mut groups: Vec<Vec<Try>> = Vec::new();
        for one in tries {
            match groups.last_mut() {
                Some(group) if group[0].what == one.what => group.push(one),
                _ => groups.push(vec![one]),
            }
        }
        let mut settled = Self::default();
        for group in groups {
            settled.add(&group);
        }
        settled
    }

    fn add(&mut self, group: &[Try]) {
        let exchanges: Vec<ExchangeId> = group.iter().filter_map(|one| one.exchange).collect();
        if let Some(good) = group.iter().find(|one| matches!(one.seen, Seen::Good)) {
            self.good.push((good.what.clone(), good.exchange));
            return;
        }
        let flaws: Vec<&Flaw> = group
            .iter()
            .filter_map(|one| match &one.seen {
                Seen::Bad(flaw) => Some(flaw),
                _ => None,
            })
            .collect();
        let what = &group[0].what;
        if let [first, .., last] = flaws.as_slice() {
            let actual = if first.actual == last.actual {
                format!("{what}: {}, twice", first.actual)
            } else {
                format!("{what}: {}, and again: {}", first.actual, last.actual)
            };
            // The milder of the two was seen twice.
            let severity = match (first.severity, last.severity) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            };
            self.bad.push((severity, actual, exchanges));
        } else if let [flaw] = flaws.as_slice() {
            self.doubts.push((format!("{what}: {}, once, and it could not be tried again", flaw.actual), exchanges));
        } else if let Some(Seen::Neither(why)) = group.first().map(|one| &one.seen) {
            self.doubts.push((format!("{what}: {why}"), exchanges));
        }
    }

    /// The judgement: a failure for what was bad twice, else a doubt, else a pass.
    pub(super) fn judge(mut self, fail: &str, expected: &[&str], pass: &str) -> Judgement {
        // None is the rule's own severity, which is the worst.
        self.bad.sort_by_key(|(severity, ..)| std::cmp::Reverse(severity.unwrap_or(Severity::Critical)));
        if let Some((severity, actual, _)) = self.bad.first() {
            let mut judgement = Judgement::fail(fail).actual(actual);
            judgement.severity = *severity;
            judgement = expected.iter().fold(judgement, |judgement, outcome| judgement.expected(*outcome));
            for (_, actual, exchanges) in &self.bad {
                judgement = judgement.cite(exchanges.iter().copied());
                if self.bad.len() > 1 {
                    judgement = judgement.detail(actual);
                }
            }
            return judgement;
        }
        if let Some((first, _)) = self.doubts.first() {
            let mut judgement = Judgement::inconclusive(first);
            for (doubt, exchanges) in &self.doubts {
                judgement = judgement.cite(exchanges.iter().copied());
                if self.doubts.len() > 1 {
                    judgement = judgement.detail(doubt);
                }
            }
            return judgement;
        }
        if self.good.is_empty() {
            return Judgement::inconclusive("the run ended before it was tried");
        }
        let judgement = Judgement::pass(pass);
        self.good.iter().fold(judgement, |judgement, (_, exchange)| judgement.cite(*exchange))
    }
}

/// Judges a part of the evidence, if it is there.
pub(super) fn part<T>(part: Option<&T>, judge: fn(&T) -> Judgement) -> Judgement {
    part.map_or_else(|| Judgement::inconclusive(super::CUT_SHORT), judge)
}

/// Milliseconds for people: `1.5 s`.
pub(super) fn seconds(ms: u64) -> String {
    if ms < 1_000 {
        return format!("{ms} ms");
    }
    let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
    format!("{} s", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Verdict;

    fn judge(tries: Vec<(&str, Seen)>) -> Judgement {
        let tries = tries.into_iter().zip(1..).map(|((what, seen), id)| Try {
            what: what.to_owned(),
            exchange: Some(ExchangeId(id)),
            seen,
        });
        Settled::new(tries).judge("it fails", &["that it does not"], "it is kept")
    }

    #[test]
    fn only_what_happens_twice_fails() {
        let judged = judge(vec![("a", Seen::Good), ("b", Seen::bad("x")), ("b", Seen::bad("x"))]);
        assert_eq!((judged.verdict, judged.actual.as_str()), (Verdict::Fail, "b: x, twice"));
        assert_eq!(judged.exchanges, [ExchangeId(2), ExchangeId(3)]);
        assert_eq!(judge(vec![("b", Seen::bad("x")), ("b", Seen::Good)]).verdict, Verdict::Pass);
        assert_eq!(judge(vec![("b", Seen::bad("x"))]).verdict, Verdict::Inconclusive);
        assert_eq!(judge(vec![("b", Seen::bad("x")), ("b", Seen::Neither("y".into()))]).verdict, Verdict::Inconclusive);
        assert_eq!(judge(vec![]).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn the_milder_of_two_counts_and_the_worst_of_many_leads() {
        let mild = || Seen::less_bad(Severity::Minor, "late");
        let judged = judge(vec![("a", mild()), ("a", Seen::bad("never"))]);
        assert_eq!(judged.severity, Some(Severity::Minor));
        let judged = judge(vec![("a", mild()), ("a", mild()), ("b", Seen::bad("never")), ("b", Seen::bad("never"))]);
        assert_eq!((judged.severity, judged.details.len()), (None, 2));
    }
}
