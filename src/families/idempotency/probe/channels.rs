//! What else shows an effect: further listings, and callbacks.

use std::collections::BTreeMap;

use super::{
    super::{
        config::{Channel, Events},
        evidence::{ChannelSeen, Count, Evidence},
    },
    desk::{Desk, counted},
};
use crate::{
    exchange::ExchangeId,
    families::{Found, FoundRow, Mailbox},
    json::{Scalar, fields},
};

/// What reports call the callbacks.
pub(in super::super) const EVENTS: &str = "events";

/// What else shows an effect.
#[derive(Default)]
pub(super) struct Channels<'a> {
    listings: &'a [Channel],
    events: Option<Subscription<'a>>,
}

/// Callbacks asked for.
struct Subscription<'a> {
    spec: &'a Events,
    /// Where they arrive, or why they do not.
    mailbox: Result<Box<dyn Mailbox>, String>,
    registration: Option<String>,
}

impl<'a> Channels<'a> {
    /// Asks for callbacks, if the suite says how.
    pub(super) async fn open(desk: &Desk<'a>) -> Self {
        let events = match &desk.config.events {
            Some(spec) => Some(subscribe(desk, spec).await),
            None => None,
        };
        Self { listings: &desk.config.downstream, events }
    }

    /// Counts what each shows of the requests that were repeated, and then of the one that was not: that one had more
    /// time, so whatever follows from an effect by itself shows there too.
    pub(super) async fn counted(&self, desk: &Desk<'a>, evidence: &Evidence) -> Vec<ChannelSeen> {
        let Some(control) = &evidence.control else { return Vec::new() };
        let repeated = evidence.repeated.iter().map(|repeated| &repeated.trial.reference);
        let references: Vec<&String> = repeated.chain(evidence.rounds.iter().map(|round| &round.reference)).collect();
        let mut seen = Vec::new();
        for channel in self.listings {
            let find = channel.find();
            let client = desk.config.client.as_deref();
            let look =
                async |reference: &str| counted(&find.find(desk.session, client, &desk.values(), reference, &[]).await);
            let mut repeated = Vec::new();
            for reference in &references {
                repeated.push(((*reference).clone(), look(reference).await));
            }
            let control = look(&control.reference).await;
            seen.push(ChannelSeen { name: channel.name.clone(), control, repeated });
        }
        if let Some(events) = &self.events {
            let arrived = events.arrived();
            let count = |reference: &str| match &arrived {
                Ok(arrived) => counted(&Found::Rows(arrived.get(reference).cloned().unwrap_or_default())),
                Err(why) => Count::Unseen { why: why.clone(), exchange: None },
            };
            let repeated = references.iter().map(|reference| ((*reference).clone(), count(reference))).collect();
            seen.push(ChannelSeen { name: EVENTS.into(), control: count(&control.reference), repeated });
        }
        seen
    }

    /// Asks for no more callbacks.
    pub(super) async fn close(self, desk: &Desk<'_>) {
        let Some(Subscription { spec, registration: Some(id), .. }) = self.events else { return };
        let Some(unregister) = &spec.unregister else { return };
        let mut values = desk.values();
        values.insert("id".into(), id);
        let who = unregister.who(desk.config.client.as_deref());
        if let Ok(request) = unregister.build(who, &values, "ask for no more callbacks") {
            // What became of it shows in the record; nothing here depends on it.
            let _ = desk.session.undo(request).await;
        }
    }
}

async fn subscribe<'a>(desk: &Desk<'a>, spec: &'a Events) -> Subscription<'a> {
    let failed = |why: String| Subscription { spec, mailbox: Err(why), registration: None };
    let mailbox = match desk.session.mailbox().await {
        Ok(mailbox) => mailbox,
        Err(why) => return failed(why),
    };
    let mut values = desk.values();
    values.insert("callback_url".into(), mailbox.url().to_string());
    let who = spec.register.who(desk.config.client.as_deref());
    let request = match spec.register.build(who, &values, "ask for callbacks") {
        Ok(request) => request,
        Err(why) => return failed(why),
    };
    match desk.session.send(request).await {
        Ok(reply) if reply.is_success() => {
            let id = spec.registration.as_ref().and_then(|path| text(&reply.body, path));
            Subscription { spec, mailbox: Ok(mailbox), registration: id }
        }
        Ok(reply) => failed(format!("asking for callbacks was answered with status {}", reply.status)),
        Err(failure) => failed(failure.message),
    }
}

impl Subscription<'_> {
    /// The events that arrived, by reference; the same id twice is one event delivered twice.
    fn arrived(&self) -> Result<BTreeMap<String, Vec<FoundRow>>, String> {
        let mailbox = self.mailbox.as_ref().map_err(Clone::clone)?;
        let mut arrived: BTreeMap<String, Vec<FoundRow>> = BTreeMap::new();
        for delivery in mailbox.deliveries() {
            let reference = text(&delivery.body, &self.spec.reference);
            let id = text(&delivery.body, &self.spec.id);
            if let (Some(reference), Some(id)) = (reference, id) {
                let exchange: ExchangeId = delivery.id;
                arrived.entry(reference).or_default().push(FoundRow { id, exchange, fields: Vec::new() });
            }
        }
        Ok(arrived)
    }
}

fn text(body: &[u8], path: &crate::json::Path) -> Option<String> {
    let found = fields(body, std::slice::from_ref(path)).ok()?.pop().flatten()?;
    Scalar::text(&found).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use bytes::Bytes;
    use futures_util::future::{BoxFuture, FutureExt};
    use serde_json::json;
    use url::Url;

    use super::*;
    use crate::{
        exchange::Headers,
        families::{Answer, Delivery, Sameness},
    };

    /// What has arrived.
    struct Arrived(Url, Vec<Delivery>);

    impl Mailbox for Arrived {
        fn url(&self) -> &Url {
            &self.0
        }

        fn answer_next(&self, _: Vec<Answer>) {}

        fn answer_alike(&self, _: Sameness, _: Vec<Answer>, _: Answer) {}

        fn answer_always(&self, _: Answer) {}

        fn deliveries(&self) -> Vec<Delivery> {
            self.1.clone()
        }

        fn wait_beyond(&self, _: usize, _: Duration) -> BoxFuture<'_, bool> {
            async { false }.boxed()
        }
    }

    #[test]
    fn events_are_told_apart_by_their_ids_and_not_by_deliveries() {
        let url: Url = "http://127.0.0.1:1/box".parse().unwrap();
        let delivery = |number: u32, body: &str| Delivery {
            id: ExchangeId(number),
            method: "POST".into(),
            url: url.clone(),
            headers: Headers::default(),
            body: Bytes::from(body.to_owned()),
            received: Duration::ZERO,
            clock: SystemTime::UNIX_EPOCH,
            answered: Answer::status(200),
        };
        let one = r#"{"id": "E1", "data": {"reference": "r1"}}"#;
        let two = r#"{"id": "E2", "data": {"reference": "r1"}}"#;
        let arrived = vec![
            delivery(1, one),
            delivery(2, one),
            delivery(3, "{"),
            delivery(4, r#"{"id": "E3", "data": {"reference": "r2"}}"#),
            delivery(5, two),
        ];
        let register = json!({"request": "POST /hooks", "body": {"url": "{{callback_url}}"}});
        let spec = json!({"register": register, "id": "$.id", "reference": "$.data.reference"});
        let spec: Events = serde_json::from_value(spec).unwrap();
        let mailbox: Box<dyn Mailbox> = Box::new(Arrived(url.clone(), arrived));
        let subscription = Subscription { spec: &spec, mailbox: Ok(mailbox), registration: None };
        let number = |reference: &str| {
            counted(&Found::Rows(subscription.arrived().unwrap().remove(reference).unwrap_or_default())).number()
        };
        assert_eq!([number("r1"), number("r2"), number("r3")], [Some(2), Some(1), Some(0)]);
    }
}
