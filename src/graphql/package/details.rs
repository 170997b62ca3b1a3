//! What only the details of a package show: its files, dependencies and other versions.

use async_graphql::{Context, Enum, Object, SimpleObject};
use store::{
    Direction,
    packages::{self, FileFilter, FileSort, PackageFilter, PackageScope, PackageSort},
};

use super::{
    file::PackageFile,
    types::{Node, PackageBase},
};
use crate::{
    context::ContextExt,
    limits::connection_complexity,
    outcome::{OrError, Outcome},
    relay::{
        connection::{Connection, Count, PageArguments, connect},
        global_id::{PackagesDependencyID, PackagesDependencyLinkID},
    },
    scalars::Time,
};

/// What files are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub(crate) enum PackageFileSort {
    /// Oldest id first.
    IdAsc,
    /// Newest id first.
    IdDesc,
    /// Oldest first.
    CreatedAsc,
    /// Newest first.
    CreatedDesc,
    /// By name.
    FileNameAsc,
    /// By name, backwards.
    FileNameDesc,
}

impl PackageFileSort {
    const fn order(self) -> (FileSort, Direction, &'static str) {
        match self {
            Self::IdAsc => (FileSort::Id, Direction::Ascending, "id+"),
            Self::IdDesc => (FileSort::Id, Direction::Descending, "id-"),
            Self::CreatedAsc => (FileSort::Created, Direction::Ascending, "created+"),
            Self::CreatedDesc => (FileSort::Created, Direction::Descending, "created-"),
            Self::FileNameAsc => (FileSort::FileName, Direction::Ascending, "file+"),
            Self::FileNameDesc => (FileSort::FileName, Direction::Descending, "file-"),
        }
    }
}

/// How a version depends on another package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "domain::rules::DependencyType")]
pub(crate) enum PackageDependencyType {
    /// Needed to run.
    Dependencies,
    /// Needed to develop.
    DevDependencies,
    /// Shipped inside.
    BundleDependencies,
    /// Expected of whoever uses it.
    PeerDependencies,
}

/// A name and the accepted versions.
#[derive(SimpleObject)]
pub(crate) struct PackageDependency {
    id: PackagesDependencyID,
    name: String,
    version_pattern: String,
}

/// A version's dependency.
#[derive(SimpleObject)]
pub(crate) struct PackageDependencyLink {
    id: PackagesDependencyLinkID,
    dependency: Option<PackageDependency>,
    dependency_type: PackageDependencyType,
    /// Where it holds, in the format's own notation: a target framework, an extra. Empty for everywhere (ours).
    scope: String,
    metadata: Option<super::metadata::DependencyLinkMetadata>,
}

impl From<packages::DependencyLink> for PackageDependencyLink {
    fn from(link: packages::DependencyLink) -> Self {
        Self {
            id: link.id.into(),
            dependency: Some(PackageDependency {
                id: link.dependency_id.into(),
                name: link.name,
                version_pattern: link.version_pattern,
            }),
            dependency_type: link.kind.into(),
            scope: link.scope,
            metadata: None,
        }
    }
}

/// The fields that only details have.
pub(super) struct DetailFields(pub(super) Node);

#[Object]
impl DetailFields {
    /// When one of its files was last downloaded.
    async fn last_downloaded_at(&self) -> Option<Time> {
        self.0.package.last_downloaded_at.map(Into::into)
    }
    /// Whether anybody can pull it.
    async fn public_package(&self, ctx: &Context<'_>) -> Outcome<bool> {
        self.0.is_public(ctx).await
    }
    /// The other displayable versions under the same name in the same project, by version as a string.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn versions(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Option<Connection<PackageBase, Count>>> {
        let package = &self.0.package;
        let scope = PackageScope::Project(package.project.id);
        let filter = PackageFilter {
            exact_name: Some(package.name.clone()),
            format: Some(package.format),
            except: Some(package.id),
            ..PackageFilter::default()
        };
        let request =
            PageArguments { first, last, after, before, skip: None }.request(ctx, "version+").or_error()?;
        let order = (PackageSort::Version, Direction::Ascending);
        let page =
            packages::list(ctx.store(), &scope, &filter, order, &request, ctx.now()).await.or_error()?;
        super::list::package_connection(ctx, page, scope, filter, PackageSort::Version, "version+")
            .await
            .map(Some)
    }
    /// Its files that can be installed.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn package_files(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
        #[graphql(desc = "Rows to skip, for numbered pages (ours).")] skip: Option<i32>,
        #[graphql(desc = "Ours.")] sort: Option<PackageFileSort>,
    ) -> Outcome<Option<Connection<PackageFile, Count>>> {
        let (sort, direction, order) = sort.unwrap_or(PackageFileSort::IdAsc).order();
        let filter = FileFilter { package: self.0.package.id };
        let request = PageArguments { first, last, after, before, skip }.request(ctx, order).or_error()?;
        let page = packages::files(ctx.store(), filter, (sort, direction), &request).await.or_error()?;
        let page = PackageFile::of_page(ctx, page).await.or_error()?;
        let count = Count::new(move |state, limit| async move {
            packages::count_files(&state.store, filter, limit).await
        });
        Ok(Some(connect(page, order, count, |file: &PackageFile| file.cursor(sort), |file| file)))
    }
    /// What it depends on, as declared.
    #[graphql(complexity = "connection_complexity(first, last, child_complexity)")]
    async fn dependency_links(
        &self,
        ctx: &Context<'_>,
        after: Option<String>,
        before: Option<String>,
        first: Option<i32>,
        last: Option<i32>,
    ) -> Outcome<Option<Connection<PackageDependencyLink>>> {
        let request =
            PageArguments { first, last, after, before, skip: None }.request(ctx, "dependency").or_error()?;
        let page = packages::dependencies(ctx.store(), self.0.package.id, &request).await.or_error()?;
        let none = async_graphql::connection::EmptyFields;
        Ok(Some(connect(page, "dependency", none, packages::DependencyLink::cursor, Into::into)))
    }
}
