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
/// So many characters of a secret's beginning or end give it away: texts get cut, and cursors get changed.
const TELLING: usize = 8;

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

    /// The text with every known secret replaced, and every piece of one that is long enough to tell.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for (secret, replacement) in &self.secrets {
            if text.contains(secret.as_str()) {
                text = Cow::Owned(text.replace(secret.as_str(), replacement));
            }
        }
        for (secret, replacement) in &self.secrets {
            if let Some(without) = without_pieces(&text, secret, replacement) {
                text = Cow::Owned(without);
            }
        }
        text
    }
}

/// The text without what it holds of a secret's beginning and of its end; nothing if it holds neither.
fn without_pieces(text: &str, secret: &str, replacement: &str) -> Option<String> {
    let (head_end, _) = secret.char_indices().nth(TELLING)?;
    let (tail_start, _) = secret.char_indices().rev().nth(TELLING - 1)?;
    let mark = format!("{}, in part]", replacement.trim_end_matches(']'));
    let (mut kept, mut rest) = (String::new(), text);
    loop {
        let head = rest.find(&secret[..head_end]).map(|at| (at, at + alike(rest[at..].chars(), secret.chars())));
        let tail = rest.find(&secret[tail_start..]).map(|at| {
            let end = at + secret.len() - tail_start;
            (end - alike(rest[..end].chars().rev(), secret.chars().rev()), end)
        });
        let Some((start, end)) = head.into_iter().chain(tail).min() else { break };
        kept.push_str(&rest[..start]);
        kept.push_str(&mark);
        rest = &rest[end..];
    }
    (rest.len() < text.len()).then(|| kept + rest)
}

/// How many bytes two texts begin with alike.
fn alike(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).map(|(one, _)| one.len_utf8()).sum()
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
    fn a_secret_that_was_cut_or_changed_is_replaced_as_far_as_it_goes() {
        let mut redactor = Redactor::new(b"run");
        redactor.add("hush-0123456789-äöü");
        let mark = redactor.fingerprint("hush-0123456789-äöü").replace(']', ", in part]");
        for (text, expected) in [
            ("cut hush-0123…", format!("cut {mark}…")),
            ("…456789-äöü cut", format!("…{mark} cut")),
            ("changed hush-0123X56789-äöü twice hush-0123", format!("changed {mark}X{mark} twice {mark}")),
            ("too little to tell: hush-01", "too little to tell: hush-01".to_owned()),
        ] {
            assert_eq!(redactor.redact(text), expected);
        }
    }

    #[test]
    fn marks_differ_between_runs() {
        assert_ne!(Redactor::new(b"one").fingerprint("x"), Redactor::new(b"two").fingerprint("x"));
    }
}
