//! Listing, downloading and deleting files of a package.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, Intent, Levels, RouteTable, scalars::number_of, serve};
use http::{HeaderMap, Method};
use serde_json::json;

use super::{
    RestDestroyPackageFile, RestPackageFile, RestPackageFiles, RestPackageOfFile, rest_destroy_package_file,
    rest_package_file, rest_package_files, rest_package_of_file,
};
use crate::{
    packages::{pipeline_json, project_package},
    paging::{Paging, next_of},
    params::{Direction, Params, path_id},
    shape::{id, no_content, refuse_changed, refuse_errors},
};

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let all = "/api/v4/projects/{id}/packages/{package_id}/package_files";
    let one = format!("{all}/{{package_file_id}}");
    let download = format!("{one}/download");
    table.route(Method::GET, Levels::Project, all, Intent::Read, list);
    table.route(Method::DELETE, Levels::Project, &one, Intent::Write, destroy);
    table.route(Method::GET, Levels::Project, &download, Intent::Read, download_file);
}

async fn list(call: Call) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = Paging::of(&params)?;
    let package = project_package(&call).await?;
    let variables = rest_package_files::Variables {
        id: package.id.clone(),
        sort: order(&params)?,
        first: page.first(),
        skip: page.skip(),
        after: page.after(),
        count_limit: page.count_limit(),
    };
    let answer = call.run::<RestPackageFiles>(variables).await?;
    let files = answer
        .package
        .and_then(|package| package.package_files)
        .ok_or_else(|| Failure::not_found(Subject::Package))?;
    let rows: Vec<_> = files
        .nodes
        .into_iter()
        .map(|file| {
            json!({
                "id": id(&file.id),
                "package_id": id(&package.id),
                "created_at": file.created_at,
                "file_name": file.file_name,
                "size": file.size.parse::<u64>().ok(),
                "file_md5": file.file_md5,
                "file_sha1": file.file_sha1,
                "file_sha256": file.file_sha256,
                "pipelines": file.pipeline.into_iter().map(|pipeline| pipeline_json!(pipeline)).collect::<Vec<_>>(),
            })
        })
        .collect();
    page.respond(&call, &rows, files.count, next_of!(files))
}

fn order(params: &Params) -> Result<rest_package_files::PackageFileSort, Failure> {
    use rest_package_files::PackageFileSort as Sort;
    let descending = params.direction()? == Some(Direction::Descending);
    let sort = params.choice("order_by", |text| {
        Some(match (text, descending) {
            ("id", false) => Sort::IdAsc,
            ("id", true) => Sort::IdDesc,
            ("file_name", false) => Sort::FileNameAsc,
            ("file_name", true) => Sort::FileNameDesc,
            ("created_at", false) => Sort::CreatedAsc,
            ("created_at", true) => Sort::CreatedDesc,
            _ => return None,
        })
    })?;
    Ok(sort.unwrap_or(if descending { Sort::IdDesc } else { Sort::IdAsc }))
}

/// The global id of the file a path names, and when it was last changed. It must belong to the package that the path names, and that
/// to the project.
async fn file_of_path(call: &Call) -> Result<(String, String), Failure> {
    let package = project_package(call).await?;
    let file_id = path_id(call, "package_file_id")?;
    let file = format!("gid://gitlab/Packages::PackageFile/{file_id}");
    let found = call.run::<RestPackageOfFile>(rest_package_of_file::Variables { id: file.clone() }).await?;
    let found = found.package_file_by_id;
    let belongs = number_of(&found.package_id) == number_of(&package.id);
    if belongs { Ok((file, found.updated_at)) } else { Err(Failure::not_found(Subject::PackageFile)) }
}

async fn download_file(call: Call) -> Result<Response, Failure> {
    let (file, _) = file_of_path(&call).await?;
    let count_download = call.method != Method::HEAD;
    let answer =
        call.run::<RestPackageFile>(rest_package_file::Variables { id: file, count_download }).await?;
    let file = answer.package_file_by_id;
    let download = serve::Download {
        ticket: &file.ticket,
        file_name: &file.file_name,
        size: file.size.parse().map_err(|_| Failure::internal())?,
        etag: file.file_sha256.as_deref().unwrap_or_default(),
        modified: None,
        content_type: "application/octet-stream",
    };
    serve::file(&call, download, HeaderMap::new()).await
}

async fn destroy(call: Call) -> Result<Response, Failure> {
    let (id, updated_at) = file_of_path(&call).await?;
    refuse_changed(&call, || async { Ok(Some(updated_at)) }).await?;
    let input = rest_destroy_package_file::DestroyPackageFileInput { id, client_mutation_id: None };
    let answer = call.run::<RestDestroyPackageFile>(rest_destroy_package_file::Variables { input }).await?;
    refuse_errors(answer.destroy_package_file.map(|payload| payload.errors).unwrap_or_default())?;
    Ok(no_content())
}
