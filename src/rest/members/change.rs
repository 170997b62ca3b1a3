//! Adding, changing and removing members.

use axum::response::Response;
use domain::Failure;
use gateway::{Call, dialect};
use http::StatusCode;

use super::{
    RestAddMember, RestRemoveMember, RestUpdateMember, member_json, rest_add_member, rest_remove_member,
    rest_update_member,
};
use crate::{
    params::{Params, access_level, path_id},
    shape::{Place, no_content, user_gid},
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
    let input = rest_update_member::UpdateMemberInput {
        project_path,
        group_path,
        user_id: user_gid(path_id(&call, "user_id")?),
        access_level: Some(access_level(&params, "access_level")?.ok_or_else(missing_level)?),
        expires_at: params.date("expires_at")?,
    };
    let updated = call.run::<RestUpdateMember>(rest_update_member::Variables { input }).await?;
    let member = updated.update_member.and_then(|payload| payload.member).ok_or_else(Failure::internal)?;
    Ok(dialect::answer(StatusCode::OK, &member_json!(member)))
}

pub(super) async fn remove(call: Call, place: Place) -> Result<Response, Failure> {
    let (project_path, group_path) = place.paths(&call);
    let user_id = user_gid(path_id(&call, "user_id")?);
    let input = rest_remove_member::RemoveMemberInput { project_path, group_path, user_id };
    call.run::<RestRemoveMember>(rest_remove_member::Variables { input }).await?;
    Ok(no_content())
}
