//! Numbered pages, as GitLab tells them in headers.

use axum::response::Response;
use domain::Failure;
use gateway::{Call, dialect};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use url::form_urlencoded;

use crate::params::Params;

/// Rows of a page when the request does not say.
const DEFAULT_PER_PAGE: i64 = 20;
/// Most rows of a page.
const MAX_PER_PAGE: i64 = 100;
/// From this many rows on, totals and the last page are left out, as in GitLab.
const COUNT_LIMIT: i64 = 10_000;

/// The page a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PageNumber {
    page: i64,
    per_page: i64,
}

impl PageNumber {
    /// Reads `page` and `per_page`. More rows than allowed are cut down, as in GitLab.
    pub(crate) fn of(params: &Params) -> Result<Self, Failure> {
        let positive = |name: &'static str, default| match params.number(name)? {
            None => Ok(default),
            Some(number) if number > 0 => Ok(number),
            Some(_) => Err(Failure::invalid(name, format!("{name} does not have a valid value"))),
        };
        Ok(Self {
            page: positive("page", 1)?,
            per_page: positive("per_page", DEFAULT_PER_PAGE)?.min(MAX_PER_PAGE),
        })
    }

    /// The first page, of the largest size.
    pub(crate) const fn largest() -> Self {
        Self { page: 1, per_page: MAX_PER_PAGE }
    }

    /// The page after this one.
    pub(crate) const fn next(self) -> Self {
        Self { page: self.page + 1, per_page: self.per_page }
    }

    /// `first` of a connection.
    pub(crate) const fn first(self) -> i64 {
        self.per_page
    }

    /// `skip` of a connection.
    pub(crate) fn skip(self) -> i64 {
        (self.page - 1).saturating_mul(self.per_page).min(i64::from(i32::MAX))
    }

    /// The limit to give `count`, so that counting stops where totals are left out.
    pub(crate) const fn count_limit() -> i64 {
        COUNT_LIMIT
    }

    /// A page of JSON with GitLab's headers. `count` is the number of all rows, counted up to the limit.
    pub(crate) fn respond(self, call: &Call, rows: &impl Serialize, count: i64) -> Result<Response, Failure> {
        let mut response = dialect::answer(StatusCode::OK, rows);
        let pages = (count + self.per_page - 1) / self.per_page;
        let counted = count <= COUNT_LIMIT;
        let next = (self.page < pages).then_some(self.page + 1);
        let previous = (self.page > 1).then_some(self.page - 1);
        let text = |number: Option<i64>| number.map(|number| number.to_string()).unwrap_or_default();
        let mut fields = vec![
            ("x-page", self.page.to_string()),
            ("x-per-page", self.per_page.to_string()),
            ("x-next-page", text(next)),
            ("x-prev-page", text(previous)),
        ];
        if counted {
            fields.push(("x-total", count.to_string()));
            fields.push(("x-total-pages", pages.max(1).to_string()));
        }
        let last = counted.then_some(pages.max(1));
        let links: Vec<_> = [("prev", previous), ("next", next), ("first", Some(1)), ("last", last)]
            .into_iter()
            .filter_map(|(relation, page)| Some(format!("<{}>; rel=\"{relation}\"", self.link(call, page?))))
            .collect();
        fields.push(("link", links.join(", ")));
        for (name, value) in fields {
            let value = HeaderValue::try_from(value).map_err(|_| Failure::internal())?;
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
        Ok(response)
    }

    /// The address of another page of the same list. A token in the query is not repeated.
    fn link(self, call: &Call, page: i64) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (key, value) in call.query.iter() {
            if !matches!(key, "page" | "per_page" | "private_token" | "job_token" | "access_token") {
                query.append_pair(key, value);
            }
        }
        query.append_pair("page", &page.to_string()).append_pair("per_page", &self.per_page.to_string());
        format!("{}{}?{}", call.gateway.external_url(), call.uri.path(), query.finish())
    }
}
