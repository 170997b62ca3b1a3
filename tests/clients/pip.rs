//! pip, which most packages are installed with.

use super::{
    Registry, Workplace,
    python::{distribution, index_url, installed, readers, writers},
    say,
};
use crate::server::{ROOT_TOKEN, databases};
use testkit::artefacts::pypi::{Distribution, content_type};

fn pip() -> Option<Workplace> {
    let mut place = Workplace::new(&["pip-of-tests"], "")?;
    place.set("PIP_DISABLE_PIP_VERSION_CHECK", "1");
    place.set("PIP_NO_INPUT", "1");
    Some(place)
}

/// Publishes as twine does.
fn publish(registry: &Registry, file_name: &str, content: &[u8], distribution: &Distribution) {
    let path = format!("{}/pypi", registry.project_packages());
    let headers = [("Content-Type", content_type()), ("PRIVATE-TOKEN", ROOT_TOKEN.to_owned())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    let answer = registry.server.request("POST", &path, &headers, &distribution.form(file_name, content));
    assert_eq!(answer.status, 201, "{}", answer.text());
}

fn publish_wheel(registry: &Registry, distribution: &Distribution) {
    publish(registry, &distribution.wheel_name(), &distribution.wheel(), distribution);
}

#[test]
fn installs_and_downloads_at_project_and_group_level() {
    for database in databases() {
        let Some(place) = pip() else { return };
        let registry = Registry::new(database);
        let needed = distribution("acme-needed", "1.5");
        let wanted = distribution("Acme.Wanted", "1.0").with("Requires-Dist", "acme_needed<2,>=1");
        let sourced = distribution("acme-sourced", "1.0");
        publish_wheel(&registry, &needed);
        publish_wheel(&registry, &wanted);
        publish(&registry, &sourced.source_name(), &sourced.source(), &sourced);
        for (kind, user, password) in writers(&registry) {
            for (level, path, user, password) in readers(&registry, (user, password)) {
                let folder = format!("{kind}/{level}");
                let index = index_url(&registry, &path, user, password);
                place
                    .run(&folder, &["install", "--target", "out", "--index-url", &index, "acme-wanted==1.0"]);
                let code = place.read(&format!("{folder}/out/acme_wanted/__init__.py"));
                assert_eq!(code, "__version__ = \"1.0\"\n");
                installed(&place, &format!("{folder}/out"), &needed);
                let slash = format!("{index}/");
                place
                    .run(&folder, &["install", "--target", "sourced", "--index-url", &slash, "acme-sourced"]);
                installed(&place, &format!("{folder}/sourced"), &sourced);
                place.run(
                    &folder,
                    &["download", "--no-deps", "--dest", "got", "--index-url", &index, "acme-wanted"],
                );
                let wheel =
                    std::fs::read(place.folder.path().join(&folder).join("got").join(wanted.wheel_name()));
                assert!(wheel.expect("downloaded") == wanted.wheel(), "the bytes come back");
                let versions =
                    place.run(&folder, &["index", "versions", "--index-url", &index, "acme-needed"]);
                assert!(versions.contains("Available versions: 1.5"), "{versions}");
            }
        }
        say(&format!("pip on {database:?}: installed and downloaded"));
    }
}

/// The instance is an index too, and a project is named by its path as well as by its number.
#[test]
fn reads_the_instance_and_a_project_by_its_path() {
    for database in databases() {
        let Some(place) = pip() else { return };
        let registry = Registry::new(database);
        let distribution = distribution("acme", "1.0");
        publish_wheel(&registry, &distribution);
        for (folder, path) in
            [("instance", "/api/v4/packages/pypi"), ("path", "/api/v4/projects/acme%2Fweb/packages/pypi")]
        {
            let index = index_url(&registry, path, "__token__", ROOT_TOKEN);
            place.run(folder, &["install", "--target", "out", "--index-url", &index, "acme"]);
            installed(&place, &format!("{folder}/out"), &distribution);
        }
        // netrc is the other place that pip has credentials in.
        let (host, _) = registry.server.authority.split_once(':').expect("a port");
        place.write("home/.netrc", &format!("machine {host}\nlogin root\npassword {ROOT_TOKEN}\n"));
        let index =
            format!("http://{}{}/pypi/simple", registry.server.authority, registry.project_packages());
        place.run("netrc", &["install", "--target", "out", "--index-url", &index, "acme"]);
    }
}

#[test]
fn yanked_and_unfit_versions_are_passed_over_and_hashes_are_checked() {
    const YANK: &str =
        "mutation Y($input: SetPackageFlagsInput!) { setPackageFlags(input: $input) { errors } }";
    for database in databases() {
        let Some(place) = pip() else { return };
        let registry = Registry::new(database);
        let unfit = Distribution { headers: Vec::new(), ..distribution("acme", "3.0") }
            .with("Requires-Python", ">=99");
        for distribution in [distribution("acme", "1.0"), distribution("acme", "2.0"), unfit] {
            publish_wheel(&registry, &distribution);
        }
        let flags =
            serde_json::json!([{ "packageVersion": "2.0", "flag": "YANKED", "reason": "it explodes" }]);
        let scope = serde_json::json!({ "projectPath": "acme/web" });
        let input = serde_json::json!({ "scope": scope, "packageType": "PYPI", "packageName": "acme", "flags": flags });
        registry.server.graphql(YANK, &serde_json::json!({ "input": input }));
        let path = format!("{}/pypi", registry.project_packages());
        let index = index_url(&registry, &path, "root", ROOT_TOKEN);
        place.run("any", &["install", "--target", "out", "--index-url", &index, "acme"]);
        installed(&place, "any/out", &distribution("acme", "1.0"));
        let pinned = place.run("pinned", &["install", "--target", "out", "--index-url", &index, "acme==2.0"]);
        installed(&place, "pinned/out", &distribution("acme", "2.0"));
        assert!(pinned.contains("it explodes"), "{pinned}");

        let hashed = |digest: &str| format!("--index-url {index}\nacme==1.0 --hash=sha256:{digest}\n");
        place.write("hashed/bad.txt", &hashed(&"0".repeat(64)));
        let refused = place.refused("hashed", &["install", "--target", "out", "-r", "bad.txt"]);
        assert!(refused.contains("DO NOT MATCH THE HASHES"), "{refused}");
    }
}

#[test]
fn strangers_install_nothing() {
    for database in databases() {
        let Some(place) = pip() else { return };
        let registry = Registry::new(database);
        publish_wheel(&registry, &distribution("acme", "1.0"));
        let path = format!("{}/pypi", registry.project_packages());
        for (folder, user, password) in [
            ("nobody", "", ""),
            ("wrong", "__token__", "glpat-nobodyissuedthistoken"),
            ("name", "root", "root"),
        ] {
            let index = index_url(&registry, &path, user, password);
            let refused =
                place.refused(folder, &["install", "--target", "out", "--index-url", &index, "acme"]);
            assert!(refused.contains("No matching distribution") || refused.contains("401"), "{refused}");
        }
    }
}
