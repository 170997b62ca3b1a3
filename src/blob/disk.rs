//! The store on a local disk.

use std::{
    fs::File,
    io::{self, IoSliceMut},
    ops::Range,
    os::unix::fs::FileExt as _,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use domain::rules::ReadSeek;
use futures::{
    future::BoxFuture,
    stream::{self, StreamExt as _},
};
use rustix::io::{Errno, ReadWriteFlags, preadv2};
use tokio::{
    runtime::Handle,
    sync::mpsc::{self, error::TrySendError},
    task::{self, JoinHandle},
    time,
};

use crate::{
    BlobBody, BlobError, BlobKey, BlobStore, ListedBlob, Result, StageSink, StagingId,
    body::{PIECE, resolve},
    buffers::{Buffer, Buffers},
    layout::Layout,
};

/// Pieces read before the client has taken them. More would fall out of the processor's cache: with four, downloads
/// of 1 MiB were measured at half the speed.
const PIECES_AHEAD: usize = 2;

/// How long a thread that is that far ahead waits for the client.
const PATIENCE: Duration = Duration::from_millis(10);

/// Keeps bytes in a folder. Processes that share the folder may share the store.
#[derive(Clone)]
pub struct DiskStore {
    layout: Arc<Layout>,
    buffers: Buffers,
    /// Whether what the system has in memory is read in place.
    in_place: bool,
}

impl DiskStore {
    /// Opens the folder `root`, and makes it a store if it is new. Blocks. Refuses a folder of an unknown layout.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        Ok(Self { layout: Arc::new(Layout::open(root.into())?), buffers: Buffers::default(), in_place: true })
    }

    fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Layout) -> Result<T> + Send + 'static,
    ) -> BoxFuture<'static, Result<T>> {
        let layout = Arc::clone(&self.layout);
        Box::pin(async move {
            let outcome = task::spawn_blocking(move || work(&layout)).await;
            outcome.map_err(|error| BlobError::Unavailable(error.into()))?
        })
    }
}

impl BlobStore for DiskStore {
    fn create_staging(&self, id: StagingId) -> BoxFuture<'_, Result<Box<dyn StageSink>>> {
        self.blocking(move |layout| Ok(Box::new(layout.create_staging(id)?) as Box<dyn StageSink>))
    }

    fn put_manifest(&self, id: StagingId, manifest: Bytes) -> BoxFuture<'_, Result<()>> {
        self.blocking(move |layout| layout.put_manifest(id, &manifest))
    }

    fn get_manifest(&self, id: StagingId) -> BoxFuture<'_, Result<Option<Bytes>>> {
        self.blocking(move |layout| Ok(layout.get_manifest(id)?.map(Bytes::from)))
    }

    fn open_staged(&self, id: StagingId) -> Result<Box<dyn ReadSeek>> {
        Ok(Box::new(self.layout.open_staged(id)?))
    }

    fn promote(&self, id: StagingId, key: BlobKey) -> BoxFuture<'_, Result<()>> {
        self.blocking(move |layout| layout.promote(id, key))
    }

    fn remove_staged(&self, id: StagingId) -> BoxFuture<'_, Result<()>> {
        self.blocking(move |layout| layout.remove_staged(id))
    }

    /// Opens and reads small content on the very thread that polls: a hop to another thread costs more than the read.
    fn get(&self, key: BlobKey, range: Option<Range<u64>>) -> BoxFuture<'_, Result<BlobBody>> {
        Box::pin(async move {
            let (file, size) = self.layout.open_blob(key)?;
            let range = resolve(range, size)?;
            let length = range.end - range.start;
            match usize::try_from(length) {
                Ok(length) if length <= PIECE => {
                    let mut bytes = vec![0; length];
                    file.read_exact_at(&mut bytes, range.start).map_err(truncated)?;
                    Ok(BlobBody::Full(bytes.into()))
                }
                _ => {
                    let Self { buffers, in_place, .. } = self.clone();
                    let reader = Reader { file, range, buffers, in_place };
                    Ok(BlobBody::Stream { length, pieces: pieces(reader).boxed() })
                }
            }
        })
    }

    fn open_blob(&self, key: BlobKey) -> Result<Box<dyn ReadSeek>> {
        Ok(Box::new(self.layout.open_blob(key)?.0))
    }

    /// One `stat`, in place for the same reason.
    fn size(&self, key: BlobKey) -> BoxFuture<'_, Result<Option<u64>>> {
        Box::pin(async move { self.layout.size(key) })
    }

    fn delete(&self, key: BlobKey) -> BoxFuture<'_, Result<()>> {
        self.blocking(move |layout| layout.delete(key))
    }

    fn list(&self, after: Option<BlobKey>, limit: usize) -> BoxFuture<'_, Result<Vec<ListedBlob>>> {
        self.blocking(move |layout| layout.list(after, limit.max(1)))
    }

    fn sweep_staging(&self, older_than: Duration) -> BoxFuture<'_, Result<usize>> {
        self.blocking(move |layout| layout.sweep_staging(older_than))
    }

    fn check(&self) -> BoxFuture<'_, Result<()>> {
        self.blocking(Layout::check)
    }
}

fn truncated(error: io::Error) -> BlobError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => BlobError::Corrupt("content is shorter than it was"),
        _ => error.into(),
    }
}

/// The pieces of a part of a file: read in place as long as the system has them in memory, as it has what is asked for often,
/// and otherwise ahead on a blocking thread.
///
/// The thread stays for as long as the client keeps up. When it is [`PIECES_AHEAD`] and its [`PATIENCE`] is over, it
/// leaves, and comes again once they are sent. If it waited on, as many slow downloads as there are blocking threads
/// would stop every upload.
fn pieces(reader: Reader) -> impl futures::Stream<Item = io::Result<Bytes>> {
    let reading = Reading { idle: Some(reader), visit: None };
    stream::try_unfold(reading, async |mut reading| Ok(reading.next().await?.map(|piece| (piece, reading))))
}

/// A reader that is either here or on a visit to a blocking thread.
struct Reading {
    idle: Option<Reader>,
    visit: Option<Visit>,
}

struct Visit {
    pieces: mpsc::Receiver<Bytes>,
    outcome: JoinHandle<io::Result<Reader>>,
}

impl Reading {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(mut reader) = self.idle.take() {
                if reader.range.is_empty() {
                    return Ok(None);
                }
                if reader.in_place
                    && let Some(piece) = reader.piece_in_memory()?
                {
                    self.idle = Some(reader);
                    return Ok(Some(piece));
                }
                self.visit = Some(reader.visit());
            }
            let Some(visit) = &mut self.visit else { return Ok(None) };
            if let Some(piece) = visit.pieces.recv().await {
                return Ok(Some(piece));
            }
            let outcome = (&mut visit.outcome).await;
            self.visit = None;
            self.idle = Some(outcome.map_err(io::Error::other)??);
        }
    }
}

struct Reader {
    file: File,
    /// What is left to read.
    range: Range<u64>,
    buffers: Buffers,
    /// Whether to try in place.
    in_place: bool,
}

impl Reader {
    fn visit(mut self) -> Visit {
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        let runtime = Handle::current();
        let outcome = task::spawn_blocking(move || {
            while !self.range.is_empty()
                && let Some(place) = place(&sender, &runtime)
            {
                place.send(self.piece()?);
            }
            Ok(self)
        });
        Visit { pieces, outcome }
    }

    /// The next piece if the system has it, or at least its beginning, in memory: reading it waits for no disk. A system or a
    /// file system that cannot say so is not asked again.
    fn piece_in_memory(&mut self) -> io::Result<Option<Bytes>> {
        let left = self.left();
        let mut buffer = self.buffers.take();
        let room = &mut [IoSliceMut::new(buffer.room(left))];
        match preadv2(&self.file, room, self.range.start, ReadWriteFlags::NOWAIT) {
            // Some kernels (5.9, 5.10) say 0 before the end, too: whoever reads it aside finds out.
            Ok(0) | Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Ok(length) => Ok(Some(self.give(buffer, length))),
            Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
                self.in_place = false;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn piece(&mut self) -> io::Result<Bytes> {
        let left = self.left();
        let mut buffer = self.buffers.take();
        let room = buffer.room(left);
        let length = room.len();
        self.file.read_exact_at(room, self.range.start).map_err(truncated)?;
        Ok(self.give(buffer, length))
    }

    fn left(&self) -> usize {
        usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX)
    }

    fn give(&mut self, buffer: Buffer, length: usize) -> Bytes {
        self.range.start += length as u64;
        buffer.freeze(length)
    }
}

/// A place for the next piece; none if the client is too slow or gone.
fn place<'a>(sender: &'a mpsc::Sender<Bytes>, runtime: &Handle) -> Option<mpsc::Permit<'a, Bytes>> {
    match sender.try_reserve() {
        Ok(place) => Some(place),
        Err(TrySendError::Closed(())) => None,
        Err(TrySendError::Full(())) => {
            let patient = async { time::timeout(PATIENCE, sender.reserve()).await };
            runtime.block_on(patient).ok()?.ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use domain::Failure;

    use super::*;
    use crate::conformance;

    fn store() -> (tempfile::TempDir, Arc<DiskStore>) {
        let folder = tempfile::tempdir().expect("temporary folder");
        let store = DiskStore::open(folder.path().join("store")).expect("new store");
        (folder, Arc::new(store))
    }

    /// As where nothing is in memory.
    fn aside(store: &DiskStore) -> DiskStore {
        DiskStore { in_place: false, ..store.clone() }
    }

    #[tokio::test]
    async fn what_is_in_memory_and_what_is_not_are_the_same_bytes() {
        let (_folder, store) = store();
        let content = conformance::noise(3 * PIECE + 17);
        let key = conformance::put(&*store, &content).await;
        let range = Some(5..3 * PIECE as u64 + 9);
        for store in [aside(&store), (*store).clone()] {
            let whole = store.get(key, None).await.expect("stored").collect(u64::MAX).await;
            assert!(whole.expect("readable") == content);
            let part = store.get(key, range.clone()).await.expect("stored").collect(u64::MAX).await;
            assert!(part.expect("readable") == content[5..3 * PIECE + 9]);
        }
    }

    #[tokio::test]
    async fn conforms() {
        let (folder, store) = store();
        conformance::conformance(store).await;
        let staging = fs::read_dir(folder.path().join("store/staging")).expect("staging");
        assert_eq!(staging.count(), 0, "the suite leaves nothing staged");
    }

    #[test]
    fn ranges_read_what_slices_hold() {
        let (_folder, store) = store();
        conformance::ranges(store);
    }

    #[test]
    fn opens_again_and_refuses_another_layout() {
        let (folder, store) = store();
        drop(store);
        let root = folder.path().join("store");
        DiskStore::open(&root).expect("own layout");
        fs::write(root.join("VERSION"), "2\n").expect("writable");
        let refused = DiskStore::open(&root).err().expect("unknown layout");
        assert!(matches!(&refused, BlobError::UnknownLayout { found, .. } if found == "2"));
    }

    #[tokio::test]
    async fn what_a_killed_process_was_writing_goes_at_the_next_sweep() {
        let (folder, store) = store();
        let mut sink = store.create_staging(StagingId::random().expect("random")).await.expect("room");
        sink.write_all(&vec![0; 1024 * 1024]).expect("room");
        // What a process leaves behind that was killed: the same file, and no lock.
        let left = folder.path().join(format!("store/staging/{}.part", StagingId::random().expect("random")));
        fs::write(&left, "half of an uplo").expect("writable");
        let hour = std::time::Duration::from_hours(1);
        assert_eq!(store.sweep_staging(hour).await.expect("reachable"), 1);
        assert!(!left.exists());
        sink.finish().expect("it is still there");
    }

    #[tokio::test]
    async fn only_the_owner_may_read_the_files() {
        let (folder, store) = store();
        let key = conformance::put(&*store, b"secret").await;
        let blob = folder.path().join("store/blobs").join(key.path());
        assert_eq!(fs::metadata(blob).expect("stored").permissions().mode() & 0o777, 0o600);
        let root = fs::metadata(folder.path().join("store")).expect("root");
        assert_eq!(root.permissions().mode() & 0o777, 0o700);
    }

    #[tokio::test]
    async fn truncated_content_ends_in_an_error() {
        let (folder, store) = store();
        let content = conformance::noise(5 * PIECE);
        let key = conformance::put(&*store, &content).await;
        let bodies = [store.get(key, None).await, aside(&store).get(key, None).await];
        let blob = folder.path().join("store/blobs").join(key.path());
        File::options().write(true).open(blob).expect("stored").set_len(7).expect("truncated");
        for body in bodies {
            let error = body.expect("stored").collect(u64::MAX).await.expect_err("shorter than promised");
            assert!(matches!(error, BlobError::Corrupt(_)), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_store_that_went_away_is_out_of_reach_and_keeps_its_path_for_itself() {
        let (folder, store) = store();
        store.check().await.expect("ready");
        fs::remove_dir_all(folder.path().join("store")).expect("removable");
        let failure = Failure::from(store.check().await.expect_err("gone"));
        assert_eq!(failure.code, domain::ErrorCode::Unavailable);
        assert!(!failure.message.contains('/'));
    }

    #[test]
    fn downloads_that_stand_still_leave_the_threads_to_others() {
        let (_folder, store) = store();
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().max_blocking_threads(1).build().expect("threads");
        runtime.block_on(async {
            let content = conformance::noise(10 * PIECE);
            let key = conformance::put(&*store, &content).await;
            let mut downloads = Vec::new();
            for _ in 0..3 {
                let mut pieces = aside(&store).get(key, None).await.expect("stored").into_stream();
                pieces.next().await.expect("a first piece").expect("readable");
                downloads.push(pieces);
            }
            let upload = conformance::put(&*store, b"meanwhile");
            tokio::time::timeout(Duration::from_secs(10), upload).await.expect("a thread for the upload");
            for rest in downloads {
                let rest: Vec<_> = rest.map(|piece| piece.expect("readable")).collect().await;
                assert!(rest.concat() == content[PIECE..], "and they go on where they stood");
            }
        });
    }
}
