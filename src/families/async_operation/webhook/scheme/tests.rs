//! Recipes against published examples, or against values computed from the vendor's description with OpenSSL.

use bytes::Bytes;
use serde_json::json;

use super::*;
use crate::exchange::{Answer, ExchangeId};

fn scheme(description: serde_json::Value) -> Scheme {
    let own: Signature = serde_json::from_value(description).unwrap();
    Scheme::read(&own, "/signature").unwrap()
}

fn recipe(name: &str) -> Scheme {
    scheme(json!({ "recipe": name }))
}

fn delivery(body: &str, headers: &[(&str, &str)]) -> Delivery {
    Delivery {
        id: ExchangeId(1),
        method: "POST".into(),
        url: "https://hooks.example.com/square?a=b".parse().unwrap(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: Bytes::from(body.to_owned()),
        received: Duration::ZERO,
        clock: SystemTime::UNIX_EPOCH + Duration::from_secs(1_614_265_340),
        answered: Answer::status(200),
    }
}

fn judged(scheme: &Scheme, secret: &str, delivery: &Delivery) -> Sealed {
    scheme.judge(&scheme.key(secret).unwrap(), delivery, None)
}

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const BODY: &str = r#"{"test": 2432232314}"#;

fn standard(signature: &str) -> Delivery {
    let headers = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", signature),
    ];
    delivery(BODY, &headers)
}

/// The example of the Standard Webhooks specification.
const EXAMPLE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

/// The tag of a message, in base64.
fn tag(scheme: &Scheme, secret: &str, message: &[u8]) -> String {
    BASE64.encode(hmac::sign(&scheme.key(secret).unwrap(), message).as_ref())
}

#[test]
fn the_example_of_standard_webhooks_is_valid_and_covers_everything() {
    let sealed = judged(&recipe("standard-webhooks"), SECRET, &standard(EXAMPLE));
    let covered = vec![Part::Body, Part::Timestamp, Part::Id];
    assert_eq!(sealed.seal, Seal::Valid { covered, uncovered: vec![] });
    assert_eq!((sealed.timestamp.as_deref(), sealed.age_s), (Some("1614265330"), Some(10)));
}

#[test]
fn any_one_of_several_signatures_is_enough() {
    let scheme = recipe("standard-webhooks");
    let other = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    for several in [format!("{other} {EXAMPLE}"), format!("{EXAMPLE} {other} v1a,xyz"), format!("v1a,q {EXAMPLE}")] {
        assert!(matches!(judged(&scheme, SECRET, &standard(&several)).seal, Seal::Valid { .. }), "{several}");
    }
}

#[test]
fn what_is_not_valid_is_told_apart() {
    let scheme = recipe("standard-webhooks");
    let seal = |delivery: &Delivery| judged(&scheme, SECRET, delivery).seal;
    let mut unsigned = standard("");
    unsigned.headers.remove("webhook-signature");
    assert_eq!(seal(&unsigned), Seal::Missing("webhook-signature".into()));
    assert_eq!(seal(&standard("v2,abc")), Seal::Unreadable("webhook-signature".into()));
    assert_eq!(seal(&standard(&EXAMPLE.replace("g0h", "g1h"))), Seal::Invalid { instead: None });
    let mut changed = standard(EXAMPLE);
    changed.body = Bytes::from_static(b"{\"test\":2432232314}");
    assert_eq!(seal(&changed), Seal::Invalid { instead: None });
    let mut timeless = standard(EXAMPLE);
    timeless.headers.remove("webhook-timestamp");
    assert_eq!(seal(&timeless), Seal::Incomplete(vec![Part::Timestamp]));
}

#[test]
fn a_signature_over_less_than_declared_is_explained() {
    let scheme = recipe("standard-webhooks");
    for (message, parts) in [
        (BODY.to_owned(), vec![Part::Body]),
        (format!("1614265330.{BODY}"), vec![Part::Timestamp, Part::Body]),
        (format!("msg_p5jXN8AQM9LWM0D4loKWxJek.{BODY}"), vec![Part::Id, Part::Body]),
    ] {
        let signature = format!("v1,{}", tag(&scheme, SECRET, message.as_bytes()));
        assert_eq!(judged(&scheme, SECRET, &standard(&signature)).seal, Seal::Invalid { instead: Some(parts) });
    }
}

#[test]
fn what_is_sent_and_not_signed_is_uncovered() {
    let scheme = scheme(json!({
        "header": "X-Signature", "encoding": "base64", "message": "{body}", "timestamp_header": "X-Time", "id_header": "X-Id"
    }));
    let signature = tag(&scheme, "hush", BODY.as_bytes());
    let sent = delivery(BODY, &[("x-signature", &signature), ("x-time", "1614265330"), ("x-id", "e")]);
    let uncovered = vec![Part::Timestamp, Part::Id];
    assert_eq!(judged(&scheme, "hush", &sent).seal, Seal::Valid { covered: vec![Part::Body], uncovered });
}

#[test]
fn the_recipes_agree_with_openssl() {
    // printf '1614265330.{"test": 2432232314}' | openssl dgst -sha256 -hmac whsec_test
    let stripe = "t=1614265330,v1=98a6304ac7cd966786ee1b93ad76319d9cd63829827fa0f93cb3e367cf67086d,v0=00";
    let sealed = judged(&recipe("stripe"), "whsec_test", &delivery(BODY, &[("stripe-signature", stripe)]));
    assert_eq!(sealed.seal, Seal::Valid { covered: vec![Part::Body, Part::Timestamp], uncovered: vec![] });
    assert_eq!(sealed.age_s, Some(10));
    // printf 'https://hooks.example.com/square?a=b{"test": 2432232314}' | openssl dgst -sha256 -hmac key -binary | base64
    let square = delivery(BODY, &[("x-square-hmacsha256-signature", "F4Vo/i3ZkMwKYH0hCYTajEHkEEGwZRUqfweAVJuAyXI=")]);
    let sealed = judged(&recipe("square"), "key", &square);
    assert_eq!(sealed.seal, Seal::Valid { covered: vec![Part::Body], uncovered: vec![] });
    // printf '{"test": 2432232314}' | openssl dgst -sha256 -hmac key
    let gocardless = "ad1a616fa5d45e0552fd84752e21f775525a9caa345c9b14fa23d8435584f7e9";
    for written in [gocardless.to_owned(), gocardless.to_uppercase()] {
        let sealed = judged(&recipe("gocardless"), "key", &delivery(BODY, &[("webhook-signature", &written)]));
        assert!(matches!(sealed.seal, Seal::Valid { .. }), "{written}");
    }
    // printf '2021-02-25T15:02:10Z|n-1|w-1' | openssl dgst -sha512 -hmac key
    let moov = delivery(
        BODY,
        &[
            ("x-timestamp", "2021-02-25T15:02:10Z"),
            ("x-nonce", "n-1"),
            ("x-webhook-id", "w-1"),
            (
                "x-signature",
                "c5001132aed3c97e0a4fd05983f4a68393eb80d45130be153af52ff577e7757e50f427066985ec36de275c0d378df44feee55567728ad55e7003e8357b9be5c2",
            ),
        ],
    );
    let sealed = judged(&recipe("moov"), "key", &moov);
    let covered = vec![Part::Timestamp, Part::Id, Part::Nonce];
    assert_eq!(sealed.seal, Seal::Valid { covered, uncovered: vec![Part::Body] });
    assert_eq!(sealed.age_s, Some(10));
}

#[test]
fn descriptions_that_cannot_be_used_are_said_at_their_place() {
    let problems = |description: serde_json::Value| -> Vec<String> {
        let own: Signature = serde_json::from_value(description).unwrap();
        Scheme::read(&own, "/s").unwrap_err().into_iter().map(|problem| problem.at).collect()
    };
    assert_eq!(problems(json!({"recipe": "strpe"})), ["/s/recipe"]);
    assert_eq!(problems(json!({})), ["/s"]);
    let wrong = json!({"header": "a b", "form": "t={timestamp}", "message": "{bdy}", "id_header": ""});
    assert_eq!(problems(wrong), ["/s/header", "/s/id_header", "/s/form", "/s/message"]);
    assert_eq!(problems(json!({"header": "x", "form": "{timestamp}{signature}"})), ["/s/form"]);
    assert_eq!(problems(json!({"header": "x", "separator": ""})), ["/s/form"]);
    assert_eq!(problems(json!({"header": "x", "message": "all"})), ["/s/message"]);
    for recipe in RECIPES {
        assert!(Scheme::read(&Signature { recipe: Some(recipe.name.into()), ..Signature::default() }, "").is_ok());
    }
}

#[test]
fn secrets_are_read_as_they_are_written() {
    let read = |encoding: &str, secret: &str| {
        let scheme = scheme(json!({"header": "x", "secret_encoding": encoding, "secret_prefix": "k_"}));
        scheme.key(secret).map(|key| BASE64.encode(hmac::sign(&key, b"m").as_ref()))
    };
    let plain = read("utf8", "k_AB").unwrap();
    assert_eq!(read("hex", "4142").unwrap(), plain);
    assert_eq!(read("base64", "k_QUI=").unwrap(), plain);
    assert_eq!(read("base64", "QUI").unwrap(), plain);
    assert!(read("hex", "xyz").is_err() && read("base64", "*").is_err());
}

#[test]
fn instants_are_read_in_every_usual_form() {
    for text in ["1614265330", "1614265330123", "2021-02-25T16:02:10+01:00", "Thu, 25 Feb 2021 15:02:10 GMT"] {
        assert_eq!(instant(text), Some(1_614_265_330), "{text}");
    }
    assert_eq!(instant("yesterday"), None);
}

proptest::proptest! {
    #[test]
    fn no_field_trips_the_reader(field in "[ -~]{0,60}", body in "[ -~]{0,20}") {
        for name in ["standard-webhooks", "stripe", "gocardless"] {
            let scheme = recipe(name);
            let sent = delivery(&body, &[(&scheme.header.clone(), &field), ("webhook-id", &field), ("webhook-timestamp", &field)]);
            let valid = matches!(judged(&scheme, "QUI=", &sent).seal, Seal::Valid { .. });
            proptest::prop_assert!(!valid);
        }
    }
}
