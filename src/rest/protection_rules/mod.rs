//! Protection rules of projects, and of groups (ours).

mod change;
mod list;

use domain::{Failure, PackageFormat, ProtectionLevel};
use gateway::{Intent, Levels, RouteTable};
use http::Method;
use serde::de::DeserializeOwned;

use crate::{
    params::{Params, enum_named},
    shape::{Id, Place},
};

gateway::operations!(
    "protection_rules/operations.graphql":
    RestProjectProtectionRules, RestGroupProtectionRules, RestCreateProtectionRule, RestUpdateProtectionRule,
    RestDeleteProtectionRule
);

/// A rule as every route shows one. A rule of a group has its path instead of a project's number.
macro_rules! rule_json {
    ($rule:expr) => {{
        let mut json = serde_json::json!({
            "id": $crate::shape::id(&$rule.id),
            "project_id": $rule.project_id.as_deref().map($crate::shape::id),
            "package_name_pattern": $rule.package_name_pattern,
            "package_type": $crate::shape::small(&$rule.package_type),
            "minimum_access_level_for_push": $crate::shape::small(&$rule.minimum_access_level_for_push),
            "minimum_access_level_for_delete": $crate::shape::small(&$rule.minimum_access_level_for_delete),
        });
        if let Some(path) = &$rule.namespace_path {
            json["group_full_path"] = path.as_str().into();
        }
        json
    }};
}
use rule_json;

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    for place in Place::ALL {
        let all = format!("{}/packages/protection/rules", place.prefix());
        let one = format!("{all}/{{rule_id}}");
        let levels = Levels::Project;
        table.route(Method::GET, levels, &all, Intent::Read, move |call| list::list(call, place));
        table.route(Method::POST, levels, &all, Intent::Write, move |call| change::create(call, place));
        table.route(Method::PATCH, levels, &one, Intent::Write, move |call| change::update(call, place));
        table.route(Method::DELETE, levels, &one, Intent::Write, move |call| change::delete(call, place));
    }
}

/// `package_type`.
fn package_type<Type: DeserializeOwned>(params: &Params) -> Result<Option<Type>, Failure> {
    params.choice("package_type", |name| enum_named(PackageFormat::from_slug(name)?.sdl_name()))
}

/// The level that `name` gives; deleting has no level below owner, which the schema's enum knows.
fn level<Level: DeserializeOwned>(
    params: &Params,
    name: &'static str,
    lowest: ProtectionLevel,
) -> Result<Option<Level>, Failure> {
    params.choice(name, |text| level_named(text, lowest))
}

fn level_named<Level: DeserializeOwned>(text: &str, lowest: ProtectionLevel) -> Option<Level> {
    let level = ProtectionLevel::from_name(text).filter(|level| *level >= lowest)?;
    enum_named(&level.name().to_ascii_uppercase())
}
