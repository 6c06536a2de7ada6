//! What a cursor gives away: PAG-015.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};

use super::{count, counts, on, reference, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::evidence::{Evidence, Spelling, TokenSample},
    },
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const PAG_015: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-015",
        slug: "transparent-cursor",
        family: "pagination",
        title: "A cursor is opaque",
        sent: "Nothing of its own: cursors of the walks are read as numbers, base64, base64url, hexadecimal.",
        requirement: "A cursor is no bare number and holds no readable offset or page number, which clients would come \
                      to compute with.",
        not_applicable: "Pages are numbered, or the cursor is the id of a row by design.",
        severity: Severity::Minor,
        strength: Strength::Normative,
        source: "AIP-158 (page tokens must be opaque); Zalando RESTful API Guidelines rule 160",
        remedy: "Encrypt or sign the cursor; base64 of readable text is not enough.",
        defects: &["pagination.plain-offset-cursor"],
    },
    judge: |evidence| on(evidence, opaque),
};

fn opaque(evidence: &Evidence) -> Judgement {
    let Some((walk, _)) = reference(evidence) else { return unseen(evidence, "the listing was not walked") };
    if evidence.declared.spelling == Spelling::LastId
        || counts(evidence) && evidence.declared.spelling != Spelling::Cursor
    {
        return Judgement::not_applicable("the listing is paged by number or by the id of a row");
    }
    let tokens: Vec<_> = walk.tokens.iter().chain(evidence.sized.iter().flat_map(|walk| &walk.tokens)).collect();
    let Some(first) = tokens.first() else {
        return unseen(evidence, "the listing has no second page, so that there is no cursor");
    };
    if tokens.iter().all(|token| token.is_last_id) {
        return Judgement::not_applicable("the cursor is the id of the last row");
    }
    let carried_by = walk.pages.get(first.page).map(|page| page.exchange);
    let shown: String = first.text.chars().take(60).collect();
    let walks = || std::iter::once(walk).chain(&evidence.sized);
    let bare = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if tokens.iter().all(|token| bare(&token.text)) && !walks().any(|walk| scattered(&walk.tokens)) {
        return Judgement::fail("the cursor is a bare number")
            .expected("text that tells a client nothing")
            .actual(format!("`{shown}`"))
            .cite(carried_by);
    }
    let readable: Vec<String> = tokens.iter().filter_map(|token| readable(&token.text)).collect();
    if readable.len() == tokens.len()
        && let Some(text) = readable.first()
    {
        let shown = format!("`{shown}` reads `{}`", text.chars().take(80).collect::<String>());
        if readable.iter().all(|text| holds_position(text)) {
            return Judgement::fail("the cursor holds a readable offset or page number")
                .expected("text that tells a client nothing")
                .actual(shown)
                .cite(carried_by);
        }
        if text.trim_start().starts_with(['{', '[']) {
            return Judgement::fail("the cursor is readable JSON")
                .severity(Severity::Info)
                .expected("text that tells a client nothing")
                .actual(shown)
                .cite(carried_by);
        }
        return Judgement::pass("the cursor holds no offset or page number").detail(format!("it can be read: {shown}"));
    }
    Judgement::pass(format!("{} looked at, none of them readable", count(tokens.len(), "cursor"))).cite(carried_by)
}

/// Whether cursors are long numbers that neither grow nor shrink from page to page: nobody can compute with those.
fn scattered(tokens: &[TokenSample]) -> bool {
    let numbers: Vec<u128> = tokens.iter().map_while(|token| token.text.parse().ok()).collect();
    let steady = numbers.is_sorted() || numbers.iter().rev().is_sorted();
    numbers.len() == tokens.len() && !steady && tokens.iter().all(|token| token.text.len() >= 12)
}

/// The printable text that a cursor decodes to, if it does.
fn readable(token: &str) -> Option<String> {
    type Decoder = fn(&[u8]) -> Option<Vec<u8>>;
    let decoders: [Decoder; 5] = [
        |text| BASE64URL_NOPAD.decode(text).ok(),
        |text| BASE64URL.decode(text).ok(),
        |text| BASE64.decode(text).ok(),
        |text| BASE64_NOPAD.decode(text).ok(),
        |text| HEXLOWER_PERMISSIVE.decode(text).ok(),
    ];
    decoders.iter().find_map(|decode| {
        let text = String::from_utf8(decode(token.as_bytes())?).ok()?;
        let printable = text.chars().all(|c| !c.is_control()) && text.chars().count() >= 2;
        printable.then_some(text)
    })
}

/// Whether readable text is a number, or names an offset or a page.
fn holds_position(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let number = !lower.is_empty() && lower.bytes().all(|b| b.is_ascii_digit());
    let names = ["offset", "skip", "page"];
    number || names.iter().any(|name| lower.contains(name) && lower.bytes().any(|b| b.is_ascii_digit()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::{
        families::pagination::{
            evidence::{Declared, Walk},
            rules::damage::tests::walk,
        },
        rule::Verdict,
    };

    /// A walk whose pages carried these cursors.
    pub(in crate::families::pagination::rules) fn tokens(texts: &[&str]) -> Evidence {
        let tokens = texts
            .iter()
            .enumerate()
            .map(|(page, text)| TokenSample { page, text: (*text).into(), is_last_id: false })
            .collect();
        Evidence { quiet: vec![Walk { tokens, ..walk(&[&[1], &[2], &[3]]) }], ..Evidence::default() }
    }

    #[test]
    fn long_numbers_that_neither_grow_nor_shrink_are_opaque() {
        let scattered = ["00044395283613402096", "90010000000000000001", "10010000000000000001"];
        assert_eq!(opaque(&tokens(&scattered)).verdict, Verdict::Pass);
        let growing = ["100000000000", "100000000020", "100000000040"];
        assert_eq!(opaque(&tokens(&growing)).verdict, Verdict::Fail);
        assert_eq!(opaque(&tokens(&["20", "7", "9"])).verdict, Verdict::Fail);
    }

    #[test]
    fn numbers_and_readable_offsets_are_not_opaque() {
        assert_eq!(opaque(&tokens(&["25", "50"])).verdict, Verdict::Fail);
        assert_eq!(opaque(&tokens(&["b2Zmc2V0OjI1", "b2Zmc2V0OjUw"])).verdict, Verdict::Fail, "offset:25");
        let judged = opaque(&tokens(&["eyJpZCI6ImEifQ"]));
        assert_eq!((judged.verdict, judged.severity), (Verdict::Fail, Some(Severity::Info)), "JSON without a position");
        assert_eq!(opaque(&tokens(&["cD0yMDI2LTExLTIyKzExJTNBNTE"])).verdict, Verdict::Pass, "a time, not an offset");
        assert_eq!(opaque(&tokens(&["q7Zx_0-aaBQ9fX1nL2"])).verdict, Verdict::Pass);
        assert_eq!(opaque(&tokens(&[])).verdict, Verdict::Inconclusive);
        let mut by_id = tokens(&["25", "31"]);
        by_id.declared = Declared { spelling: Spelling::LastId, ..Declared::default() };
        assert_eq!(opaque(&by_id).verdict, Verdict::NotApplicable);
    }
}
