//! Spends a limit, looks around while it is spent, waits in silence, and asks again.
//!
//! Order matters: what needs the limit spent comes at once after the first burst, with few requests, because each
//! refused one may prolong the block; the silent wait begins with the last refusal. What needs it rested comes after.
//! The one retry before its time is the very last.

mod detour;
mod drain;
mod kind;
mod meanwhile;
pub(super) mod model;
mod prober;
mod spend;
mod wait;

pub(super) use detour::{DETOURS, SPENT_AGAIN, TRIES};
pub(super) use kind::allowance;
pub(super) use meanwhile::CREATES_AGAIN;
pub(super) use wait::WAITS;

use self::prober::Prober;
use super::{
    config::Config,
    evidence::{Answer, Blocked, Evidence, Kind},
    plan::asks_another,
    signal,
};
use crate::families::{PlannedCheck, Session, errors::Shape};

/// Everything that a plan asks for, as far as the run lasts.
pub(super) async fn probe(config: &Config, shape: &Shape, session: &dyn Session, plan: &PlannedCheck) -> Evidence {
    let mut prober = Prober::new(config, shape, session, plan);
    if let Err(blocked) = prober.drive().await {
        prober.evidence.blocked = Some(blocked);
    }
    prober.finish()
}

impl Prober<'_> {
    async fn drive(&mut self) -> Result<(), Blocked> {
        let another = asks_another(self.config, self.plan);
        if another {
            self.ask_another_first().await;
        }
        self.baseline().await?;
        if !self.spend().await {
            return Ok(());
        }
        if another {
            self.ask_another_meanwhile().await;
        }
        if self.wants("RATE-011") {
            self.ask_others_meanwhile().await;
        }
        if self.wants("RATE-005") {
            self.create_meanwhile().await;
        }
        if self.wants("RATE-013") {
            self.try_detours().await;
        }
        let recovered = self.hear_the_limit_last().await && self.recover().await;
        // What was created is looked for even if the limit stays spent.
        self.look_up_creates(recovered).await;
        if !recovered {
            return Ok(());
        }
        self.ask_others_again().await;
        self.ask_another_again().await;
        if self.wants("RATE-003") && self.waits_undecided() && self.spend().await && !self.recover().await {
            return Ok(());
        }
        if self.wants("RATE-014") {
            self.drain().await;
        }
        if self.wants("RATE-009") || self.wants("RATE-012") {
            self.drive_model().await;
        }
        if self.wants("RATE-003") {
            self.retry_early().await;
        }
        Ok(())
    }

    /// What was refused last may be of another limit, with a wait of its own: the wait begins with this one's word.
    async fn hear_the_limit_last(&mut self) -> bool {
        if !self.last_was_other {
            return true;
        }
        match self.ask_limited().await {
            Some(answer) if answer.is_admitted() => self.spend().await,
            Some(answer) => answer.is_kept_out(),
            None => false,
        }
    }

    /// The first answer to the limited request.
    async fn baseline(&mut self) -> Result<(), Blocked> {
        let request = match &self.limited {
            Ok(_) => self.config.request.to_string(),
            Err(why) => return Err(Blocked { why: why.clone(), exchange: None }),
        };
        let mut answer = self.ask_limited().await;
        if let Some(refused) = answer.clone().filter(Answer::is_refused) {
            // Others of the run may have spent it.
            let told = signal::told(&refused, &self.config.signal, &self.evidence.clock);
            let wait = told.map(|told| told.wait).filter(|wait| *wait <= self.config.max_wait.0);
            if let Some(wait) = wait.or(self.window()) {
                self.session.pause(wait + self.guard()).await;
                answer = self.ask_limited().await;
            }
        }
        let Some(answer) = answer else {
            return Err(Blocked { why: format!("{request} got no answer: {}", self.trouble()), exchange: None });
        };
        let why = match answer.kind {
            Kind::Admitted => {
                self.evidence.baseline = Some(answer);
                return Ok(());
            }
            Kind::Refused => format!("{request} was refused for its limit before this check began"),
            _ => format!("{request} was answered with status {}, which shows nothing of a limit", answer.status),
        };
        Err(Blocked { why, exchange: Some(answer.exchange) })
    }
}
