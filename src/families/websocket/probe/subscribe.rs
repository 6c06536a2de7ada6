//! How subscriptions begin and end.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use futures_util::future::join;

use super::{
    super::{
        config::Config,
        evidence::{Stimulated, Subscription, Unsubscription},
        feed::{Feed, Heard, How, Kind, Message, NotOpen, Subscribed},
    },
    stimulus::Stimuli,
};
use crate::families::Session;

/// How long events may still come after a subscription was taken back.
const STOPS: Duration = Duration::from_secs(2);
/// How long is listened after that.
const AFTERWARDS: Duration = Duration::from_millis(1_500);
/// The most examples kept.
const EXAMPLES: usize = 5;
/// So many events say that a stream is busy by itself.
const BUSY: u64 = 5;
/// The most keys of which is known what came first.
const MOST_KEYS: usize = 10_000;

/// A subscription, its beginning and its end, and what was made to happen meanwhile.
pub(super) struct Trial {
    pub(super) subscription: Subscription,
    pub(super) unsubscription: Option<Unsubscription>,
    pub(super) made: Vec<Stimulated>,
}

/// Which snapshots came before which events.
#[derive(Default)]
struct Order {
    data: u64,
    numbered: u64,
    snapshots: u64,
    /// By key, events that came before a snapshot of it.
    waiting: HashMap<String, Vec<String>>,
    /// Keys of which a snapshot came; the empty one stands for all.
    known: HashSet<String>,
    early: Vec<String>,
}

impl Order {
    fn hear(&mut self, message: &Message) {
        let key = message.key.as_deref().unwrap_or_default();
        match message.kind {
            Kind::Data => {
                self.data += 1;
                self.numbered += u64::from(message.last.is_some());
                let known = self.known.contains(key) || self.known.contains("");
                if !known && (self.waiting.len() < MOST_KEYS || self.waiting.contains_key(key)) {
                    let waiting = self.waiting.entry(key.to_owned()).or_default();
                    if waiting.len() < EXAMPLES {
                        waiting.push(message.excerpt());
                    }
                }
            }
            Kind::Snapshot => {
                self.snapshots += 1;
                let whole = key.is_empty();
                let early: Vec<String> = if whole {
                    self.waiting.drain().flat_map(|(_, early)| early).collect()
                } else {
                    self.waiting.remove(key).unwrap_or_default()
                };
                let room = EXAMPLES.saturating_sub(self.early.len());
                self.early.extend(early.into_iter().take(room));
                if self.known.len() < MOST_KEYS {
                    self.known.insert(key.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// Subscribes while something happens, and takes it back again.
pub(super) async fn trial(
    session: &dyn Session,
    config: &Config,
    stimuli: Option<&Stimuli<'_>>,
    unsubscribe: bool,
) -> Result<Trial, NotOpen> {
    let how = How { subscribe: false, ..How::to("subscribe while something happens") };
    let mut feed = Feed::open(session, config, how).await?;
    let subscribing = session.now();
    let (asked, mut made) = join(feed.subscribe(None), async {
        let mut made = Vec::new();
        if let Some(stimuli) = stimuli {
            for _ in 0..2 {
                made.push(stimuli.make().await);
            }
        }
        made
    })
    .await;
    asked?;
    let mut order = Order::default();
    let awaits = config.messages.snapshot.is_some();
    let until = session.now() + config.lag.0.max(STOPS / 2);
    // Something more happens where all of it was over before the subscription began.
    let mut more = stimuli.filter(|_| !made.iter().any(|made| made.failed.is_some()));
    let patience = subscribing + STOPS / 4;
    while session.now() < until && (order.data < BUSY || awaits && order.snapshots == 0) {
        match feed.next(until.min(session.now() + Duration::from_millis(100))).await {
            Heard::Message(message) => order.hear(&message),
            Heard::Quiet => {
                if stimuli.is_some() && order.data > 0 && (order.snapshots > 0 || !awaits) {
                    break;
                }
                if session.now() > patience
                    && let Some(stimuli) = more.take()
                {
                    for _ in 0..2 {
                        made.push(stimuli.make().await);
                    }
                }
            }
            Heard::Ended(_) | Heard::Stopped => break,
        }
    }
    let subscribed = feed.subscribed().clone();
    let exchange = feed.exchange();
    let goes_on = feed.ended().is_none() && !session.stopping();
    let refused = matches!(subscribed, Subscribed::Refused(_));
    let unsubscription = if unsubscribe && goes_on && !refused {
        take_back(session, &mut feed, stimuli, order.data, &mut made).await?
    } else {
        None
    };
    let subscription = Subscription {
        exchange,
        how: subscribed,
        data: order.data,
        numbered: order.numbered,
        snapshots: order.snapshots,
        early: order.early,
        stimulated: made.iter().any(|made| made.failed.is_none()),
        ended: feed.ended().cloned(),
    };
    feed.close(Some(1000)).await;
    Ok(Trial { subscription, unsubscription, made })
}

/// Takes a subscription back, and listens for what should not come any more.
async fn take_back(
    session: &dyn Session,
    feed: &mut Feed<'_>,
    stimuli: Option<&Stimuli<'_>>,
    before: u64,
    made: &mut Vec<Stimulated>,
) -> Result<Option<Unsubscription>, NotOpen> {
    let Some(how) = feed.unsubscribe().await? else { return Ok(None) };
    let mut taken = Unsubscription { exchange: feed.exchange(), how, before, after: Vec::new(), busy: before >= BUSY };
    if matches!(taken.how, Subscribed::Refused(_)) {
        return Ok(Some(taken));
    }
    let began = session.now();
    let stops = began + STOPS;
    let mut until = stops + AFTERWARDS;
    let mut happens = false;
    while session.now() < until {
        match feed.next(if happens { until } else { stops.min(until) }).await {
            Heard::Message(message)
                if message.kind == Kind::Data && message.at > stops + session.late(began, message.at) =>
            {
                taken.after.push(message.excerpt());
                if taken.after.len() >= EXAMPLES {
                    break;
                }
            }
            Heard::Message(_) | Heard::Quiet => {}
            Heard::Ended(_) | Heard::Stopped => break,
        }
        if !happens && session.now() >= stops {
            happens = true;
            if let Some(stimuli) = stimuli {
                let one = stimuli.make().await;
                taken.busy = one.failed.is_none();
                made.push(one);
                until = session.now() + AFTERWARDS;
            }
        }
    }
    Ok(Some(taken))
}
