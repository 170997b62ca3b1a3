//! Yarn 1 and Yarn 4.

use serde_json::json;

use super::{Registry, Workplace, installed, npm_app, npm_package};
use crate::server::databases;

#[test]
fn yarn_1_publishes_and_installs() {
    for database in databases() {
        let Some(place) = Workplace::new(&["yarn1", "yarn"], "1.") else { return };
        let registry = Registry::new(database);
        for (kind, token) in registry.writers() {
            for name in [format!("@acme/yarn1-{kind}"), format!("yarn1-{kind}")] {
                let folder = format!("{kind}/{}", name.replace('/', "-"));
                let rc = |registry: &str, token: &str| {
                    format!(
                        "registry=http://{registry}\n@acme:registry=http://{registry}\n//{registry}:_authToken={token}\n\
                         always-auth=true\n"
                    )
                };
                npm_package(&place, &folder, &name, "1.0.0");
                place.write(&format!("{folder}/.npmrc"), &rc(&registry.npm_of_project(), token));
                let publish =
                    ["publish", "--non-interactive", "--no-git-tag-version", "--new-version", "1.0.0"];
                place.run(&folder, &publish);
                let spec = format!("{name}@1.0.0");
                let app = format!("{folder}-app");
                npm_app(&place, &app);
                place.write(&format!("{app}/.npmrc"), &rc(&registry.npm_of_project(), token));
                place.run(&app, &["add", "--non-interactive", &spec]);
                installed(&place, &app, &name, "1.0.0");
                // Yarn 1 sends a token only to the address it belongs to, and the tarball is the project's.
                let app = format!("{folder}-group");
                npm_app(&place, &app);
                let (group, token) = (registry.npm_of_group(), registry.group_reader_of(kind));
                let both =
                    format!("{}//{}:_authToken={token}\n", rc(&group, token), registry.npm_of_project());
                place.write(&format!("{app}/.npmrc"), &both);
                place.run(&app, &["add", "--non-interactive", &spec]);
                installed(&place, &app, &name, "1.0.0");
            }
        }
    }
}

#[test]
fn yarn_4_publishes_and_installs() {
    for database in databases() {
        let Some(mut place) = Workplace::new(&["yarn4", "yarn"], "4.") else { return };
        place.set("YARN_ENABLE_TELEMETRY", "0");
        place.set("YARN_ENABLE_IMMUTABLE_INSTALLS", "false");
        let registry = Registry::new(database);
        for (kind, token) in registry.writers() {
            for name in [format!("@acme/yarn4-{kind}"), format!("yarn4-{kind}")] {
                let folder = format!("{kind}/{}", name.replace('/', "-"));
                let rc = |registry: &str, token: &str| {
                    let server = json!({
                        "npmRegistryServer": format!("http://{registry}"),
                        "npmPublishRegistry": format!("http://{registry}"),
                        "npmAlwaysAuth": true,
                        "npmAuthToken": token,
                        "npmMinimalAgeGate": 0,
                    });
                    let mut rc = server.clone();
                    rc["npmScopes"] = json!({ "acme": server });
                    rc["nodeLinker"] = json!("node-modules");
                    rc["unsafeHttpWhitelist"] = json!(["127.0.0.1"]);
                    rc.to_string() // JSON is YAML
                };
                npm_package(&place, &folder, &name, "1.0.0");
                place.write(&format!("{folder}/.yarnrc.yml"), &rc(&registry.npm_of_project(), token));
                place.write(&format!("{folder}/yarn.lock"), "");
                place.run(&folder, &["install"]);
                place.run(&folder, &["npm", "publish"]);
                let spec = format!("{name}@1.0.0");
                for (level, address, token) in [
                    ("project", registry.npm_of_project(), token),
                    ("group", registry.npm_of_group(), registry.group_reader_of(kind)),
                ] {
                    let app = format!("{folder}-{level}");
                    npm_app(&place, &app);
                    place.write(&format!("{app}/.yarnrc.yml"), &rc(&address, token));
                    place.write(&format!("{app}/yarn.lock"), "");
                    place.run(&app, &["add", &spec]);
                    installed(&place, &app, &name, "1.0.0");
                }
            }
        }
    }
}
