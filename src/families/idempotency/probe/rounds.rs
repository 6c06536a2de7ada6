//! Duplicates at one instant.

use super::{
    super::evidence::{Answer, Count, Round},
    DUPLICATES, ROUNDS,
    answers::hear,
    desk::{Desk, Sent},
};
use crate::exchange::Request;

/// Sends duplicates at one instant, some times, and counts when all of it is at rest.
pub(super) async fn rounds(desk: &Desk<'_>) -> Vec<Round> {
    let op = desk.own();
    let mut rounds = Vec::new();
    for number in 0..ROUNDS {
        // What else is planned needs requests too; a first round is worth most.
        let short = number > 0 && desk.session.remaining() < 8 * DUPLICATES as u64;
        if short || desk.session.stopping() {
            break;
        }
        let Some(round) = round(desk).await else { break };
        rounds.push(round);
    }
    desk.lag().await;
    let mut vanished = false;
    for round in &mut rounds {
        round.after = desk.count(op, &round.reference).await;
        vanished |= round.after.number() == Some(0);
    }
    if vanished && !desk.session.stopping() {
        desk.lag().await;
        desk.lag().await;
        for round in rounds.iter_mut().filter(|round| round.after.number() == Some(0)) {
            round.after = desk.count(op, &round.reference).await;
        }
    }
    rounds
}

async fn round(desk: &Desk<'_>) -> Option<Round> {
    let op = desk.own();
    let seed = desk.fresh().ok()?;
    let request = desk.request(op, &seed, Sent::Usual(&seed.key), "duplicates at one instant").ok()?;
    let before = desk.count(op, &seed.reference).await;
    let duplicates: Vec<Request> = std::iter::repeat_n(&request, DUPLICATES).cloned().collect();
    let answers: Vec<Answer> =
        desk.session.together(duplicates).await.into_iter().map(|outcome| hear(outcome, op.id).answer).collect();
    desk.space().await;
    let later = desk.insist(&request.purpose("once more after the duplicates"), op.id).await.answer;
    let after = Count::Unseen { why: "the run ended before".into(), exchange: None };
    Some(Round { reference: seed.reference, key: seed.key, before, answers, later, after })
}
