//! Requests with bad credentials that name the client: they must not spend its limit.

use super::{
    super::evidence::{Answer, Drain},
    prober::Prober,
};
use crate::exchange::{Request, Who};

impl Prober<'_> {
    /// Twice, if the first trial seems to show something; each with the client at rest.
    pub(super) async fn drain(&mut self) {
        for _ in 0..2 {
            self.rest().await;
            let Some(drain) = self.drained().await else { return };
            let suspicious = drain.own.get(1).is_some_and(Answer::is_refused);
            self.evidence.drains.push(drain);
            if !suspicious || self.session.stopping() {
                return;
            }
        }
    }

    /// One request of the client, those with bad credentials, and the client again: `own` holds its answers.
    async fn drained(&mut self) -> Option<Drain> {
        let forged = self.forged()?;
        let mut drain = Drain::default();
        let before = self.ask_limited().await?;
        let at_rest = before.is_admitted();
        drain.own.push(before);
        if !at_rest {
            return Some(drain);
        }
        if self.config.limit.as_ref().is_some_and(|limit| limit.most() < 3) {
            // One request is a good part of so small a limit.
            self.rest().await;
        }
        for _ in 0..self.config.drain() {
            let Some(answer) = self.ask(forged.clone(), false).await else { break };
            // Let in: there is nothing to see here, and its own answers would be counted rightly.
            let let_in = answer.is_admitted();
            drain.forged.push(answer);
            if let_in {
                return Some(drain);
            }
        }
        for _ in 0..2 {
            drain.own.extend(self.ask_limited().await);
        }
        Some(drain)
    }

    fn forged(&self) -> Option<Request> {
        let forged = self.config.forged.as_ref()?;
        let mut request = self.limited.clone().ok()?;
        let values = self.session.values();
        let token = format!("fincheck-{:016x}{:016x}", self.session.random(), self.session.random());
        request.who = Who::Forged(token);
        request.purpose = "bad credentials that name the client";
        for (name, value) in &forged.headers {
            request.headers.set(name, value.render(&values).ok()?);
        }
        for (name, value) in &forged.query {
            request.query.push((name.clone(), value.render(&values).ok()?));
        }
        Some(request)
    }
}
