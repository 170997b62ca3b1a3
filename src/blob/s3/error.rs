//! What the server's refusals mean, for us and for the administrator.

use std::{error::Error, io};

use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::BlobError;

/// Why a request did not succeed.
#[derive(Debug)]
pub(super) enum Answer {
    /// There is no such object.
    Absent,
    /// The condition does not hold: there is an object already.
    Exists,
    /// There is no such multipart upload: ended, or given up.
    NoUpload,
    /// The range does not lie within the object.
    Range,
    /// Anything else.
    Failed(BlobError),
}

impl From<Answer> for BlobError {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Absent => Self::NotFound,
            Answer::Exists => Self::AlreadyStaged,
            Answer::NoUpload => Self::Unavailable("the upload was given up meanwhile (NoSuchUpload)".into()),
            Answer::Range => Self::Corrupt("an object is shorter than it was"),
            Answer::Failed(error) => error,
        }
    }
}

/// What `error` means.
pub(super) fn answer<E>(error: SdkError<E, HttpResponse>) -> Answer
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let SdkError::ServiceError(refusal) = &error else {
        return Answer::Failed(BlobError::Unavailable(unsent(&error).into()));
    };
    let status = refusal.raw().status().as_u16();
    let code = refusal.err().code();
    match (status, code) {
        (_, Some("NoSuchKey")) | (404, None | Some("NotFound")) => Answer::Absent,
        (_, Some("NoSuchUpload")) => Answer::NoUpload,
        (412, _) | (409, Some("ConditionalRequestConflict")) => Answer::Exists,
        (416, _) => Answer::Range,
        (507, _) | (_, Some("QuotaExceeded" | "XMinioStorageFull")) => Answer::Failed(BlobError::NoSpace),
        _ => {
            let text = meaning(status, code.unwrap_or_default(), refusal.err().message().unwrap_or_default());
            Answer::Failed(BlobError::Unavailable(text.into()))
        }
    }
}

/// A refusal in words for the administrator.
fn meaning(status: u16, code: &str, message: &str) -> String {
    let words = match (status, code) {
        (_, "NoSuchBucket") => "the bucket does not exist",
        (_, "InvalidAccessKeyId") => "the access key is not known there",
        (_, "SignatureDoesNotMatch") => "the secret access key is wrong",
        (_, "ExpiredToken") => "the session token has expired",
        (_, "RequestTimeTooSkewed") => "the clock of this machine is wrong, or that of the server",
        (_, "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException")
        | (301, _) => "the bucket is in another region than AWS_REGION says",
        (401 | 403, _) => "access is denied",
        _ => {
            let text = format!("the server answers {status} {code} {message}");
            return text.trim_end().to_owned();
        }
    };
    if code.is_empty() { words.to_owned() } else { format!("{words} ({code})") }
}

/// Why there is no answer.
fn unsent<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> String {
    let root = root(error);
    match error {
        SdkError::TimeoutError(_) => "the server does not answer in time".to_owned(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => {
            "the server cannot be reached in time".to_owned()
        }
        SdkError::DispatchFailure(_) => format!("the server cannot be reached: {root}"),
        SdkError::ResponseError(_) => format!("the server's answer cannot be read: {root}"),
        _ => format!("the request cannot be made: {root}"),
    }
}

/// The innermost cause, which is the one that says something.
fn root(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    match cause.downcast_ref::<io::Error>() {
        Some(_) => text.split(" (os error").next().unwrap_or(&text).to_lowercase(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::meaning;

    #[test]
    fn a_refusal_says_what_to_mend() {
        assert_eq!(
            meaning(404, "NoSuchBucket", "The specified bucket…"),
            "the bucket does not exist (NoSuchBucket)"
        );
        assert_eq!(meaning(403, "", ""), "access is denied");
        assert_eq!(meaning(301, "", ""), "the bucket is in another region than AWS_REGION says");
        assert_eq!(meaning(500, "", ""), "the server answers 500");
        assert_eq!(
            meaning(503, "SlowDown", "Reduce your rate"),
            "the server answers 503 SlowDown Reduce your rate"
        );
    }
}
