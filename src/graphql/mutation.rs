//! The root of mutations: a list of nouns.

use async_graphql::MergedObject;

use crate::{
    package::{DeprecateMutation, DestroyMutation, PublishMutation, TagMutation},
    upload::UploadMutation,
};

/// What can be changed. One mutation is one transaction.
#[derive(Default, MergedObject)]
pub(crate) struct Mutation(UploadMutation, PublishMutation, TagMutation, DeprecateMutation, DestroyMutation);
