//! Replaces secrets before anything is written.

use std::borrow::Cow;

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;

/// Replaces known secrets by a keyed fingerprint: equal secrets look equal within one run and cannot be recovered.
pub struct Redactor {
    /// Secret text and its replacement, longest first so that a secret inside another is not split.
    secrets: Vec<(String, String)>,
    key: hmac::Key,
}

/// Shorter values are not replaced: they would blank out half of every message and protect nothing.
const SHORTEST: usize = 4;

impl Redactor {
    /// A redactor keyed for this run.
    pub fn new(key: &[u8]) -> Self {
        Self { secrets: Vec::new(), key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// Takes note of a secret, also in the percent-encoded and JSON-escaped spellings it may be echoed in.
    pub fn add(&mut self, secret: &str) {
        let replacement = self.fingerprint(secret);
        let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        let quoted = serde_json::Value::from(secret).to_string();
        let escaped = quoted[1..quoted.len() - 1].to_owned();
        for spelling in [secret.to_owned(), encoded, escaped] {
            if spelling.len() >= SHORTEST && !self.secrets.iter().any(|(known, _)| *known == spelling) {
                self.secrets.push((spelling, replacement.clone()));
            }
        }
        self.secrets.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
    }

    /// The text that stands for a secret.
    pub fn fingerprint(&self, secret: &str) -> String {
        let tag = hmac::sign(&self.key, secret.as_bytes());
        format!("[secret:{}]", HEXLOWER.encode(&tag.as_ref()[..4]))
    }

    /// The text with every known secret replaced.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for (secret, replacement) in &self.secrets {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), replacement));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_secret_is_replaced_by_the_same_mark() {
        let mut redactor = Redactor::new(b"run");
        redactor.add("pa ss\"word");
        let mark = redactor.fingerprint("pa ss\"word");
        let text = r#"raw pa ss"word form pa+ss%22word json pa ss\"word"#;
        assert_eq!(redactor.redact(text), format!("raw {mark} form {mark} json {mark}"));
    }

    #[test]
    fn a_secret_inside_a_longer_one_does_not_split_it() {
        let mut redactor = Redactor::new(b"run");
        redactor.add("token");
        redactor.add("token-and-more");
        assert_eq!(redactor.redact("token-and-more"), redactor.fingerprint("token-and-more"));
    }

    #[test]
    fn marks_differ_between_runs() {
        assert_ne!(Redactor::new(b"one").fingerprint("x"), Redactor::new(b"two").fingerprint("x"));
    }
}
