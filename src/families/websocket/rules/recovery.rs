//! Nothing is missed when a connection is lost, and whoever cannot go on is told.

use super::{
    super::evidence::{
        Evidence,
        recovery::{Recovery, Return, Rival, SignKind, Way, Ways},
    },
    on, untried,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength, Verdict},
};

/// With no more events than this missed, a way back without declared bounds must work.
const FEW: u64 = 100;

pub(super) const WS_014: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-014",
        slug: "missed-after-reconnect",
        family: "websocket",
        title: "What happens while a client is away is not lost to it",
        sent: "The connection is closed with 1000; events happen (`stimulus`, or by themselves), which a second \
               connection that stays open is told of; then the stream is taken up as declared (`resume`), or subscribed to \
               anew.",
        requirement: "Each of those events is delivered, or included in a snapshot. Events that come twice with the same id \
                      are no harm.",
        not_applicable: "The suite declares neither a way to resume nor a snapshot; how much was missed is told.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "a client must be able to learn what it missed; RFC 6455 §7.2.3; Kraken WebSocket v2 lifecycle; Alpaca `since_id`",
        remedy: "Keep events for a while by number and replay those after the one that the client names, or send a snapshot \
                 on every subscription.",
        defects: &["stream.resume-loses-one", "stream.resume-ignored"],
    },
    judge: |evidence| on(evidence, reconnected),
};

pub(super) const WS_015: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-015",
        slug: "silent-hole-after-loss",
        family: "websocket",
        title: "A broken connection loses no events, and an impossible resumption is refused loudly",
        sent: "The connection is reset in the middle of a frame and between two fragments, events unread; or is silent for \
               1.5 times the declared timeout; then the stream is taken up. It is also taken up from positions that \
               cannot be (too old, in the future, garbage), and with our position as another client.",
        requirement: "Each event is delivered or included in a snapshot. An impossible position gets an error, a message \
                      that tells of the gap, a close code, a snapshot, or all that was missed. Another client is told none \
                      of our events.",
        not_applicable: "The suite declares neither a way to resume nor a snapshot; how much was missed is told.",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "what is lost without a word is acted on as if it had not happened; RFC 6455 §7.2; OWASP API1:2023",
        remedy: "Take for received only what the client says it has; answer a position that is not held with an explicit \
                 resynchronisation; bind positions to the principal.",
        // Whoever loses events after an orderly close loses them after a reset, too.
        defects: &[
            "stream.resume-loses-one",
            "stream.resume-ignored",
            "stream.ignores-too-old",
            "stream.resumes-for-rival",
            "stream.loses-after-reset",
        ],
    },
    judge: |evidence| on(evidence, broken),
};

fn reconnected(evidence: &Evidence) -> Judgement {
    let Some(seen) = &evidence.recovery else { return untried(evidence, None) };
    if let Some(why) = &seen.blocked {
        return Judgement::inconclusive(why.clone());
    }
    let returns: Vec<&Return> = seen.returns.iter().filter(|one| one.way == Way::Closed).collect();
    if returns.is_empty() {
        return untried(evidence, None);
    }
    came_back(&seen.declared, Way::Closed, &returns)
}

fn broken(evidence: &Evidence) -> Judgement {
    let Some(seen) = &evidence.recovery else { return untried(evidence, None) };
    if let Some(why) = &seen.blocked {
        return Judgement::inconclusive(why.clone());
    }
    let mut parts: Vec<Judgement> = Vec::new();
    for way in [Way::InMessage, Way::InFragment, Way::Silence] {
        let returns: Vec<&Return> = seen.returns.iter().filter(|one| one.way == way).collect();
        if !returns.is_empty() {
            parts.push(came_back(&seen.declared, way, &returns));
        }
    }
    parts.extend(impossible(seen));
    parts.extend(seen.rival.as_ref().map(rival));
    if parts.is_empty() {
        return untried(evidence, None);
    }
    let applies = parts.iter().any(|part| part.verdict != Verdict::NotApplicable);
    if !applies {
        return parts.swap_remove(0);
    }
    Judgement::worst(parts, "no way back is declared")
}

/// One way of losing a connection, tried once or, where events were lost, twice.
fn came_back(declared: &Ways, way: Way, returns: &[&Return]) -> Judgement {
    let cite = |judgement: Judgement| judgement.cite(returns.iter().flat_map(|one| one.exchanges.iter().copied()));
    let seen: Vec<&Return> = returns.iter().copied().filter(|one| one.blocked.is_none()).collect();
    let Some(last) = seen.last() else {
        let why = returns.iter().find_map(|one| one.blocked.clone()).unwrap_or_default();
        if !declared.any() {
            let why =
                format!("the suite declares no way back (`resume`, a snapshot); what was missed is unknown: {why}");
            return cite(Judgement::not_applicable(why));
        }
        return cite(Judgement::inconclusive(format!("{}: {why}", way.told())));
    };
    let snapshots = seen.iter().any(|one| one.signs.iter().any(|sign| sign.kind == SignKind::Snapshot));
    if !declared.any() && !snapshots {
        let most = seen.iter().max_by_key(|one| one.account.lost).unwrap_or(last);
        let told = if most.account.lost == 0 {
            format!("of {} events while away none was missed", most.account.missed())
        } else {
            format!("{} of {} events while away were missed", most.account.lost, most.account.missed())
        };
        return cite(Judgement::not_applicable(format!(
            "the suite declares no way back (`resume`, a snapshot); {told}"
        )));
    }
    if seen.iter().all(|one| one.account.missed() == 0) {
        return cite(Judgement::inconclusive(format!("{}: nothing happened while the client was away", way.told())));
    }
    let lossy: Vec<&Return> = seen.iter().copied().filter(|one| one.account.lost > 0).collect();
    match lossy.as_slice() {
        [] => {}
        [one] => {
            let why = if seen.len() > 1 { "only once" } else { "and it could not be tried again" };
            return cite(with_account(
                Judgement::inconclusive(format!("{}, events were lost, {why}", way.told())),
                &[one],
            ));
        }
        several => return cite(lost(declared, way, several)),
    }
    if let Some(open) = seen.iter().find(|one| one.account.uncertain > 0) {
        let why = format!(
            "{}, a snapshot came, but the suite does not say what it holds (`messages.snapshot_sequence`, \
             `messages.snapshot_rows`)",
            way.told()
        );
        return cite(with_account(Judgement::inconclusive(why), &[open]));
    }
    let account = &last.account;
    let mut judgement = Judgement::pass(format!("{}, {}", way.told(), account.told()));
    if account.again > 0 {
        judgement = judgement.detail(format!("{} messages came twice, with the same id", account.again));
    }
    cite(judgement)
}

/// Events that were lost again and again.
fn lost(declared: &Ways, way: Way, lossy: &[&Return]) -> Judgement {
    let gap = |one: &&&Return| one.signs.iter().any(|sign| sign.kind != SignKind::Snapshot);
    let told = lossy.iter().all(|one| gap(&one));
    let beyond = lossy.iter().any(|one| {
        let events = one.account.missed();
        declared.depth.map_or(events > FEW, |depth| events > depth)
            || declared.window.is_some_and(|window| one.away >= window)
    });
    if told && beyond {
        let why = format!("{}, more was missed than can be taken up, and the client was told so", way.told());
        return with_account(Judgement::pass(why), lossy);
    }
    let judgement = if told {
        Judgement::fail(format!("{}, events were lost; the client was told, but nothing made up for them", way.told()))
            .severity(Severity::Major)
    } else {
        Judgement::fail(format!("{}, events were lost without a word", way.told()))
    };
    with_account(judgement, lossy)
        .expected("every event delivered after the connection is opened again")
        .expected("a snapshot that includes it")
}

fn with_account(mut judgement: Judgement, returns: &[&Return]) -> Judgement {
    for one in returns {
        if judgement.actual.is_empty() {
            judgement = judgement.actual(one.account.told());
        }
        let said = if one.said.is_empty() { String::new() } else { format!(", taken up with {}", one.said) };
        judgement = judgement.detail(format!("away for {}{said}: {}", one.away, one.account.told()));
        for event in one.account.examples.iter().take(5) {
            judgement = judgement.detail(format!("lost: {}", event.told()));
        }
        for sign in one.signs.iter().take(5) {
            judgement = judgement.detail(sign.told());
        }
    }
    judgement
}

/// Positions that cannot be taken up.
fn impossible(seen: &Recovery) -> Vec<Judgement> {
    let mut said: Vec<&str> = seen.impossible.iter().map(|one| one.said.as_str()).collect();
    said.sort_unstable();
    said.dedup();
    said.into_iter()
        .map(|said| {
            let tries: Vec<&Return> = seen.impossible.iter().filter(|one| one.said == said).collect();
            refused(said, &tries)
        })
        .collect()
}

fn refused(said: &str, tries: &[&Return]) -> Judgement {
    let cite = |judgement: Judgement| judgement.cite(tries.iter().flat_map(|one| one.exchanges.iter().copied()));
    let seen: Vec<&Return> = tries.iter().copied().filter(|one| one.blocked.is_none()).collect();
    let Some(first) = seen.first() else {
        let why = tries.iter().find_map(|one| one.blocked.clone()).unwrap_or_default();
        return cite(Judgement::inconclusive(format!("taken up with {said}: {why}")));
    };
    let silent: Vec<&Return> =
        seen.iter().copied().filter(|one| !one.is_loud() && one.account.lost > 0 && one.live).collect();
    if silent.len() > 1 {
        let judgement = Judgement::fail(format!(
            "taken up with {said}, which is impossible, the stream goes on with a hole, unsaid"
        ));
        return cite(
            with_account(judgement, &silent)
                .expected("an error, a message that tells of the gap, or a refused handshake")
                .expected("a close code other than 1000")
                .expected("a snapshot, or all that was missed"),
        );
    }
    if silent.len() == 1 {
        let why = format!("taken up with {said}, the stream went on with a hole, unsaid; that was seen only once");
        return cite(with_account(Judgement::inconclusive(why), &silent));
    }
    if let Some(sign) = seen.iter().find_map(|one| one.signs.first()) {
        return cite(Judgement::pass(format!("taken up with {said}, {}", sign.told())));
    }
    if first.account.missed() == 0 {
        return cite(Judgement::inconclusive(format!("taken up with {said}: nothing had been missed")));
    }
    if first.account.lost == 0 {
        return cite(Judgement::pass(format!("taken up with {said}, {}", first.account.told())));
    }
    cite(Judgement::inconclusive(format!("taken up with {said}, nothing was said, and nothing came")))
}

fn rival(seen: &Rival) -> Judgement {
    let cite = |judgement: Judgement| judgement.cite(seen.exchanges.iter().copied());
    if let Some(event) = seen.leaked.first() {
        let mut judgement = Judgement::fail("another client took up our stream and was told our events")
            .expected("another principal's position is refused")
            .actual(format!("{} of {} events, the first {}", seen.leaked.len(), seen.events, event.told()))
            .detail(format!("taken up with {}", seen.said));
        for sign in seen.signs.iter().take(3) {
            judgement = judgement.detail(sign.told());
        }
        return cite(judgement);
    }
    if let Some(why) = &seen.blocked {
        return cite(Judgement::inconclusive(format!("as another client: {why}")));
    }
    if seen.events == 0 {
        return cite(Judgement::inconclusive(
            "as another client: there was no event of ours that it could have been told",
        ));
    }
    let answer = seen
        .signs
        .first()
        .map_or_else(|| "was told nothing of ours".to_owned(), |sign| format!("got: {}", sign.told()));
    cite(Judgement::pass(format!("another client with our position {answer}")))
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::evidence::{
            account::{Account, Event},
            recovery::Sign,
        },
        *,
    };
    use crate::notation::Span;

    fn seconds(seconds: u64) -> Span {
        Span(std::time::Duration::from_secs(seconds))
    }

    fn ways() -> Ways {
        Ways { resume: true, ..Ways::default() }
    }

    fn one(way: Way, recovered: u64, lost: u64) -> Return {
        let examples = (0..lost).map(|n| Event { id: Some(format!("e{n}")), ..Event::default() }).collect();
        Return {
            way,
            said: "last 7".into(),
            blocked: None,
            away: seconds(1),
            account: Account { known: recovered + lost, recovered, lost, examples, ..Account::default() },
            signs: Vec::new(),
            live: true,
            exchanges: Vec::new(),
        }
    }

    fn sign(kind: SignKind) -> Sign {
        Sign { kind, text: String::new() }
    }

    fn evidence(recovery: Recovery) -> Evidence {
        Evidence { recovery: Some(recovery), ..Evidence::default() }
    }

    fn closed(declared: Ways, returns: Vec<Return>) -> Judgement {
        reconnected(&evidence(Recovery { declared, returns, ..Recovery::default() }))
    }

    #[test]
    fn a_loss_fails_only_when_it_repeats() {
        let lossy = || one(Way::Closed, 4, 1);
        assert_eq!(closed(ways(), vec![one(Way::Closed, 5, 0)]).verdict, Verdict::Pass);
        assert_eq!(closed(ways(), vec![lossy()]).verdict, Verdict::Inconclusive);
        assert_eq!(closed(ways(), vec![lossy(), one(Way::Closed, 5, 0)]).verdict, Verdict::Inconclusive);
        let failed = closed(ways(), vec![lossy(), lossy()]);
        assert_eq!((failed.verdict, failed.severity), (Verdict::Fail, None));
        assert!(failed.details.iter().any(|detail| detail == "lost: `e0`"), "{failed:?}");
    }

    #[test]
    fn a_loss_that_is_told_but_not_made_good_is_less_severe() {
        let told = || Return { signs: vec![sign(SignKind::Gap)], ..one(Way::Closed, 0, 5) };
        let judged = closed(ways(), vec![told(), told()]);
        assert_eq!((judged.verdict, judged.severity), (Verdict::Fail, Some(Severity::Major)));
        let shallow = Ways { depth: Some(4), ..ways() };
        assert_eq!(closed(shallow.clone(), vec![told(), told()]).verdict, Verdict::Pass, "more than can be taken up");
        let silent = || one(Way::Closed, 0, 5);
        assert_eq!(closed(shallow, vec![silent(), silent()]).verdict, Verdict::Fail, "and not a word of it");
        let short = Ways { window: Some(seconds(1)), ..ways() };
        assert_eq!(closed(short, vec![told(), told()]).verdict, Verdict::Pass, "too late");
    }

    #[test]
    fn without_a_way_back_what_was_missed_is_told() {
        let judged = closed(Ways::default(), vec![one(Way::Closed, 0, 3)]);
        assert_eq!(judged.verdict, Verdict::NotApplicable);
        assert!(judged.message.contains("3 of 3 events"), "{}", judged.message);
        let both = Recovery { returns: vec![one(Way::InMessage, 0, 3)], ..Recovery::default() };
        assert_eq!(broken(&evidence(both)).verdict, Verdict::NotApplicable);
        let unknown = Return { blocked: Some("no".into()), ..one(Way::Closed, 0, 0) };
        assert_eq!(closed(Ways::default(), vec![unknown]).verdict, Verdict::NotApplicable);
    }

    #[test]
    fn what_cannot_be_seen_is_no_pass() {
        assert_eq!(closed(ways(), vec![one(Way::Closed, 0, 0)]).verdict, Verdict::Inconclusive, "nothing happened");
        let blocked = Return { blocked: Some("no".into()), ..one(Way::Closed, 0, 2) };
        assert_eq!(closed(ways(), vec![blocked]).verdict, Verdict::Inconclusive);
        let mut open = one(Way::Closed, 0, 0);
        open.account = Account { known: 2, uncertain: 2, ..Account::default() };
        assert_eq!(closed(ways(), vec![open]).verdict, Verdict::Inconclusive, "a snapshot of unknown reach");
        assert_eq!(reconnected(&Evidence::default()).verdict, Verdict::Inconclusive);
    }

    #[test]
    fn an_impossible_position_is_refused_in_any_loud_way() {
        let tried = |tries: Vec<Return>| {
            let returns = vec![one(Way::InMessage, 3, 0)];
            broken(&evidence(Recovery { declared: ways(), returns, impossible: tries, ..Recovery::default() }))
        };
        let silent = || one(Way::Closed, 0, 3);
        assert_eq!(tried(vec![silent(), silent()]).verdict, Verdict::Fail);
        assert_eq!(tried(vec![silent()]).verdict, Verdict::Inconclusive);
        for kind in [SignKind::Gap, SignKind::Error, SignKind::Handshake, SignKind::Snapshot, SignKind::Closed] {
            assert_eq!(tried(vec![Return { signs: vec![sign(kind)], ..silent() }]).verdict, Verdict::Pass, "{kind:?}");
        }
        assert_eq!(tried(vec![one(Way::Closed, 3, 0)]).verdict, Verdict::Pass, "all that was missed");
        let dead = || Return { live: false, ..silent() };
        assert_eq!(tried(vec![dead(), dead()]).verdict, Verdict::Inconclusive, "it does not go on at all");
    }

    #[test]
    fn our_events_told_to_another_client_fail_at_once() {
        let rival = |leaked: Vec<Event>| {
            let rival = Some(Rival { leaked, events: 3, ..Rival::default() });
            broken(&evidence(Recovery { declared: ways(), rival, ..Recovery::default() })).verdict
        };
        assert_eq!(rival(vec![Event::default()]), Verdict::Fail);
        assert_eq!(rival(Vec::new()), Verdict::Pass);
    }
}
