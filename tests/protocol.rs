//! The checks that every format must pass, run on every format.

use bytes::Bytes;
use domain::{PackageFormat, rules::FormatRules};
use gateway::Gateway;
use http::Method;
use sha2::{Digest as _, Sha256};
use testkit::{
    Project,
    artefacts::{npm, pypi},
    protocol::{self, Challenge, Protocol, Publish},
};

fn rules(format: PackageFormat) -> &'static dyn FormatRules {
    let found = formats::all().iter().find(|known| known.descriptor().format == format);
    found.expect("a format of this server").rules()
}

fn router(gateway: &Gateway) -> axum::Router {
    formats::router(gateway)
}

/// Bytes that do not compress.
fn noise(length: usize, seed: u32) -> Vec<u8> {
    let mut state = u64::from(seed) + 0x9e37_79b9_7f4a_7c15;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    })
    .take(length)
    .collect()
}

fn generic(project: &Project, number: u32) -> String {
    format!("/api/v4/projects/{}/packages/generic/package/1.0.{number}/file.bin", project.id)
}

fn version(number: u32, size: usize) -> npm::Version {
    let mut version = npm::Version::new("@acme/package", format!("1.0.{number}"));
    version.files.push(("noise.bin".to_owned(), noise(size, number)));
    version
}

#[tokio::test(flavor = "multi_thread")]
async fn generic_passes() {
    protocol::check(Protocol {
        rules: rules(PackageFormat::Generic),
        router,
        publish: |project, number, size| Publish {
            method: Method::PUT,
            path: generic(project, number),
            headers: Vec::new(),
            body: noise(size, number).into(),
        },
        download: generic,
        challenge: Challenge::Sent,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn npm_passes() {
    protocol::check(Protocol {
        rules: rules(PackageFormat::Npm),
        router,
        publish: |project, number, size| Publish {
            method: Method::PUT,
            path: format!("/api/v4/projects/{}/packages/npm/@acme%2fpackage", project.id),
            headers: vec![("content-type", "application/json".to_owned())],
            body: Bytes::from(version(number, size).document().to_string()),
        },
        download: |project, number| {
            let packages = format!("/api/v4/projects/{}/packages/npm", project.id);
            format!("{packages}/@acme/package/-/{}", version(number, 0).file_name())
        },
        challenge: Challenge::Withheld,
    })
    .await;
}

fn maven(project: &Project, number: u32) -> String {
    format!("/api/v4/projects/{}/packages/maven/com/acme/app/1.{number}/app-1.{number}.jar", project.id)
}

#[tokio::test(flavor = "multi_thread")]
async fn maven_passes() {
    protocol::check(Protocol {
        rules: rules(PackageFormat::Maven),
        router,
        publish: |project, number, size| Publish {
            method: Method::PUT,
            path: maven(project, number),
            headers: Vec::new(),
            body: noise(size, number).into(),
        },
        download: maven,
        challenge: Challenge::Sent,
    })
    .await;
}

fn wheel(number: u32, size: usize) -> pypi::Distribution {
    let mut distribution = pypi::Distribution::new("acme", format!("{number}.0"));
    distribution.files.push(("acme/noise.bin".to_owned(), noise(size, number)));
    distribution
}

#[tokio::test(flavor = "multi_thread")]
async fn pypi_passes() {
    // The address of a file has its digest in it; that of the wheels that the checks publish first.
    const SIZE: usize = 20_000;
    protocol::check(Protocol {
        rules: rules(PackageFormat::Pypi),
        router,
        publish: |project, number, size| {
            let distribution = wheel(number, size);
            Publish {
                method: Method::POST,
                path: format!("/api/v4/projects/{}/packages/pypi", project.id),
                headers: vec![("content-type", pypi::content_type())],
                body: distribution.form(&distribution.wheel_name(), &distribution.wheel()).into(),
            }
        },
        download: |project, number| {
            let distribution = wheel(number, SIZE);
            let sha256 = hex::encode(Sha256::digest(distribution.wheel()));
            let packages = format!("/api/v4/projects/{}/packages/pypi", project.id);
            format!("{packages}/files/{sha256}/{}", distribution.wheel_name())
        },
        challenge: Challenge::Sent,
    })
    .await;
}

#[test]
fn every_format_is_checked() {
    let checked = [PackageFormat::Generic, PackageFormat::Npm, PackageFormat::Maven, PackageFormat::Pypi];
    for format in formats::all() {
        let format = format.descriptor().format;
        assert!(checked.contains(&format), "{} has no check here: add one", format.title());
    }
}
