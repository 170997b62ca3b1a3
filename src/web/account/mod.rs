//! One's account: the password, where one is signed in, and accounts at providers.

mod view;

use axum::response::Response;
use domain::Failure;
use gateway::{Call, Intent};
use http::StatusCode;

use self::view::{Complaint, Page, Section};
use crate::{
    cookies::Kind,
    error::complaint,
    form::Form,
    frame::{Frame, go_on, html},
    local_path::LocalPath,
    notice::Notice,
    pages::{Pages, Visit},
};

gateway::operations!("account/operations.graphql": WebAccount, WebChangePassword, WebRevokeUserSession, WebUnlinkUserIdentity);

/// Where it is, as in GitLab.
const ACCOUNT: &str = "/-/user_settings/account";

/// Adds the routes of the account.
pub(crate) fn routes(pages: &mut Pages) {
    pages.page(ACCOUNT, Intent::Identify, show);
    pages.form("/-/user_settings/account/password", Intent::Write, change_password);
    pages.form("/-/user_settings/account/sessions/{session_id}/revoke", Intent::Write, revoke_session);
    pages.form("/-/user_settings/account/identities/{identity_id}/unlink", Intent::Write, unlink_identity);
}

async fn show(visit: Visit) -> Result<Response, Failure> {
    page(&visit, StatusCode::OK, None).await
}

async fn page(visit: &Visit, status: StatusCode, complaint: Option<Complaint>) -> Result<Response, Failure> {
    let answer = visit.call.run::<WebAccount>(web_account::Variables {}).await?;
    let user = answer.current_user.ok_or_else(Failure::unauthenticated)?;
    let frame = Frame::new(visit, "Account", Some(user.username.clone()));
    html(status, &Page::new(frame, user, answer.sign_in_options, complaint))
}

/// The page again, with what was wrong in one of its sections; or that something has happened.
async fn outcome(
    visit: &Visit,
    outcome: Result<Notice, Failure>,
    section: Section,
) -> Result<Response, Failure> {
    match outcome {
        Ok(notice) => {
            let mut response = go_on(&visit.site, &LocalPath::known(ACCOUNT));
            Kind::Notice.set(&visit.site, notice.name().to_owned(), &mut response);
            Ok(response)
        }
        Err(failure) => {
            let (status, message) = complaint(failure)?;
            page(visit, status, Some(Complaint { section, message })).await
        }
    }
}

async fn change_password(visit: Visit, form: Form) -> Result<Response, Failure> {
    let changed = change(&visit.call, &form).await.map(|()| Notice::PasswordChanged);
    outcome(&visit, changed, Section::Password).await
}

async fn change(call: &Call, form: &Form) -> Result<(), Failure> {
    let new_password = form.text("new_password").to_owned();
    if form.text("new_password_again") != new_password {
        return Err(Failure::invalid("newPassword", "The two new passwords differ: type the same one twice"));
    }
    let current_password = Some(form.text("current_password").to_owned()).filter(|text| !text.is_empty());
    let input = web_change_password::ChangePasswordInput { current_password, new_password };
    call.run::<WebChangePassword>(web_change_password::Variables { input }).await?;
    Ok(())
}

async fn revoke_session(visit: Visit, _: Form) -> Result<Response, Failure> {
    let id = visit.global_id("UserSession", "session_id")?;
    let input = web_revoke_user_session::RevokeUserSessionInput { id };
    let variables = web_revoke_user_session::Variables { input };
    let revoked = visit.call.run::<WebRevokeUserSession>(variables).await;
    outcome(&visit, revoked.map(|_| Notice::SessionRevoked), Section::Sessions).await
}

async fn unlink_identity(visit: Visit, _: Form) -> Result<Response, Failure> {
    let id = visit.global_id("UserIdentity", "identity_id")?;
    let input = web_unlink_user_identity::UnlinkUserIdentityInput { id };
    let variables = web_unlink_user_identity::Variables { input };
    let unlinked = visit.call.run::<WebUnlinkUserIdentity>(variables).await;
    outcome(&visit, unlinked.map(|_| Notice::IdentityUnlinked), Section::Identities).await
}
