//! Connections: cursors, pages and counts, once for every list.

use std::sync::Arc;

use async_graphql::{Context, Object, ObjectType, OutputType, connection};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{Failure, parse_instant};
use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use store::{Cursor, Page, PageRequest, Side, SortValue, StoreError};
use time::format_description::well_known::Rfc3339;

use crate::{
    context::State,
    limits::Door,
    outcome::{OrError, Outcome},
};

/// A connection whose cursors are opaque texts.
pub(crate) type Connection<Node, Fields = connection::EmptyFields> =
    connection::Connection<String, Node, Fields>;

/// The standard arguments of a connection, with `skip` (ours, for numbered pages).
#[derive(Clone, Debug, Default)]
pub(crate) struct PageArguments {
    pub(crate) first: Option<i32>,
    pub(crate) last: Option<i32>,
    pub(crate) after: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) skip: Option<i32>,
}

/// What a cursor says: the order it belongs to, the value sorted by, the id.
#[derive(Serialize, Deserialize)]
struct CursorText {
    #[serde(rename = "o")]
    order: String,
    #[serde(rename = "v")]
    value: Option<CursorValue>,
    #[serde(rename = "i")]
    id: i64,
}

#[derive(Serialize, Deserialize)]
enum CursorValue {
    #[serde(rename = "t")]
    Text(String),
    #[serde(rename = "n")]
    Number(i64),
    #[serde(rename = "d")]
    Instant(String),
}

/// The cursor as clients see it, in the list order called `order`.
pub(crate) fn encode(order: &str, cursor: &Cursor) -> String {
    let value = cursor.sort.as_ref().map(|value| match value {
        SortValue::Text(text) => CursorValue::Text(text.clone()),
        SortValue::Number(number) => CursorValue::Number(*number),
        SortValue::Instant(instant) => CursorValue::Instant(instant.format(&Rfc3339).unwrap_or_default()),
    });
    let text = CursorText { order: order.to_owned(), value, id: cursor.id };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&text).unwrap_or_default())
}

/// Reads what [`encode`] wrote for the same order.
fn decode(field: &'static str, order: &str, text: &str) -> Result<Cursor, Failure> {
    let refused = || Failure::invalid(field, format!("'{text}' is not a cursor of this list"));
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
    let cursor: CursorText = serde_json::from_slice(&bytes).map_err(|_| refused())?;
    if cursor.order != order {
        return Err(Failure::invalid(field, "The cursor belongs to a list sorted otherwise"));
    }
    let sort = cursor
        .value
        .map(|value| {
            Ok::<_, Failure>(match value {
                CursorValue::Text(text) if text.contains('\0') => return Err(refused()),
                CursorValue::Text(text) => SortValue::Text(text),
                CursorValue::Number(number) => SortValue::Number(number),
                CursorValue::Instant(text) => SortValue::Instant(parse_instant(&text).ok_or_else(refused)?),
            })
        })
        .transpose()?;
    Ok(Cursor { sort, id: cursor.id })
}

impl PageArguments {
    /// The page asked for, in the list order called `order`. Without `first` and `last` it has the most rows the door allows;
    /// more than that is cut down to it, as GitLab does.
    pub(crate) fn request(&self, ctx: &Context<'_>, order: &str) -> Result<PageRequest, Failure> {
        let cap = ctx.data_opt::<Door>().copied().unwrap_or_default().page_size();
        let size = |field: &'static str, wanted: i32| {
            u64::try_from(wanted)
                .map(|wanted| wanted.min(cap))
                .map_err(|_| Failure::invalid(field, format!("{field} must not be negative, {wanted} is")))
        };
        let (side, limit) = match (self.first, self.last) {
            (Some(_), Some(_)) => return Err(Failure::invalid("last", "first and last exclude each other")),
            (Some(first), None) => (Side::First, size("first", first)?),
            (None, Some(last)) => (Side::Last, size("last", last)?),
            (None, None) => (Side::First, cap),
        };
        let offset = size_of_skip(self.skip)?;
        if offset > 0 && side == Side::Last {
            return Err(Failure::invalid("skip", "skip goes with first, not with last"));
        }
        let cursor =
            |field, text: &Option<String>| text.as_deref().map(|text| decode(field, order, text)).transpose();
        Ok(PageRequest {
            side,
            limit,
            after: cursor("after", &self.after)?,
            before: cursor("before", &self.before)?,
            offset,
        })
    }
}

impl PageArguments {
    /// The page asked for of a list that is in memory, sorted as it shall be shown.
    pub(crate) fn slice<T>(
        &self,
        ctx: &Context<'_>,
        rows: Vec<T>,
        id: impl Fn(&T) -> i64,
    ) -> Result<Page<T>, Failure> {
        self.slice_in(ctx, rows, "tag", id)
    }

    /// The same with the count of the list, whose cursors belong to the order called `order`.
    pub(crate) fn counted_slice<T>(
        &self,
        ctx: &Context<'_>,
        rows: Vec<T>,
        order: &str,
        id: impl Fn(&T) -> i64,
    ) -> Result<(Page<T>, Count), Failure> {
        let length = rows.len() as u64;
        let page = self.slice_in(ctx, rows, order, id)?;
        Ok((page, Count::new(move |_, _| async move { Ok(length) })))
    }

    fn slice_in<T>(
        &self,
        ctx: &Context<'_>,
        mut rows: Vec<T>,
        order: &str,
        id: impl Fn(&T) -> i64,
    ) -> Result<Page<T>, Failure> {
        let request = self.request(ctx, order)?;
        let position = |cursor: &Option<Cursor>, rows: &[T]| {
            cursor.as_ref().and_then(|cursor| rows.iter().position(|row| id(row) == cursor.id))
        };
        let mut has_next = false;
        if let Some(before) = position(&request.before, &rows) {
            rows.truncate(before);
            has_next = true;
        }
        let skipped = usize::try_from(request.offset).unwrap_or(usize::MAX);
        let after = position(&request.after, &rows).map_or(0, |after| after + 1).saturating_add(skipped);
        let after = after.min(rows.len());
        let mut rows = rows.split_off(after);
        let mut has_previous = after > 0;
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        match request.side {
            Side::First => {
                has_next |= rows.len() > limit;
                rows.truncate(limit);
            }
            Side::Last => {
                has_previous |= rows.len() > limit;
                rows.drain(..rows.len().saturating_sub(limit));
            }
        }
        Ok(Page { rows, has_next, has_previous })
    }
}

fn size_of_skip(skip: Option<i32>) -> Result<u64, Failure> {
    u64::try_from(skip.unwrap_or(0)).map_err(|_| Failure::invalid("skip", "skip must not be negative"))
}

/// The connection that a page makes.
pub(crate) fn connect<T, Node, Fields>(
    page: Page<T>,
    order: &str,
    fields: Fields,
    cursor: impl Fn(&T) -> Cursor,
    node: impl Fn(T) -> Node,
) -> Connection<Node, Fields>
where
    Node: OutputType,
    Fields: ObjectType,
{
    let mut connection = Connection::with_additional_fields(page.has_previous, page.has_next, fields);
    connection.edges.extend(page.rows.into_iter().map(|row| {
        let cursor = encode(order, &cursor(&row));
        connection::Edge::new(cursor, node(row))
    }));
    connection
}

type Counter = dyn Fn(Arc<State>, Option<u64>) -> BoxFuture<'static, Result<u64, StoreError>> + Send + Sync;

/// Counts a list when asked to, not before.
pub(crate) struct Count(Box<Counter>);

impl Count {
    /// Counts with `counter`, which may stop at the limit it is given.
    pub(crate) fn new<F, Fut>(counter: F) -> Self
    where
        F: Fn(Arc<State>, Option<u64>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<u64, StoreError>> + Send + 'static,
    {
        Self(Box::new(move |state, limit| Box::pin(counter(state, limit))))
    }
}

/// The count of a connection.
#[Object]
impl Count {
    /// How many there are. With a limit, at most one more than the limit.
    async fn count(&self, ctx: &Context<'_>, limit: Option<i32>) -> Outcome<i32> {
        let limit = match limit {
            None => None,
            Some(limit) => Some(
                u64::try_from(limit)
                    .map_err(|_| Failure::invalid("limit", "limit must not be negative"))
                    .or_error()?
                    + 1,
            ),
        };
        let state = Arc::clone(ctx.data_unchecked::<Arc<State>>());
        let count = (self.0)(state, limit).await.or_error()?;
        Ok(i32::try_from(count).unwrap_or(i32::MAX))
    }
}
