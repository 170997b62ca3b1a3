//! `PUT /:package`: a publish, or a deprecation.

use std::{collections::HashMap, io::Read};

use axum::response::Response;
use domain::{ErrorCode, Failure, PackageName, PackageVersion, Subject, rules::FormatRules as _};
use gateway::Call;
use serde_json::{Map, Value};
use tokio::sync::Semaphore;

use super::{raw_name, refused, scope, tags::check_tag};
use crate::{
    npm::{
        NpmCreateUpload, NpmDeprecate, NpmPublish, document,
        metadata::{BUNDLE_FIELD, ExpectedDigests},
        npm_create_upload, npm_deprecate, npm_publish,
        rules::{NpmRules, file_name_of, unscoped_file},
        wire::body::{Body, SentVersion, Sink, Tarball, decode},
    },
    shared::excerpt,
};

/// Takes in a publish or a deprecation. npm says which one it is in a header, other clients only by what the body has.
pub(super) async fn put(mut call: Call) -> Result<Response, Failure> {
    let name = NpmRules.name(&raw_name(&call))?;
    let deprecates = call.header("npm-command") == Some("deprecate");
    if deprecates {
        let unexpected = Failure::invalid("body", "A deprecation has no attachments");
        let body = decode_without_upload(&mut call, &name, unexpected).await?;
        return deprecate(&call, &name, body).await;
    }
    let Ok(project) = call.project().map(str::to_owned) else {
        let body = match decode_without_upload(&mut call, &name, only_in_projects()).await {
            // What is not there cannot be deprecated: this is the first publish of a name.
            Err(failure) if failure.subject == Some(Subject::Package) => Err(only_in_projects()),
            outcome => outcome,
        }?;
        return deprecate(&call, &name, body).await;
    };
    let upload = create_upload(&call, &project, &name).await?;
    let mut body = call
        .decode_body(&upload, |source: &mut dyn Read, writer| decode(source, Sink::Upload(writer)))
        .await?;
    match body.tarball.take() {
        Some(tarball) => publish(&call, PublishRequest { project, name, upload, tarball, body }).await,
        None => deprecate(&call, &name, body).await,
    }
}

fn only_in_projects() -> Failure {
    Failure::new(
        ErrorCode::Unsupported,
        "Packages are published to a project: set the registry to <host>/api/v4/projects/<id>/packages/npm/",
    )
}

/// How many bodies without an upload are decoded at once. Each keeps a thread for as long as its client takes, and the threads
/// are the same that read and write files.
static DECODERS: Semaphore = Semaphore::const_new(32);

/// Decodes a body that has no tarball to keep, for a caller who is known and may read the package: nobody else is given the time
/// of a thread. Whether they may change it, the model decides when the body has said how.
pub(super) async fn decode_without_upload(
    call: &mut Call,
    name: &PackageName,
    refusal: Failure,
) -> Result<Body, Failure> {
    super::packument::revision(call, name).await?;
    if call.session.is_anonymous() {
        return Err(Failure::unauthenticated());
    }
    let _turn = DECODERS.acquire().await.map_err(|_| Failure::internal())?;
    call.read_blocking(move |reader| decode(reader, Sink::Refuse(refusal))).await
}

/// Asks the model for a place to put the tarball, before the body is asked for. The version is not known yet.
async fn create_upload(call: &Call, project: &str, name: &PackageName) -> Result<String, Failure> {
    let input = npm_create_upload::CreateUploadInput {
        project_path: project.to_owned(),
        package_type: npm_create_upload::PackageTypeEnum::Npm,
        package_name: Some(name.display.clone()),
        package_version: None,
        file_name: Some(file_name_of(&name.display, None)),
        size: None, // the body holds more than the file
    };
    let created = call.run::<NpmCreateUpload>(npm_create_upload::Variables { input }).await?;
    let upload = created.create_upload.and_then(|payload| payload.upload).ok_or_else(Failure::internal)?;
    Ok(upload.id)
}

/// A publish whose tarball has been uploaded.
struct PublishRequest {
    project: String,
    name: PackageName,
    upload: String,
    tarball: Tarball,
    body: Body,
}

async fn publish(call: &Call, request: PublishRequest) -> Result<Response, Failure> {
    let PublishRequest { project, name, upload, tarball, body } = request;
    check_name(&name, &body)?;
    let (version, mut manifest) = only_version(body.versions.unwrap_or_default())?;
    let file = unscoped_file(&name.display, &tarball.file_name);
    NpmRules.file_name(&name, Some(&version), file)?;
    let digests = ExpectedDigests::of(&manifest)?;
    manifest.shift_remove(BUNDLE_FIELD);
    if let Some(bundle) = body.provenance {
        manifest.insert(BUNDLE_FIELD.to_owned(), bundle);
    }
    let file = npm_publish::PublishFileInput {
        upload_id: Some(upload),
        source_file_id: None,
        remove_source: false,
        file_name: Some(file_name_of(&name.display, Some(&version.display))),
        md5: None,
        sha1: digests.sha1,
        sha256: digests.sha256,
        sha512: digests.sha512,
        properties: None,
        channel: None,
    };
    let input = npm_publish::PublishPackageInput {
        project_path: project,
        package_type: npm_publish::PackageTypeEnum::Npm,
        name: Some(name.display),
        version: Some(version.display.clone()),
        files: vec![file],
        metadata: Some(Value::Object(manifest)),
        tags: Some(tags_of(&version, &body.tags)?),
        status: None,
    };
    call.run::<NpmPublish>(npm_publish::Variables { input }).await?;
    // Until here: dropped unpublished, the bytes are removed.
    drop(tarball.staged);
    Ok(super::done())
}

/// What is authorized is the name in the URL: another one in the body is refused.
fn check_name(name: &PackageName, body: &Body) -> Result<(), Failure> {
    match &body.name {
        Some(sent) if sent.trim() != name.display => Err(Failure::invalid(
            "name",
            format!("Name is invalid: the body has '{}', the URL '{}'", excerpt(sent), name.display),
        )),
        _ => Ok(()),
    }
}

/// A publish has one version.
fn only_version(versions: Vec<SentVersion>) -> Result<(PackageVersion, Map<String, Value>), Failure> {
    let mut versions = versions.into_iter();
    match (versions.next(), versions.next()) {
        (Some(SentVersion { version, manifest: Some(manifest), .. }), None) => {
            Ok((NpmRules.version(&version)?, manifest))
        }
        (_, Some(_)) => Err(Failure::invalid("body", "A publish should have one version only")),
        // GitLab's text.
        (_, None) => Err(Failure::invalid("body", "Version is empty.")),
    }
}

/// The tags that point at the version published. Others are not a publish's to move.
fn tags_of(version: &PackageVersion, tags: &[(String, String)]) -> Result<Vec<String>, Failure> {
    let points_here = |sent: &str| NpmRules.version(sent.trim()).is_ok_and(|sent| sent.key == version.key);
    let mut names = Vec::new();
    for (tag, sent) in tags {
        if points_here(sent) {
            check_tag(tag)?;
            names.push(tag.clone());
        }
    }
    Ok(names)
}

/// Deprecates the versions whose deprecation the body changes; an empty message takes one back. npm sends the whole
/// packument, so that most of it is as it was.
async fn deprecate(call: &Call, name: &PackageName, body: Body) -> Result<Response, Failure> {
    check_name(name, &body)?;
    // GitLab's texts for a publish without a version (`npm star`, say) and for one without a tarball.
    let versions = body.versions.unwrap_or_default();
    if versions.is_empty() {
        return Err(Failure::invalid("body", "Version is empty."));
    }
    let stated: Vec<_> =
        versions.into_iter().filter_map(|sent| Some((sent.version, sent.deprecated?))).collect();
    if stated.is_empty() {
        return Err(Failure::invalid("body", "Attachment data is empty."));
    }
    let index = super::packument::index(call, name, document::Document::Install).await?;
    let current: HashMap<&str, &str> =
        index.entries.iter().map(|entry| (entry.version.as_str(), entry.fragment.as_str())).collect();
    let deprecations: Vec<_> = stated
        .into_iter()
        .filter(|(version, message)| {
            let fragment = current.get(version.as_str());
            fragment.is_none_or(|fragment| document::deprecation_in(fragment).unwrap_or_default() != *message)
        })
        .map(|(package_version, message)| npm_deprecate::PackageDeprecationInput {
            package_version,
            message: Some(message),
        })
        .collect();
    if deprecations.is_empty() {
        return Ok(super::done());
    }
    let variables = npm_deprecate::Variables {
        scope: scope!(call, npm_deprecate),
        name: name.display.clone(),
        deprecations,
    };
    let answer =
        call.run::<NpmDeprecate>(variables).await?.set_package_deprecations.ok_or_else(Failure::internal)?;
    refused(&answer.errors)?;
    Ok(super::done())
}
