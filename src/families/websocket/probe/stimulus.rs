//! Makes events happen, and knows them again.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::{
    config::{Config, Stimulus},
    evidence::Stimulated,
};
use crate::{
    families::{Found, Session},
    json::{Path, Scalar, fields},
    notation::Values,
};

/// Makes events happen as the suite says.
pub(in super::super) struct Stimuli<'a> {
    session: &'a dyn Session,
    config: &'a Config,
    stimulus: &'a Stimulus,
}

impl<'a> Stimuli<'a> {
    /// Those of the suite, if it says how.
    pub(in super::super) fn new(session: &'a dyn Session, config: &'a Config) -> Option<Self> {
        config.stimulus.as_ref().map(|stimulus| Self { session, config, stimulus })
    }

    fn values(&self, made: &Stimulated) -> Values {
        let mut values = self.session.values();
        values.insert("reference".into(), made.reference.clone());
        if let Some(id) = &made.id {
            values.insert("id".into(), id.clone());
        }
        values
    }

    /// A reference that nothing has used: not even an earlier run with the same seed.
    pub(in super::super) fn fresh(&self) -> Stimulated {
        let mut hasher = DefaultHasher::new();
        self.session.values().get("run_id").hash(&mut hasher);
        let reference = format!("fw{:016x}", hasher.finish() ^ self.session.random());
        let agrees = self.stimulus.agrees.iter().map(|agreement| (agreement.event.to_string(), None)).collect();
        Stimulated { reference, agrees, ..Stimulated::default() }
    }

    /// Makes one happen, with a fresh reference.
    pub(in super::super) async fn make(&self) -> Stimulated {
        self.make_with(self.fresh()).await.0
    }

    /// Makes one happen with a reference made before, so that its event is known however early it comes; the second is
    /// how the values to be compared are written in the answer.
    pub(in super::super) async fn make_with(&self, mut made: Stimulated) -> (Stimulated, Vec<Option<Scalar>>) {
        let own = self.config.client.as_deref();
        let call = &self.stimulus.call;
        made.sent = self.session.now();
        let request = match call.build(call.who(own), &self.values(&made), "make something happen") {
            Ok(request) => request,
            Err(why) => {
                made.failed = Some(why);
                return (made, Vec::new());
            }
        };
        let outcome = self.session.send(request).await;
        made.answered = self.session.now();
        let reply = match outcome {
            Ok(reply) => reply,
            Err(failure) => {
                (made.exchange, made.failed) = (failure.id, Some(failure.message));
                return (made, Vec::new());
            }
        };
        made.exchange = Some(reply.id);
        made.answered = reply.received;
        if !(200..300).contains(&reply.status) {
            made.failed = Some(format!("it was answered with status {}", reply.status));
            return (made, Vec::new());
        }
        let mut paths: Vec<Path> = self.stimulus.agrees.iter().map(|agreement| agreement.answer.clone()).collect();
        paths.extend(self.stimulus.id.clone());
        let mut values = match fields(&reply.body, &paths) {
            Ok(values) => values,
            // Nothing has to be compared, and the reference may do.
            Err(_) => vec![None; paths.len()],
        };
        if self.stimulus.id.is_some() {
            made.id = values.pop().flatten().as_ref().and_then(Scalar::text).map(str::to_owned);
        }
        for ((_, text), value) in made.agrees.iter_mut().zip(&values) {
            *text = value.as_ref().map(told);
        }
        (made, values)
    }

    /// How many rows of it there are over HTTP, where the suite says how to look.
    pub(in super::super) async fn look_up(&self, made: &mut Stimulated) {
        let Some(find) = &self.stimulus.find else { return };
        let own = self.config.client.as_deref();
        let found = find.find(self.session, own, &self.values(made), &made.reference, &[]).await;
        made.found = match found {
            Found::Rows(rows) => Some(rows.len() as u64),
            Found::Unseen(..) => None,
        };
    }

    /// Takes back what was made, where the suite says how.
    pub(in super::super) async fn undo(&self, made: &[Stimulated]) {
        let Some(undo) = &self.stimulus.undo else { return };
        for one in made.iter().filter(|one| one.failed.is_none()) {
            let request = undo.build(undo.who(self.config.client.as_deref()), &self.values(one), "take it back");
            if let Ok(request) = request {
                drop(self.session.undo(request).await);
            }
        }
    }

    /// The paths in an event of what is to be compared.
    pub(in super::super) fn compared(&self) -> Vec<Path> {
        self.stimulus.agrees.iter().map(|agreement| agreement.event.clone()).collect()
    }

    /// How many events one makes.
    pub(in super::super) const fn events(&self) -> u64 {
        self.stimulus.events
    }

    /// How many are made for one judgement.
    pub(in super::super) fn count(&self) -> u64 {
        self.stimulus.count.clamp(1, 100)
    }
}

impl Stimulated {
    /// Whether a message with this reference, id and key tells of it.
    pub(in super::super) fn is_known_by(&self, [reference, id, key]: [Option<&str>; 3]) -> bool {
        reference == Some(self.reference.as_str())
            || self.id.as_deref().is_some_and(|known| id == Some(known) || key == Some(known))
            || id == Some(self.reference.as_str())
            || key == Some(self.reference.as_str())
    }
}

/// A value as text, so that `1` and `"1"` are the same.
pub(in super::super) fn told(scalar: &Scalar) -> String {
    scalar.text().map_or_else(|| scalar.to_string(), str::to_owned)
}
