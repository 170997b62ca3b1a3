//! The table of pages, and what is done around each.

use std::sync::Arc;

use axum::{Router, response::Response};
use domain::{ErrorCode, Failure};
use gateway::{Call, Gateway, Intent, Levels, RouteInfo, RouteTable};
use http::{Method, StatusCode};

use crate::{cookies::Kind, error::WebDialect, form::Form, site::Site};

/// A request for a page.
pub(crate) struct Visit {
    /// What was asked.
    pub(crate) call: Call,
    /// Where the page stands.
    pub(crate) site: Site,
}

impl Visit {
    /// The global id of `class` whose number is in the path under `name`. What is no number names nothing.
    pub(crate) fn global_id(&self, class: &str, name: &str) -> Result<String, Failure> {
        let number = self.call.param(name).parse::<i64>().map_err(|_| {
            Failure::new(ErrorCode::NotFound, "There is nothing at this address: it has to name a number")
        })?;
        Ok(format!("gid://gitlab/{class}/{number}"))
    }
}

/// Collects the routes of the pages. What shows something is added with [`Self::page`], what changes something with
/// [`Self::form`]: there is no way to add a form that is not checked.
pub(crate) struct Pages {
    site: Site,
    table: RouteTable,
}

impl Pages {
    /// An empty table.
    pub(crate) fn new(site: Site) -> Self {
        Self { table: RouteTable::absolute(Arc::new(WebDialect(site.clone()))), site }
    }

    /// Adds a page.
    pub(crate) fn page<F, Fut>(&mut self, path: &str, intent: Intent, handler: F)
    where
        F: Fn(Visit) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Failure>> + Send + 'static,
    {
        let site = self.site.clone();
        self.table.route(Method::GET, Levels::Project, path, intent, move |call| {
            let (site, handler) = (site.clone(), handler.clone());
            async move {
                let stale = Stale::of(&call, &site);
                let mut response = handler(Visit { call, site: site.clone() }).await?;
                stale.clear(&site, &mut response);
                Ok(response)
            }
        });
    }

    /// Adds what is no page, and the same for everybody.
    pub(crate) fn asset(&mut self, path: &str, serve: fn() -> Response) {
        self.table.route(
            Method::GET,
            Levels::Project,
            path,
            Intent::Open,
            move |_| async move { Ok(serve()) },
        );
    }

    /// Adds what a form is sent to.
    pub(crate) fn form<F, Fut>(&mut self, path: &str, intent: Intent, handler: F)
    where
        F: Fn(Visit, Form) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Response, Failure>> + Send + 'static,
    {
        let site = self.site.clone();
        self.table.route(Method::POST, Levels::Project, path, intent, move |mut call| {
            let (site, handler) = (site.clone(), handler.clone());
            async move {
                let form = Form::read(&mut call, &site).await?;
                handler(Visit { call, site }, form).await
            }
        });
    }

    /// What stands in the table.
    pub(crate) fn infos(&self) -> Vec<RouteInfo> {
        self.table.infos().cloned().collect()
    }

    /// The router that serves it.
    pub(crate) fn into_router(self, gateway: &Gateway) -> Router {
        self.table.into_router(gateway)
    }
}

/// Cookies that have served their time when a page has been shown.
struct Stale {
    /// The session has ended, or never was.
    session: bool,
    /// There was something to tell.
    notice: bool,
}

impl Stale {
    fn of(call: &Call, site: &Site) -> Self {
        let has = |kind: Kind| kind.read(site, &call.headers).is_some();
        Self { session: call.session.is_anonymous() && has(Kind::Session), notice: has(Kind::Notice) }
    }

    fn clear(&self, site: &Site, response: &mut Response) {
        if self.session && !Kind::Session.is_named_in(site, response) {
            Kind::Session.clear(site, response);
        }
        if self.notice && response.status() == StatusCode::OK {
            Kind::Notice.clear(site, response);
        }
    }
}
