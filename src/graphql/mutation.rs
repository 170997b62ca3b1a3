//! The root of mutations: a list of nouns.

use async_graphql::MergedObject;

use crate::{
    group::{ChangeGroupMutation, CreateGroupMutation},
    instance::InstanceMutation,
    member::MemberMutation,
    package::{DeprecateMutation, DestroyMutation, FlagMutation, PublishMutation, TagMutation},
    package_settings::PackageSettingsMutation,
    project::{ChangeProjectMutation, CreateProjectMutation},
    protection_rule::ProtectionRuleMutation,
    token::{AccessTokenMutation, DeployTokenMutation},
    upload::UploadMutation,
    user::UserMutation,
};

/// What can be changed. One mutation is one transaction.
#[derive(Default, MergedObject)]
pub(crate) struct Mutation(
    UploadMutation,
    PublishMutation,
    TagMutation,
    DeprecateMutation,
    FlagMutation,
    DestroyMutation,
    CreateProjectMutation,
    ChangeProjectMutation,
    CreateGroupMutation,
    ChangeGroupMutation,
    MemberMutation,
    AccessTokenMutation,
    DeployTokenMutation,
    UserMutation,
    InstanceMutation,
    PackageSettingsMutation,
    ProtectionRuleMutation,
);
