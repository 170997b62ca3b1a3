//! `POST /`: twine's upload of one file.

use axum::response::Response;
use domain::{ErrorCode, Failure, rules::FormatRules as _};
use gateway::{Call, StagedBlob, dialect::plain};
use http::{StatusCode, header};
use serde_json::json;

use crate::{
    pypi::{
        PypiCreateUpload, PypiPublish,
        error::parameter,
        pypi_create_upload, pypi_publish,
        rules::PypiRules,
        wire::form::{Fields, UploadForm},
    },
    shared::excerpt,
};

/// Takes in a file. The model authorizes before the body is asked for; what the form says is checked as early as it is known.
pub(super) async fn publish(mut call: Call) -> Result<Response, Failure> {
    let project = call.project().map_err(|_| only_in_projects())?.to_owned();
    let upload = create_upload(&call, &project).await?;
    let content_type = call.header(header::CONTENT_TYPE.as_str()).unwrap_or_default().to_owned();
    let mut form = UploadForm::new(call.take_body()?, &content_type, upload.maximum_size)?;
    let Some(file) = form.next_file().await? else { return Err(missing(&form.fields, Some("content"))) };
    check_early(&form.fields, &file.name)?;
    let staged = call.gateway.stage(&call.session, &upload.id, file.content).await?;
    if form.next_file().await?.is_some() {
        return Err(parameter("content", "is given twice"));
    }
    let publication =
        Publication { project, upload: upload.id, file_name: file.name, fields: form.fields, staged };
    publication.run(&call).await?;
    Ok(plain(StatusCode::CREATED))
}

fn only_in_projects() -> Failure {
    Failure::new(
        ErrorCode::Unsupported,
        "Packages are published to a project: set the repository to <host>/api/v4/projects/<id>/packages/pypi",
    )
}

/// The place the model gave for the bytes.
struct Upload {
    id: String,
    maximum_size: u64,
}

/// Asks the model for a place to put the file; refused here, the body is never read. Its name comes with the body.
async fn create_upload(call: &Call, project: &str) -> Result<Upload, Failure> {
    let announced = call.header(header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<u64>().ok());
    let input = pypi_create_upload::CreateUploadInput {
        project_path: project.to_owned(),
        package_type: pypi_create_upload::PackageTypeEnum::Pypi,
        package_name: None,
        package_version: None,
        file_name: None,
        // The form around the file is no longer than the file, or small.
        size: announced.map(|length| (length / 2).to_string()),
    };
    let created = call.run::<PypiCreateUpload>(pypi_create_upload::Variables { input }).await?;
    let upload = created.create_upload.and_then(|payload| payload.upload).ok_or_else(Failure::internal)?;
    let maximum_size = upload.maximum_size.parse().map_err(|_| Failure::internal())?;
    Ok(Upload { id: upload.id, maximum_size })
}

/// What GitLab says of parameters that are not there.
fn missing(fields: &Fields, file: Option<&'static str>) -> Failure {
    let name = fields.name.is_none().then_some("name");
    let version = fields.version.is_none().then_some("version");
    let missing: Vec<&str> = [file, name, version].into_iter().flatten().collect();
    parameter(&missing.join(" is missing, "), "is missing")
}

/// Refuses what the model would refuse, before the file has been sent. Fields may also come after it.
fn check_early(fields: &Fields, file_name: &str) -> Result<(), Failure> {
    check_digest("sha256_digest", fields.sha256_digest.as_deref(), 64)?;
    check_digest("md5_digest", fields.md5_digest.as_deref(), 32)?;
    let Some(name) = &fields.name else { return Ok(()) };
    let name = PypiRules.name(name)?;
    let version = fields.version.as_deref().map(|version| PypiRules.version(version)).transpose()?;
    PypiRules.file_name(&name, version.as_ref(), file_name).map(drop)
}

fn check_digest(name: &str, digest: Option<&str>, length: usize) -> Result<(), Failure> {
    let is_digest =
        |text: &str| text.len() == length && text.bytes().all(|letter| letter.is_ascii_hexdigit());
    match digest.filter(|digest| !is_digest(digest)) {
        Some(digest) => {
            let why = format!("is invalid: '{}' is not {length} hexadecimal digits", excerpt(digest));
            Err(parameter(name, &why))
        }
        None => Ok(()),
    }
}

/// A file that has been uploaded, and what was said of it.
struct Publication {
    project: String,
    upload: String,
    file_name: String,
    fields: Fields,
    /// Kept until the publish is answered: dropping it removes the bytes.
    staged: StagedBlob,
}

impl Publication {
    async fn run(self, call: &Call) -> Result<(), Failure> {
        check_early(&self.fields, &self.file_name)?;
        let Fields { name: Some(name), version: Some(version), .. } = &self.fields else {
            return Err(missing(&self.fields, None));
        };
        let file = pypi_publish::PublishFileInput {
            upload_id: Some(self.upload),
            source_file_id: None,
            remove_source: false,
            file_name: Some(self.file_name),
            md5: self.fields.md5_digest.clone(),
            sha1: None,
            sha256: self.fields.sha256_digest.clone(),
            sha512: None,
            channel: None,
            properties: None,
        };
        let claims =
            json!({ "requires_python": self.fields.requires_python, "filetype": self.fields.filetype });
        let input = pypi_publish::PublishPackageInput {
            project_path: self.project,
            package_type: pypi_publish::PackageTypeEnum::Pypi,
            name: Some(name.clone()),
            version: Some(version.clone()),
            files: vec![file],
            metadata: Some(claims),
            tags: None,
            status: None,
        };
        call.run::<PypiPublish>(pypi_publish::Variables { input }).await?;
        drop(self.staged);
        Ok(())
    }
}
