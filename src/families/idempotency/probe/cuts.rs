//! Requests whose answer is lost.

use futures_util::future::join;

use super::{
    super::evidence::Lost,
    desk::{Desk, Sent},
};
use crate::{exchange::FailureKind, families::Cut};

/// Cuts the connection in both places, and sends the same again.
pub(super) async fn cuts(desk: &Desk<'_>) -> Vec<Lost> {
    let (one, two) = join(cut(desk, Cut::AfterRequest), cut(desk, Cut::AfterFirstByte)).await;
    one.into_iter().chain(two).collect()
}

async fn cut(desk: &Desk<'_>, cut: Cut) -> Option<Lost> {
    let op = desk.own();
    let seed = desk.fresh().ok()?;
    let purpose = match cut {
        Cut::AfterRequest => "create, the connection cut after the request",
        Cut::AfterFirstByte => "create, the connection cut after the first octet of the answer",
    };
    let request = desk.request(op, &seed, Sent::Usual(&seed.key), purpose).ok()?;
    let before = desk.count(op, &seed.reference).await;
    let (exchange, whole) = match desk.session.sever(request.clone(), cut).await {
        Err(failure) if failure.kind == FailureKind::Severed => (failure.id, None),
        Err(failure) => (failure.id, Some(super::answers::cropped(&failure.message))),
        Ok(reply) => (Some(reply.id), Some("the whole answer came before the connection could be cut".into())),
    };
    desk.space().await;
    let retry = desk.insist(&request.purpose("the same again after its answer was lost"), op.id).await.answer;
    let after = desk.at_rest(op, &seed.reference, true).await;
    Some(Lost { cut, reference: seed.reference, key: seed.key, before, exchange, whole, retry, after })
}
