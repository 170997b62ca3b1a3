//! Who changed what, and who was refused.
//!
//! An event is written in the transaction of its change, by the function that makes the change, in the name of the [`Actor`]
//! that the [`Store`](crate::Store) handle stands for. There is no function here that changes or removes one, and the database
//! refuses both.

mod list;
mod package;
mod refusal;
mod write;

use std::net::IpAddr;

use access::Identity;
use domain::{AuditEventId, AuthorType, EntityType, PackageFormat};
use entity::audit_event;
use serde_json::Value;
use time::OffsetDateTime;

pub use list::{AuditFilter, AuditScope, count, list};
pub(crate) use package::{Done, note};
pub use refusal::{Refusal, refuse};
pub(crate) use write::{Changes, Entity, Event, Target, write, write_attributes};

use crate::{Result, StoreError, convert};

/// In whose name a handle of the store writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub(crate) author: AuthorType,
    pub(crate) id: Option<i64>,
    pub(crate) name: String,
    pub(crate) by: Means,
    pub(crate) address: Option<IpAddr>,
}

/// By what a user acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A token of its own.
    Token,
    /// A CI job.
    Job,
    /// A session: no token at all.
    Session,
}

impl Actor {
    /// The server itself, or somebody on its machine.
    pub fn system(name: impl Into<String>) -> Self {
        Self { author: AuthorType::System, id: None, name: name.into(), by: Means::Token, address: None }
    }

    /// Whoever presented a credential: the user, or the deploy token with this user name.
    pub fn of(identity: Identity, name: impl Into<String>) -> Self {
        let (author, id) = match identity {
            Identity::Anonymous => (AuthorType::System, None),
            Identity::User { id, .. } => (AuthorType::User, Some(id.0)),
            Identity::DeployToken { id, .. } => (AuthorType::DeployToken, Some(id.0)),
            Identity::TrustedPublisher { id, .. } => (AuthorType::TrustedPublisher, Some(id.0)),
        };
        Self { author, id, name: name.into(), by: Means::Token, address: None }
    }

    /// The same, from this address.
    #[must_use]
    pub fn at(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// The same, who acts by something else than a token.
    #[must_use]
    pub fn by(self, by: Means) -> Self {
        Self { by, ..self }
    }

    /// GitLab's name for the kind of credential that was presented.
    const fn token_type(&self) -> Option<&'static str> {
        match self.author {
            AuthorType::System => None,
            AuthorType::User => match self.by {
                Means::Token => Some("PersonalAccessToken"),
                Means::Job => Some("CiJobToken"),
                Means::Session => None,
            },
            AuthorType::DeployToken => Some("DeployToken"),
            AuthorType::TrustedPublisher => Some("TrustedPublisherToken"),
        }
    }
}

/// An event that was written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEvent {
    /// The id.
    pub id: AuditEventId,
    /// The name of its kind. A newer release may have written one that this release does not know.
    pub name: String,
    /// What kind of thing it belongs to.
    pub entity_type: EntityType,
    /// What it belongs to; none for the instance.
    pub entity_id: Option<i64>,
    /// Full path of the entity, as it was.
    pub entity_path: String,
    /// Who did it.
    pub author: AuthorType,
    /// The user or deploy token.
    pub author_id: Option<i64>,
    /// Name of the author, as it was.
    pub author_name: String,
    /// GitLab's name of the class of what was changed.
    pub target_type: String,
    /// The id of what was changed.
    pub target_id: Option<i64>,
    /// What was changed, for reading.
    pub target_details: String,
    /// The format of the package it is about.
    pub package_format: Option<PackageFormat>,
    /// The name of the package it is about.
    pub package_name: Option<String>,
    /// What happened, for reading.
    pub message: String,
    /// What else there is to say.
    pub details: Value,
    /// When it happened.
    pub created_at: OffsetDateTime,
}

impl TryFrom<audit_event::Model> for AuditEvent {
    type Error = StoreError;

    fn try_from(row: audit_event::Model) -> Result<Self> {
        let corrupt = |column, number: i16| StoreError::Corrupt { column, value: number.to_string() };
        Ok(Self {
            id: AuditEventId(row.id),
            name: row.name,
            entity_type: EntityType::from_number(row.entity_type)
                .ok_or_else(|| corrupt("audit_events.entity_type", row.entity_type))?,
            entity_id: row.entity_id,
            entity_path: row.entity_path,
            author: AuthorType::from_number(row.author_type)
                .ok_or_else(|| corrupt("audit_events.author_type", row.author_type))?,
            author_id: row.author_id,
            author_name: row.author_name,
            target_type: row.target_type,
            target_id: row.target_id,
            target_details: row.target_details,
            package_format: row.package_format.map(convert::format).transpose()?,
            package_name: row.package_name,
            message: row.message,
            details: row.details,
            created_at: row.created_at,
        })
    }
}
