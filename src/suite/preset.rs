//! Named conventions that come with fincheck; each a suite file that holds nothing but `conventions` and `limits`.

/// A preset: conventions of a standard or of one API.
#[derive(Debug)]
pub struct Preset {
    /// As a suite names it.
    pub name: &'static str,
    /// Its YAML text.
    pub text: &'static str,
}

/// Every preset there is.
pub static PRESETS: &[Preset] = &[
    Preset { name: "cdr", text: include_str!("../../suites/presets/cdr.yaml") },
    Preset { name: "google-aip", text: include_str!("../../suites/presets/google-aip.yaml") },
    Preset { name: "obie", text: include_str!("../../suites/presets/obie.yaml") },
    Preset { name: "problem-details", text: include_str!("../../suites/presets/problem-details.yaml") },
    Preset { name: "stripe", text: include_str!("../../suites/presets/stripe.yaml") },
];
