//! Pages of lists: by keyset (a cursor names the row to go on from) or by offset (REST's page numbers).

use domain::Failure;
use sea_orm::sea_query::{Expr, ExprTrait, Order, SelectStatement, SimpleExpr, Value};
use time::OffsetDateTime;

use crate::{Result, convert};

/// The largest number that a database takes as a limit.
const MOST: u64 = i64::MAX.unsigned_abs();

/// What a list is sorted by, in the row that a cursor names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortValue {
    /// Text.
    Text(String),
    /// A number.
    Number(i64),
    /// An instant, as it was read.
    Instant(OffsetDateTime),
}

impl From<SortValue> for Value {
    fn from(value: SortValue) -> Self {
        match value {
            SortValue::Text(text) => text.into(),
            SortValue::Number(number) => number.into(),
            SortValue::Instant(instant) => convert::stored(instant).into(),
        }
    }
}

/// A place in a list: the row it names comes just before or after a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// What the list is sorted by; `None` where it is sorted by id alone.
    pub sort: Option<SortValue>,
    /// The row's id, which decides between equals.
    pub id: i64,
}

/// From which side a page is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The first rows after the `after` cursor.
    First,
    /// The last rows before the `before` cursor.
    Last,
}

/// Which way a list is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

impl Direction {
    const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

impl From<Direction> for Order {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::Ascending => Self::Asc,
            Direction::Descending => Self::Desc,
        }
    }
}

/// Which rows of a list are wanted. The caller has put its own ceiling on `limit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// From which side to count.
    pub side: Side,
    /// Most rows.
    pub limit: u64,
    /// Only rows after this one.
    pub after: Option<Cursor>,
    /// Only rows before this one.
    pub before: Option<Cursor>,
    /// Rows to skip: for numbered pages, together with [`Side::First`].
    pub offset: u64,
}

impl PageRequest {
    /// The first `limit` rows.
    pub const fn first(limit: u64) -> Self {
        Self { side: Side::First, limit, after: None, before: None, offset: 0 }
    }

    /// The last `limit` rows.
    pub fn last(limit: u64) -> Self {
        Self { side: Side::Last, ..Self::first(limit) }
    }

    /// The page with this number, counted from 1, of pages of `limit` rows.
    pub fn numbered(page: u64, limit: u64) -> Self {
        Self { offset: page.saturating_sub(1).saturating_mul(limit), ..Self::first(limit) }
    }

    /// The same, after the row that `cursor` names.
    #[must_use]
    pub fn after(mut self, cursor: Cursor) -> Self {
        self.after = Some(cursor);
        self
    }

    /// The same, before the row that `cursor` names.
    #[must_use]
    pub fn before(mut self, cursor: Cursor) -> Self {
        self.before = Some(cursor);
        self
    }
}

/// Some rows of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub rows: Vec<T>,
    /// Whether there are rows after these.
    pub has_next: bool,
    /// Whether there are rows before these.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// A page without rows.
    pub const fn empty() -> Self {
        Self { rows: Vec::new(), has_next: false, has_previous: false }
    }

    /// The same page with each row made into something else.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(change).collect(),
            has_next: self.has_next,
            has_previous: self.has_previous,
        }
    }

    /// The same page with each row made into something else, or the first error.
    pub fn try_map<U, E>(self, change: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        Ok(Page {
            rows: self.rows.into_iter().map(change).collect::<Result<_, E>>()?,
            has_next: self.has_next,
            has_previous: self.has_previous,
        })
    }
}

/// Of which kind the values are that a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SortKind {
    Text,
    Number,
    Instant,
}

impl SortValue {
    const fn kind(&self) -> SortKind {
        match self {
            Self::Text(_) => SortKind::Text,
            Self::Number(_) => SortKind::Number,
            Self::Instant(_) => SortKind::Instant,
        }
    }
}

/// What a list is sorted by: an expression that is never null, and the kind of its values, which those of cursors must have.
#[derive(Clone, Debug)]
pub(crate) struct SortKey {
    by: SimpleExpr,
    kind: SortKind,
}

impl SortKey {
    /// Sorts by text.
    pub(crate) fn text(by: impl Into<SimpleExpr>) -> Self {
        Self { by: by.into(), kind: SortKind::Text }
    }

    /// Sorts by a number.
    pub(crate) fn number(by: impl Into<SimpleExpr>) -> Self {
        Self { by: by.into(), kind: SortKind::Number }
    }

    /// Sorts by an instant.
    pub(crate) fn instant(by: impl Into<SimpleExpr>) -> Self {
        Self { by: by.into(), kind: SortKind::Instant }
    }
}

/// The order of a list: by what it is sorted by, then by id, both in one direction.
#[derive(Clone, Debug)]
pub(crate) struct Keyset {
    /// What the list is sorted by; `None` for the id alone.
    pub(crate) sort: Option<SortKey>,
    /// The id.
    pub(crate) id: SimpleExpr,
    /// Which way.
    pub(crate) direction: Direction,
}

impl Keyset {
    /// Restricts and orders `select` so that it gives the requested rows and one more, which tells whether there are more.
    /// Hand what it gives to [`Keyset::page`].
    pub(crate) fn apply(&self, select: &mut SelectStatement, request: &PageRequest) -> Result<()> {
        if let Some(cursor) = &request.after {
            select.and_where(self.beyond(cursor, self.direction)?);
        }
        if let Some(cursor) = &request.before {
            select.and_where(self.beyond(cursor, self.direction.reversed())?);
        }
        let direction = match request.side {
            Side::First => self.direction,
            Side::Last => self.direction.reversed(),
        };
        if let Some(sort) = &self.sort {
            select.order_by_expr(sort.by.clone(), direction.into());
        }
        select.order_by_expr(self.id.clone(), direction.into());
        select.limit(Ord::min(request.limit.saturating_add(1), MOST));
        if request.offset > 0 {
            select.offset(Ord::min(request.offset, MOST));
        }
        Ok(())
    }

    /// The page that the rows of an applied statement make.
    pub(crate) fn page<T>(mut rows: Vec<T>, request: &PageRequest) -> Page<T> {
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        match request.side {
            Side::First => {
                let has_previous = request.after.is_some() || request.offset > 0;
                Page { rows, has_next: more || request.before.is_some(), has_previous }
            }
            Side::Last => {
                rows.reverse();
                Page {
                    rows,
                    has_next: request.before.is_some(),
                    has_previous: more || request.after.is_some(),
                }
            }
        }
    }

    /// The rows that come after the cursor's when the list is sorted in `direction`.
    fn beyond(&self, cursor: &Cursor, direction: Direction) -> Result<SimpleExpr> {
        let (here, there) = match (&self.sort, &cursor.sort) {
            (Some(sort), Some(value)) if sort.kind == value.kind() => (
                Expr::tuple([sort.by.clone(), self.id.clone()]),
                Expr::tuple([Expr::val(Value::from(value.clone())), Expr::val(cursor.id)]),
            ),
            (None, None) => (self.id.clone(), Expr::val(cursor.id)),
            (Some(_), _) | (None, Some(_)) => {
                return Err(
                    Failure::invalid("cursor", "The cursor belongs to a list sorted otherwise").into()
                );
            }
        };
        Ok(match direction {
            Direction::Ascending => here.gt(there),
            Direction::Descending => here.lt(there),
        })
    }
}
