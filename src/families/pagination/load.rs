//! From a block of a suite to a check: what a schema cannot say.

use serde_json::Value;
use url::Url;

use super::{
    PaginationCheck,
    config::{Config, Filter, Write},
    evidence::{Declared, Spelling},
};
use crate::{
    families::{Check, Problem, Setting, nearest},
    notation::Template,
};

/// Makes a check of one item of `pagination:`.
pub(super) fn load(item: Value, setting: &Setting<'_>) -> Result<Box<dyn Check>, Vec<Problem>> {
    let config: Config = serde_json::from_value(item).map_err(|e| vec![Problem::new("", e.to_string())])?;
    let mut problems = Vec::new();
    spelling_problems(&config, &mut problems);
    reference_problems(&config, setting, &mut problems);
    sort_problems(&config, &mut problems);
    if let Some(spec) = &config.page_size {
        if spec.sizes.contains(&0) {
            problems.push(Problem::new("/page_size/sizes", "a page size is at least 1"));
        }
        if let Some(maximum) = spec.maximum
            && spec.sizes.iter().any(|size| *size > maximum)
        {
            let message = format!("a page size to try is over the declared maximum of {maximum}");
            problems.push(Problem::new("/page_size/sizes", message).help("sizes over the maximum are tried anyway"));
        }
    }
    if config.max_pages < 3 {
        problems.push(Problem::new("/max_pages", "a walk needs at least 3 pages to show anything"));
    }
    if problems.is_empty() { Ok(Box::new(PaginationCheck { config })) } else { Err(problems) }
}

fn spelling_problems(config: &Config, problems: &mut Vec<Problem>) {
    let spelled: Vec<&str> = [
        ("cursor", config.cursor.is_some()),
        ("link_header", config.link_header.is_some()),
        ("next_url", config.next_url.is_some()),
        ("page", config.page.is_some()),
        ("offset", config.offset.is_some()),
        ("last_id", config.last_id.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, given)| given.then_some(name))
    .collect();
    match spelled.as_slice() {
        [_] => {}
        [] => problems.push(
            Problem::new("", "nothing says how the next page is asked for")
                .help("give one of `cursor`, `link_header`, `next_url`, `page`, `offset`, `last_id`"),
        ),
        [_, second, ..] => problems.push(
            Problem::new(
                format!("/{second}"),
                format!("only one of {} can be how the next page is asked for", spelled.join(", ")),
            )
            .help("keep the one that clients are meant to follow; links are declared under `links`"),
        ),
    }
    if let Some(cursor) = &config.cursor
        && cursor.next.is_none() == cursor.header.is_none()
    {
        problems.push(
            Problem::new("/cursor", "a cursor is either in the body (`next`) or in a header field (`header`)")
                .help("give exactly one of the two"),
        );
    }
    if !matches!(config.request.method.as_str(), "GET" | "POST") {
        problems.push(Problem::new(
            "/request",
            format!("a listing is asked for by GET or POST, not {}", config.request.method),
        ));
    }
}

fn reference_problems(config: &Config, setting: &Setting<'_>, problems: &mut Vec<Problem>) {
    if let Some(client) = &config.client {
        setting.known_client(client, "/client", problems);
    }
    if let Some(client) = &config.other_client {
        setting.known_client(client, "/other_client", problems);
    }
    let names = |template: &Template| template.names().map(str::to_owned).collect::<Vec<_>>();
    let mut known = |used: Vec<String>, own: &[&str], at: &str| {
        setting.known_names(used.iter().map(String::as_str), own, at, problems);
    };
    known(names(&config.request.target), &[], "/request");
    for (name, template) in &config.query {
        known(names(template), &[], &format!("/query/{}", pointer(name)));
    }
    for (name, template) in &config.headers {
        known(names(template), &[], &format!("/headers/{}", pointer(name)));
    }
    let Some(churn) = &config.churn else { return };
    let mut write = |write: &Write, own: &[&str], at: &str| {
        known(names(&write.request.target), own, &format!("{at}/request"));
        for (name, template) in write.form.iter().flatten() {
            known(names(template), own, &format!("{at}/form/{}", pointer(name)));
        }
    };
    write(&churn.insert, &["n", "uuid"], "/churn/insert");
    if let Some(tied) = &churn.insert_tied {
        write(tied, &["n", "uuid", "key"], "/churn/insert_tied");
    }
    if let Some(delete) = &churn.delete {
        write(delete, &["id"], "/churn/delete");
    }
    for (one, at) in [
        (Some(&churn.insert), "/churn/insert"),
        (churn.insert_tied.as_ref(), "/churn/insert_tied"),
        (churn.delete.as_ref(), "/churn/delete"),
    ] {
        let Some(one) = one else { continue };
        if let Some(client) = &one.client {
            setting.known_client(client, &format!("{at}/client"), problems);
        }
        if one.body.is_some() && one.form.is_some() {
            problems.push(Problem::new(format!("{at}/form"), "a request has a `body` or a `form`, not both"));
        }
        if one.id.is_none() && at != "/churn/delete" {
            problems.push(
                Problem::new(at, "nothing says where the answer holds the new row's id")
                    .help("add `id`, such as `id: $.id`"),
            );
        }
    }
}

fn sort_problems(config: &Config, problems: &mut Vec<Problem>) {
    let Some(sort) = &config.sort else { return };
    if sort.orders.is_empty() {
        problems.push(Problem::new("/sort/orders", "`sort` without any order says nothing"));
    }
    if let Some(default) = &sort.default
        && !sort.orders.contains_key(default)
    {
        let help = nearest(default, sort.orders.keys().map(String::as_str));
        problems.push(Problem::new("/sort/default", format!("there is no order `{default}`")).help(help));
    }
}

/// A member's name as a segment of a JSON Pointer (RFC 6901 §3).
fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl Config {
    /// How the next page is asked for.
    pub(super) fn spelling(&self) -> Spelling {
        if self.link_header.is_some() {
            Spelling::LinkHeader
        } else if self.next_url.is_some() {
            Spelling::NextUrl
        } else if self.page.is_some() {
            Spelling::Page
        } else if self.offset.is_some() {
            Spelling::Offset
        } else if self.last_id.is_some() {
            Spelling::LastId
        } else {
            Spelling::Cursor
        }
    }

    /// The parameter that sends the cursor, number or id back.
    pub(super) fn token_parameter(&self) -> Option<&str> {
        let cursor = self.cursor.as_ref().map(|spec| &spec.parameter);
        let page = self.page.as_ref().map(|spec| &spec.parameter);
        let offset = self.offset.as_ref().map(|spec| &spec.parameter);
        let last_id = self.last_id.as_ref().map(|spec| &spec.parameter);
        cursor.or(page).or(offset).or(last_id).map(String::as_str)
    }

    /// The page size of walks that should take few requests.
    pub(super) fn large_size(&self) -> Option<u64> {
        self.page_size.as_ref()?.sizes.iter().copied().max()
    }

    /// A page size with many boundaries: 3, or what the suite's sizes allow.
    pub(super) fn small_size(&self) -> Option<u64> {
        let spec = self.page_size.as_ref()?;
        Some(spec.maximum.map_or(3, |maximum| maximum.min(3)).max(1))
    }

    /// The page sizes to try besides the large one.
    pub(super) fn other_sizes(&self) -> Vec<u64> {
        let large = self.large_size();
        let sizes = self.page_size.iter().flat_map(|spec| spec.sizes.iter().copied());
        sizes.filter(|size| Some(*size) != large).collect()
    }

    /// Two filters, or two values of one, that no row satisfies both of.
    pub(super) fn two_filters(&self) -> Option<[(&Filter, &str); 2]> {
        self.filters.iter().find_map(|filter| {
            let other = filter.other.as_deref()?;
            Some([(filter, filter.value.as_str()), (filter, other)])
        })
    }

    /// What rules need to know of it.
    pub(super) fn declared(&self, base: &Url) -> Declared {
        let size = self.page_size.as_ref();
        let sort = self.sort.as_ref();
        let total = self.total.as_ref();
        let mut mirrors = Vec::new();
        if let Some(sort) = sort {
            for (name, order) in &sort.orders {
                for (other_name, other) in sort.orders.range(name.clone()..).skip(1) {
                    if order.key == other.key && order.direction != other.direction {
                        mirrors.push((name.clone(), other_name.clone()));
                    }
                }
            }
        }
        Declared {
            spelling: self.spelling(),
            token_parameter: self.token_parameter().map(str::to_owned),
            size_parameter: size.map(|spec| spec.parameter.clone()),
            default_size: size.and_then(|spec| spec.default),
            maximum: size.and_then(|spec| spec.maximum),
            oversize: size.and_then(|spec| spec.oversize),
            immutable: self.immutable,
            duplicates_allowed: self.duplicates_allowed,
            single_use: self.single_use,
            shared: self.shared,
            orders: sort.map(|sort| sort.orders.keys().cloned().collect()).unwrap_or_default(),
            mirrors,
            default_order: sort.and_then(|sort| sort.default.clone()),
            total: total
                .filter(|total| total.path.is_some() || total.header.is_some())
                .map(|total| total.tolerance.map_or(0, |percent| percent.0)),
            total_as_text: total.is_some_and(|total| total.text),
            restart: self.restart.as_ref().map(|restart| match &restart.contains {
                Some(text) => format!("status {} with `{text}`", restart.status),
                None => format!("status {}", restart.status),
            }),
            https: base.scheme() == "https",
        }
    }
}
