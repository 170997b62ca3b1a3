//! Reading packages: by id, and by coordinates as adapters do.

use access::{Action, Packages};
use async_graphql::{Context, Object};
use domain::{Failure, PackageName, PackageVersion, Subject, rules::FormatRules};
use store::packages::{self, FileCoordinates, NameFilter, PackageScope};

use super::{
    document::{PackageDocument, open_document},
    file::PackageFile,
    index::{PackageIndex, open_index},
    inputs::{PackageScopeInput, PackageStatus, PackageTypeEnum},
    list::{GroupPackageSort, ListArguments, list},
    scope::{Sought, missing, open_scope, packages_named},
    types::{Node, Package, PackageDetails},
};
use crate::{
    context::ContextExt,
    gate,
    limits::{Once, connection_complexity, once},
    outcome::{OrError, Outcome},
    relay::{
        connection::{Connection, Count, PageArguments, connect},
        global_id::PackagesPackageID,
    },
};

/// A name, and a version where there is one, checked by the format's rules.
pub(super) struct Coordinates {
    pub(super) rules: &'static dyn FormatRules,
    pub(super) name: PackageName,
    pub(super) version: Option<PackageVersion>,
}

impl Coordinates {
    pub(super) fn parse(
        ctx: &Context<'_>,
        package_type: PackageTypeEnum,
        name: &str,
        version: Option<&str>,
    ) -> Result<Self, Failure> {
        let rules = ctx.state().rules.get(package_type.into())?;
        let name = rules.name(name)?;
        let version = version.map(|version| rules.version(version)).transpose()?;
        Ok(Self { rules, name, version })
    }

    /// What they are to the limits of a token.
    pub(super) fn packages(&self) -> Packages<'_> {
        packages_named(self.rules, &self.name)
    }
}

/// The file with this id, opened for `action`.
pub(super) async fn open_file(
    ctx: &Context<'_>,
    id: domain::PackageFileId,
    action: Action,
) -> Result<packages::PackageFile, Failure> {
    let found = packages::find_file_by_id(ctx.store(), ctx.viewer(), id, ctx.now()).await?;
    let file = gate::authorize_about(ctx, found, Subject::PackageFile, action, &Packages::Any)?;
    if !ctx.viewer().limits().is_empty() {
        let package = packages::find(ctx.store(), ctx.viewer(), file.package_id, ctx.now()).await?;
        gate::authorize_package(ctx, package, action)?;
    }
    Ok(file)
}

#[derive(Default)]
pub(crate) struct PackageQuery;

#[Object]
impl PackageQuery {
    /// One package by id. At most once in a request. Null when it has no details or the caller may not see it.
    async fn package(&self, ctx: &Context<'_>, id: PackagesPackageID) -> Outcome<Option<PackageDetails>> {
        once(ctx, Once::Package).or_error()?;
        let found = packages::find(ctx.store(), ctx.viewer(), id.0, ctx.now()).await.or_error()?;
        let package = gate::authorize_package(ctx, found, Action::ViewPackages).ok();
        let detailed = package.filter(|package| domain::PackageStatus::DETAILED.contains(&package.status));
        Ok(detailed.map(|package| Node::alone(package).into()))
    }

    /// One version of a package by its coordinates (ours). NOT_FOUND when there is none.
    async fn package_version(
        &self,
        ctx: &Context<'_>,
        scope: PackageScopeInput,
        package_type: PackageTypeEnum,
        package_name: String,
        package_version: Option<String>,
    ) -> Outcome<PackageDetails> {
        let coordinates =
            Coordinates::parse(ctx, package_type, &package_name, package_version.as_deref()).or_error()?;
        let named = Sought::Named(coordinates.rules, &coordinates.name);
        let scope = open_scope(ctx, &scope, named, Action::ViewPackages).await.or_error()?;
        let version = coordinates.version.as_ref().map(|version| version.key.as_str());
        let found = packages::find_version(
            ctx.store(),
            &scope,
            coordinates.rules.format(),
            &coordinates.name.key,
            version,
            ctx.now(),
        )
        .await
        .or_error()?;
        let package = found.ok_or_else(|| missing(ctx, &scope, Subject::Package)).or_error()?;
        Ok(Node::alone(package).into())
    }

    /// The packages of a scope (ours): like `packages` of a project or group, at the instance level too, and with an error that
    /// says why when the scope is refused.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn packages(
        &self,
        ctx: &Context<'_>,
        scope: PackageScopeInput,
        #[graphql(desc = "Part of the name, whatever the case.")] package_name: Option<String>,
        #[graphql(desc = "Without it, Terraform modules are left out.")] package_type: Option<
            PackageTypeEnum,
        >,
        #[graphql(desc = "The version, exactly.")] package_version: Option<String>,
        #[graphql(desc = "Without it, the displayable ones.")] status: Option<PackageStatus>,
        #[graphql(desc = "Packages without a version too.", default = false)] include_versionless: bool,
        #[graphql(desc = "Of a group: those of its subgroups too.", default = true)] include_subgroups: bool,
        #[graphql(desc = "CREATED_DESC when left out.")] sort: Option<GroupPackageSort>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages.")] skip: Option<i32>,
    ) -> Outcome<Connection<Package, Count>> {
        let sought = package_type.map_or(Sought::All, |format| Sought::Format(format.into()));
        let scope = open_scope(ctx, &scope, sought, Action::ViewPackages).await.or_error()?;
        let direct_only = match &scope {
            PackageScope::Group { group, .. } if !include_subgroups => Some(*group),
            _ => None,
        };
        let arguments = ListArguments {
            package_name,
            package_type,
            package_version,
            status,
            include_versionless,
            direct_only,
            page: PageArguments { first, last, after, before, skip },
        };
        list(ctx, scope, sort.unwrap_or(GroupPackageSort::CreatedDesc).into(), arguments).await
    }

    /// One file by its coordinates, for downloading (ours); of several files with one name the newest. NOT_FOUND when there is
    /// none. packageVersion may be left out where the file name alone identifies the file.
    async fn package_file(
        &self,
        ctx: &Context<'_>,
        scope: PackageScopeInput,
        package_type: PackageTypeEnum,
        package_name: String,
        package_version: Option<String>,
        #[graphql(desc = "The shelf, for formats that have some. Any, when left out.")] channel: Option<
            String,
        >,
        file_name: String,
    ) -> Outcome<PackageFile> {
        let coordinates =
            Coordinates::parse(ctx, package_type, &package_name, package_version.as_deref()).or_error()?;
        let named = Sought::Named(coordinates.rules, &coordinates.name);
        let scope = open_scope(ctx, &scope, named, Action::PullPackages).await.or_error()?;
        let Coordinates { rules, name, version } = coordinates;
        // What no file may be called, none is called.
        let file_name = rules
            .file_name(&name, version.as_ref(), &file_name)
            .map_err(|_| missing(ctx, &scope, Subject::PackageFile))
            .or_error()?;
        let file = FileCoordinates {
            format: rules.format(),
            name_key: name.key,
            version_key: version.map(|version| version.key),
            channel,
            file_name,
        };
        let found = packages::find_file(ctx.store(), &scope, &file, ctx.now()).await.or_error()?;
        found.map(PackageFile::from).ok_or_else(|| missing(ctx, &scope, Subject::PackageFile)).or_error()
    }

    /// One file by id, for downloading (ours). NOT_FOUND when there is none.
    async fn package_file_by_id(
        &self,
        ctx: &Context<'_>,
        id: crate::relay::global_id::PackagesPackageFileID,
    ) -> Outcome<PackageFile> {
        open_file(ctx, id.0, Action::PullPackages).await.map(PackageFile::from).or_error()
    }

    /// What an index document of one package name is made of, over all projects of the scope that the caller may see (ours).
    /// NOT_FOUND when no version is visible.
    #[graphql(complexity = "10 + child_complexity")]
    async fn package_index(
        &self,
        ctx: &Context<'_>,
        scope: PackageScopeInput,
        package_type: PackageTypeEnum,
        package_name: String,
    ) -> Outcome<PackageIndex> {
        open_index(ctx, &scope, package_type, &package_name, Action::PullPackages).await.or_error()
    }

    /// What an index document about many package names is made of, over all projects of the scope that the caller may see
    /// (ours): a repository's index, a shelf. NOT_FOUND when there is none.
    #[graphql(complexity = "10 + child_complexity")]
    async fn package_document(
        &self,
        ctx: &Context<'_>,
        scope: PackageScopeInput,
        package_type: PackageTypeEnum,
        #[graphql(desc = "The document, in the format's own words.")] document: String,
    ) -> Outcome<PackageDocument> {
        open_document(ctx, &scope, package_type, document).await.or_error()
    }

    /// The package names of a scope, in the order of their keys (ours). A name in several projects appears once for each.
    #[graphql(complexity = "10 + connection_complexity(first, None, child_complexity)")]
    async fn package_indexes(
        &self,
        ctx: &Context<'_>,
        scope: PackageScopeInput,
        package_type: PackageTypeEnum,
        #[graphql(desc = "Part of the name, whatever the case.")] search: Option<String>,
        first: Option<i32>,
        after: Option<String>,
        #[graphql(desc = "Rows to skip, for numbered pages.")] skip: Option<i32>,
    ) -> Outcome<Connection<PackageIndex, Count>> {
        let rules = ctx.state().rules.get(package_type.into()).or_error()?;
        let sought = Sought::Format(rules.format());
        let scope = open_scope(ctx, &scope, sought, Action::PullPackages).await.or_error()?;
        let filter = NameFilter { format: rules.format(), search: search.filter(|text| !text.is_empty()) };
        let arguments = PageArguments { first, after, skip, ..PageArguments::default() };
        let request = arguments.request(ctx, "name").or_error()?;
        let now = ctx.now();
        let page = packages::list_names(ctx.store(), &scope, &filter, &request, now).await.or_error()?;
        let latest = PackageIndex::latest_of(ctx, &page.rows).await.or_error()?;
        let (scope, filter) = (std::sync::Arc::new(scope), std::sync::Arc::new(filter));
        let count = Count::new(move |state, limit| {
            let (scope, filter) = (std::sync::Arc::clone(&scope), std::sync::Arc::clone(&filter));
            async move { packages::count_names(&state.store, &scope, &filter, limit, now).await }
        });
        Ok(connect(
            page,
            "name",
            count,
            |name| store::Cursor { sort: Some(name.sort_value()), id: name.id.0 },
            |name| PackageIndex::of_name(rules.format(), name, &latest),
        ))
    }
}
