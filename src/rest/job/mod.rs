//! The CI job that asks.

use axum::response::Response;
use domain::{Failure, Subject};
use gateway::{Call, Intent, Levels, RouteTable, dialect};
use http::{Method, StatusCode};
use serde_json::json;

use crate::{packages::pipeline_json, shape::id};

gateway::operations!("job/operations.graphql": RestCurrentJob);

/// Adds the route of this noun.
pub(crate) fn routes(table: &mut RouteTable) {
    table.route(Method::GET, Levels::Project, "/api/v4/job", Intent::Identify, show);
}

/// For whoever presents the token of a job that runs.
async fn show(call: Call) -> Result<Response, Failure> {
    let current = call.run::<RestCurrentJob>(rest_current_job::Variables {}).await?;
    if call.session.is_anonymous() {
        return Err(Failure::unauthenticated());
    }
    let (Some(job), Some(pipeline)) = (current.current_job, current.current_pipeline) else {
        return Err(Failure::not_found(Subject::Job));
    };
    let user = current.current_user.map(|user| {
        json!({
            "id": id(&user.id),
            "username": user.username,
            "name": user.name,
            "state": user.state,
            "avatar_url": user.avatar_url,
            "web_url": user.web_url,
        })
    });
    let body = json!({
        "id": id(&job.id),
        "name": job.name,
        "status": "running",
        "ref": pipeline.ref_,
        "created_at": job.created_at,
        "started_at": job.created_at,
        "finished_at": job.finished_at,
        "user": user,
        "commit": { "id": pipeline.sha, "short_id": pipeline.sha.as_deref().and_then(|sha| sha.get(..8)) },
        "pipeline": pipeline_json!(pipeline),
    });
    Ok(dialect::answer(StatusCode::OK, &body))
}
