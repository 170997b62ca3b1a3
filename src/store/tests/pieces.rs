//! Pieces of files, documents about many names, flags, shelves, and files that take the place of others.

use domain::{
    Failure, PackageFlag, PackageFormat, PackageName, Sha256,
    rules::{DeclaredDependency, DependencyType, Republish},
};
use serde_json::json;

use super::{
    NOW, TestStore,
    packages::{PLAIN, code, file, publication, world},
};
use crate::{
    PageRequest,
    packages::{
        self, FileCoordinates, FlagChange, FlagState, NewFile, NewPublication, PackageScope, ReplacedFile,
    },
    projects::Project,
};

fn on(channel: &str, name: &str, content: u8) -> NewFile {
    NewFile { channel: Some(channel.to_owned()), ..file(name, content) }
}

fn growing(project: &Project, version: &str, files: Vec<NewFile>) -> NewPublication {
    NewPublication { files, ..publication(project, version, 0, Republish::LatestWins) }
}

fn named(publication: NewPublication, name: &str) -> NewPublication {
    NewPublication { name: PackageName::verbatim(name), ..publication }
}

async fn pieces(store: &TestStore, project: &Project, document: &str) -> Vec<String> {
    let scope = PackageScope::Project(project.id);
    let names = packages::index_names(store, &scope, PackageFormat::Npm, "lib", NOW).await.expect("names");
    let ids: Vec<_> = names.iter().map(|name| name.id).collect();
    let entries = packages::index_entries(store, &ids, document).await.expect("entries");
    entries.into_iter().map(|entry| entry.fragment).collect()
}

/// The revision of a shelf and what stands on it.
async fn shelf(store: &TestStore, project: &Project, channel: &str) -> (i64, Vec<String>) {
    let (scope, document) = (PackageScope::Project(project.id), format!("shelf/{channel}"));
    let found =
        packages::document(store, &scope, PackageFormat::Npm, &document, NOW).await.expect("an answer");
    let entries = packages::document_entries(store, &[project.id], PackageFormat::Npm, &document).await;
    let lines = entries.expect("entries").into_iter().map(|entry| entry.fragment).collect();
    (found.first().map_or(0, |document| document.revision), lines)
}

#[tokio::test]
async fn each_file_has_pieces_of_its_own() {
    let (store, project) = world().await;
    let first = growing(&project, "1", vec![file("a", 1)]);
    packages::publish(&store, first, NOW).await.expect("published");
    let second = packages::publish(&store, growing(&project, "1", vec![file("b", 2)]), NOW).await;
    let second = second.expect("published");
    assert_eq!(pieces(&store, &project, "files").await, ["1 a []", "1 b []"]);
    assert_eq!(pieces(&store, &project, "lines").await, ["1 2 -"], "the version's piece was made anew");
    let scope = PackageScope::Project(project.id);
    let version = packages::find_version(&store, &scope, PackageFormat::Npm, "lib", Some("1"), NOW).await;
    let package = version.expect("found").expect("there");
    let flag = |state| vec![FlagChange { package: package.clone(), flag: PackageFlag::Yanked, state }];
    packages::set_flags(&store, &PLAIN, flag(FlagState::Set(Some("bad".into()))), NOW).await.expect("set");
    packages::set_flags(&store, &PLAIN, flag(FlagState::Set(Some("worse".into()))), NOW).await.expect("set");
    assert_eq!(pieces(&store, &project, "files").await, [r#"1 a ["worse"]"#, r#"1 b ["worse"]"#]);
    let third = growing(&project, "1", vec![file("c", 3)]);
    packages::publish(&store, third, NOW).await.expect("published");
    assert_eq!(
        pieces(&store, &project, "files").await[2],
        r#"1 c ["worse"]"#,
        "a later file has the flag too"
    );
    packages::set_flags(&store, &PLAIN, flag(FlagState::Removed), NOW).await.expect("taken back");
    assert!(packages::flags_of(&store, &[package.id]).await.expect("flags").is_empty());
    let anybody = super::world::viewer(domain::UserId(1));
    let gone = packages::find_file_by_id(&store, &anybody, second.files[0], NOW).await.expect("found");
    let gone = gone.expect("there").authorize(&anybody, access::Action::ViewPackages).expect("public");
    packages::destroy_file(&store, Some(&PLAIN), &gone, NOW).await.expect("deleted");
    assert_eq!(pieces(&store, &project, "files").await, ["1 a []", "1 c []"]);
    packages::destroy(&store, &package, NOW).await.expect("deleted");
    assert!(pieces(&store, &project, "files").await.is_empty());
}

#[tokio::test]
async fn a_document_about_many_names_has_a_revision_of_its_own() {
    let (store, project) = world().await;
    assert_eq!(shelf(&store, &project, "main").await, (0, vec![]));
    for (name, content) in [("zlib", 1), ("lib", 2)] {
        let files = vec![on("main", name, content)];
        packages::publish(&store, named(growing(&project, "1", files), name), NOW).await.expect("published");
    }
    let both = vec!["1 lib []".to_owned(), "1 zlib []".to_owned()];
    assert_eq!(shelf(&store, &project, "main").await, (2, both.clone()), "in the order of the names");
    let elsewhere = growing(&project, "2", vec![on("contrib", "lib", 3), file("plain", 4)]);
    packages::publish(&store, elsewhere, NOW).await.expect("published");
    assert_eq!(shelf(&store, &project, "main").await, (2, both), "unrelated publishes leave it alone");
    let scope = PackageScope::Project(project.id);
    let version = packages::find_version(&store, &scope, PackageFormat::Npm, "lib", Some("1"), NOW).await;
    packages::destroy(&store, &version.expect("found").expect("there"), NOW).await.expect("deleted");
    assert_eq!(shelf(&store, &project, "main").await, (3, vec!["1 zlib []".to_owned()]));
    let names = packages::index_names(&store, &scope, PackageFormat::Npm, "zlib", NOW).await.expect("names");
    packages::destroy_names(&store, vec![names[0].id], NOW).await.expect("deleted");
    assert_eq!(shelf(&store, &project, "main").await, (4, vec![]));
}

#[tokio::test]
async fn files_of_one_name_stand_on_several_shelves() {
    let (store, project) = world().await;
    let only_new =
        |files| NewPublication { republish: Republish::NewFilesOnly, ..growing(&project, "1", files) };
    packages::publish(&store, only_new(vec![on("r1", "manifest", 1)]), NOW).await.expect("published");
    packages::publish(&store, only_new(vec![on("r2", "manifest", 2)]), NOW).await.expect("another shelf");
    let refused = packages::publish(&store, only_new(vec![on("r1", "manifest", 3)]), NOW).await;
    assert_eq!(code(refused.expect_err("the same shelf")), domain::ErrorCode::Duplicate);
    for shelf in ["r1", "r3"] {
        let twice = only_new(vec![on(shelf, "other", 4), on(shelf, "other", 5)]);
        let early = packages::check(&store, &twice).await;
        assert_eq!(code(early.expect_err("twice in one publish")), domain::ErrorCode::Duplicate, "{shelf}");
        let refused = packages::publish(&store, twice, NOW).await;
        assert_eq!(code(refused.expect_err("twice in one publish")), domain::ErrorCode::Duplicate, "{shelf}");
    }
    let apart = only_new(vec![on("r3", "other", 4), on("r4", "other", 5)]);
    packages::publish(&store, apart, NOW).await.expect("on two shelves");
    for (channel, content) in [(Some("r1"), 1), (Some("r2"), 2), (None, 2)] {
        let coordinates = FileCoordinates {
            format: PackageFormat::Npm,
            name_key: "lib".into(),
            version_key: Some("1".into()),
            channel: channel.map(str::to_owned),
            file_name: "manifest".into(),
        };
        let scope = PackageScope::Project(project.id);
        let found = packages::find_file(&store, &scope, &coordinates, NOW).await.expect("an answer");
        assert_eq!(found.expect("there").digests.sha256, Sha256([content; 32]), "{channel:?}");
    }
}

#[tokio::test]
async fn a_deleted_file_of_a_living_version_never_comes_back_with_other_bytes() {
    let (store, project) = world().await;
    let only_new =
        |files| NewPublication { republish: Republish::NewFilesOnly, ..growing(&project, "1", files) };
    let published = packages::publish(&store, only_new(vec![file("a", 1), file("b", 2)]), NOW).await;
    let anybody = super::world::viewer(domain::UserId(1));
    let id = published.expect("published").files[0];
    let found = packages::find_file_by_id(&store, &anybody, id, NOW).await.expect("found").expect("there");
    let found = found.authorize(&anybody, access::Action::ViewPackages).expect("public");
    packages::destroy_file(&store, Some(&PLAIN), &found, NOW).await.expect("deleted");
    let refused =
        packages::publish(&store, only_new(vec![file("a", 9)]), NOW).await.expect_err("other bytes");
    let failure = Failure::from(refused);
    assert!(failure.message.contains("was deleted"), "{failure:?}");
    packages::publish(&store, only_new(vec![file("a", 1)]), NOW).await.expect("the same bytes");
}

#[tokio::test]
async fn a_file_takes_the_place_of_another() {
    let (store, project) = world().await;
    let waiting = NewPublication { version: None, ..growing(&project, "", vec![on("incoming", "lib", 1)]) };
    let waiting = packages::publish(&store, named(waiting, "incoming"), NOW).await.expect("published");
    let replaces = ReplacedFile { id: waiting.files[0], package: waiting.package, rules: &PLAIN };
    let promoted = || NewFile { replaces: Some(replaces), ..on("main", "lib", 1) };
    packages::publish(&store, growing(&project, "1", vec![promoted()]), NOW).await.expect("published");
    assert_eq!(shelf(&store, &project, "incoming").await, (2, vec![]));
    assert_eq!(shelf(&store, &project, "main").await, (1, vec!["1 lib []".to_owned()]));
    let again = packages::publish(&store, growing(&project, "2", vec![promoted()]), NOW).await;
    assert_eq!(code(again.expect_err("it is gone")), domain::ErrorCode::NotFound);
    assert_eq!(shelf(&store, &project, "main").await.0, 1, "all or nothing");
}

#[tokio::test]
async fn what_says_nothing_wipes_nothing() {
    let (store, project) = world().await;
    let scope = PackageScope::Project(project.id);
    let dependency = |name: &str, scope: &str| DeclaredDependency {
        name: name.to_owned(),
        version_pattern: "*".to_owned(),
        kind: DependencyType::Dependencies,
        scope: scope.to_owned(),
    };
    let scoped = vec![dependency("json", "net8.0"), dependency("json", "net9.0")];
    let said = NewPublication {
        metadata: json!({"said": 1}),
        dependencies: scoped,
        ..growing(&project, "1", vec![file("a", 1)])
    };
    let package = packages::publish(&store, said, NOW).await.expect("published").package;
    let silent = NewPublication {
        metadata: json!(null),
        dependencies: Vec::new(),
        ..growing(&project, "1", vec![file("b", 2)])
    };
    packages::publish(&store, silent, NOW).await.expect("published");
    let state = async || {
        let found = packages::find_version(&store, &scope, PackageFormat::Npm, "lib", Some("1"), NOW).await;
        let links = packages::dependencies(&store, package, &PageRequest::first(10)).await.expect("links");
        let links: Vec<_> = links.rows.into_iter().map(|link| (link.name, link.scope)).collect();
        (found.expect("found").expect("there").metadata, links)
    };
    let pair = |name: &str, scope: &str| (name.to_owned(), scope.to_owned());
    assert_eq!(
        state().await,
        (json!({"said": 1}), vec![pair("json", "net8.0"), pair("json", "net9.0")]),
        "one name in two scopes is two links, and silence keeps them"
    );
    let anew = NewPublication {
        metadata: json!({"said": 2}),
        dependencies: vec![dependency("xml", "")],
        ..growing(&project, "1", vec![file("c", 3)])
    };
    packages::publish(&store, anew, NOW).await.expect("published");
    assert_eq!(state().await, (json!({"said": 2}), vec![pair("xml", "")]));
}
