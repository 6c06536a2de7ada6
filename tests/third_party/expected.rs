//! The verdicts that must come out: `suites/NAME.expected.yaml`.

use std::{collections::BTreeMap, fs};

use serde::Deserialize;

use crate::{folder, program::Finding};

/// Verdicts by check and rule.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Expected(BTreeMap<String, BTreeMap<String, Verdict>>);

/// One verdict: `pass`, or with its severity `fail minor`, or with words that the finding must hold; `fail or inconclusive`
/// where what is seen depends on the moment.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Verdict {
    Plain(String),
    Saying { verdict: String, says: String },
}

/// What a suite's software must be told.
pub(crate) fn of(suite: &str) -> Expected {
    let file = folder().join("suites").join(format!("{suite}.expected.yaml"));
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

impl Expected {
    /// Every verdict that is another than listed, and every failure that is not listed.
    pub(crate) fn differences(&self, findings: &[Finding]) -> Vec<String> {
        let mut differences = Vec::new();
        for (check, rules) in &self.0 {
            for (rule, expected) in rules {
                let found = findings.iter().find(|finding| finding.check == *check && finding.rule == *rule);
                let got = found.map_or_else(|| "not judged".to_owned(), told);
                if !found.is_some_and(|finding| expected.is_met_by(finding)) {
                    differences.push(format!("{rule} {check}: expected {expected:?}, got {got}"));
                }
            }
        }
        let listed =
            |finding: &Finding| self.0.get(&finding.check).is_some_and(|rules| rules.contains_key(&finding.rule));
        let unlisted = findings.iter().filter(|finding| finding.verdict == "fail" && !listed(finding));
        differences.extend(
            unlisted.map(|finding| format!("{} {}: not listed: {}", finding.rule, finding.check, told(finding))),
        );
        differences
    }
}

impl Verdict {
    fn is_met_by(&self, finding: &Finding) -> bool {
        let (words, says) = match self {
            Self::Plain(words) => (words, None),
            Self::Saying { verdict, says } => (verdict, Some(says)),
        };
        let is = |words: &str| {
            let (verdict, severity) = words.split_once(' ').map_or((words, None), |(v, s)| (v, Some(s)));
            finding.verdict == verdict && severity.is_none_or(|severity| finding.severity == severity)
        };
        words.split(" or ").any(is) && says.is_none_or(|says| told(finding).contains(says.as_str()))
    }
}

/// A finding in one line.
fn told(finding: &Finding) -> String {
    let Finding { verdict, severity, message, actual, details, .. } = finding;
    let actual = actual.as_deref().unwrap_or_default();
    format!("{verdict} {severity}: {message}; {actual}; {}", details.join("; "))
}

#[test]
fn another_verdict_severity_or_word_and_an_unlisted_failure_are_differences() {
    let expected: Expected = serde_yaml::from_str(
        "orders: { A: pass, B: fail minor or inconclusive, C: { verdict: fail, says: twice } }\nrefunds: { A: pass }",
    )
    .unwrap();
    let finding = |rule: &str, check: &str, verdict: &str, message: &str| Finding {
        rule: rule.into(),
        check: check.into(),
        verdict: verdict.into(),
        severity: "minor".into(),
        message: message.into(),
        actual: None,
        details: Vec::new(),
    };
    let good = [("A", "orders", "pass", ""), ("B", "orders", "fail", ""), ("C", "orders", "fail", "row came twice")];
    let differences = |findings: &[(&str, &str, &str, &str)]| {
        let findings = findings.iter().map(|(rule, check, verdict, message)| finding(rule, check, verdict, message));
        expected.differences(&findings.collect::<Vec<_>>()).len()
    };
    let with = |more: &[(&'static str, &'static str, &'static str, &'static str)]| [&good, more].concat();
    assert_eq!(differences(&good), 1, "refunds were not judged");
    assert_eq!(differences(&with(&[("A", "refunds", "pass", "")])), 0);
    assert_eq!(differences(&with(&[("A", "refunds", "fail", "")])), 1);
    assert_eq!(differences(&with(&[("A", "refunds", "pass", ""), ("B", "refunds", "fail", "")])), 1, "not listed");
    assert_eq!(differences(&[good[0], good[1], ("C", "orders", "fail", "lost"), ("A", "refunds", "pass", "")]), 1);
}
