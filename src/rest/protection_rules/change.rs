//! Creating, changing and deleting rules.

use axum::response::Response;
use domain::{Failure, ProtectionLevel};
use gateway::{Call, dialect};
use http::StatusCode;
use serde_json::json;

use super::{
    RestCreateProtectionRule, RestDeleteProtectionRule, RestUpdateProtectionRule, level, level_named, list,
    package_type, rest_create_protection_rule, rest_delete_protection_rule, rest_update_protection_rule,
    rule_json,
};
use crate::{
    params::{Params, path_id},
    shape::{Place, no_content, refuse_changed},
};

const PUSH: &str = "minimum_access_level_for_push";
const DELETE: &str = "minimum_access_level_for_delete";

/// What a rule may not be is answered with 422, as in GitLab.
fn unprocessable(errors: &[String]) -> Response {
    dialect::answer(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "message": { "error": errors } }))
}

fn gid(id: i64) -> String {
    format!("gid://gitlab/Packages::Protection::Rule/{id}")
}

pub(super) async fn create(mut call: Call, place: Place) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let (project_path, namespace_path) = place.paths(&call);
    let package_name_pattern = params.required("package_name_pattern")?;
    let missing = || Failure::invalid("package_type", "package_type is missing");
    let package_type = package_type(&params)?.ok_or_else(missing)?;
    if !params.has(PUSH) && !params.has(DELETE) {
        let message = format!("{PUSH}, {DELETE} are missing, at least one parameter must be provided");
        return Err(Failure::invalid(PUSH, message));
    }
    let input = rest_create_protection_rule::CreatePackagesProtectionRuleInput {
        project_path,
        namespace_path,
        package_name_pattern,
        package_type,
        minimum_access_level_for_push: level(&params, PUSH, ProtectionLevel::Maintainer)?,
        minimum_access_level_for_delete: level(&params, DELETE, ProtectionLevel::Owner)?,
        client_mutation_id: None,
    };
    let created =
        call.run::<RestCreateProtectionRule>(rest_create_protection_rule::Variables { input }).await?;
    let payload = created.create_packages_protection_rule.ok_or_else(Failure::internal)?;
    match payload.package_protection_rule {
        Some(rule) => Ok(dialect::answer(StatusCode::CREATED, &rule_json!(rule))),
        None => Ok(unprocessable(&payload.errors)),
    }
}

pub(super) async fn update(mut call: Call, place: Place) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let id = path_id(&call, "rule_id")?;
    let (project_path, namespace_path) = place.paths(&call);
    let (given_push, given_delete) =
        (level(&params, PUSH, ProtectionLevel::Maintainer)?, level(&params, DELETE, ProtectionLevel::Owner)?);
    // A level that is not given stays. Who may not see the rule is refused by the mutation.
    let held = if call.session.is_anonymous() { None } else { list::find(&call, place, id).await? };
    let held = held.map(|rule| rule.shown).unwrap_or_default();
    let variables = rest_update_protection_rule::Variables {
        id: gid(id),
        project_path,
        namespace_path,
        package_name_pattern: params.text("package_name_pattern")?,
        package_type: package_type(&params)?,
        minimum_access_level_for_push: if params.has(PUSH) {
            given_push
        } else {
            held[PUSH].as_str().and_then(|name| level_named(name, ProtectionLevel::Maintainer))
        },
        minimum_access_level_for_delete: if params.has(DELETE) {
            given_delete
        } else {
            held[DELETE].as_str().and_then(|name| level_named(name, ProtectionLevel::Owner))
        },
    };
    let updated = call.run::<RestUpdateProtectionRule>(variables).await?;
    let payload = updated.update_packages_protection_rule.ok_or_else(Failure::internal)?;
    match payload.package_protection_rule {
        Some(rule) => Ok(dialect::answer(StatusCode::OK, &rule_json!(rule))),
        None => Ok(unprocessable(&payload.errors)),
    }
}

pub(super) async fn delete(call: Call, place: Place) -> Result<Response, Failure> {
    let (project_path, namespace_path) = place.paths(&call);
    let id = path_id(&call, "rule_id")?;
    refuse_changed(&call, || async { Ok(list::find(&call, place, id).await?.map(|rule| rule.updated_at)) })
        .await?;
    let id = gid(id);
    let input = rest_delete_protection_rule::DeletePackagesProtectionRuleInput {
        id,
        project_path,
        namespace_path,
        client_mutation_id: None,
    };
    call.run::<RestDeleteProtectionRule>(rest_delete_protection_rule::Variables { input }).await?;
    Ok(no_content())
}
