//! A key that another client, or another operation, uses too.

use super::{
    super::{config::Operation, evidence::Crossed},
    desk::{Desk, Sent},
};

/// Another client sends our key with a request of its own.
pub(super) async fn other_client(desk: &Desk<'_>) -> Option<Crossed> {
    let other = desk.config.other_client.as_ref()?;
    let named = other.client.clone().unwrap_or_default();
    crossed(desk, other, format!("client {named}")).await
}

/// The same client sends its key with another operation.
pub(super) async fn other_operation(desk: &Desk<'_>) -> Option<Crossed> {
    let other = desk.config.other_operation.as_ref()?;
    crossed(desk, other, other.create.request.to_string()).await
}

async fn crossed<'a>(desk: &Desk<'a>, other: &'a Operation, named: String) -> Option<Crossed> {
    let op = desk.other(other);
    // With a key of its own first: what fails even so says nothing about keys.
    let seed = desk.fresh().ok()?;
    let request = desk.request(op, &seed, Sent::Usual(&seed.key), "the other one with a key of its own").ok()?;
    let control = desk.settle(&request, op.id).await.answer;
    let control_effect = desk.await_row(op, &seed.reference).await;
    let (trial, used, _, _) = desk.trial("create, its key to be used elsewhere").await.ok()?;
    let seed = desk.fresh().ok()?;
    let request = desk.request(op, &seed, Sent::Usual(&used.key), "a key that was used elsewhere").ok()?;
    let before = desk.count(op, &seed.reference).await;
    desk.space().await;
    let heard = desk.settle(&request, op.id).await;
    let shows_reference = heard.holds(&used.reference);
    let after = desk.at_rest(op, &seed.reference, heard.answer.is_success()).await;
    // Only so that it is taken back.
    if desk.config.undo.is_some() {
        desk.count(desk.own(), &trial.reference).await;
    }
    let answer = heard.answer;
    Some(Crossed { other: named, trial, control, control_effect, before, answer, shows_reference, after })
}
