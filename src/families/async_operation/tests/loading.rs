//! What items of a suite are taken, and what they would send.

use super::*;

#[test]
fn everything_wrong_is_said_at_its_place() {
    assert!(load(item(json!({}))).is_ok());
    let wrong = json!({
        "client": "nobody", "start": {"request": "GET /jobs"}, "accepted": [302], "monitor": {"id": "$.id"}, "id": null,
        "state": {"path": "$.s", "running": ["x"], "succeeded": ["x"]}, "poll": {"interval": "0s", "most": 2},
        "result": {"href": "$.a", "inline": true, "expect": {"$.r": "{{nope}}"}}, "other_client": "nobody",
        "prefer": ["return=minimal"], "webhook": {"event": {}}, "undo": {"request": "DELETE /{{what}}"}
    });
    let problems = load(item(wrong)).err().unwrap();
    let expected = [
        "/client",
        "/start/request",
        "/accepted",
        "/monitor/id",
        "/state",
        "/state",
        "/poll/most",
        "/poll/interval",
        "/result",
        "/result/expect/$.r",
        "/start",
        "/undo/request",
        "/other_client",
        "/other_client",
        "/prefer/0",
        "/webhook/event",
    ];
    assert_eq!(problems, expected);
    let unknown = load(item(json!({"id": null}))).err().unwrap();
    assert_eq!(unknown, ["/cancel"]);
    assert!(load(item(json!({"stat": {}}))).err().unwrap()[0].contains("stat"));
}

#[test]
fn what_is_not_permitted_or_declared_is_not_planned() {
    let check = load(item(json!({"failing": null, "result": null, "effects": null, "undo": null}))).ok().unwrap();
    let reading = plan(&*check, &[Permit::Read]);
    assert!(reading.rules.is_empty() && reading.requests() == 0 && reading.writes == 0, "{reading:?}");
    let writing = plan(&*check, &[Permit::Read, Permit::Write]);
    assert_eq!(writing.rules, ["ASY-001", "ASY-002", "ASY-003", "ASY-004", "ASY-007"]);
    assert_eq!(writing.unplanned.len(), 7, "two of this half, five of webhooks");
    assert_eq!((writing.touches, writing.clients), (vec!["/jobs".to_owned()], vec!["a".to_owned(), "b".to_owned()]));
}
