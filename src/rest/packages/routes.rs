//! Listing, showing and deleting packages.

use axum::response::Response;
use domain::{Failure, PackageFormat, PackageStatus, Subject};
use gateway::{Call, Intent, Levels, RouteTable, dialect, scalars::number_of};
use http::{Method, StatusCode};

use super::{
    RestDestroyPackage, RestPackage, RestPackagePipelines, RestPackages, RestProjectOfPackages,
    rest_destroy_package, rest_package, rest_package_pipelines, rest_packages, rest_project_of_packages,
    wire,
};
use crate::{
    keyset::Keyset,
    paging::{Paging, next_of},
    params::{Direction, Params, path_id},
    shape::{no_content, refuse_changed, refuse_errors},
};

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let of_project = "/api/v4/projects/{id}/packages";
    table.route(Method::GET, Levels::Project, of_project, Intent::Read, |call| list(call, Place::Project));
    table.route(Method::GET, Levels::Project, "/api/v4/groups/{id}/packages", Intent::Read, |call| {
        list(call, Place::Group)
    });
    let one = "/api/v4/projects/{id}/packages/{package_id}";
    table.route(Method::GET, Levels::Project, one, Intent::Read, show);
    table.route(Method::DELETE, Levels::Project, one, Intent::Write, destroy);
    let pipelines = format!("{one}/pipelines");
    table.route(Method::GET, Levels::Project, &pipelines, Intent::Read, list_pipelines);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Project,
    Group,
}

async fn list(call: Call, place: Place) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = Paging::of(&params)?;
    let named = Some(call.param("id").to_owned());
    let scope = match place {
        Place::Project => rest_packages::PackageScopeInput { project_path: named, group_path: None },
        Place::Group => rest_packages::PackageScopeInput { project_path: None, group_path: named },
    };
    let variables = rest_packages::Variables {
        scope,
        package_name: params.text("package_name")?,
        package_type: params.choice("package_type", package_type)?,
        package_version: params.text("package_version")?,
        status: params.choice("status", status)?,
        include_versionless: params.flag("include_versionless")?.unwrap_or(false),
        include_subgroups: !params.flag("exclude_subgroups")?.unwrap_or(false),
        sort: order(&params, place)?,
        first: page.first(),
        skip: page.skip(),
        after: page.after(),
        count_limit: page.count_limit(),
    };
    let packages = call.run::<RestPackages>(variables).await?.packages;
    let external_url = call.gateway.external_url();
    let rows: Vec<_> = packages
        .nodes
        .into_iter()
        .map(|package| wire::listed(package, external_url, place == Place::Group))
        .collect();
    page.respond(&call, &rows, packages.count, next_of!(packages))
}

fn package_type(name: &str) -> Option<rest_packages::PackageTypeEnum> {
    let format = PackageFormat::from_slug(name)?;
    serde_json::from_value(format.sdl_name().into()).ok()
}

fn status(name: &str) -> Option<rest_packages::PackageStatus> {
    PackageStatus::from_name(name)?;
    serde_json::from_value(name.to_ascii_uppercase().into()).ok()
}

fn order(params: &Params, place: Place) -> Result<rest_packages::PackageGroupSort, Failure> {
    use rest_packages::PackageGroupSort as Sort;
    let descending = params.direction()? == Some(Direction::Descending);
    let sort = params.choice("order_by", |text| {
        Some(match (text, descending) {
            ("created_at", false) => Sort::CreatedAsc,
            ("created_at", true) => Sort::CreatedDesc,
            ("name", false) => Sort::NameAsc,
            ("name", true) => Sort::NameDesc,
            ("version", false) => Sort::VersionAsc,
            ("version", true) => Sort::VersionDesc,
            ("type", false) => Sort::TypeAsc,
            ("type", true) => Sort::TypeDesc,
            ("project_path", false) if place == Place::Group => Sort::ProjectPathAsc,
            ("project_path", true) if place == Place::Group => Sort::ProjectPathDesc,
            _ => return None,
        })
    })?;
    Ok(sort.unwrap_or(if descending { Sort::CreatedDesc } else { Sort::CreatedAsc }))
}

/// The package that a path names, which must be in the project that the path names.
pub(crate) async fn project_package(call: &Call) -> Result<rest_package::RestPackagePackage, Failure> {
    let package_id = path_id(call, "package_id")?;
    let project = call.param("id");
    let missing = || Failure { message: "Package not found".into(), ..Failure::not_found(Subject::Package) };
    let variables = rest_package::Variables { id: format!("gid://gitlab/Packages::Package/{package_id}") };
    if let Some(package) = call.run::<RestPackage>(variables).await?.package {
        let named = number_of(&package.project.id).is_some_and(|number| number.to_string() == project)
            || package.project.full_path.eq_ignore_ascii_case(project);
        return if named { Ok(package) } else { Err(missing()) };
    }
    // Nothing to show: say whether it is the project that is out of reach, or the package that is not there.
    let scope = rest_project_of_packages::PackageScopeInput {
        project_path: Some(project.to_owned()),
        group_path: None,
    };
    call.run::<RestProjectOfPackages>(rest_project_of_packages::Variables { scope }).await?;
    Err(missing())
}

async fn show(call: Call) -> Result<Response, Failure> {
    let package = project_package(&call).await?;
    Ok(dialect::answer(StatusCode::OK, &wire::detailed(package, call.gateway.external_url())))
}

/// Most pipelines of a page (GitLab's limit).
const MOST_PIPELINES: i64 = 20;

async fn list_pipelines(call: Call) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let refused = || Failure::invalid("per_page", "per_page does not have a valid value");
    let first = match params.number("per_page")? {
        None => MOST_PIPELINES,
        Some(number) if (1..=MOST_PIPELINES).contains(&number) => number,
        Some(_) => return Err(refused()),
    };
    let package = project_package(&call).await?;
    let after = params.filled("cursor")?;
    let variables = rest_package_pipelines::Variables { id: package.id, first, after };
    let found = call.run::<RestPackagePipelines>(variables).await?.package;
    let pipelines = found.and_then(|package| package.pipelines).ok_or_else(Failure::internal)?;
    let next = pipelines.page_info.end_cursor.clone().filter(|_| pipelines.page_info.has_next_page);
    Keyset::respond(&call, &wire::pipelines!(Some(pipelines)), next.as_deref())
}

async fn destroy(call: Call) -> Result<Response, Failure> {
    let package = project_package(&call).await?;
    refuse_changed(&call, || async { Ok(Some(package.updated_at.clone())) }).await?;
    let input = rest_destroy_package::DestroyPackageInput { id: package.id, client_mutation_id: None };
    let destroyed = call.run::<RestDestroyPackage>(rest_destroy_package::Variables { input }).await?;
    refuse_errors(destroyed.destroy_package.map(|payload| payload.errors).unwrap_or_default())?;
    Ok(no_content())
}
