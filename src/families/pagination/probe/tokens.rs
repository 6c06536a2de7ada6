//! Cursors used twice, made up, or sent by others.

use super::{Ask, At, Probe, Walker, Watching, walker::moving_parameter};
use crate::{
    exchange::Who,
    families::pagination::evidence::{Answer, BadToken, BadTokenKind, Foreign, RepeatedPage, Spelling},
};

/// A cursor of the listing and how to send another in its place.
struct Specimen {
    text: String,
    /// Set where the cursor is a parameter of a URL: the URL and the parameter.
    within: Option<(url::Url, String)>,
}

impl Specimen {
    fn replaced_by(&self, text: &str) -> At {
        let Some((url, parameter)) = &self.within else { return At::Token(text.to_owned()) };
        let mut changed = url.clone();
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(name, value)| {
                let value = if name == parameter.as_str() { text.to_owned() } else { value.into_owned() };
                (name.into_owned(), value)
            })
            .collect();
        changed.query_pairs_mut().clear().extend_pairs(pairs);
        At::Url(changed.into())
    }
}

impl Probe<'_> {
    /// The second and the third page, each asked for twice with the same cursor.
    pub(super) async fn repeated_pages(&mut self) {
        if self.listing.spelling().is_counted() || self.config.single_use || !self.wants(&["PAG-011"]) {
            return;
        }
        let ask = Ask::start("walk before a page is asked for twice").size(self.small());
        let mut walker = Walker::new(self.listing, ask.clone(), &Watching::default(), 3);
        for _ in 0..2 {
            if !walker.step(&mut self.names).await {
                break;
            }
            let Some(next) = walker.next().cloned() else { break };
            let ask = Ask { purpose: "the same page twice", ..ask.clone() }.at(next);
            let first = self.listing.answer("a page", &ask).await;
            let second = self.listing.answer("the same page", &ask).await;
            self.evidence.repeated_pages.push(RepeatedPage { first, second });
        }
    }

    /// Cursors that the target never issued.
    pub(super) async fn bad_tokens(&mut self) {
        if !self.wants(&["PAG-012", "PAG-015"]) {
            return;
        }
        if self.listing.spelling().is_counted() {
            self.bad_numbers().await;
            return;
        }
        let Some(specimen) = self.specimen().await else { return };
        let number = specimen.text.bytes().all(|b| b.is_ascii_digit());
        let by_value = number && (self.listing.spelling() == Spelling::LastId || specimen.within.is_some());
        let random = format!("{:016x}{:016x}zZ", self.session.random(), self.session.random());
        let mut made = vec![
            (BadTokenKind::Random, random),
            (BadTokenKind::Long, "A".repeat(8_192)),
            (BadTokenKind::Empty, String::new()),
        ];
        // A number edited is another number, which may well be the id of another row.
        if !by_value {
            let half: String = specimen.text.chars().take(specimen.text.chars().count() / 2).collect();
            let cut = (!half.is_empty()).then_some((BadTokenKind::Truncated, half));
            made.splice(0..0, std::iter::once((BadTokenKind::Edited, edited(&specimen.text))).chain(cut));
        } else if specimen.within.is_some() {
            made.extend(["-1", "abc", "0"].map(|text| (BadTokenKind::NoNumber, text.to_owned())));
        }
        for (made, text) in made {
            let ask = Ask::start("a cursor never issued").size(self.small()).at(specimen.replaced_by(&text));
            let answer = self.listing.answer(format!("cursor {}", shown(&text)), &ask).await;
            self.evidence.bad_tokens.push(BadToken { made, answer });
        }
    }

    async fn bad_numbers(&mut self) {
        let first = self.config.page.as_ref().map_or(0, |page| page.first);
        let mut values = vec!["-1", "abc"];
        if first > 0 {
            values.push("0");
        }
        let parameter = self.config.token_parameter().unwrap_or_default().to_owned();
        for value in values {
            let ask = Ask::start("a page that is none").size(self.small()).at(At::Token(value.into()));
            let answer = self.listing.answer(format!("{parameter}={value}"), &ask).await;
            self.evidence.bad_tokens.push(BadToken { made: BadTokenKind::NoNumber, answer });
        }
    }

    async fn specimen(&mut self) -> Option<Specimen> {
        let ask = Ask::start("first page, for its cursor").size(self.small());
        let mut walker = Walker::new(self.listing, ask, &Watching::default(), 2);
        walker.step(&mut self.names).await;
        match walker.next()? {
            At::Token(text) => Some(Specimen { text: text.clone(), within: None }),
            At::Url(url) => {
                let (_, reply) = walker.first_reply()?;
                let (parameter, text) = moving_parameter(&reply.url, url, self.listing)?;
                Some(Specimen { text, within: Some((url.parse().ok()?, parameter)) })
            }
            At::Start | At::Bare => None,
        }
    }

    /// A cursor sent by another client and by nobody, each with a control without it.
    pub(super) async fn foreign_tokens(&mut self) {
        let Who::Client(owner) = self.listing.who.clone() else { return };
        if self.listing.spelling().is_counted() || self.config.shared || !self.wants(&["PAG-014"]) {
            return;
        }
        let ask = Ask::start("the owner's page, for its cursor").size(self.small());
        let Some((cursor, first_page)) = self.fresh_token(ask.clone()).await else { return };
        let behind = self.listing.answer("the owner, with the cursor", &ask.clone().at(cursor.clone())).await;
        let mut rows = first_page;
        rows.extend(behind.rows().unwrap_or_default());
        let asked = |who: Who, at: At| Ask { purpose: "another's cursor", ..ask.clone() }.at(at).who(who);
        let (mut control, mut other) = (None, None);
        if let Some(name) = self.config.other_client.clone() {
            let who = || Who::named(Some(&name));
            control = Some(self.listing.answer(format!("{name}, without the cursor"), &asked(who(), At::Start)).await);
            other = Some(self.listing.answer(format!("{name}, with the cursor"), &asked(who(), cursor.clone())).await);
        }
        let anonymous_control: Option<Answer> =
            Some(self.listing.answer("nobody, without the cursor", &asked(Who::Anonymous, At::Start)).await);
        let anonymous = Some(self.listing.answer("nobody, with the cursor", &asked(Who::Anonymous, cursor)).await);
        self.evidence.foreign = Some(Foreign { owner, owned: rows, control, other, anonymous_control, anonymous });
    }
}

/// A cursor as a report shows it.
fn shown(text: &str) -> String {
    const SHOWN: usize = 24;
    let length = text.chars().count();
    let begin: String = text.chars().take(SHOWN).collect();
    if length > SHOWN { format!("`{begin}…` ({length} characters)") } else { format!("`{begin}`") }
}

/// The text with one character in its middle replaced by another of the same kind. The middle, because the last
/// characters of a base64 text may hold bits that mean nothing.
fn edited(text: &str) -> String {
    let middle = text.chars().count() / 2;
    text.chars()
        .enumerate()
        .map(|(at, c)| match c {
            _ if at != middle => c,
            '0'..='8' | 'a'..='y' | 'A'..='Y' => char::from_u32(u32::from(c) + 1).unwrap_or('x'),
            '9' => '0',
            'z' => 'a',
            'Z' => 'A',
            _ => 'x',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{edited, shown};

    #[test]
    fn a_long_cursor_is_shown_to_be_cut() {
        assert_eq!(shown("abc"), "`abc`");
        assert_eq!(shown(&"A".repeat(8192)), format!("`{}…` (8192 characters)", "A".repeat(24)));
    }

    #[test]
    fn an_edited_cursor_differs_in_one_character_of_the_same_kind() {
        for (text, expected) in [("abcde", "abdde"), ("129", "139"), ("z", "a"), ("a=b", "axb"), ("", "")] {
            assert_eq!(edited(text), expected);
        }
    }
}
