//! Upload and download of one file.

use std::io;

use axum::response::Response;
use domain::{ErrorCode, Failure};
use futures::{StreamExt, TryStreamExt};
use gateway::{
    ByteStream, Call, StagedBlob,
    dialect::{answer, plain},
    serve::{self, Download},
};
use http::{Method, StatusCode, header};

use super::{
    GenericCreateUpload, GenericFile, GenericPublish,
    error::parameter,
    generic_create_upload, generic_file, generic_publish,
    wire::{self, Answer, Coordinates, UploadOptions},
};
use crate::shared::{
    checksum::{BodyShape, ExpectedDigests, Sha512Tap},
    form::{Form, FormError, Part},
    scope,
};

/// Longest value of an option that is sent as a part of a form.
const LONGEST_OPTION: usize = 64;
/// What a form may be longer than the file in it.
const FORM_OVERHEAD: u64 = 64 * 1024;

/// `GET` and `HEAD`: the file, the newest of that name.
pub(crate) async fn download(call: Call) -> Result<Response, Failure> {
    let coordinates = coordinates(&call)?;
    let variables = generic_file::Variables {
        scope: scope!(call, generic_file),
        name: coordinates.name,
        version: coordinates.version,
        file_name: coordinates.file.stored_name().into_owned(),
        count_download: call.method == Method::GET,
    };
    let file = call.run::<GenericFile>(variables).await?.package_file;
    let download = Download {
        ticket: &file.ticket,
        file_name: coordinates.file.file_name(),
        size: file.size.parse().map_err(|_| Failure::internal())?,
        etag: file.file_sha256.as_deref().ok_or_else(Failure::internal)?,
        modified: wire::instant(&file.created_at),
        content_type: wire::media_type(coordinates.file.file_name()),
    };
    serve::file(&call, download, wire::checksum_headers(&file)).await
}

/// `PUT`: one file, added to its version. The model authorizes before the body is asked for.
pub(crate) async fn publish(mut call: Call) -> Result<Response, Failure> {
    let project = call.project().map_err(|_| only_in_projects())?.to_owned();
    let coordinates = coordinates(&call)?;
    let mut options = UploadOptions::default();
    for (key, value) in call.query.iter() {
        options.take(key, value)?;
    }
    let boundary = boundary(&call)?;
    let shape = if boundary.is_some() { BodyShape::Form } else { BodyShape::File };
    let expected = ExpectedDigests::read(&call.headers, shape)?;
    // A form is longer than the file in it.
    let size = announced(&call).filter(|_| boundary.is_none());
    let upload = create_upload(&call, &project, &coordinates, size).await?;
    let tap = Sha512Tap::new(expected.sha512.as_deref());
    // Kept until the publish is answered: dropping it removes the bytes.
    let staged = match boundary {
        Some(boundary) => stage_form(&mut call, boundary, &upload, &mut options, &tap).await?,
        None => stage_file(&mut call, &upload, &tap).await?,
    };
    tap.check()?;
    let input = generic_publish::PublishPackageInput {
        project_path: project,
        package_type: generic_publish::PackageTypeEnum::Generic,
        name: Some(coordinates.name.clone()),
        version: Some(coordinates.version.clone()),
        files: vec![published_file(upload.id, expected)],
        metadata: None,
        tags: None,
        status: options.status,
    };
    let variables = generic_publish::Variables { input };
    let published =
        call.run::<GenericPublish>(variables).await?.publish_package.ok_or_else(Failure::internal)?;
    drop(staged);
    match options.answer {
        Answer::Created => Ok(plain(StatusCode::CREATED)),
        Answer::PackageFile => {
            let file = wire::package_file(&published, &coordinates, call.gateway.external_url());
            // 200 and not 201, as GitLab's own specification of the endpoint has it.
            Ok(answer(StatusCode::OK, &file.ok_or_else(Failure::internal)?))
        }
    }
}

fn coordinates(call: &Call) -> Result<Coordinates, Failure> {
    Coordinates::parse(call.param("name"), call.param("version"), call.param("file"))
}

fn only_in_projects() -> Failure {
    Failure::new(
        ErrorCode::Unsupported,
        "Packages are published to a project: PUT /api/v4/projects/:id/packages/generic/:name/:version/:file",
    )
}

/// The boundary of a form; none when the body is the file itself.
fn boundary(call: &Call) -> Result<Option<String>, Failure> {
    match multer::parse_boundary(call.header(header::CONTENT_TYPE.as_str()).unwrap_or_default()) {
        Ok(boundary) => Ok(Some(boundary)),
        Err(multer::Error::NoBoundary) => {
            Err(Failure::new(ErrorCode::Invalid, "The Content-Type multipart/form-data lacks its boundary"))
        }
        Err(_) => Ok(None),
    }
}

/// The place the model gave for the bytes.
struct Upload {
    id: String,
    maximum_size: u64,
}

/// Asks the model for a place to put the bytes; refused here, the body is never read.
async fn create_upload(
    call: &Call,
    project: &str,
    coordinates: &Coordinates,
    size: Option<u64>,
) -> Result<Upload, Failure> {
    let input = generic_create_upload::CreateUploadInput {
        project_path: project.to_owned(),
        package_type: generic_create_upload::PackageTypeEnum::Generic,
        package_name: Some(coordinates.name.clone()),
        package_version: Some(coordinates.version.clone()),
        file_name: Some(coordinates.file.stored_name().into_owned()),
        size: size.map(|size| size.to_string()),
    };
    let variables = generic_create_upload::Variables { input };
    let created = call.run::<GenericCreateUpload>(variables).await?;
    let upload = created.create_upload.and_then(|payload| payload.upload).ok_or_else(Failure::internal)?;
    let maximum_size = upload.maximum_size.parse().map_err(|_| Failure::internal())?;
    Ok(Upload { id: upload.id, maximum_size })
}

/// The uploaded file for the model, under the name that the upload was asked for. The SHA-512 has been compared already:
/// generic packages keep none.
fn published_file(upload_id: String, expected: ExpectedDigests) -> generic_publish::PublishFileInput {
    generic_publish::PublishFileInput {
        upload_id: Some(upload_id),
        source_file_id: None,
        remove_source: false,
        file_name: None,
        md5: expected.md5,
        sha1: expected.sha1,
        sha256: expected.sha256,
        sha512: None,
        properties: None,
        channel: None,
    }
}

/// The length of the body, where the request says it.
fn announced(call: &Call) -> Option<u64> {
    call.header(header::CONTENT_LENGTH.as_str())?.parse().ok()
}

/// Stages a body that is the file itself.
async fn stage_file(call: &mut Call, upload: &Upload, tap: &Sha512Tap) -> Result<StagedBlob, Failure> {
    let body = tap.watch(call.take_body()?);
    let staged = call.gateway.stage(&call.session, &upload.id, body).await?;
    // An empty file is a file, but a request that announces no body at all brings none.
    let bodiless = announced(call).is_none() && !call.headers.contains_key(header::TRANSFER_ENCODING);
    if staged.size == 0 && bodiless { Err(file_is_missing()) } else { Ok(staged) }
}

/// Stages the part `file` of a form; the options may stand before or behind it.
async fn stage_form(
    call: &mut Call,
    boundary: String,
    upload: &Upload,
    options: &mut UploadOptions,
    tap: &Sha512Tap,
) -> Result<StagedBlob, Failure> {
    let longest = upload.maximum_size.saturating_add(FORM_OVERHEAD);
    let mut form = Form::new(call.take_body()?, boundary, longest);
    let mut staged = None;
    while let Some(mut part) = form.next().await.map_err(refused_form)? {
        match part.name() {
            "file" if staged.is_some() => return Err(parameter("file", "is given twice")),
            "file" => {
                let content: ByteStream = part.map_err(io::Error::other).boxed();
                staged = Some(call.gateway.stage(&call.session, &upload.id, tap.watch(content)).await?);
            }
            name @ ("status" | "select") => {
                let name = name.to_owned();
                let value = option_value(&mut part).await?;
                options.take(&name, &value)?;
            }
            _ => {}
        }
    }
    staged.ok_or_else(file_is_missing)
}

/// The value of a short part of a form.
async fn option_value(part: &mut Part) -> Result<String, Failure> {
    let mut value = Vec::new();
    while let Some(chunk) = part.next().await.transpose().map_err(refused_form)? {
        value.extend_from_slice(&chunk);
        if value.len() > LONGEST_OPTION {
            break;
        }
    }
    String::from_utf8(value).map_err(|_| Failure::new(ErrorCode::Invalid, "The form is not valid UTF-8"))
}

fn file_is_missing() -> Failure {
    parameter("file", "is missing")
}

fn refused_form(error: FormError) -> Failure {
    error.into_failure("The form cannot be read: send one part called 'file'")
}
