//! A way in of each kind for every format: how a package is published, where it is read and how it is deleted. For tests that
//! hold for all formats. Packages have version 1.0.0, and names that the instance level takes for ones of the group `acme`.

use domain::PackageFormat;
use sha2::{Digest as _, Sha256};
use testkit::{
    Client, Project, Request,
    artefacts::{npm, pypi},
};

/// The formats with a door here.
pub(crate) const FORMATS: [PackageFormat; 4] =
    [PackageFormat::Generic, PackageFormat::Npm, PackageFormat::Maven, PackageFormat::Pypi];

/// Where packages are reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// The project with this id.
    Project(i64),
    /// The group with this id.
    Group(i64),
    /// The instance.
    Instance,
}

impl Level {
    /// Where the addresses of all formats begin.
    fn base(self) -> String {
        match self {
            Self::Project(id) => format!("/api/v4/projects/{id}/packages"),
            Self::Group(id) => format!("/api/v4/groups/{id}/-/packages"),
            Self::Instance => "/api/v4/packages".to_owned(),
        }
    }
}

/// What a package called `name` is called in its format.
pub(crate) fn package_name(format: PackageFormat, name: &str) -> String {
    match format {
        PackageFormat::Npm => format!("@acme/{name}"),
        PackageFormat::Maven => format!("acme/{name}"),
        _ => name.to_owned(),
    }
}

fn npm_version(name: &str) -> npm::Version {
    npm::Version::new(package_name(PackageFormat::Npm, name), "1.0.0")
}

/// What the file of a package is called.
pub(crate) fn file_name(format: PackageFormat, name: &str) -> String {
    match format {
        PackageFormat::Npm => npm_version(name).file_name(),
        PackageFormat::Maven => format!("{name}-1.0.0.jar"),
        PackageFormat::Pypi => pypi::Distribution::new(name, "1.0.0").wheel_name(),
        _ => "file.bin".to_owned(),
    }
}

/// A request that publishes `name`, as the format's client sends it.
pub(crate) fn publish(client: &Client, format: PackageFormat, project: &Project, name: &str) -> Request {
    let base = Level::Project(project.id.0).base();
    match format {
        PackageFormat::Npm => {
            client.put(format!("{base}/npm/@acme%2f{name}")).json(&npm_version(name).document())
        }
        PackageFormat::Maven => {
            client.put(format!("{base}/maven/acme/{name}/1.0.0/{name}-1.0.0.jar")).body("content")
        }
        PackageFormat::Pypi => {
            let distribution = pypi::Distribution::new(name, "1.0.0");
            let form = distribution.form(&distribution.wheel_name(), &distribution.wheel());
            client.post(format!("{base}/pypi")).header("content-type", pypi::content_type()).body(form)
        }
        _ => client.put(format!("{base}/generic/{name}/1.0.0/file.bin")).body("content"),
    }
}

/// Every kind of address where `name` is read: what it is, and the path.
pub(crate) fn reads(format: PackageFormat, level: Level, name: &str) -> Vec<(&'static str, String)> {
    let base = level.base();
    let file = file_name(format, name);
    match format {
        PackageFormat::Npm => vec![
            ("packument", format!("{base}/npm/@acme%2f{name}")),
            ("dist-tags", format!("{base}/npm/-/package/@acme%2f{name}/dist-tags")),
            ("tarball", format!("{base}/npm/@acme/{name}/-/{file}")),
        ],
        PackageFormat::Maven => vec![
            ("maven-metadata.xml", format!("{base}/maven/acme/{name}/maven-metadata.xml")),
            ("jar", format!("{base}/maven/acme/{name}/1.0.0/{file}")),
            ("checksum", format!("{base}/maven/acme/{name}/1.0.0/{file}.sha1")),
        ],
        PackageFormat::Pypi => {
            let sha256 = hex::encode(Sha256::digest(pypi::Distribution::new(name, "1.0.0").wheel()));
            vec![
                ("simple page", format!("{base}/pypi/simple/{name}/")),
                ("wheel", format!("{base}/pypi/files/{sha256}/{file}")),
            ]
        }
        _ => vec![("generic file", format!("{base}/generic/{name}/1.0.0/{file}"))],
    }
}

/// The address that deletes `name` in the format's own protocol, where that has one.
pub(crate) fn deletes(format: PackageFormat, project: &Project, name: &str) -> Option<String> {
    let base = Level::Project(project.id.0).base();
    (format == PackageFormat::Npm).then(|| format!("{base}/npm/@acme/{name}/-/{}", file_name(format, name)))
}

#[test]
fn every_format_has_a_door() {
    for format in formats::all() {
        let format = format.descriptor().format;
        assert!(FORMATS.contains(&format), "{} has no door here: add one", format.title());
    }
}
