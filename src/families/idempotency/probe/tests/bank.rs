//! A small bank, honest or not.

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use crate::{
    exchange::{Payload, Request},
    families::testing::{Given, given},
};

/// What the bank does otherwise than it should, or may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// The stored answer is replayed.
    Honest,
    /// A repetition gets 200 and the payment as it is now.
    Current,
    /// No keys: a reference must not come twice.
    Natural,
    /// Keys are not looked at.
    Ignores,
    /// A repetition is answered with another id.
    NewId,
    /// A repetition is answered with 500.
    Replay500,
    /// A repetition is answered with other content.
    OtherContent,
    /// Another body is executed, overwrites, or gets the first answer.
    Executes,
    Overwrites,
    Replays,
    /// Keys are written down too late.
    Races,
    /// Duplicates at one instant get 500 while the first is at work.
    RaceIs500,
    /// What was cut stays in progress, or is forgotten.
    Stuck,
    ForgetsCut,
    /// Keys are everybody's, or every operation's.
    LeaksClients,
    LeaksOperations,
    /// No key is needed; only its beginning counts; an empty one is 500.
    Optional,
    Truncates,
    Empty500,
    /// The first repetition makes a second posting.
    TwoPostings,
    /// Keys are kept for a second only.
    Forgets,
    /// A first request that is refused spends its key.
    SpendsKeys,
    /// The list does not filter, or shows only the first rows of all, or an answer tells of what is not done.
    Unfiltered,
    CutsList,
    Drops,
    /// Balances move twice.
    BalanceTwice,
    /// Everything is refused.
    Closed,
}

struct Payment {
    id: String,
    owner: String,
    operation: String,
    reference: String,
    amount: String,
    at: Duration,
}

struct Known {
    body: Value,
    payment: Option<usize>,
    at: Duration,
    cut: bool,
    replays: usize,
}

/// The bank.
pub(super) struct Bank {
    way: Way,
    lag: Duration,
    processing: Duration,
    longest: usize,
    payments: Vec<Payment>,
    postings: Vec<(String, String)>,
    keys: HashMap<String, Known>,
    asks_to_wait: Option<u64>,
}

impl Bank {
    pub(super) fn new(way: Way) -> Self {
        Self {
            way,
            lag: Duration::ZERO,
            processing: Duration::ZERO,
            longest: 64,
            asks_to_wait: None,
            payments: Vec::new(),
            postings: Vec::new(),
            keys: HashMap::new(),
        }
    }

    /// Rows appear so late.
    pub(super) fn lag(self, lag: Duration) -> Self {
        Self { lag, ..self }
    }

    /// Work takes so long.
    pub(super) fn processing(self, processing: Duration) -> Self {
        Self { processing, ..self }
    }

    /// Who asks while work goes on is told to come back after so many seconds.
    pub(super) fn asks_to_wait(self, seconds: u64) -> Self {
        Self { asks_to_wait: Some(seconds), ..self }
    }

    /// Keys may be so long.
    pub(super) fn longest(self, longest: usize) -> Self {
        Self { longest, ..self }
    }

    pub(super) fn answer(&mut self, request: &Request, now: Duration) -> Given {
        let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
        let (path, query) = (path.to_owned(), query.to_owned());
        let reference = query.strip_prefix("reference=").unwrap_or_default();
        match request.method.as_str() {
            "GET" if path.ends_with("/balance") => self.balance(),
            "GET" if path.ends_with("/postings") => {
                let rows: Vec<Value> = self.postings.iter().map(|(id, r)| json!({"id": id, "reference": r})).collect();
                given(200, &json!({"data": rows}))
            }
            "GET" => self.list(request.who.name(), &path, reference, now),
            "DELETE" => {
                let id = path.rsplit('/').next().unwrap_or_default();
                let before = self.payments.len();
                self.payments.retain(|payment| payment.id != id);
                given(if self.payments.len() < before { 204 } else { 404 }, &json!({}))
            }
            _ => self.create(request, &path, now),
        }
    }

    fn balance(&self) -> Given {
        let each = if self.way == Way::BalanceTwice { 20 } else { 10 };
        let cents = 100_000_i64 - each * i64::try_from(self.payments.len()).unwrap();
        given(200, &json!({"balance": format!("{cents}.00")}))
    }

    fn list(&self, who: &str, path: &str, reference: &str, now: Duration) -> Given {
        let shown = |payment: &&Payment| {
            (payment.reference == reference || self.way == Way::Unfiltered)
                && payment.owner == who
                && payment.operation == path
                && payment.at + self.lag <= now
        };
        let most = if self.way == Way::CutsList { 4 } else { usize::MAX };
        let row = |payment: &Payment| json!({"id": payment.id, "ref": payment.reference, "amount": payment.amount});
        given(200, &json!({"data": self.payments.iter().take(most).filter(shown).map(row).collect::<Vec<_>>()}))
    }

    fn create(&mut self, request: &Request, path: &str, now: Duration) -> Given {
        let refused = |status: u16, code: &str| given(status, &json!({"code": code}));
        if self.way == Way::Closed {
            return refused(403, "closed");
        }
        let Payload::Json(body) = &request.payload else { return refused(400, "no_body") };
        let body_key = body.get("key").and_then(Value::as_str);
        let key = request.headers.get("idempotency-key").or(body_key);
        let reference = body["reference"].as_str().unwrap_or_default().to_owned();
        if self.way == Way::Natural {
            if body["amount"].as_str().is_none() {
                return refused(422, "amount_missing");
            }
            let known = self.payments.iter().any(|p| p.reference == reference && p.operation == path);
            return if known { refused(422, "duplicate") } else { self.pay(request, path, body, now) };
        }
        let key = match key {
            None if self.way == Way::Optional => return self.pay(request, path, body, now),
            None => return refused(400, "key_required"),
            Some("") if self.way == Way::Empty500 => return refused(500, "oops"),
            Some(key) => key.trim_matches('"'),
        };
        if key.is_empty() || key.len() > self.longest || !key.bytes().all(|b| b.is_ascii_graphic()) {
            return refused(400, "key_invalid");
        }
        let key = if self.way == Way::Truncates { &key[..key.len().min(32)] } else { key };
        let who = if self.way == Way::LeaksClients { "" } else { request.who.name() };
        let operation = if matches!(self.way, Way::LeaksOperations | Way::LeaksClients) { "" } else { path };
        let scope = format!("{who} {operation} {key}");
        let amount = body["amount"].as_str();
        if amount.is_none() {
            if self.way == Way::SpendsKeys {
                self.keys.insert(scope, Known { body: Value::Null, payment: None, at: now, cut: false, replays: 0 });
            }
            return refused(422, "amount_missing");
        }
        self.keyed(request, path, scope, now)
    }

    fn keyed(&mut self, request: &Request, path: &str, scope: String, now: Duration) -> Given {
        let refused = |status: u16, code: &str| given(status, &json!({"code": code}));
        let Payload::Json(body) = &request.payload else { return refused(400, "no_body") };
        let way = self.way;
        let cut = request.purpose.contains("connection cut");
        let forgotten = |known: &Known| match way {
            Way::Ignores => true,
            Way::Races => known.at == now,
            Way::ForgetsCut => known.cut,
            Way::Forgets => now > known.at + Duration::from_secs(1),
            _ => false,
        };
        let Some(known) = self.keys.get_mut(&scope).filter(|known| !forgotten(known)) else {
            let given = self.pay(request, path, body, now);
            let payment = self.payments.len() - 1;
            if way == Way::Drops && cut {
                self.payments[payment].operation = "lost".into();
            }
            let payment = Some(payment);
            self.keys.insert(scope, Known { body: body.clone(), payment, at: now, cut, replays: 0 });
            return given;
        };
        let Some(payment) = known.payment else { return refused(409, "key_spent") };
        if way == Way::Stuck && known.cut {
            let refusal = refused(409, "in_progress");
            return match self.asks_to_wait {
                Some(seconds) => refusal.header("retry-after", seconds.to_string()),
                None => refusal,
            };
        }
        if now < known.at + self.processing {
            return if way == Way::RaceIs500 { refused(500, "oops") } else { refused(409, "in_progress") };
        }
        let own = self.payments[payment].owner == request.who.name() && self.payments[payment].operation == path;
        if known.body != *body && own {
            match way {
                Way::Executes => return self.pay(request, path, body, now),
                Way::Overwrites => self.payments[payment].amount = body["amount"].as_str().unwrap_or("").into(),
                Way::Replays => {}
                _ => return refused(422, "key_reused"),
            }
        }
        known.replays += 1;
        let first = known.replays == 1;
        let payment = &self.payments[payment];
        let mut shown = json!({"id": payment.id, "reference": payment.reference, "status": "booked"});
        if way == Way::TwoPostings && first {
            self.postings.push((format!("again-{}", payment.id), payment.reference.clone()));
        }
        match way {
            Way::Replay500 => return refused(500, "oops"),
            Way::NewId => shown["id"] = json!(format!("{}-{first}", payment.id)),
            Way::OtherContent | Way::Current => shown["status"] = json!("settled"),
            _ => {}
        }
        given(if way == Way::Current { 200 } else { 201 }, &shown).header("Idempotent-Replayed", "true")
    }

    fn pay(&mut self, request: &Request, path: &str, body: &Value, now: Duration) -> Given {
        let id = format!("P{}", self.payments.len() + 1);
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        let (owner, operation) = (request.who.name().to_owned(), path.to_owned());
        let (reference, amount) = (text("reference"), text("amount"));
        self.postings.push((format!("L{}", self.postings.len()), reference.clone()));
        self.payments.push(Payment { id: id.clone(), owner, operation, reference: reference.clone(), amount, at: now });
        given(201, &json!({"id": id, "reference": reference, "status": "booked"}))
    }
}
