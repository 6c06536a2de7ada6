//! How long keys are kept, and what becomes of a key whose request was invalid.

use super::{
    super::{
        evidence::{Kept, Reused},
        patch::patched,
    },
    desk::{Desk, Op, Sent},
};

/// Repeats a request after longer whiles, within the declared retention.
pub(super) async fn kept(desk: &Desk<'_>) -> Option<Kept> {
    let retention = desk.config.retention?;
    let op = desk.own();
    let (mut trial, _, request, first) = desk.trial("create, to be repeated after a while").await.ok()?;
    let start = desk.session.now();
    trial.alone = Some(desk.await_row(op, &trial.reference).await);
    let mut horizon = desk.config.horizon.clone();
    horizon.sort_unstable();
    // At the very end of the retention either is right.
    horizon.retain(|span| span.0 < retention.0);
    let mut repeats = Vec::new();
    let mut cut_short = false;
    for span in horizon {
        let passed = desk.session.now().saturating_sub(start);
        desk.session.pause(span.0.saturating_sub(passed).max(desk.config.spacing.0)).await;
        if desk.session.stopping() {
            cut_short = true;
            break;
        }
        let mut heard = desk.settle(&request, op.id).await;
        heard.compare(&first, &desk.config.volatile);
        repeats.push((span, heard.answer));
    }
    let after = desk.at_rest(op, &trial.reference, true).await;
    Some(Kept { trial, repeats, after, cut_short })
}

/// Sends an invalid request, and the corrected one with its key.
pub(super) async fn reused(desk: &Desk<'_>) -> Option<Reused> {
    let own = desk.own();
    let call = patched(own.call, desk.config.invalid.as_ref()?)?;
    let seed = desk.fresh().ok()?;
    let broken = Op { call: &call, ..own };
    let request = desk.request(broken, &seed, Sent::Usual(&seed.key), "an invalid request with a key").ok()?;
    let before = desk.count(own, &seed.reference).await;
    let invalid = desk.ask(&request, own.id).await.answer;
    desk.space().await;
    let request = desk.request(own, &seed, Sent::Usual(&seed.key), "the corrected request with the same key").ok()?;
    let corrected = desk.settle(&request, own.id).await.answer;
    let after = desk.at_rest(own, &seed.reference, corrected.is_success()).await;
    Some(Reused { before, invalid, corrected, after })
}
