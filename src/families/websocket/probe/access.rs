//! Listens as those who may not, while the owner is told of events.

use futures_util::future::join_all;

use super::{
    super::{
        config::Config,
        evidence::{
            Ended,
            access::{Access, Intruder, Intrusion},
            account::{Event, Index, Made},
            recovery::SignKind,
        },
        feed::{How, Subscribed},
    },
    departure::Desk,
    listener::{Listener, during, together},
    recovery::patience,
};
use crate::{
    exchange::Who,
    families::{PlannedCheck, Session},
};

/// The most events that are named.
const NAMED: usize = 20;

/// Lets everyone try; the second is how the owner's connection ended, if it did.
pub(super) async fn probe(session: &dyn Session, config: &Config, plan: &PlannedCheck) -> (Access, Vec<Ended>) {
    let mut access =
        Access { private: config.private, other_client: config.other_client.is_some(), ..Access::default() };
    if !config.private {
        return (access, Vec::new());
    }
    let desk = Desk::new(session, config, plan);
    if let Err(why) = listen(&desk, &mut access).await {
        access.blocked = Some(why);
    }
    desk.undo().await;
    (access, desk.take_ends())
}

/// Who can try. Where a message makes the client known that does not carry its `{{credential}}`, or the suite's own header
/// fields and parameters do, credentials cannot be changed for others.
fn intruders(config: &Config, session: &dyn Session) -> Vec<(Intruder, Who)> {
    let mut intruders = Vec::new();
    if config.client.is_some() || config.authenticate.is_some() {
        intruders.push((Intruder::Nobody, Who::Anonymous));
    }
    if config.changes_hands() {
        let token = format!("forged-{:016x}{:016x}", session.random(), session.random());
        intruders.push((Intruder::Forged, Who::Forged(token)));
        intruders.extend(config.other_client.iter().map(|other| (Intruder::Other, Who::Client(other.clone()))));
    }
    intruders
}

async fn listen(desk: &Desk<'_>, access: &mut Access) -> Result<(), String> {
    let (session, config) = (desk.session, desk.config);
    let intruders = intruders(config, session);
    if intruders.is_empty() {
        return Err("the suite says of no `client`, so its credentials cannot be left out".into());
    }
    let mut owner = Listener::open(session, config, How::to("listen as the owner")).await.map_err(|not| not.why())?;
    access.exchanges.push(owner.exchange());
    let opening = join_all(intruders.into_iter().map(|(who, client)| async move {
        // Nobody says nothing; others say what they are, where the message carries a secret.
        let authenticate = who != Intruder::Nobody && config.speaks_credentials();
        let how = How { client: Some(client), authenticate, ..How::to("listen as one who may not") };
        (who, Listener::open(session, config, how).await)
    }));
    let opened = during(session, &mut [&mut owner], opening).await;
    let mut listening: Vec<(Intruder, Listener<'_>)> = Vec::new();
    for (who, result) in opened {
        match result {
            Ok(listener) => listening.push((who, listener)),
            Err(not) => access.tries.push(Intrusion {
                who,
                answer: not.why(),
                messages: 0,
                leaked: Vec::new(),
                alike: 0,
                exchange: not.exchange(),
            }),
        }
    }
    let from = owner.told.events.len();
    let mut made: Vec<Made> = Vec::new();
    let mut failure = None;
    {
        let mut all: Vec<&mut Listener<'_>> = vec![&mut owner];
        all.extend(listening.iter_mut().map(|(_, listener)| listener));
        for _ in 0..3 {
            match during(session, &mut all, desk.make()).await {
                Some(Ok(one)) => made.push(one),
                Some(Err(why)) => failure = Some(why),
                None => {}
            }
        }
        let wait = if made.is_empty() { config.listen.0 } else { patience(config) };
        together(session, &mut all, session.now() + wait, |all| {
            let events = &all[0].told.events[from.min(all[0].told.events.len())..];
            !made.is_empty() && made.iter().all(|made| events.iter().any(|event| made.is(event)))
        })
        .await;
        // What reaches the owner now may reach others a little later.
        together(session, &mut all, session.now() + config.lag.0, |_| false).await;
    }
    desk.note_end(&owner.told);
    access.owner = owner.told.events.len().saturating_sub(from) as u64;
    for (who, listener) in listening {
        access.tries.push(intrusion(config, who, &listener, &owner, &made));
        let closing = listener.feed.close(Some(1000));
        drop(during(session, &mut [&mut owner], closing).await);
    }
    match failure {
        Some(why) if made.is_empty() && access.owner == 0 => Err(why),
        _ => Ok(()),
    }
}

/// What one of them was told. A reference that nobody else can know is proof; to those without valid credentials, so is
/// an event that the owner was told of, too.
fn intrusion(
    config: &Config,
    who: Intruder,
    listener: &Listener<'_>,
    owner: &Listener<'_>,
    made: &[Made],
) -> Intrusion {
    let told = &listener.told;
    let known = Index::of(&owner.told.events);
    let rows = told.snapshots.iter().filter_map(|snapshot| snapshot.rows.as_ref()).flatten();
    let by_reference = |event: &Event| {
        [&event.reference, &event.id, &event.key]
            .into_iter()
            .flatten()
            .any(|name| made.iter().any(|made| made.reference == *name))
    };
    let ids = config.messages.id.is_some();
    let leaks = |event: &Event| by_reference(event) || who != Intruder::Other && ids && known.tells(event);
    let leaked: Vec<Event> = told.events.iter().chain(rows).filter(|event| leaks(event)).take(NAMED).cloned().collect();
    let same = told.texts.intersection(&owner.told.texts).count() as u64;
    let subscribed = match listener.feed.subscribed() {
        Subscribed::Unasked => "the handshake was taken",
        Subscribed::Acknowledged(_) => "the subscription was acknowledged",
        Subscribed::Refused(_) => "the subscription was refused",
        Subscribed::Unanswered => "the subscription was not answered",
    };
    let signs = told.signs.iter().filter(|sign| !matches!(sign.kind, SignKind::Snapshot | SignKind::Refused));
    let signs: Vec<String> = signs.take(2).map(super::super::evidence::recovery::Sign::told).collect();
    let answer = std::iter::once(subscribed.to_owned()).chain(signs).collect::<Vec<_>>().join("; ");
    Intrusion { who, answer, messages: told.messages, alike: same, leaked, exchange: Some(listener.exchange()) }
}
