//! Recovery by snapshots that are asked for over HTTP, each of one key, against a small server in virtual time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use super::{super::rules::RULES, disturbed};
use crate::{
    exchange::{End, Opcode, Payload},
    families::{
        Evidence as AnyEvidence, PlannedCheck,
        testing::{
            Fake, given,
            line::{Due, Opened, Said, Stage},
        },
        websocket::evidence::Evidence,
    },
    rule::Verdict,
};

const MS: Duration = Duration::from_millis(1);
const KEYS: [&str; 2] = ["X", "Y"];

/// What is answered to whoever asks for a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The book as it is.
    Right,
    /// First the book of the beginning, then as it is.
    Cached,
    /// The book of the beginning.
    Stale,
    /// That of one key is never newer than the beginning.
    OneStale,
    /// Nothing.
    Unavailable,
    /// The book of a time before the stream was opened again.
    BeforeOpening,
}

#[derive(Default)]
struct Market {
    /// How many events of each key there were.
    numbers: [u64; 2],
    /// How many there were when a stream was last opened.
    opened: [u64; 2],
    made: usize,
    asked: Vec<String>,
}

impl Market {
    fn answer(&mut self, way: Way, path: &str) -> Option<u64> {
        let key = path.rsplit('/').nth(1)?.to_owned();
        let place = KEYS.iter().position(|known| *known == key)?;
        let again = self.asked.iter().any(|asked| *asked == key);
        self.asked.push(key);
        match way {
            Way::Right => Some(self.numbers[place]),
            Way::Cached => Some(if again { self.numbers[place] } else { 0 }),
            Way::Stale => Some(0),
            Way::OneStale => Some(if place == 1 { 0 } else { self.numbers[place] }),
            Way::Unavailable => None,
            Way::BeforeOpening => Some(self.opened[place].saturating_sub(1)),
        }
    }
}

/// What is said of it, and which keys were asked for.
async fn verdicts(way: Way) -> ([Verdict; 2], Vec<String>) {
    let market = Arc::new(Mutex::new(Market::default()));
    let stage = Stage::new({
        let market = Arc::clone(&market);
        move |asked| {
            let mut market = market.lock().unwrap();
            market.opened = market.numbers;
            Opened::accept(asked, |said, now| match said {
                Said::Frame(frame) if frame.opcode == Opcode::Close => {
                    vec![Due::close(now + MS, Some(1000), ""), Due::end(now + MS, End::Closed)]
                }
                _ => Vec::new(),
            })
        }
    });
    let fake = Fake::new({
        let (market, stage) = (Arc::clone(&market), Arc::clone(&stage));
        move |request, now| {
            let mut market = market.lock().unwrap();
            let Payload::Json(body) = &request.payload else {
                let number = market.answer(way, &request.target);
                return Ok(number.map_or_else(|| given(503, &json!({})), |number| given(200, &json!({"n": number}))));
            };
            let place = market.made % KEYS.len();
            market.made += 1;
            market.numbers[place] += 1;
            let event: Value = json!({"key": KEYS[place], "n": market.numbers[place], "ref": body["ref"]});
            stage.tell(&Due::text(now + MS, event.to_string()));
            Ok(given(201, &json!({})))
        }
    })
    .streaming(&stage);
    let config = serde_json::from_value(json!({
        "name": "market", "path": "/s", "lag": "500ms",
        "messages": {"key": "$.key", "reference": "$.ref"},
        "sequence": {"last": "$.n", "per": "key"},
        "snapshot": {"call": {"request": "GET /books/{{key}}/now"}, "sequence": "$.n"},
        "stimulus": {"call": {"request": "POST /orders", "body": {"ref": "{{reference}}"}}}
    }));
    let rules = vec!["WS-014", "WS-015"];
    let plan = PlannedCheck { rules: rules.clone(), writes: 1, ..PlannedCheck::default() };
    let mut evidence = Evidence::default();
    Box::pin(disturbed(&config.unwrap(), &fake, &plan, &mut evidence, false)).await;
    let evidence = AnyEvidence::WebSocket(Box::new(evidence));
    let judged = |id: &str| {
        let rule = RULES.iter().find(|judged| judged.rule.id == id).unwrap();
        (rule.judge)(&evidence).verdict
    };
    let asked = std::mem::take(&mut market.lock().unwrap().asked);
    ([judged("WS-014"), judged("WS-015")], asked)
}

#[tokio::test]
async fn a_snapshot_of_each_key_makes_good_what_was_missed() {
    let (verdicts, asked) = verdicts(Way::Right).await;
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Pass]);
    let (x, y): (Vec<&String>, Vec<&String>) = asked.iter().partition(|key| *key == "X");
    assert_eq!((x.len(), y.len()), (3, 3), "each once for each loss: {asked:?}");
}

#[tokio::test]
async fn a_snapshot_that_is_too_old_is_asked_for_again() {
    assert_eq!(verdicts(Way::Cached).await.0, [Verdict::Pass, Verdict::Pass]);
}

#[tokio::test]
async fn snapshots_that_never_catch_up_make_nothing_good() {
    for way in [Way::Stale, Way::OneStale, Way::BeforeOpening] {
        assert_eq!(verdicts(way).await.0, [Verdict::Fail, Verdict::Fail], "{way:?}");
    }
}

#[tokio::test]
async fn snapshots_that_cannot_be_had_prove_nothing() {
    assert_eq!(verdicts(Way::Unavailable).await.0, [Verdict::Inconclusive, Verdict::Inconclusive]);
}
