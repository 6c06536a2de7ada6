//! A line to a target: requests take time, mostly little.

use std::{sync::Mutex, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use serde_json::json;

use super::{
    super::runs::{Declared, Runs},
    targets::Decide,
};
use crate::{
    exchange::ExchangeId,
    families::{
        Session,
        rate_limit::{
            evidence::Decision,
            probe::model::{Allowance, Answered, Limited, drive},
        },
        testing::{Fake, given},
    },
};

/// How long requests take, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delay {
    pub(super) least: u64,
    pub(super) most: u64,
    /// One request of so many is stalled for up to 300 ms; none if 0.
    pub(super) stalls: u64,
}

pub(super) const QUICK: Delay = Delay { least: 1, most: 10, stalls: 0 };

struct Line<'f> {
    fake: &'f Fake,
    delay: Delay,
    decide: Mutex<Decide>,
    sent: Mutex<u32>,
    /// How long the target works on what it lets through.
    held: Duration,
    /// Answers come no faster than one in this time.
    paced: Option<Duration>,
    answered: Mutex<Duration>,
    /// What is told after a refusal.
    told: Option<Duration>,
    /// How many the target says are left, where it says so.
    remaining: Option<u64>,
}

impl Line<'_> {
    /// A part of the way.
    fn way(&self) -> Duration {
        let roll = |most: u64| (self.fake.random() >> 16) % most.max(1);
        let usual = self.delay.least * 1_000 + roll((self.delay.most - self.delay.least) * 1_000);
        let stalled = self.delay.stalls > 0 && roll(self.delay.stalls * 2) == 0;
        Duration::from_micros(usual / 2 + if stalled { roll(300_000) } else { 0 })
    }

    fn answered(&self, sent: Duration, there: Duration, back: Duration) -> Answered {
        let decided = sent + there;
        let admitted = self.decide.lock().unwrap()(decided.as_secs_f64());
        let mut received = decided + if admitted { self.held } else { Duration::ZERO } + back;
        if let Some(paced) = self.paced {
            let mut last = self.answered.lock().unwrap();
            received = received.max(*last + paced);
            *last = received;
        }
        let mut count = self.sent.lock().unwrap();
        *count += 1;
        let decision = Decision {
            id: ExchangeId(*count),
            sent_us: u64::try_from(sent.as_micros()).unwrap(),
            received_us: u64::try_from(received.as_micros()).unwrap(),
            admitted,
            cost: 1,
            status: if admitted { 200 } else { 429 },
        };
        let told = if admitted { None } else { self.told };
        Answered { decision, told, remaining: self.remaining, banned: false }
    }
}

impl Limited for Line<'_> {
    fn send(&mut self) -> BoxFuture<'_, Option<Answered>> {
        async move {
            let sent = self.fake.now();
            let (there, back) = (self.way(), self.way());
            let answer = self.answered(sent, there, back);
            self.fake.pause(Duration::from_micros(answer.decision.received_us).saturating_sub(sent)).await;
            Some(answer)
        }
        .boxed()
    }

    fn together(&mut self, count: u32) -> BoxFuture<'_, Vec<Option<Answered>>> {
        async move {
            let sent = self.fake.now();
            let mut ways: Vec<(Duration, Duration)> = (0..count).map(|_| (self.way(), self.way())).collect();
            ways.sort_unstable();
            let answers: Vec<Answered> = ways.iter().map(|(there, back)| self.answered(sent, *there, *back)).collect();
            let last = answers.iter().map(|answer| answer.decision.received_us).max().unwrap_or_default();
            self.fake.pause(Duration::from_micros(last).saturating_sub(sent)).await;
            answers.into_iter().map(Some).collect()
        }
        .boxed()
    }
}

/// What a target is driven with.
pub(super) struct Drive {
    pub(super) declared: Declared,
    pub(super) delay: Delay,
    pub(super) seed: u64,
    pub(super) held: Duration,
    pub(super) paced: Option<Duration>,
    pub(super) told: Option<Duration>,
    pub(super) remaining: Option<u64>,
    pub(super) silence: Duration,
}

impl Drive {
    pub(super) fn new(declared: Declared, seed: u64) -> Self {
        let silence = Duration::from_secs(4);
        Self { declared, delay: QUICK, seed, held: Duration::ZERO, paced: None, told: None, remaining: None, silence }
    }

    /// What is seen of a target, with how many requests and in what time.
    pub(super) fn runs(&self, decide: Decide) -> (Runs, Allowance, u32, Duration) {
        let fake = Fake::new(|_, _| Ok(given(200, &json!({}))));
        for _ in 0..self.seed % 97 {
            fake.random();
        }
        let decide = Mutex::new(decide);
        let mut line = Line {
            fake: &fake,
            delay: self.delay,
            decide,
            sent: Mutex::new(0),
            held: self.held,
            paced: self.paced,
            answered: Mutex::default(),
            told: self.told,
            remaining: self.remaining,
        };
        // Begin anywhere in the target's windows.
        let start = Duration::from_micros(fake.random() % 10_000_000);
        let allowance = Allowance::new(self.declared.clone(), 100, self.silence);
        let runs = async {
            fake.pause(start).await;
            drive(&fake, &mut line, &allowance).await
        }
        .now_or_never()
        .expect("nothing waits in virtual time");
        let sent = *line.sent.lock().unwrap();
        (runs, allowance, sent, fake.now().saturating_sub(start))
    }
}

pub(super) fn declared(quota: u32, window: f64) -> Declared {
    let window_us = u64::try_from(Duration::from_secs_f64(window).as_micros()).unwrap();
    Declared { quota: Some(quota), window_us: Some(window_us), burst: 0, model: None }
}
