//! A key that comes again with another body.

use super::{
    super::{evidence::Changed, patch::patched},
    desk::{Desk, Op, Sent},
};

/// Sends a request, then another one with its key; and the other one with a key of its own, to see that it is good.
pub(super) async fn changed(desk: &Desk<'_>) -> Option<Changed> {
    let own = desk.own();
    let call = match (&desk.config.changed, &desk.config.changed_call) {
        (Some(patch), _) => patched(own.call, patch)?,
        (None, Some(call)) => call.clone(),
        (None, None) => return None,
    };
    let other = Op { call: &call, ..own };
    let (mut trial, seed, _, _) = desk.trial("create, its key to come with another body").await.ok()?;
    let request = desk.request(other, &seed, Sent::Usual(&seed.key), "another body with a used key").ok()?;
    trial.alone = Some(desk.await_row(own, &trial.reference).await);
    desk.space().await;
    let answer = desk.settle(&request, own.id).await.answer;
    let after = desk.at_rest(own, &trial.reference, true).await;
    let seed = desk.fresh().ok()?;
    let request = desk.request(other, &seed, Sent::Usual(&seed.key), "the other body with a key of its own").ok()?;
    let control = desk.ask(&request, own.id).await.answer;
    // Only so that it is taken back.
    if desk.config.undo.is_some() && control.is_success() {
        desk.await_row(own, &seed.reference).await;
    }
    Some(Changed { trial, answer, after, control })
}
