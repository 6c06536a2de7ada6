//! Markers that a request carries, and whether they come back.

use std::sync::LazyLock;

use regex::Regex;

use super::evidence::{Canary, Echo};
use crate::{
    exchange::{Reply, Request, Who},
    families::Session,
};

static MARKUP: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<fincheck-[0-9a-z]+>").expect("the pattern is written here"));

/// Card numbers of the card schemes' and processors' public test ranges: no real card, and no accident.
const TEST_CARDS: &[&str] = &[
    "4111111111111111",
    "4012888888881881",
    "4242424242424242",
    "4000056655665556",
    "5555555555554444",
    "5105105105105100",
    "5200828282828210",
    "2223003122003222",
    "378282246310005",
    "371449635398431",
    "6011111111111117",
    "6011000990139424",
    "30569309025904",
    "3530111333300000",
];

/// Header fields of a request that hold a credential.
const CREDENTIALS: &[&str] = &["authorization", "x-api-key", "x-signature", "x-auth-token", "api-key"];

/// Shorter credentials might occur in an answer by accident.
const SHORTEST: usize = 8;

/// Markup that no other request of any run contains.
pub(super) fn markup(random: u64) -> String {
    format!("<fincheck-{random:016x}>")
}

/// A bearer token that belongs to nobody and that no other request of any run carries.
pub(super) fn forged(session: &dyn Session) -> Who {
    Who::Forged(format!("fincheck-{:016x}{:016x}", session.random(), session.random()))
}

/// The markers of a request; `sent` is everything it said, decoded.
pub(super) fn canaries(request: &Request, sent: &str) -> Vec<(Canary, String)> {
    let mut found = Vec::new();
    if let Who::Forged(token) = &request.who {
        found.push((Canary::Credential, token.clone()));
    }
    for name in CREDENTIALS {
        for value in request.headers.all(name) {
            let secret = value.rsplit(' ').next().unwrap_or_default();
            found.push((Canary::Credential, secret.to_owned()));
        }
    }
    found.retain(|(_, secret)| secret.len() >= SHORTEST);
    let digits = digits(sent);
    found.extend(TEST_CARDS.iter().filter(|card| digits.contains(**card)).map(|c| (Canary::Card, (*c).to_owned())));
    found.extend(MARKUP.find_iter(sent).take(4).map(|m| (Canary::Markup, m.as_str().to_owned())));
    found
}

/// The markers that came back in full; markup only unescaped, and only in the body.
pub(super) fn echoes(canaries: &[(Canary, String)], reply: &Reply) -> Vec<Echo> {
    if canaries.is_empty() {
        return Vec::new();
    }
    let body = String::from_utf8_lossy(&reply.body);
    let mut found: Vec<Echo> = Vec::new();
    for (canary, text) in canaries {
        let holds = |place: &str| match canary {
            Canary::Card => digits(place).contains(text.as_str()),
            Canary::Credential | Canary::Markup => place.contains(text.as_str()),
        };
        let mut add = |place: &str| {
            let echo = Echo { canary: *canary, place: place.to_owned() };
            if !found.contains(&echo) {
                found.push(echo);
            }
        };
        if holds(&body) {
            add("body");
        }
        if *canary != Canary::Markup {
            reply.headers.iter().filter(|(_, value)| holds(value)).for_each(|(name, _)| add(name));
        }
    }
    found
}

/// The text with spaces and hyphens between digits left out, as card numbers are grouped with them.
fn digits(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = None;
    for c in text.chars() {
        let after_digit = out.ends_with(|last: char| last.is_ascii_digit());
        if matches!(c, ' ' | '-') && after_digit && gap.is_none() {
            gap = Some(c);
            continue;
        }
        if let Some(gap) = gap.take()
            && !c.is_ascii_digit()
        {
            out.push(gap);
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{super::testing::reply, *};

    fn get() -> Request {
        Request::new(Who::Anonymous, "GET", "/x")
    }

    #[test]
    fn credentials_cards_and_markup_are_taken_note_of() {
        let forged = Request::new(Who::Forged("fincheck-0123456789".into()), "GET", "/x");
        let request = forged.header("Authorization", "Bearer abcdefgh").header("X-Api-Key", "short");
        let found = canaries(&request, "card=4111 1111-1111 1111&q=<fincheck-0a>&p=1234567890123456");
        assert_eq!(
            found,
            [
                (Canary::Credential, "fincheck-0123456789".to_owned()),
                (Canary::Credential, "abcdefgh".to_owned()),
                (Canary::Card, "4111111111111111".to_owned()),
                (Canary::Markup, "<fincheck-0a>".to_owned()),
            ]
        );
        assert_eq!(canaries(&get(), "q=<b>"), []);
    }

    #[test]
    fn what_comes_back_in_full_is_an_echo_and_a_masked_card_is_none() {
        let markers = canaries(&get(), "4111111111111111 <fincheck-0a>");
        let back = |body: &str| echoes(&markers, &reply(400, "text/html", body));
        assert_eq!(back("4111 1111 1111 1111"), [Echo { canary: Canary::Card, place: "body".into() }]);
        assert_eq!(back("411111******1111 &lt;fincheck-0a&gt; \\u003cfincheck-0a\\u003e"), []);
        assert_eq!(back("<p><fincheck-0a></p>"), [Echo { canary: Canary::Markup, place: "body".into() }]);
    }

    #[test]
    fn a_credential_in_a_header_field_is_an_echo() {
        let request = Request::new(Who::Forged("fincheck-0123456789".into()), "GET", "/x");
        let mut reply = reply(401, "application/json", "{}");
        reply.headers.push("WWW-Authenticate", "Bearer error=\"unknown token fincheck-0123456789\"");
        let place = "www-authenticate".to_owned();
        assert_eq!(echoes(&canaries(&request, ""), &reply), [Echo { canary: Canary::Credential, place }]);
    }
}
