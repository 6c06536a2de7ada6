//! fincheck held against software that nobody here wrote, whose behaviour is known from its own documentation.
//!
//! Each test starts one server, runs the built program against it with a suite of `suites/`, and compares what it says
//! with the `.expected.yaml` beside the suite: every verdict listed there must come out, and no other failure.
//!
//! It needs Python and Node and installs what it tests (`install`), and is therefore only done where
//! `FINCHECK_THIRD_PARTY=1` is set, as in `.ci/run`; there, a missing Python or Node is a failure.

mod expected;
mod program;
mod server;

use std::{io::Write, path::PathBuf};

use self::server::Software;

/// The folder of these tests.
fn folder() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "third_party"].iter().collect()
}

/// Runs a suite against the software, and compares the verdicts.
fn hold(software: Software, suite: &str) {
    if std::env::var_os("FINCHECK_THIRD_PARTY").is_none_or(|value| value != "1") {
        // Not by `eprintln!`, which the test harness keeps to itself when a test passes.
        let _ = writeln!(std::io::stderr(), "skipped: {suite} (set FINCHECK_THIRD_PARTY=1)");
        return;
    }
    server::install();
    if !software.is_installed() {
        let _ = writeln!(std::io::stderr(), "skipped: {suite} ({software:?} is not installed)");
        return;
    }
    let server = software.start();
    let findings = program::run(suite, &server.base_url());
    let differences = expected::of(suite).differences(&findings);
    assert!(differences.is_empty(), "{suite}:\n  {}\n{}", differences.join("\n  "), server.log());
}

#[test]
fn django_rest_framework_while_rows_are_written() {
    hold(Software::DjangoRestFramework, "drf");
}

#[test]
fn django_rest_framework_at_rest() {
    hold(Software::DjangoRestFramework, "drf-at-rest");
}

#[test]
fn errors_of_django_rest_framework() {
    hold(Software::DjangoRestFramework, "drf-errors");
}

#[test]
fn json_server_while_rows_are_written() {
    hold(Software::JsonServer, "json-server");
}

#[test]
fn errors_of_json_server() {
    hold(Software::JsonServer, "json-server-errors");
}

#[test]
fn localstripe_while_rows_are_written() {
    hold(Software::Localstripe, "localstripe");
}

#[test]
fn errors_of_localstripe() {
    hold(Software::Localstripe, "localstripe-errors");
}

#[test]
fn limiters_from_npm() {
    hold(Software::NodeLimiters, "limiters");
}

#[test]
fn throttling_of_django_rest_framework() {
    hold(Software::DjangoRestFramework, "drf-throttled");
}

#[test]
fn strategies_of_flask_limiter() {
    hold(Software::FlaskLimiter, "flask-limiter");
}

#[test]
fn nginx_as_a_gateway() {
    hold(Software::Nginx, "nginx");
}

#[test]
fn django_idempotency_key() {
    hold(Software::DjangoIdempotencyKey, "idempotency-key");
}

#[test]
fn idempotency_keys_of_localstripe() {
    hold(Software::Localstripe, "localstripe-idempotency");
}

#[test]
fn a_bank_that_speaks_iso_20022() {
    hold(Software::MockBank, "mock-bank");
}

#[test]
fn streams_of_websockets() {
    hold(Software::Websockets, "websockets-streams");
}

#[test]
fn streams_of_aiohttp() {
    hold(Software::Aiohttp, "aiohttp-streams");
}

#[test]
fn streams_of_ws_from_npm() {
    hold(Software::Ws, "ws-streams");
}

#[test]
fn streams_of_an_ethereum_node() {
    hold(Software::Anvil, "anvil");
}

#[test]
fn socket_io_with_recovery() {
    hold(Software::SocketIo, "socketio");
}

#[test]
fn socket_io_without_recovery() {
    hold(Software::SocketIoForgetful, "socketio-forgets");
}

#[test]
fn operations_of_sharedb() {
    hold(Software::ShareDb, "sharedb");
}
