//! How a stream is opened and asked for.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    super::config::{Config, Exchange},
    Feed, Heard, Kind, MOST_KEPT, MOST_OCTETS, Message, Of, Reader, Seen,
    said::{render, spoken, values},
};
use crate::{
    exchange::{End, ExchangeId, Opening, Outgoing, Request, Unopened, Who},
    families::Session,
    json::PageValues,
    notation::Values,
};

/// The least time that an answer to a message is waited for.
const ANSWER: Duration = Duration::from_secs(2);

/// How a stream is to be opened.
#[derive(Debug, Clone)]
pub(in super::super) struct How {
    /// Whose credentials; the check's own if absent.
    pub(in super::super) client: Option<Who>,
    /// Where to take it up.
    pub(in super::super) resume: Option<Resumed>,
    /// Whether the client makes itself known, where the suite says how.
    pub(in super::super) authenticate: bool,
    /// Whether it subscribes, where the suite says how.
    pub(in super::super) subscribe: bool,
    /// The socket's receive buffer in octets; the system's own if absent.
    pub(in super::super) receive_buffer: Option<u32>,
    /// What it is opened for, as a report may show it.
    pub(in super::super) purpose: &'static str,
}

impl Default for How {
    fn default() -> Self {
        Self {
            client: None,
            resume: None,
            authenticate: true,
            subscribe: true,
            receive_buffer: None,
            purpose: "listen to the stream",
        }
    }
}

impl How {
    /// Whose credentials.
    pub(in super::super) fn who(&self, config: &Config) -> Who {
        self.client.clone().unwrap_or_else(|| config.owner())
    }

    /// As usual, for this purpose.
    pub(in super::super) fn to(purpose: &'static str) -> Self {
        Self { purpose, ..Self::default() }
    }
}

/// Where a stream was left.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Resumed {
    /// The last number seen.
    pub(in super::super) last: Option<String>,
    /// The last token.
    pub(in super::super) token: Option<String>,
    /// The last event's id.
    pub(in super::super) last_id: Option<String>,
}

/// Where a stream is, kept anew with each message.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Position {
    last: Option<u64>,
    token: Option<String>,
    last_id: Option<String>,
}

impl Position {
    /// Takes note of where a message leaves the stream.
    pub(super) fn note(&mut self, message: &Message) {
        let put = |slot: &mut Option<String>, text: &str| match slot {
            Some(known) => {
                known.clear();
                known.push_str(text);
            }
            None => *slot = Some(text.to_owned()),
        };
        let number = match message.kind {
            Kind::Data => message.last,
            Kind::Snapshot => message.snapshot_sequence.or(message.last),
            // An acknowledgement may tell where the stream is; nothing has been seen before it.
            Kind::Acknowledgement if self.last.is_none() => message.last,
            _ => None,
        };
        self.last = number.or(self.last);
        if let Some(token) = &message.token {
            put(&mut self.token, token);
        }
        if let (Kind::Data, Some(id)) = (message.kind, &message.id) {
            put(&mut self.last_id, id);
        }
    }

    pub(super) fn resumed(&self) -> Resumed {
        let Self { last, token, last_id } = self.clone();
        Resumed { last: last.map(|last| last.to_string()), token, last_id }
    }
}

impl Resumed {
    pub(super) fn fill(&self, values: &mut Values) {
        let all = [("last", &self.last), ("token", &self.token), ("last_id", &self.last_id)];
        for (name, value) in all {
            if let Some(value) = value {
                values.insert(name.into(), value.clone());
            }
        }
    }
}

/// What became of the message that subscribes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in super::super) enum Subscribed {
    /// None was sent, or no acknowledgement is declared.
    Unasked,
    /// It was acknowledged, so long after it was sent.
    Acknowledged(Duration),
    /// It was refused: the message, in brief.
    Refused(String),
    /// Nothing answered it in time.
    Unanswered,
}

/// Why there is no stream to listen to.
#[derive(Debug, Clone)]
pub(in super::super) enum NotOpen {
    /// The suite's own values do not suffice.
    Unready(String),
    /// The handshake did not succeed.
    Unopened(Unopened),
    /// The message that makes the client known was refused or not acknowledged.
    Unknown(ExchangeId, String),
    /// The connection ended before that.
    Ended(ExchangeId, String),
    /// More came before an answer than is kept.
    Flooded(ExchangeId, String),
}

impl NotOpen {
    /// Why, for people.
    pub(in super::super) fn why(&self) -> String {
        match self {
            Self::Unready(why) | Self::Unknown(_, why) | Self::Ended(_, why) | Self::Flooded(_, why) => why.clone(),
            Self::Unopened(Unopened::Refused(reply)) => {
                format!("the handshake was answered with status {} instead of 101", reply.status)
            }
            Self::Unopened(Unopened::Failed(failure)) => format!("the stream could not be opened: {}", failure.message),
        }
    }

    /// The exchange that shows it.
    pub(in super::super) fn exchange(&self) -> Option<ExchangeId> {
        match self {
            Self::Unready(_) => None,
            Self::Unopened(Unopened::Refused(reply)) => Some(reply.id),
            Self::Unopened(Unopened::Failed(failure)) => failure.id,
            Self::Unknown(id, _) | Self::Ended(id, _) | Self::Flooded(id, _) => Some(*id),
        }
    }
}

/// The handshake of this check; probes that speak on the line themselves use it, too.
pub(in super::super) fn opening(config: &Config, how: &How, values: &Values) -> Result<Opening, String> {
    let text = |template: &crate::notation::Template| template.render(values).map_err(|unknown| unknown.to_string());
    // What a message says the handshake need not, and what makes one client known must not make another known, too.
    let who = if config.speaks_credentials() { Who::Anonymous } else { how.who(config) };
    let path = config.path.render_path(values).map_err(|unknown| unknown.to_string())?;
    let mut request = Request::new(who, "GET", path).purpose(how.purpose);
    let resume = config.resume.as_ref().filter(|_| how.resume.is_some());
    for (name, value) in config.query.iter().chain(resume.iter().flat_map(|resume| &resume.query)) {
        request.query.push((name.clone(), text(value)?));
    }
    for (name, value) in config.headers.iter().chain(resume.iter().flat_map(|resume| &resume.headers)) {
        request.headers.push(name, text(value)?);
    }
    let subprotocols = config.subprotocols.clone();
    Ok(Opening { subprotocols, receive_buffer: how.receive_buffer, ..Opening::new(request) })
}

impl<'a> Feed<'a> {
    /// Connects, makes the client known, subscribes. A subscription that is refused or not answered leaves the feed open:
    /// [`Feed::subscribed`] tells. What came meanwhile comes out of [`Feed::next`].
    pub(in super::super) async fn open(
        session: &'a dyn Session,
        config: &'a Config,
        how: How,
    ) -> Result<Self, NotOpen> {
        let values = values(session, how.resume.as_ref());
        let opening = opening(config, &how, &values).map_err(NotOpen::Unready)?;
        let line = session.open(opening).await.map_err(NotOpen::Unopened)?;
        let mut feed = Self {
            session,
            config,
            who: how.who(config),
            reader: Reader::new(config, &session.values()),
            line,
            values: PageValues::default(),
            stuck: false,
            answers: config.heartbeat.as_ref().is_some_and(|heartbeat| heartbeat.answer.is_some()),
            frames: Vec::new().into_iter(),
            full: false,
            room: 0,
            partial: None,
            kept: std::collections::VecDeque::new(),
            muted: false,
            subscribed: Subscribed::Unasked,
            ended: None,
            seen: Seen::default(),
        };
        if let Some(authenticate) = config.authenticate.as_ref().filter(|_| how.authenticate) {
            match feed.ask(&authenticate.message, authenticate, Of::Authenticate, how.resume.as_ref()).await {
                Err(not) => return Err(not),
                Ok(Subscribed::Unasked | Subscribed::Acknowledged(_)) => {}
                Ok(_) if feed.ended.is_some() => {
                    let told = feed.ended.as_ref().map(super::super::evidence::Ended::told).unwrap_or_default();
                    return Err(NotOpen::Ended(feed.exchange(), format!("before the client was known: {told}")));
                }
                Ok(Subscribed::Refused(text)) => {
                    let why = format!("the message that makes the client known was refused: {text}");
                    return Err(NotOpen::Unknown(feed.exchange(), why));
                }
                Ok(Subscribed::Unanswered) => {
                    let why = "the message that makes the client known was not acknowledged".to_owned();
                    return Err(NotOpen::Unknown(feed.exchange(), why));
                }
            }
        }
        if how.subscribe {
            feed.subscribe(how.resume.as_ref()).await?;
        }
        Ok(feed)
    }

    /// Subscribes, where the suite says how, and waits for the acknowledgement that it declares.
    pub(in super::super) async fn subscribe(&mut self, resume: Option<&Resumed>) -> Result<(), NotOpen> {
        let config = self.config;
        let resumes = config.resume.as_ref().filter(|_| resume.is_some()).and_then(|r| r.subscribe.as_ref());
        let nothing = Exchange { message: Value::Null, acknowledged: None, refused: None };
        self.subscribed = match (resumes, &config.subscribe) {
            (Some(message), exchange) => {
                self.ask(message, exchange.as_ref().unwrap_or(&nothing), Of::Subscribe, resume).await?
            }
            (None, Some(exchange)) => self.ask(&exchange.message, exchange, Of::Subscribe, resume).await?,
            (None, None) => Subscribed::Unasked,
        };
        Ok(())
    }

    /// Takes the subscription back and waits for the acknowledgement; `None` if the suite does not say how.
    pub(in super::super) async fn unsubscribe(&mut self) -> Result<Option<Subscribed>, NotOpen> {
        let Some(exchange) = &self.config.unsubscribe else { return Ok(None) };
        self.ask(&exchange.message, exchange, Of::Unsubscribe, None).await.map(Some)
    }

    /// Sends a message and waits for the message that acknowledges or refuses it; messages that come meanwhile are kept.
    async fn ask(
        &mut self,
        message: &Value,
        exchange: &Exchange,
        of: Of,
        resume: Option<&Resumed>,
    ) -> Result<Subscribed, NotOpen> {
        let text = render(message, &spoken(self.session, self.config, &self.who, resume)).map_err(NotOpen::Unready)?;
        let sent = self.session.now();
        let failed: Result<(), End> = self.line.send(Outgoing::text(text)).await;
        if exchange.acknowledged.is_none() {
            return Ok(Subscribed::Unasked);
        }
        if failed.is_err() {
            // What the peer said before it went is still to be read by whoever listens.
            return Ok(Subscribed::Unanswered);
        }
        let until = sent + (2 * self.config.lag.0).max(ANSWER);
        let mut kept = std::mem::take(&mut self.kept);
        let mut octets = 0;
        let answer = loop {
            match self.hear(until).await {
                Heard::Message(message) => {
                    let answer = if message.acknowledges(of) {
                        Some(Subscribed::Acknowledged(message.at.saturating_sub(sent)))
                    } else if message.refuses(of) || of == Of::Subscribe && message.refuses(Of::Resume) {
                        Some(Subscribed::Refused(message.excerpt()))
                    } else {
                        None
                    };
                    octets += message.text.len();
                    kept.push_back(*message);
                    kept.extend(std::mem::take(&mut self.kept));
                    if let Some(answer) = answer {
                        break answer;
                    }
                    if kept.len() >= MOST_KEPT || octets >= MOST_OCTETS {
                        let why = format!(
                            "more comes than can be kept until a message is answered: {} messages, {octets} octets",
                            kept.len()
                        );
                        return Err(NotOpen::Flooded(self.exchange(), why));
                    }
                    // What is there all the time never makes this wait.
                    if self.session.now() >= until {
                        break Subscribed::Unanswered;
                    }
                }
                Heard::Quiet | Heard::Ended(_) | Heard::Stopped => break Subscribed::Unanswered,
            }
        };
        self.kept = kept;
        Ok(answer)
    }
}
