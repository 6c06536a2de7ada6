//! Odd keys: none, empty, malformed, long, and pairs that differ at the end only.

use futures_util::future::{join, join_all};

use super::{
    super::evidence::{Answer, KeyKind, KeyTry, Twin},
    desk::{Desk, Seed, Sent, quoted},
};
use crate::families::PlannedCheck;

/// The step of a plan that sends octets outside ASCII; it is taken only where the plan has it.
pub(in super::super) const NOT_ASCII: &str = "send a key with an octet outside ASCII";
/// How many characters at the end of a usual key differ between two.
const TAIL: usize = 4;

/// Sends requests with odd keys.
pub(super) async fn keys(desk: &Desk<'_>, plan: &PlannedCheck) -> Vec<KeyTry> {
    let spec = &desk.config.key;
    let mut single = Vec::new();
    if spec.required {
        single.push(KeyKind::Missing);
    }
    single.extend([KeyKind::Empty, KeyKind::Space]);
    if spec.field().is_none() {
        single.push(KeyKind::Control);
    } else if plan.steps.iter().any(|(step, _)| step == NOT_ASCII) {
        single.push(KeyKind::NotAscii);
    }
    let mut pairs = vec![KeyKind::Usual];
    if spec.max_length.is_some() {
        pairs.extend([KeyKind::Longest, KeyKind::TooLong]);
    }
    let form = async { if spec.field().is_some() { other_form(desk).await } else { None } };
    let single = join_all(single.into_iter().map(|kind| odd(desk, kind)));
    let pairs = join_all(pairs.into_iter().map(|kind| pair(desk, kind)));
    let ((single, pairs), form) = join(join(single, pairs), form).await;
    single.into_iter().chain(pairs).flatten().chain(form).collect()
}

/// A request with one odd key.
async fn odd(desk: &Desk<'_>, kind: KeyKind) -> Option<KeyTry> {
    let op = desk.own();
    let seed = desk.fresh().ok()?;
    let key = match kind {
        KeyKind::Space => inserted(&seed.key, " "),
        KeyKind::Control => inserted(&seed.key, "\u{1}"),
        KeyKind::NotAscii => inserted(&seed.key, "\u{e9}"),
        _ => String::new(),
    };
    let sent = match kind {
        KeyKind::Missing => Sent::Not,
        // An empty field, not an empty quoted string.
        KeyKind::Empty => Sent::Verbatim(&key),
        _ => Sent::Usual(&key),
    };
    let request = desk.request(op, &seed, sent, kind.told()).ok()?;
    let before = desk.count(op, &seed.reference).await;
    let answer = desk.ask(&request, op.id).await.answer;
    let after = desk.at_rest(op, &seed.reference, answer.is_success()).await;
    Some(KeyTry { kind, length: key.chars().count(), before, answer, again: None, after, twin: None })
}

fn inserted(key: &str, odd: &str) -> String {
    let middle = key.char_indices().nth(key.chars().count() / 2).map_or(0, |(at, _)| at);
    format!("{}{odd}{}", &key[..middle], &key[middle..])
}

/// Two requests whose keys differ at the end only.
async fn pair(desk: &Desk<'_>, kind: KeyKind) -> Option<KeyTry> {
    let op = desk.own();
    let (seed, other) = (desk.fresh().ok()?, desk.fresh().ok()?);
    let length = match kind {
        KeyKind::Longest => desk.config.key.max_length?,
        KeyKind::TooLong => desk.config.key.max_length? + 1,
        _ => seed.key.chars().count(),
    };
    let key = stretched(&seed, length);
    let twin_key = twin_of(&key, if kind == KeyKind::Usual { TAIL } else { 1 });
    let request = desk.request(op, &seed, Sent::Usual(&key), kind.told()).ok()?;
    let before = desk.count(op, &seed.reference).await;
    let answer = desk.ask(&request, op.id).await.answer;
    let mut again = None;
    if kind == KeyKind::TooLong && answer.is_success() {
        desk.space().await;
        again = Some(desk.settle(&request, op.id).await.answer);
    }
    let mut twin = None;
    if answer.is_success() {
        let request = desk.request(op, &other, Sent::Usual(&twin_key), "a key with the same beginning").ok()?;
        let before = desk.count(op, &other.reference).await;
        let answer = desk.settle(&request, op.id).await.answer;
        let mut apart: Option<Answer> = None;
        if answer.is_refusal() {
            let key = stretched(&desk.fresh().ok()?, length);
            let request = desk.request(op, &other, Sent::Usual(&key), "the same with quite another key").ok()?;
            apart = Some(desk.settle(&request, op.id).await.answer);
        }
        let owed = answer.is_success() || apart.as_ref().is_some_and(Answer::is_success);
        let after = desk.at_rest(op, &other.reference, owed).await;
        twin = Some(Twin { before, answer, after, apart });
    }
    let owed = answer.is_success() && twin.is_none();
    let after = if owed || twin.is_none() {
        desk.at_rest(op, &seed.reference, owed).await
    } else {
        desk.count(op, &seed.reference).await
    };
    Some(KeyTry { kind, length, before, answer, again, after, twin })
}

/// A key of just this length: cut, or filled up with characters of its own kind.
fn stretched(seed: &Seed, length: usize) -> String {
    let digits = seed.key.chars().filter(char::is_ascii_hexdigit).collect::<Vec<_>>();
    let digits = if digits.is_empty() { vec!['0'] } else { digits };
    seed.key.chars().chain(digits.into_iter().cycle()).take(length).collect()
}

/// The key with its last characters turned into others.
fn twin_of(key: &str, tail: usize) -> String {
    let count = key.chars().count();
    let turned = |c: char| if c == '0' { '1' } else { '0' };
    key.chars().enumerate().map(|(at, c)| if at + tail >= count { turned(c) } else { c }).collect()
}

/// A request repeated with its key in the other written form.
async fn other_form(desk: &Desk<'_>) -> Option<KeyTry> {
    let op = desk.own();
    let seed = desk.fresh().ok()?;
    let request = desk.request(op, &seed, Sent::Usual(&seed.key), "a key in its usual form").ok()?;
    let text = if desk.config.key.quoted { seed.key.clone() } else { quoted(&seed.key) };
    let other = desk.request(op, &seed, Sent::Verbatim(&text), KeyKind::OtherForm.told()).ok()?;
    let before = desk.count(op, &seed.reference).await;
    let answer = desk.ask(&request, op.id).await.answer;
    desk.space().await;
    let again = desk.settle(&other, op.id).await.answer;
    let after = desk.at_rest(op, &seed.reference, answer.is_success()).await;
    let length = seed.key.chars().count();
    Some(KeyTry { kind: KeyKind::OtherForm, length, before, answer, again: Some(again), after, twin: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_twin_differs_in_its_last_characters_only() {
        assert_eq!(twin_of("0a1b-00ff", 4), "0a1b-1100");
        assert_eq!(twin_of("abcz", 1), "abc0");
        assert_ne!(twin_of("00000", 1), "00000");
    }
}
