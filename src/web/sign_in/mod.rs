//! Signing in, with a password or with a provider, and out.

mod provider;
mod view;

use axum::response::Response;
use domain::{ErrorCode, Failure};
use gateway::{Call, Intent};
use http::StatusCode;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use self::view::{Attempted, Page};
use crate::{
    cookies::{self, Kind},
    error::complaint,
    form::{Form, FormSecret},
    frame::{Frame, go_on, html},
    local_path::LocalPath,
    notice::Notice,
    pages::{Pages, Visit},
};

gateway::operations!("sign_in/operations.graphql": WebSignInOptions, WebSignIn, WebBeginProviderSignIn, WebCompleteProviderSignIn, WebSignOut);

/// Where people sign in.
pub(crate) const SIGN_IN: &str = "/users/sign_in";
/// Where they come to when nothing else was asked for.
const HOME: &str = "/";

/// Adds the routes of signing in and out.
pub(crate) fn routes(pages: &mut Pages) {
    pages.page(SIGN_IN, Intent::Open, show);
    pages.form(SIGN_IN, Intent::Write, with_password);
    pages.form("/users/auth/{provider}", Intent::Write, provider::begin);
    pages.page("/users/auth/{provider}/callback", Intent::Open, provider::complete);
    pages.form("/users/sign_out", Intent::Write, sign_out);
}

async fn show(visit: Visit) -> Result<Response, Failure> {
    let target = visit.call.query.get("redirect_to").and_then(LocalPath::parse);
    if !visit.call.session.is_anonymous() {
        return Ok(go_on(&visit.site, &target.unwrap_or_else(|| LocalPath::known(HOME))));
    }
    page(&visit, StatusCode::OK, Attempted { target, ..Attempted::default() }).await
}

/// The page, with what was tried so far.
async fn page(visit: &Visit, status: StatusCode, attempted: Attempted) -> Result<Response, Failure> {
    let options =
        visit.call.run::<WebSignInOptions>(web_sign_in_options::Variables {}).await?.sign_in_options;
    let secret = FormSecret::of(&visit.call, &visit.site)?;
    let frame = Frame::to_sign_in(visit, &secret.token());
    let mut response = html(status, &Page::new(frame, options, attempted))?;
    secret.hand_over(&visit.site, &mut response);
    Ok(response)
}

async fn with_password(visit: Visit, form: Form) -> Result<Response, Failure> {
    let login = form.text("login").trim().to_owned();
    let target = form.target();
    let input = web_sign_in::SignInInput {
        login: login.clone(),
        password: form.text("password").to_owned(),
        user_agent: user_agent(&visit.call),
    };
    match visit.call.run::<WebSignIn>(web_sign_in::Variables { input }).await {
        Ok(answer) => {
            let begun = answer.sign_in.ok_or_else(Failure::internal)?;
            signed_in(&visit, begun.session, &begun.expires_at, target)
        }
        Err(failure) => {
            let (status, complaint) = wrong(failure)?;
            page(&visit, status, Attempted { login, target, complaint: Some(complaint) }).await
        }
    }
}

/// What is said on the page about a sign-in that did not work. It is no 401, which would have to name a scheme of HTTP to try again
/// with (RFC 9110 §15.5.2); GitLab has the same.
fn wrong(failure: Failure) -> Result<(StatusCode, String), Failure> {
    if failure.code == ErrorCode::Unauthenticated {
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, failure.message.into_owned()));
    }
    complaint(failure)
}

/// What the browser says it is.
fn user_agent(call: &Call) -> Option<String> {
    call.header("user-agent").map(ToOwned::to_owned)
}

/// Goes on with a session.
fn signed_in(
    visit: &Visit,
    session: String,
    expires_at: &str,
    target: Option<LocalPath>,
) -> Result<Response, Failure> {
    let ends = OffsetDateTime::parse(expires_at, &Rfc3339).map_err(|_| Failure::internal())?;
    let mut response = go_on(&visit.site, &target.unwrap_or_else(|| LocalPath::known(HOME)));
    cookies::set_session(&visit.site, session, ends, &mut response);
    Kind::Form.clear(&visit.site, &mut response);
    Ok(response)
}

async fn sign_out(visit: Visit, _: Form) -> Result<Response, Failure> {
    let input = web_sign_out::SignOutInput { client_mutation_id: None };
    visit.call.run::<WebSignOut>(web_sign_out::Variables { input }).await?;
    let mut response = go_on(&visit.site, &LocalPath::known(SIGN_IN));
    Kind::Session.clear(&visit.site, &mut response);
    Kind::Notice.set(&visit.site, Notice::SignedOut.name().to_owned(), &mut response);
    Ok(response)
}
