//! Users, groups and projects: creating, changing, deleting, and what is refused.

use access::{Action, Viewer};
use domain::{ErrorCode, Failure, NamespaceId, RegistryAccessLevel, Role, Visibility};

use super::{
    NOW, test_store,
    world::{group, member, new_group, new_project, project, user, viewer},
};
use crate::{
    IdOrPath, PageRequest, Result, Store,
    groups::{self, GroupChange, NamespaceKind, NewGroup},
    members::Place,
    projects::{self, NewProject, ProjectChange},
    users::{self, NewUser, UserFilter, UserState},
};

/// The failure that an operation must end in.
pub(super) fn refusal<T: std::fmt::Debug>(outcome: Result<T>) -> Failure {
    Failure::from(outcome.expect_err("it is refused"))
}

async fn find_group(store: &Store, viewer: &Viewer, path: &str) -> Option<groups::Group> {
    let found = groups::find(store, viewer, IdOrPath::from(path), NOW).await.expect("a search")?;
    Some(found.authorize(viewer, Action::View).expect("it is visible"))
}

#[tokio::test]
async fn a_user_gets_a_namespace_and_owns_it() {
    let store = test_store().await;
    let new = NewUser {
        username: "Ann".into(),
        name: "Ann Otter".into(),
        email: Some("Ann@Example.com".into()),
        admin: false,
    };
    let ann = users::create(&store, new.clone(), NOW).await.expect("a user");
    assert_eq!((ann.state, ann.email.as_deref()), (UserState::Active, Some("ann@example.com")));
    let namespace = find_group(&store, &viewer(ann.id), "ann").await.expect("a namespace");
    assert_eq!((namespace.kind, namespace.owner_id), (NamespaceKind::User, Some(ann.id)));
    let own = groups::own_namespace(&store, &viewer(ann.id), ann.id, NOW).await.expect("a search");
    assert!(own.expect("it is there").permits(&viewer(ann.id), Action::CreateProject));
    project(&store, namespace.id, "tool", Visibility::Private).await;

    let again = refusal(users::create(&store, new.clone(), NOW).await);
    assert_eq!(again.code, ErrorCode::Duplicate);
    assert_eq!(again.message, "Username 'Ann' has already been taken");
    let same_mail = NewUser { username: "other".into(), ..new.clone() };
    assert_eq!(refusal(users::create(&store, same_mail, NOW).await).field.as_deref(), Some("email"));
    let taken = groups::create(&store, new_group(None, "ANN", Visibility::Public), NOW).await;
    assert_eq!(refusal(taken).message, "Path 'ANN' has already been taken");
    let reserved = NewUser { username: "api".into(), email: None, ..new };
    assert_eq!(refusal(users::create(&store, reserved, NOW).await).code, ErrorCode::Invalid);
    let below = groups::create(&store, new_group(Some(namespace.id), "sub", Visibility::Public), NOW).await;
    assert_eq!(refusal(below).field.as_deref(), Some("parent_id"));
}

#[tokio::test]
async fn users_are_found_listed_and_blocked() {
    let store = test_store().await;
    let ann = user(&store, "ann").await;
    let ben = user(&store, "be_n").await;
    assert_eq!(users::find_by_username(&store, "ANN").await.expect("a search"), Some(ann.clone()));
    let all = users::list(&store, &all_users(None), &PageRequest::first(1)).await.expect("a list");
    assert_eq!((all.rows.len(), all.has_next), (1, true));
    let found = users::list(&store, &all_users(Some("E_N")), &PageRequest::first(9)).await.expect("a list");
    assert_eq!(found.rows.iter().map(|user| user.id).collect::<Vec<_>>(), [ben.id]);
    let none = users::list(&store, &all_users(Some("%")), &PageRequest::first(9)).await.expect("a list");
    assert!(none.rows.is_empty(), "signs of the pattern language stand for themselves");
    assert_eq!(users::count(&store, &all_users(None)).await.expect("a count"), 2);
    assert_eq!(users::count(&store, &all_users(Some("an"))).await.expect("a count"), 1);
    let quiet = NewUser {
        username: "quiet".into(),
        name: "Quiet".into(),
        email: Some("hidden.away@x.org".into()),
        admin: false,
    };
    users::create(&store, quiet, NOW).await.expect("a user");
    let mail = UserFilter { in_email: true, ..all_users(Some("hidden.away")) };
    assert_eq!(users::count(&store, &mail).await.expect("a count"), 1);
    let hidden = UserFilter { in_email: false, ..mail };
    assert_eq!(users::count(&store, &hidden).await.expect("a count"), 0);
    assert_eq!(users::list(&store, &hidden, &PageRequest::first(9)).await.expect("a list").rows, []);
    let blocked = users::block(&store, ann.id, NOW).await.expect("blocked");
    assert_eq!(blocked.state, UserState::Blocked);
    assert_eq!(users::unblock(&store, ann.id, NOW).await.expect("unblocked").state, UserState::Active);
    assert_eq!(users::find_many(&store, &[ann.id, ben.id]).await.expect("both").len(), 2);
}

#[tokio::test]
async fn nothing_is_more_visible_than_the_group_above() {
    let store = test_store().await;
    let top = group(&store, None, "top", Visibility::Internal).await;
    let wide = groups::create(&store, new_group(Some(top.id), "wide", Visibility::Public), NOW).await;
    let refused = refusal(wide);
    assert_eq!(refused.field.as_deref(), Some("visibility"));
    assert!(refused.message.contains("'public'") && refused.message.contains("'top'"), "{refused}");
    let wide = projects::create(&store, new_project(top.id, "wide", Visibility::Public), NOW).await;
    assert_eq!(refusal(wide).field.as_deref(), Some("visibility"));
    let inner = project(&store, top.id, "inner", Visibility::Internal).await;
    let widen = ProjectChange { visibility: Some(Visibility::Public), ..Default::default() };
    assert_eq!(refusal(projects::update(&store, inner.id, widen, NOW).await).code, ErrorCode::Invalid);
    let narrow = GroupChange { visibility: Some(Visibility::Private), ..Default::default() };
    let refused = refusal(groups::update(&store, top.id, narrow.clone(), NOW).await);
    assert!(refused.message.contains("internal"), "{refused}");
    projects::destroy(&store, inner.id, NOW).await.expect("deleted");
    let group = groups::update(&store, top.id, narrow, NOW).await.expect("nothing stands against it");
    assert_eq!(group.visibility, Visibility::Private);
}

#[tokio::test]
async fn groups_and_projects_share_their_paths() {
    let store = test_store().await;
    let top = group(&store, None, "top", Visibility::Public).await;
    group(&store, Some(top.id), "here", Visibility::Public).await;
    let project_there = projects::create(&store, new_project(top.id, "HERE", Visibility::Public), NOW).await;
    let refused = refusal(project_there);
    assert_eq!((refused.code, refused.field.as_deref()), (ErrorCode::Duplicate, Some("path")));
    project(&store, top.id, "there", Visibility::Public).await;
    let group_there = groups::create(&store, new_group(Some(top.id), "there", Visibility::Public), NOW).await;
    assert_eq!(refusal(group_there).code, ErrorCode::Duplicate);
    let nowhere = new_group(Some(NamespaceId(4711)), "x", Visibility::Public);
    assert_eq!(refusal(groups::create(&store, nowhere, NOW).await).code, ErrorCode::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_want_one_path_one_gets_it() {
    let store = test_store().await;
    let top = group(&store, None, "top", Visibility::Public).await;
    let groups =
        (0..8).map(|_| groups::create(&store, new_group(Some(top.id), "one", Visibility::Public), NOW));
    let projects =
        (0..8).map(|_| projects::create(&store, new_project(top.id, "one", Visibility::Public), NOW));
    let (groups, projects) =
        tokio::join!(futures::future::join_all(groups), futures::future::join_all(projects));
    let created = groups.iter().filter(|outcome| outcome.is_ok()).count()
        + projects.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(created, 1);
    for failure in
        groups.into_iter().filter_map(Result::err).chain(projects.into_iter().filter_map(Result::err))
    {
        assert_eq!(Failure::from(failure).code, ErrorCode::Duplicate);
    }
}

#[tokio::test]
async fn renaming_a_group_moves_everything_below() {
    let store = test_store().await;
    let ann = user(&store, "ann").await.id;
    let new = NewGroup { creator_id: Some(ann), ..new_group(None, "Old", Visibility::Private) };
    let old = groups::create(&store, new, NOW).await.expect("a group");
    let sub = group(&store, Some(old.id), "Sub", Visibility::Private).await;
    project(&store, sub.id, "Tool", Visibility::Private).await;
    let neighbour = group(&store, None, "Older", Visibility::Public).await;
    let change =
        GroupChange { path: Some("New-Name".into()), name: Some("New".into()), ..Default::default() };
    let renamed = groups::update(&store, old.id, change, NOW).await.expect("renamed");
    assert_eq!((renamed.full_path.as_str(), renamed.name.as_str()), ("New-Name", "New"));
    let ann = viewer(ann);
    assert_eq!(find_group(&store, &ann, "new-name/sub").await.expect("moved").full_path, "New-Name/Sub");
    let tool =
        projects::find(&store, &ann, IdOrPath::Path("new-name/SUB/tool"), NOW).await.expect("a search");
    let tool = tool.expect("moved").authorize(&ann, Action::Destroy).expect("the creator owns the group");
    assert_eq!((tool.full_path.as_str(), tool.namespace_path()), ("New-Name/Sub/Tool", "New-Name/Sub"));
    assert!(find_group(&store, &ann, "old").await.is_none());
    assert_eq!(find_group(&store, &ann, "older").await.expect("untouched").id, neighbour.id);
    let onto = GroupChange { path: Some("older".into()), ..Default::default() };
    assert_eq!(refusal(groups::update(&store, old.id, onto, NOW).await).code, ErrorCode::Duplicate);
    let case = GroupChange { path: Some("new-name".into()), ..Default::default() };
    assert_eq!(groups::update(&store, old.id, case, NOW).await.expect("its own path").path, "new-name");
}

#[tokio::test]
async fn what_is_deleted_is_gone_and_frees_its_path() {
    let store = test_store().await;
    let ann = user(&store, "ann").await.id;
    let top = group(&store, None, "top", Visibility::Private).await;
    let sub = group(&store, Some(top.id), "sub", Visibility::Private).await;
    let tool = project(&store, sub.id, "tool", Visibility::Private).await;
    member(&store, Place::Project(tool.id), ann, Role::Owner).await;
    let ann = viewer(ann);
    assert!(find_group(&store, &ann, "top").await.is_some(), "seen because of the project below");
    let short_lived = project(&store, top.id, "short-lived", Visibility::Private).await;
    let ben = user(&store, "ben").await.id;
    let cem = user(&store, "cem").await.id;
    member(&store, Place::Project(short_lived.id), ben, Role::Owner).await;
    member(&store, Place::Group(sub.id), cem, Role::Owner).await;
    assert!(find_group(&store, &viewer(ben), "top").await.is_some());
    assert!(find_group(&store, &viewer(cem), "top").await.is_some());
    projects::destroy(&store, short_lived.id, NOW).await.expect("deleted");
    groups::destroy(&store, sub.id, NOW).await.expect("deleted");
    let gone = projects::find(&store, &ann, IdOrPath::Id(tool.id.0), NOW).await.expect("a search");
    assert!(gone.is_none());
    for somebody in [&ann, &viewer(ben), &viewer(cem)] {
        let top_now = groups::find(&store, somebody, IdOrPath::Id(top.id.0), NOW).await.expect("a search");
        let known = top_now.expect("it stays").permits(somebody, Action::View);
        assert!(!known, "nothing below makes it known to {somebody:?} any more");
    }
    let sub = group(&store, Some(top.id), "sub", Visibility::Private).await;
    let change = ProjectChange { path: Some("renamed".into()), ..Default::default() };
    assert_eq!(refusal(projects::update(&store, tool.id, change, NOW).await).code, ErrorCode::NotFound);
    let tool = project(&store, sub.id, "tool", Visibility::Private).await;
    projects::destroy(&store, tool.id, NOW).await.expect("deleted");
    assert_eq!(refusal(projects::destroy(&store, tool.id, NOW).await).code, ErrorCode::NotFound);
    let new = NewProject {
        registry_access_level: RegistryAccessLevel::Public,
        ..new_project(sub.id, "tool", Visibility::Private)
    };
    let tool = projects::create(&store, new, NOW).await.expect("the path is free");
    let change = ProjectChange {
        path: Some("Tools".into()),
        description: Some("all of them".into()),
        registry_access_level: Some(RegistryAccessLevel::Private),
        ..Default::default()
    };
    let tool = projects::update(&store, tool.id, change, NOW).await.expect("changed");
    assert_eq!((tool.full_path.as_str(), tool.description.as_str()), ("top/sub/Tools", "all of them"));
    assert_eq!(tool.registry_access_level, RegistryAccessLevel::Private);
}

fn all_users(search: Option<&str>) -> UserFilter {
    UserFilter { search: search.map(str::to_owned), with_bots: true, ..UserFilter::default() }
}
