//! The root of mutations: a list of nouns.

use async_graphql::MergedObject;

use crate::{
    cleanup_policy::CleanupPolicyMutation,
    group::{ChangeGroupMutation, CreateGroupMutation},
    instance::{EchoMutation, InstanceMutation, LimitsMutation},
    member::MemberMutation,
    package::{
        DeprecateMutation, DestroyManyMutation, DestroyMutation, FlagMutation, PublishMutation, TagMutation,
    },
    package_settings::PackageSettingsMutation,
    pipeline::{JobMutation, JobTokenScopeMutation},
    project::{ChangeProjectMutation, CreateProjectMutation},
    protection_rule::ProtectionRuleMutation,
    retention::RetentionMutation,
    sign_in::{PasswordMutation, ProviderMutation, SessionMutation},
    token::{AccessTokenMutation, DeployTokenMutation, ResourceTokenMutation},
    trusted_publishing::{ExchangeMutation, TrustedPublisherMutation},
    upload::UploadMutation,
    user::UserMutation,
    virtual_registry::VirtualRegistriesCleanupPolicyMutation,
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
    DestroyManyMutation,
    CleanupPolicyMutation,
    CreateProjectMutation,
    ChangeProjectMutation,
    CreateGroupMutation,
    ChangeGroupMutation,
    MemberMutation,
    AccessTokenMutation,
    DeployTokenMutation,
    ResourceTokenMutation,
    JobMutation,
    JobTokenScopeMutation,
    TrustedPublisherMutation,
    ExchangeMutation,
    UserMutation,
    InstanceMutation,
    LimitsMutation,
    EchoMutation,
    PackageSettingsMutation,
    ProtectionRuleMutation,
    RetentionMutation,
    VirtualRegistriesCleanupPolicyMutation,
    PasswordMutation,
    ProviderMutation,
    SessionMutation,
);
