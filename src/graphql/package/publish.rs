//! Publishing: claims are checked, the archive is inspected, the bytes are made durable, one transaction makes it visible.

mod arrival;
mod input;
mod inspection;

use std::sync::Arc;

use access::{Action, Guarded, Identity, Packages};
use async_graphql::{Context, Object};
use blob::Staged;
use domain::{Failure, Subject, rules::FormatRules};
use serde_json::Value;
use store::{
    blobs,
    members::Place,
    packages::{self, Author, NewPublication},
};

use self::{
    arrival::Arrived,
    input::{PublishPackageInput, PublishPackagePayload, check_shape},
    inspection::{Claim, Inspected},
};
use super::{duplicates, query::open_file, scope::packages_named, tag::validate_tag, types::Node};
use crate::{
    context::{ContextExt, State},
    gate,
    outcome::{OrError, Outcome},
    project,
    protection_rule::refuse_protected,
};

#[derive(Default)]
pub(crate) struct PublishMutation;

#[Object]
impl PublishMutation {
    /// Publishes a version, or adds files to one: one transaction, visible as a whole or not at all (ours).
    async fn publish_package(
        &self,
        ctx: &Context<'_>,
        input: PublishPackageInput,
    ) -> Outcome<Option<PublishPackagePayload>> {
        publish(ctx, input).await.map(Some).or_error()
    }
}

async fn publish(ctx: &Context<'_>, input: PublishPackageInput) -> Result<PublishPackagePayload, Failure> {
    let some = Packages::AnyOf(input.package_type.into());
    let found = project::find(ctx, &input.project_path).await?;
    let facts = found.as_ref().map(Guarded::facts).ok_or_else(Failure::internal);
    let project = gate::authorize_about(ctx, found, Subject::Project, Action::PublishPackages, &some)?;
    let state = Arc::clone(ctx.data_unchecked::<Arc<State>>());
    let rules = state.rules.get(input.package_type.into())?;
    check_shape(rules, &input)?;
    let tags = input.tags.clone().unwrap_or_default();
    for tag in &tags {
        validate_tag(tag)?;
    }
    let mut files = Vec::with_capacity(input.files.len());
    for (index, file) in input.files.iter().enumerate() {
        files.push(arrival::find(ctx, file, index, project.id, rules).await?);
    }
    let status = input.status.map(Into::into);
    let (claim, files) = settle(&state, rules, input, files).await?;
    let place = Some(Place::Project(project.id));
    gate::authorize_packages(ctx, place, Action::PublishPackages, &packages_named(rules, &claim.name))?;
    let named = (rules.format(), claim.name.display.as_str());
    refuse_protected(ctx, facts?, Action::PublishPackages, named).await?;
    let Inspected { name, version, files, found } = inspection::inspect(&state, rules, claim, files).await?;
    let uploads: Vec<_> = files.iter().filter_map(Arrived::upload).cloned().collect();
    let republish = duplicates::republish(ctx, &project, rules, &name, version.as_ref()).await?;
    let mut publication = NewPublication {
        project: project.id,
        rules,
        republish,
        name,
        version,
        files: files.into_iter().map(Into::into).collect(),
        metadata: found.metadata,
        dependencies: found.dependencies,
        tags,
        status,
        author: author(ctx),
    };
    packages::check(ctx.store(), &publication).await?;
    blobs::claim(ctx.store(), &mut publication).await?;
    for upload in &uploads {
        state.blobs.promote(upload.id, upload.key()).await?;
    }
    let published = packages::publish(ctx.store(), publication, ctx.now()).await?;
    forget(&state, uploads).await;
    answer(ctx, &published).await
}

/// Settles what is published and under which names: what the client said, or what the first file says where it did not.
async fn settle(
    state: &Arc<State>,
    rules: &'static dyn FormatRules,
    input: PublishPackageInput,
    mut files: Vec<Arrived>,
) -> Result<(Claim, Vec<Arrived>), Failure> {
    let metadata = input.metadata.map_or(Value::Null, |metadata| metadata.0);
    let (name, version) = match input.name {
        Some(name) => (name, input.version),
        None => {
            let (identity, arrived) = inspection::identify(state, rules, files).await?;
            files = arrived;
            if let (Some(first), Some(file_name)) = (files.first_mut(), identity.file_name) {
                first.file_name = file_name;
            }
            (identity.name, input.version.or(identity.version))
        }
    };
    if version.is_none() && !rules.allows_versionless() {
        return Err(Failure::invalid("version", "Version can't be blank"));
    }
    let name = rules.name(&name)?;
    let version = version.map(|version| rules.version(&version)).transpose()?;
    for file in &mut files {
        file.file_name = rules.file_name(&name, version.as_ref(), &file.file_name)?;
    }
    Ok((Claim { name, version, metadata }, files))
}

fn author(ctx: &Context<'_>) -> Author {
    let pipeline = ctx.caller().pipeline;
    match ctx.viewer().identity() {
        Identity::User { id, .. } => Author { user: Some(id), deploy_token: None, pipeline },
        Identity::DeployToken { id, .. } => Author { user: None, deploy_token: Some(id), pipeline },
        Identity::TrustedPublisher { .. } | Identity::Anonymous => Author::default(),
    }
}

/// Removes what is left of uploads that are published.
async fn forget(state: &State, uploads: Vec<Staged>) {
    for Staged { id, .. } in uploads {
        if let Err(error) = state.blobs.remove_staged(id).await {
            tracing::warn!(%error, upload.id = %id, "The rest of a published upload stays until the next sweep");
        }
    }
}

async fn answer(
    ctx: &Context<'_>,
    published: &packages::Published,
) -> Result<PublishPackagePayload, Failure> {
    let package = packages::find(ctx.store(), ctx.viewer(), published.package, ctx.now()).await?;
    let package = gate::authorize_package(ctx, package, Action::PublishPackages)?;
    let mut files = Vec::new();
    if ctx.look_ahead().field("packageFiles").exists() {
        for id in &published.files {
            files.push(open_file(ctx, *id, Action::PublishPackages).await?.into());
        }
    }
    Ok(PublishPackagePayload {
        package: Some(Node::alone(package).into()),
        package_files: Some(files),
        errors: Vec::new(),
    })
}
