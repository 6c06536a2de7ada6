//! Rows that the probe itself creates and deletes.

use serde_json::Value;

use super::Probe;
use crate::{
    exchange::{FailureKind, Outcome, Payload, Request, Who},
    families::pagination::{
        config::Write,
        evidence::{RowId, WriteFact, WriteKind},
    },
    json::Scalar,
    notation::{Values, render_json},
};

/// A row that the probe created.
#[derive(Debug, Clone)]
pub(super) struct Own {
    pub(super) row: RowId,
    id: String,
    pub(super) alive: bool,
}

impl Own {
    pub(super) fn new(row: RowId, id: String) -> Self {
        Self { row, id, alive: true }
    }
}

/// The rows that the probe created, and how many it tried to.
#[derive(Debug, Default)]
pub(super) struct OwnRows {
    pub(super) rows: Vec<Own>,
    tried: u64,
    /// Whether a create was answered with a row that was there before.
    pub(super) repeated: bool,
}

impl OwnRows {
    pub(super) fn alive(&self) -> impl Iterator<Item = &Own> {
        self.rows.iter().filter(|own| own.alive)
    }

    /// Whether a row was created by the probe, deleted since or not.
    fn owns(&self, row: RowId) -> bool {
        self.rows.iter().any(|own| own.row == row)
    }

    pub(super) fn find(&self, row: RowId) -> Option<&Own> {
        self.rows.iter().find(|own| own.alive && own.row == row)
    }
}

impl Probe<'_> {
    /// Creates a row, with the sort key of another if one is given.
    pub(super) async fn create(&mut self, own: &mut OwnRows, key: Option<&str>, after_pages: usize) -> WriteFact {
        let churn = self.config.churn.as_ref();
        let (what, write) = match (churn.and_then(|c| c.insert_tied.as_ref()), key) {
            (Some(tied), Some(_)) => (WriteKind::InsertTied, Some(tied)),
            _ => (WriteKind::Insert, churn.map(|c| &c.insert)),
        };
        let mut fact =
            WriteFact { after_pages, what, row: None, exchange: None, acknowledged: false, ambiguous: false };
        let Some(write) = write else { return fact };
        own.tried += 1;
        let mut values = self.listing.values.clone();
        values.insert("n".into(), own.tried.to_string());
        values.insert("uuid".into(), self.uuid());
        values.insert("key".into(), key.unwrap_or_default().to_owned());
        let outcome = self.write(write, &values, "a row created", false).await;
        note(&mut fact, &outcome);
        if let (Ok(reply), Some(path)) = (&outcome, &write.id)
            && fact.acknowledged
        {
            let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
            let id = body.as_ref().and_then(|body| path.first(body)).map(Scalar::from_value);
            if let Some(id) = id.as_ref().and_then(Scalar::text) {
                let row = self.listing.identity.of_text(id);
                if own.owns(row) || self.reference.contains(&row) {
                    // Not ours to delete, and nothing was written that a walk could trip over.
                    own.repeated = true;
                    (fact.acknowledged, fact.ambiguous) = (false, true);
                } else {
                    self.names.insist(row, id);
                    own.rows.push(Own::new(row, id.to_owned()));
                    fact.row = Some(row);
                }
            }
        }
        fact
    }

    /// Deletes a row that the probe created, as a part of the test.
    pub(super) async fn delete(
        &mut self,
        own: &mut OwnRows,
        row: RowId,
        what: WriteKind,
        after_pages: usize,
    ) -> WriteFact {
        let mut fact =
            WriteFact { after_pages, what, row: Some(row), exchange: None, acknowledged: false, ambiguous: false };
        if let Some(outcome) = self.delete_own(own, row, "a row deleted", false).await {
            note(&mut fact, &outcome);
        }
        fact
    }

    /// Deletes what is left of the rows the probe created, whatever became of the run; returns those that are still
    /// there.
    pub(super) async fn clean_up(&mut self, own: &mut OwnRows) -> Vec<RowId> {
        let rows: Vec<RowId> = own.alive().map(|own| own.row).collect();
        let mut left = Vec::new();
        for row in rows {
            let gone = |reply: &crate::exchange::Reply| reply.is_success() || matches!(reply.status, 404 | 410);
            match self.delete_own(own, row, "cleaning up", true).await {
                Some(Ok(reply)) if gone(&reply) => {}
                _ => left.push(row),
            }
        }
        left
    }

    async fn delete_own(&self, own: &mut OwnRows, row: RowId, purpose: &'static str, undo: bool) -> Option<Outcome> {
        let write = self.config.churn.as_ref()?.delete.as_ref()?;
        let target = own.rows.iter_mut().find(|own| own.alive && own.row == row)?;
        let mut values = self.listing.values.clone();
        values.insert("id".into(), target.id.clone());
        target.alive = false;
        Some(self.write(write, &values, purpose, undo).await)
    }

    async fn write(&self, write: &Write, values: &Values, purpose: &'static str, undo: bool) -> Outcome {
        let who = match &write.client {
            Some(name) => Who::named(Some(name)),
            None => self.listing.who.clone(),
        };
        let build = || -> Result<Request, String> {
            let target = write.request.target.render_path(values).map_err(|e| e.to_string())?;
            let mut request = Request::new(who, write.request.method.clone(), target).purpose(purpose);
            for (name, value) in &write.headers {
                request.headers.push(name, value.render(values).map_err(|e| e.to_string())?);
            }
            if let Some(body) = &write.body {
                request.payload = Payload::Json(render_json(body, values)?);
            } else if let Some(form) = &write.form {
                let fields = form.iter().map(|(name, value)| Ok((name.clone(), value.render(values)?)));
                let fields: Result<_, crate::notation::Unknown> = fields.collect();
                request.payload = Payload::Form(fields.map_err(|e| e.to_string())?);
            }
            Ok(request)
        };
        match build() {
            Ok(request) if undo => self.session.undo(request).await,
            Ok(request) => self.session.send(request).await,
            Err(message) => Err(crate::exchange::Failure { id: None, kind: FailureKind::Request, message }),
        }
    }

    fn uuid(&self) -> String {
        let (high, low) = (u128::from(self.session.fresh()), u128::from(self.session.fresh()));
        uuid::Builder::from_random_bytes((high << 64 | low).to_be_bytes()).into_uuid().to_string()
    }
}

fn note(fact: &mut WriteFact, outcome: &Outcome) {
    match outcome {
        Ok(reply) => {
            fact.exchange = Some(reply.id);
            fact.acknowledged = reply.is_success();
            fact.ambiguous = reply.status >= 500;
        }
        Err(failure) => {
            fact.exchange = failure.id;
            fact.ambiguous = failure.id.is_some();
        }
    }
}
