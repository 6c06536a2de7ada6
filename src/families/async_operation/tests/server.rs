//! An honest job server: jobs wait, run and end by their age; what they make exists from their success on.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    exchange::{Payload, Request},
    families::testing::{Given, given},
};

/// A job.
pub(super) struct Job {
    reference: String,
    began: Duration,
    fails: bool,
    cancelled: bool,
}

/// The server.
pub(super) struct Jobs {
    pub(super) started: Vec<Job>,
    /// How long jobs wait, and then run.
    pub(super) step: Duration,
    /// How long a job cannot be found.
    pub(super) lag: Duration,
    /// The status of an accepted start.
    pub(super) accepts: u16,
}

impl Default for Jobs {
    fn default() -> Self {
        let step = Duration::from_millis(500);
        Self { started: Vec::new(), step, lag: Duration::ZERO, accepts: 202 }
    }
}

impl Jobs {
    pub(super) fn answer(&mut self, request: &Request, at: Duration) -> Given {
        let missing = || given(404, &json!({"code": "not_found"}));
        let path = request.target.strip_prefix("https://api.example.com").unwrap_or(&request.target).to_owned();
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let steps: Vec<&str> = path.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), steps.as_slice()) {
            ("POST", ["jobs"]) => self.start(request, at),
            ("GET", ["things"]) => {
                let wanted = query.strip_prefix("ref=").unwrap();
                let made =
                    (0..self.started.len()).filter(|n| self.started[*n].reference == wanted && self.made(*n, at));
                given(200, &json!({"data": made.map(|n| self.thing(n)).collect::<Vec<_>>()}))
            }
            _ if request.who.name() == "anonymous" => given(401, &json!({})),
            (method, [kind, id, rest @ ..]) => {
                let Some(number) = id.parse::<usize>().ok().filter(|n| *n < self.started.len()) else {
                    return missing();
                };
                match (method, *kind, rest) {
                    _ if request.who.name() != "a" => missing(),
                    ("GET", "jobs", []) if at < self.started[number].began + self.lag => missing(),
                    ("GET", "jobs", []) => given(200, &self.job(number, at)),
                    ("POST", "jobs", ["cancel"]) if self.state(number, at).1.is_some() => {
                        given(409, &json!({"code": "ended"}))
                    }
                    ("POST", "jobs", ["cancel"]) => {
                        self.started[number].cancelled = true;
                        given(200, &self.job(number, at))
                    }
                    ("GET", "things", []) if self.made(number, at) => given(200, &self.thing(number)),
                    ("DELETE", "things", []) => given(204, &Value::Null),
                    _ => missing(),
                }
            }
            _ => missing(),
        }
    }

    fn start(&mut self, request: &Request, at: Duration) -> Given {
        let Payload::Json(body) = &request.payload else { return given(400, &json!({})) };
        let reference = body["ref"].as_str().unwrap().to_owned();
        self.started.push(Job { reference, began: at, fails: body["fail"] == true, cancelled: false });
        let number = self.started.len() - 1;
        given(self.accepts, &self.job(number, at)).header("Location", format!("/jobs/{number}"))
    }

    /// The word, and whether it succeeded if it has ended.
    fn state(&self, number: usize, at: Duration) -> (&'static str, Option<bool>) {
        let job = &self.started[number];
        match at.saturating_sub(job.began) {
            _ if job.cancelled => ("cancelled", Some(false)),
            age if age < self.step => ("queued", None),
            age if age < self.step * 2 => ("running", None),
            _ if job.fails => ("failed", Some(false)),
            _ => ("done", Some(true)),
        }
    }

    fn made(&self, number: usize, at: Duration) -> bool {
        self.state(number, at).1 == Some(true)
    }

    fn job(&self, number: usize, at: Duration) -> Value {
        let (word, ended) = self.state(number, at);
        let percent = match word {
            "running" => "50",
            "done" => "100",
            _ => "0",
        };
        let mut job = json!({"id": number.to_string(), "state": word, "percent": percent});
        if ended == Some(true) {
            job["thing"] = json!(format!("/things/{number}"));
        } else if word == "failed" {
            job["error"] = json!({"code": "rejected", "message": "the order was rejected"});
        }
        job
    }

    fn thing(&self, number: usize) -> Value {
        let id = number.to_string();
        json!({"id": id, "job": id, "ref": self.started[number].reference, "amount": "10.00"})
    }
}

/// Changes a JSON answer.
pub(super) fn alter(given_before: Given, change: impl FnOnce(&mut Value)) -> Given {
    let mut body: Value = serde_json::from_slice(&given_before.body).unwrap();
    change(&mut body);
    Given { body: body.to_string().into_bytes(), ..given_before }
}

/// Whether a request asks for a job.
pub(super) fn asks_job(request: &Request) -> bool {
    request.method == "GET" && request.target.contains("/jobs/")
}

/// The state that an answer tells.
pub(super) fn word(given: &Given) -> String {
    serde_json::from_slice::<Value>(&given.body).unwrap()["state"].as_str().unwrap_or_default().to_owned()
}
