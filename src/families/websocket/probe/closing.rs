//! Closing handshakes.

use std::time::Duration;

use futures_util::future::join_all;

use super::{
    super::{
        config::Config,
        evidence::closing::{Closing, Closings},
        feed::How,
    },
    frames::{Event, Frames, ms, waited},
    protocol::together,
};
use crate::families::Session;

/// The most connections that this takes.
pub(in super::super) const MOST: u64 = 6;
/// How long the answer, and then the end of the TCP connection, are waited for.
const ANSWER: Duration = Duration::from_secs(5);
/// The codes that are sent, and their reasons.
const SENT: [(Option<u16>, &str); 3] = [(Some(1000), ""), (None, ""), (Some(4000), "fincheck is done")];

/// Closes connections side by side; again where the answer raised doubts.
pub(super) async fn probe(session: &dyn Session, config: &Config) -> Closings {
    let mut tries: Vec<Closing> = Vec::new();
    for sent in SENT.chunks(together(config, SENT.len())) {
        let first = join_all(sent.iter().map(|(code, reason)| close(session, config, *code, reason))).await;
        let doubtful = sent.iter().zip(&first).filter(|(_, one)| one.trouble.is_none() && !one.is_complete());
        let again = join_all(doubtful.map(|((code, reason), _)| close(session, config, *code, reason))).await;
        tries.extend(first.into_iter().chain(again));
    }
    tries.sort_by_key(|one| SENT.iter().position(|(code, _)| *code == one.sent));
    Closings { tries }
}

async fn close(session: &dyn Session, config: &Config, sent: Option<u16>, reason: &str) -> Closing {
    let mut closing = Closing { sent, ..Closing::default() };
    if session.stopping() {
        closing.trouble = Some("the run ended before it was sent".into());
        return closing;
    }
    let mut line = match Frames::open(session, config, How::to("see how a close frame is answered")).await {
        Ok(line) => line,
        Err(why) => {
            (closing.exchange, closing.trouble) = (why.exchange(), Some(why.why()));
            return closing;
        }
    };
    closing.exchange = Some(line.exchange());
    if let Some(ended) = line.ended() {
        closing.trouble = Some(format!("the connection was ended before by {}", ended.told()));
        return closing;
    }
    line.close(sent, reason).await;
    let mut began = session.now();
    loop {
        match line.next(began + ANSWER).await {
            Event::Closed if closing.reply.is_none() => {
                closing.reply = line.closed().cloned();
                closing.waited_ms = ms(waited(session, began, session.now()));
                began = session.now();
            }
            Event::Message(_) if closing.reply.is_some() => closing.data_after += 1,
            Event::Ended | Event::Quiet => break,
            Event::Stopped => {
                closing.trouble = Some("the run ended before the connection did".into());
                return closing;
            }
            Event::Message(_) | Event::Pong(..) | Event::Other(_) | Event::Closed => {}
        }
        if session.now() >= began + ANSWER {
            break;
        }
    }
    let time = ms(waited(session, began, session.now()));
    if closing.reply.is_none() {
        closing.waited_ms = time;
    } else {
        closing.lingered_ms = time;
    }
    closing.end = line.end().cloned();
    closing
}
