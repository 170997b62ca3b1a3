//! What tokens are limited to beside their scopes (ours), in the JSON of GitLab's tokens.

use domain::{Failure, PackageFormat};
use serde::de::DeserializeOwned;

use crate::params::{Params, enum_named, invalid};

/// The limits as every route shows them.
macro_rules! limits_json {
    ($limits:expr) => {
        $limits
            .iter()
            .map(|limit| {
                serde_json::json!({
                    "package_type": $crate::shape::small(&limit.package_type),
                    "name_pattern": limit.name_pattern,
                })
            })
            .collect::<Vec<_>>()
    };
}
pub(crate) use limits_json;

/// `limits` of a token to make: an array of objects with `package_type`, `name_pattern` or both, in a JSON body. What cannot be
/// read is refused, for a token without the limit would reach further than meant.
pub(crate) fn limits<Type: DeserializeOwned, Limit>(
    params: &Params,
    limit: impl Fn(Option<Type>, Option<String>) -> Limit,
) -> Result<Option<Vec<Limit>>, Failure> {
    let Some(given) = params.objects("limits", &["package_type", "name_pattern"])? else { return Ok(None) };
    let read = given.iter().map(|given| {
        let slug = given.text("package_type").map_err(|_| invalid("limits"))?;
        let package_type = match slug {
            Some(slug) => {
                let named = PackageFormat::from_slug(&slug).and_then(|format| enum_named(format.sdl_name()));
                Some(named.ok_or_else(|| invalid("limits"))?)
            }
            None => None,
        };
        Ok(limit(package_type, given.text("name_pattern").map_err(|_| invalid("limits"))?))
    });
    read.collect::<Result<_, _>>().map(Some)
}
