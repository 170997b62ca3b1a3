//! Listing and showing groups.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, dialect};
use http::StatusCode;

use super::{RestGroup, RestGroups, RestSubgroups, group_json, rest_group, rest_groups, rest_subgroups};
use crate::{
    paging::{Paging, next_of},
    params::{Direction, Params},
    shape::{Place, known},
};

/// How far down a list of subgroups goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The groups in the group itself.
    Children,
    /// All groups below.
    Descendants,
}

/// The order of a list of groups, whose enum each operation has of its own.
macro_rules! order {
    ($params:expr, $sort:ty) => {{
        type Sort = $sort;
        let direction = $params.direction()?.unwrap_or(Direction::Ascending);
        let sort = $params.choice("order_by", |text| {
            Some(match (text, direction) {
                ("name" | "similarity", Direction::Ascending) => Sort::NameAsc,
                ("name" | "similarity", Direction::Descending) => Sort::NameDesc,
                ("path", Direction::Ascending) => Sort::PathAsc,
                ("path", Direction::Descending) => Sort::PathDesc,
                ("id", Direction::Ascending) => Sort::IdAsc,
                ("id", Direction::Descending) => Sort::IdDesc,
                _ => return None,
            })
        })?;
        sort.unwrap_or(match direction {
            Direction::Ascending => Sort::NameAsc,
            Direction::Descending => Sort::NameDesc,
        })
    }};
}

pub(super) async fn list(call: Call) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = Paging::of(&params)?;
    let variables = rest_groups::Variables {
        search: params.text("search")?,
        top_level_only: params.flag("top_level_only")?.unwrap_or(false),
        owned_only: params.flag("owned")?.unwrap_or(false),
        membership: params.text("min_access_level")?.is_some()
            || params.flag("all_available")? == Some(false),
        sort: order!(params, rest_groups::GroupSort),
        first: page.first(),
        skip: page.skip(),
        after: page.after(),
        count_limit: page.count_limit(),
    };
    let groups = call.run::<RestGroups>(variables).await?.groups;
    let rows: Vec<_> = groups.nodes.iter().map(|group| group_json!(group)).collect();
    page.respond(&call, &rows, groups.count, next_of!(groups))
}

pub(super) async fn subgroups(call: Call, depth: Depth) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = Paging::of(&params)?;
    let variables = rest_subgroups::Variables {
        full_path: call.param("id").to_owned(),
        include_parent_descendants: depth == Depth::Descendants,
        search: params.text("search")?,
        owned: params.flag("owned")?.unwrap_or(false),
        sort: order!(params, rest_subgroups::GroupSort),
        first: page.first(),
        skip: page.skip(),
        after: page.after(),
        count_limit: page.count_limit(),
    };
    let group = call.run::<RestSubgroups>(variables).await?.group;
    let group = group.ok_or_else(|| Failure::not_found(Subject::Group))?;
    known(group.visibility, Place::Group)?;
    let groups = group.descendant_groups;
    let rows: Vec<_> = groups.nodes.iter().map(|group| group_json!(group)).collect();
    page.respond(&call, &rows, groups.count, next_of!(groups))
}

pub(super) async fn show(call: Call) -> Result<Response, Failure> {
    let variables = rest_group::Variables { full_path: call.param("id").to_owned() };
    let group = call.run::<RestGroup>(variables).await?.group;
    let group = group.ok_or_else(|| Failure::not_found(Subject::Group))?;
    known(group.visibility.as_ref(), Place::Group)?;
    Ok(dialect::answer(StatusCode::OK, &group_json!(group)))
}
