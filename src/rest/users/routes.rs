//! Listing, showing, creating and blocking users.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};

use super::{
    RestCreateUser, RestSetUserBlocked, RestUser, RestUsers, rest_create_user, rest_set_user_blocked,
    rest_user, rest_users, user_json,
};
use crate::{
    paging::{Paging, next_of},
    params::{Params, enum_named, path_id},
    shape::{id, user_gid},
};

/// Adds the routes of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    let one = "/api/v4/users/{user_id}";
    table.route(Method::GET, Levels::Project, "/api/v4/users", Intent::Read, list);
    table.route(Method::POST, Levels::Project, "/api/v4/users", Intent::Write, create);
    table.route(Method::GET, Levels::Project, one, Intent::Read, show);
    table.route(Method::POST, Levels::Project, &format!("{one}/block"), Intent::Write, |call| {
        set_blocked(call, State::Blocked)
    });
    table.route(Method::POST, Levels::Project, &format!("{one}/unblock"), Intent::Write, |call| {
        set_blocked(call, State::Active)
    });
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Active,
    Blocked,
}

async fn list(call: Call) -> Result<Response, Failure> {
    let params = Params::of_query(&call);
    let page = Paging::of(&params)?;
    let state = match (params.flag("blocked")?, params.flag("active")?) {
        (Some(true), _) => enum_named("blocked"),
        (_, Some(true)) => enum_named("active"),
        _ => None,
    };
    let variables = rest_users::Variables {
        search: params.text("search")?,
        state,
        usernames: params.text("username")?.map(|username| vec![username]),
        first: page.first(),
        skip: page.skip(),
        after: page.after(),
        count_limit: page.count_limit(),
    };
    let users = call.run::<RestUsers>(variables).await?.users;
    let rows: Vec<_> = users.nodes.into_iter().map(|user| user_json!(user)).collect();
    page.respond(&call, &rows, users.count, next_of!(users))
}

async fn show(call: Call) -> Result<Response, Failure> {
    let variables = rest_user::Variables { id: user_gid(path_id(&call, "user_id")?) };
    let user = call.run::<RestUser>(variables).await?.user;
    let user = user.ok_or_else(|| Failure::not_found(Subject::User))?;
    let mut body = user_json!(user);
    body["namespace_id"] = user.namespace.as_ref().map(|namespace| id(&namespace.id)).into();
    Ok(dialect::answer(StatusCode::OK, &body))
}

async fn create(mut call: Call) -> Result<Response, Failure> {
    let params = Params::read(&mut call).await?;
    let input = rest_create_user::CreateUserInput {
        username: params.required("username")?,
        name: params.required("name")?,
        email: Some(params.required("email")?),
        admin: params.flag("admin")?.unwrap_or(false),
        password: params.filled("password")?,
    };
    let created = call.run::<RestCreateUser>(rest_create_user::Variables { input }).await?;
    let user = created.create_user.and_then(|payload| payload.user).ok_or_else(Failure::internal)?;
    let mut body = user_json!(user);
    body["namespace_id"] = user.namespace.as_ref().map(|namespace| id(&namespace.id)).into();
    Ok(dialect::answer(StatusCode::CREATED, &body))
}

async fn set_blocked(call: Call, state: State) -> Result<Response, Failure> {
    let input = rest_set_user_blocked::SetUserBlockedInput {
        id: user_gid(path_id(&call, "user_id")?),
        blocked: state == State::Blocked,
    };
    call.run::<RestSetUserBlocked>(rest_set_user_blocked::Variables { input }).await?;
    Ok(dialect::answer(StatusCode::CREATED, &true))
}
