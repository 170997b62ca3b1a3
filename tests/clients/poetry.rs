//! poetry: builds, publishes, adds and installs.

use super::{
    Registry, Workplace,
    python::{readers, upload_url, writers},
    say,
};
use crate::server::databases;

fn poetry() -> Option<Workplace> {
    let mut place = Workplace::new(&["poetry"], "")?;
    place.set("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring");
    place.set("POETRY_VIRTUALENVS_IN_PROJECT", "true");
    place.set("POETRY_NO_INTERACTION", "1");
    Some(place)
}

/// A package that poetry builds.
fn package(place: &Workplace, folder: &str, name: &str) {
    let project = format!(
        "[project]\nname = \"{name}\"\nversion = \"1.0\"\ndescription = \"Made by a test\"\nrequires-python = \">=3.8\"\n\n\
         [build-system]\nrequires = [\"poetry-core\"]\nbuild-backend = \"poetry.core.masonry.api\"\n"
    );
    place.write(&format!("{folder}/pyproject.toml"), &project);
    let module = name.replace('-', "_");
    place.write(&format!("{folder}/{module}/__init__.py"), "__version__ = \"1.0\"\n");
}

#[test]
fn publishes_adds_and_installs_at_project_and_group_level() {
    for database in databases() {
        let Some(mut place) = poetry() else { return };
        let registry = Registry::new(database);
        for (kind, user, password) in writers(&registry) {
            let name = format!("acme-{kind}");
            let folder = format!("{kind}/package");
            package(&place, &folder, &name);
            place.set("POETRY_REPOSITORIES_REG_URL", &upload_url(&registry));
            place.set("POETRY_HTTP_BASIC_REG_USERNAME", user);
            place.set("POETRY_HTTP_BASIC_REG_PASSWORD", password);
            place.run(&folder, &["publish", "--build", "--repository", "reg"]);
            let again = place.refused(&folder, &["publish", "--repository", "reg"]);
            assert!(again.contains("File name has already been taken"), "{again}");
            place.run(&folder, &["publish", "--skip-existing", "--repository", "reg"]);

            for (level, path, user, password) in readers(&registry, (user, password)) {
                let app = format!("{kind}/{level}");
                place.set("POETRY_HTTP_BASIC_REG_USERNAME", user);
                place.set("POETRY_HTTP_BASIC_REG_PASSWORD", password);
                let project = format!(
                    "[project]\nname = \"app\"\nversion = \"0\"\nrequires-python = \">=3.8\"\n\n[tool.poetry]\npackage-mode = false\n\n\
                     [[tool.poetry.source]]\nname = \"reg\"\nurl = \"{}{path}/simple/\"\npriority = \"primary\"\n",
                    registry.server.url()
                );
                place.write(&format!("{app}/pyproject.toml"), &project);
                place.run(&app, &["add", &name]);
                let lock = place.read(&format!("{app}/poetry.lock"));
                assert!(lock.contains(&format!("name = \"{name}\"")), "{lock}");
                std::fs::remove_dir_all(place.folder.path().join(&app).join(".venv"))
                    .expect("an environment");
                place.run(&app, &["install", "--no-cache"]);
                let seen = place.run(
                    &app,
                    &["run", "python", "-c", &format!("import acme_{kind} as a; print(a.__version__)")],
                );
                assert!(seen.contains("1.0"), "{seen}");
            }
        }
        say(&format!("poetry on {database:?}: published and installed"));
    }
}
