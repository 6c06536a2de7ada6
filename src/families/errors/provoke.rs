//! The check under whose name all error traffic is judged.
//!
//! Its probe asks for a path that does not exist: once for each of a few clients, once with markup in the path and
//! the query, and once with a bearer token that belongs to nobody. All are GET; `conventions.errors.provoke: false`
//! switches them off, and then only errors that other checks met are judged.

use futures_util::future::{BoxFuture, FutureExt};

use super::{ERRORS, echo, rules::RULES};
use crate::{
    exchange::{Request, Who},
    families::{Check, Evidence, Family, Permit, PlannedCheck, Selection, Session},
};

/// The name of the check.
pub const EVERY_EXCHANGE: &str = "every exchange";
/// Most clients on whose behalf an unknown path is asked for.
const CLIENTS: usize = 3;

/// Provokes a few harmless errors.
#[derive(Debug)]
pub(super) struct EveryExchange {
    /// On whose behalf; none if nothing is to be sent.
    clients: Option<Vec<String>>,
}

impl EveryExchange {
    pub(super) fn new(clients: Option<&[String]>) -> Self {
        Self { clients: clients.map(|names| names.iter().take(CLIENTS).cloned().collect()) }
    }

    fn requests(&self, session: &dyn Session) -> Vec<Request> {
        let Some(clients) = &self.clients else { return Vec::new() };
        let path = format!("/fincheck-no-such-route-{:016x}", session.random());
        let markup = echo::markup(session.random());
        let escaped = markup.replace('<', "%3C").replace('>', "%3E");
        let forged = echo::forged(session);
        let first = clients.first().map_or(Who::Anonymous, |name| Who::Client(name.clone()));
        let get = |who: Who, path: &str| Request::new(who, "GET", path).purpose("an error, asked for on purpose");
        let mut requests: Vec<Request> = clients.iter().map(|name| get(Who::Client(name.clone()), &path)).collect();
        requests.push(get(first, &format!("{path}/{escaped}")).query("fincheck", &markup));
        requests.push(get(forged, &path));
        requests
    }
}

impl Check for EveryExchange {
    fn name(&self) -> &str {
        EVERY_EXCHANGE
    }

    fn family(&self) -> &'static Family {
        &ERRORS
    }

    fn plan(&self, selection: &Selection<'_>) -> PlannedCheck {
        // Whether a validation error locates the fault can only be judged where a case names the invalid fields.
        let judged = RULES.iter().filter(|judged| judged.rule.id != "ERR-009" && (selection.wants)(judged.rule));
        let rules = judged.map(|judged| judged.rule.id).collect();
        let mut plan = PlannedCheck { rules, passive: true, ..PlannedCheck::default() };
        if let Some(clients) = &self.clients
            && !plan.rules.is_empty()
            && selection.permits(Permit::Read)
        {
            if !clients.is_empty() {
                plan.steps.push(("ask for an unknown path with each client".into(), clients.len() as u64));
            }
            plan.steps.push(("ask for an unknown path with markup in it".into(), 1));
            plan.steps.push(("ask for an unknown path with a token that belongs to nobody".into(), 1));
            plan.clients.clone_from(clients);
        }
        plan
    }

    fn probe<'a>(&'a self, session: &'a dyn Session, plan: &'a PlannedCheck) -> BoxFuture<'a, Evidence> {
        async move {
            if !plan.steps.is_empty() {
                for request in self.requests(session) {
                    if session.stopping() {
                        break;
                    }
                    // The observer sees what comes of it.
                    drop(session.send(request).await);
                }
            }
            Evidence::None
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use futures_util::FutureExt;

    use super::{
        super::testing::{Scripted, reply},
        *,
    };

    fn plan(check: &EveryExchange, permits: &[Permit]) -> PlannedCheck {
        let permits: BTreeSet<Permit> = permits.iter().copied().collect();
        check.plan(&Selection { wants: &|_| true, permits: &permits })
    }

    #[test]
    fn a_few_harmless_errors_are_asked_for() {
        let names: Vec<String> = ["a", "b", "c", "d"].map(String::from).into();
        let check = EveryExchange::new(Some(&names));
        let plan = plan(&check, &[Permit::Read]);
        let session = Scripted::new((0..5).map(|_| Ok(reply(404, "application/json", "{}"))));
        let evidence = check.probe(&session, &plan).now_or_never().unwrap();
        assert!(matches!(evidence, Evidence::None));
        let asked = session.asked.lock().unwrap();
        assert_eq!((asked.len() as u64, plan.requests(), plan.writes, plan.passive), (5, 5, 0, true));
        assert!(asked.iter().all(|r| r.method == "GET" && r.target.starts_with("/fincheck-no-such-route-")));
        assert!(asked[3].target.ends_with("%3E") && asked[3].query[0].1.starts_with("<fincheck-"));
        assert!(matches!(asked[4].who, Who::Forged(_)));
    }

    #[test]
    fn nothing_is_sent_where_that_is_not_wanted_and_errors_are_judged_all_the_same() {
        for (check, permits) in
            [(EveryExchange::new(None), &[Permit::Read][..]), (EveryExchange::new(Some(&[])), &[][..])]
        {
            let plan = plan(&check, permits);
            assert_eq!((plan.requests(), plan.rules.len()), (0, 8));
            let session = Scripted::new([]);
            check.probe(&session, &plan).now_or_never().unwrap();
            assert!(session.asked.lock().unwrap().is_empty());
        }
    }
}
