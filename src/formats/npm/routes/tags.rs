//! Dist-tags: `/-/package/:package/dist-tags`.

use axum::response::Response;
use domain::{Failure, coordinates::MAX_LENGTH, rules::FormatRules as _};
use gateway::Call;
use http::StatusCode;
use semver::VersionReq;
use serde_json::json;

use super::{existing_name, packument, refused, scope};
use crate::{
    npm::{
        NpmRemoveTag, NpmSetTag, NpmTags,
        document::{Document, dist_tags},
        npm_remove_tag, npm_set_tag, npm_tags,
        rules::NpmRules,
        wire,
    },
    shared::excerpt,
};

/// Largest body of a request that sets a tag: a version as a JSON text.
const MAX_BODY: usize = 4096;

/// Checks a tag as npm does before it sends one: characters that a URL has as they are (npm-package-arg), and nothing that
/// could be a range of versions, which `name@tag` would then be read as.
pub(super) fn check_tag(tag: &str) -> Result<(), Failure> {
    let refuse = |reason| {
        let message = format!("Tag name is invalid: '{}' {reason}", excerpt(tag));
        Err(Failure::invalid("tag", message))
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    if tag.is_empty() || tag.len() > MAX_LENGTH || !tag.bytes().all(is_plain) {
        return refuse("should be a word of at most 255 characters");
    }
    if VersionReq::parse(tag.trim_start_matches('v')).is_ok() {
        return refuse("is a range of versions");
    }
    Ok(())
}

/// The tags and the versions they point at.
pub(super) async fn list(call: Call) -> Result<Response, Failure> {
    let name = existing_name(&call)?;
    let variables = npm_tags::Variables { scope: scope!(call, npm_tags), name: name.display.clone() };
    let tags = call.run::<NpmTags>(variables).await?.package_index.tags;
    let tags: Vec<_> = tags.into_iter().map(|tag| (tag.name, tag.version)).collect();
    let placed = if tags.iter().any(|(tag, _)| tag == "latest") {
        dist_tags(&tags, std::iter::empty())
    } else {
        // All versions are needed only to find what `latest` is when nobody said so.
        let index = packument::index(&call, &name, Document::Install).await?;
        dist_tags(&index.tags, index.entries.iter().map(|entry| entry.version.as_str()))
    };
    Ok(super::json(&json!(placed)))
}

/// Points a tag at a version; the body is the version as a JSON text.
pub(super) async fn set(mut call: Call) -> Result<Response, Failure> {
    let name = existing_name(&call)?;
    let tag = call.param("tag").to_owned();
    check_tag(&tag)?;
    let body = call.read_body(MAX_BODY).await?;
    let version: String = wire::parse(&body)?;
    let version = NpmRules.version(version.trim())?;
    let variables = npm_set_tag::Variables {
        scope: scope!(call, npm_set_tag),
        name: name.display,
        tag,
        version: version.display,
    };
    let answer = call.run::<NpmSetTag>(variables).await?.set_package_tag.ok_or_else(Failure::internal)?;
    refused(&answer.errors)?;
    Ok(no_content())
}

/// Removes a tag. Without a tag `latest` there is one all the same, computed from the versions.
pub(super) async fn remove(call: Call) -> Result<Response, Failure> {
    let name = existing_name(&call)?;
    let variables = npm_remove_tag::Variables {
        scope: scope!(call, npm_remove_tag),
        name: name.display,
        tag: call.param("tag").to_owned(),
    };
    let answer =
        call.run::<NpmRemoveTag>(variables).await?.remove_package_tag.ok_or_else(Failure::internal)?;
    refused(&answer.errors)?;
    Ok(no_content())
}

fn no_content() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

#[cfg(test)]
mod tests {
    use super::check_tag;

    #[test]
    fn a_tag_is_no_range() {
        for good in ["latest", "next", "beta-1", "v-next", "1.x-lts"] {
            check_tag(good).expect(good);
        }
        for bad in
            ["", " ", "1", "1.0.0", "v1.2.3", "^1", "*", "x", ">=1 <2", "a/b", "a\nb", &"a".repeat(256)]
        {
            check_tag(bad).expect_err(bad);
        }
    }
}
