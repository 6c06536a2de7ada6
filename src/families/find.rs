//! Looks up what really exists: the rows of a listing that belong to a reference.
//!
//! Whether something happened is counted here, never taken from the response that claims it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Call, Problem, Session, Setting};
use crate::{
    exchange::{ExchangeId, Failure, Outcome, Request, parse_links},
    json::{PageReader, Path, Scalar, Wanted, fields},
    notation::Values,
};

/// The most pages of a listing that are read for one reference.
const MOST_PAGES: usize = 20;

/// How the rows that belong to a reference are found.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// The request, best with `{{reference}}` as a filter; every page of it is read.
    pub call: Call,
    /// Where the rows are; without it the answer itself is the one row, and 404 says that there is none.
    #[serde(default)]
    pub rows: Option<Path>,
    /// Where a row holds the reference, from the row; without it every row counts.
    #[serde(default)]
    pub reference: Option<Path>,
    /// Where a row holds its id, from the row.
    pub id: Path,
    /// Where a page holds the cursor of the next one, and the parameter that takes it. `Link` headers are followed
    /// without being told.
    #[serde(default)]
    pub next: Option<Next>,
}

/// How a listing goes on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Next {
    /// Where the cursor is.
    pub path: Path,
    /// The query parameter that takes it.
    pub parameter: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// These rows, and no others: the listing was read to its end.
    Rows(Vec<FoundRow>),
    /// It could not be seen, and why.
    Unseen(String, Option<ExchangeId>),
}

/// A row that belongs to the reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundRow {
    /// Its id, as text.
    pub id: String,
    /// The exchange that showed it.
    pub exchange: ExchangeId,
    /// What else was asked for of it, in the order asked; numbers as written.
    pub fields: Vec<Option<Scalar>>,
}

impl Found {
    /// The ids, if the listing could be read.
    pub fn ids(&self) -> Option<Vec<&str>> {
        match self {
            Self::Rows(rows) => Some(rows.iter().map(|row| row.id.as_str()).collect()),
            Self::Unseen(..) => None,
        }
    }

    /// The exchanges that show it.
    pub fn exchanges(&self) -> Vec<ExchangeId> {
        match self {
            Self::Rows(rows) => rows.iter().map(|row| row.exchange).collect(),
            Self::Unseen(_, id) => id.iter().copied().collect(),
        }
    }
}

impl Find {
    /// Reads the rows that belong to `reference`, with these `extra` values of each row. `values` are filled in too;
    /// `{{reference}}` is the reference.
    pub async fn find(
        &self,
        session: &dyn Session,
        own: Option<&str>,
        values: &Values,
        reference: &str,
        extra: &[Path],
    ) -> Found {
        let mut values = values.clone();
        values.insert("reference".into(), reference.to_owned());
        let mut request = match self.call.build(self.call.who(own), &values, "look up what exists") {
            Ok(request) => request,
            Err(why) => return Found::Unseen(why, None),
        };
        let mut rows = Vec::new();
        for _ in 0..MOST_PAGES {
            match self.page(session.send(request.clone()).await, reference, extra, &mut rows) {
                Page::Last => return Found::Rows(rows),
                Page::Unseen(why, id) => return Found::Unseen(why, id),
                Page::Cursor(parameter, cursor) => {
                    request.query.retain(|(name, _)| *name != parameter);
                    request.query.push((parameter, cursor));
                }
                Page::Link(target) => {
                    let Request { who, headers, purpose, .. } = request;
                    request = Request::new(who, "GET", target).purpose(purpose);
                    request.headers = headers;
                }
            }
        }
        Found::Unseen(format!("the listing of {} goes on after {MOST_PAGES} pages", self.call.request), None)
    }

    fn page(&self, outcome: Outcome, reference: &str, extra: &[Path], rows: &mut Vec<FoundRow>) -> Page {
        let reply = match outcome {
            Ok(reply) => reply,
            Err(Failure { id, message, .. }) => return Page::Unseen(message, id),
        };
        let unseen = |why: String| Page::Unseen(format!("{}: {why}", self.call.request), Some(reply.id));
        if self.rows.is_none() && matches!(reply.status, 404 | 410) {
            return Page::Last;
        }
        if reply.status == 204 {
            return Page::Last;
        }
        if !reply.is_success() {
            return unseen(format!("answered with status {}", reply.status));
        }
        let mut wanted = vec![self.id.clone()];
        wanted.extend(self.reference.clone());
        let first_extra = wanted.len();
        wanted.extend_from_slice(extra);
        let mut nameless = 0;
        let mut take = |fields: &mut [Option<Scalar>]| {
            let text = |at: usize, fields: &[Option<Scalar>]| {
                fields.get(at).and_then(Option::as_ref).and_then(Scalar::text).map(str::to_owned)
            };
            if self.reference.is_some() && text(1, fields).as_deref() != Some(reference) {
                return;
            }
            match text(0, fields) {
                Some(id) => {
                    let fields = fields[first_extra..].to_vec();
                    rows.push(FoundRow { id, exchange: reply.id, fields });
                }
                None => nameless += 1,
            }
        };
        let mut cursor = None;
        match &self.rows {
            None => match fields(&reply.body, &wanted) {
                Ok(mut found) => take(&mut found),
                Err(why) => return unseen(why),
            },
            Some(path) => {
                let page = self.next.iter().map(|next| next.path.clone()).collect();
                let reader = PageReader::new(Wanted { rows: path.clone(), fields: wanted, page });
                match reader.read(&reply.body, &mut take) {
                    Err(why) => return unseen(why),
                    Ok(read) if read.rows.is_none() => return unseen(format!("no list of rows at {path}")),
                    Ok(read) => cursor = read.page.into_iter().next().flatten(),
                }
            }
        }
        if nameless > 0 {
            return unseen(format!("{nameless} rows have no id at {}", self.id));
        }
        if let (Some(next), Some(cursor)) = (&self.next, cursor.as_ref().and_then(Scalar::text))
            && !cursor.is_empty()
        {
            return Page::Cursor(next.parameter.clone(), cursor.to_owned());
        }
        if self.rows.is_some()
            && let Some(link) = parse_links(reply.headers.all("link"))
                .into_iter()
                .find(|link| link.rels.iter().any(|rel| rel == "next"))
        {
            return match reply.url.join(&link.target) {
                Ok(url) => Page::Link(url.to_string()),
                Err(why) => unseen(format!("the next link cannot be followed: {why}")),
            };
        }
        Page::Last
    }

    /// Says what is wrong with it; `at` is its place in the item, `own` are names that the check itself supplies.
    pub fn problems(&self, at: &str, setting: &Setting<'_>, own: &[&str], problems: &mut Vec<Problem>) {
        let own: Vec<&str> = own.iter().copied().chain(["reference"]).collect();
        self.call.problems(&format!("{at}/call"), setting, &own, problems);
        if !self.call.is_safe() {
            let message = format!("`{}` looks something up, so it must be a GET", self.call.request.method);
            problems.push(Problem::new(format!("{at}/call/request"), message));
        }
        if self.reference.is_none() && !self.call.uses("reference") {
            let problem = Problem::new(at, "nothing ties the rows to the reference");
            problems.push(problem.help("say where a row holds it (`reference`), or use `{{reference}}` in the call"));
        }
    }
}

enum Page {
    Last,
    Cursor(String, String),
    Link(String),
    Unseen(String, Option<ExchangeId>),
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use serde_json::json;

    use super::{
        super::testing::{Fake, Given, given},
        *,
    };

    fn seen(find: serde_json::Value, answer: impl Fn(&Request) -> Given + Send + 'static) -> Found {
        let find: Find = serde_json::from_value(find).unwrap();
        let fake = Fake::new(move |request, _| Ok(answer(request)));
        let extra = ["$.amount".parse().unwrap()];
        find.find(&fake, None, &Values::new(), "R-1", &extra).now_or_never().unwrap()
    }

    #[test]
    fn every_page_is_read_and_only_rows_of_the_reference_count() {
        let find = json!({
            "call": {"request": "GET /x"}, "rows": "$.data", "reference": "$.ref", "id": "$.id",
            "next": {"path": "$.next", "parameter": "cursor"}
        });
        let found = seen(find, |request| match request.query.first() {
            None => given(
                200,
                &json!({"data": [{"id": 1, "ref": "R-1", "amount": "0.10"}, {"id": 2, "ref": "R-2"}], "next": "c"}),
            ),
            Some((_, cursor)) => given(200, &json!({"data": [{"id": 3, "ref": "R-1"}], "next": null, "was": cursor})),
        });
        assert_eq!(found.ids().unwrap(), ["1", "3"]);
        let Found::Rows(rows) = found else { unreachable!() };
        assert_eq!(rows[0].fields, [Some(Scalar::Text("0.10".into()))]);
    }

    #[test]
    fn one_resource_is_one_row_and_404_is_none() {
        let find = json!({"call": {"request": "GET /x/{{reference}}"}, "id": "$.id"});
        let answer = |request: &Request| {
            assert_eq!(request.target, "/x/R-1");
            given(200, &json!({"id": "a"}))
        };
        assert_eq!(seen(find.clone(), answer).ids().unwrap(), ["a"]);
        assert_eq!(seen(find.clone(), |_| given(404, &json!({}))).ids().unwrap(), Vec::<&str>::new());
        assert!(seen(find, |_| given(500, &json!({}))).ids().is_none());
    }

    #[test]
    fn what_does_not_end_or_has_no_rows_is_unseen() {
        let find = json!({"call": {"request": "GET /x"}, "rows": "$.data", "reference": "$.ref", "id": "$.id"});
        let endless = |_: &Request| given(200, &json!({"data": []})).header("link", "</x?p=2>; rel=\"next\"");
        assert!(matches!(seen(find.clone(), endless), Found::Unseen(why, _) if why.contains("20 pages")));
        assert!(matches!(seen(find, |_| given(200, &json!([]))), Found::Unseen(why, _) if why.contains("no list")));
    }
}
