//! Who is a member where.

mod change;
mod list;

use access::Holder;
use domain::{MemberId, NamespaceId, ProjectId, Role, UserId};
use time::{Date, OffsetDateTime};

pub(crate) use change::not_above;
pub use change::{Caller, MemberChange, NewMember, add, remove, update};
pub use list::{Inheritance, MemberFilter, count, find, list};

use crate::users::User;

/// Where somebody is a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In a group, and so in everything below.
    Group(NamespaceId),
    /// In one project.
    Project(ProjectId),
}

impl From<Place> for Holder {
    fn from(place: Place) -> Self {
        match place {
            Place::Group(id) => Self::Group(id),
            Place::Project(id) => Self::Project(id),
        }
    }
}

/// A user in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Membership {
    /// Where.
    pub place: Place,
    /// Who.
    pub user_id: UserId,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The id.
    pub id: MemberId,
    /// Where it was given; in a list with inherited members, perhaps further up.
    pub place: Place,
    /// Who.
    pub user: User,
    /// As what.
    pub role: Role,
    /// The first day on which it no longer counts.
    pub expires_at: Option<Date>,
    /// Who added the member.
    pub created_by_id: Option<UserId>,
    /// When.
    pub created_at: OffsetDateTime,
    /// When it was last changed.
    pub updated_at: OffsetDateTime,
}
