//! The first connections, and what they say of all others: where there is no stream to speak of, nothing else is waited for.

use std::time::Duration;

use super::{
    super::{
        config::Config,
        evidence::{Blocked, Ended},
        feed::{Feed, Heard, How, NotOpen, Subscribed},
    },
    steady::blocked,
};
use crate::{exchange::Unopened, families::Session};

/// The most connections that this takes.
pub(in super::super) const MOST: u64 = 2;
/// A connection that ends so soon ends at once.
const AT_ONCE: Duration = Duration::from_millis(100);

/// What there is.
pub(super) enum First {
    /// A stream.
    Stream,
    /// None that could be judged.
    Nothing(Blocked),
    /// None, but how handshakes are answered can be seen; these connections ended at once.
    Handshakes(Blocked, Vec<Ended>),
    /// One that says nothing at all, not even in answer.
    Silence(Blocked),
}

/// Opens the stream, a second time where the first did not lead to one.
pub(super) async fn probe(session: &dyn Session, config: &Config) -> First {
    let mut ends = Vec::new();
    let mut last = First::Stream;
    for _ in 0..MOST {
        last = open(session, config, &mut ends).await;
        if matches!(last, First::Stream | First::Nothing(_)) || session.stopping() {
            break;
        }
    }
    match last {
        First::Handshakes(why, _) => First::Handshakes(why, ends),
        last => last,
    }
}

async fn open(session: &dyn Session, config: &Config, ends: &mut Vec<Ended>) -> First {
    let mut feed = match Feed::open(session, config, How::to("see whether there is a stream")).await {
        Ok(feed) => feed,
        Err(why @ (NotOpen::Unopened(Unopened::Refused(_)) | NotOpen::Unknown(..) | NotOpen::Ended(..))) => {
            return First::Handshakes(blocked(&why), Vec::new());
        }
        // Each further try would be waited for as long.
        Err(why) => return First::Nothing(blocked(&why)),
    };
    let exchange = Some(feed.exchange());
    let until = session.now() + AT_ONCE;
    while let Heard::Message(_) = feed.next(until).await
        && session.now() < until
    {}
    if let Some(ended) = feed.ended().filter(|ended| ended.lived <= 2 * AT_ONCE && feed.seen().messages == 0) {
        let why = format!("the connection ends as soon as it is open, by {}", ended.told());
        ends.push(ended.clone());
        return First::Handshakes(Blocked { why, exchange }, Vec::new());
    }
    let silent = *feed.subscribed() == Subscribed::Unanswered && feed.seen().frames == 0;
    if let Some(why) = feed.leave().await {
        return First::Nothing(Blocked { why, exchange });
    }
    if silent {
        let why = "the stream says nothing, not even that it is subscribed to".to_owned();
        return First::Silence(Blocked { why, exchange });
    }
    First::Stream
}
