//! Creating, changing and deleting groups.

use axum::response::Response;
use domain::Failure;
use gateway::{Call, dialect};
use http::StatusCode;

use super::{
    RestCreateGroup, RestDestroyGroup, RestGroupUpdatedAt, RestUpdateGroup, group_json, rest_create_group,
    rest_destroy_group, rest_group_updated_at, rest_update_group,
};
use crate::{
    params::{Params, visibility},
    shape::{accepted, refuse_changed},
};

pub(super) async fn create(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let input = rest_create_group::CreateGroupInput {
        name: params.required("name")?,
        path: params.required("path")?,
        parent_path: params.filled("parent_id")?,
        description: params.text("description")?,
        visibility: visibility(&params)?,
    };
    let created = call.run::<RestCreateGroup>(rest_create_group::Variables { input }).await?;
    let group = created.create_group.and_then(|payload| payload.group).ok_or_else(Failure::internal)?;
    Ok(dialect::answer(StatusCode::CREATED, &group_json!(group)))
}

pub(super) async fn update(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let input = rest_update_group::UpdateGroupInput {
        full_path: call.param("id").to_owned(),
        name: params.text("name")?,
        path: params.text("path")?,
        description: params.text("description")?,
        visibility: visibility(&params)?,
        package_registry_enabled: params.flag("package_registry_enabled")?,
    };
    let updated = call.run::<RestUpdateGroup>(rest_update_group::Variables { input }).await?;
    let group = updated.update_group.and_then(|payload| payload.group).ok_or_else(Failure::internal)?;
    Ok(dialect::answer(StatusCode::OK, &group_json!(group)))
}

pub(super) async fn destroy(call: Call) -> Result<Response, Failure> {
    let full_path = call.param("id").to_owned();
    refuse_changed(&call, || async {
        let variables = rest_group_updated_at::Variables { full_path: full_path.clone() };
        Ok(call.run::<RestGroupUpdatedAt>(variables).await?.group.and_then(|group| group.updated_at))
    })
    .await?;
    let input = rest_destroy_group::DestroyGroupInput { full_path };
    call.run::<RestDestroyGroup>(rest_destroy_group::Variables { input }).await?;
    Ok(accepted())
}
