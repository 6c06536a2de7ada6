//! A client that reads too slowly is not cheated, and harms nobody.

use super::{
    super::evidence::{
        Evidence,
        recovery::SignKind,
        slow::{Slow, Stall},
    },
    on, untried,
};
use crate::{
    families::{JudgedRule, websocket::config::Policy},
    rule::{Judgement, Rule, Severity, Strength, Verdict},
};

/// Answers over HTTP that take longer by this, in milliseconds, show a path that is busy, on which reading takes longer, too.
const NO_LAG: u128 = 50;
/// Delays below this, in milliseconds, are no harm however much they grew.
const NO_HARM: u128 = 250;

pub(super) const WS_016: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-016",
        slug: "silent-drop-for-slow-client",
        family: "websocket",
        title: "A client that reads too slowly gets everything, or is told what it does not get",
        sent: "A client with a small receive buffer stops reading (`slow.stalls`) while another reads on; then it reads \
               everything. More must have been sent than the socket's buffers and 4 MiB hold.",
        requirement: "Everything is delivered later; or the connection is closed with a code or a message that says why; or \
                      a gap is told and a snapshot follows; or updates of one key are merged, where that is declared. A \
                      reset without a close frame, and a jump of the numbers without another word, are advised against.",
        not_applicable: "The suite says nothing of slow clients (`slow`).",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "a client that fell behind must be able to know it; RFC 6455 §7.4.1, IANA's registry of close codes \
                 (1008, 1013)",
        remedy: "Bound each connection's queue; when it overflows, close with 1013 or 1008 and a reason, or tell of the gap \
                 and send a snapshot. Never leave out a message silently.",
        defects: &["stream.drops-silently"],
    },
    judge: |evidence| on(evidence, outcome),
};

pub(super) const WS_017: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "WS-017",
        slug: "slow-client-harms-others",
        family: "websocket",
        title: "A client that reads too slowly holds up nobody else, and catches up",
        sent: "The same: what the other connection was told is measured before and while the client does not read; then how \
               long the client takes until what it is told is new.",
        requirement: "The other connection misses nothing, is not ended, and its delays do not grow beyond twice what they \
                      were. The slow client is live again within `slow.catch_up`, or its connection was closed.",
        not_applicable: "The suite says nothing of slow clients (`slow`).",
        severity: Severity::Critical,
        strength: Strength::Domain,
        source: "one client's fault must not cost others theirs; slow consumers of Coinbase Prime and INTX (limited \
                 queues), Alpaca (407)",
        remedy: "Give each connection a queue of its own and never wait for one while serving another; drop what a client \
                 is too far behind to use.",
        defects: &["stream.slow-harms-others", "stream.never-catches-up"],
    },
    judge: |evidence| on(evidence, others),
};

fn stalls(evidence: &Evidence) -> Result<&Slow, Box<Judgement>> {
    let Some(seen) = &evidence.slow else { return Err(Box::new(untried(evidence, None))) };
    if !seen.declared {
        return Err(Box::new(Judgement::not_applicable("the suite says nothing of slow clients (`slow`)")));
    }
    if let Some(why) = &seen.blocked {
        return Err(Box::new(Judgement::inconclusive(why.clone())));
    }
    if seen.stalls.is_empty() { Err(Box::new(untried(evidence, None))) } else { Ok(seen) }
}

fn outcome(evidence: &Evidence) -> Judgement {
    let seen = match stalls(evidence) {
        Ok(seen) => seen,
        Err(judgement) => return *judgement,
    };
    Judgement::worst(repeated(seen.stalls.iter().map(|stall| (stall, one(seen, stall)))), "nothing was tried")
}

/// What fails must fail twice, except where it is told anyway; a lone failure shows nothing.
fn repeated<'s>(judged: impl Iterator<Item = (&'s Stall, Judgement)>) -> Vec<Judgement> {
    let mut parts: Vec<Judgement> = judged.map(|(stall, judgement)| pressure(stall, judgement)).collect();
    let grave = |part: &Judgement| part.verdict == Verdict::Fail && part.severity != Some(Severity::Info);
    if parts.iter().filter(|part| grave(part)).count() == 1 {
        for part in parts.iter_mut().filter(|part| grave(part)) {
            part.verdict = Verdict::Inconclusive;
            part.severity = None;
            part.message = format!("{}; that was seen only once", part.message);
        }
    } else if parts.iter().any(grave) {
        // What did not show every time is no excuse.
        parts.retain(grave);
    }
    // A short stall that shows nothing does not hide a longer one that does.
    if parts.iter().any(|part| part.verdict != Verdict::Inconclusive) && !parts.iter().any(grave) {
        parts.retain(|part| part.verdict != Verdict::Inconclusive || part.message.contains("only once"));
    }
    parts
}

fn pressure(stall: &Stall, judgement: Judgement) -> Judgement {
    let mib = |octets: u64| format!("{}.{} MiB", octets >> 20, ((octets & 0xF_FFFF) * 10) >> 20);
    let judgement = judgement.cite(stall.exchanges.iter().copied()).detail(format!(
        "not read for {}: {} in {} messages were sent to the other connection, {} are needed to be felt",
        stall.lasted,
        mib(stall.pressure),
        stall.messages,
        mib(stall.needed())
    ));
    match &stall.end {
        Some(end) => judgement.detail(end.told()),
        None => judgement,
    }
}

/// How one stall came out, by the table of outcomes.
fn one(seen: &Slow, stall: &Stall) -> Judgement {
    let account = &stall.account;
    let told = |kind| stall.signs.iter().find(|sign| sign.kind == kind);
    let explained = told(SignKind::Error).or_else(|| told(SignKind::Gap));
    if let Some(end) = &stall.end {
        let coded = end.close_frame && end.code.is_some_and(|code| code != 1000);
        return if coded || explained.is_some() {
            Judgement::pass(format!("the slow client's connection was {}", end.told()))
        } else if end.close_frame {
            Judgement::fail("the slow client's connection was closed without saying why")
                .severity(Severity::Info)
                .expected("a close code such as 1008 or 1013, or a message that says why")
                .actual(end.told())
        } else {
            Judgement::fail("the slow client's connection was dropped without a close frame")
                .severity(Severity::Info)
                .expected("a close frame, or a message that says why")
                .actual("the client can see that it is cut off, and not why")
        };
    }
    if account.missed() == 0 {
        return Judgement::inconclusive("nothing was told on the other connection meanwhile");
    }
    if stall.stale_rows > 0 && account.lost == 0 && !stall.jumped && !told_of_loss(stall) {
        let mut judgement =
            Judgement::fail("messages stand for others by their numbers, and leave out what those held")
                .expected("a message that stands for several holds the last of every row (`snapshot.book`)")
                .actual(format!("{} rows are left as they were", stall.stale_rows));
        for example in &stall.stale_examples {
            judgement = judgement.detail(example.clone());
        }
        return judgement;
    }
    if account.lost == 0 && account.uncertain == 0 {
        if !stall.is_pressed() {
            return Judgement::inconclusive("too little was sent for the server to notice that nobody read");
        }
        return Judgement::pass(format!("everything was delivered later ({})", account.told()));
    }
    if stall.late.0 * 2 > stall.lasted.0 {
        return Judgement::inconclusive("fincheck itself did not get to work for too long");
    }
    if let Some(sign) = told(SignKind::Gap).or_else(|| told(SignKind::Snapshot)) {
        return Judgement::pass(format!("events were left out, and that was told: {}", sign.told()));
    }
    if seen.policy == Some(Policy::Conflate) && seen.keyed && stall.stale_keys == 0 && account.lost > 0 {
        return Judgement::pass("updates were merged, as declared; the last of every key was told");
    }
    if account.lost == 0 {
        return Judgement::inconclusive("a snapshot came, but the suite does not say what it holds");
    }
    if stall.gave_up || stall.beyond {
        let why = "not everything could be read afterwards within the bounds (`slow.most`, `slow.catch_up`)";
        return Judgement::inconclusive(why);
    }
    let mut judgement = if stall.jumped && seen.jumps {
        return Judgement::pass("events were left out; the numbers jump, which is documented to be the sign of it");
    } else if stall.jumped {
        Judgement::fail("events were left out; only a jump of the numbers shows it").severity(Severity::Info)
    } else if seen.policy == Some(Policy::Conflate) && stall.stale_keys > 0 {
        Judgement::fail(format!("updates were merged, and the last of {} keys was not told", stall.stale_keys))
    } else {
        Judgement::fail("events were left out, and nothing shows it")
    };
    for event in account.examples.iter().take(5) {
        judgement = judgement.detail(format!("left out: {}", event.told()));
    }
    judgement
        .expected("everything delivered later, or a close with a code or a reason")
        .expected("a message that tells of the gap, and a snapshot")
        .actual(account.told())
}

/// Whether the client was told that events were left out, or given the whole state.
fn told_of_loss(stall: &Stall) -> bool {
    stall.signs.iter().any(|sign| matches!(sign.kind, SignKind::Gap | SignKind::Snapshot))
}

fn others(evidence: &Evidence) -> Judgement {
    let seen = match stalls(evidence) {
        Ok(seen) => seen,
        Err(judgement) => return *judgement,
    };
    let isolation = repeated(seen.stalls.iter().map(|stall| (stall, isolated(seen, stall))));
    let lag = repeated(seen.stalls.iter().map(|stall| (stall, caught_up(seen, stall))));
    Judgement::worst(isolation.into_iter().chain(lag).collect(), "nothing was tried")
}

/// What the connection that was read throughout went through.
fn isolated(seen: &Slow, stall: &Stall) -> Judgement {
    let control = &stall.control;
    // Whoever does not get to work does not read.
    let busy = stall.late.0 * 4 > stall.lasted.0;
    let harmed = control.end.is_some() || control.holes > 0 && !seen.jumps;
    if harmed && busy {
        return Judgement::inconclusive("fincheck itself did not get to work for too long");
    }
    if let Some(unsteady) = seen.unsteady.as_ref().filter(|_| harmed) {
        return Judgement::inconclusive(format!("a connection {unsteady} also while everybody reads"));
    }
    if let Some(end) = &control.end {
        return Judgement::fail("a connection that was read throughout was ended while another was not read")
            .expected("other connections stay as they are")
            .actual(end.told());
    }
    if harmed {
        return Judgement::fail("a connection that was read throughout missed events while another was not read")
            .expected("nothing missed")
            .actual(format!("its numbers skip {} times", control.holes));
    }
    let (before, during) = (&control.before, &control.during);
    let (was, is) = (before.longest.0.as_millis(), during.longest.0.as_millis());
    let held = is > 2 * was + NO_HARM + stall.late.0.as_millis();
    // What is held back from everybody comes when reading goes on.
    let pressed = stall.is_pressed() || held && stall.pressure + stall.released >= stall.needed();
    if !pressed {
        return Judgement::inconclusive("too little was sent for the server to notice that nobody read");
    }
    let enough = if before.made { 1 } else { 10 };
    if before.count < enough || before.made != during.made {
        return Judgement::inconclusive("too little came on the other connection to compare its delays");
    }
    let what = if during.made { "the time until it is told of an event" } else { "the pause between its messages" };
    if held {
        let seen = format!("{was} ms at most before, {is} ms meanwhile");
        if is_slower(stall, NO_HARM) {
            return Judgement::inconclusive("answers over HTTP took longer, too: the whole path was busy").detail(seen);
        }
        return Judgement::fail("a connection that is read throughout is held up while another is not read")
            .expected(format!("{what} does not grow beyond twice what it was"))
            .actual(seen);
    }
    Judgement::pass(format!("{what} was {is} ms at most ({was} ms before), and nothing was missed"))
}

/// Whether answers over HTTP took far longer while somebody did not read, and thereafter.
fn is_slower(stall: &Stall, slack: u128) -> bool {
    let http = stall.control.http;
    http.is_some_and(|(before, during)| during.0.as_millis() > 2 * before.0.as_millis() + slack)
}

fn caught_up(seen: &Slow, stall: &Stall) -> Judgement {
    let Some(bound) = seen.catch_up else { return Judgement::inconclusive("no bound is known") };
    if let Some(end) = &stall.end {
        return Judgement::pass(format!("the slow client's connection was {}", end.told()));
    }
    match stall.live_after {
        Some(after) if after <= bound => Judgement::pass(format!("live again after {after}")),
        _ if !stall.is_pressed() => {
            Judgement::inconclusive("too little was sent for the server to notice that nobody read")
        }
        _ if stall.late.0 * 8 > bound.0 => Judgement::inconclusive("fincheck itself did not get to work for too long"),
        _ if is_slower(stall, NO_LAG) => {
            Judgement::inconclusive("answers over HTTP took longer, too: the whole path was busy")
        }
        None if stall.beyond => {
            Judgement::inconclusive("not everything could be read afterwards within the bounds (`slow.most`)")
        }
        None if stall.account.known == 0 => {
            Judgement::inconclusive("events cannot be known again on another connection, so that none shows its age")
        }
        None if stall.quiet && told_of_loss(stall) => {
            Judgement::inconclusive("nothing happened afterwards that would show whether the stream is live")
        }
        Some(after) => Judgement::fail("the slow client caught up too late")
            .severity(Severity::Major)
            .expected(format!("live within {bound}"))
            .actual(format!("after {after}")),
        None => Judgement::fail("the slow client never caught up: what it is told stays old")
            .severity(Severity::Major)
            .expected(format!("live within {bound}, or closed"))
            .actual(format!("still behind after {} messages", stall.read)),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::evidence::{
            account::Account,
            recovery::Sign,
            slow::{Control, Delays, Ending},
        },
        *,
    };
    use crate::notation::Span;

    fn millis(millis: u64) -> Span {
        Span(std::time::Duration::from_millis(millis))
    }

    fn stall(recovered: u64, lost: u64) -> Stall {
        let delays = Delays { count: 500, longest: millis(10), made: false };
        Stall {
            lasted: millis(5_000),
            receive_buffer: 4_096,
            pressure: 6 << 20,
            messages: recovered + lost,
            account: Account { known: recovered + lost, recovered, lost, ..Account::default() },
            live_after: Some(millis(800)),
            control: Control { before: delays.clone(), during: delays, ..Control::default() },
            ..Stall::default()
        }
    }

    fn ended(code: Option<u16>, close_frame: bool) -> Stall {
        Stall { end: Some(Ending { code, reason: String::new(), close_frame }), ..stall(10, 990) }
    }

    fn slow(policy: Option<Policy>, stalls: Vec<Stall>) -> Evidence {
        let slow = Slow {
            declared: true,
            policy,
            catch_up: Some(millis(5_000)),
            numbered: true,
            keyed: true,
            stalls,
            ..Slow::default()
        };
        Evidence { slow: Some(slow), ..Evidence::default() }
    }

    fn judge(policy: Option<Policy>, stall: &Stall) -> (Verdict, Option<Severity>) {
        let judged = outcome(&slow(policy, vec![stall.clone(), stall.clone()]));
        (judged.verdict, judged.severity)
    }

    #[test]
    fn outcomes_are_judged_by_the_table() {
        let pass = (Verdict::Pass, None);
        let warn = (Verdict::Fail, Some(Severity::Info));
        assert_eq!(judge(None, &ended(Some(1013), true)), pass, "closed with a code");
        assert_eq!(judge(None, &ended(Some(1000), true)), warn, "closed as if all were well");
        assert_eq!(judge(None, &ended(None, false)), warn, "reset");
        let told = |kind| vec![Sign { kind, text: String::new() }];
        let explained = Stall { signs: told(SignKind::Error), ..ended(None, false) };
        assert_eq!(judge(None, &explained), pass, "an error, then the end");
        assert_eq!(judge(None, &Stall { signs: told(SignKind::Gap), ..stall(10, 5) }), pass, "a gap is told");
        assert_eq!(judge(None, &stall(1_000, 0)), pass, "delivered later");
        assert_eq!(judge(None, &Stall { jumped: true, ..stall(10, 5) }), warn, "the numbers jump");
        assert_eq!(judge(None, &stall(10, 5)), (Verdict::Fail, None), "left out, and nothing shows it");
        assert_eq!(judge(Some(Policy::Conflate), &stall(10, 5)), pass, "merged as declared");
        let stale = Stall { stale_keys: 1, ..stall(10, 5) };
        assert_eq!(judge(Some(Policy::Conflate), &stale), (Verdict::Fail, None), "merged wrongly");
    }

    #[test]
    fn without_pressure_delivery_shows_nothing_but_a_loss_does() {
        let easy = Stall { pressure: 1 << 20, ..stall(10, 0) };
        assert_eq!(judge(None, &easy).0, Verdict::Inconclusive);
        assert_eq!(judge(None, &Stall { pressure: 1 << 20, ..stall(10, 5) }).0, Verdict::Fail);
        assert_eq!(judge(None, &Stall { gave_up: true, ..stall(10, 5) }).0, Verdict::Inconclusive);
        let once = slow(None, vec![stall(10, 5), stall(15, 0)]);
        assert_eq!(outcome(&once).verdict, Verdict::Inconclusive, "seen only once");
        let longer = slow(None, vec![easy, stall(15, 0)]);
        assert_eq!(outcome(&longer).verdict, Verdict::Pass, "the longer stall shows it");
    }

    #[test]
    fn others_are_not_harmed() {
        let judge = |stall: Stall| {
            let judged = others(&slow(None, vec![stall.clone(), stall]));
            (judged.verdict, judged.severity)
        };
        assert_eq!(judge(stall(10, 0)).0, Verdict::Pass);
        let mut held = stall(10, 0);
        held.control.during.longest = millis(900);
        assert_eq!(judge(held.clone()), (Verdict::Fail, None));
        held.control.http = Some((millis(5), millis(800)));
        assert_eq!(judge(held).0, Verdict::Inconclusive, "everything was slow");
        let mut missed = stall(10, 0);
        missed.control.holes = 2;
        assert_eq!(judge(missed.clone()), (Verdict::Fail, None));
        let mut evidence = slow(None, vec![missed.clone(), missed]);
        evidence.slow.as_mut().unwrap().unsteady = Some("misses events".to_owned());
        assert_eq!(others(&evidence).verdict, Verdict::Inconclusive, "it is so anyway");
    }

    #[test]
    fn a_slow_client_is_live_again_in_time_or_closed() {
        let judge = |stall: Stall| {
            let judged = others(&slow(None, vec![stall.clone(), stall]));
            (judged.verdict, judged.severity)
        };
        assert_eq!(judge(Stall { live_after: None, ..stall(10, 0) }), (Verdict::Fail, Some(Severity::Major)));
        assert_eq!(judge(Stall { live_after: Some(millis(9_000)), ..stall(10, 0) }).0, Verdict::Fail);
        assert_eq!(judge(Stall { live_after: None, ..ended(Some(1013), true) }).0, Verdict::Pass);
    }
}
