//! The probes of streams that are not left alone, against a small server in virtual time.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use super::{super::rules::RULES, disturbed};
use crate::{
    exchange::{End, Loss, Opcode, Payload, Who},
    families::{
        Evidence as AnyEvidence, PlannedCheck,
        testing::{
            Fake, given,
            line::{Asked, Due, Opened, Said, Stage},
        },
        websocket::{config::Config, evidence::Evidence},
    },
    rule::{Judgement, Verdict},
};

const MS: Duration = Duration::from_millis(1);

/// How the server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As it should be.
    Right,
    /// Leaves out the first event of what it replays.
    LosesOne,
    /// Acknowledges a resumption and replays nothing.
    Ignores,
    /// Sends a snapshot instead.
    Snapshots,
    /// Replays everything there ever was.
    Overlaps,
    /// Takes what it sent on a broken connection for received.
    TrustsSocket,
    /// Goes on silently where it cannot.
    IgnoresImpossible,
    /// Replays to anybody.
    ReplaysToRival,
    /// Refuses the first handshake after each loss.
    Ghost,
    /// Takes those without credentials.
    Open,
    /// Tells a rival of everything.
    Leaks,
    /// Never ends a session.
    Outlives,
}

struct Hub {
    way: Way,
    log: Vec<String>,
    /// Which connections are told of events.
    owners: Vec<usize>,
    delivered: usize,
    lost: bool,
}

impl Hub {
    fn event(&self, number: usize) -> String {
        let reference = &self.log[number - 1];
        json!({"type": "order", "n": number, "id": format!("E{number}"), "ref": reference}).to_string()
    }

    /// What answers a subscription.
    fn subscribed(&self, said: &Value, rival: bool, now: Duration) -> Vec<Due> {
        let ack = |resumed: bool| json!({"type": "ack", "resumed": resumed, "n": self.log.len()}).to_string();
        let texts = match said.get("since") {
            None => vec![ack(false)],
            Some(since) => {
                let since = since.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= self.log.len());
                match (since, self.way) {
                    (None, Way::IgnoresImpossible) => vec![ack(true)],
                    (None, _) => vec![json!({"type": "resync"}).to_string()],
                    (Some(_), _) if rival && self.way != Way::ReplaysToRival => {
                        vec![json!({"type": "error"}).to_string()]
                    }
                    (Some(_), Way::Ignores) => vec![ack(true)],
                    (Some(_), Way::Snapshots) => {
                        vec![ack(false), json!({"type": "snapshot", "n": self.log.len()}).to_string()]
                    }
                    (Some(since), way) => {
                        let from = match way {
                            Way::LosesOne => since + 1,
                            Way::Overlaps => 0,
                            Way::TrustsSocket => since.max(self.delivered),
                            _ => since,
                        };
                        let replayed = (from + 1..=self.log.len()).map(|number| self.event(number));
                        // As a server with recovery does, before the acknowledgement.
                        replayed.chain([ack(true)]).collect()
                    }
                }
            }
        };
        texts.into_iter().map(|text| Due::text(now + MS, text)).collect()
    }
}

fn block(more: &Value) -> Config {
    let mut block = json!({
        "name": "orders", "path": "/s", "client": "trader", "other_client": "rival", "private": true, "lag": "500ms",
        "listen": "1s",
        "subscribe": {"message": {"op": "sub"}, "acknowledged": {"$.type": "ack"}},
        "messages": {"data": {"$.type": "order"}, "error": {"$.type": "error"}, "gap": {"$.type": "resync"},
                     "snapshot": {"$.type": "snapshot"}, "snapshot_sequence": "$.n", "id": "$.id", "reference": "$.ref"},
        "sequence": {"last": "$.n"},
        "resume": {"subscribe": {"op": "sub", "since": "{{last}}"}},
        "stimulus": {"call": {"request": "POST /orders", "body": {"ref": "{{reference}}"}}}
    });
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(block.as_object_mut().unwrap().remove(name)),
            value => block[name] = value.clone(),
        }
    }
    serde_json::from_value(block).unwrap()
}

/// What the rules say of such a server.
async fn judged(way: Way, more: &Value, rules: &[&'static str]) -> Vec<Judgement> {
    let hub = Arc::new(Mutex::new(Hub { way, log: Vec::new(), owners: Vec::new(), delivered: 0, lost: false }));
    let stage = Stage::new({
        let hub = Arc::clone(&hub);
        move |asked: &Asked<'_>| opened(&hub, asked)
    });
    let fake = Fake::new({
        let (hub, stage) = (Arc::clone(&hub), Arc::clone(&stage));
        move |request, now| {
            let Payload::Json(body) = &request.payload else { return Ok(given(404, &json!({}))) };
            let mut hub = hub.lock().unwrap();
            hub.log.push(body["ref"].as_str().unwrap().to_owned());
            let event = hub.event(hub.log.len());
            for nth in &hub.owners {
                stage.say(*nth, [Due::text(now + MS, event.clone())]);
            }
            Ok(given(201, &json!({})))
        }
    })
    .streaming(&stage);
    let config = block(more);
    let plan = PlannedCheck {
        rules: rules.to_vec(),
        writes: 1,
        steps: vec![(super::session::CROWD.into(), 1), (super::session::FLOOD.into(), 1)],
        ..PlannedCheck::default()
    };
    let mut evidence = Evidence::default();
    Box::pin(disturbed(&config, &fake, &plan, &mut evidence, true)).await;
    let evidence = AnyEvidence::WebSocket(Box::new(evidence));
    let rule = |id: &&str| RULES.iter().find(|judged| judged.rule.id == *id).unwrap();
    rules.iter().map(|id| (rule(id).judge)(&evidence)).collect()
}

fn opened(hub: &Arc<Mutex<Hub>>, asked: &Asked<'_>) -> Opened {
    let (who, nth) = (asked.opening.request.who.clone(), asked.nth);
    let way = {
        let mut locked = hub.lock().unwrap();
        if locked.way == Way::Ghost && std::mem::take(&mut locked.lost) {
            return Opened::Refuse(given(406, &json!({})));
        }
        locked.way
    };
    let rival = who == Who::Client("rival".into());
    let known = matches!(who, Who::Client(_)) || way == Way::Open;
    if !known {
        return Opened::Refuse(given(401, &json!({})));
    }
    let hub = Arc::clone(hub);
    let expiring = who == Who::Client("expiring".into());
    let mut count = 0;
    Opened::accept(asked, move |said, now| match said {
        Said::Opened if expiring && way != Way::Outlives => vec![Due::close(now + 1_000 * MS, Some(3000), "expired")],
        Said::Frame(frame) if frame.opcode == Opcode::Close => {
            hub.lock().unwrap().owners.retain(|owner| *owner != nth);
            vec![Due::close(now + MS, Some(1000), ""), Due::end(now + MS, End::Closed)]
        }
        Said::Frame(frame) if frame.opcode == Opcode::Text && frame.fin => {
            count += 1;
            if count > 20 && way != Way::Outlives {
                return vec![Due::text(now + MS, r#"{"type":"error"}"#)];
            }
            let said: Value = serde_json::from_slice(&frame.payload).unwrap();
            let mut hub = hub.lock().unwrap();
            if (!rival || way == Way::Leaks) && !hub.owners.contains(&nth) {
                hub.owners.push(nth);
            }
            hub.subscribed(&said, rival, now)
        }
        Said::Lost(loss) => {
            let mut hub = hub.lock().unwrap();
            hub.owners.retain(|owner| *owner != nth);
            if matches!(loss, Loss::Reset(_)) {
                hub.delivered = hub.log.len();
                hub.lost = true;
            }
            Vec::new()
        }
        _ => Vec::new(),
    })
}

async fn verdicts(way: Way, more: &Value) -> [Verdict; 2] {
    let judged = judged(way, more, &["WS-014", "WS-015"]).await;
    [judged[0].verdict, judged[1].verdict]
}

#[tokio::test]
async fn ways_that_lose_nothing_pass() {
    for way in [Way::Right, Way::Snapshots, Way::Overlaps, Way::Ghost] {
        assert_eq!(verdicts(way, &json!({})).await, [Verdict::Pass, Verdict::Pass], "{way:?}");
    }
}

#[tokio::test]
async fn lost_events_fail() {
    assert_eq!(verdicts(Way::LosesOne, &json!({})).await, [Verdict::Fail, Verdict::Fail]);
    assert_eq!(verdicts(Way::Ignores, &json!({})).await, [Verdict::Fail, Verdict::Fail]);
    assert_eq!(verdicts(Way::TrustsSocket, &json!({})).await, [Verdict::Pass, Verdict::Fail]);
}

#[tokio::test]
async fn an_impossible_position_and_a_rival_must_be_refused() {
    assert_eq!(verdicts(Way::IgnoresImpossible, &json!({})).await, [Verdict::Pass, Verdict::Fail]);
    assert_eq!(verdicts(Way::ReplaysToRival, &json!({})).await, [Verdict::Pass, Verdict::Fail]);
}

#[tokio::test]
async fn without_a_way_back_the_number_missed_is_told() {
    let messages = json!({"data": {"$.type": "order"}, "id": "$.id", "reference": "$.ref"});
    let judged = judged(Way::Right, &json!({"resume": null, "messages": messages}), &["WS-014", "WS-015"]).await;
    assert_eq!(judged[0].verdict, Verdict::NotApplicable, "{judged:#?}");
    assert!(judged[0].message.contains("5 of 5 events while away were missed"), "{}", judged[0].message);
    assert_eq!(judged[1].verdict, Verdict::NotApplicable);
}

#[tokio::test]
async fn silence_beyond_the_timeout_is_one_more_way_to_be_lost() {
    let more = json!({"heartbeat": {"interval": "500ms", "timeout": "2s"}});
    assert_eq!(verdicts(Way::Right, &more).await, [Verdict::Pass, Verdict::Pass]);
}

#[tokio::test]
async fn nobody_else_may_listen() {
    for (way, verdict) in [(Way::Right, Verdict::Pass), (Way::Open, Verdict::Fail), (Way::Leaks, Verdict::Fail)] {
        let judged = judged(way, &json!({}), &["WS-002"]).await;
        assert_eq!(judged[0].verdict, verdict, "{way:?}: {judged:#?}");
    }
}

#[tokio::test]
async fn sessions_end_when_their_credentials_do_and_floods_are_told() {
    let bounds = json!({"session": {"expiring_client": "expiring", "expires_after": "1s", "grace": "1s",
                                    "rate": 30, "rate_window": "5s"}});
    for (way, verdict) in [(Way::Right, Verdict::Pass), (Way::Outlives, Verdict::Fail)] {
        let judged = judged(way, &bounds, &["WS-018"]).await;
        assert_eq!(judged[0].verdict, verdict, "{way:?}: {judged:#?}");
    }
}

#[tokio::test]
async fn more_connections_than_declared_fail_where_they_are_taken() {
    let judged = judged(Way::Right, &json!({"session": {"connections": 3}}), &["WS-018"]).await;
    assert_eq!(judged[0].verdict, Verdict::Fail, "{judged:#?}");
}
