//! What upload ids and read tickets say, under seal: no row is written for either, and every replica can check them.

use blob::{StagingId, TicketError};
use domain::{ErrorCode, Failure, PackageFormat, PackageId, ProjectId, Sha256, Subject};
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::{
    context::{Caller, State},
    relay::global_id::PackagesUploadID,
};

const UPLOAD: &str = "upload";
const READ: &str = "read";
/// How long an upload may take, from asking for it to publishing it.
pub(crate) const UPLOAD_LIFETIME: Duration = Duration::hours(6);
/// How long a ticket opens.
const READ_LIFETIME: Duration = Duration::minutes(5);

/// What the id of an upload says. Short names: it travels in URLs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UploadClaim {
    /// Where the bytes are staged.
    #[serde(rename = "i")]
    staging: String,
    /// The project they are for.
    #[serde(rename = "p")]
    pub(crate) project: ProjectId,
    /// Number of the format they are for.
    #[serde(rename = "f")]
    format: i16,
    /// The package name that was authorized.
    #[serde(rename = "n")]
    pub(crate) package_name: String,
    /// The file name, unless the publish gives another.
    #[serde(rename = "o")]
    pub(crate) file_name: String,
    /// The only caller it is good for.
    #[serde(rename = "w")]
    pub(crate) subject: String,
    /// Most bytes it may have.
    #[serde(rename = "m")]
    pub(crate) maximum_size: u64,
}

impl UploadClaim {
    pub(crate) fn new(
        staging: StagingId,
        format: PackageFormat,
        project: ProjectId,
        caller: &Caller,
    ) -> Self {
        Self {
            staging: staging.to_string(),
            project,
            format: format.number(),
            package_name: String::new(),
            file_name: String::new(),
            subject: caller.subject(),
            maximum_size: 0,
        }
    }

    /// Where the bytes are staged.
    pub(crate) fn staging(&self) -> Result<StagingId, Failure> {
        self.staging.parse()
    }

    pub(crate) const fn format(&self) -> Option<PackageFormat> {
        PackageFormat::from_number(self.format)
    }

    /// The id that carries this claim, good until `expires_at`.
    pub(crate) fn seal(
        &self,
        state: &State,
        expires_at: OffsetDateTime,
    ) -> Result<PackagesUploadID, Failure> {
        let token = state
            .sealer
            .seal(UPLOAD, self, expires_at)
            .map_err(|_| Failure::invalid("fileName", "The names are too long together"))?;
        Ok(PackagesUploadID::from_token(&token))
    }

    /// The claim an id carries, if it was sealed here, its time is not over, and `caller` is the one it was made for.
    pub(crate) fn open(state: &State, caller: &Caller, id: &str) -> Result<Self, Failure> {
        let unknown = || Failure::not_found(Subject::Upload);
        let token = PackagesUploadID::token_of(id).ok_or_else(unknown)?;
        let claim: Self =
            state.sealer.open(UPLOAD, token, state.clock.now()).map_err(|error| match error {
                TicketError::Expired => {
                    Failure::new(ErrorCode::Stale, "The upload has expired: start again with createUpload")
                }
                TicketError::Malformed | TicketError::Forged => unknown(),
            })?;
        if claim.subject == caller.subject() { Ok(claim) } else { Err(unknown()) }
    }
}

/// What a ticket says: which bytes, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReadClaim {
    #[serde(rename = "d")]
    digest: [u8; 32],
    /// The package they belong to.
    #[serde(rename = "p")]
    pub(crate) package: PackageId,
}

impl ReadClaim {
    pub(crate) const fn new(digest: Sha256, package: PackageId) -> Self {
        Self { digest: digest.0, package }
    }

    pub(crate) const fn digest(&self) -> Sha256 {
        Sha256(self.digest)
    }

    pub(crate) fn seal(&self, state: &State) -> Result<String, Failure> {
        state.sealer.seal(READ, self, state.clock.now() + READ_LIFETIME).map_err(|_| Failure::internal())
    }

    pub(crate) fn open(state: &State, ticket: &str) -> Result<Self, Failure> {
        state
            .sealer
            .open(READ, ticket, state.clock.now())
            .map_err(|_| Failure::not_found(Subject::PackageFile))
    }
}
