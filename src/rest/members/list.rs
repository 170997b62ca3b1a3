//! Listing and showing members.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, dialect};
use http::StatusCode;
use serde_json::Value;

use super::{RestGroupMembers, RestProjectMembers, member_json, rest_group_members, rest_project_members};
use crate::{
    pagination::PageNumber,
    params::{Params, path_id},
    shape::{Place, known, user_gid, withheld},
};

/// Whether memberships given further up are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Relations {
    /// Only those given in the place itself.
    Direct,
    /// Those given above as well.
    Inherited,
}

/// What a list is restricted to.
struct Wanted {
    place: Place,
    relations: Relations,
    search: Option<String>,
    user_id: Option<String>,
}

pub(super) async fn list(call: Call, place: Place, relations: Relations) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = PageNumber::of(&params)?;
    let wanted = Wanted { place, relations, search: params.text("query")?, user_id: None };
    let (rows, count) = read(&call, wanted, page).await?;
    page.respond(&call, &rows, count)
}

pub(super) async fn show(call: Call, place: Place, relations: Relations) -> Result<Response, Failure> {
    let user_id = Some(user_gid(path_id(&call, "user_id")?));
    let wanted = Wanted { place, relations, search: None, user_id };
    let (rows, _) = read(&call, wanted, PageNumber::of(&Params::default())?).await?;
    let member = rows.first().ok_or_else(|| Failure::not_found(Subject::Member))?;
    Ok(dialect::answer(StatusCode::OK, member))
}

async fn read(call: &Call, wanted: Wanted, page: PageNumber) -> Result<(Vec<Value>, i64), Failure> {
    let full_path = call.param("id").to_owned();
    let missing = || Failure::not_found(wanted.place.subject());
    match wanted.place {
        Place::Project => {
            use rest_project_members::ProjectMemberRelation::{Direct, Inherited};
            let variables = rest_project_members::Variables {
                full_path,
                relations: match wanted.relations {
                    Relations::Direct => vec![Direct],
                    Relations::Inherited => vec![Direct, Inherited],
                },
                search: wanted.search,
                user_id: wanted.user_id,
                first: page.first(),
                skip: page.skip(),
                count_limit: PageNumber::count_limit(),
            };
            let project = call.run::<RestProjectMembers>(variables).await?.project.ok_or_else(missing)?;
            known(project.visibility, wanted.place)?;
            let members = project.project_members.ok_or_else(|| withheld(call))?;
            Ok((members.nodes.iter().map(|member| member_json!(member)).collect(), members.count))
        }
        Place::Group => {
            use rest_group_members::GroupMemberRelation::{Direct, Inherited};
            let variables = rest_group_members::Variables {
                full_path,
                relations: match wanted.relations {
                    Relations::Direct => vec![Direct],
                    Relations::Inherited => vec![Direct, Inherited],
                },
                search: wanted.search,
                user_id: wanted.user_id,
                first: page.first(),
                skip: page.skip(),
                count_limit: PageNumber::count_limit(),
            };
            let group = call.run::<RestGroupMembers>(variables).await?.group.ok_or_else(missing)?;
            known(group.visibility, wanted.place)?;
            let members = group.group_members.ok_or_else(|| withheld(call))?;
            Ok((members.nodes.iter().map(|member| member_json!(member)).collect(), members.count))
        }
    }
}
