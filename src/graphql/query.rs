//! The root of queries: a list of nouns.

use async_graphql::MergedObject;

use crate::{
    group::GroupQuery, instance::InstanceQuery, package::PackageQuery, project::ProjectQuery,
    token::AccessTokenQuery, user::UserQuery,
};

/// What can be asked.
#[derive(Default, MergedObject)]
pub(crate) struct Query(PackageQuery, ProjectQuery, GroupQuery, UserQuery, AccessTokenQuery, InstanceQuery);
