//! pnpm.

use super::{Registry, Workplace, installed, npm_app, npm_package};
use crate::server::databases;

#[test]
fn publishes_and_installs() {
    for database in databases() {
        let Some(place) = Workplace::new(&["pnpm"], "") else { return };
        let registry = Registry::new(database);
        for (kind, token) in registry.writers() {
            for name in [format!("@acme/pnpm-{kind}"), format!("pnpm-{kind}")] {
                let folder = format!("{kind}/{}", name.replace('/', "-"));
                let rc = |registry: &str, token: &str| {
                    format!(
                        "registry=http://{registry}\n@acme:registry=http://{registry}\n//{registry}:_authToken={token}\n"
                    )
                };
                npm_package(&place, &folder, &name, "1.0.0");
                place.write(&format!("{folder}/.npmrc"), &rc(&registry.npm_of_project(), token));
                place.run(&folder, &["publish", "--no-git-checks"]);
                let spec = format!("{name}@1.0.0");
                for (level, address, token) in [
                    ("project", registry.npm_of_project(), token),
                    ("group", registry.npm_of_group(), registry.group_reader_of(kind)),
                ] {
                    let app = format!("{folder}-{level}");
                    npm_app(&place, &app);
                    place.write(&format!("{app}/.npmrc"), &rc(&address, token));
                    place.run(&app, &["add", &spec]);
                    installed(&place, &app, &name, "1.0.0");
                }
            }
        }
    }
}
