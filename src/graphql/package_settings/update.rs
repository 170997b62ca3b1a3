//! Changing the settings.

use access::Action;
use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, SimpleObject};
use domain::{Failure, PackageFormat, Subject, duplicates::check_pattern};
use store::{
    IdOrPath,
    package_settings::{self, FormatChange, PackageSettingsChange},
};

use super::{PackageSettings, duplicates_by_default};
use crate::{
    context::ContextExt,
    gate, group,
    outcome::{OrError, Outcome},
    package::PackageTypeEnum,
    scalars::UntrustedRegexp,
};

/// What to change; what is left out stays.
#[derive(InputObject)]
pub(crate) struct UpdateNamespacePackageSettingsInput {
    /// Full path or decimal id of a group, or of a user's own namespace.
    namespace_path: ID,
    maven_duplicates_allowed: Option<bool>,
    maven_duplicate_exception_regex: Option<UntrustedRegexp>,
    generic_duplicates_allowed: Option<bool>,
    generic_duplicate_exception_regex: Option<UntrustedRegexp>,
    nuget_duplicates_allowed: Option<bool>,
    nuget_duplicate_exception_regex: Option<UntrustedRegexp>,
    terraform_module_duplicates_allowed: Option<bool>,
    terraform_module_duplicate_exception_regex: Option<UntrustedRegexp>,
    /// The same for any format (ours). A format that is named above as well takes what stands here.
    duplicate_settings: Option<Vec<PackageDuplicateSettingsInput>>,
    /// Null leaves it to the groups above, as with the other formats.
    maven_package_requests_forwarding: MaybeUndefined<bool>,
    lock_maven_package_requests_forwarding: Option<bool>,
    npm_package_requests_forwarding: MaybeUndefined<bool>,
    lock_npm_package_requests_forwarding: Option<bool>,
    pypi_package_requests_forwarding: MaybeUndefined<bool>,
    lock_pypi_package_requests_forwarding: Option<bool>,
    rubygems_package_requests_forwarding: MaybeUndefined<bool>,
    lock_rubygems_package_requests_forwarding: Option<bool>,
    nuget_symbol_server_enabled: Option<bool>,
    audit_events_enabled: Option<bool>,
    /// Echoed.
    client_mutation_id: Option<String>,
}

/// Whether packages of one format may be published twice; what is left out stays (ours).
#[derive(InputObject)]
pub(crate) struct PackageDuplicateSettingsInput {
    package_type: PackageTypeEnum,
    /// Null leaves it to the groups above.
    duplicates_allowed: MaybeUndefined<bool>,
    /// Names and versions for which the opposite holds; fits the whole text.
    exception_regex: Option<UntrustedRegexp>,
}

/// The settings as they now are.
#[derive(SimpleObject)]
pub(crate) struct UpdateNamespacePackageSettingsPayload {
    package_settings: Option<PackageSettings>,
    errors: Vec<String>,
    client_mutation_id: Option<String>,
}

/// Collects what is to change, each format once.
struct Changes<'a> {
    ctx: &'a Context<'a>,
    formats: Vec<FormatChange>,
}

impl Changes<'_> {
    fn of(&mut self, format: PackageFormat) -> &mut FormatChange {
        let position = self.formats.iter().position(|change| change.format == format);
        let position = position.unwrap_or_else(|| {
            let by_default = duplicates_by_default(self.ctx.state(), format).allowed;
            self.formats.push(FormatChange::none(format, by_default));
            self.formats.len() - 1
        });
        &mut self.formats[position]
    }

    /// Takes over a pattern, which came in as `field`.
    fn except(
        &mut self,
        format: PackageFormat,
        field: impl FnOnce() -> String,
        pattern: Option<UntrustedRegexp>,
    ) -> Result<(), Failure> {
        let Some(UntrustedRegexp(pattern)) = pattern else { return Ok(()) };
        check_pattern(&pattern).map_err(|reason| Failure::invalid(field(), reason))?;
        self.of(format).duplicate_exception = Some(pattern);
        Ok(())
    }
}

/// What the input asks for.
fn changes(
    ctx: &Context<'_>,
    input: UpdateNamespacePackageSettingsInput,
) -> Result<PackageSettingsChange, Failure> {
    let mut changes = Changes { ctx, formats: Vec::new() };
    for (format, field, allowed, exception) in [
        (
            PackageFormat::Maven,
            "maven",
            input.maven_duplicates_allowed,
            input.maven_duplicate_exception_regex,
        ),
        (
            PackageFormat::Generic,
            "generic",
            input.generic_duplicates_allowed,
            input.generic_duplicate_exception_regex,
        ),
        (
            PackageFormat::Nuget,
            "nuget",
            input.nuget_duplicates_allowed,
            input.nuget_duplicate_exception_regex,
        ),
        (
            PackageFormat::TerraformModule,
            "terraformModule",
            input.terraform_module_duplicates_allowed,
            input.terraform_module_duplicate_exception_regex,
        ),
    ] {
        if allowed.is_some() {
            changes.of(format).duplicates_allowed = Some(allowed);
        }
        changes.except(format, || format!("{field}DuplicateExceptionRegex"), exception)?;
    }
    for (index, wanted) in input.duplicate_settings.unwrap_or_default().into_iter().enumerate() {
        let format = wanted.package_type.into();
        if let Some(allowed) = wanted.duplicates_allowed.as_opt_ref() {
            changes.of(format).duplicates_allowed = Some(allowed.copied());
        }
        changes.except(
            format,
            || format!("duplicateSettings.{index}.exceptionRegex"),
            wanted.exception_regex,
        )?;
    }
    for (format, forwarding, lock) in [
        (
            PackageFormat::Maven,
            input.maven_package_requests_forwarding,
            input.lock_maven_package_requests_forwarding,
        ),
        (
            PackageFormat::Npm,
            input.npm_package_requests_forwarding,
            input.lock_npm_package_requests_forwarding,
        ),
        (
            PackageFormat::Pypi,
            input.pypi_package_requests_forwarding,
            input.lock_pypi_package_requests_forwarding,
        ),
        (
            PackageFormat::Rubygems,
            input.rubygems_package_requests_forwarding,
            input.lock_rubygems_package_requests_forwarding,
        ),
    ] {
        if let Some(forwarding) = forwarding.as_opt_ref() {
            changes.of(format).forwarding = Some(forwarding.copied());
        }
        if lock.is_some() {
            changes.of(format).forwarding_locked = lock;
        }
    }
    Ok(PackageSettingsChange {
        audit_events_enabled: input.audit_events_enabled,
        nuget_symbol_server_enabled: input.nuget_symbol_server_enabled,
        formats: changes.formats,
    })
}

async fn update(
    ctx: &Context<'_>,
    input: UpdateNamespacePackageSettingsInput,
) -> Result<PackageSettings, Failure> {
    let found = group::find(ctx, IdOrPath::from(input.namespace_path.as_str())).await?;
    let namespace = gate::authorize(ctx, found, Subject::Group, Action::AdministerPackages)?;
    let change = changes(ctx, input)?;
    Ok(PackageSettings(package_settings::update(ctx.store(), namespace.id, change, ctx.now()).await?))
}

#[derive(Default)]
pub(crate) struct PackageSettingsMutation;

#[Object]
impl PackageSettingsMutation {
    /// Changes what holds for the packages of a group or a user's own namespace. For owners.
    async fn update_namespace_package_settings(
        &self,
        ctx: &Context<'_>,
        input: UpdateNamespacePackageSettingsInput,
    ) -> Outcome<Option<UpdateNamespacePackageSettingsPayload>> {
        let client_mutation_id = input.client_mutation_id.clone();
        let package_settings = Some(update(ctx, input).await.or_error()?);
        Ok(Some(UpdateNamespacePackageSettingsPayload {
            package_settings,
            errors: Vec::new(),
            client_mutation_id,
        }))
    }
}
