//! What a cursor does: PAG-011, PAG-012, PAG-014.

use super::{count, counts, named, on, reference, restless, unseen};
use crate::{
    families::{
        JudgedRule,
        pagination::evidence::{Answer, BadToken, BadTokenKind, Evidence, Got, RowId},
    },
    rule::{Judgement, Rule, Severity, Strength},
};

pub(super) const PAG_011: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-011",
        slug: "cursor-not-repeatable",
        family: "pagination",
        title: "The same cursor gives the same page",
        sent: "The second and the third page, each asked for twice with the same cursor.",
        requirement: "The same rows both times; the cursor in the answer may be spelled anew.",
        not_applicable: "Pages are numbered, or the suite declares cursors to be for single use.",
        severity: Severity::Major,
        strength: Strength::Domain,
        source: "RFC 9110 §9.2.1 (GET is safe); a lost response must be repeatable",
        remedy: "Keep no state on the server that a request for a page changes.",
        defects: &["pagination.single-use-cursor", "pagination.cursor-advances"],
    },
    judge: |evidence| on(evidence, repeatable),
};

fn repeatable(evidence: &Evidence) -> Judgement {
    if evidence.declared.spelling.is_counted() {
        return Judgement::not_applicable("pages or rows are counted: there is no cursor");
    }
    if evidence.declared.single_use {
        return Judgement::not_applicable("the suite declares cursors to be for single use");
    }
    if let Some(judgement) = restless(evidence) {
        return judgement;
    }
    let mut same = 0;
    for page in &evidence.repeated_pages {
        let (Some(first), second) = (page.first.rows(), &page.second) else { continue };
        let fails = match &second.got {
            Got::Page { rows, .. } => rows != first,
            _ => !second.says_nothing(),
        };
        if fails {
            return Judgement::fail("the same cursor sent twice does not give the same page")
                .expected(format!("the same {} again", count(first.len(), "row")))
                .actual(match second.rows() {
                    Some(rows) => format!(
                        "other rows: {} instead of {}",
                        named(&evidence.names, rows),
                        named(&evidence.names, first)
                    ),
                    None => second.told(),
                })
                .cite(page.first.exchange)
                .cite(second.exchange);
        }
        same += usize::from(second.rows().is_some());
    }
    if same == 0 {
        return unseen(evidence, "there was no second page to ask for twice");
    }
    Judgement::pass(format!("{} gave the same rows twice", count(same, "cursor")))
        .cite(evidence.repeated_pages.iter().filter_map(|page| page.second.exchange))
}

pub(super) const PAG_012: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-012",
        slug: "bad-cursor-accepted",
        family: "pagination",
        title: "Cursors never issued are refused explicitly",
        sent: "A cursor with one character changed, one cut in half, a random one, one of 8 KiB, an empty one; for \
               numbered pages -1, 0 and `abc`.",
        requirement: "A refusal with 4xx. Not the first page (which silently repeats data), not an empty page (which \
                      looks like the end), not an error of the server. An empty cursor may stand for the first page.",
        not_applicable: "The listing has no second page, so that there is no cursor.",
        severity: Severity::Major,
        strength: Strength::Convention,
        source: "AIP-158; Square INVALID_CURSOR; CDR 422 Field/InvalidPage (MUST)",
        remedy: "Sign or encrypt the cursor, and answer 400 with a code of its own when it does not verify.",
        defects: &["pagination.bad-cursor-restarts", "pagination.bad-cursor-empty", "pagination.bad-cursor-500"],
    },
    judge: |evidence| on(evidence, refused),
};

fn refused(evidence: &Evidence) -> Judgement {
    let first_page: &[RowId] = reference(evidence).map_or(&[], |(_, rows)| rows);
    let told: Vec<&BadToken> = evidence.bad_tokens.iter().filter(|bad| !bad.answer.says_nothing()).collect();
    let numbers = counts(evidence);
    let random_refused = told.iter().any(|bad| bad.made == BadTokenKind::Random && bad.answer.is_client_error());
    let mut explained = 0;
    for bad in &told {
        let answer = &bad.answer;
        let fail = |message: &str| {
            Judgement::fail(message)
                .expected("a refusal with 4xx and a code of its own")
                .actual(format!("{} was answered with {}", answer.sent, answer.told()))
                .cite(answer.exchange)
        };
        match &answer.got {
            Got::Refused { status: 500.. } => return fail("a cursor never issued is an error of the server"),
            Got::Page { circles: true, .. } => {
                return fail("a page that is none leads to itself: a walk that follows it never ends");
            }
            _ if bad.made == BadTokenKind::Empty => {}
            // An edited cursor may happen to be a good one for another position; see PAG-015.
            Got::Page { .. }
                if random_refused && matches!(bad.made, BadTokenKind::Edited | BadTokenKind::Truncated) =>
            {
                explained += 1;
            }
            // Where pages are counted, what is no page's number may be taken for the default: the first page.
            Got::Page { .. } if numbers || bad.made == BadTokenKind::NoNumber => explained += 1,
            Got::Page { rows, continues, .. } if rows.is_empty() && !continues => {
                return fail("a cursor never issued is answered with an empty page, which looks like the end")
                    .severity(Severity::Critical);
            }
            Got::Page { rows, .. } if !rows.is_empty() && first_page.starts_with(rows) => {
                return fail("a cursor never issued is answered with the first page, which silently repeats data");
            }
            Got::Page { .. } => explained += 1,
            _ => {}
        }
    }
    if told.is_empty() {
        return if evidence.bad_tokens.is_empty() && !evidence.cut_short {
            Judgement::not_applicable("the listing has no second page, so that there is no cursor")
        } else {
            unseen(evidence, "no answer to a cursor never issued says anything about the listing")
        };
    }
    let refused = told.iter().filter(|bad| bad.answer.is_client_error()).count();
    let exchanges = told.iter().filter_map(|bad| bad.answer.exchange);
    if refused == 0 {
        return Judgement::inconclusive(
            "none of the cursors never issued was refused; they may be good ones for other positions",
        )
        .cite(exchanges);
    }
    let judgement =
        Judgement::pass(format!("{} refused", count(refused, "cursor never issued").replace("issueds", "issued")));
    let judgement = if explained > 0 {
        judgement.detail(format!("{explained} more were taken for another position or for the default"))
    } else {
        judgement
    };
    judgement.cite(exchanges)
}

pub(super) const PAG_014: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "PAG-014",
        slug: "cursor-is-a-capability",
        family: "pagination",
        title: "A cursor is not a capability",
        sent: "A cursor of one client with the credentials of another tenant and without any; each also without the \
               cursor, as a control.",
        requirement: "The other client is refused or sees only its own rows; without credentials nothing is shown.",
        not_applicable: "The listing needs no credentials, is declared `shared`, or is paged by number.",
        severity: Severity::Critical,
        strength: Strength::Normative,
        source: "AIP-158 (a token must not provide authorization); OWASP API1:2023",
        remedy: "Authorise every page like the first, and bind the cursor to the client it was issued to.",
        defects: &["pagination.cursor-is-capability"],
    },
    judge: |evidence| on(evidence, no_capability),
};

fn no_capability(evidence: &Evidence) -> Judgement {
    if evidence.declared.shared {
        return Judgement::not_applicable("the suite declares that every client may see these rows");
    }
    if evidence.declared.spelling.is_counted() {
        return Judgement::not_applicable("pages or rows are counted: there is no cursor");
    }
    let Some(foreign) = &evidence.foreign else {
        return if evidence.cut_short {
            unseen(evidence, "")
        } else {
            Judgement::not_applicable("the listing needs no credentials, or has no second page")
        };
    };
    let shown = |answer: &Answer| -> Vec<RowId> {
        answer.rows().unwrap_or_default().iter().filter(|row| foreign.owned.contains(row)).copied().collect()
    };
    let mut tested = Vec::new();
    for (who, control, answer) in [
        ("another tenant's client", &foreign.control, &foreign.other),
        ("a request without credentials", &foreign.anonymous_control, &foreign.anonymous),
    ] {
        let (Some(control), Some(answer)) = (control, answer) else { continue };
        if !shown(control).is_empty() {
            let message = format!("{who} sees these rows without any cursor: the cursor adds nothing to that");
            return Judgement::inconclusive(message).cite(control.exchange);
        }
        let rows = shown(answer);
        if !rows.is_empty() {
            return Judgement::fail(format!("{who} sees rows of `{}` by sending its cursor", foreign.owner))
                .expected("a refusal, or only rows that the sender may see")
                .actual(format!("{} shown: {}", count(rows.len(), "row"), named(&evidence.names, &rows)))
                .cite(control.exchange)
                .cite(answer.exchange);
        }
        let nothing = matches!(answer.got, Got::Nothing { .. } | Got::Refused { status: 429 | 502 | 503 | 504 });
        if !nothing {
            tested.push(answer);
        }
    }
    // Credentials that open nothing show nothing: they are refused before anybody looks at the cursor.
    if let Some(control) = foreign.control.as_ref().filter(|control| control.status() == Some(401)) {
        return Judgement::inconclusive("the other client's credentials are refused also without the cursor")
            .cite(control.exchange);
    }
    if tested.is_empty() {
        return unseen(evidence, "no answer to another's cursor says anything about the listing");
    }
    let both = foreign.other.is_some();
    let who = if both { "another tenant and a request without credentials" } else { "a request without credentials" };
    let judgement = Judgement::pass(format!("{who} got nothing by sending the cursor"))
        .cite(tested.iter().filter_map(|a| a.exchange));
    if both {
        judgement
    } else {
        judgement.detail("with `other_client`, another tenant's credentials would be tried too")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        exchange::ExchangeId,
        families::pagination::{
            evidence::{Foreign, RepeatedPage},
            rules::{
                damage::tests::{ids, walk},
                opacity::tests::tokens,
            },
        },
        rule::Verdict,
    };

    fn answer(got: Got) -> Answer {
        Answer { sent: "cursor `x`".into(), exchange: Some(ExchangeId(3)), got }
    }

    fn page(rows: &[u128]) -> Got {
        Got::Page { status: 200, rows: ids(rows), continues: false, circles: false, total: None }
    }

    fn refusal(status: u16) -> Got {
        Got::Refused { status }
    }

    fn evidence() -> Evidence {
        let walk = walk(&[&[1, 2], &[3, 4]]);
        Evidence { quiet: vec![walk.clone(), walk], ..Evidence::default() }
    }

    #[test]
    fn the_same_cursor_gives_the_same_page() {
        let judge = |second| {
            let mut e = evidence();
            e.repeated_pages = vec![RepeatedPage { first: answer(page(&[3, 4])), second: answer(second) }];
            repeatable(&e).verdict
        };
        assert_eq!(judge(page(&[3, 4])), Verdict::Pass);
        assert_eq!(judge(page(&[5])), Verdict::Fail);
        assert_eq!(judge(refusal(410)), Verdict::Fail);
        assert_eq!(judge(refusal(429)), Verdict::Inconclusive);
        let mut single = evidence();
        single.declared.single_use = true;
        assert_eq!(repeatable(&single).verdict, Verdict::NotApplicable);
    }

    fn bad(made: BadTokenKind, got: Got) -> BadToken {
        BadToken { made, answer: answer(got) }
    }

    fn judge_bad(tokens: Vec<BadToken>) -> (Verdict, Option<Severity>) {
        let judged = refused(&Evidence { bad_tokens: tokens, ..evidence() });
        (judged.verdict, judged.severity)
    }

    #[test]
    fn cursors_never_issued_are_refused_and_nothing_else() {
        use BadTokenKind::{Edited, Empty, Random};
        assert_eq!(judge_bad(vec![bad(Random, refusal(400))]), (Verdict::Pass, None));
        assert_eq!(judge_bad(vec![bad(Random, page(&[1, 2]))]), (Verdict::Fail, None));
        assert_eq!(judge_bad(vec![bad(Random, page(&[]))]), (Verdict::Fail, Some(Severity::Critical)));
        assert_eq!(judge_bad(vec![bad(Random, refusal(500))]), (Verdict::Fail, None));
        assert_eq!(judge_bad(vec![bad(Random, refusal(503))]).0, Verdict::Inconclusive);
        assert_eq!(judge_bad(vec![bad(Empty, page(&[1, 2])), bad(Random, refusal(400))]).0, Verdict::Pass);
        // An edited cursor that leads to the first page is a good one for that position if others are refused.
        assert_eq!(judge_bad(vec![bad(Edited, page(&[1, 2])), bad(Random, refusal(404))]).0, Verdict::Pass);
        assert_eq!(judge_bad(vec![bad(Edited, page(&[1, 2])), bad(Random, page(&[1, 2]))]).0, Verdict::Fail);
        assert_eq!(judge_bad(vec![]).0, Verdict::NotApplicable);
    }

    #[test]
    fn numbers_that_are_no_pages_may_mean_the_default_but_must_not_circle() {
        use BadTokenKind::NoNumber;
        assert_eq!(judge_bad(vec![bad(NoNumber, page(&[1, 2])), bad(NoNumber, refusal(404))]).0, Verdict::Pass);
        assert_eq!(judge_bad(vec![bad(NoNumber, page(&[1, 2]))]).0, Verdict::Inconclusive);
        let circle = Got::Page { status: 200, rows: ids(&[1]), continues: true, circles: true, total: None };
        assert_eq!(judge_bad(vec![bad(NoNumber, circle.clone())]).0, Verdict::Fail);
        let counted =
            |made, got| refused(&Evidence { bad_tokens: vec![bad(made, got)], ..tokens(&["2", "3"]) }).verdict;
        assert_eq!(counted(BadTokenKind::Random, page(&[1])), Verdict::Inconclusive, "the number is in a link");
        assert_eq!(counted(BadTokenKind::Random, circle), Verdict::Fail);
        assert_eq!(counted(BadTokenKind::Random, refusal(500)), Verdict::Fail);
    }

    #[test]
    fn anothers_cursor_shows_nothing() {
        let judge = |control, other, anonymous| {
            let foreign = Foreign {
                owner: "reader".into(),
                owned: ids(&[1, 2, 3, 4]),
                control: Some(answer(control)),
                other: Some(answer(other)),
                anonymous_control: Some(answer(refusal(401))),
                anonymous: Some(answer(anonymous)),
            };
            no_capability(&Evidence { foreign: Some(foreign), ..evidence() }).verdict
        };
        assert_eq!(judge(refusal(404), refusal(404), refusal(401)), Verdict::Pass);
        assert_eq!(judge(page(&[8]), page(&[9]), refusal(401)), Verdict::Pass, "its own rows");
        assert_eq!(judge(refusal(404), page(&[3]), refusal(401)), Verdict::Fail);
        assert_eq!(judge(refusal(404), refusal(404), page(&[3])), Verdict::Fail);
        assert_eq!(judge(page(&[1]), page(&[3]), refusal(401)), Verdict::Inconclusive, "shared data");
        assert_eq!(
            judge(refusal(401), refusal(401), refusal(401)),
            Verdict::Inconclusive,
            "credentials that open nothing"
        );
        assert_eq!(no_capability(&evidence()).verdict, Verdict::NotApplicable);
    }
}
