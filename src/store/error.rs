//! How a database operation fails.

use domain::{ErrorCode, Failure};
use sea_orm::{DbErr, RuntimeErr, SqlErr, sqlx};
use thiserror::Error;

/// The result of a database operation.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Why a database operation failed. Becomes a [`Failure`] with `?`; an unexpected cause is logged at that point, once.
#[derive(Clone, Debug, Error)]
pub enum StoreError {
    /// Refused, for a reason the caller should read.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// The database refused or did not answer.
    #[error(transparent)]
    Database(#[from] DbErr),
    /// A stored value that this release does not understand.
    #[error("{column} holds {value}, which this release does not understand")]
    Corrupt {
        /// Table and column.
        column: &'static str,
        /// What stands there.
        value: String,
    },
    /// The work was given up: it panicked, took too long, or the store is closed.
    #[error("the write was given up: {0}")]
    GivenUp(&'static str),
}

impl StoreError {
    /// Whether a unique index, or a primary key, already holds what was written.
    pub(crate) fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Database(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))))
    }

    /// The same error, or `failure` where a unique index already holds what was written.
    #[must_use]
    pub(crate) fn unique_as(self, failure: impl FnOnce() -> Failure) -> Self {
        if self.is_unique_violation() { Self::Failure(failure()) } else { self }
    }

    /// Whether the same work may succeed when tried again: PostgreSQL found a deadlock or could not serialize.
    pub(crate) fn is_transient(&self) -> bool {
        matches!(self, Self::Database(error) if matches!(code(error).as_deref(), Some("40001" | "40P01")))
    }

    /// Whether the database is out of reach or too busy, as opposed to refusing.
    fn is_unavailable(&self) -> bool {
        match self {
            Self::GivenUp(_) | Self::Database(DbErr::ConnectionAcquire(_) | DbErr::Conn(_)) => true,
            Self::Database(
                DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)),
            ) => {
                match error.as_ref() {
                    sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => true,
                    // SQLITE_BUSY and its extended forms; PostgreSQL's class 57P (shutting down) and 53 (out of room).
                    sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                        matches!(code.as_ref(), "5" | "261" | "517" | "773")
                            || code.starts_with("57P")
                            || (code.len() == 5 && code.starts_with("53"))
                    }),
                    _ => false,
                }
            }
            Self::Failure(_) | Self::Database(_) | Self::Corrupt { .. } => false,
        }
    }
}

/// The database's own code of an error.
fn code(error: &DbErr) -> Option<String> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
        }
        _ => None,
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Failure(failure) => failure,
            error if error.is_unavailable() => {
                tracing::error!(error = %error, "the database is out of reach");
                Self::new(ErrorCode::Unavailable, "The database is out of reach: try again later")
            }
            error => {
                tracing::error!(error = %error, "a database operation failed");
                Self::internal()
            }
        }
    }
}
