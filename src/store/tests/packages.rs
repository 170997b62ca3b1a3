//! Packages: publishing twice, deleting, bringing back, tags, index documents, lists.

use domain::{
    DigestAlgorithm, Digests, ErrorCode, Failure, PackageFormat, PackageName, PackageVersion, Sha256,
    Visibility,
    rules::{
        DeclaredDependency, DependencyType, FormatRules, Fragment, Inspection, Publication, PublishedFile,
        PublishedVersion, Republish,
    },
};
use serde_json::json;

use super::{
    NOW, TestStore, test_store,
    world::{group, new_project, viewer},
};
use crate::{
    Direction, PageRequest, Result, StoreError,
    packages::{
        self, Author, Deprecation, FileCoordinates, FileFilter, FileSort, NewFile, NewPublication,
        PackageFilter, PackageScope, PackageSort, Published,
    },
    projects::{self, Project},
};

/// A format without rules of its own whose index holds a line a version.
pub(super) struct Plain;

impl FormatRules for Plain {
    fn format(&self) -> PackageFormat {
        PackageFormat::Npm
    }
    fn name(&self, raw: &str) -> Result<PackageName, Failure> {
        Ok(PackageName::verbatim(raw))
    }
    fn version(&self, raw: &str) -> Result<PackageVersion, Failure> {
        Ok(PackageVersion::verbatim(raw))
    }
    fn file_name(&self, _: &PackageName, _: Option<&PackageVersion>, raw: &str) -> Result<String, Failure> {
        Ok(raw.to_owned())
    }
    fn republish(&self) -> Republish {
        Republish::Forbidden
    }
    fn max_file_size(&self) -> u64 {
        1 << 20
    }
    fn digests(&self) -> &'static [DigestAlgorithm] {
        &[]
    }
    fn inspect(&self, _: &Publication<'_>) -> Result<Inspection, Failure> {
        Ok(Inspection::default())
    }
    fn fragments(&self, version: &PublishedVersion<'_>) -> Vec<Fragment> {
        let (number, files) = (version.version.unwrap_or_default(), version.files.len());
        let body = format!("{number} {files} {}", version.deprecation.unwrap_or("-"));
        vec![Fragment::of_name("lines", body)]
    }
    fn file_fragments(&self, version: &PublishedVersion<'_>, file: &PublishedFile) -> Vec<Fragment> {
        let flags: Vec<_> = version.flags.iter().map(|flag| flag.reason.as_deref().unwrap_or("?")).collect();
        let body = format!("{} {} {flags:?}", version.version.unwrap_or_default(), file.file_name);
        let shelf = file
            .channel
            .as_ref()
            .map(|channel| Fragment::of_project(format!("shelf/{channel}"), body.clone()));
        shelf.into_iter().chain([Fragment::of_name("files", body)]).collect()
    }
}

pub(super) static PLAIN: Plain = Plain;

pub(super) fn file(name: &str, content: u8) -> NewFile {
    NewFile {
        file_name: name.to_owned(),
        channel: None,
        properties: json!({}),
        size: 3,
        digests: Digests {
            sha256: Sha256([content; 32]),
            md5: None,
            sha1: Some([content; 20]),
            sha512: None,
        },
        replaces: None,
        is_stored: false,
        removals: 0,
    }
}

pub(super) fn publication(
    project: &Project,
    version: &str,
    content: u8,
    republish: Republish,
) -> NewPublication {
    NewPublication {
        project: project.id,
        rules: &PLAIN,
        republish,
        name: PackageName::verbatim("lib"),
        version: Some(PackageVersion::verbatim(version)),
        files: vec![file("lib.tgz", content)],
        metadata: json!({"b": 1, "a": [true, null]}),
        dependencies: vec![
            DeclaredDependency {
                name: "x".into(),
                version_pattern: "^1".into(),
                kind: DependencyType::Dependencies,
                scope: String::new(),
            },
            DeclaredDependency {
                name: "x".into(),
                version_pattern: "^1".into(),
                kind: DependencyType::PeerDependencies,
                scope: String::new(),
            },
            DeclaredDependency {
                name: "y".into(),
                version_pattern: "*".into(),
                kind: DependencyType::Dependencies,
                scope: String::new(),
            },
        ],
        tags: vec!["latest".to_owned()],
        status: None,
        author: Author::default(),
    }
}

pub(super) async fn world() -> (TestStore, Project) {
    let store = test_store().await;
    let top = group(&store, None, "top", Visibility::Public).await;
    let new = new_project(top.id, "lib", Visibility::Public);
    let project = projects::create(&store, new, NOW).await.expect("a project");
    (store, project)
}

async fn publish(store: &TestStore, project: &Project, version: &str, content: u8) -> Result<Published> {
    packages::publish(store, publication(project, version, content, Republish::Forbidden), NOW).await
}

pub(super) fn code(error: StoreError) -> ErrorCode {
    Failure::from(error).code
}

async fn lines(store: &TestStore, scope: &PackageScope) -> Vec<String> {
    let names = packages::index_names(store, scope, PackageFormat::Npm, "lib", NOW).await.expect("names");
    let ids: Vec<_> = names.iter().map(|name| name.id).collect();
    let entries = packages::index_entries(store, &ids, "lines").await.expect("entries");
    entries.into_iter().map(|entry| entry.fragment).collect()
}

async fn revision(store: &TestStore, scope: &PackageScope) -> i64 {
    let names = packages::index_names(store, scope, PackageFormat::Npm, "lib", NOW).await.expect("names");
    names.first().expect("one name").revision
}

#[tokio::test]
async fn a_version_is_published_once_and_never_comes_back_with_other_bytes() {
    let (store, project) = world().await;
    let scope = PackageScope::Project(project.id);
    let first = publish(&store, &project, "1.0.0", 1).await.expect("published");
    assert!(first.is_new);
    assert_eq!(code(publish(&store, &project, "1.0.0", 1).await.expect_err("twice")), ErrorCode::Duplicate);
    let version = packages::find_version(&store, &scope, PackageFormat::Npm, "lib", Some("1.0.0"), NOW).await;
    let version = version.expect("found").expect("there");
    assert_eq!(version.metadata, json!({"b": 1, "a": [true, null]}));
    packages::destroy(&store, &version, NOW).await.expect("deleted");
    assert_eq!(code(packages::destroy(&store, &version, NOW).await.expect_err("twice")), ErrorCode::NotFound);
    assert!(lines(&store, &scope).await.is_empty());
    let refused = publish(&store, &project, "1.0.0", 2).await.expect_err("other bytes");
    assert_eq!(code(refused), ErrorCode::Duplicate);
    publish(&store, &project, "1.0.0", 1).await.expect("the same bytes may come back");
    assert_eq!(lines(&store, &scope).await, ["1.0.0 1 -"]);
}

#[tokio::test]
async fn files_are_added_where_the_format_lets_them_and_the_newest_is_served() {
    let (store, project) = world().await;
    let scope = PackageScope::Project(project.id);
    let wins = |content| publication(&project, "1", content, Republish::LatestWins);
    packages::publish(&store, wins(1), NOW).await.expect("published");
    let second = packages::publish(&store, wins(2), NOW).await.expect("again");
    assert!(!second.is_new);
    let coordinates = FileCoordinates {
        format: PackageFormat::Npm,
        name_key: "lib".into(),
        version_key: Some("1".into()),
        channel: None,
        file_name: "lib.tgz".into(),
    };
    let found = packages::find_file(&store, &scope, &coordinates, NOW).await.expect("found").expect("there");
    assert_eq!((found.id, found.digests.sha256), (second.files[0], Sha256([2; 32])));
    let only_new = publication(&project, "1", 3, Republish::NewFilesOnly);
    assert_eq!(
        code(packages::publish(&store, only_new, NOW).await.expect_err("the name is taken")),
        ErrorCode::Duplicate
    );
    let filter = FileFilter { package: second.package };
    let order = (FileSort::Id, Direction::Ascending);
    let files = packages::files(&store, filter, order, &PageRequest::first(10)).await.expect("files");
    assert_eq!(
        (files.rows.len(), packages::count_files(&store, filter, None).await.expect("a count")),
        (2, 2)
    );
    packages::destroy_file(&store, Some(&PLAIN), &files.rows[1], NOW).await.expect("deleted");
    let found = packages::find_file(&store, &scope, &coordinates, NOW).await.expect("found").expect("there");
    assert_eq!(found.digests.sha256, Sha256([1; 32]), "the one before is served again");
    assert_eq!(lines(&store, &scope).await, ["1 1 -"]);
}

#[tokio::test]
async fn tags_move_and_go_and_every_change_raises_the_revision() {
    let (store, project) = world().await;
    let scope = PackageScope::Project(project.id);
    publish(&store, &project, "1", 1).await.expect("published");
    let before = revision(&store, &scope).await;
    publish(&store, &project, "2", 2).await.expect("published");
    assert!(revision(&store, &scope).await > before);
    let names = packages::index_names(&store, &scope, PackageFormat::Npm, "lib", NOW).await.expect("names");
    let ids: Vec<_> = names.iter().map(|name| name.id).collect();
    let tags = packages::index_tags(&store, &ids).await.expect("tags");
    assert_eq!(tags.get("latest").map(String::as_str), Some("2"), "the last publish moved it");
    let first = packages::find_version(&store, &scope, PackageFormat::Npm, "lib", Some("1"), NOW).await;
    let first = first.expect("found").expect("there");
    packages::set_tag(&store, &first, "latest", NOW).await.expect("moved");
    packages::set_tag(&store, &first, "old", NOW).await.expect("made");
    let before = revision(&store, &scope).await;
    let deprecation = Deprecation { package: first.clone(), message: Some("use 2".into()) };
    packages::deprecate(&store, &PLAIN, vec![deprecation], NOW).await.expect("deprecated");
    assert_eq!(lines(&store, &scope).await, ["1 1 use 2", "2 1 -"]);
    packages::remove_tag(&store, ids.clone(), "old", NOW).await.expect("removed");
    assert_eq!(
        code(packages::remove_tag(&store, ids.clone(), "old", NOW).await.expect_err("gone")),
        ErrorCode::NotFound
    );
    assert!(revision(&store, &scope).await > before);
    let tags = packages::index_tags(&store, &ids).await.expect("tags");
    assert_eq!(tags.into_iter().collect::<Vec<_>>(), [("latest".to_owned(), "1".to_owned())]);
    let latest = packages::latest_versions(&store, &ids).await.expect("latest");
    assert_eq!(latest.iter().map(|package| package.version.as_deref()).collect::<Vec<_>>(), [Some("2")]);
    assert_eq!(packages::destroy_names(&store, ids, NOW).await.expect("all gone"), 2);
    assert!(lines(&store, &scope).await.is_empty());
}

#[tokio::test]
async fn lists_page_both_ways_and_cost_the_same_whatever_the_page() {
    let (store, project) = world().await;
    for number in 0..25_u8 {
        publish(&store, &project, &format!("1.{number}"), number).await.expect("published");
    }
    let scope = PackageScope::Project(project.id);
    let filter = PackageFilter::default();
    for (sort, direction) in [
        (PackageSort::Created, Direction::Descending),
        (PackageSort::Version, Direction::Ascending),
        (PackageSort::Type, Direction::Descending),
        (PackageSort::ProjectPath, Direction::Ascending),
    ] {
        let list = |request| packages_page(&store, &scope, &filter, (sort, direction), request);
        let mut seen = Vec::new();
        let mut request = PageRequest::first(10);
        loop {
            let page = list(request).await;
            seen.extend(page.rows.iter().map(|package| package.id));
            let Some(last) = page.rows.last().filter(|_| page.has_next) else { break };
            let cursor = crate::Cursor { sort: Some(sort.value(last)), id: last.id.0 };
            request = PageRequest::first(10).after(cursor);
        }
        let mut unique = seen.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!((seen.len(), unique.len()), (25, 25), "{sort:?}");
        let last = list(PageRequest::last(5)).await;
        assert_eq!(last.rows.iter().map(|package| package.id).collect::<Vec<_>>(), seen[20..], "{sort:?}");
    }
    let before = store.statements();
    packages_page(
        &store,
        &scope,
        &filter,
        (PackageSort::Created, Direction::Ascending),
        PageRequest::first(1),
    )
    .await;
    let small = store.statements() - before;
    packages_page(
        &store,
        &scope,
        &filter,
        (PackageSort::Created, Direction::Ascending),
        PageRequest::first(25),
    )
    .await;
    assert_eq!(store.statements() - before, 2 * small);
    let named = PackageFilter { name: Some("LI_".into()), ..filter.clone() };
    assert_eq!(
        packages::count(&store, &scope, &named, None, NOW).await.expect("a count"),
        0,
        "wildcards are text"
    );
    let named = PackageFilter { name: Some("LI".into()), ..filter };
    assert_eq!(packages::count(&store, &scope, &named, Some(7), NOW).await.expect("a count"), 7);
}

async fn packages_page(
    store: &TestStore,
    scope: &PackageScope,
    filter: &PackageFilter,
    order: (PackageSort, Direction),
    request: PageRequest,
) -> crate::Page<packages::Package> {
    packages::list(store, scope, filter, order, &request, NOW).await.expect("a page")
}

#[tokio::test]
async fn a_hundred_publishers_of_one_name_all_get_through() {
    let (store, project) = world().await;
    let store = std::sync::Arc::new(store);
    let tasks: Vec<_> = (0..100_u8)
        .map(|number| {
            let (store, project) = (std::sync::Arc::clone(&store), project.clone());
            tokio::spawn(async move { publish(&store, &project, &format!("{number}"), number).await })
        })
        .collect();
    for task in tasks {
        task.await.expect("no panic").expect("published");
    }
    let scope = PackageScope::Project(project.id);
    assert_eq!(lines(&store, &scope).await.len(), 100);
    assert_eq!(revision(&store, &scope).await, 100);
}

#[tokio::test]
async fn nothing_can_be_published_into_a_deleted_project() {
    let (store, project) = world().await;
    projects::destroy(&store, project.id, NOW).await.expect("deleted");
    assert_eq!(code(publish(&store, &project, "1", 1).await.expect_err("gone")), ErrorCode::NotFound);
    let anybody = viewer(domain::UserId(1));
    let found = packages::find(&store, &anybody, domain::PackageId(1), NOW).await.expect("an answer");
    assert!(found.is_none());
}
