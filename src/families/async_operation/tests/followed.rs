//! Job servers that are honest, odd, or wrong in one way.

use std::collections::HashMap;

use super::{
    server::{alter, asks_job, word},
    *,
};
use crate::families::testing::given;

#[test]
fn an_honest_server_passes() {
    let judged = changed(untouched);
    judged.all_pass();
    assert_eq!(judged.judgements.len(), 7);
    let undone = judged.asked.iter().filter(|(request, _)| request.method == "DELETE").count();
    assert_eq!(undone, 1, "only the result of the operation that succeeded is known");
}

#[test]
fn odd_servers_pass() {
    let lag = Jobs { lag: Duration::from_millis(300), ..Jobs::default() };
    judge(item(json!({})), lag, untouched).all_pass();
    let job = Jobs { accepts: 201, ..Jobs::default() };
    judge(item(json!({})), job, untouched).all_pass();
    // The monitor tells when to ask again, and is not asked before.
    let slow =
        |request: &Request, given: Given| if asks_job(request) { given.header("Retry-After", "1") } else { given };
    let judged = changed(slow);
    judged.all_pass();
    let own = judged.asked.iter().filter(|(one, _)| one.target.ends_with("/jobs/0") && one.who.name() == "a");
    let instants: Vec<Duration> = own.map(|(_, at)| *at).collect();
    assert!(
        instants.len() > 5 && instants.windows(2).all(|two| two[1] >= two[0] + Duration::from_secs(1)),
        "{instants:?}"
    );
    // Two header fields and a body link, of which the suite names one.
    let azure = |request: &Request, given: Given| {
        let Some(location) = given.headers.get("location").map(str::to_owned) else { return given };
        assert_eq!(request.method, "POST");
        let mut given = given.header("Operation-Location", location);
        given.headers.set("location", "/things/0");
        given
    };
    changed(azure).all_pass();
    // By id.
    let item = item(json!({"monitor": {"id": "$.id", "call": {"request": "GET /jobs/{{operation}}"}}}));
    let judged = judge(item, Jobs::default(), |_, mut given| {
        given.headers.remove("location");
        given
    });
    judged.all_pass();
}

#[test]
fn a_replica_that_is_behind_once_is_no_violation() {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let judged = changed(move |request, given| {
        if !asks_job(request) || word(&given) != "done" {
            return given;
        }
        let times = seen.entry(request.target.clone()).or_default();
        *times += 1;
        if *times == 3 { alter(given, |job| job["state"] = json!("running")) } else { given }
    });
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("ASY-003"), Verdict::Pass);
}

#[test]
fn an_end_that_changes_is_reported() {
    let mut seen: HashMap<String, u32> = HashMap::new();
    let judged = changed(move |request, given| {
        if !asks_job(request) || word(&given) != "done" {
            return given;
        }
        let times = seen.entry(request.target.clone()).or_default();
        *times += 1;
        if *times > 1 { alter(given, |job| job["state"] = json!("failed")) } else { given }
    });
    judged.only_fail(&["ASY-003"]);
}

#[test]
fn cancelling_what_has_ended_must_not_change_it() {
    let mut cancelled = false;
    let judged = changed(move |request, mut answer| {
        let first = request.target.contains("/jobs/0");
        if first && request.method == "POST" {
            cancelled = true;
            answer.status = 200;
        }
        if first && cancelled && asks_job(request) {
            return alter(answer, |job| job["state"] = json!("cancelled"));
        }
        answer
    });
    judged.only_fail(&["ASY-003"]);
}

#[test]
fn progress_that_shrinks_twice_is_reported_as_minor() {
    let mut asked = 0;
    let judged = changed(move |request, given| {
        if !asks_job(request) || word(&given) != "queued" {
            return given;
        }
        asked += 1;
        alter(given, |job| job["percent"] = json!(if asked == 1 { "90" } else { "40" }))
    });
    judged.only_fail(&["ASY-003"]);
    assert_eq!(judged.judgements["ASY-003"].severity, Some(crate::rule::Severity::Minor));
}

#[test]
fn what_never_ends_is_reported_of_two_and_not_without_a_deadline() {
    let endless = || Jobs { step: Duration::from_hours(1), ..Jobs::default() };
    let judged = judge(item(json!({"cancel": null})), endless(), untouched);
    judged.only_fail(&["ASY-004"]);
    let item = item(json!({"deadline": null, "poll": null}));
    let judged = judge(item, endless(), untouched);
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("ASY-004"), Verdict::Inconclusive);
}

#[test]
fn one_late_operation_is_chance() {
    let judged = changed(|request, given| {
        if asks_job(request) && request.target.ends_with("/jobs/0") {
            alter(given, |job| job["state"] = json!("running"))
        } else {
            given
        }
    });
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("ASY-004"), Verdict::Pass);
}

#[test]
fn being_refused_at_the_told_pace_is_reported_and_below_it_is_not() {
    let mut asked: HashMap<String, u32> = HashMap::new();
    let third = move |request: &Request, answer: Given| {
        let times = asked.entry(request.target.clone()).or_default();
        *times += 1;
        let refused = asks_job(request) && request.who.name() == "a" && times.is_multiple_of(3);
        if refused { given(429, &json!({})).header("Retry-After", "1") } else { answer }
    };
    changed(third.clone()).only_fail(&["ASY-004"]);
    let unpaced = judge(item(json!({"poll": null})), Jobs::default(), third);
    unpaced.only_fail(&[]);
}

#[test]
fn a_monitor_that_leads_nowhere_or_elsewhere_is_reported() {
    let gone = changed(|request, answer| if asks_job(request) { given(404, &json!({})) } else { answer });
    gone.only_fail(&["ASY-002"]);
    let none = changed(|_, mut given| {
        given.headers.remove("location");
        given
    });
    none.only_fail(&["ASY-001"]);
    let away = |_: &Request, mut given: Given| {
        if given.headers.get("location").is_some() {
            given.headers.set("location", "http://api.example.com/jobs/0");
        }
        given
    };
    let judged = changed(away);
    judged.only_fail(&["ASY-002"]);
    assert!(judged.asked.iter().all(|(request, _)| !asks_job(request)), "credentials stay at home");
    let declared = judge(item(json!({"monitor": {"elsewhere": true}})), Jobs::default(), away);
    declared.only_fail(&[]);
}

#[test]
fn an_open_monitor_is_reported_unless_its_url_is_declared_a_secret() {
    for who in ["anonymous", "b"] {
        let mut last = None;
        let open = move |request: &Request, answer: Given| {
            if asks_job(request) && request.who.name() == "a" {
                last = Some(answer.clone());
            }
            if asks_job(request) && request.who.name() == who { last.clone().unwrap() } else { answer }
        };
        let judged = changed(open.clone());
        judged.only_fail(&["ASY-002"]);
        assert_eq!(judged.judgements["ASY-002"].severity, None, "critical as the rule is");
        let signed = judge(item(json!({"monitor": {"signed": true}})), Jobs::default(), open);
        signed.only_fail(if who == "b" { &["ASY-002"] } else { &[] });
    }
    // A page for everybody that shows nothing is no proof.
    let judged = changed(
        |request, answer| {
            if request.who.name() == "anonymous" { given(200, &json!({"hello": "you"})) } else { answer }
        },
    );
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("ASY-002"), Verdict::Inconclusive);
}

#[test]
fn results_that_are_missing_or_differ_or_double_are_reported() {
    let thing = |request: &Request| request.method == "GET" && request.target.contains("/things/");
    changed(move |request, answer| if thing(request) { given(404, &json!({})) } else { answer })
        .only_fail(&["ASY-005"]);
    for key in ["amount", "job"] {
        changed(
            move |request, answer| {
                if thing(request) { alter(answer, |thing| thing[key] = json!("10.000001")) } else { answer }
            },
        )
        .only_fail(&["ASY-005"]);
    }
    let listed = |request: &Request| request.target.contains("/things?");
    changed(move |request, answer| {
        if !listed(request) {
            return answer;
        }
        alter(answer, |list| {
            let rows = list["data"].as_array_mut().unwrap();
            if let Some(row) = rows.first().cloned() {
                rows.push(row);
            }
        })
    })
    .only_fail(&["ASY-005"]);
    // A listing that lags behind is no proof, as long as the result itself is there.
    let judged =
        changed(move |request, answer| if listed(request) { given(200, &json!({"data": []})) } else { answer });
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("ASY-005"), Verdict::Inconclusive);
    assert_eq!(judged.verdict("ASY-006"), Verdict::Inconclusive, "such a lookup proves no absence");
}

#[test]
fn failures_that_are_broken_hidden_silent_or_half_done_are_reported() {
    let failed = |request: &Request, given: &Given| asks_job(request) && given.status == 200 && word(given) == "failed";
    changed(move |request, answer| if failed(request, &answer) { given(500, &json!({})) } else { answer })
        .only_fail(&["ASY-006"]);
    changed(move |request, answer| {
        if failed(request, &answer) {
            alter(answer, |job| {
                (job["state"], job["percent"], job["thing"]) = (json!("done"), json!("100"), json!("/things/99"));
            })
        } else {
            answer
        }
    })
    .only_fail(&["ASY-006"]);
    changed(
        move |request, answer| {
            if failed(request, &answer) { alter(answer, |job| job["error"] = json!({"code": ""})) } else { answer }
        },
    )
    .only_fail(&["ASY-006"]);
    // As a client error, where that is not declared, and where it is.
    let status = move |request: &Request, answer: Given| {
        if failed(request, &answer) { Given { status: 422, ..answer } } else { answer }
    };
    changed(status).only_fail(&["ASY-006"]);
    let mut declared = item(json!({}));
    declared["failing"]["status"] = json!(422);
    judge(declared, Jobs::default(), status).all_pass();
    let half = |request: &Request, answer: Given| {
        if !request.target.contains("/things?") {
            return answer;
        }
        let reference = request.target.split_once("ref=").unwrap().1.to_owned();
        alter(answer, |list| {
            if list["data"] == json!([]) {
                list["data"] = json!([{"id": "half", "ref": reference}]);
            }
        })
    };
    changed(half).only_fail(&["ASY-006"]);
}

#[test]
fn what_is_refused_at_once_or_succeeds_is_no_failing_example() {
    let refused = changed(|request, answer| match &request.payload {
        crate::exchange::Payload::Json(body) if body["fail"] == true => given(422, &json!({})),
        _ => answer,
    });
    refused.only_fail(&[]);
    assert_eq!(refused.verdict("ASY-006"), Verdict::Inconclusive);
    let mut fine = item(json!({}));
    fine["failing"]["start"]["body"]["fail"] = json!(false);
    let judged = judge(fine, Jobs::default(), untouched);
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("ASY-006"), Verdict::Inconclusive);
}

#[test]
fn preferences_may_be_ignored_but_neither_refused_nor_feigned() {
    changed(|request, answer| if request.headers.get("prefer").is_some() { given(400, &json!({})) } else { answer })
        .only_fail(&["ASY-007"]);
    let feign = |request: &Request, mut answer: Given| {
        if request.headers.get("prefer") == Some("respond-async") {
            answer = given(201, &json!({"id": "7"})).header("Preference-Applied", "respond-async");
        }
        answer
    };
    changed(feign).only_fail(&["ASY-007"]);
    // Refused once, as by a limit that had nothing to do with it.
    let mut once = true;
    let judged = changed(move |request, answer| {
        if request.headers.get("prefer").is_some() && std::mem::take(&mut once) {
            return given(400, &json!({}));
        }
        answer
    });
    judged.only_fail(&[]);
    // Ignored: done at once, and nothing is claimed or declared.
    let sync = judge(item(json!({"prefer": null})), Jobs::default(), |request, answer| {
        if request.headers.get("prefer").is_some() { given(201, &json!({"id": "7"})) } else { answer }
    });
    sync.all_pass();
    // A wait that is claimed and exceeded.
    let waits = item(json!({"prefer": ["wait=1"]}));
    let judged = judge(waits, Jobs::default(), |request, answer| {
        let waits = request.headers.get("prefer") == Some("wait=1");
        if waits { answer.header("Preference-Applied", "wait=1").delayed(Duration::from_secs(3)) } else { answer }
    });
    judged.only_fail(&["ASY-007"]);
}

#[test]
fn words_that_nobody_explained_decide_nothing() {
    let judged =
        changed(
            |request, answer| {
                if asks_job(request) { alter(answer, |job| job["state"] = json!("SETTLING")) } else { answer }
            },
        );
    judged.only_fail(&[]);
    assert_eq!(judged.verdict("ASY-003"), Verdict::Inconclusive);
    assert!(judged.judgements["ASY-003"].message.contains("SETTLING"), "{:?}", judged.judgements["ASY-003"]);
    assert_eq!(judged.verdict("ASY-004"), Verdict::Inconclusive);
}

#[test]
fn garbage_is_survived() {
    for body in [&b"\xff\xfe"[..], b"", b"[[[[", b"{\"state\": {\"state\": 1}}"] {
        let judged = changed(move |_, answer| Given { body: body.to_vec(), ..answer });
        assert!(judged.judgements.values().all(|judgement| judgement.verdict != Verdict::Fail), "{body:?}");
        assert!(judged.evidence.operations.iter().all(|operation| operation.end().is_none()));
    }
}
