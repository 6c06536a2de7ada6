//! Addresses that must not be called, and redirects that must not be followed.

use std::time::Duration;

use super::{
    super::evidence::{Address, Redirect},
    Context, UNDECLARED,
    post::{Asked, Office, told},
};
use crate::{
    exchange::Headers,
    families::{Answer, Mailbox, Place, Session},
};

/// How soon a redirect is followed, if it is.
const FOLLOWED: Duration = Duration::from_millis(500);

/// A forbidden address at which we listen, and that was registered.
struct Watched {
    place: usize,
    mailbox: Box<dyn Mailbox>,
    id: Option<String>,
}

/// Registers the listed addresses, has an operation done, and looks who is called.
pub(super) async fn probe(
    session: &dyn Session,
    context: Context<'_>,
    office: &Office<'_>,
) -> (Vec<Address>, Option<Redirect>) {
    let Some(addresses) = context.webhook.addresses.as_ref().filter(|_| (context.wants)("ASY-012")) else {
        return (Vec::new(), None);
    };
    let mut seen = Vec::new();
    for url in &addresses.refused {
        let asked = office.ask(url).await;
        if let Asked::Accepted(reply) = &asked {
            office.remove(office.id_in(reply).as_deref()).await;
        }
        seen.push(address(url.clone(), &asked));
    }
    let mut watched = Vec::new();
    for ip in &addresses.observed {
        let mailbox = match office.mailbox(Place::On(*ip)).await {
            Ok(mailbox) => mailbox,
            Err(why) => {
                seen.push(Address { url: ip.to_string(), exchange: None, outcome: Err(why), calls: None });
                continue;
            }
        };
        mailbox.answer_always(office.acknowledgement());
        let asked = office.ask(mailbox.url().as_str()).await;
        seen.push(Address { calls: Some(Vec::new()), ..address(told(mailbox.url()), &asked) });
        if let Asked::Accepted(reply) = asked {
            watched.push(Watched { place: seen.len() - 1, mailbox, id: office.id_in(&reply) });
        }
    }
    let redirect = if addresses.redirects { Some(redirecting(office).await) } else { None };
    let mut redirected = redirect.as_ref().map(|_| Redirect::default());
    if !watched.is_empty() || matches!(redirect, Some(Ok(_))) {
        let followed = context.operations.follow(session).await;
        let ended = followed.ended.unwrap_or_else(|| session.now());
        let until = ended + context.webhook.deadline.map_or(UNDECLARED, |span| span.0);
        for one in &watched {
            one.mailbox.wait_beyond(0, until.saturating_sub(session.now())).await;
            let calls = one.mailbox.deliveries().iter().map(|delivery| delivery.id).collect();
            seen[one.place].calls = Some(calls);
        }
        if let (Some(Ok((from, to))), Some(redirected)) = (&redirect, &mut redirected) {
            if from.mailbox.wait_beyond(0, until.saturating_sub(session.now())).await {
                to.wait_beyond(0, FOLLOWED).await;
            }
            let sent = |answer: &Answer| !answer.is_acknowledgement();
            let from = from.mailbox.deliveries();
            redirected.redirected = from.iter().filter(|d| sent(&d.answered)).map(|d| d.id).collect();
            redirected.followed = to.deliveries().iter().map(|delivery| delivery.id).collect();
        }
    }
    for one in &watched {
        office.remove(one.id.as_deref()).await;
    }
    match redirect {
        Some(Ok((from, _))) => office.unregister(&from).await,
        Some(Err(why)) => {
            if let Some(redirected) = &mut redirected {
                redirected.unavailable = Some(why);
            }
        }
        None => {}
    }
    (seen, redirected)
}

/// Registers an address whose first deliveries are answered with a redirect, and opens the one it leads to.
async fn redirecting(
    office: &Office<'_>,
) -> Result<(std::sync::Arc<super::post::Registered>, Box<dyn Mailbox>), String> {
    let to = office.mailbox(Place::Own).await?;
    let location: Headers = [("location".to_owned(), to.url().to_string())].into_iter().collect();
    let answer = Answer::Respond(307, location, bytes::Bytes::new());
    let from = office.open(Some(vec![answer])).await.map_err(|(why, _)| why)?;
    Ok((from, to))
}

fn address(url: String, asked: &Asked) -> Address {
    let (exchange, outcome) = match asked {
        Asked::Accepted(reply) | Asked::Refused(reply) => (Some(reply.id), Ok(reply.status)),
        Asked::Nothing(why, id) => (*id, Err(why.clone())),
    };
    Address { url, exchange, outcome, calls: None }
}
