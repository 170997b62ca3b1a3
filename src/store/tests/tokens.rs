//! The life of tokens.

use access::Holder;
use domain::{ErrorCode, Scope, Scopes, TokenLimits, UserId, Visibility};
use time::{Duration, macros::date};

use super::{
    NOW,
    accounts::refusal,
    test_store,
    world::{group, project, user},
};
use crate::{
    Secret, Store,
    access_tokens::{self, NewAccessToken},
    deploy_tokens::{self, NewDeployToken},
    groups,
    trusted_publishers::{self, NewTrustedPublisher, Presented},
    users,
};

fn new_token(user_id: UserId) -> NewAccessToken {
    NewAccessToken {
        user_id,
        name: "laptop".into(),
        description: String::new(),
        scopes: [Scope::Api, Scope::ReadApi].into_iter().collect(),
        limits: TokenLimits::none(),
        expires_at: Some(date!(2026 - 11 - 30)),
    }
}

fn new_deploy_token(holder: Holder) -> NewDeployToken {
    NewDeployToken {
        holder,
        name: "robot".into(),
        username: None,
        scopes: [Scope::ReadPackageRegistry].into_iter().collect(),
        limits: TokenLimits::none(),
        expires_at: Some(NOW + Duration::DAY),
        creator_id: None,
    }
}

async fn opens(store: &Store, secret: &Secret, now: time::OffsetDateTime) -> bool {
    access_tokens::authenticate(store, &secret.hash(), now).await.expect("a question").is_some()
}

#[tokio::test]
async fn a_personal_token_lives_until_it_expires_is_revoked_or_its_user_blocked() {
    let store = test_store().await;
    let ann = user(&store, "ann").await;
    let (token, secret) = access_tokens::create(&store, new_token(ann.id), NOW).await.expect("a token");
    assert!(secret.expose().starts_with("glpat-") && secret.expose().len() >= 6 + 27);
    assert_eq!(format!("{secret:?} {:?}", secret.hash()), "Secret(…) TokenHash(…)");
    let before = store.statements();
    let proved = access_tokens::authenticate(&store, &secret.hash(), NOW).await.expect("a question");
    assert_eq!(store.statements() - before, 1);
    let proved = proved.expect("it is good");
    assert_eq!((proved.user.id, proved.token_id, proved.scopes), (ann.id, token.id, token.scopes));
    assert!(!opens(&store, &Secret::given("glpat-other"), NOW).await);
    let last = NOW + Duration::days(7);
    assert!(opens(&store, &secret, last - Duration::DAY).await);
    assert!(!opens(&store, &secret, last).await, "on the day it expires it is over");
    users::block(&store, ann.id, NOW).await.expect("blocked");
    assert!(!opens(&store, &secret, NOW).await);
    users::unblock(&store, ann.id, NOW).await.expect("unblocked");

    let (rotated, fresh) = access_tokens::rotate(&store, token.id, None, NOW).await.expect("rotated");
    assert_eq!((rotated.name.as_str(), rotated.scopes, rotated.expires_at), ("laptop", token.scopes, None));
    assert!(!opens(&store, &secret, NOW).await && opens(&store, &fresh, NOW).await);
    assert_eq!(refusal(access_tokens::rotate(&store, token.id, None, NOW).await).code, ErrorCode::Invalid);
    access_tokens::revoke(&store, rotated.id, NOW).await.expect("revoked");
    let again = access_tokens::revoke(&store, rotated.id, NOW + Duration::DAY).await.expect("stays revoked");
    assert!(again.revoked_at.is_some_and(|at| at < NOW + Duration::MINUTE));
    assert!(!opens(&store, &fresh, NOW).await);
    assert_eq!(access_tokens::list(&store, ann.id).await.expect("a list").len(), 2);
}

#[tokio::test]
async fn a_token_that_makes_no_sense_is_refused() {
    let store = test_store().await;
    let ann = user(&store, "ann").await.id;
    for (new, field) in [
        (NewAccessToken { name: " ".into(), ..new_token(ann) }, "name"),
        (NewAccessToken { scopes: Scopes::default(), ..new_token(ann) }, "scopes"),
        (NewAccessToken { scopes: [Scope::ReadRegistry].into_iter().collect(), ..new_token(ann) }, "scopes"),
        (NewAccessToken { expires_at: Some(NOW.date()), ..new_token(ann) }, "expires_at"),
    ] {
        assert_eq!(refusal(access_tokens::create(&store, new, NOW).await).field.as_deref(), Some(field));
    }
    let nobody = access_tokens::create(&store, new_token(UserId(4711)), NOW).await;
    assert_eq!(refusal(nobody).code, ErrorCode::NotFound);
}

#[tokio::test]
async fn a_given_token_is_created_once() {
    let store = test_store().await;
    let (ann, ben) = (user(&store, "ann").await.id, user(&store, "ben").await.id);
    let secret = Secret::given("chosen-by-the-administrator");
    let first = access_tokens::create_given(&store, new_token(ann), &secret, NOW).await.expect("created");
    let second = access_tokens::create_given(&store, new_token(ann), &secret, NOW).await.expect("there");
    assert_eq!(first, second);
    assert!(opens(&store, &secret, NOW).await);
    let other = access_tokens::create_given(&store, new_token(ben), &secret, NOW).await;
    assert_eq!(refusal(other).field.as_deref(), Some("token"));
    let short = access_tokens::create_given(&store, new_token(ann), &Secret::given("1234"), NOW).await;
    assert_eq!(refusal(short).field.as_deref(), Some("token"));
    access_tokens::revoke(&store, first.id, NOW).await.expect("revoked");
    let revoked = access_tokens::create_given(&store, new_token(ann), &secret, NOW).await;
    assert_eq!(refusal(revoked).code, ErrorCode::Invalid);
}

#[tokio::test]
async fn when_a_token_was_used_is_written_down_later_and_seldom() {
    let store = test_store().await;
    let ann = user(&store, "ann").await.id;
    let (token, secret) = access_tokens::create(&store, new_token(ann), NOW).await.expect("a token");
    let last_used = async |now| {
        assert!(opens(&store, &secret, now).await);
        store.inner.usage.flush().await;
        access_tokens::find(&store, token.id).await.expect("a search").expect("a token").last_used_at
    };
    let first = last_used(NOW).await.expect("written down");
    assert!((first - NOW).abs() <= Duration::microseconds(1));
    assert_eq!(last_used(NOW + Duration::minutes(9)).await, Some(first), "not again so soon");
    assert!(last_used(NOW + Duration::minutes(11)).await > Some(first));
}

#[tokio::test]
async fn a_deploy_token_lives_as_long_as_what_it_was_made_for() {
    let store = test_store().await;
    let top = group(&store, None, "top", Visibility::Private).await;
    let tool = project(&store, top.id, "tool", Visibility::Private).await;
    let ask = async |secret: &Secret, now| {
        deploy_tokens::authenticate(&store, &secret.hash(), now).await.expect("a question")
    };
    let (token, secret) = deploy_tokens::create(&store, new_deploy_token(Holder::Project(tool.id)), NOW)
        .await
        .expect("a token");
    assert!(secret.expose().starts_with("gldt-"));
    assert_eq!(token.username, format!("gitlab+deploy-token-{}", token.id));
    let proved = ask(&secret, NOW).await.expect("it is good");
    assert_eq!((proved.holder, proved.username), (Holder::Project(tool.id), token.username.clone()));
    assert!(ask(&secret, NOW + Duration::DAY + Duration::SECOND).await.is_none(), "expired");
    assert!(token.is_active(NOW) && token.is_expired(NOW + Duration::DAY));
    let revoked = deploy_tokens::revoke(&store, token.id, NOW).await.expect("revoked");
    assert!(!revoked.is_active(NOW) && ask(&secret, NOW).await.is_none());

    let named = NewDeployToken { username: Some("ci".into()), ..new_deploy_token(Holder::Group(top.id)) };
    let (token, secret) = deploy_tokens::create(&store, named.clone(), NOW).await.expect("a token");
    assert_eq!(token.username, "ci");
    assert_eq!(ask(&secret, NOW).await.expect("it is good").holder, Holder::Group(top.id));
    assert_eq!(deploy_tokens::list(&store, Holder::Group(top.id)).await.expect("a list"), [token]);
    groups::destroy(&store, top.id, NOW).await.expect("deleted");
    assert!(ask(&secret, NOW).await.is_none(), "what it was made for is gone");
    for (new, field) in [
        (NewDeployToken { username: Some("a b".into()), ..named.clone() }, "username"),
        (NewDeployToken { scopes: [Scope::Api].into_iter().collect(), ..named.clone() }, "scopes"),
        (NewDeployToken { expires_at: Some(NOW), ..named.clone() }, "expires_at"),
    ] {
        assert_eq!(refusal(deploy_tokens::create(&store, new, NOW).await).field.as_deref(), Some(field));
    }
    assert_eq!(refusal(deploy_tokens::create(&store, named, NOW).await).code, ErrorCode::NotFound);
}

#[tokio::test]
async fn what_is_noted_is_written_when_the_store_closes() {
    let store = test_store().await;
    let ann = user(&store, "ann").await.id;
    let (_, secret) = access_tokens::create(&store, new_token(ann), NOW).await.expect("a token");
    assert!(opens(&store, &secret, NOW).await);
    let before = store.statements();
    store.close().await.expect("closed");
    assert_eq!(store.statements() - before, 1, "the note was written");
    assert!(users::find(&store, ann).await.is_err(), "a closed store answers nothing");
}

/// Of the many publishers of an issuer those are read that may accept a token: by an index, whatever project is meant.
#[tokio::test]
async fn publishers_are_found_by_what_a_token_says() {
    let store = test_store().await;
    let acme = group(&store, None, "acme", Visibility::Private).await;
    let (web, lib) = (
        project(&store, acme.id, "web", Visibility::Private).await,
        project(&store, acme.id, "lib", Visibility::Private).await,
    );
    let publisher = async |project: &crate::projects::Project, claims: &[(&str, &str)]| {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let new = NewTrustedPublisher {
            project_id: project.id,
            issuer: "https://ci.test".to_owned(),
            audience: "here".to_owned(),
            claims: claims.iter().map(owned).collect(),
            limits: TokenLimits::none(),
            creator_id: None,
        };
        trusted_publishers::create(&store, new, NOW).await.expect("a publisher").id
    };
    let of_web = publisher(&web, &[("repository", "acme/web"), ("ref", "main")]).await;
    let of_lib = publisher(&lib, &[("repository", "acme/lib"), ("ref", "main")]).await;
    // As long as the other: the first by name counts, as where rows were there before.
    let tied = publisher(&lib, &[("subject", "acme/lib"), ("b", "acme/web")]).await;
    let accepting = async |claims: &[(&str, &str)], project| {
        let claims = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let presented = Presented { issuer: "https://ci.test".to_owned(), claims };
        let found = trusted_publishers::accepting(&store, &presented, project).await?;
        Ok::<_, crate::StoreError>(found.into_iter().map(|publisher| publisher.id).collect::<Vec<_>>())
    };
    let found = |claims: &'static [(&str, &str)], project| {
        let accepting = &accepting;
        async move { accepting(claims, project).await.expect("publishers") }
    };
    assert_eq!(found(&[("repository", "acme/web"), ("ref", "main")], None).await, [of_web]);
    assert_eq!(found(&[("repository", "acme/lib"), ("extra", "1")], None).await, [of_lib]);
    assert_eq!(found(&[("b", "acme/web"), ("repository", "acme/lib")], None).await, [of_lib, tied]);
    assert_eq!(found(&[("ref", "main"), ("subject", "acme/lib")], None).await, []);
    assert_eq!(found(&[("repository", "acme/web")], Some(lib.id)).await, []);
    assert_eq!(found(&[("repository", "acme/web")], Some(web.id)).await, [of_web]);
    let many: Vec<_> = (0..201).map(|number| (format!("c{number}"), String::new())).collect();
    let presented = Presented { issuer: "https://ci.test".to_owned(), claims: many };
    let refused = trusted_publishers::accepting(&store, &presented, None).await;
    assert_eq!(refusal(refused).code, ErrorCode::Unauthenticated);
}
