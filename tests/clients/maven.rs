//! Maven: as Debian ships it (its own transport for wagons), the current one, and the next.

mod workplace;

use serde_json::Value;

use self::workplace::{Credential, Maven, POM, Project};
use super::{Registry, say};
use crate::server::{ROOT_TOKEN, databases};

/// A plugin of Maven.
const GREET: &str = include_str!("maven/Greet.java");

/// The current Maven, which does everything.
const CURRENT: &str = "mvn3.9";

/// All of them publish and resolve.
const ALL: [&str; 3] = ["mvn3.8", CURRENT, "mvn4"];

/// `maven-metadata.xml` as the server makes it.
fn metadata(registry: &Registry, path: &str) -> String {
    let path = format!("{}/maven/{path}/maven-metadata.xml", registry.project_packages());
    let response = registry.server.request("GET", &path, &[("PRIVATE-TOKEN", ROOT_TOKEN)], b"");
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    response.text()
}

fn maven_of_project(registry: &Registry) -> String {
    format!("{}{}/maven", registry.server.url(), registry.project_packages())
}

fn maven_of_group(registry: &Registry) -> String {
    format!("{}/api/v4/groups/{}/-/packages/maven", registry.server.url(), registry.group)
}

/// Every Maven, every credential, both levels.
#[test]
fn publishes_and_resolves_at_project_and_group_level() {
    for database in databases() {
        for program in ALL {
            let Some(maven) = Maven::new(program) else { return };
            let registry = Registry::new(database);
            let (project, group) = (maven_of_project(&registry), maven_of_group(&registry));
            for (kind, credential) in Credential::writers(&registry) {
                let artifact = format!("lib-{kind}");
                maven.settings(Some(&credential));
                maven.project(kind, &Project::library(&artifact, "1.0", &project));
                maven.run(kind, &["deploy"]);
                let built = std::fs::read(maven.place.path(&format!("{kind}/target/{artifact}-1.0.jar")))
                    .expect("a jar");
                let (level, credential) = match kind {
                    "basic-pat" | "header-deploy" => (&project, credential),
                    "header-pat" => (&group, credential),
                    // A deploy token of a project opens nothing of the group.
                    _ => (&group, Credential::reader(&registry)),
                };
                maven.settings(Some(&credential));
                maven.forget();
                let app = format!("{kind}-app");
                maven.project(&app, &Project::library("app", "1", level).depends(&artifact, "[1.0,2.0)"));
                maven.run(&app, &["dependency:copy-dependencies", "-DoutputDirectory=lib"]);
                let resolved =
                    std::fs::read(maven.place.path(&format!("{app}/lib/{artifact}-1.0.jar"))).expect("a jar");
                assert!(resolved == built, "{program} {kind}: the bytes come back");
            }
            refusals(&maven, &registry);
            say(&format!("{program} on {database:?}: published and resolved"));
        }
    }
}

/// Who may not publish, and who is nobody.
fn refusals(maven: &Maven, registry: &Registry) {
    let project = maven_of_project(registry);
    maven.settings(Some(&Credential::reader(registry)));
    maven.project("reader", &Project::library("by-a-reader", "1.0", &project));
    let refused = maven.refused("reader", &["deploy"]);
    assert!(refused.contains("403"), "{refused}");
    maven.settings(None);
    maven.forget();
    maven.project("nobody", &Project::library("nobody", "1", &project).depends("lib-basic-pat", "1.0"));
    let refused = maven.refused("nobody", &["dependency:copy-dependencies"]);
    assert!(refused.contains("401"), "{refused}");
}

/// Two builds of a snapshot, and whoever resolves it gets the second.
#[test]
fn a_snapshot_grows_build_by_build() {
    for database in databases() {
        for program in ALL {
            let Some(maven) = Maven::new(program) else { return };
            let registry = Registry::new(database);
            let (project, group) = (maven_of_project(&registry), maven_of_group(&registry));
            maven.settings(Some(&Credential::root()));
            for build in 1..=2 {
                let content = format!("build {build}");
                maven.project(
                    "lib",
                    &Project { content: &content, ..Project::library("lib", "1.0-SNAPSHOT", &project) },
                );
                maven.run("lib", &["clean", "deploy"]);
                let listed = metadata(&registry, "com/acme/lib/1.0-SNAPSHOT");
                assert!(
                    listed.contains(&format!("<buildNumber>{build}</buildNumber>")),
                    "{program}: {listed}"
                );
                assert!(listed.contains("<classifier>sources</classifier>"), "{listed}");
                let built =
                    std::fs::read(maven.place.path("lib/target/lib-1.0-SNAPSHOT.jar")).expect("a jar");
                maven.forget();
                maven.project("app", &Project::library("app", "1", &group).depends("lib", "1.0-SNAPSHOT"));
                maven.run(
                    "app",
                    &["dependency:copy-dependencies", "-DoutputDirectory=lib", "-Dmdep.useBaseVersion=true"],
                );
                let resolved =
                    std::fs::read(maven.place.path("app/lib/lib-1.0-SNAPSHOT.jar")).expect("a jar");
                assert!(resolved == built, "{program}: build {build} comes back");
            }
            let listed = metadata(&registry, "com/acme/lib");
            assert!(
                listed.contains("<latest>1.0-SNAPSHOT</latest>") && !listed.contains("<release>"),
                "{listed}"
            );
            say(&format!("{program} on {database:?}: two builds of a snapshot"));
        }
    }
}

/// Single files, newest versions, and what a deletion leaves.
#[test]
fn files_are_deployed_got_and_deleted() {
    for database in databases() {
        let Some(maven) = Maven::new(CURRENT) else { return };
        let registry = Registry::new(database);
        let project = maven_of_project(&registry);
        maven.settings(Some(&Credential::root()));
        maven.place.write("files/data.tar.gz", "no archive");
        let (url, remote) =
            (format!("-Durl={project}"), format!("-DremoteRepositories=registry::::{project}"));
        for version in ["1.9", "1.10", "2.0-rc1"] {
            let version = format!("-Dversion={version}");
            maven.run(
                "files",
                &[
                    "org.apache.maven.plugins:maven-deploy-plugin:3.1.4:deploy-file",
                    &url,
                    "-DrepositoryId=registry",
                    "-DgroupId=com.acme",
                    "-DartifactId=data",
                    &version,
                    "-Dfile=data.tar.gz",
                    "-Dpackaging=tar.gz",
                    "-Dclassifier=all",
                ],
            );
        }
        let get = |version: &str| {
            maven.forget();
            let artifact = format!("-Dartifact=com.acme:data:{version}:tar.gz:all");
            let goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:get";
            maven.run("files", &[goal, &remote, &artifact, "-Dtransitive=false"]);
            let folder = maven.place.path("repository/com/acme/data");
            let mut found: Vec<String> = std::fs::read_dir(folder)
                .expect("a folder")
                .filter_map(Result::ok)
                .filter(|entry| entry.path().is_dir())
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            found.pop().unwrap_or_default()
        };
        assert_eq!(get("1.9"), "1.9");
        assert_eq!(get("RELEASE"), "2.0-rc1");
        delete(&registry, "com/acme/data", "2.0-rc1");
        assert_eq!(get("RELEASE"), "1.10", "in the next read");
        wrong_pom(&maven, &registry);
        say(&format!("{CURRENT} on {database:?}: deployed, got and deleted"));
    }
}

/// Deletes a version through GitLab's REST API.
fn delete(registry: &Registry, name: &str, version: &str) {
    let list = format!(
        "/api/v4/projects/{}/packages?package_type=maven&package_version={version}",
        registry.project
    );
    let token = [("PRIVATE-TOKEN", ROOT_TOKEN)];
    let listed: Value =
        serde_json::from_slice(&registry.server.request("GET", &list, &token, b"").body).expect("JSON");
    assert_eq!((&listed[0]["name"], &listed[0]["package_type"]), (&name.into(), &"maven".into()), "{listed}");
    let path = format!("/api/v4/projects/{}/packages/{}", registry.project, listed[0]["id"]);
    assert_eq!(registry.server.request("DELETE", &path, &token, b"").status, 204);
}

/// A POM that is not the one of its path: Maven shows what the server says.
fn wrong_pom(maven: &Maven, registry: &Registry) {
    let url = format!("-Durl={}", maven_of_project(registry));
    let pom = POM.replace("@artifact@", "other").replace("@version@", "1.0").replace("@packaging@", "pom");
    maven.place.write("files/other.xml", &pom.replace("@dependencies@", "").replace("@registry@", "none"));
    let refused = maven.refused(
        "files",
        &[
            "org.apache.maven.plugins:maven-deploy-plugin:3.1.4:deploy-file",
            &url,
            "-DrepositoryId=registry",
            "-DgroupId=com.acme",
            "-DartifactId=data",
            "-Dversion=3.0",
            "-Dfile=data.tar.gz",
            "-Dpackaging=tar.gz",
            "-DgeneratePom=false",
            "-Dfiles=other.xml",
            "-Dtypes=pom",
            "-Dclassifiers=",
        ],
    );
    assert!(refused.contains("The POM has the artifactId 'other', the path says 'data'"), "{refused}");
}

/// A plugin is found by its prefix, which only its archive knows.
#[test]
fn a_plugin_is_run_by_its_prefix() {
    for database in databases() {
        let Some(maven) = Maven::new(CURRENT) else { return };
        let registry = Registry::new(database);
        let project = maven_of_project(&registry);
        maven.settings(Some(&Credential::root()));
        let provided = "<scope>provided</scope>";
        let plugin = Project {
            packaging: "maven-plugin",
            dependencies: vec![
                ("org.apache.maven:maven-plugin-api", "3.9.11", provided),
                ("org.apache.maven.plugin-tools:maven-plugin-annotations", "3.15.1", provided),
            ],
            ..Project::library("hello-maven-plugin", "1.0", &project)
        };
        maven.project("plugin", &plugin);
        maven.place.write("plugin/src/main/java/com/acme/Greet.java", GREET);
        maven.run("plugin", &["deploy"]);
        let listed = metadata(&registry, "com/acme");
        assert!(listed.contains("<prefix>greet</prefix>"), "{listed}");
        maven.forget();
        // The same place, as a repository of plugins.
        let pom = POM
            .replace("<repositories>", "<pluginRepositories>")
            .replace("</repositories>", "</pluginRepositories>")
            .replace("<repository>\n      <id>registry</id>", "<pluginRepository>\n      <id>registry</id>")
            .replace("</snapshots>\n    </repository>", "</snapshots>\n    </pluginRepository>")
            .replace("@artifact@", "app")
            .replace("@version@", "1")
            .replace("@packaging@", "jar")
            .replace("@registry@", &project)
            .replace("@dependencies@", "");
        maven.place.write("app/pom.xml", &pom);
        let said = maven.run("app", &["greet:hello"]);
        assert!(said.contains("hello from a plugin of the registry"), "{said}");
        say(&format!("{CURRENT} on {database:?}: ran a plugin by its prefix"));
    }
}
