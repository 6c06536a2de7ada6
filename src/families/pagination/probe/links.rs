//! Follows the links that pages carry.

use std::collections::BTreeSet;

use url::Url;

use super::{Ask, Probe, Walker, Watching, walker::moving_parameter};
use crate::families::pagination::{
    config::Relation,
    evidence::{Answer, LinkFollowed, LinkSeen, RowId, Walk},
    probe::listing::At,
};

/// Query parameters that carry a credential.
const CREDENTIALS: &[&str] =
    &["access_token", "api_key", "apikey", "api-key", "client_secret", "password", "secret", "signature", "sig"];

impl Probe<'_> {
    /// Walks three pages of a filtered listing and follows every kind of link on them.
    pub(super) async fn links(&mut self) {
        // A listing that fits on one large page says nothing about links; small pages may carry them.
        let carries = |walk: &Walk| !walk.links.is_empty() || walk.pages.len() == 1;
        if !self.wants(&["PAG-016"]) || !self.evidence.quiet.first().is_some_and(carries) {
            return;
        }
        let mut ask = Ask::start("pages, for their links").size(self.small());
        if let Some(filter) = self.config.filters.first() {
            ask = ask.filter(&filter.parameter, &filter.value);
        }
        let mut walker = Walker::new(self.listing, ask, &Watching::default(), 3);
        let (mut pages, mut more): (Vec<Vec<RowId>>, bool) = (Vec::new(), true);
        while more {
            let before = walker.pages();
            more = walker.step(&mut self.names).await;
            if walker.pages() > before {
                pages.push(walker.last_page().to_vec());
            }
        }
        let Some(first_url) = walker.first_reply().map(|(_, reply)| reply.url.clone()) else { return };
        let walk = walker.finish();
        // What moves from page to page is not lost, also where the suite's own request says which page is the first.
        let next = walk.links.iter().find(|link| link.page == 0 && link.relation == Relation::Next);
        let moving = next.and_then(|link| moving_parameter(&first_url, &link.target, self.listing));
        let moving = moving.map(|(name, _)| name);
        let mut done = BTreeSet::new();
        let mut links = walk.links.clone();
        // The same relation may stand in a header field and in the body; once is enough for each spelling.
        links.retain(|link| link.page < 2 && done.insert((link.page, link.relation, link.target.clone())));
        for link in links.into_iter().take(12) {
            let followed = self.follow(link, &walk, &pages, &first_url, moving.as_deref()).await;
            self.evidence.links.push(followed);
        }
    }

    /// Whether a link leads elsewhere once it has the parameters that it lacks: a cursor may hold them instead.
    async fn makes_a_difference(&self, url: &Url, lacking: &[(String, String)], answered: &Answer) -> bool {
        let mut whole = url.clone();
        whole.query_pairs_mut().extend_pairs(lacking);
        let ask = Ask::start("a link with the parameters that it lacks").at(At::Url(whole.into()));
        let with = self.listing.answer("the link with the parameters that it lacks", &ask).await;
        match (answered.rows(), with.rows()) {
            (Some(without), Some(with)) => without != with,
            _ => false,
        }
    }

    async fn follow(
        &self,
        link: LinkSeen,
        walk: &Walk,
        pages: &[Vec<RowId>],
        first_url: &Url,
        moving: Option<&str>,
    ) -> LinkFollowed {
        let base = self.session.base();
        let url = first_url.join(&link.target).ok();
        let same_origin = url.as_ref().is_some_and(|url| url.origin() == base.origin());
        let (mut lost, mut credential, mut answer) = (Vec::new(), None, None);
        if let Some(url) = &url {
            lost = lost_parameters(first_url, url, &[self.config.token_parameter(), moving]);
            credential = url
                .query_pairs()
                .map(|(name, _)| name.into_owned())
                .find(|name| CREDENTIALS.contains(&name.to_ascii_lowercase().as_str()));
            if same_origin {
                let ask = Ask::start("a link followed").at(At::Url(url.to_string()));
                let sent = format!("the `{}` link of page {}", link.relation.as_str(), link.page + 1);
                let answered = self.listing.answer(sent, &ask).await;
                if !lost.is_empty() && !self.makes_a_difference(url, &lost, &answered).await {
                    lost.clear();
                }
                answer = Some(answered);
            }
        }
        let should_be = match link.relation {
            Relation::Next => pages.get(link.page + 1),
            Relation::Prev if link.page > 0 => pages.get(link.page - 1),
            Relation::First => pages.first(),
            Relation::This => pages.get(link.page),
            Relation::Last if walk.is_complete() => pages.last(),
            Relation::Prev | Relation::Last => None,
        };
        LinkFollowed {
            page: link.page,
            on_last: walk.is_complete() && link.page + 1 == walk.pages.len(),
            relation: link.relation,
            target: link.target.chars().take(400).collect(),
            carried_by: walk.pages[link.page].exchange,
            same_origin,
            lost: lost.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
            credential,
            answer,
            should_be: should_be.cloned(),
        }
    }
}

/// The parameters of a page's URL that a link does not carry on, but for those that say which page it is.
fn lost_parameters(page: &Url, link: &Url, moving: &[Option<&str>]) -> Vec<(String, String)> {
    page.query_pairs()
        .filter(|(name, _)| !moving.contains(&Some(name.as_ref())))
        .filter(|pair| !link.query_pairs().any(|kept| kept == *pair))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::lost_parameters;

    #[test]
    fn a_link_may_change_the_page_and_nothing_else() {
        let page = "http://host/list?_page=1&symbol=AAPL&limit=3".parse().unwrap();
        let lost = |link: &str, moving| -> Vec<String> {
            let lost = lost_parameters(&page, &link.parse().unwrap(), &[None, moving]);
            lost.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
        };
        let good = "http://host/list?limit=3&_page=2&symbol=AAPL";
        assert!(lost(good, Some("_page")).is_empty());
        assert_eq!(lost(good, None), ["_page=1"]);
        assert_eq!(lost("http://host/list?_page=2&limit=3", Some("_page")), ["symbol=AAPL"]);
        assert_eq!(lost("http://host/list?_page=2&limit=3&symbol=MSFT", Some("_page")), ["symbol=AAPL"]);
    }
}
