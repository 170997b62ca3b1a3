//! npm itself: everything it does with a registry.

use super::{Registry, Workplace, installed, npm_app, npm_package, say};
use crate::server::{ROOT_TOKEN, databases};

fn npm() -> Option<Workplace> {
    Workplace::new(&["npm"], "")
}

/// A `.npmrc` for a registry, with the token only there.
fn npmrc(registry: &str, token: &str) -> String {
    format!(
        "registry=http://{registry}\n//{registry}:_authToken={token}\nfund=false\nupdate-notifier=false\n"
    )
}

#[test]
fn publishes_and_installs_at_project_and_group_level() {
    for database in databases() {
        let Some(place) = npm() else { return };
        let registry = Registry::new(database);
        for (kind, token) in registry.writers() {
            for name in [format!("@acme/{kind}"), format!("plain-{kind}")] {
                let folder = format!("{kind}/{}", name.replace('/', "-"));
                npm_package(&place, &folder, &name, "1.0.0");
                place.write(&format!("{folder}/.npmrc"), &npmrc(&registry.npm_of_project(), token));
                place.run(&folder, &["publish"]);
                let again = place.refused(&folder, &["publish"]);
                assert!(again.contains("403") || again.contains("previously published"), "{again}");

                let spec = format!("{name}@1.0.0");
                for (level, address, token) in [
                    ("project", registry.npm_of_project(), token),
                    ("group", registry.npm_of_group(), ROOT_TOKEN),
                    ("group as a reader", registry.npm_of_group(), registry.group_reader.1.as_str()),
                ] {
                    let app = format!("{folder}-{}", level.replace(' ', "-"));
                    npm_app(&place, &app);
                    place.write(&format!("{app}/.npmrc"), &npmrc(&address, token));
                    place.run(&app, &["install", &spec]);
                    installed(&place, &app, &name, "1.0.0");
                }
            }
        }
        let reader = "reader";
        npm_package(&place, reader, "by-a-reader", "1.0.0");
        place.write("reader/.npmrc", &npmrc(&registry.npm_of_project(), &registry.group_reader.1));
        let refused = place.refused(reader, &["publish"]);
        assert!(refused.contains("403"), "{refused}");
        say(&format!("npm on {database:?}: published and installed"));
    }
}

/// A scope that has its own registry, as GitLab's documentation sets it up.
#[test]
fn a_scope_has_its_own_registry() {
    for database in databases() {
        let Some(place) = npm() else { return };
        let registry = Registry::new(database);
        let scoped = format!(
            "registry=http://127.0.0.1:9/\n@acme:registry=http://{0}\n//{0}:_authToken={ROOT_TOKEN}\n",
            registry.npm_of_project()
        );
        npm_package(&place, "package", "@acme/scoped", "1.0.0");
        place.write("package/.npmrc", &scoped);
        place.run("package", &["publish"]);
        npm_app(&place, "app");
        place.write("app/.npmrc", &scoped);
        place.run("app", &["install", "@acme/scoped@1.0.0", "--no-audit"]);
        installed(&place, "app", "@acme/scoped", "1.0.0");
        // The instance answers for the scope of a top-level group.
        let instance = format!("{}/api/v4/packages/npm/", registry.server.authority);
        npm_app(&place, "instance");
        place.write("instance/.npmrc", &npmrc(&instance, ROOT_TOKEN));
        place.run("instance", &["install", "@acme/scoped@1.0.0", "--no-audit"]);
        installed(&place, "instance", "@acme/scoped", "1.0.0");
    }
}

#[test]
fn tags_deprecations_searches_and_removals() {
    for database in databases() {
        let Some(place) = npm() else { return };
        let registry = Registry::new(database);
        for (kind, token) in registry.writers() {
            for name in [format!("@acme/life-{kind}"), format!("life-{kind}")] {
                let folder = format!("{kind}/{}", name.replace('/', "-"));
                place.write(&format!("{folder}/.npmrc"), &npmrc(&registry.npm_of_project(), token));
                for version in ["1.0.0", "1.1.0", "2.0.0-beta.1"] {
                    npm_package(&place, &folder, &name, version);
                    let tag = if version.contains('-') { "beta" } else { "latest" };
                    place.run(&folder, &["publish", "--tag", tag]);
                }
                life(&place, &folder, &name);
            }
        }
        whoami(&place, &registry);
    }
}

fn life(place: &Workplace, folder: &str, name: &str) {
    let at = |version: &str| format!("{name}@{version}");
    let tags = || place.run(folder, &["dist-tag", "ls", name]);
    assert!(tags().contains("latest: 1.1.0") && tags().contains("beta: 2.0.0-beta.1"), "{}", tags());
    place.run(folder, &["dist-tag", "add", &at("1.0.0"), "stable"]);
    assert!(tags().contains("stable: 1.0.0"), "{}", tags());
    place.run(folder, &["dist-tag", "rm", name, "stable"]);
    assert!(!tags().contains("stable"), "{}", tags());

    let view = place.run(folder, &["view", name, "versions", "--json"]);
    for version in ["1.0.0", "1.1.0", "2.0.0-beta.1"] {
        assert!(view.contains(version), "{view}");
    }
    place.run(folder, &["deprecate", &at("1.0.0"), "use 1.1.0"]);
    let deprecated = || place.run(folder, &["view", &at("1.0.0"), "deprecated"]);
    assert!(deprecated().contains("use 1.1.0"), "{}", deprecated());
    place.run(folder, &["deprecate", &at("1.0.0"), ""]);
    assert!(!deprecated().contains("use 1.1.0"), "{}", deprecated());

    let found = place.run(folder, &["search", name.rsplit('/').next().unwrap_or(name), "--json"]);
    assert!(
        found.contains(&format!("\"name\":\"{name}\"")) || found.contains(&format!("\"name\": \"{name}\"")),
        "{found}"
    );
    place.run(folder, &["ping"]);

    let app = format!("{folder}-app");
    npm_app(place, &app);
    place.write(&format!("{app}/.npmrc"), &place.read(&format!("{folder}/.npmrc")));
    place.run(&app, &["install", name]);
    installed(place, &app, name, "1.1.0");
    let audit = place.run(&app, &["audit"]);
    assert!(audit.contains("found 0 vulnerabilities"), "{audit}");

    place.run(folder, &["unpublish", &at("1.0.0"), "--force"]);
    let versions = place.run(folder, &["view", name, "versions", "--json"]);
    assert!(!versions.contains("\"1.0.0\"") && versions.contains("1.1.0"), "{versions}");
    place.run(folder, &["unpublish", name, "--force"]);
    let gone = place.refused(folder, &["view", name]);
    assert!(gone.contains("404"), "{gone}");
    // What was served never comes back with other bytes.
    npm_package(place, folder, name, "1.1.0");
    place.write(&format!("{folder}/index.js"), "module.exports = 'other';\n");
    place.refused(folder, &["publish"]);
}

fn whoami(place: &Workplace, registry: &Registry) {
    place.write("who/.npmrc", &npmrc(&registry.npm_of_project(), ROOT_TOKEN));
    assert_eq!(place.run("who", &["whoami"]).lines().next(), Some("root"));
    place.write("nobody/.npmrc", &npmrc(&registry.npm_of_project(), "glpat-nobodyissuedthistoken"));
    place.refused("nobody", &["whoami"]);
    npm_app(place, "nobody");
    place.refused("nobody", &["view", "life-pat"]);
}
