//! uv: publishes, installs, locks.

use super::{
    Registry, Workplace,
    python::{build, distribution, installed, python, readers, upload_url, writers},
    say,
};
use crate::server::databases;

fn uv() -> Option<Workplace> {
    let mut place = Workplace::new(&["uv"], "")?;
    let python = python(&place);
    place.set("UV_PYTHON", &python);
    place.set("UV_PYTHON_DOWNLOADS", "never");
    place.set("UV_NO_PROGRESS", "1");
    Some(place)
}

#[test]
fn publishes_and_installs_at_project_and_group_level() {
    for database in databases() {
        let Some(mut place) = uv() else { return };
        let registry = Registry::new(database);
        for (kind, user, password) in writers(&registry) {
            let needed = distribution(&format!("needed-{kind}"), "1.5");
            let wanted = distribution(&format!("wanted-{kind}"), "1.0")
                .with("Requires-Dist", &format!("needed-{kind}~=1.0"));
            let dist = format!("{kind}/dist");
            build(&place, &dist, &needed);
            build(&place, &dist, &wanted);
            let url = upload_url(&registry);
            let files = ["dist/*.whl", "dist/*.tar.gz"];
            let publish = ["publish", "--publish-url", &url, "--username", user, "--password", password];
            place.run(kind, &[&publish[..], &files].concat());
            let again = place.refused(kind, &[&publish[..], &files].concat());
            assert!(again.contains("File name has already been taken"), "{again}");

            for (level, path, user, password) in readers(&registry, (user, password)) {
                let folder = format!("{kind}/{level}");
                place.set("UV_INDEX_REG_USERNAME", user);
                place.set("UV_INDEX_REG_PASSWORD", password);
                let index = format!("reg={}{path}/simple", registry.server.url());
                let spec = format!("wanted-{kind}==1.0");
                let install = ["pip", "install", "--target", "out", "--no-cache", "--default-index", &index];
                place.run(&folder, &[&install[..], &[&spec]].concat());
                installed(&place, &format!("{folder}/out"), &wanted);
                installed(&place, &format!("{folder}/out"), &needed);
                let source = [
                    "pip",
                    "install",
                    "--target",
                    "built",
                    "--no-cache",
                    "--no-binary",
                    ":all:",
                    "--default-index",
                    &index,
                ];
                place.run(&folder, &[&source[..], &[&spec]].concat());
                installed(&place, &format!("{folder}/built"), &wanted);
            }
        }
        say(&format!("uv on {database:?}: published and installed"));
    }
}

/// Publishing again what is there is no failure when uv may look.
#[test]
fn passes_over_what_is_there() {
    for database in databases() {
        let Some(mut place) = uv() else { return };
        let registry = Registry::new(database);
        let (_, user, password) = writers(&registry)[0];
        build(&place, "dist", &distribution("acme", "1.0"));
        let url = upload_url(&registry);
        let publish = ["publish", "--publish-url", &url, "--username", user, "--password", password];
        place.run(".", &publish);
        let simple = format!(
            "http://{user}:{password}@{}{}/pypi/simple",
            registry.server.authority,
            registry.project_packages()
        );
        place.set("UV_PUBLISH_CHECK_URL", &simple);
        let again = place.run(".", &publish);
        assert!(again.contains("already exists"), "{again}");
    }
}

/// A project with a lock file: what is locked at the group is synchronized from it.
#[test]
fn locks_and_synchronizes() {
    for database in databases() {
        let Some(mut place) = uv() else { return };
        let registry = Registry::new(database);
        let (_, user, password) = writers(&registry)[1];
        let locked = distribution("acme", "1.0");
        build(&place, "dist", &locked);
        let url = upload_url(&registry);
        place.run(".", &["publish", "--publish-url", &url, "--username", user, "--password", password]);
        let (reader, token) = &registry.group_reader;
        place.set("UV_INDEX_REG_USERNAME", reader);
        place.set("UV_INDEX_REG_PASSWORD", token);
        let simple =
            format!("{}/api/v4/groups/{}/-/packages/pypi/simple/", registry.server.url(), registry.group);
        let project = format!(
            "[project]\nname = \"app\"\nversion = \"0\"\nrequires-python = \">=3.8\"\ndependencies = [\"acme\"]\n\n\
             [[tool.uv.index]]\nname = \"reg\"\nurl = \"{simple}\"\ndefault = true\n"
        );
        place.write("app/pyproject.toml", &project);
        place.run("app", &["lock"]);
        let lock = place.read("app/uv.lock");
        assert!(lock.contains("name = \"acme\"") && lock.contains("upload-time"), "{lock}");
        place.run("app", &["sync", "--no-cache", "--locked"]);
        let python = format!("{}/bin/python", place.folder.path().join("app/.venv").display());
        let seen =
            place.run("app", &["run", "--no-sync", &python, "-c", "import acme; print(acme.__version__)"]);
        assert!(seen.contains("1.0"), "{seen}");
    }
}
