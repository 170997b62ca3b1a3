//! Groups and users' own namespaces under one roof.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};

use crate::{pagination::PageNumber, params::Params, shape::Id};

gateway::operations!("namespaces/operations.graphql": RestNamespaces, RestNamespace);

/// A namespace as every route shows one.
macro_rules! namespace_json {
    ($namespace:expr, $kind:expr) => {
        serde_json::json!({
            "id": $crate::shape::id(&$namespace.id),
            "name": $namespace.name,
            "path": $namespace.path,
            "kind": $kind,
            "full_path": $namespace.full_path,
            "parent_id": $namespace.parent_id.as_deref().map($crate::shape::id),
            "avatar_url": null,
            "web_url": $namespace.web_url,
        })
    };
}
pub(crate) use namespace_json;

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    table.route(Method::GET, Levels::Project, "/api/v4/namespaces", Intent::Read, list);
    table.route(Method::GET, Levels::Project, "/api/v4/namespaces/{id}", Intent::Read, show);
}

/// The caller's own namespace, then the groups the caller is a member of. GitLab has no such list for strangers.
async fn list(call: Call) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = PageNumber::of(&params)?;
    let search = params.filled("search")?;
    let own = search.is_none();
    // The own namespace takes the first place of the first page and moves everything else by one.
    let (first, skip) = match (own, page.skip()) {
        (true, 0) => (page.first() - 1, 0),
        (true, skip) => (page.first(), skip - 1),
        (false, skip) => (page.first(), skip),
    };
    let variables = rest_namespaces::Variables {
        search,
        own,
        membership: true,
        first,
        skip,
        count_limit: PageNumber::count_limit(),
    };
    let answer = call.run::<RestNamespaces>(variables).await?;
    let user = answer.current_user.ok_or_else(Failure::unauthenticated)?;
    let mut rows = Vec::new();
    if page.skip() == 0 {
        rows.extend(user.namespace.as_ref().map(|namespace| namespace_json!(namespace, namespace.kind)));
    }
    rows.extend(answer.groups.nodes.iter().map(|group| namespace_json!(group, "group")));
    page.respond(&call, &rows, answer.groups.count + i64::from(own))
}

async fn show(call: Call) -> Result<Response, Failure> {
    let variables = rest_namespace::Variables { full_path: call.param("id").to_owned() };
    let namespace = call.run::<RestNamespace>(variables).await?.namespace;
    let namespace = namespace.ok_or_else(|| Failure {
        message: "404 Namespace Not Found".into(),
        ..Failure::not_found(Subject::Group)
    })?;
    Ok(dialect::answer(StatusCode::OK, &namespace_json!(namespace, namespace.kind)))
}
