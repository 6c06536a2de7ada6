//! Suites good and broken, with families made for the purpose.

mod broken;
mod families;
mod good;
mod hostile;
mod inherited;

use super::{Options, Report, Suite, load_text};

/// Options with a small environment.
pub(super) fn options(environment: &dyn Fn(&str) -> Option<String>) -> Options<'_> {
    Options { environment, env_file: &[], vars: &[], target: None, families: families::FAMILIES }
}

/// The environment of most tests.
pub(super) fn environment(name: &str) -> Option<String> {
    match name {
        "TOKEN" => Some("t0k-12345".into()),
        "NUMBER" => Some("42".into()),
        "DIGITS" => Some("0042".into()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

pub(super) fn load(text: &str) -> Result<Suite, Report> {
    load_text("suite.yaml", text, &options(&environment))
}

/// A suite with what every suite needs, and more keys.
pub(super) fn with(more: &str) -> String {
    format!("fincheck: 1\nname: x\ntarget: {{ base_url: \"http://127.0.0.1\" }}\n{more}\n")
}

/// The messages of a suite that must be refused.
pub(super) fn refused(text: &str) -> Vec<String> {
    let report = load(text).expect_err("the suite is refused");
    report.diagnostics.into_iter().map(|d| format!("{}:{} {}", d.line, d.column, d.message)).collect()
}
