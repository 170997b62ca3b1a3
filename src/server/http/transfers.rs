//! The bytes of uploads and downloads that were arranged through GraphQL.

use std::sync::Arc;

use axum::{Router, body::Body, response::Response};
use domain::Failure;
use gateway::{
    Call, Dialect, FailedRequest, Intent, Levels, OpenedBlob, RouteTable,
    dialect::{GitLabError, answer},
    serve,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::json;

use super::Services;

/// GitLab's words, since scripts for GitLab read them.
struct Words;

impl Dialect for Words {
    fn failure(&self, failure: &Failure, request: &FailedRequest) -> Response {
        GitLabError::new(failure, request).into_response()
    }
}

/// The two routes.
pub(crate) fn router(services: &Arc<Services>) -> Router {
    let mut table = RouteTable::absolute(Arc::new(Words)).with_packages();
    let model = Arc::clone(&services.model);
    table.route(
        Method::PUT,
        Levels::Project,
        "/api/v4/package_uploads/{token}",
        Intent::Write,
        move |mut call: Call| {
            let model = Arc::clone(&model);
            async move {
                let body = call.take_body()?;
                let size = model.receive_upload(&call.session, call.param("token"), body).await?;
                Ok(answer(StatusCode::CREATED, &json!({ "size": size })))
            }
        },
    );
    let pattern = "/api/v4/package_downloads/{ticket}";
    table.route(Method::GET, Levels::Project, pattern, Intent::Open, download);
    table.into_router(services.gateway())
}

/// The whole content. Ranges, conditions and names are the business of the formats' own routes, which know the file.
async fn download(call: Call) -> Result<Response, Failure> {
    let ticket = call.param("ticket");
    let content_type = HeaderValue::from_static("application/octet-stream");
    let disposition = HeaderValue::from_static("attachment");
    if call.method == Method::GET
        && let Some(address) = call.gateway.presign(ticket, &disposition, &content_type).await?
    {
        return serve::sent_on(&address, HeaderMap::new());
    }
    let opened = call.gateway.open(ticket, None).await?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    let body = match opened {
        OpenedBlob::Full(bytes) => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            Body::from(bytes)
        }
        OpenedBlob::Stream { length, stream } => {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
            Body::from_stream(stream)
        }
    };
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    Ok(response)
}
