//! Failures in the words of GitLab's "packages basic auth" formats (generic, Maven, PyPI, Composer, Helm, NuGet, Debian,
//! Terraform): [`gateway::dialect`] plus the challenge their clients wait for.

use axum::response::Response;
use domain::{ErrorCode, Failure, Subject};
use gateway::{CredentialPolicy, Dialect, FailedRequest, Leniency, dialect::GitLabError};
use http::{HeaderValue, StatusCode, header};

/// The challenge of a 401. sbt compares the realm, so the text is interface.
pub(crate) const CHALLENGE: HeaderValue =
    HeaderValue::from_static("Basic realm=\"GitLab Packages Registry\"");

/// GitLab's plain dialect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GitLabDialect {
    /// What a wrong credential does to a request that needs none.
    pub(crate) leniency: Leniency,
}

impl Dialect for GitLabDialect {
    fn credentials(&self) -> CredentialPolicy {
        CredentialPolicy { leniency: self.leniency, ..CredentialPolicy::default() }
    }

    fn failure(&self, failure: &Failure, request: &FailedRequest) -> Response {
        let error = if credential_might_help(failure, request) {
            GitLabError::new(&Failure::unauthenticated(), request)
        } else {
            GitLabError::new(failure, request)
        };
        let mut response = error.into_response();
        if response.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
        }
        response
    }
}

/// Whether GitLab asks nobody in particular for a credential instead of refusing: clients send theirs only when challenged.
pub(crate) fn credential_might_help(failure: &Failure, request: &FailedRequest) -> bool {
    let hidden = failure.code == ErrorCode::NotFound
        && matches!(failure.subject, Some(Subject::Project | Subject::Group));
    request.anonymous && (hidden || failure.code == ErrorCode::Forbidden)
}
