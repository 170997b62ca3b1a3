//! `PUT`: files, their checksums, and the `maven-metadata.xml` that clients make and the server does not need.

use axum::response::Response;
use domain::{DigestAlgorithm, ErrorCode, Failure, rules::FormatRules as _};
use futures::StreamExt;
use gateway::Call;
use http::{StatusCode, header};

use super::{empty, file};
use crate::{
    maven::{
        MavenCreateUpload, MavenPublish,
        error::{CHECKSUM, only_in_projects},
        maven_create_upload, maven_publish,
        rules::{METADATA, MavenRules},
        wire::{BadPath, Coordinates, Target, Thing, digest_in, title},
    },
    shared::{
        checksum::{BodyShape, ExpectedDigests},
        excerpt,
    },
};

/// Longest file of a checksum that is read.
const MAX_CHECKSUM: usize = 4 * 1024;

/// Largest metadata of a client that is passed over: GitLab's limit.
const MAX_METADATA: usize = 10 * 1024 * 1024;

/// Takes what a client puts. The model authorizes before the body is asked for.
pub(in crate::maven) async fn publish(mut call: Call) -> Result<Response, Failure> {
    let project = call.project().map_err(|_| only_in_projects())?.to_owned();
    let target = Target::parse(call.param("path")).map_err(BadPath::for_writing)?;
    match (target.thing, target.side) {
        (Thing::File(file), None) => publish_file(&mut call, project, &file).await,
        (Thing::File(file), Some(algorithm)) => compare(&mut call, project, &file, algorithm).await,
        (Thing::SnapshotMetadata { name, .. }, side) => pass_over(&mut call, project, Some(name), side).await,
        (Thing::Metadata { path } | Thing::BesideMetadata { path }, side) => {
            // The folder of a group with one segment is no name of a package.
            let name = MavenRules.name(&path).is_ok().then_some(path);
            pass_over(&mut call, project, name, side).await
        }
    }
}

/// Asks the model for a place to put the bytes; refused here, the body is never read.
async fn create_upload(
    call: &Call,
    input: maven_create_upload::CreateUploadInput,
) -> Result<String, Failure> {
    let created = call.run::<MavenCreateUpload>(maven_create_upload::Variables { input }).await?;
    let upload = created.create_upload.and_then(|payload| payload.upload).ok_or_else(Failure::internal)?;
    Ok(upload.id)
}

/// A file of a version, whatever its name.
async fn publish_file(call: &mut Call, project: String, file: &Coordinates) -> Result<Response, Failure> {
    let expected = ExpectedDigests::read(&call.headers, BodyShape::File)?;
    let size = call.header(header::CONTENT_LENGTH.as_str()).map(ToOwned::to_owned);
    let input = maven_create_upload::CreateUploadInput { size, ..upload_of(&project, file) };
    let upload = create_upload(call, input).await?;
    // Kept until the publish is answered: dropping it removes the bytes.
    let staged = call.stage_body(&upload).await?;
    let published = maven_publish::PublishFileInput {
        upload_id: Some(upload),
        md5: expected.md5,
        sha1: expected.sha1,
        sha256: expected.sha256,
        sha512: expected.sha512,
        file_name: None,
        properties: None,
        channel: None,
        source_file_id: None,
        remove_source: false,
    };
    let input = maven_publish::PublishPackageInput {
        project_path: project,
        package_type: maven_publish::PackageTypeEnum::Maven,
        name: Some(file.name.clone()),
        version: Some(file.version.clone()),
        files: vec![published],
        metadata: None,
        tags: None,
        status: None,
    };
    call.run::<MavenPublish>(maven_publish::Variables { input }).await?;
    drop(staged);
    Ok(empty(StatusCode::OK))
}

fn upload_of(project: &str, file: &Coordinates) -> maven_create_upload::CreateUploadInput {
    maven_create_upload::CreateUploadInput {
        project_path: project.to_owned(),
        package_type: maven_create_upload::PackageTypeEnum::Maven,
        package_name: Some(file.name.clone()),
        package_version: Some(file.version.clone()),
        file_name: Some(file.file_name.clone()),
        size: None,
    }
}

/// A checksum: it has to be that of the file that was put before it. Not kept, since the server computes its own.
async fn compare(
    call: &mut Call,
    project: String,
    file: &Coordinates,
    algorithm: DigestAlgorithm,
) -> Result<Response, Failure> {
    create_upload(call, upload_of(&project, file)).await?;
    let stored = file::digest_of(call, file, algorithm).await?;
    let body = call.read_body(MAX_CHECKSUM).await?;
    let title = title(algorithm);
    let sent = digest_in(&body, algorithm).ok_or_else(|| {
        let text = excerpt(&String::from_utf8_lossy(&body));
        Failure::invalid(CHECKSUM, format!("'{text}' is no {title} for {}", file.file_name))
    })?;
    if sent != stored {
        return Err(Failure::invalid(
            CHECKSUM,
            format!(
                "The {title} of {} is {stored}, but {sent} was sent: publish the file again",
                file.file_name
            ),
        ));
    }
    Ok(accepted(Some(algorithm)))
}

/// The metadata that clients put, and its checksums: read to the end, since the connection is used again, and forgotten, since
/// the server makes its own from what is published. Whoever may not publish is refused here too.
async fn pass_over(
    call: &mut Call,
    project: String,
    name: Option<String>,
    side: Option<DigestAlgorithm>,
) -> Result<Response, Failure> {
    let input = maven_create_upload::CreateUploadInput {
        project_path: project,
        package_type: maven_create_upload::PackageTypeEnum::Maven,
        package_name: name,
        package_version: None,
        file_name: Some(METADATA.to_owned()),
        size: None,
    };
    create_upload(call, input).await?;
    let mut body = call.take_body()?;
    let mut length = 0;
    while let Some(chunk) = body.next().await {
        length += chunk.map_err(|_| Failure::invalid("body", "The request body ended early"))?.len();
        if length > MAX_METADATA {
            return Err(Failure::new(ErrorCode::TooLarge, "The metadata is larger than the limit"));
        }
    }
    Ok(accepted(side))
}

/// GitLab's answers: 204 to a SHA-1, 200 to all else.
fn accepted(side: Option<DigestAlgorithm>) -> Response {
    empty(if side == Some(DigestAlgorithm::Sha1) { StatusCode::NO_CONTENT } else { StatusCode::OK })
}
