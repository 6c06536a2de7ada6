//! Addresses that must not be called, redirects, and other principals: ASY-012.

use super::{
    super::evidence::{Address, Evidence, Foreign, Redirect},
    on,
};
use crate::{
    families::JudgedRule,
    rule::{Judgement, Rule, Severity, Strength},
};

/// ASY-012.
pub const ASY_012: JudgedRule = JudgedRule {
    rule: &Rule {
        id: "ASY-012",
        slug: "callback-reaches-inside",
        family: "async_operation",
        title: "Callbacks are not sent to private addresses, nor where a redirect leads",
        sent: "The listed addresses are registered, with an operation done for those that can be watched; a delivery is \
               answered with a redirect; another principal asks for our registration to be removed.",
        requirement: "Registering such an address is refused with 4xx, or nothing is ever sent to it; a redirect is not \
                      followed; the other principal is refused.",
        not_applicable: "The suite lists no addresses that must not be called.",
        severity: Severity::Critical,
        strength: Strength::Should,
        source: "Standard Webhooks, \"Server side request forgery (SSRF)\"; OWASP API7:2023; OWASP API1:2023",
        remedy: "Resolve the host when a delivery is sent, refuse every address that is not public, and send through a proxy \
                 that can reach nothing inside.",
        defects: &["webhook.reaches-private-address", "webhook.follows-redirects"],
    },
    judge: |evidence| on(evidence, contained),
};

fn contained(evidence: &Evidence) -> Judgement {
    if let Some(address) = evidence.addresses.iter().find(|address| is_called(address)) {
        let calls = address.calls.iter().flatten().copied();
        return Judgement::fail("a callback was sent to an address that must not be called")
            .expected("registering it is refused with 4xx, or nothing is sent to it")
            .actual(format!("{} was called", address.url))
            .cite(address.exchange)
            .cite(calls.take(super::EXAMPLES));
    }
    if let Some(redirect) = evidence.redirect.as_ref().filter(|redirect| !redirect.followed.is_empty()) {
        return Judgement::fail("a redirect in answer to a callback was followed")
            .expected("a redirect counts as a failed delivery")
            .actual("the callback was sent to where the redirect leads")
            .severity(Severity::Major)
            .cite(redirect.redirected.iter().copied().take(super::EXAMPLES))
            .cite(redirect.followed.iter().copied().take(super::EXAMPLES));
    }
    if let Some(foreign) = evidence.foreign.as_ref().filter(|foreign| is_theirs(foreign)) {
        return Judgement::fail("another principal could remove our registration")
            .expected("a refusal: 403 or 404")
            .actual(format!(
                "client `{}` was answered with {}, and it was gone",
                foreign.client,
                status(&foreign.outcome)
            ))
            .severity(Severity::Major)
            .cite(foreign.exchange);
    }
    let addresses = evidence.addresses.iter();
    let unsure: Vec<(String, Option<crate::exchange::ExchangeId>)> = addresses
        .filter_map(|address| Some((unsure(address)?, address.exchange)))
        .chain(evidence.redirect.iter().filter_map(|redirect| Some((untried(redirect)?, None))))
        .chain(evidence.foreign.iter().filter_map(|foreign| Some((unclear(foreign)?, foreign.exchange))))
        .collect();
    if let Some((first, _)) = unsure.first() {
        let mut judgement = Judgement::inconclusive(first.clone());
        for (why, exchange) in &unsure {
            judgement = judgement.detail(why.clone()).cite(*exchange);
        }
        return judgement;
    }
    if evidence.addresses.is_empty() && evidence.redirect.is_none() && evidence.foreign.is_none() {
        return Judgement::inconclusive("no address was tried");
    }
    let cited = evidence.addresses.iter().filter_map(|address| address.exchange);
    Judgement::pass("no address that must not be called was accepted or called, and no redirect was followed")
        .cite(cited)
        .cite(evidence.redirect.iter().flat_map(|redirect| redirect.redirected.iter().copied().take(1)))
        .cite(evidence.foreign.iter().filter_map(|foreign| foreign.exchange))
}

fn is_called(address: &Address) -> bool {
    address.calls.as_ref().is_some_and(|calls| !calls.is_empty())
}

/// Whether a status refuses what was asked for, rather than who asked or how often.
fn refuses(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 401 | 408 | 429)
}

fn unsure(address: &Address) -> Option<String> {
    let url = &address.url;
    match &address.outcome {
        Ok(status) if refuses(*status) => None,
        Ok(200..=299) => Some(match address.calls {
            None => format!("{url} was accepted; whether it would be called cannot be seen from here"),
            Some(_) => format!("{url} was accepted, but not called while it was watched"),
        }),
        Ok(status) => Some(format!("registering {url} was answered with status {status}")),
        Err(why) => Some(format!("{url} could not be tried: {why}")),
    }
}

fn untried(redirect: &Redirect) -> Option<String> {
    match &redirect.unavailable {
        Some(why) => Some(format!("no redirect could be tried: {why}")),
        None if redirect.redirected.is_empty() => Some("no delivery came to answer with a redirect".into()),
        None => None,
    }
}

/// Whether another principal removed our registration: it was told so, and it was gone.
fn is_theirs(foreign: &Foreign) -> bool {
    matches!(foreign.outcome, Ok(200..=299)) && matches!(foreign.afterwards, Some(404 | 410))
}

fn unclear(foreign: &Foreign) -> Option<String> {
    match &foreign.outcome {
        Ok(status) if refuses(*status) => None,
        _ => Some(format!(
            "client `{}` was answered with {} where it asked for our registration, which shows nothing",
            foreign.client,
            status(&foreign.outcome)
        )),
    }
}

fn status(outcome: &Result<u16, String>) -> String {
    match outcome {
        Ok(status) => format!("status {status}"),
        Err(why) => why.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::super::testing::*, *};
    use crate::{
        exchange::ExchangeId,
        rule::{Verdict, Verdict::*},
    };

    fn address(outcome: Result<u16, String>, calls: Option<Vec<u32>>) -> Address {
        let calls = calls.map(|calls| calls.into_iter().map(ExchangeId).collect());
        Address { url: "http://127.0.0.2:1/...".into(), exchange: Some(ExchangeId(3)), outcome, calls }
    }

    fn foreign(status: u16, afterwards: Option<u16>) -> Foreign {
        let request = "DELETE /hooks/{{id}}".into();
        Foreign { client: "rival".into(), request, exchange: Some(ExchangeId(4)), outcome: Ok(status), afterwards }
    }

    fn judged(addresses: Vec<Address>, redirect: Option<Redirect>, foreign: Option<Foreign>) -> Judgement {
        (ASY_012.judge)(&of(Some(Evidence { addresses, redirect, foreign, ..seen(vec![]) })))
    }

    fn verdict(addresses: Vec<Address>) -> Verdict {
        judged(addresses, None, None).verdict
    }

    #[test]
    fn what_is_refused_passes() {
        let redirect = Redirect { redirected: vec![ExchangeId(5)], ..Redirect::default() };
        let refused = vec![address(Ok(422), None), address(Ok(403), Some(vec![]))];
        assert_eq!(judged(refused, Some(redirect), Some(foreign(404, None))).verdict, Pass);
    }

    #[test]
    fn a_call_to_a_forbidden_address_fails_as_critical_even_where_it_was_refused() {
        for status in [201, 422] {
            let judgement = judged(vec![address(Ok(status), Some(vec![9]))], None, None);
            assert_eq!((judgement.verdict, judgement.severity), (Fail, None));
            assert_eq!(judgement.exchanges, [ExchangeId(3), ExchangeId(9)]);
        }
    }

    #[test]
    fn what_is_accepted_or_unanswered_decides_nothing() {
        assert_eq!(verdict(vec![address(Ok(201), None)]), Inconclusive);
        assert_eq!(verdict(vec![address(Ok(201), Some(vec![]))]), Inconclusive);
        assert_eq!(verdict(vec![address(Ok(422), None), address(Err("no route".into()), None)]), Inconclusive);
        for status in [401, 429, 500, 503] {
            assert_eq!(verdict(vec![address(Ok(status), None)]), Inconclusive, "{status}");
        }
        assert_eq!(verdict(vec![]), Inconclusive);
    }

    #[test]
    fn a_redirect_that_is_followed_fails_as_major() {
        let followed = Redirect { redirected: vec![ExchangeId(5)], followed: vec![ExchangeId(6)], unavailable: None };
        let judgement = judged(vec![], Some(followed), None);
        assert_eq!((judgement.verdict, judgement.severity), (Fail, Some(Severity::Major)));
        assert_eq!(judgement.exchanges, [ExchangeId(5), ExchangeId(6)]);
        assert_eq!(judged(vec![], Some(Redirect::default()), None).verdict, Inconclusive);
    }

    #[test]
    fn another_principal_fails_only_where_our_registration_is_gone() {
        let of = |foreign| judged(vec![], None, Some(foreign));
        assert_eq!(
            (of(foreign(204, Some(404))).verdict, of(foreign(204, Some(404))).severity),
            (Fail, Some(Severity::Major))
        );
        for unclear in [foreign(204, Some(204)), foreign(204, None), foreign(401, None), foreign(500, None)] {
            assert_eq!(of(unclear.clone()).verdict, Inconclusive, "{unclear:?}");
        }
        assert_eq!(of(foreign(403, None)).verdict, Pass);
    }
}
