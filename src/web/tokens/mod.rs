//! One's personal access tokens: listed, made, revoked.

mod view;

use axum::response::Response;
use domain::Failure;
use gateway::{Call, Intent};
use http::StatusCode;

use self::view::{Draft, Outcome, Page};
use crate::{
    cookies::Kind,
    error::complaint,
    form::Form,
    frame::{Frame, go_on, html},
    local_path::LocalPath,
    notice::Notice,
    pages::{Pages, Visit},
};

gateway::operations!("tokens/operations.graphql": WebAccessTokens, WebCreateAccessToken, WebRevokeAccessToken);

/// Where they are, as in GitLab.
const TOKENS: &str = "/-/user_settings/personal_access_tokens";
/// Rows of the list.
const ROWS: i64 = 50;

/// Adds the routes of the tokens.
pub(crate) fn routes(pages: &mut Pages) {
    pages.page(TOKENS, Intent::Identify, show);
    pages.form(TOKENS, Intent::Write, create);
    pages.form("/-/user_settings/personal_access_tokens/{token_id}/revoke", Intent::Write, revoke);
}

async fn show(visit: Visit) -> Result<Response, Failure> {
    page(&visit, StatusCode::OK, Draft::default(), Outcome::Nothing).await
}

async fn page(
    visit: &Visit,
    status: StatusCode,
    draft: Draft,
    outcome: Outcome,
) -> Result<Response, Failure> {
    let after = visit.call.query.get("after").map(ToOwned::to_owned);
    let is_first = after.is_none();
    let variables = web_access_tokens::Variables { first: ROWS, after };
    let user = visit.call.run::<WebAccessTokens>(variables).await?.current_user;
    let user = user.ok_or_else(Failure::unauthenticated)?;
    let tokens = user.personal_access_tokens.ok_or_else(Failure::unauthenticated)?;
    let frame = Frame::new(visit, "Access tokens", Some(user.username));
    html(status, &Page::new(frame, tokens, is_first, draft, outcome))
}

/// The secret is on the answer itself: it is nowhere else, and nobody can ask for it again.
async fn create(visit: Visit, form: Form) -> Result<Response, Failure> {
    let draft = Draft::of(&form);
    match make(&visit.call, &draft).await {
        Ok(secret) => page(&visit, StatusCode::OK, Draft::default(), Outcome::Made(secret)).await,
        Err(failure) => {
            let (status, message) = complaint(failure)?;
            page(&visit, status, draft, Outcome::Refused(message)).await
        }
    }
}

async fn make(call: &Call, draft: &Draft) -> Result<String, Failure> {
    let input = web_create_access_token::CreatePersonalAccessTokenInput {
        name: draft.name.clone(),
        description: None,
        scopes: draft.scopes.clone(),
        limits: None,
        expires_at: draft.day()?,
        user_id: None,
    };
    let made = call.run::<WebCreateAccessToken>(web_create_access_token::Variables { input }).await?;
    made.create_personal_access_token.and_then(|made| made.token).ok_or_else(Failure::internal)
}

async fn revoke(visit: Visit, _: Form) -> Result<Response, Failure> {
    let id = visit.global_id("PersonalAccessToken", "token_id")?;
    let input = web_revoke_access_token::RevokePersonalAccessTokenInput { id };
    visit.call.run::<WebRevokeAccessToken>(web_revoke_access_token::Variables { input }).await?;
    let mut response = go_on(&visit.site, &LocalPath::known(TOKENS));
    Kind::Notice.set(&visit.site, Notice::TokenRevoked.name().to_owned(), &mut response);
    Ok(response)
}
