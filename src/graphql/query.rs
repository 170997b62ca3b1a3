//! The root of queries: a list of nouns.

use async_graphql::MergedObject;

use crate::{
    audit_event::AuditEventQuery,
    background::BackgroundJobQuery,
    group::GroupQuery,
    instance::{InstanceQuery, LimitsQuery},
    package::PackageQuery,
    pipeline::CurrentJobQuery,
    project::ProjectQuery,
    retention::RetentionQuery,
    sign_in::SignInQuery,
    token::{AccessTokenQuery, DeployTokenQuery},
    user::UserQuery,
};

// Projects stand first: async-graphql copies the parts of a merged object when it meets it, and the parts of `Package` lead
// back to it by way of the project. Met from there they are whole; the other way round `Package` would stay empty.
/// What can be asked.
#[derive(Default, MergedObject)]
pub(crate) struct Query(
    ProjectQuery,
    PackageQuery,
    GroupQuery,
    UserQuery,
    AccessTokenQuery,
    DeployTokenQuery,
    InstanceQuery,
    LimitsQuery,
    AuditEventQuery,
    BackgroundJobQuery,
    RetentionQuery,
    CurrentJobQuery,
    SignInQuery,
);
