//! twine, with which most packages are published.

use super::{
    Registry, Workplace,
    python::{build, distribution, upload_url, writers},
    say,
};
use crate::server::databases;

fn twine() -> Option<Workplace> {
    Workplace::new(&["twine"], "")
}

/// The arguments of an upload, and the files.
fn upload<'a>(more: &[&'a str], files: &'a [std::path::PathBuf]) -> Vec<&'a str> {
    let quiet = ["upload", "--non-interactive", "--disable-progress-bar"];
    quiet.iter().chain(more).copied().chain(files.iter().filter_map(|file| file.to_str())).collect()
}

#[test]
fn uploads_wheels_and_source_archives() {
    for database in databases() {
        let Some(mut place) = twine() else { return };
        let registry = Registry::new(database);
        for (kind, user, password) in writers(&registry) {
            place.set("TWINE_USERNAME", user);
            place.set("TWINE_PASSWORD", password);
            let distribution = distribution(&format!("acme-{kind}"), "1.0");
            let files = build(&place, &format!("{kind}/dist"), &distribution);
            let url = upload_url(&registry);
            place.run(kind, &upload(&["--repository-url", &url], &files));
            // The status line is all that twine shows without being asked for more.
            let again = place.refused(kind, &upload(&["--repository-url", &url], &files));
            assert!(again.contains("File name has already been taken"), "{again}");
            let slash = format!("{url}/");
            let refused = place.refused(kind, &upload(&["--repository-url", &slash, "--verbose"], &files));
            assert!(
                refused.contains("400 Bad request - Validation failed: File name has already"),
                "{refused}"
            );
        }
        say(&format!("twine on {database:?}: uploaded"));
    }
}

/// As GitLab's documentation sets it up.
#[test]
fn reads_its_configuration() {
    for database in databases() {
        let Some(place) = twine() else { return };
        let registry = Registry::new(database);
        let (_, user, password) = writers(&registry)[1];
        let url = upload_url(&registry);
        let section = format!("repository = {url}\nusername = {user}\npassword = {password}\n");
        place.write(
            "home/.pypirc",
            &format!("[distutils]\nindex-servers =\n    gitlab\n\n[gitlab]\n{section}"),
        );
        let files = build(&place, "dist", &distribution("acme", "1.0"));
        place.run(".", &upload(&["--repository", "gitlab"], &files));
    }
}

#[test]
fn is_told_what_is_wrong() {
    for database in databases() {
        let Some(mut place) = twine() else { return };
        place.set("COLUMNS", "1000"); // it breaks lines at the width of the terminal
        let registry = Registry::new(database);
        let url = upload_url(&registry);
        let arguments = ["--repository-url", url.as_str()];
        let files = build(&place, "dist", &distribution("acme", "1.0"));
        let (reader, reading) = &registry.group_reader;
        for (user, password, expected) in [
            ("__token__", "glpat-nobodyissuedthistoken", "401 Unauthorized"),
            (reader, reading, "403 Forbidden"),
        ] {
            place.set("TWINE_USERNAME", user);
            place.set("TWINE_PASSWORD", password);
            let refused = place.refused(".", &upload(&arguments, &files));
            assert!(refused.contains(expected), "{refused}");
        }
        let (_, user, password) = writers(&registry)[0];
        place.set("TWINE_USERNAME", user);
        place.set("TWINE_PASSWORD", password);
        // twine itself looks at names and metadata, and at nothing else.
        let mut lying = distribution("acme", "2.0");
        lying.tag = "cp39-abi3-linux_x86_64".to_owned();
        let [wheel, _] = build(&place, "lying", &lying);
        let renamed = wheel.with_file_name("acme-2.0-py3-none-any.whl");
        std::fs::rename(&wheel, &renamed).expect("renamed");
        let refused = place.refused(".", &upload(&arguments, &[renamed]));
        assert!(refused.contains("its file name has the tag 'py3-none-any', WHEEL does not"), "{refused}");
        let mut bad = distribution("acme", "3.0");
        bad.files.push(("acme/more.py".to_owned(), b"1".to_vec()));
        let [wheel, _] = build(&place, "bad", &bad);
        let mut bytes = std::fs::read(&wheel).expect("a wheel");
        let position =
            bytes.windows(12).rposition(|window| window == b"acme/more.py").expect("in the directory");
        bytes[position + 5] = b'M';
        std::fs::write(&wheel, bytes).expect("a file");
        let refused = place.refused(".", &upload(&arguments, &[wheel]));
        assert!(refused.contains("the local header of 'acme/More.py'"), "{refused}");
    }
}
