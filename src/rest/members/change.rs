//! Adding, changing and removing members.

use axum::response::Response;
use domain::Failure;
use gateway::{Call, dialect};
use http::StatusCode;

use super::{
    RestAddMember, RestGroupMemberUpdatedAt, RestProjectMemberUpdatedAt, RestRemoveMember, RestUpdateMember,
    RestUpdateMemberWithoutEnd, member_json, rest_add_member, rest_group_member_updated_at,
    rest_project_member_updated_at, rest_remove_member, rest_update_member, rest_update_member_without_end,
};
use crate::{
    params::{Params, access_level, path_id},
    shape::{Place, no_content, refuse_changed, user_gid},
};

fn missing_level() -> Failure {
    Failure::invalid("access_level", "access_level is missing")
}

pub(super) async fn add(mut call: Call, place: Place) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let (project_path, group_path) = place.paths(&call);
    let (user_id, username) = (params.number("user_id")?, params.text("username")?);
    if user_id.is_none() && username.is_none() {
        let message = "user_id, username are missing, exactly one parameter must be provided";
        return Err(Failure::invalid("user_id", message));
    }
    let input = rest_add_member::AddMemberInput {
        project_path,
        group_path,
        user_id: user_id.map(user_gid),
        username,
        access_level: access_level(&params, "access_level")?.ok_or_else(missing_level)?,
        expires_at: params.date("expires_at")?,
    };
    let added = call.run::<RestAddMember>(rest_add_member::Variables { input }).await?;
    let member = added.add_member.and_then(|payload| payload.member).ok_or_else(Failure::internal)?;
    Ok(dialect::answer(StatusCode::CREATED, &member_json!(member)))
}

pub(super) async fn update(mut call: Call, place: Place) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let (project_path, group_path) = place.paths(&call);
    let user_id = user_gid(path_id(&call, "user_id")?);
    let expires_at = params.date("expires_at")?;
    // What is given and empty takes the end away; what is not given leaves it.
    if params.has("expires_at") && expires_at.is_none() {
        let access_level = access_level(&params, "access_level")?.ok_or_else(missing_level)?;
        let variables =
            rest_update_member_without_end::Variables { project_path, group_path, user_id, access_level };
        let updated = call.run::<RestUpdateMemberWithoutEnd>(variables).await?.update_member;
        let member = updated.and_then(|payload| payload.member).ok_or_else(Failure::internal)?;
        return Ok(dialect::answer(StatusCode::OK, &member_json!(member)));
    }
    let input = rest_update_member::UpdateMemberInput {
        project_path,
        group_path,
        user_id,
        access_level: Some(access_level(&params, "access_level")?.ok_or_else(missing_level)?),
        expires_at,
    };
    let updated = call.run::<RestUpdateMember>(rest_update_member::Variables { input }).await?;
    let member = updated.update_member.and_then(|payload| payload.member).ok_or_else(Failure::internal)?;
    Ok(dialect::answer(StatusCode::OK, &member_json!(member)))
}

pub(super) async fn remove(call: Call, place: Place) -> Result<Response, Failure> {
    let (project_path, group_path) = place.paths(&call);
    let user_id = user_gid(path_id(&call, "user_id")?);
    refuse_changed(&call, || updated_at(&call, place, user_id.clone())).await?;
    let input = rest_remove_member::RemoveMemberInput { project_path, group_path, user_id };
    call.run::<RestRemoveMember>(rest_remove_member::Variables { input }).await?;
    Ok(no_content())
}

/// When the membership was last changed; none where there is none, or the caller may not see it.
async fn updated_at(call: &Call, place: Place, user_id: String) -> Result<Option<String>, Failure> {
    let full_path = call.param("id").to_owned();
    Ok(match place {
        Place::Project => {
            let variables = rest_project_member_updated_at::Variables { full_path, user_id };
            let found = call.run::<RestProjectMemberUpdatedAt>(variables).await?.project;
            let members = found.and_then(|project| project.project_members);
            members.and_then(|members| members.nodes.into_iter().next()?.updated_at)
        }
        Place::Group => {
            let variables = rest_group_member_updated_at::Variables { full_path, user_id };
            let found = call.run::<RestGroupMemberUpdatedAt>(variables).await?.group;
            let members = found.and_then(|group| group.group_members);
            members.and_then(|members| members.nodes.into_iter().next()?.updated_at)
        }
    })
}
