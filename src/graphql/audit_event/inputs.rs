//! Which part of the log is wanted.

use async_graphql::{Enum, ID, InputObject};
use domain::{AuthorType, EventKind, Failure};
use store::audit_events::AuditFilter;

use crate::{
    package::PackageTypeEnum,
    relay::global_id::{AuditEventID, DeployTokenID, UserID},
    scalars::Time,
};

macro_rules! define_sdl_enum {
    ($(($variant:ident, $name:literal, $sdl:literal, $doc:literal)),+ $(,)?) => {
        /// A kind of event (ours). The name of an event is the name here, in lower case.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
        pub(crate) enum AuditEventName {
            $(#[doc = $doc] #[graphql(name = $sdl)] $variant),+
        }

        impl From<AuditEventName> for EventKind {
            fn from(value: AuditEventName) -> Self {
                match value { $(AuditEventName::$variant => Self::$variant),+ }
            }
        }
    };
}

domain::for_each_event!(define_sdl_enum);

/// What kind of thing events belong to (ours).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::EntityType")]
pub(crate) enum AuditEventEntityType {
    /// The instance.
    Instance,
    /// A user.
    User,
    /// A group.
    Group,
    /// A project.
    Project,
}

/// In which order events come (ours).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
pub(crate) enum AuditEventSort {
    /// Oldest first.
    CreatedAsc,
    /// Newest first.
    #[default]
    CreatedDesc,
}

/// Whose log to read (ours). At most one of the two; neither means the log of the instance, which holds everything.
#[derive(InputObject)]
pub(crate) struct AuditEventScopeInput {
    /// Full path or decimal id of a project.
    pub(super) project_path: Option<ID>,
    /// Full path or decimal id of a group.
    pub(super) group_path: Option<ID>,
}

/// Which events to show (ours). What is left out restricts nothing.
#[derive(Default, InputObject)]
pub(crate) struct AuditEventFilterInput {
    /// Only this one.
    pub(super) id: Option<AuditEventID>,
    /// Of one of these kinds.
    event_names: Option<Vec<AuditEventName>>,
    /// By this user.
    author_id: Option<UserID>,
    /// By this deploy token.
    deploy_token_id: Option<DeployTokenID>,
    /// By whoever had this user name.
    author_name: Option<String>,
    /// About packages of this type.
    package_type: Option<PackageTypeEnum>,
    /// About the package of this name.
    package_name: Option<String>,
    /// At this instant or later.
    created_after: Option<Time>,
    /// At this instant or earlier.
    created_before: Option<Time>,
    /// That belong to something of this kind.
    entity_type: Option<AuditEventEntityType>,
    /// That belong to the thing with this number, of the kind that entityType says.
    entity_id: Option<i32>,
}

impl AuditEventFilterInput {
    /// The filter as the store takes it.
    pub(super) fn into_filter(self) -> Result<AuditFilter, Failure> {
        let author = match (self.author_id, self.deploy_token_id) {
            (Some(_), Some(_)) => {
                let message = "authorId and deployTokenId exclude each other";
                return Err(Failure::invalid("filter.deployTokenId", message));
            }
            (Some(UserID(user)), None) => Some((AuthorType::User, user.0)),
            (None, Some(DeployTokenID(token))) => Some((AuthorType::DeployToken, token.0)),
            (None, None) => None,
        };
        if self.entity_id.is_some() && self.entity_type.is_none() {
            return Err(Failure::invalid("filter.entityId", "entityId goes with entityType"));
        }
        Ok(AuditFilter {
            id: self.id.map(|AuditEventID(id)| id),
            kinds: self.event_names.unwrap_or_default().into_iter().map(Into::into).collect(),
            author,
            author_name: self.author_name,
            format: self.package_type.map(Into::into),
            package_name: self.package_name,
            created_after: self.created_after.map(|Time(instant)| instant),
            created_before: self.created_before.map(|Time(instant)| instant),
            entity_type: self.entity_type.map(Into::into),
            entity_id: self.entity_id.map(i64::from),
        })
    }
}
