//! Asking for a place to upload to.

use access::{Action, Guarded, Packages};
use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use blob::StagingId;
use domain::{ErrorCode, Failure, Subject, limits::UNLIMITED};
use store::members::Place;

use super::claim::{UPLOAD_LIFETIME, UploadClaim};
use crate::{
    context::ContextExt,
    gate,
    outcome::{OrError, Outcome},
    package::{PackageTypeEnum, packages_named},
    project,
    protection_rule::refuse_protected,
    relay::global_id::PackagesUploadID,
    scalars::Time,
};

/// Longest text that an upload id carries, in bytes.
const MAX_TEXT: usize = 512;

/// What the upload is for.
#[derive(InputObject)]
pub(crate) struct CreateUploadInput {
    /// Full path or decimal id.
    project_path: ID,
    package_type: PackageTypeEnum,
    /// Left out when only the file says it; publishPackage checks it then.
    package_name: Option<String>,
    /// Checked when given; some clients tell it only inside the body.
    package_version: Option<String>,
    /// Left out when only the file says it.
    file_name: Option<String>,
    /// How many bytes it has, as a string, where that is known: more than are accepted are refused before they travel.
    size: Option<String>,
}

/// The upload.
#[derive(SimpleObject)]
pub(crate) struct CreateUploadPayload {
    upload: Option<PackageUpload>,
    errors: Vec<String>,
}

/// A place to upload one file to.
#[derive(SimpleObject)]
pub(crate) struct PackageUpload {
    /// Names the upload in publishPackage. Good for one publish by the same caller.
    id: PackagesUploadID,
    /// Path to PUT the bytes to, below the external URL.
    path: String,
    /// Largest accepted size in bytes, as a string. 9223372036854775807 where there is no limit.
    maximum_size: String,
    /// When it stops being good.
    expires_at: Time,
}

#[derive(Default)]
pub(crate) struct UploadMutation;

#[Object]
impl UploadMutation {
    /// Asks for a place to upload one file to (ours). Refuses at once what publishPackage would refuse by right or name, so that
    /// no bytes travel in vain.
    async fn create_upload(
        &self,
        ctx: &Context<'_>,
        input: CreateUploadInput,
    ) -> Outcome<Option<CreateUploadPayload>> {
        begin(ctx, input).await.map(Some).or_error()
    }
}

fn refuse_large(size: Option<&str>, maximum: u64) -> Result<(), Failure> {
    let Some(size) = size else { return Ok(()) };
    let size: u64 = size.parse().map_err(|_| Failure::invalid("size", "size is a number of bytes"))?;
    if size <= maximum {
        return Ok(());
    }
    let message = format!("The file of {size} bytes is larger than the limit of {maximum} bytes");
    Err(Failure::new(ErrorCode::TooLarge, message))
}

async fn begin(ctx: &Context<'_>, input: CreateUploadInput) -> Result<CreateUploadPayload, Failure> {
    let some = Packages::AnyOf(input.package_type.into());
    let found = project::find(ctx, &input.project_path).await?;
    let facts = found.as_ref().map(Guarded::facts).ok_or_else(Failure::internal);
    let project = gate::authorize_about(ctx, found, Subject::Project, Action::PublishPackages, &some)?;
    let state = ctx.state();
    let rules = state.rules.get(input.package_type.into())?;
    let name = input.package_name.map(|name| rules.name(&name)).transpose()?;
    if let Some(name) = &name {
        let place = Some(Place::Project(project.id));
        gate::authorize_packages(ctx, place, Action::PublishPackages, &packages_named(rules, name))?;
    }
    let version = input.package_version.map(|version| rules.version(&version)).transpose()?;
    if let Some(name) = &name {
        let named = (rules.format(), name.display.as_str());
        refuse_protected(ctx, facts?, Action::PublishPackages, named).await?;
    }
    if let (Some(name), Some(version), Some(file_name)) = (&name, &version, &input.file_name) {
        rules.file_name(name, Some(version), file_name)?;
    }
    let package_name = name.map(|name| name.display).unwrap_or_default();
    let file_name = input.file_name.unwrap_or_default();
    if file_name.len() > MAX_TEXT || package_name.len() > MAX_TEXT {
        return Err(Failure::invalid("fileName", "The file name is too long"));
    }
    let staging = StagingId::random()?;
    let mut claim = UploadClaim::new(staging, rules.format(), project.id, ctx.caller());
    claim.package_name = package_name;
    claim.file_name = file_name;
    claim.maximum_size = state.in_force.limits().file_size(rules.format()).unwrap_or(UNLIMITED);
    refuse_large(input.size.as_deref(), claim.maximum_size)?;
    let expires_at = ctx.now() + UPLOAD_LIFETIME;
    let id = claim.seal(state, expires_at)?;
    let token = PackagesUploadID::token_of(&id.0).unwrap_or_default();
    Ok(CreateUploadPayload {
        upload: Some(PackageUpload {
            path: format!("/api/v4/package_uploads/{token}"),
            maximum_size: claim.maximum_size.to_string(),
            expires_at: expires_at.into(),
            id,
        }),
        errors: Vec::new(),
    })
}
