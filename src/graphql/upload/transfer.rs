//! Moves bytes for the gateway and for the door of scripts.

use std::{io, ops::Range, sync::Arc, time::Duration};

use blob::{BlobBody, StageRequest, Staged, StagedGuard, StagingId};
use domain::{ErrorCode, Failure, Subject};
use gateway::{ByteStream, OpenedBlob, StageWriter, StagedBlob};
use store::{audit_events::Refusal, members::Place};

use crate::{
    context::{Arrived, Caller, State},
    refusals,
    upload::claim::{ReadClaim, UploadClaim},
};

/// How long an address of the storage is good: for a client to get there, not for a download to end.
const ADDRESS_LIFETIME: Duration = Duration::from_mins(5);

/// Keeps an upload staged, and known to this process, until it is dropped.
struct Held {
    arrived: Arc<Arrived>,
    id: StagingId,
    _guard: StagedGuard,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.arrived.remove(self.id);
    }
}

fn hold(state: &State, guard: StagedGuard) -> StagedBlob {
    let Staged { id, size, digests } = (*guard).clone();
    state.arrived.insert((*guard).clone());
    let held = Held { arrived: Arc::clone(&state.arrived), id, _guard: guard };
    StagedBlob { size, digests, guard: Box::new(held) }
}

async fn receive(
    state: &State,
    caller: &Caller,
    claim: &UploadClaim,
    body: ByteStream,
) -> Result<StagedGuard, Failure> {
    let rules = state.rules.get(claim.format().ok_or_else(Failure::internal)?)?;
    let request =
        StageRequest { id: claim.staging()?, limit: claim.maximum_size, algorithms: rules.digests() };
    match blob::stage(&state.blobs, request, body).await.map_err(Failure::from) {
        Ok(staged) => Ok(staged),
        Err(failure) => {
            write_refusal(state, caller, claim, &failure).await;
            Err(failure)
        }
    }
}

/// Writes down that an upload was refused for what it is: larger than the limit.
async fn write_refusal(state: &State, caller: &Caller, claim: &UploadClaim, failure: &Failure) {
    if failure.code != ErrorCode::TooLarge || caller.viewer.is_anonymous() {
        return;
    }
    let named = (!claim.package_name.is_empty()).then(|| claim.package_name.clone());
    let refusal = Refusal {
        place: Some(Place::Project(claim.project)),
        operation: "createUpload".to_owned(),
        code: failure.code.name(),
        subject: Subject::Package,
        package: claim.format().zip(named),
    };
    let store = state.store.on_behalf_of(caller.actor());
    refusals::write_down(&store, vec![refusal], state.clock.now()).await;
}

/// Streams bytes into an upload for the publish of the same request.
pub(crate) async fn stage(
    state: &State,
    caller: &Caller,
    upload: &str,
    body: ByteStream,
) -> Result<StagedBlob, Failure> {
    let claim = UploadClaim::open(state, caller, upload)?;
    Ok(hold(state, receive(state, caller, &claim, body).await?))
}

/// Streams bytes into an upload for a publish in a later request, perhaps through another replica.
pub(crate) async fn stage_at_door(
    state: &State,
    caller: &Caller,
    upload: &str,
    body: ByteStream,
) -> Result<Staged, Failure> {
    let claim = UploadClaim::open(state, caller, upload)?;
    Ok(receive(state, caller, &claim, body).await?.keep(&claim.subject).await?)
}

/// Starts an upload that a decoder writes from a blocking thread.
pub(crate) async fn stage_writer(
    state: &Arc<State>,
    caller: &Caller,
    upload: &str,
) -> Result<Box<dyn StageWriter>, Failure> {
    let claim = UploadClaim::open(state, caller, upload)?;
    let rules = state.rules.get(claim.format().ok_or_else(Failure::internal)?)?;
    let id = claim.staging()?;
    let sink = state.blobs.create_staging(id).await?;
    let writer = blob::StageWriter::new(sink, claim.maximum_size, rules.digests());
    let runtime = tokio::runtime::Handle::current();
    let (state, caller) = (Arc::clone(state), caller.clone());
    Ok(Box::new(Decoding { writer, state, caller, claim, id, runtime }))
}

struct Decoding {
    writer: blob::StageWriter,
    state: Arc<State>,
    caller: Caller,
    claim: UploadClaim,
    id: StagingId,
    runtime: tokio::runtime::Handle,
}

impl io::Write for Decoding {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Err(error) = self.writer.append(bytes) else { return Ok(bytes.len()) };
        let failure = Failure::from(error);
        // On a blocking thread, which may wait.
        self.runtime.block_on(write_refusal(&self.state, &self.caller, &self.claim, &failure));
        Err(io::Error::other(failure))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl StageWriter for Decoding {
    fn finish(self: Box<Self>) -> Result<StagedBlob, Failure> {
        let (size, digests) = self.writer.finish()?;
        let _runtime = self.runtime.enter();
        let guard = Staged { id: self.id, size, digests }.guard(Arc::clone(&self.state.blobs));
        Ok(hold(&self.state, guard))
    }
}

/// Opens the bytes a ticket gives the right to read.
pub(crate) async fn open(
    state: &State,
    ticket: &str,
    range: Option<Range<u64>>,
) -> Result<OpenedBlob, Failure> {
    let claim = ReadClaim::open(state, ticket)?;
    Ok(match state.blobs.get(claim.digest().into(), range).await? {
        BlobBody::Full(bytes) => OpenedBlob::Full(bytes),
        body @ BlobBody::Stream { .. } => {
            OpenedBlob::Stream { length: body.len(), stream: body.into_stream() }
        }
    })
}

/// Where outside of this server the bytes a ticket gives the right to read can be fetched, if anywhere.
pub(crate) async fn presign(
    state: &State,
    ticket: &str,
    content_disposition: &str,
    content_type: &str,
) -> Result<Option<String>, Failure> {
    let key = ReadClaim::open(state, ticket)?.digest().into();
    Ok(state.blobs.presign(key, content_disposition, content_type, ADDRESS_LIFETIME).await?)
}
