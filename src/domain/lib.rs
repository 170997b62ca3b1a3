//! The words of the field: formats, coordinates, roles, visibility, digests, failures, and the rules a format obeys.
//!
//! Everybody may use this crate and it uses none of ours. It does no I/O and knows no async: what is here can be read,
//! tested and reasoned about without a database, a socket or a clock that ticks.

pub mod access_level;
pub mod cleanup;
pub mod clock;
pub mod coordinates;
pub mod credential;
pub mod digest;
pub mod duplicates;
pub mod event;
pub mod failure;
pub mod flag;
pub mod format;
pub mod id;
pub mod job;
pub mod level;
pub mod limits;
pub mod namespace;
pub mod password;
pub mod protection;
pub mod retention;
pub mod rules;
pub mod status;
pub mod token_limit;
pub mod visibility;
mod wildcard;

pub use access_level::{Role, Scope, Scopes};
pub use cleanup::KeptDuplicates;
pub use clock::{Clock, SystemClock, parse_instant};
pub use coordinates::{Coordinate, PackageName, PackageVersion};
pub use credential::{Carrier, Credential};
pub use digest::{DigestAlgorithm, Digests, Sha256};
pub use duplicates::Duplicates;
pub use event::{AuthorType, EntityType, EventKind};
pub use failure::{ErrorCode, Failure, Subject};
pub use flag::{PackageFlag, VersionFlag};
pub use format::PackageFormat;
pub use id::*;
pub use job::{JobKind, JobRunStatus};
pub use level::RegistryScope;
pub use limits::{InstanceLimits, Throttle, Throttled};
pub use protection::{NamePattern, ProtectionLevel, ProtectionLevels};
pub use retention::RetentionRule;
pub use status::{FileStatus, PackageStatus};
pub use token_limit::{TokenLimit, TokenLimits};
pub use visibility::{RegistryAccessLevel, Visibility};
