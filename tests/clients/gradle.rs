//! Gradle as Debian ships it, an old one: it resolves, and publishes through its own transport with `ivy-publish`. Its
//! `maven-publish` has no transport in Debian's build.

use super::{Registry, Workplace, say};
use crate::server::{ROOT_TOKEN, databases};

fn gradle() -> Option<Workplace> {
    let mut place = Workplace::new(&["gradle4"], "")?;
    let home = place.path("home/.gradle").display().to_string();
    place.set("GRADLE_USER_HOME", &home);
    place.set("GRADLE_OPTS", &format!("-Duser.home={}", place.path("home").display()));
    Some(place)
}

fn repository(registry: &str, (username, token): (&str, &str), more: &str) -> String {
    format!("url '{registry}'\n{more}\ncredentials {{ username '{username}'; password '{token}' }}")
}

/// A build that publishes one file, at the places Maven has for it.
fn publisher(registry: &str, credential: (&str, &str), version: &str) -> String {
    format!(
        "apply plugin: 'ivy-publish'\ngroup = 'com.acme'\nversion = '{version}'\n\
         publishing {{\n\
         repositories {{ ivy {{ {} }} }}\n\
         publications {{ lib(IvyPublication) {{ artifact(file('lib.jar')) {{ extension 'jar' }} }} }}\n}}\n",
        repository(registry, credential, "layout 'maven'")
    )
}

/// A build that resolves into a folder.
fn resolver(registry: &str, credential: (&str, &str), version: &str) -> String {
    format!(
        "repositories {{ maven {{ {} }} }}\nconfigurations {{ lib }}\ndependencies {{ lib 'com.acme:lib:{version}' }}\n\
         configurations.lib.resolutionStrategy.cacheChangingModulesFor 0, 'seconds'\n\
         configurations.lib.resolutionStrategy.cacheDynamicVersionsFor 0, 'seconds'\n\
         task copyLib(type: Copy) {{ from configurations.lib; into 'lib' }}\n",
        repository(registry, credential, "")
    )
}

const QUIETLY: [&str; 3] = ["--no-daemon", "--quiet", "--stacktrace"];

fn with(task: &str) -> [&str; 4] {
    let [daemon, quiet, trace] = QUIETLY;
    [daemon, quiet, trace, task]
}

#[test]
fn publishes_and_resolves() {
    for database in databases() {
        let Some(place) = gradle() else { return };
        let registry = Registry::new(database);
        let project = format!("{}{}/maven", registry.server.url(), registry.project_packages());
        let group = format!("{}/api/v4/groups/{}/-/packages/maven", registry.server.url(), registry.group);
        let (deployer, deploy_token) = &registry.deploy_token;
        let (reader, reading_token) = &registry.group_reader;
        let reader = (reader.as_str(), reading_token.as_str());
        place.write("lib/settings.gradle", "rootProject.name = 'lib'\n");
        for (version, credential) in
            [("1.9", (deployer.as_str(), deploy_token.as_str())), ("1.10", ("root", ROOT_TOKEN))]
        {
            place.write("lib/lib.jar", &format!("jar {version}"));
            place.write("lib/build.gradle", &publisher(&project, credential, version));
            place.run("lib", &with("publish"));
        }
        place.write("app/settings.gradle", "rootProject.name = 'app'\n");
        for (level, credential, asked, got) in [
            (&project, ("root", ROOT_TOKEN), "1.9", "1.9"),
            (&project, (deployer.as_str(), deploy_token.as_str()), "1.+", "1.10"),
            (&group, reader, "latest.integration", "1.10"),
        ] {
            place.write("app/build.gradle", &resolver(level, credential, asked));
            place.run("app", &with("copyLib"));
            assert_eq!(place.read(&format!("app/lib/lib-{got}.jar")), format!("jar {got}"), "{asked}");
        }
        place.write("lib/build.gradle", &publisher(&project, reader, "2.0"));
        let refused = place.refused("lib", &with("publish"));
        assert!(refused.contains("403"), "{refused}");
        place.write(
            "app/build.gradle",
            &resolver(&project, ("root", "glpat-nobodyissuedthistoken"), "[1.0,2.0)"),
        );
        let refused = place.refused("app", &with("copyLib"));
        assert!(refused.contains("401"), "{refused}");
        say(&format!("gradle on {database:?}: published and resolved"));
    }
}
