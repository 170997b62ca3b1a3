//! Lists: filters, orders and pages, and that a page costs the same however long it is.

use access::{Action, Viewer};
use domain::{Role, Visibility};
use time::Duration;

use super::{
    NOW, test_store,
    world::{group, member, new_project, project, user, viewer},
};
use crate::{
    Depth, Direction, Page, PageRequest, Store,
    groups::{self, Group, GroupFilter, GroupList, GroupOrder, Within},
    members::Place,
    page::Side,
    projects::{self, Project, ProjectFilter, ProjectList, ProjectOrder},
};

async fn page_of(store: &Store, viewer: &Viewer, list: &ProjectList) -> Page<Project> {
    let page = projects::list(store, viewer, list, NOW).await.expect("a page");
    page.map(|project| project.authorize(viewer, Action::View).expect("what is listed may be seen"))
}

async fn paths(store: &Store, viewer: &Viewer, filter: ProjectFilter) -> Vec<String> {
    let list = ProjectList {
        filter: filter.clone(),
        order: ProjectOrder::Path,
        direction: Direction::Ascending,
        page: PageRequest::first(100),
    };
    let paths: Vec<_> = page_of(store, viewer, &list).await.rows.into_iter().map(|row| row.path).collect();
    let count = projects::count(store, viewer, &filter, NOW).await.expect("a count");
    assert_eq!(usize::try_from(count), Ok(paths.len()), "pages and counts agree");
    paths
}

async fn group_paths(store: &Store, viewer: &Viewer, filter: GroupFilter) -> Vec<String> {
    let list = GroupList {
        filter: filter.clone(),
        order: GroupOrder::Path,
        direction: Direction::Ascending,
        page: PageRequest::first(100),
    };
    let page = groups::list(store, viewer, &list, NOW).await.expect("a page");
    let group = |row: access::Guarded<Group>| row.authorize(viewer, Action::View).expect("it may be seen");
    let paths: Vec<_> = page.map(group).rows.into_iter().map(|row| row.path).collect();
    let count = groups::count(store, viewer, &filter, NOW).await.expect("a count");
    assert_eq!(usize::try_from(count), Ok(paths.len()), "pages and counts agree");
    paths
}

#[tokio::test]
async fn pages_meet_without_gap_or_overlap() {
    let store = test_store().await;
    let top = group(&store, None, "top", Visibility::Public).await;
    for number in 0..23 {
        // Names and times repeat, so that the id has to decide; whole and broken seconds, so that text order is tested.
        let new = new_project(top.id, &format!("p{:02}", (number * 7) % 23), Visibility::Public);
        let new = projects::NewProject { name: format!("name {}", number % 4), ..new };
        projects::create(&store, new, NOW + Duration::milliseconds(250 * (number / 3)))
            .await
            .expect("a project");
    }
    let anyone = Viewer::anonymous();
    for order in [
        ProjectOrder::Id,
        ProjectOrder::Name,
        ProjectOrder::Path,
        ProjectOrder::CreatedAt,
        ProjectOrder::UpdatedAt,
    ] {
        for direction in [Direction::Ascending, Direction::Descending] {
            let list = |page| ProjectList { filter: ProjectFilter::default(), order, direction, page };
            let all = page_of(&store, &anyone, &list(PageRequest::first(100))).await;
            assert_eq!((all.rows.len(), all.has_next, all.has_previous), (23, false, false));
            let ids = |page: &Page<Project>| page.rows.iter().map(|row| row.id).collect::<Vec<_>>();
            if order == ProjectOrder::CreatedAt {
                let times: Vec<_> = all.rows.iter().map(|row| row.created_at).collect();
                let rising = times.is_sorted();
                let falling = times.iter().rev().is_sorted();
                assert_eq!(
                    (rising, falling),
                    match direction {
                        Direction::Ascending => (true, false),
                        Direction::Descending => (false, true),
                    }
                );
            }
            for side in [Side::First, Side::Last] {
                let mut request = PageRequest { side, ..PageRequest::first(5) };
                let mut gathered = Vec::new();
                loop {
                    let page = page_of(&store, &anyone, &list(request.clone())).await;
                    let (more, next) = match side {
                        Side::First => {
                            gathered.extend(ids(&page));
                            (page.has_next, page.rows.last().expect("a row"))
                        }
                        Side::Last => {
                            gathered.splice(0..0, ids(&page));
                            (page.has_previous, &page.rows[0])
                        }
                    };
                    let cursor = order.cursor(next);
                    request = PageRequest { side, ..PageRequest::first(5) };
                    match side {
                        Side::First => request.after = Some(cursor),
                        Side::Last => request.before = Some(cursor),
                    }
                    if !more {
                        break;
                    }
                }
                assert_eq!(gathered, ids(&all), "{order:?} {direction:?} {side:?}");
            }
            let third = page_of(&store, &anyone, &list(PageRequest::numbered(3, 10))).await;
            assert_eq!(
                (ids(&third), third.has_next, third.has_previous),
                (ids(&all)[20..].to_vec(), false, true)
            );
        }
    }
    let foreign = PageRequest::first(5).after(crate::Cursor { sort: None, id: 1 });
    let list = ProjectList {
        filter: ProjectFilter::default(),
        order: ProjectOrder::Name,
        direction: Direction::Ascending,
        page: foreign,
    };
    assert!(projects::list(&store, &anyone, &list, NOW).await.is_err(), "a cursor of another list");
}

#[tokio::test]
async fn projects_are_filtered() {
    let store = test_store().await;
    let ann = user(&store, "ann").await.id;
    let top = group(&store, None, "top", Visibility::Public).await;
    let sub = group(&store, Some(top.id), "sub", Visibility::Public).await;
    let private = group(&store, Some(sub.id), "private", Visibility::Private).await;
    project(&store, top.id, "alpha", Visibility::Public).await;
    project(&store, sub.id, "beta", Visibility::Internal).await;
    let gamma = project(&store, private.id, "gamma", Visibility::Private).await;
    member(&store, Place::Project(gamma.id), ann, Role::Maintainer).await;
    member(&store, Place::Group(sub.id), ann, Role::Reporter).await;
    let ann = viewer(ann);
    let anyone = Viewer::anonymous();
    let filter = ProjectFilter::default();
    assert_eq!(paths(&store, &anyone, filter.clone()).await, ["alpha"]);
    assert_eq!(paths(&store, &ann, filter.clone()).await, ["alpha", "beta", "gamma"]);
    let search = |text: &str| ProjectFilter { search: Some(text.into()), ..filter.clone() };
    assert_eq!(paths(&store, &ann, search("SUB/")).await, ["beta", "gamma"]);
    assert_eq!(paths(&store, &ann, search("a_pha")).await, [""; 0]);
    let within = |depth| ProjectFilter { namespace: Some((sub.id, depth)), ..filter.clone() };
    assert_eq!(paths(&store, &ann, within(Depth::Direct)).await, ["beta"]);
    assert_eq!(paths(&store, &ann, within(Depth::Descendants)).await, ["beta", "gamma"]);
    let at_least = |role| ProjectFilter { minimum_role: Some(role), ..filter.clone() };
    assert_eq!(paths(&store, &ann, at_least(Role::Guest)).await, ["beta", "gamma"]);
    assert_eq!(paths(&store, &ann, at_least(Role::Maintainer)).await, ["gamma"]);
    assert_eq!(paths(&store, &anyone, at_least(Role::Guest)).await, [""; 0]);
    let internal = ProjectFilter { visibility: Some(Visibility::Internal), ..filter.clone() };
    assert_eq!(paths(&store, &ann, internal).await, ["beta"]);
}

#[tokio::test]
async fn groups_are_filtered() {
    let store = test_store().await;
    let ann = user(&store, "ann").await.id;
    let top = group(&store, None, "top", Visibility::Public).await;
    let sub = group(&store, Some(top.id), "sub", Visibility::Public).await;
    let deep = group(&store, Some(sub.id), "deep", Visibility::Private).await;
    group(&store, None, "hidden", Visibility::Private).await;
    member(&store, Place::Group(deep.id), ann, Role::Owner).await;
    let ann = viewer(ann);
    let filter = GroupFilter::default();
    assert_eq!(
        group_paths(&store, &ann, filter.clone()).await,
        ["deep", "sub", "top"],
        "no user's namespace"
    );
    assert_eq!(group_paths(&store, &Viewer::anonymous(), filter.clone()).await, ["sub", "top"]);
    let within = |within| GroupFilter { within, ..filter.clone() };
    assert_eq!(group_paths(&store, &ann, within(Within::TopLevel)).await, ["top"]);
    assert_eq!(group_paths(&store, &ann, within(Within::Group(top.id, Depth::Direct))).await, ["sub"]);
    let below = within(Within::Group(top.id, Depth::Descendants));
    assert_eq!(group_paths(&store, &ann, below).await, ["deep", "sub"]);
    let owned = GroupFilter { minimum_role: Some(Role::Owner), ..filter.clone() };
    assert_eq!(group_paths(&store, &ann, owned).await, ["deep"]);
    let search = GroupFilter { search: Some("EE".into()), ..filter };
    assert_eq!(group_paths(&store, &ann, search).await, ["deep"]);
}

#[tokio::test]
async fn a_page_is_one_statement_however_long() {
    let store = test_store().await;
    let ann = viewer(user(&store, "ann").await.id);
    let top = group(&store, None, "top", Visibility::Public).await;
    for number in 0..12 {
        project(&store, top.id, &format!("p{number}"), Visibility::Public).await;
        group(&store, Some(top.id), &format!("g{number}"), Visibility::Public).await;
    }
    store.instance_facts().await.expect("cached from now on");
    for limit in [1, 5, 100] {
        let before = store.statements();
        let list = ProjectList {
            filter: ProjectFilter::default(),
            order: ProjectOrder::Name,
            direction: Direction::Descending,
            page: PageRequest::first(limit),
        };
        projects::list(&store, &ann, &list, NOW).await.expect("a page");
        let list = GroupList {
            filter: GroupFilter::default(),
            order: GroupOrder::Name,
            direction: Direction::Descending,
            page: PageRequest::first(limit),
        };
        groups::list(&store, &ann, &list, NOW).await.expect("a page");
        assert_eq!(store.statements() - before, 2, "{limit}");
    }
}
