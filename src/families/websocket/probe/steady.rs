//! What a stream does while nobody disturbs it: subscriptions, numbers, payloads, and what it tells of what happens.

use futures_util::future::join;

use super::{
    super::{
        config::{Config, Policy},
        evidence::{Blocked, Conduct, Record, Steady, Stimulated, Subscription},
        feed::{NotOpen, Subscribed},
    },
    ear::is_irregular,
    gather::{Gathered, gather},
    stimulus::Stimuli,
    subscribe::trial,
};
use crate::families::{Conventions, PlannedCheck, Session};

/// The most times that two connections are listened to.
const ROUNDS: usize = 3;
/// The most connections that this opens at once.
const CONNECTIONS: u64 = 4;

/// Subscribes, listens, makes things happen, and takes back what it made.
pub(super) async fn probe(
    session: &dyn Session,
    config: &Config,
    conventions: &Conventions,
    plan: &PlannedCheck,
) -> (Steady, Option<Record>) {
    let stimuli = Stimuli::new(session, config).filter(|_| plan.writes > 0);
    let stimuli = stimuli.as_ref();
    let mut steady = Steady::default();
    let mut made = Vec::new();
    let bound = config.session.as_ref().and_then(|session| session.connections);
    let subscribes = config.subscribe.is_some() && plan.wants("WS-010");
    let listens = plan.wants_any(&["WS-011", "WS-013", "WS-019"]);
    let beginnings =
        async { if subscribes { subscriptions(session, config, stimuli).await } else { Beginnings::default() } };
    let listening =
        async { if listens { rounds(session, config, conventions, stimuli).await } else { (Vec::new(), None) } };
    let (begun, (gathered, blocked)) = if bound.is_none_or(|most| most >= 3 * CONNECTIONS) {
        join(Box::pin(beginnings), Box::pin(listening)).await
    } else {
        let begun = Box::pin(beginnings).await;
        (begun, Box::pin(listening).await)
    };
    steady.blocked = blocked.or(begun.blocked);
    (steady.subscriptions, steady.unsubscriptions) = (begun.subscriptions, begun.unsubscriptions);
    steady.ends.extend(steady.subscriptions.iter().filter_map(|subscription| subscription.ended.clone()));
    let mut record = stimuli.map(|stimuli| Record {
        events: stimuli.events(),
        ids: config.messages.id.is_some(),
        merges: config.slow.as_ref().and_then(|slow| slow.policy) == Some(Policy::Conflate),
        ..Record::default()
    });
    for gathered in gathered {
        if let Some(record) = &mut record {
            record.streams.push(gathered.listened.main.exchange);
            record.streams.extend(gathered.listened.witness.as_ref().map(|side| side.exchange));
            record.made.extend(gathered.made);
        }
        steady.rounds.push(gathered.listened);
        steady.ends.extend(gathered.ends);
        merge(&mut steady.conduct, gathered.conduct);
    }
    if let (Some(stimuli), Some(record)) = (stimuli, &mut record) {
        for one in record.made.iter_mut().filter(|one| one.failed.is_none() && one.appearances.is_empty()) {
            stimuli.look_up(one).await;
        }
        made.extend(begun.made);
        made.extend(record.made.iter().cloned());
        stimuli.undo(&made).await;
    }
    (steady, record)
}

#[derive(Default)]
struct Beginnings {
    subscriptions: Vec<Subscription>,
    unsubscriptions: Vec<super::super::evidence::Unsubscription>,
    made: Vec<Stimulated>,
    blocked: Option<Blocked>,
}

/// Subscribes twice, and a third time where the two do not say the same.
async fn subscriptions(session: &dyn Session, config: &Config, stimuli: Option<&Stimuli<'_>>) -> Beginnings {
    let mut begun = Beginnings::default();
    for nth in 0..3 {
        let flawed = |begun: &Beginnings| begun.subscriptions.iter().filter(|one| is_flawed(one)).count();
        let told = begun.unsubscriptions.iter().filter(|one| one.busy).count();
        let after = begun.unsubscriptions.iter().filter(|one| !one.after.is_empty() || unanswered(&one.how)).count();
        let settled = nth >= 2 && flawed(&begun) != 1 && (after != 1 || told > 2);
        if settled || session.stopping() {
            break;
        }
        match trial(session, config, stimuli, config.unsubscribe.is_some() && (nth == 0 || after == 1)).await {
            Ok(trial) => {
                begun.subscriptions.push(trial.subscription);
                begun.unsubscriptions.extend(trial.unsubscription);
                begun.made.extend(trial.made);
            }
            Err(why) => {
                begun.blocked = Some(blocked(&why));
                break;
            }
        }
    }
    begun
}

fn unanswered(how: &Subscribed) -> bool {
    matches!(how, Subscribed::Unanswered)
}

fn is_flawed(one: &Subscription) -> bool {
    unanswered(&one.how) || !one.early.is_empty()
}

/// Listens, again where something was made to happen, and once more where what was seen has to be confirmed.
async fn rounds(
    session: &dyn Session,
    config: &Config,
    conventions: &Conventions,
    stimuli: Option<&Stimuli<'_>>,
) -> (Vec<Gathered>, Option<Blocked>) {
    let mut rounds: Vec<Gathered> = Vec::new();
    while rounds.len() < ROUNDS && !session.stopping() {
        let suspicious = rounds.iter().filter(|round| is_suspicious(round, stimuli)).count();
        let enough = if stimuli.is_some() { 2 } else { 1 };
        if rounds.len() >= enough && suspicious != 1 {
            break;
        }
        let stimulated = stimuli.map(|stimuli| (stimuli, stimuli.count()));
        match gather(session, config, conventions, stimulated).await {
            Ok(round) => {
                let failed = round.made.iter().any(|made| made.failed.is_some());
                rounds.push(round);
                if failed {
                    break;
                }
            }
            Err(why) => return (rounds, Some(blocked(&why))),
        }
    }
    (rounds, None)
}

/// Whether something was seen that has to be seen again.
fn is_suspicious(round: &Gathered, stimuli: Option<&Stimuli<'_>>) -> bool {
    let sides = [Some(&round.listened.main), round.listened.witness.as_ref()];
    let events = stimuli.map_or(1, Stimuli::events);
    sides.into_iter().flatten().any(is_irregular)
        || round.made.iter().filter(|made| made.failed.is_none()).any(|made| {
            (made.appearances.len() as u64) != events || made.appearances.iter().any(|one| !agrees(made, &one.values))
        })
}

/// Whether an event has the values that the answer had; decimals by value.
pub(in super::super) fn agrees(made: &Stimulated, values: &[Option<String>]) -> bool {
    super::super::rules::disagreements(&made.agrees, values).next().is_none()
}

pub(super) fn blocked(why: &NotOpen) -> Blocked {
    Blocked { why: why.why(), exchange: why.exchange() }
}

fn merge(into: &mut Conduct, from: Conduct) {
    into.events += from.events;
    into.compared += from.compared;
    into.asked |= from.asked;
    into.amounts += from.amounts;
    into.ids += from.ids;
    into.odd.extend(from.odd);
    into.instants += from.instants;
    into.exchanges.extend(from.exchanges);
    into.forms.extend(from.forms);
    into.inexact.extend(from.inexact);
    into.local.extend(from.local);
    into.no_instants.extend(from.no_instants);
    into.ahead.extend(from.ahead);
    into.backwards.extend(from.backwards);
}
