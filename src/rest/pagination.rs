//! Numbered pages, as GitLab tells them in headers.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, dialect};
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded;

use crate::params::Params;

/// Rows of a page when the request does not say.
const DEFAULT_PER_PAGE: i64 = 20;
/// Most rows of a page.
const MAX_PER_PAGE: i64 = 100;
/// From this many rows on, totals and the last page are left out, as in GitLab.
const COUNT_LIMIT: i64 = 10_000;

/// The row with this id, of a place that has few: `read` gives a page of them, and how many there are.
pub(crate) async fn find_by_id<F, Fut>(wanted: i64, subject: Subject, read: F) -> Result<Value, Failure>
where
    F: Fn(PageNumber) -> Fut + Send,
    Fut: Future<Output = Result<(Vec<Value>, i64), Failure>> + Send,
{
    let mut page = PageNumber { page: 1, per_page: MAX_PER_PAGE };
    loop {
        let (rows, count) = read(page).await?;
        if let Some(row) = rows.into_iter().find(|row| row["id"] == wanted) {
            return Ok(row);
        }
        page.page += 1;
        if page.skip() >= count {
            return Err(Failure::not_found(subject));
        }
    }
}

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
        for (name, value) in self.fields(count, |page| self.link(call, page)) {
            let value = HeaderValue::try_from(value).map_err(|_| Failure::internal())?;
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
        response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
        Ok(response)
    }

    /// GitLab's headers of this page of `count` rows, `link` being the address of a page.
    fn fields(self, count: i64, link: impl Fn(i64) -> String) -> Vec<(&'static str, String)> {
        let pages = (count + self.per_page - 1) / self.per_page;
        let counted = count <= COUNT_LIMIT;
        let next = (self.page < pages).then(|| self.page + 1);
        let previous = (self.page > 1).then(|| self.page - 1);
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
        let last = counted.then(|| pages.max(1));
        let links: Vec<_> = [("prev", previous), ("next", next), ("first", Some(1)), ("last", last)]
            .into_iter()
            .filter_map(|(relation, page)| Some(format!("<{}>; rel=\"{relation}\"", link(page?))))
            .collect();
        fields.push(("link", links.join(", ")));
        fields
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

#[cfg(test)]
mod tests {
    use super::PageNumber;
    use crate::params::Params;

    fn page(pairs: &[(&str, &str)]) -> Result<PageNumber, domain::Failure> {
        PageNumber::of(&Params::of_pairs(pairs))
    }

    #[test]
    fn pages_become_first_and_skip() {
        for (pairs, first, skip) in [
            (&[][..], 20, 0),
            (&[("page", "3"), ("per_page", "10")], 10, 20),
            (&[("per_page", "1000")], 100, 0),
            (&[("page", "9223372036854775807")], 20, i64::from(i32::MAX)),
        ] {
            let page = page(pairs).expect("a page");
            assert_eq!((page.first(), page.skip()), (first, skip), "{pairs:?}");
        }
    }

    #[test]
    fn no_page_before_the_first() {
        for pairs in [&[("page", "0")][..], &[("page", "-1")], &[("per_page", "0")], &[("page", "x")]] {
            assert!(page(pairs).is_err(), "{pairs:?}");
        }
    }

    #[test]
    fn headers_say_where_the_pages_are() {
        let page = PageNumber { page: 2, per_page: 10 };
        let fields = page.fields(35, |page| format!("https://x/?page={page}"));
        let field = |name: &str| fields.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str());
        assert_eq!(field("x-page"), Some("2"));
        assert_eq!(field("x-next-page"), Some("3"));
        assert_eq!(field("x-prev-page"), Some("1"));
        assert_eq!(field("x-total"), Some("35"));
        assert_eq!(field("x-total-pages"), Some("4"));
        let expected = "<https://x/?page=1>; rel=\"prev\", <https://x/?page=3>; rel=\"next\", \
                        <https://x/?page=1>; rel=\"first\", <https://x/?page=4>; rel=\"last\"";
        assert_eq!(field("link"), Some(expected));
    }

    #[test]
    fn beyond_the_limit_there_are_no_totals() {
        let fields = PageNumber { page: 1, per_page: 20 }.fields(10_001, |page| page.to_string());
        assert!(fields.iter().all(|(name, _)| !name.starts_with("x-total")));
        let link = fields.iter().find(|(name, _)| *name == "link").map(|(_, value)| value.as_str());
        assert_eq!(link, Some("<2>; rel=\"next\", <1>; rel=\"first\""));
        let empty = PageNumber { page: 1, per_page: 20 }.fields(0, |page| page.to_string());
        assert!(empty.contains(&("x-next-page", String::new())));
    }
}
