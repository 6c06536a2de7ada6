use bytes::Bytes;
use serde_json::{Value, json};

use super::{super::super::feed::Reader, *};
use crate::{exchange::Headers, notation::Values};

/// What is seen in these events of a stream with these `payloads`, whose handshake was answered at noon.
fn seen(payloads: &Value, events: &[&str]) -> Conduct {
    let config: Config = serde_json::from_value(json!({
        "name": "s", "path": "/s", "messages": {"time": "$.t", "key": "$.k", "id": "$.id"}, "payloads": payloads
    }))
    .unwrap();
    let headers: Headers = [("date".to_owned(), "Mon, 05 Jan 2026 12:00:00 GMT".to_owned())].into_iter().collect();
    let (sent, received) = (Duration::ZERO, Duration::from_millis(1));
    let handshake = Handshake { id: ExchangeId(1), status: 101, headers, key: String::new(), sent, received };
    let mut observer = Observer::new(&config, &Conventions::default(), &handshake);
    let reader = Reader::new(&config, &Values::new());
    for event in events {
        observer.observe(&reader.read(Bytes::copy_from_slice(event.as_bytes())));
    }
    observer.finish(ExchangeId(1))
}

fn kinds(payloads: &Value, events: &[&str]) -> Vec<OddKind> {
    seen(payloads, events).odd.into_iter().map(|odd| odd.kind).collect()
}

#[test]
fn a_declared_unit_makes_numbers_instants() {
    let of = |unit: &str, written: &str| kinds(&json!({"unit": unit}), &[&format!("{{\"t\": {written}}}")]);
    // 2026-01-05T12:00:00Z
    for (unit, written) in [
        ("seconds", "1767614400"),
        ("seconds", "1767614400.25"),
        ("milliseconds", "1767614400000"),
        ("milliseconds", "\"1767614400000\""),
        ("microseconds", "1767614400000000"),
        ("nanoseconds", "1767614400000000000"),
        ("seconds", "\"2026-01-05T12:00:00Z\""),
        ("milliseconds", "0"),
    ] {
        assert_eq!(of(unit, written), [], "{unit} {written}");
    }
    for (unit, written) in
        [("seconds", "1767614400000"), ("milliseconds", "1767614400"), ("microseconds", "1767614400000")]
    {
        assert_eq!(of(unit, written), [OddKind::Unit], "{unit} {written}");
    }
    assert_eq!(kinds(&json!({}), &[r#"{"t": 1767614400}"#]), [OddKind::NoUnit]);
}

#[test]
fn numbers_of_a_unit_are_held_against_the_clock_and_each_other() {
    let of = |events: &[&str]| {
        let seen = seen(&json!({"unit": "milliseconds"}), events);
        (seen.ahead.len(), seen.backwards.len(), seen.odd.len())
    };
    assert_eq!(of(&[r#"{"t": 1767614400000}"#, r#"{"t": 1767614400000}"#, r#"{"t": 1767614459000}"#]), (0, 0, 0));
    assert_eq!(of(&[r#"{"t": 1767614462000}"#]), (1, 0, 0));
    assert_eq!(of(&[r#"{"t": 1767614400001, "k": 1}"#, r#"{"t": 1767614400000, "k": 1}"#]), (0, 1, 0));
    assert_eq!(of(&[r#"{"t": 1767614400001, "k": 1}"#, r#"{"t": 1767614400000, "k": 2}"#]), (0, 0, 0));
}

#[test]
fn amounts_are_plain_decimals_of_one_type() {
    let paths = json!({"amounts": ["$.p", "$.b[*][*]"]});
    let clean = [
        r#"{"p": "1.50", "b": [["0.10", 0.00000001], ["-3", 100000]]}"#,
        r#"{"p": "", "b": []}"#,
        r#"{"p": "market"}"#,
    ];
    let of = seen(&paths, &clean);
    assert_eq!((of.odd.len(), of.inexact.len(), of.amounts), (0, 0, 6));
    for wrong in ["1e-8", "1,000.00", "$5", "NaN", "-Infinity", "5 EUR", "1.2.3"] {
        assert_eq!(kinds(&paths, &[&format!("{{\"p\": \"{wrong}\"}}")]), [OddKind::Decimal], "{wrong}");
    }
    assert_eq!(kinds(&paths, &[r#"{"p": "1"}"#, r#"{"p": 1}"#]), [OddKind::Mixed]);
    for wrong in ["19.989999999999998", "1e-8"] {
        assert_eq!(seen(&paths, &[&format!("{{\"p\": {wrong}}}")]).inexact.len(), 1, "{wrong}");
    }
}

#[test]
fn what_is_declared_is_the_measure() {
    let numbers = json!({"amounts": ["$.p"], "numbers": true});
    let long = seen(&numbers, &[r#"{"p": 45283.123456789012}"#, r#"{"p": 1e-8}"#]);
    assert_eq!((long.inexact.len(), long.odd.len()), (0, 0));
    assert_eq!(kinds(&numbers, &[r#"{"p": "1.5"}"#]), [OddKind::Form]);
    assert_eq!(kinds(&json!({"amounts": ["$.p"], "numbers": false}), &[r#"{"p": 1.5}"#]), [OddKind::Form]);
    let differ = |payloads: Value| {
        let config = json!({"name": "s", "path": "/s", "payloads": payloads});
        let handshake = Handshake {
            id: ExchangeId(1),
            status: 101,
            headers: Headers::default(),
            key: String::new(),
            sent: Duration::ZERO,
            received: Duration::ZERO,
        };
        let config: Config = serde_json::from_value(config).unwrap();
        let mut observer = Observer::new(&config, &Conventions::default(), &handshake);
        let (answer, event) = (Scalar::Text("1.50".into()), Scalar::Number("1.5".into()));
        observer.compare(&[("$.q".into(), None)], &[Some(answer)], &[Some(event)]);
        observer.finish(ExchangeId(1)).forms.len()
    };
    assert_eq!((differ(json!({})), differ(json!({"numbers": true})), differ(json!({"numbers": false}))), (1, 0, 1));
}

#[test]
fn ids_and_currencies_can_be_read_by_everybody() {
    let paths = json!({"currencies": ["$.c"], "ids": ["$.o"]});
    let good =
        [r#"{"id": "01HX", "o": 9007199254740991, "c": "EUR"}"#, r#"{"o": "18446744073709551615", "c": "BTC-USD"}"#];
    assert_eq!(kinds(&paths, &good), []);
    assert_eq!(kinds(&paths, &[r#"{"id": 9007199254740992}"#]), [OddKind::Id]);
    assert_eq!(kinds(&paths, &[r#"{"c": "€"}"#]), [OddKind::Currency]);
    assert_eq!(kinds(&paths, &[r#"{"c": 978}"#]), [OddKind::Currency]);
}
