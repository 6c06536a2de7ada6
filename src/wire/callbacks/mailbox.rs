//! One address at which callbacks arrive.

use std::{sync::Arc, time::Duration};

use data_encoding::HEXLOWER;
use url::Url;

use super::hub::{Hub, Slot, lock};
use crate::exchange::{Answer, Delivery, Sameness};

/// An address at which callbacks arrive until this is dropped.
pub struct Mailbox {
    slot: Arc<Slot>,
    hub: Arc<Hub>,
    /// The last segment of its path; none for the one that was registered by hand.
    token: Option<String>,
}

impl Mailbox {
    pub(super) fn open(hub: &Arc<Hub>, base: &Url, check: &str) -> Result<Self, String> {
        let mut random = [0; 16];
        aws_lc_rs::rand::fill(&mut random).map_err(|_| "no random address can be made".to_owned())?;
        let token = HEXLOWER.encode(&random);
        let mut url = base.clone();
        match url.path_segments_mut() {
            Ok(mut path) => drop(path.pop_if_empty().push(&token)),
            Err(()) => return Err(format!("{base} cannot have addresses below it")),
        }
        let slot = hub.put(&token, url, check);
        Ok(Self { slot, hub: Arc::clone(hub), token: Some(token) })
    }

    pub(super) fn open_by_hand(hub: &Arc<Hub>, url: &Url, check: &str) -> Result<Self, String> {
        let slot = hub.put_by_hand(url.clone(), check);
        let slot = slot.ok_or_else(|| format!("another check receives what is sent to {url}"))?;
        Ok(Self { slot, hub: Arc::clone(hub), token: None })
    }

    /// The address.
    pub fn url(&self) -> &Url {
        &self.slot.url
    }

    /// How the deliveries that come from now on are answered, in their order.
    pub fn answer_next(&self, answers: Vec<Answer>) {
        lock(&self.slot.answers).next(answers);
    }

    /// How the deliveries of what is the same are answered from now on.
    pub fn answer_alike(&self, sameness: Sameness, answers: Vec<Answer>, otherwise: Answer) {
        lock(&self.slot.answers).alike(sameness, answers, otherwise);
    }

    /// How every delivery is answered from now on.
    pub fn answer_always(&self, answer: Answer) {
        lock(&self.slot.answers).always(answer);
    }

    /// Everything that has arrived, in order.
    pub fn deliveries(&self) -> Vec<Delivery> {
        lock(&self.slot.deliveries).clone()
    }

    /// Waits until more than `seen` deliveries have arrived; false if that takes longer than `time`.
    pub async fn wait_beyond(&self, seen: usize, time: Duration) -> bool {
        let mut count = self.slot.count.subscribe();
        tokio::time::timeout(time, count.wait_for(|count| *count > seen)).await.is_ok_and(|waited| waited.is_ok())
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.hub.take_down(self.token.as_deref());
    }
}
