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

/// The rows that the probe created, and how many it tried to.
#[derive(Debug, Default)]
pub(super) struct OwnRows {
    pub(super) rows: Vec<Own>,
    tried: u64,
}

impl OwnRows {
    pub(super) fn alive(&self) -> impl Iterator<Item = &Own> {
        self.rows.iter().filter(|own| own.alive)
    }

    #[cfg(test)]
    pub(super) fn of(rows: impl Iterator<Item = RowId>) -> Self {
        Self { rows: rows.map(|row| Own { row, id: String::new(), alive: true }).collect(), tried: 0 }
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
        let outcome = self.write(write, &values, "a row created").await;
        note(&mut fact, &outcome);
        if let (Ok(reply), Some(path)) = (&outcome, &write.id)
            && fact.acknowledged
        {
            let body: Option<Value> = serde_json::from_slice(&reply.body).ok();
            let id = body.as_ref().and_then(|body| path.first(body)).map(Scalar::from_value);
            if let Some(id) = id.as_ref().and_then(Scalar::text) {
                let row = self.listing.identity.of_text(id);
                self.names.insist(row, id);
                own.rows.push(Own { row, id: id.to_owned(), alive: true });
                fact.row = Some(row);
            }
        }
        fact
    }

    /// Deletes a row that the probe created.
    pub(super) async fn delete(
        &mut self,
        own: &mut OwnRows,
        row: RowId,
        what: WriteKind,
        after_pages: usize,
    ) -> WriteFact {
        let mut fact =
            WriteFact { after_pages, what, row: Some(row), exchange: None, acknowledged: false, ambiguous: false };
        let Some(write) = self.config.churn.as_ref().and_then(|churn| churn.delete.as_ref()) else { return fact };
        let Some(target) = own.rows.iter_mut().find(|own| own.alive && own.row == row) else { return fact };
        let mut values = self.listing.values.clone();
        values.insert("id".into(), target.id.clone());
        target.alive = false;
        let outcome = self.write(write, &values, "a row deleted").await;
        note(&mut fact, &outcome);
        fact
    }

    /// Deletes what is left of the rows the probe created; returns how many could not be deleted.
    pub(super) async fn clean_up(&mut self, own: &mut OwnRows) -> usize {
        let rows: Vec<RowId> = own.alive().map(|own| own.row).collect();
        let mut left = 0;
        for row in rows {
            left += usize::from(!self.delete(own, row, WriteKind::DeleteRead, 0).await.acknowledged);
        }
        left
    }

    async fn write(&self, write: &Write, values: &Values, purpose: &'static str) -> Outcome {
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
            Ok(request) => self.session.send(request).await,
            Err(message) => Err(crate::exchange::Failure { id: None, kind: FailureKind::Request, message }),
        }
    }

    fn uuid(&self) -> String {
        let (high, low) = (u128::from(self.session.random()), u128::from(self.session.random()));
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
