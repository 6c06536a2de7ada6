//! The `Idempotency-Key` header.

use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Item, Parser};

use crate::reference::{
    behaviour::Behaviour,
    defects::idempotency::{EMPTY_KEY_500, KEY_OPTIONAL, TRUNCATES_KEY},
    problem::{Fault, Problem},
};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Most characters of a key.
const LONGEST: usize = 64;
/// How many of them a defect looks at.
const LOOKED_AT: usize = 32;

/// A key: 1 to 64 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(in crate::reference) struct Key(Box<str>);

/// The key of a request; none only where a defect does without.
pub(in crate::reference) fn read(headers: &HeaderMap, is: &Behaviour) -> Result<Option<Key>, Problem> {
    let mut sent = headers.get_all(HEADER).iter();
    let Some(first) = sent.next() else {
        if is.has(KEY_OPTIONAL) {
            return Ok(None);
        }
        let detail = "send an Idempotency-Key header, new for each payment and the same when repeating one";
        return Err(Problem::new(Fault::IdempotencyKeyRequired, detail));
    };
    if first.is_empty() && is.has(EMPTY_KEY_500) {
        return Err(Problem::new(Fault::Internal, "the request failed unexpectedly"));
    }
    let single = sent.next().is_none();
    let Some(mut key) = parse(first.as_bytes()).filter(|_| single) else {
        let detail = "an Idempotency-Key is one token or quoted string of 1 to 64 visible ASCII characters";
        return Err(Problem::new(Fault::IdempotencyKeyInvalid, detail));
    };
    if is.has(TRUNCATES_KEY) {
        // Visible ASCII: every octet is a character.
        key.truncate(LOOKED_AT);
    }
    Ok(Some(Key(key.into())))
}

/// Reads a String of RFC 9651 §3.3.3, as the draft has it, or the bare token that most callers send.
fn parse(value: &[u8]) -> Option<String> {
    let text = if value.first() == Some(&b'"') {
        let Ok(Item { bare_item: BareItem::String(text), .. }) = Parser::new(value).parse_item() else { return None };
        text.as_str().to_owned()
    } else {
        String::from_utf8(value.to_vec()).ok()?
    };
    let fits = (1..=LONGEST).contains(&text.len()) && text.bytes().all(|octet| octet.is_ascii_graphic());
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_key_is_read_bare_or_quoted() {
        for (sent, key) in [
            ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
            ("\"8e03978e-40d5\"", "8e03978e-40d5"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
            ("a", "a"),
            ("a\"b", "a\"b"),
        ] {
            assert_eq!(parse(sent.as_bytes()).as_deref(), Some(key), "{sent}");
        }
        let longest = "k".repeat(64);
        assert_eq!(parse(longest.as_bytes()), Some(longest.clone()));
        assert_eq!(parse(format!("\"{longest}\"").as_bytes()), Some(longest));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = "k".repeat(65);
        for sent in ["", "\"\"", "\"open", "\"a\" b", "two words", "tab\there", "\"two words\"", "caf\u{e9}", &long] {
            assert_eq!(parse(sent.as_bytes()), None, "{sent}");
        }
        assert_eq!(parse(b"\xff"), None);
    }
}
