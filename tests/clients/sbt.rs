//! sbt, which publishes through Ivy and resolves through Coursier. It sends a credential only to the realm it was told.

use super::{Registry, Workplace, say, tools};
use crate::server::{ROOT_TOKEN, databases};

/// What the server calls itself in a challenge: part of every `build.sbt` written for GitLab.
const REALM: &str = "GitLab Packages Registry";

fn sbt() -> Option<Workplace> {
    let mut place = Workplace::new(&["sbt"], "")?;
    let home = place.path("home");
    let home = home.display();
    place.set(
        "SBT_OPTS",
        &format!("-Duser.home={home} -Dsbt.global.base={home}/.sbt -Dsbt.ivy.home={home}/.ivy2"),
    );
    // The compiler comes from what .ci/jvm fetched, packages of tests from the registry.
    let cache = place.path("coursier");
    std::fs::create_dir_all(&cache).expect("a folder");
    std::os::unix::fs::symlink(tools()?.parent()?.join("sbt/coursier/https"), cache.join("https"))
        .expect("a link");
    place.set("COURSIER_CACHE", &cache.display().to_string());
    Some(place)
}

/// Writes a build. `registry` is where it publishes to and resolves from.
fn build(place: &Workplace, folder: &str, registry: &str, (username, token): (&str, &str), more: &str) {
    place.write(&format!("{folder}/project/build.properties"), "sbt.version=1.10.7\n");
    let build = format!(
        "ThisBuild / organization := \"com.acme\"\n\
         ThisBuild / version := \"1.0.0\"\n\
         ThisBuild / scalaVersion := \"2.12.20\"\n\
         val registry = (\"registry\" at \"{registry}\").withAllowInsecureProtocol(true)\n\
         publishTo := Some(registry)\n\
         resolvers += registry\n\
         credentials += Credentials(\"{REALM}\", \"127.0.0.1\", \"{username}\", \"{token}\")\n\
         {more}\n"
    );
    place.write(&format!("{folder}/build.sbt"), &build);
}

/// Removes what sbt made of the app. Its own `clean` now and then removes the folder that its tasks are about to write their
/// logs to, and fails.
fn forget_built(place: &Workplace) {
    let _ = std::fs::remove_dir_all(place.path("app/target"));
}

#[test]
fn publishes_and_resolves() {
    for database in databases() {
        let Some(place) = sbt() else { return };
        let registry = Registry::new(database);
        let project = format!("{}{}/maven", registry.server.url(), registry.project_packages());
        let group = format!("{}/api/v4/groups/{}/-/packages/maven", registry.server.url(), registry.group);
        let (deployer, deploy_token) = &registry.deploy_token;
        let (reader, reading_token) = &registry.group_reader;

        build(&place, "lib", &project, (deployer, deploy_token), "name := \"lib\"");
        let source = "package acme\nobject Lib { val version = \"of the registry\" }\n";
        place.write("lib/src/main/scala/Lib.scala", source);
        let snapshot = "set ThisBuild / version := \"1.1.0-SNAPSHOT\"";
        place.run("lib", &["publish", snapshot, "publish", "publish"]);

        let depends = |version: &str| {
            format!("name := \"app\"\nlibraryDependencies += \"com.acme\" %% \"lib\" % \"{version}\"")
        };
        place.write(
            "app/src/main/scala/App.scala",
            "object App extends App { println(\"lib is \" + acme.Lib.version) }\n",
        );
        for (level, credential, version) in [
            (&project, ("root", ROOT_TOKEN), "1.0.0"),
            (&group, (reader.as_str(), reading_token.as_str()), "1.1.0-SNAPSHOT"),
            (&group, (reader.as_str(), reading_token.as_str()), "latest.release"),
        ] {
            build(&place, "app", level, credential, &depends(version));
            forget_built(&place);
            let said = place.run("app", &["run"]);
            assert!(said.contains("lib is of the registry"), "{version}: {said}");
        }
        let path = format!("{}/maven/com/acme/lib_2.12/maven-metadata.xml", registry.project_packages());
        let metadata = registry.server.request("GET", &path, &[("PRIVATE-TOKEN", ROOT_TOKEN)], b"").text();
        assert!(metadata.contains("<release>1.0.0</release>"), "sbt makes none, the server does: {metadata}");

        build(&place, "app", &project, ("root", "glpat-nobodyissuedthistoken"), &depends("1.0.0"));
        let _ = std::fs::remove_dir_all(place.path("coursier/http"));
        forget_built(&place);
        place.refused("app", &["update"]);
        say(&format!("sbt on {database:?}: published and resolved"));
    }
}
