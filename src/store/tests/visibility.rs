//! Lists show exactly what single reads allow: `visible.rs`, `roles.rs` and `access::decide`, compared over a generated world.

use std::collections::BTreeSet;

use access::{Action, Guarded, Holder, Identity, Purpose, Via, Viewer, Visible};
use domain::{
    DeployTokenId, NamespaceId, ProjectId, RegistryAccessLevel, Role, Scope, Scopes, TrustedPublisherId,
    UserId, Visibility,
};
use sea_orm::{
    FromQueryResult,
    sea_query::{Expr, Query},
};

use super::{
    NOW, TestStore, test_store,
    world::{group, member, new_project, project, user, viewer},
};
use crate::{
    IdOrPath, PageRequest,
    groups::{self, GroupChange, GroupList},
    instance_settings::{self, InstanceSettingsChange},
    members::Place,
    projects::{self, NewProject, ProjectList},
    rows,
    visible::visible_projects,
};

struct World {
    store: TestStore,
    projects: Vec<ProjectId>,
    groups: Vec<NamespaceId>,
    viewers: Vec<Viewer>,
}

/// A tree of groups of every visibility, in each of them projects of every visibility and registry access level, and members
/// of every role at different places.
async fn world() -> World {
    let store = test_store().await;
    let (mut groups, mut projects) = (Vec::new(), Vec::new());
    for visibility in Visibility::ALL {
        let top = group(&store, None, &format!("top-{}", visibility.name()), *visibility).await;
        let below = group(&store, Some(top.id), "below", *visibility).await;
        let private = group(&store, Some(below.id), "private", Visibility::Private).await;
        for namespace in [&top, &below, &private] {
            groups.push(namespace.id);
            for within in Visibility::ALL.iter().filter(|within| **within <= namespace.visibility) {
                for registry_access_level in RegistryAccessLevel::ALL {
                    let path = format!("p-{}-{}", within.name(), registry_access_level.name());
                    let new = new_project(namespace.id, &path, *within);
                    let new = NewProject { registry_access_level: *registry_access_level, ..new };
                    projects.push(projects::create(&store, new, NOW).await.expect("a project").id);
                }
            }
        }
    }
    let mut viewers = vec![Viewer::anonymous()];
    let stranger = user(&store, "stranger").await.id;
    viewers.push(viewer(stranger));
    viewers.push(Viewer::new(Identity::User { id: stranger, admin: true }, Scopes::all()));
    viewers.push(Viewer::new(
        Identity::User { id: stranger, admin: false },
        [Scope::ReadUser].into_iter().collect(),
    ));
    for (number, role) in Role::ALL.iter().enumerate() {
        for (place, name) in [
            (Place::Group(groups[1]), "inherited"),
            (Place::Group(groups[6]), "top"),
            (Place::Project(projects[number]), "direct"),
            (Place::Project(projects[projects.len() - 1 - number]), "deep"),
        ] {
            let id = user(&store, &format!("{name}-{number}")).await.id;
            member(&store, place, id, *role).await;
            viewers.push(viewer(id));
            let reach: Vec<_> = projects.iter().copied().step_by(5).collect();
            viewers.push(viewer(id).by_way_of(Via::Job(reach.into())));
        }
    }
    for holder in [Holder::Group(groups[0]), Holder::Group(groups[4]), Holder::Project(projects[2])] {
        let identity = Identity::DeployToken { id: DeployTokenId(1), holder };
        viewers.push(Viewer::new(identity, Scopes::all()));
        viewers.push(Viewer::new(identity, [Scope::ReadPackageRegistry].into_iter().collect()));
    }
    let identity = Identity::TrustedPublisher { id: TrustedPublisherId(1), project: projects[2] };
    viewers.push(Viewer::new(identity, Scopes::all()));
    World { store, projects, groups, viewers }
}

#[derive(FromQueryResult)]
struct Id {
    id: i64,
}

async fn visible_ids(world: &World, viewer: &Viewer, purpose: Purpose) -> BTreeSet<i64> {
    let instance = world.store.instance_facts().await.expect("switches");
    let visible = Visible::to(viewer, purpose, instance);
    let select = Query::select()
        .expr_as(Expr::col(("p", "id")), "id")
        .from_as("projects", "p")
        .cond_where(visible_projects(&visible, "p", NOW))
        .to_owned();
    let rows: Vec<Id> = rows::all(world.store.reader(), &select).await.expect("a list");
    rows.into_iter().map(|row| row.id).collect()
}

fn permitted<T>(guarded: &Guarded<T>, viewer: &Viewer, purpose: Purpose) -> bool {
    match purpose {
        Purpose::Packages => guarded.permits(viewer, Action::ViewPackages),
        Purpose::Pipelines => unreachable!("lists of pipelines are compared by tests/job_tokens.rs"),
        // A token that reads packages only may look at one project and lists none.
        Purpose::Projects => {
            let reads_api =
                viewer.is_anonymous() || viewer.scopes().contains_any(&[Scope::Api, Scope::ReadApi]);
            reads_api && guarded.permits(viewer, Action::View)
        }
    }
}

async fn compare_projects(world: &World, viewer: &Viewer) {
    for purpose in [Purpose::Projects, Purpose::Packages] {
        let listed = visible_ids(world, viewer, purpose).await;
        let mut allowed = BTreeSet::new();
        let many = projects::find_many(&world.store, viewer, &world.projects, NOW).await.expect("projects");
        assert_eq!(many.len(), world.projects.len());
        let mut facts_of_many = BTreeSet::new();
        for id in &world.projects {
            let one = projects::find(&world.store, viewer, IdOrPath::Id(id.0), NOW).await.expect("a project");
            let one = one.expect("it is there");
            facts_of_many.insert(format!("{:?}", one.facts()));
            if permitted(&one, viewer, purpose) {
                allowed.insert(id.0);
            }
        }
        assert_eq!(listed, allowed, "{viewer:?} {purpose:?}");
        let built: BTreeSet<_> = many.values().map(|project| format!("{:?}", project.facts())).collect();
        assert_eq!(built, facts_of_many, "the built statement and the fixed one agree");
    }
    let list = ProjectList {
        filter: projects::ProjectFilter::default(),
        order: projects::ProjectOrder::Id,
        direction: crate::Direction::Ascending,
        page: PageRequest::first(1000),
    };
    let page = projects::list(&world.store, viewer, &list, NOW).await.expect("a list");
    assert!(page.rows.iter().all(|project| project.permits(viewer, Action::View)));
    assert_eq!(page.rows.len(), visible_ids(world, viewer, Purpose::Projects).await.len());
    let count = projects::count(&world.store, viewer, &list.filter, NOW).await.expect("a count");
    assert_eq!(usize::try_from(count), Ok(page.rows.len()));
}

async fn compare_groups(world: &World, viewer: &Viewer) {
    let list = GroupList {
        filter: groups::GroupFilter::default(),
        order: groups::GroupOrder::Id,
        direction: crate::Direction::Ascending,
        page: PageRequest::first(1000),
    };
    let page = groups::list(&world.store, viewer, &list, NOW).await.expect("a list");
    let listed: BTreeSet<_> = page
        .rows
        .into_iter()
        .map(|group| group.authorize(viewer, Action::View).expect("what is listed may be seen").id)
        .collect();
    let mut allowed = BTreeSet::new();
    for group in groups::find_many(&world.store, viewer, &world.groups, NOW).await.expect("groups") {
        if permitted(&group, viewer, Purpose::Projects) {
            allowed.insert(group.authorize(viewer, Action::View).expect("just said so").id);
        }
    }
    assert_eq!(listed, allowed, "{viewer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_show_exactly_what_single_reads_allow() {
    let world = world().await;
    for (registry, anyone, group) in
        [(true, true, true), (true, false, true), (false, true, true), (true, true, false)]
    {
        // A group in the middle of a tree, with one above it and one below.
        let off = GroupChange { package_registry_enabled: Some(group), ..GroupChange::default() };
        groups::update(&world.store, world.groups[7], off, NOW).await.expect("a switch");
        let change = InstanceSettingsChange {
            package_registry_enabled: Some(registry),
            package_registry_allow_anyone_to_pull_option: Some(anyone),
            ..InstanceSettingsChange::default()
        };
        instance_settings::update(&world.store, change, NOW).await.expect("switches");
        for viewer in &world.viewers {
            compare_projects(&world, viewer).await;
            compare_groups(&world, viewer).await;
        }
    }
}

#[tokio::test]
async fn roles_are_inherited_and_the_highest_counts() {
    let store = test_store().await;
    let top = group(&store, None, "top", Visibility::Private).await;
    let middle = group(&store, Some(top.id), "middle", Visibility::Private).await;
    let project = project(&store, middle.id, "project", Visibility::Private).await;
    let ann = user(&store, "ann").await.id;
    let role = async |id: UserId| {
        let found = projects::find(&store, &viewer(id), IdOrPath::Path("TOP/middle/Project"), NOW).await;
        match found.expect("a search").expect("a project").facts() {
            access::Facts::Project(facts) => facts.role,
            access::Facts::Group(_) => panic!("a project"),
        }
    };
    let in_group = async |id: NamespaceId| {
        let found = groups::find(&store, &viewer(ann), IdOrPath::Id(id.0), NOW).await;
        match found.expect("a search").expect("a group").facts() {
            access::Facts::Group(facts) => facts.role,
            access::Facts::Project(_) => panic!("a group"),
        }
    };
    assert_eq!(role(ann).await, None);
    assert_eq!(in_group(top.id).await, None);
    member(&store, Place::Project(project.id), ann, Role::Reporter).await;
    assert_eq!(role(ann).await, Some(Role::Reporter));
    assert_eq!(in_group(top.id).await, Some(Role::Guest), "a role below counts as guest");
    member(&store, Place::Group(top.id), ann, Role::Developer).await;
    assert_eq!(role(ann).await, Some(Role::Developer));
    assert_eq!(in_group(middle.id).await, Some(Role::Developer));
    member(&store, Place::Group(middle.id), ann, Role::Maintainer).await;
    assert_eq!(role(ann).await, Some(Role::Maintainer));
    let before = store.statements();
    role(ann).await;
    assert_eq!(store.statements() - before, 1, "one statement finds a project and the caller's standing");
}
