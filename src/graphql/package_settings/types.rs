//! The settings as they are read.

use async_graphql::{Context, Object, SimpleObject};
use domain::{Duplicates, PackageFormat};
use store::package_settings;

use super::duplicates_by_default;
use crate::{context::ContextExt, package::PackageTypeEnum, scalars::UntrustedRegexp};

/// What owners of a namespace decide about its packages.
pub(crate) struct PackageSettings(pub(super) package_settings::PackageSettings);

/// Whether packages of one format may be published twice (ours: GitLab knows four formats).
#[derive(SimpleObject)]
pub(crate) struct PackageDuplicateSettings {
    package_type: PackageTypeEnum,
    /// Whether they may.
    duplicates_allowed: bool,
    /// Names and versions for which the opposite holds; fits the whole text. Empty for none.
    exception_regex: UntrustedRegexp,
    /// Whether a group above decides, or nobody.
    inherited: bool,
}

impl PackageSettings {
    fn duplicates(&self, ctx: &Context<'_>, format: PackageFormat) -> Duplicates {
        let decided = self.0.of(format).duplicates;
        decided.map_or_else(|| duplicates_by_default(ctx.state(), format), |decided| decided.value)
    }

    fn duplicates_allowed(&self, ctx: &Context<'_>, format: PackageFormat) -> bool {
        self.duplicates(ctx, format).allowed
    }

    fn exception(&self, ctx: &Context<'_>, format: PackageFormat) -> UntrustedRegexp {
        UntrustedRegexp(self.duplicates(ctx, format).exception)
    }

    fn forwarding(&self, format: PackageFormat) -> Option<bool> {
        self.0.of(format).forwarding
    }

    fn locks(&self, format: PackageFormat) -> bool {
        self.0.of(format).forwarding_locked
    }

    fn is_locked(&self, format: PackageFormat) -> bool {
        self.0.of(format).forwarding_locked_above
    }
}

/// What owners of a namespace decide about its packages. What is said of one format holds in every group below until that says
/// otherwise.
#[Object]
impl PackageSettings {
    /// Whether Maven packages may be published twice.
    async fn maven_duplicates_allowed(&self, ctx: &Context<'_>) -> bool {
        self.duplicates_allowed(ctx, PackageFormat::Maven)
    }
    /// Names and versions of Maven packages for which the opposite holds; fits the whole text.
    async fn maven_duplicate_exception_regex(&self, ctx: &Context<'_>) -> Option<UntrustedRegexp> {
        Some(self.exception(ctx, PackageFormat::Maven))
    }
    /// Whether generic packages may be published twice.
    async fn generic_duplicates_allowed(&self, ctx: &Context<'_>) -> bool {
        self.duplicates_allowed(ctx, PackageFormat::Generic)
    }
    /// Names and versions of generic packages for which the opposite holds; fits the whole text.
    async fn generic_duplicate_exception_regex(&self, ctx: &Context<'_>) -> Option<UntrustedRegexp> {
        Some(self.exception(ctx, PackageFormat::Generic))
    }
    /// Whether NuGet packages may be published twice.
    async fn nuget_duplicates_allowed(&self, ctx: &Context<'_>) -> bool {
        self.duplicates_allowed(ctx, PackageFormat::Nuget)
    }
    /// Names and versions of NuGet packages for which the opposite holds; fits the whole text.
    async fn nuget_duplicate_exception_regex(&self, ctx: &Context<'_>) -> Option<UntrustedRegexp> {
        Some(self.exception(ctx, PackageFormat::Nuget))
    }
    /// Whether two projects below one top-level group may have Terraform modules of one name.
    async fn terraform_module_duplicates_allowed(&self, ctx: &Context<'_>) -> bool {
        self.duplicates_allowed(ctx, PackageFormat::TerraformModule)
    }
    /// Names of Terraform modules for which the opposite holds; fits the whole text.
    async fn terraform_module_duplicate_exception_regex(&self, ctx: &Context<'_>) -> Option<UntrustedRegexp> {
        Some(self.exception(ctx, PackageFormat::TerraformModule))
    }
    /// Whether packages may be published twice, for every format of this server (ours).
    async fn duplicate_settings(&self, ctx: &Context<'_>) -> Vec<PackageDuplicateSettings> {
        let rules = &ctx.state().rules;
        let known = PackageFormat::ALL.iter().copied().filter(|format| rules.get(*format).is_ok());
        let settings = known.map(|format| {
            let Duplicates { allowed, exception } = self.duplicates(ctx, format);
            PackageDuplicateSettings {
                package_type: format.into(),
                duplicates_allowed: allowed,
                exception_regex: UntrustedRegexp(exception),
                inherited: self.0.of(format).duplicates.is_none_or(|decided| decided.inherited),
            }
        });
        settings.collect()
    }
    /// Whether requests for Maven packages that are not here are forwarded. Null where nobody decided.
    async fn maven_package_requests_forwarding(&self) -> Option<bool> {
        self.forwarding(PackageFormat::Maven)
    }
    /// Whether groups below may not decide otherwise about Maven.
    async fn lock_maven_package_requests_forwarding(&self) -> bool {
        self.locks(PackageFormat::Maven)
    }
    /// Whether a group above keeps this one from deciding about Maven.
    async fn maven_package_requests_forwarding_locked(&self) -> bool {
        self.is_locked(PackageFormat::Maven)
    }
    /// Whether requests for npm packages that are not here are forwarded. Null where nobody decided.
    async fn npm_package_requests_forwarding(&self) -> Option<bool> {
        self.forwarding(PackageFormat::Npm)
    }
    /// Whether groups below may not decide otherwise about npm.
    async fn lock_npm_package_requests_forwarding(&self) -> bool {
        self.locks(PackageFormat::Npm)
    }
    /// Whether a group above keeps this one from deciding about npm.
    async fn npm_package_requests_forwarding_locked(&self) -> bool {
        self.is_locked(PackageFormat::Npm)
    }
    /// Whether requests for PyPI packages that are not here are forwarded. Null where nobody decided.
    async fn pypi_package_requests_forwarding(&self) -> Option<bool> {
        self.forwarding(PackageFormat::Pypi)
    }
    /// Whether groups below may not decide otherwise about PyPI.
    async fn lock_pypi_package_requests_forwarding(&self) -> bool {
        self.locks(PackageFormat::Pypi)
    }
    /// Whether a group above keeps this one from deciding about PyPI.
    async fn pypi_package_requests_forwarding_locked(&self) -> bool {
        self.is_locked(PackageFormat::Pypi)
    }
    /// Whether requests for RubyGems that are not here are forwarded. Null where nobody decided.
    async fn rubygems_package_requests_forwarding(&self) -> Option<bool> {
        self.forwarding(PackageFormat::Rubygems)
    }
    /// Whether groups below may not decide otherwise about RubyGems.
    async fn lock_rubygems_package_requests_forwarding(&self) -> bool {
        self.locks(PackageFormat::Rubygems)
    }
    /// Whether a group above keeps this one from deciding about RubyGems.
    async fn rubygems_package_requests_forwarding_locked(&self) -> bool {
        self.is_locked(PackageFormat::Rubygems)
    }
    /// Whether symbols of NuGet packages are served.
    async fn nuget_symbol_server_enabled(&self) -> bool {
        self.0.nuget_symbol_server_enabled
    }
    /// Whether publishing and deleting packages in the namespace's own projects is audited. Groups below decide for themselves.
    async fn audit_events_enabled(&self) -> bool {
        self.0.audit_events_enabled
    }
}
