//! The two ways through a list: numbered pages, and pages that go on from where the last one ended.

use axum::response::Response;
use domain::Failure;
use gateway::Call;
use serde::Serialize;

use crate::{keyset::Keyset, pagination::PageNumber, params::Params};

/// The page a request asks for, in the way it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paging {
    number: PageNumber,
    keyset: Option<Keyset>,
}

impl Paging {
    /// Reads `page` and `per_page`, and with `pagination=keyset` the `cursor`.
    pub(crate) fn of(params: &Params) -> Result<Self, Failure> {
        Ok(Self { number: PageNumber::of(params)?, keyset: Keyset::of(params)? })
    }

    /// `first` of a connection.
    pub(crate) const fn first(&self) -> i64 {
        self.number.first()
    }

    /// `skip` of a connection.
    pub(crate) fn skip(&self) -> i64 {
        if self.keyset.is_some() { 0 } else { self.number.skip() }
    }

    /// `after` of a connection.
    pub(crate) fn after(&self) -> Option<String> {
        self.keyset.as_ref().and_then(|keyset| keyset.cursor.clone())
    }

    /// The limit to give `count`. Pages without numbers tell no totals.
    pub(crate) const fn count_limit(&self) -> i64 {
        if self.keyset.is_some() { 0 } else { PageNumber::count_limit() }
    }

    /// A page of JSON with GitLab's headers: `count` is the number of all rows, and `next` where the next page begins, if there
    /// is one.
    pub(crate) fn respond(
        &self,
        call: &Call,
        rows: &impl Serialize,
        count: i64,
        next: Option<&str>,
    ) -> Result<Response, Failure> {
        match self.keyset {
            None => self.number.respond(call, rows, count),
            Some(_) => Keyset::respond(call, rows, next),
        }
    }
}

/// Where the page after that of a connection begins, if there is one.
macro_rules! next_of {
    ($connection:expr) => {
        $connection.page_info.end_cursor.as_deref().filter(|_| $connection.page_info.has_next_page)
    };
}
pub(crate) use next_of;
