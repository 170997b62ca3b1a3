//! The account: the password and the sessions.

use super::{PASSWORD, Stage};

const ACCOUNT: &str = "/-/user_settings/account";
const CHANGE: &str = "/-/user_settings/account/password";

#[tokio::test]
async fn the_password_is_changed_and_other_sessions_end() {
    let stage = Stage::new().await;
    let mut other = stage.signed_in().await;
    let mut browser = stage.signed_in().await;
    browser.get(ACCOUNT).await.expect(200);
    let new = "another good password";
    for (current, first, second, status, says) in [
        ("wrong", new, new, 422, "is another one"),
        (PASSWORD, new, "a different one", 422, "differ"),
        (PASSWORD, "short", "short", 422, "8"),
    ] {
        let fields = [("current_password", current), ("new_password", first), ("new_password_again", second)];
        let answer = browser.submit(CHANGE, &fields).await;
        let page = answer.text();
        assert_eq!(answer.status, status, "{says}: {page}");
        assert!(page.contains("role=\"alert\"") && page.contains(says), "{says}: {page}");
    }
    other.get(ACCOUNT).await.expect(200);
    let fields = [("current_password", PASSWORD), ("new_password", new), ("new_password_again", new)];
    browser.submit(CHANGE, &fields).await.expect(303);
    let page = browser.get(ACCOUNT).await.expect(200).text();
    assert!(page.contains("Your password was changed"), "{page}");
    other.get(ACCOUNT).await.expect(303);
}

#[tokio::test]
async fn a_session_is_ended_from_another() {
    let stage = Stage::new().await;
    let mut other = stage.signed_in().await;
    let mut browser = stage.signed_in().await;
    let page = browser.get(ACCOUNT).await.expect(200).text();
    let revokes: Vec<&str> = page
        .split("action=\"")
        .filter_map(|rest| rest.split('"').next())
        .filter(|path| path.ends_with("/revoke"))
        .collect();
    assert_eq!(revokes.len(), 1, "its own is ended by signing out: {page}");
    browser.submit(revokes[0], &[]).await.expect(303);
    other.get(ACCOUNT).await.expect(303);
    let page = browser.get(ACCOUNT).await.expect(200).text();
    assert!(page.contains("The session was ended."), "{page}");
    // One that is not there, or somebody else's.
    browser.submit("/-/user_settings/account/sessions/999/revoke", &[]).await.expect(404);
    for strange in ["x", "1%2F2"] {
        let path = format!("/-/user_settings/account/sessions/{strange}/revoke");
        browser.submit(&path, &[]).await.expect(404);
    }
}
