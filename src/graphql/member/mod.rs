//! Who is a member where.

mod change;
mod list;
mod types;

pub(crate) use change::MemberMutation;
pub(crate) use list::{MemberArguments, group_members, project_members};
pub(crate) use types::{
    AccessLevel, AccessLevelEnum, GroupMember, GroupMemberRelation, MemberInterface, ProjectMemberRelation,
};
