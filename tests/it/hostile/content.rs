//! Peers whose content is wrong.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};

use super::{run, run_impatiently};
use crate::support::{Peer, answer, json};

#[test]
fn content_that_is_not_json_is_not_judged() {
    for body in ["", "{\"data\": [", "{'data': []}", "[NaN]", "{\"data\": []}}"] {
        run(&Peer::always(json(body))).could_not_judge("it is not JSON");
    }
}

#[test]
fn json_of_another_shape_is_not_judged() {
    for body in ["null", "7", "[]", r#"{"data": null}"#, r#"{"data": {"id": 1}}"#, r#"{"data": "rows"}"#] {
        run(&Peer::always(json(body))).could_not_judge("there is no array at `$.data`");
    }
}

#[test]
fn a_listing_without_rows_is_not_judged() {
    for body in ["{}", r#"{"data": []}"#] {
        run(&Peer::always(json(body))).could_not_judge("only 0 rows");
    }
}

#[test]
fn invalid_utf_8_is_not_judged() {
    run(&Peer::always(json(b"{\"data\": [{\"id\": \"\xff\xfe\xc0\"}]}"))).could_not_judge("it is not JSON");
}

#[test]
fn deep_json_is_no_stack_overflow() {
    run(&Peer::always(json("[".repeat(200_000)))).exits(3);
    let within = format!(r#"{{"data": [{{"id": 1, "deep": {}"#, "[".repeat(200_000));
    run(&Peer::always(json(within))).exits(3);
    let complete = format!(r#"{{"data": [{{"id": 1, "deep": {}{}}}]}}"#, "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(
        run(&Peer::always(json(complete))).report()["complete"],
        true,
        "rows are read whatever lies beside their ids"
    );
}

#[test]
fn a_number_of_ten_thousand_digits_is_an_id_like_any_other() {
    let id = "7".repeat(10_000);
    let peer = Peer::always(json(format!(r#"{{"data": [{{"id": {id}}}, {{"id": 1e{id}}}], "next": null}}"#)));
    let ended = run(&peer);
    assert!(ended.report()["ledger"]["judged"].as_u64() > Some(0), "{}", ended.told());
}

#[test]
fn a_gzip_bomb_is_not_unpacked() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    let peer = Peer::always(answer(200, &[("Content-Type", "application/json"), ("Content-Encoding", "gzip")], bomb));
    run_impatiently(&peer).could_not_judge("256KiB");
}

#[test]
fn a_body_without_end_is_cut_off() {
    let peer = Peer::doing(|_, mut socket| {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[");
        while socket.write_all(&[b' '; 4096]).is_ok() {}
    });
    run_impatiently(&peer).could_not_judge("256KiB");
}

#[test]
fn content_that_is_not_what_its_coding_says_is_not_judged() {
    for coding in ["gzip", "br", "rot13"] {
        let fields = [("Content-Type", "application/json"), ("Content-Encoding", coding)];
        run(&Peer::always(answer(200, &fields, r#"{"data": []}"#))).exits(3);
    }
}
