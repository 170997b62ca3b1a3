//! The table of routes: no route without its level, its declared intent and its dialect.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::{RawPathParams, Request},
    response::Response,
    routing::{MethodFilter, MethodRouter, on},
};
use domain::{Carrier, Credential, ErrorCode, Failure, RegistryScope};
use futures::{StreamExt, future::BoxFuture};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

use crate::{
    Call, CredentialPolicy, CsrfToken, Gateway, Leniency, Origin, PathParams, QueryPairs, Session,
    SessionCookie, Traffic, cookies, credentials, csrf, throttled,
};

/// Which levels a route answers at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Levels {
    /// Projects only.
    Project,
    /// Projects, groups and the instance.
    All,
}

/// What a route is for. Declared, not enforced: the model decides; a test compares the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// Answers everybody and shows nothing.
    Open,
    /// Says who the caller is.
    Identify,
    /// Takes a credential of its own kind and gives one of ours: none of ours is looked for.
    Exchange,
    /// Reads packages, or attributes of projects and groups.
    Read,
    /// Changes something.
    Write,
}

/// A route as tests and documentation see it.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    /// The method.
    pub method: Method,
    /// The full pattern, with `{id}` for the project or group.
    pub pattern: String,
    /// What it is for.
    pub intent: Intent,
}

/// What a dialect may look at when it words a failure.
#[derive(Clone, Debug)]
pub struct FailedRequest {
    /// The method.
    pub method: Method,
    /// The path as requested.
    pub path: String,
    /// Whether the caller presented no accepted credential.
    pub anonymous: bool,
}

/// How a door's clients read credentials and failures.
pub trait Dialect: Send + Sync {
    /// How credentials are read.
    fn credentials(&self) -> CredentialPolicy {
        CredentialPolicy::default()
    }

    /// A carrier of the client's own, looked at before all others (RubyGems: the bare token in `Authorization`).
    fn own_credential(&self, _headers: &HeaderMap) -> Option<Credential> {
        None
    }

    /// The failure as this client reads it: status, headers, body. Changes a status, never a decision.
    fn failure(&self, failure: &Failure, request: &FailedRequest) -> Response;
}

type Handler = Arc<dyn Fn(Call) -> BoxFuture<'static, Result<Response, Failure>> + Send + Sync>;

/// Where a request of a route stands.
#[derive(Clone, Copy)]
enum Place {
    Project,
    Group,
    Instance,
}

struct Route {
    info: RouteInfo,
    place: Place,
    handler: Handler,
}

/// Collects the routes of one door.
pub struct RouteTable {
    mount: Option<&'static str>,
    traffic: Traffic,
    dialect: Arc<dyn Dialect>,
    routes: Vec<Route>,
}

impl RouteTable {
    /// A table for a format mounted at `mount` of each level.
    pub fn for_format(mount: &'static str, dialect: Arc<dyn Dialect>) -> Self {
        Self { mount: Some(mount), traffic: Traffic::Packages, dialect, routes: Vec::new() }
    }

    /// A table whose patterns are whole paths, for doors that are no package format.
    pub fn absolute(dialect: Arc<dyn Dialect>) -> Self {
        Self { mount: None, traffic: Traffic::Api, dialect, routes: Vec::new() }
    }

    /// The same table, for bytes of packages: its requests are counted with those of package managers.
    #[must_use]
    pub fn with_packages(self) -> Self {
        Self { traffic: Traffic::Packages, ..self }
    }

    /// Adds a route. In a format's table `pattern` begins with `/` and is relative to the mount, and the route appears once
    /// for each level; in an absolute table it is the whole path and `levels` is `Project` by convention.
    pub fn route<F, Fut>(&mut self, method: Method, levels: Levels, pattern: &str, intent: Intent, handler: F)
    where
        F: Fn(Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Failure>> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |call| Box::pin(handler(call)));
        let mut add = |pattern: String, place| {
            let info = RouteInfo { method: method.clone(), pattern, intent };
            self.routes.push(Route { info, place, handler: Arc::clone(&handler) });
        };
        let Some(mount) = self.mount else {
            add(pattern.to_owned(), Place::Instance);
            return;
        };
        add(format!("/api/v4/projects/{{id}}/packages/{mount}{pattern}"), Place::Project);
        if levels == Levels::All {
            add(format!("/api/v4/groups/{{id}}/-/packages/{mount}{pattern}"), Place::Group);
            add(format!("/api/v4/packages/{mount}{pattern}"), Place::Instance);
        }
    }

    /// What stands in the table.
    pub fn infos(&self) -> impl Iterator<Item = &RouteInfo> {
        self.routes.iter().map(|route| &route.info)
    }

    /// The router that serves the table. Methods a path does not have are answered in the door's dialect.
    pub fn into_router(self, gateway: &Gateway) -> Router {
        let mut by_pattern: Vec<(String, Vec<Method>, MethodRouter)> = Vec::new();
        for route in self.routes {
            let RouteInfo { method, pattern, intent } = route.info;
            let filter = MethodFilter::try_from(method.clone()).expect("routes use standard methods");
            let serve = on(
                filter,
                endpoint(
                    gateway.clone(),
                    Arc::clone(&self.dialect),
                    (route.place, intent, self.traffic),
                    route.handler,
                ),
            );
            match by_pattern.iter_mut().find(|(known, ..)| *known == pattern) {
                Some((_, allowed, methods)) => {
                    allowed.push(method);
                    *methods = std::mem::take(methods).merge(serve);
                }
                None => by_pattern.push((pattern, vec![method], serve)),
            }
        }
        by_pattern.into_iter().fold(Router::new(), |router, (pattern, allowed, methods)| {
            router.route(&pattern, methods.fallback(refuse_method(Arc::clone(&self.dialect), &allowed)))
        })
    }
}

/// Most bytes of a body nobody wants that are read all the same.
const MOST_DROPPED: u64 = 64 * 1024;

/// Answers a method that a path does not have, in the door's dialect.
fn refuse_method(
    dialect: Arc<dyn Dialect>,
    allowed: &[Method],
) -> impl Fn(Request) -> BoxFuture<'static, Response> + Clone + use<> {
    let mut names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
    if allowed.contains(&Method::GET) {
        names.push("HEAD");
    }
    let allowed: Arc<str> = names.join(", ").into();
    move |request| Box::pin(answer_refused_method(Arc::clone(&dialect), Arc::clone(&allowed), request))
}

async fn answer_refused_method(dialect: Arc<dyn Dialect>, allowed: Arc<str>, request: Request) -> Response {
    let message = format!("{} is not possible here, only {allowed}", request.method());
    let failed = FailedRequest {
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
        anonymous: true,
    };
    let mut response = dialect.failure(&Failure::new(ErrorCode::Unsupported, message), &failed);
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    if let Ok(allow) = HeaderValue::try_from(&*allowed) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    if !drop_body(request.into_body()).await {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Reads a small body to its end, so that the connection can be used for the next request. Says whether the end was reached.
async fn drop_body(body: Body) -> bool {
    if body.size_hint().lower() > MOST_DROPPED {
        return false;
    }
    let (mut chunks, mut dropped) = (body.into_data_stream(), 0);
    while let Some(chunk) = chunks.next().await {
        let Ok(chunk) = chunk else { return false };
        dropped += chunk.len() as u64;
        if dropped > MOST_DROPPED {
            return false;
        }
    }
    true
}

fn endpoint(
    gateway: Gateway,
    dialect: Arc<dyn Dialect>,
    (place, intent, traffic): (Place, Intent, Traffic),
    handler: Handler,
) -> impl Fn(
    Result<RawPathParams, axum::extract::rejection::RawPathParamsRejection>,
    Request,
) -> BoxFuture<'static, Response>
+ Clone {
    move |params, request| {
        let (gateway, dialect, handler) = (gateway.clone(), Arc::clone(&dialect), Arc::clone(&handler));
        Box::pin(async move {
            let mut failed = FailedRequest {
                method: request.method().clone(),
                path: request.uri().path().to_owned(),
                anonymous: true,
            };
            let origin = Origin::of(&request, traffic);
            let result = async {
                let params = params.map_err(|_| Failure::invalid("path", "The path is not valid UTF-8"))?;
                let (parts, body) = request.into_parts();
                let query = QueryPairs::parse(parts.uri.query())?;
                let session = match intent {
                    Intent::Exchange => gateway.authenticate(None, origin).await?,
                    _ => authenticate(&gateway, dialect.as_ref(), &parts, &query, origin).await?,
                };
                failed.anonymous = session.is_anonymous();
                let params =
                    PathParams(params.iter().map(|(name, value)| (name.into(), value.into())).collect());
                let id = || {
                    params
                        .0
                        .iter()
                        .find(|(name, _)| name == "id")
                        .map(|(_, id)| id.clone())
                        .unwrap_or_default()
                };
                let scope = match place {
                    Place::Project => RegistryScope::Project(id()),
                    Place::Group => RegistryScope::Group(id()),
                    Place::Instance => RegistryScope::Instance,
                };
                let call = Call {
                    gateway,
                    session,
                    origin,
                    scope,
                    method: parts.method,
                    uri: parts.uri,
                    headers: parts.headers,
                    query,
                    params,
                    body: body.into(),
                };
                handler(call).await
            }
            .await;
            result.unwrap_or_else(|failure| {
                if failure.code == ErrorCode::Internal {
                    tracing::error!(http.path = %failed.path, "a request failed by the server's fault");
                }
                let mut response = dialect.failure(&failure, &failed);
                if let Some(throttled) = &failure.throttled {
                    throttled::tell(throttled, response.headers_mut());
                }
                response
            })
        })
    }
}

async fn authenticate(
    gateway: &Gateway,
    dialect: &dyn Dialect,
    parts: &http::request::Parts,
    query: &QueryPairs,
    origin: Origin,
) -> Result<Session, Failure> {
    let policy = dialect.credentials();
    let credential = match dialect.own_credential(&parts.headers) {
        Some(credential) => Some(credential),
        None => credentials::find(&parts.headers, query, policy)?,
    };
    let Some(credential) = credential else {
        return by_cookie(gateway, policy.session, &parts.headers, origin).await;
    };
    match gateway.authenticate(Some(&credential), origin).await {
        Err(failure)
            if failure.code == ErrorCode::Unauthenticated
                && policy.leniency == Leniency::IgnoreWrongBasicOnRead
                && credential.carrier == Carrier::Basic
                && matches!(parts.method, Method::GET | Method::HEAD) =>
        {
            gateway.authenticate(None, origin).await
        }
        outcome => outcome,
    }
}

/// The caller that the cookie of a session speaks for.
async fn by_cookie(
    gateway: &Gateway,
    counts: SessionCookie,
    headers: &HeaderMap,
    origin: Origin,
) -> Result<Session, Failure> {
    let secret = match counts {
        SessionCookie::Ignored => None,
        SessionCookie::WithToken | SessionCookie::Alone => {
            cookies::value(headers, cookies::session_name(gateway.is_secure()))
        }
    };
    let Some(secret) = secret else { return gateway.authenticate(None, origin).await };
    let csrf_token = CsrfToken::of(&secret);
    if counts == SessionCookie::WithToken {
        csrf::refuse_foreign(headers, gateway.external_url())?;
        csrf_token.check_header(headers)?;
    }
    let credential = Credential { carrier: Carrier::Session, username: None, secret };
    match gateway.authenticate(Some(&credential), origin).await {
        Ok(session) => Ok(session.by_cookie(csrf_token)),
        Err(failure) if failure.code == ErrorCode::Unauthenticated => match counts {
            SessionCookie::Alone => gateway.authenticate(None, origin).await,
            SessionCookie::WithToken | SessionCookie::Ignored => {
                Err(Failure::new(ErrorCode::Unauthenticated, "The session has ended: sign in again"))
            }
        },
        Err(failure) => Err(failure),
    }
}
