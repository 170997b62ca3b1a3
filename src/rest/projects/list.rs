//! Listing and showing projects.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, dialect};
use http::StatusCode;

use super::{
    RestGroupProjects, RestProject, RestProjects, project_json, rest_group_projects, rest_project,
    rest_projects,
};
use crate::{
    paging::{Paging, next_of},
    params::{Direction, Params, access_level, visibility},
    shape::{Place, known},
};

/// The order of a list of projects, whose enum each operation has of its own.
macro_rules! order {
    ($params:expr, $sort:ty) => {{
        type Sort = $sort;
        let direction = $params.direction()?.unwrap_or(Direction::Descending);
        let sort = $params.choice("order_by", |text| {
            Some(match (text, direction) {
                ("id", Direction::Ascending) => Sort::IdAsc,
                ("id" | "star_count", Direction::Descending) => Sort::IdDesc,
                ("star_count", Direction::Ascending) => Sort::IdAsc,
                ("name" | "similarity", Direction::Ascending) => Sort::NameAsc,
                ("name" | "similarity", Direction::Descending) => Sort::NameDesc,
                ("path", Direction::Ascending) => Sort::PathAsc,
                ("path", Direction::Descending) => Sort::PathDesc,
                ("created_at", Direction::Ascending) => Sort::CreatedAsc,
                ("created_at", Direction::Descending) => Sort::CreatedDesc,
                ("updated_at" | "last_activity_at", Direction::Ascending) => Sort::UpdatedAsc,
                ("updated_at" | "last_activity_at", Direction::Descending) => Sort::UpdatedDesc,
                _ => return None,
            })
        })?;
        sort.unwrap_or(match direction {
            Direction::Ascending => Sort::CreatedAsc,
            Direction::Descending => Sort::CreatedDesc,
        })
    }};
}

pub(super) async fn list(call: Call) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = Paging::of(&params)?;
    let owned = params.flag("owned")?.unwrap_or(false).then_some(rest_projects::AccessLevelEnum::Owner);
    let variables = rest_projects::Variables {
        search: params.text("search")?,
        membership: params.flag("membership")?.unwrap_or(false),
        min_access_level: match owned {
            Some(owner) => Some(owner),
            None => access_level(&params, "min_access_level")?,
        },
        visibility_level: visibility(&params)?,
        sort: order!(params, rest_projects::ProjectSort),
        first: page.first(),
        skip: page.skip(),
        after: page.after(),
        count_limit: page.count_limit(),
    };
    let projects = call.run::<RestProjects>(variables).await?.projects;
    let external_url = call.gateway.external_url();
    let rows: Vec<_> = projects.nodes.iter().map(|project| project_json!(project, external_url)).collect();
    page.respond(&call, &rows, projects.count, next_of!(projects))
}

pub(super) async fn of_group(call: Call) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = Paging::of(&params)?;
    let variables = rest_group_projects::Variables {
        full_path: call.param("id").to_owned(),
        include_subgroups: params.flag("include_subgroups")?.unwrap_or(false),
        search: params.text("search")?,
        sort: order!(params, rest_group_projects::ProjectSort),
        first: page.first(),
        skip: page.skip(),
        after: page.after(),
        count_limit: page.count_limit(),
    };
    let group = call.run::<RestGroupProjects>(variables).await?.group;
    let group = group.ok_or_else(|| Failure::not_found(Subject::Group))?;
    known(group.visibility, Place::Group)?;
    let projects = group.projects;
    let external_url = call.gateway.external_url();
    let rows: Vec<_> = projects.nodes.iter().map(|project| project_json!(project, external_url)).collect();
    page.respond(&call, &rows, projects.count, next_of!(projects))
}

pub(super) async fn show(call: Call) -> Result<Response, Failure> {
    let variables = rest_project::Variables { full_path: call.param("id").to_owned() };
    let project = call.run::<RestProject>(variables).await?.project;
    let project = project.ok_or_else(|| Failure::not_found(Subject::Project))?;
    known(project.visibility.as_ref(), Place::Project)?;
    Ok(dialect::answer(StatusCode::OK, &project_json!(project, call.gateway.external_url())))
}
