//! What is asked for while the limit is spent, and the controls afterwards.

use super::{
    super::{
        config::{Other, Write},
        evidence::{Answer, Create, Isolation, Kind, OtherTrial, Writes},
    },
    prober::Prober,
};
use crate::{
    exchange::{Request, Who},
    families::{Call, Find, Found, Permit},
    json::Path,
};

/// How often the limit is spent again because no create met it.
pub(in super::super) const CREATES_AGAIN: u64 = 2;

impl Prober<'_> {
    fn limited_as(&self, who: Option<&str>, purpose: &'static str) -> Option<Request> {
        let request = self.limited.clone().ok()?;
        Some(Request { who: Who::named(who), purpose, ..request })
    }

    /// The other client before anything was spent: it must be at rest, too.
    pub(super) async fn ask_another_first(&mut self) {
        let Some(client) = self.config.other_client.clone() else { return };
        let Some(request) = self.limited_as(Some(&client), "another client, before") else { return };
        let before = self.ask(request, false).await;
        self.evidence.isolation = Some(Isolation { client, before, ..Isolation::default() });
    }

    pub(super) async fn ask_another_meanwhile(&mut self) {
        // Well within a limit like the one just met.
        let met = self.evidence.bursts.first().map_or(u64::MAX, super::super::evidence::Burst::admitted_first);
        let count = self.config.few().min(met.saturating_sub(1)).max(1);
        let trial = self.another(count, "another client, while the limit is spent").await;
        if let Some(isolation) = &mut self.evidence.isolation {
            isolation.trial = trial;
        }
    }

    /// If the other client was refused: as often alone, and once more with the limit spent.
    pub(super) async fn ask_another_again(&mut self) {
        let refused = self.evidence.isolation.as_ref().is_some_and(|i| i.trial.iter().any(Answer::is_refused));
        if !refused || !self.wants("RATE-010") {
            return;
        }
        self.rest().await;
        let count = self.evidence.isolation.as_ref().map_or(1, |isolation| isolation.trial.len() as u64);
        let control = self.another(count, "another client alone").await;
        let alone = control.iter().all(Answer::is_admitted);
        if let Some(isolation) = &mut self.evidence.isolation {
            isolation.control = control;
        }
        if !alone {
            return;
        }
        self.rest().await;
        if !self.spend().await {
            return;
        }
        let again = self.another(1, "another client, while the limit is spent").await;
        if let Some(isolation) = &mut self.evidence.isolation {
            isolation.again = again;
        }
        self.recover().await;
    }

    /// The limited request as another client, until it is refused twice in a row.
    async fn another(&mut self, count: u64, purpose: &'static str) -> Vec<Answer> {
        let mut answers = Vec::new();
        let client = self.config.other_client.clone();
        let Some(request) = self.limited_as(client.as_deref(), purpose) else { return answers };
        let mut refused = 0;
        for _ in 0..count {
            let Some(answer) = self.ask(request.clone(), false).await else { break };
            refused = if answer.is_refused() { refused + 1 } else { 0 };
            answers.push(answer);
            if refused == 2 {
                break;
            }
        }
        answers
    }

    fn own_call(&self, call: &Call, purpose: &'static str) -> Result<(Request, bool), String> {
        let own = self.config.client.as_deref();
        let request = call.build(call.who(own), &self.session.values(), purpose)?;
        let is_own = request.who == Who::named(own);
        Ok((request, is_own))
    }

    pub(super) async fn ask_others_meanwhile(&mut self) {
        let config = self.config;
        for other in &config.others {
            let refusal = self.last_refusal.clone();
            let mut trial = OtherTrial {
                name: other.name.clone(),
                safety: other.safety,
                separate: other.separate,
                expect: other.expect.clone(),
                skipped: None,
                answer: None,
                refusal,
                control: None,
            };
            match self.ask_other(other).await {
                Ok(answer) => trial.answer = answer,
                Err(why) => trial.skipped = Some(why),
            }
            self.evidence.others.push(trial);
        }
    }

    async fn ask_other(&mut self, other: &Other) -> Result<Option<Answer>, String> {
        if !other.call.is_safe() && self.plan.writes == 0 {
            return Err(format!("`target.permits` does not list `{}`", Permit::Write.as_str()));
        }
        let before = self.last_refusal.clone();
        let (request, own) = self.own_call(&other.call, "something else, while the limit is spent")?;
        let mut answer = self.ask(request, own).await;
        if let Some(answer) = &mut answer {
            // What another endpoint says with 403 is no ban of this limit, unless the suite says otherwise.
            if answer.kind == Kind::Banned {
                answer.kind = Kind::Other;
                self.last_refusal = before;
            }
        }
        Ok(answer)
    }

    /// What was refused while the limit was spent, again after a rest.
    pub(super) async fn ask_others_again(&mut self) {
        let config = self.config;
        let refused = |trial: &OtherTrial| trial.answer.as_ref().is_some_and(Answer::is_refused);
        if !self.evidence.others.iter().any(refused) {
            return;
        }
        self.rest().await;
        for (index, other) in config.others.iter().enumerate() {
            if self.evidence.others.get(index).is_some_and(refused) {
                let control = self.ask_other(other).await.ok().flatten();
                if let Some(trial) = self.evidence.others.get_mut(index) {
                    trial.control = control;
                }
            }
        }
        self.rest().await;
        self.last_refusal = None;
    }

    pub(super) async fn create_meanwhile(&mut self) {
        let config = self.config;
        let Some(write) = &config.write else { return };
        self.evidence.writes = Some(Writes::default());
        let mut spent_again = 0;
        let mut count = 0;
        while count < write.most {
            count += 1;
            let create = self.create(write, "create while the limit is spent").await;
            let ended = create.answer.as_ref().is_none_or(|answer| !answer.is_admitted());
            if let Some(writes) = &mut self.evidence.writes {
                writes.creates.push(create);
            }
            if ended {
                break;
            }
            if count == write.most && spent_again < CREATES_AGAIN && self.spend().await {
                // The limit recovered before a create met it.
                spent_again += 1;
                count = 0;
            }
        }
    }

    async fn create(&mut self, write: &Write, purpose: &'static str) -> Create {
        let reference = format!("fincheck-{:016x}", self.session.fresh());
        let mut values = self.session.values();
        values.insert("reference".into(), reference.clone());
        let own = self.config.client.as_deref();
        let answer = match write.call.build(write.call.who(own), &values, purpose) {
            Ok(request) => {
                let is_own = request.who == Who::named(own);
                self.ask(request, is_own).await
            }
            Err(_) => None,
        };
        Create { reference, answer, found: None }
    }

    /// Looks for everything that was created or refused; after a recovery, one create shows that a lookup finds it.
    pub(super) async fn look_up_creates(&mut self, recovered: bool) {
        let config = self.config;
        let (Some(write), Some(mut writes)) = (&config.write, self.evidence.writes.take()) else { return };
        for create in &mut writes.creates {
            create.found = Some(self.find(&write.find, &create.reference).await);
        }
        if recovered && writes.creates.iter().any(|c| c.answer.as_ref().is_some_and(Answer::is_refused)) {
            let mut control = self.create(write, "create with the limit not spent").await;
            if control.answer.as_ref().is_some_and(Answer::is_admitted) {
                self.session.pause(write.settle.0).await;
                control.found = Some(self.find(&write.find, &control.reference).await);
            }
            writes.control = Some(control);
        }
        // What was refused may still appear: looked for again once it has had the declared time.
        for create in writes.creates.iter_mut().filter(|create| is_unfound_refusal(create)) {
            create.found = Some(self.find(&write.find, &create.reference).await);
        }
        if let Some(undo) = &write.undo {
            for create in writes.creates.iter().chain(&writes.control) {
                self.undo(undo, create).await;
            }
        }
        self.evidence.writes = Some(writes);
    }

    async fn find(&self, find: &Find, reference: &str) -> Found {
        const NOTHING_ELSE: &[Path] = &[];
        let own = self.config.client.as_deref();
        find.find(self.session, own, &self.session.values(), reference, NOTHING_ELSE).await
    }

    async fn undo(&self, undo: &Call, create: &Create) {
        for id in create.found.as_ref().and_then(Found::ids).unwrap_or_default().into_iter().take(1) {
            let mut values = self.session.values();
            values.insert("reference".into(), create.reference.clone());
            values.insert("id".into(), id.to_owned());
            let who = undo.who(self.config.client.as_deref());
            if let Ok(request) = undo.build(who, &values, "take back what was created") {
                // What remains is only something of our own, named as such.
                let _ = self.session.undo(request).await;
            }
        }
    }
}

fn is_unfound_refusal(create: &Create) -> bool {
    let refused = create.answer.as_ref().is_some_and(Answer::is_refused);
    refused && create.found.as_ref().and_then(Found::ids).is_some_and(|ids| ids.is_empty())
}
