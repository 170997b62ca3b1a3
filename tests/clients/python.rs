//! What the tests of Python's clients share: packages, addresses, credentials.

use std::{fs, path::PathBuf};

use testkit::artefacts::pypi::Distribution;

use super::{Registry, Workplace};
use crate::server::ROOT_TOKEN;

/// A build backend that stands in the source archive, so that nothing is fetched to build it.
const BACKEND: &str = include_str!("python_backend.py");

const PYPROJECT: &str =
    "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";

/// A distribution whose source archive can be installed without an index of build tools.
pub(crate) fn distribution(name: &str, version: &str) -> Distribution {
    let mut distribution = Distribution::new(name, version);
    distribution.files.push(("backend.py".to_owned(), BACKEND.as_bytes().to_vec()));
    distribution.files.push(("pyproject.toml".to_owned(), PYPROJECT.as_bytes().to_vec()));
    distribution
}

/// Writes the wheel and the source archive of a distribution into the folder `dist` of a workplace.
pub(crate) fn build(place: &Workplace, dist: &str, distribution: &Distribution) -> [PathBuf; 2] {
    let folder = place.folder.path().join(dist);
    fs::create_dir_all(&folder).expect("a folder");
    [(distribution.wheel_name(), distribution.wheel()), (distribution.source_name(), distribution.source())]
        .map(|(name, bytes)| {
            let path = folder.join(name);
            fs::write(&path, bytes).expect("a file");
            path
        })
}

/// A name and a password that publish and read, with what tests call them.
pub(crate) fn writers(registry: &Registry) -> [(&'static str, &str, &str); 2] {
    let (username, token) = &registry.deploy_token;
    [("pat", "__token__", ROOT_TOKEN), ("deploy", username, token)]
}

/// The index of the project and that of the group, each with a name and a password that may read it.
pub(crate) fn readers<'a>(
    registry: &'a Registry,
    (user, password): (&'a str, &'a str),
) -> [(&'static str, String, &'a str, &'a str); 3] {
    let (reader, token) = &registry.group_reader;
    let project = format!("{}/pypi", registry.project_packages());
    let group = format!("/api/v4/groups/{}/-/packages/pypi", registry.group);
    [
        ("project", project, user, password),
        ("group", group.clone(), "root", ROOT_TOKEN),
        ("group-as-reader", group, reader, token),
    ]
}

/// Where packages are uploaded to.
pub(crate) fn upload_url(registry: &Registry) -> String {
    format!("{}{}/pypi", registry.server.url(), registry.project_packages())
}

/// The address of a simple index below `path`, with credentials in it.
pub(crate) fn index_url(registry: &Registry, path: &str, user: &str, password: &str) -> String {
    format!("http://{user}:{password}@{}{path}/simple", registry.server.authority)
}

/// What the module of a distribution says when it was unpacked into `folder`.
pub(crate) fn installed(place: &Workplace, folder: &str, distribution: &Distribution) {
    let module = distribution.name.replace('-', "_");
    let code = place.read(&format!("{folder}/{module}/__init__.py"));
    assert_eq!(code, format!("__version__ = \"{}\"\n", distribution.version));
}

/// The interpreter beside a client.
pub(crate) fn python(place: &Workplace) -> String {
    let program = fs::canonicalize(&place.program).expect("a program");
    program.with_file_name("python3").to_str().expect("a path").to_owned()
}
