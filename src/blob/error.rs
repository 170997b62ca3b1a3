//! How the store fails.

use std::{error::Error, io};

use domain::{ErrorCode, Failure};
use thiserror::Error;

/// What most functions of this crate answer.
pub type Result<T, E = BlobError> = std::result::Result<T, E>;

/// Why the store did not do it.
#[derive(Debug, Error)]
pub enum BlobError {
    /// Nothing is stored or staged under that name.
    #[error("the content does not exist in the store")]
    NotFound,
    /// Something is staged under that id already.
    #[error("an upload with this id exists already")]
    AlreadyStaged,
    /// The range does not lie within the content.
    #[error("the range does not lie within the {size} bytes of the content")]
    OutOfRange {
        /// Length of the content in bytes.
        size: u64,
    },
    /// More bytes came than may be stored.
    #[error("the content is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The disk, or the share of it that we may use, is full.
    #[error("no space is left in the store")]
    NoSpace,
    /// The store cannot be reached, read or written.
    #[error("the store is out of reach")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// What is stored is not what was written.
    #[error("the store is damaged: {0}")]
    Corrupt(&'static str),
    /// The folder was laid out by another release.
    #[error("the store has layout version '{found}', this release knows version '{known}'")]
    UnknownLayout {
        /// What the store says.
        found: String,
        /// What we can read.
        known: &'static str,
    },
}

impl From<io::Error> for BlobError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound,
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => error.downcast::<Self>().unwrap_or_else(|error| Self::Unavailable(error.into())),
        }
    }
}

impl From<BlobError> for io::Error {
    fn from(error: BlobError) -> Self {
        let kind = match error {
            BlobError::NotFound => io::ErrorKind::NotFound,
            BlobError::NoSpace => io::ErrorKind::StorageFull,
            BlobError::TooLarge { .. } => io::ErrorKind::FileTooLarge,
            BlobError::Corrupt(_) => io::ErrorKind::InvalidData,
            BlobError::OutOfRange { .. } => io::ErrorKind::InvalidInput,
            BlobError::AlreadyStaged => io::ErrorKind::AlreadyExists,
            BlobError::Unavailable(_) | BlobError::UnknownLayout { .. } => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl From<BlobError> for Failure {
    /// The failure as people may read it. The cause of an unexpected one goes to the log here, since it goes no further.
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::NotFound => Self::new(ErrorCode::NotFound, "The content does not exist in the store"),
            BlobError::AlreadyStaged => {
                Self::new(ErrorCode::Duplicate, "An upload with this id exists already; use another id")
            }
            BlobError::OutOfRange { size } => Self::invalid(
                "range",
                format!("The range does not lie within the {size} bytes of the content"),
            ),
            BlobError::TooLarge { limit } => Self::new(
                ErrorCode::TooLarge,
                format!("The content is larger than the limit of {limit} bytes"),
            ),
            BlobError::NoSpace => {
                tracing::error!("No space is left in the blob store");
                Self::new(
                    ErrorCode::Unavailable,
                    "The server has no space left to store the content; its administrator has to make room",
                )
            }
            BlobError::Unavailable(cause) => {
                tracing::error!(error = %cause, "The blob store is out of reach");
                Self::new(
                    ErrorCode::Unavailable,
                    "The storage of the server is out of reach; try again later",
                )
            }
            BlobError::Corrupt(_) | BlobError::UnknownLayout { .. } => {
                tracing::error!(error = %error, "The blob store cannot be used as it is");
                Self::internal()
            }
        }
    }
}

/// Why an upload was not staged. Nothing of it is left.
#[derive(Debug, Error)]
pub enum StageError<E> {
    /// The stream of bytes failed: the client went away, or sent what is no body.
    #[error("the upload broke off")]
    Interrupted(E),
    /// The store failed, or the upload is larger than the limit ([`BlobError::TooLarge`]).
    #[error(transparent)]
    Store(#[from] BlobError),
}

impl<E> From<StageError<E>> for Failure {
    fn from(error: StageError<E>) -> Self {
        match error {
            StageError::Interrupted(_) => {
                Self::new(ErrorCode::Invalid, "The upload broke off before its end; send it again")
            }
            StageError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_the_way_through_io_and_tells_no_paths() {
        let through: BlobError = io::Error::from(BlobError::TooLarge { limit: 7 }).into();
        assert!(matches!(through, BlobError::TooLarge { limit: 7 }));
        let full: BlobError = io::Error::from(io::ErrorKind::StorageFull).into();
        assert_eq!(Failure::from(full).code, ErrorCode::Unavailable);
        let secret = BlobError::Unavailable("/var/lib/entrepot".into());
        assert!(!Failure::from(secret).message.contains('/'));
    }
}
