//! Small pieces that GitLab's JSON is made of.

use axum::{body::Body, response::Response};
use domain::{ErrorCode, Failure};
use gateway::scalars::number_of;
use http::StatusCode;
use serde_json::Value;
use time::{
    OffsetDateTime,
    format_description::well_known::{Rfc2822, Rfc3339},
};

/// The number in a global id, as JSON.
pub(crate) fn id(global_id: &str) -> Value {
    number_of(global_id).map_or(Value::Null, Value::from)
}

/// The value of an enum of the schema as GitLab's REST has it: in small letters.
pub(crate) fn small(value: &impl serde::Serialize) -> Option<String> {
    serde_json::to_value(value).ok()?.as_str().map(str::to_ascii_lowercase)
}

/// The first of a mutation's business refusals, as GitLab's REST words it.
pub(crate) fn refuse_errors(errors: Vec<String>) -> Result<(), Failure> {
    match errors.into_iter().next() {
        Some(error) => Err(Failure::forbidden(error)),
        None => Ok(()),
    }
}

/// Refuses to delete what was changed since the caller read it, as `If-Unmodified-Since` asks of GitLab's deletions. `updated_at` is
/// read only where that is asked; none, which the deletion itself refuses, is not changed. A date that cannot be read asks for
/// nothing (RFC 9110 §13.1.4).
pub(crate) async fn refuse_changed<Fut>(
    call: &gateway::Call,
    updated_at: impl FnOnce() -> Fut + Send,
) -> Result<(), Failure>
where
    Fut: Future<Output = Result<Option<String>, Failure>> + Send,
{
    let Some(read) =
        call.header("if-unmodified-since").and_then(|date| OffsetDateTime::parse(date, &Rfc2822).ok())
    else {
        return Ok(());
    };
    let Some(updated_at) = updated_at().await? else { return Ok(()) };
    let updated = OffsetDateTime::parse(&updated_at, &Rfc3339).map_err(|_| Failure::internal())?;
    if updated.unix_timestamp() > read.unix_timestamp() {
        let message = format!("It was changed at {updated_at}: read it again");
        return Err(Failure::new(ErrorCode::Stale, message));
    }
    Ok(())
}

/// 204.
pub(crate) fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The built-in scalar `ID` under the name that graphql_client looks for in variables.
pub(crate) type Id = String;

/// The global id of the user with this number.
pub(crate) fn user_gid(number: i64) -> String {
    format!("gid://gitlab/User/{number}")
}

/// The day of an instant as the schema prints it.
pub(crate) fn day(instant: &str) -> &str {
    instant.get(..10).unwrap_or(instant)
}

/// 202, for what GitLab does later and this server at once.
pub(crate) fn accepted() -> Response {
    gateway::dialect::plain(StatusCode::ACCEPTED)
}

/// What is refused because it could not be shown: who presented nothing may try again with a token.
pub(crate) fn withheld(call: &gateway::Call) -> Failure {
    if call.session.is_anonymous() {
        Failure::unauthenticated()
    } else {
        Failure::forbidden("You are not allowed to see this")
    }
}

/// A project or group without visibility is one of which the caller may know the packages only: as good as none, beside those.
pub(crate) fn known<Level>(visibility: Option<Level>, place: Place) -> Result<(), Failure> {
    visibility.map(|_| ()).ok_or_else(|| Failure::not_found(place.subject()))
}

/// Which of the two kinds of places a request names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// `/projects/:id`.
    Project,
    /// `/groups/:id`.
    Group,
}

impl Place {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Project, Self::Group];

    /// What paths of the place start with.
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Project => "/api/v4/projects/{id}",
            Self::Group => "/api/v4/groups/{id}",
        }
    }

    /// What it is called in failures.
    pub(crate) const fn subject(self) -> domain::Subject {
        match self {
            Self::Project => domain::Subject::Project,
            Self::Group => domain::Subject::Group,
        }
    }

    /// The id of the request as `projectPath` and `groupPath` of an input.
    pub(crate) fn paths(self, call: &gateway::Call) -> (Option<String>, Option<String>) {
        let id = Some(call.param("id").to_owned());
        match self {
            Self::Project => (id, None),
            Self::Group => (None, id),
        }
    }
}
