//! Mailboxes that are registered with the target, and taken back.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use aws_lc_rs::hmac;
use bytes::Bytes;
use serde_json::Value;
use url::{Host, Url};

use super::{
    super::{
        evidence::{Event, Foreign},
        reading::Reader,
        scheme::{Scheme, seconds},
    },
    Context, UNDECLARED,
};
use crate::{
    exchange::{ExchangeId, Headers, Reply, Who},
    families::{Answer, Call, Mailbox, Place, Sameness, Session},
    json::Scalar,
    notation::Values,
};

/// Opens mailboxes, registers them, and knows them all.
pub(super) struct Office<'a> {
    session: &'a dyn Session,
    context: Context<'a>,
    scheme: Option<&'a Scheme>,
    open: Mutex<Vec<Arc<Registered>>>,
    /// Whether a test event came.
    tested: OnceLock<bool>,
    /// Why a secret is of no use.
    keyless: OnceLock<String>,
}

/// A mailbox that the target knows.
pub(super) struct Registered {
    /// Its place among all, 0 for the first.
    pub(super) number: usize,
    pub(super) mailbox: Box<dyn Mailbox>,
    /// The registration's id.
    pub(super) id: Option<String>,
    pub(super) key: Option<hmac::Key>,
    /// How many seconds the target's clock is ahead of ours.
    pub(super) clock_ahead_s: Option<i64>,
    /// When the registration was answered: what came before that is an endpoint's verification, and could not be signed.
    pub(super) since: Duration,
    /// Whether it is taken back.
    gone: AtomicBool,
}

/// What came of asking for an address.
pub(super) enum Asked {
    /// It was registered; the answer.
    Accepted(Reply),
    /// It was answered with something else.
    Refused(Reply),
    /// Nothing came.
    Nothing(String, Option<ExchangeId>),
}

impl<'a> Office<'a> {
    pub(super) fn new(session: &'a dyn Session, context: Context<'a>, scheme: Option<&'a Scheme>) -> Self {
        let (tested, keyless) = (OnceLock::new(), OnceLock::new());
        Self { session, context, scheme, open: Mutex::default(), tested, keyless }
    }

    /// How deliveries are acknowledged.
    pub(super) fn acknowledgement(&self) -> Answer {
        let acknowledge = &self.context.webhook.acknowledge;
        Answer::Respond(acknowledge.status, Headers::default(), Bytes::from(acknowledge.body.clone()))
    }

    /// Which deliveries are attempts to deliver the same.
    pub(super) fn sameness(&self) -> Sameness {
        let spelling = self.context.webhook.event.clone();
        Arc::new(move |headers, body| {
            Reader { spelling: &spelling, scheme: None, means: &|_| None }.same(headers, body)
        })
    }

    /// Opens a mailbox whose deliveries are answered with these and then acknowledged, and registers it.
    pub(super) async fn open(
        &self,
        answers: Option<Vec<Answer>>,
    ) -> Result<Arc<Registered>, (String, Option<ExchangeId>)> {
        let by_hand = self.context.webhook.register.is_none();
        let mailbox =
            self.mailbox(if by_hand { Place::ByHand } else { Place::Own }).await.map_err(|why| (why, None))?;
        mailbox.answer_alike(self.sameness(), answers.unwrap_or_default(), self.acknowledgement());
        if by_hand {
            return Ok(self.keep(mailbox, None));
        }
        let url = mailbox.url().clone();
        match self.ask(url.as_str()).await {
            Asked::Accepted(reply) => Ok(self.keep(mailbox, Some(&reply))),
            Asked::Refused(reply) => {
                let why = format!(
                    "registering {} was answered with status {}; if the target cannot call that, say with \
                     --webhook-url how it reaches this machine",
                    told(&url),
                    reply.status
                );
                Err((why, Some(reply.id)))
            }
            Asked::Nothing(why, id) => Err((format!("no address could be registered: {why}"), id)),
        }
    }

    pub(super) async fn mailbox(&self, place: Place) -> Result<Box<dyn Mailbox>, String> {
        self.session.mailbox_at(place).await
    }

    /// Asks for an address to be registered.
    pub(super) async fn ask(&self, url: &str) -> Asked {
        let Some(register) = &self.context.webhook.register else {
            return Asked::Nothing("the suite does not say how".into(), None);
        };
        let mut values = self.session.values();
        values.insert("callback_url".into(), url.to_owned());
        let who = register.call.who(self.context.client);
        let request = match register.call.build(who, &values, "register an address for callbacks") {
            Ok(request) => request,
            Err(why) => return Asked::Nothing(why, None),
        };
        match self.session.send(request).await {
            Ok(reply) => {
                // Before anything else is done with it: the answer holds what signs every delivery.
                if let Some(secret) = Self::found(&reply, register.secret.as_ref()) {
                    self.session.hide(&secret);
                }
                if reply.is_success() { Asked::Accepted(reply) } else { Asked::Refused(reply) }
            }
            Err(failure) => Asked::Nothing(failure.message, failure.id),
        }
    }

    /// Keeps a mailbox that the target knows from now on.
    pub(super) fn keep(&self, mailbox: Box<dyn Mailbox>, reply: Option<&Reply>) -> Arc<Registered> {
        let register = self.context.webhook.register.as_ref();
        let from = |path| reply.and_then(|reply| Self::found(reply, path));
        let id = from(register.and_then(|register| register.id.as_ref()));
        let secret = from(register.and_then(|register| register.secret.as_ref()));
        let secret = secret.or_else(|| self.context.webhook.secret.clone());
        let key = self.scheme.and_then(|scheme| {
            let Some(secret) = secret else {
                let _ = self.keyless.set("no secret is known: registering gave none".into());
                return None;
            };
            self.session.hide(&secret);
            scheme.key(&secret).map_err(|why| self.keyless.set(why)).ok()
        });
        let clock_ahead_s = reply.and_then(|reply| {
            let date = httpdate::parse_http_date(reply.headers.get("date")?).ok()?;
            Some(seconds(date) - seconds(SystemTime::now()))
        });
        let mut open = self.all_open();
        let number = open.len();
        let since = reply.map_or(Duration::ZERO, |reply| reply.received);
        let registered = Registered { number, mailbox, id, key, clock_ahead_s, since, gone: AtomicBool::new(false) };
        let registered = Arc::new(registered);
        open.push(Arc::clone(&registered));
        registered
    }

    fn found(reply: &Reply, path: Option<&crate::json::Path>) -> Option<String> {
        let body: Value = serde_json::from_slice(&reply.body).ok()?;
        let text = Scalar::from_value(path?.first(&body)?).text()?.to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// Has a test event sent, where the suite says how, and says whether it came.
    pub(super) async fn tried(&self, to: &Registered) -> Option<bool> {
        let call = self.context.webhook.test.as_ref()?;
        let request = self.request(call, call.who(self.context.client), to.id.as_deref(), "have a test event sent")?;
        if !self.session.send(request).await.is_ok_and(|reply| reply.is_success()) {
            return None;
        }
        let time = self.context.webhook.deadline.map_or(UNDECLARED, |span| span.0);
        let came = to.mailbox.wait_beyond(0, time).await;
        if !came && self.session.stopping() {
            return None;
        }
        Some(*self.tested.get_or_init(|| came))
    }

    /// Whether the target can reach us, as far as is known.
    pub(super) fn reachable(&self, to: &Registered) -> Option<bool> {
        if self.all_open().iter().any(|registered| !registered.mailbox.deliveries().is_empty()) {
            return Some(true);
        }
        if let Some(tested) = self.tested.get() {
            return Some(*tested);
        }
        (is_loopback(self.session.base()) && is_loopback(to.mailbox.url())).then_some(true)
    }

    /// Asks for our registration to be removed, as another principal.
    pub(super) async fn foreign(&self, main: &Registered) -> Option<Foreign> {
        let addresses = self.context.webhook.addresses.as_ref().filter(|_| (self.context.wants)("ASY-012"))?;
        let (client, call) = (addresses.other_client.as_ref()?, self.context.webhook.unregister.as_ref()?);
        let who = Who::named(Some(client));
        let purpose = "remove another principal's registration";
        let request = self.request(call, who, main.id.as_deref(), purpose)?;
        let mut foreign = Foreign {
            client: client.clone(),
            request: call.request.to_string(),
            exchange: None,
            outcome: Err(String::new()),
            afterwards: None,
        };
        match self.session.send(request).await {
            Ok(reply) => {
                (foreign.exchange, foreign.outcome) = (Some(reply.id), Ok(reply.status));
                // Some answer so whether or not there was anything to remove: ours shows whether it is gone.
                if reply.is_success() && !main.gone.swap(true, Ordering::Relaxed) {
                    foreign.afterwards = self.remove(main.id.as_deref()).await;
                }
            }
            Err(failure) => (foreign.exchange, foreign.outcome) = (failure.id, Err(failure.message)),
        }
        Some(foreign)
    }

    fn request(
        &self,
        call: &Call,
        who: Who,
        id: Option<&str>,
        purpose: &'static str,
    ) -> Option<crate::exchange::Request> {
        let mut values: Values = self.session.values();
        if let Some(id) = id {
            values.insert("id".into(), id.to_owned());
        }
        call.build(who, &values, purpose).ok()
    }

    /// Takes a registration back.
    pub(super) async fn unregister(&self, registered: &Registered) {
        if registered.gone.swap(true, Ordering::Relaxed) {
            return;
        }
        self.remove(registered.id.as_deref()).await;
    }

    /// Removes the registration with this id, and says how that was answered.
    pub(super) async fn remove(&self, id: Option<&str>) -> Option<u16> {
        let call = self.context.webhook.unregister.as_ref()?;
        let request = self.request(call, call.who(self.context.client), id, "take a registration back")?;
        self.session.undo(request).await.ok().map(|reply| reply.status)
    }

    /// The id that an answer gives a registration.
    pub(super) fn id_in(&self, reply: &Reply) -> Option<String> {
        Self::found(reply, self.context.webhook.register.as_ref()?.id.as_ref())
    }

    /// Takes every registration back.
    pub(super) async fn close(&self) {
        let open: Vec<_> = self.all_open().clone();
        for registered in open.iter().filter(|_| self.context.webhook.register.is_some()) {
            self.unregister(registered).await;
        }
    }

    /// Everything that came to any address.
    pub(super) fn events(&self, reader: &Reader<'_>) -> Vec<Event> {
        let open: Vec<_> = self.all_open().clone();
        let read = |registered: &Arc<Registered>| {
            let deliveries = registered.mailbox.deliveries();
            let deliveries = deliveries.iter().filter(|delivery| delivery.received >= registered.since);
            let events = deliveries.flat_map(|d| reader.read(d, registered.number, registered.key.as_ref()));
            events.collect::<Vec<_>>()
        };
        open.iter().flat_map(read).collect()
    }

    /// Why signatures could not be checked.
    pub(super) fn keyless(&self) -> Option<String> {
        self.keyless.get().cloned()
    }

    fn all_open(&self) -> MutexGuard<'_, Vec<Arc<Registered>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registered {
    /// Waits until something has come, or until then.
    pub(super) async fn more(&self, session: &dyn Session, seen: usize, until: Duration) -> bool {
        self.mailbox.wait_beyond(seen, until.saturating_sub(session.now())).await
    }
}

/// An address without what nobody should guess.
pub(super) fn told(url: &Url) -> String {
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    format!("{}://{}{port}/...", url.scheme(), url.host_str().unwrap_or_default())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
