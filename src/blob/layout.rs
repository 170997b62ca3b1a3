//! Files and folders of the store on disk. Everything here blocks.
//!
//! ```text
//! VERSION              the layout's version
//! staging/<id>.part    an upload under way, locked by the process that writes it
//! staging/<id>         a finished upload: its content has reached the disk
//! staging/<id>.json    what is known about it
//! blobs/aa/bb/<sha256> content, for good
//! ```

use std::{
    collections::HashSet,
    ffi::OsStr,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, BufWriter, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rustix::io::Errno;

use crate::{BlobError, BlobKey, ListedBlob, MANIFEST_LIMIT, Result, StageSink, StagingId};

const VERSION: &str = "1";

/// Smaller writes are gathered up to this size; larger ones go straight to the file.
const WRITE_BUFFER: usize = 128 * 1024;

/// What every upload's file ends with until it is finished.
const PART: &str = "part";

/// How long a file without a lock is left alone that has nothing in it: it may have been made a moment ago.
const LOCKED_BY_NOW: Duration = Duration::from_mins(1);

/// Where everything lies.
pub(crate) struct Layout {
    root: PathBuf,
    blobs: PathBuf,
    staging: PathBuf,
    /// Folders of `blobs` whose own existence has reached the disk. At most 65 536, since they are never removed.
    durable: Mutex<HashSet<[u8; 2]>>,
}

impl Layout {
    /// Opens the folder, and makes it what it should be if it is new.
    pub(crate) fn open(root: PathBuf) -> Result<Self> {
        create_folder(&root)?;
        let layout = Self {
            blobs: root.join("blobs"),
            staging: root.join("staging"),
            root,
            durable: Mutex::default(),
        };
        match layout.check_version() {
            Err(BlobError::NotFound) => layout.write_version()?,
            other => other?,
        }
        create_folder(&layout.blobs)?;
        create_folder(&layout.staging)?;
        sync_folder(&layout.root)?;
        Ok(layout)
    }

    fn check_version(&self) -> Result<()> {
        let mut found = String::new();
        File::open(self.root.join("VERSION"))?.take(64).read_to_string(&mut found)?;
        let found = found.trim();
        if found == VERSION {
            Ok(())
        } else {
            Err(BlobError::UnknownLayout { found: found.to_owned(), known: VERSION })
        }
    }

    fn write_version(&self) -> Result<()> {
        let temporary = self.root.join(format!("VERSION.{}", StagingId::random()?));
        write_durably(&temporary, format!("{VERSION}\n").as_bytes())?;
        Ok(fs::rename(temporary, self.root.join("VERSION"))?)
    }

    fn staged(&self, id: StagingId) -> PathBuf {
        self.staging.join(id.to_string())
    }

    fn part(&self, id: StagingId) -> PathBuf {
        self.staging.join(format!("{id}.{PART}"))
    }

    fn manifest(&self, id: StagingId) -> PathBuf {
        self.staging.join(format!("{id}.json"))
    }

    fn blob(&self, key: BlobKey) -> PathBuf {
        self.blobs.join(key.path())
    }

    pub(crate) fn create_staging(&self, id: StagingId) -> Result<FileSink> {
        let (part, finished) = (self.part(id), self.staged(id));
        let file = create_new(&part).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BlobError::AlreadyStaged,
            _ => error.into(),
        })?;
        let pending = PendingFile(Some(part));
        lock(&file)?;
        // Asked after the creation: an upload that finishes at this moment is seen in one place or the other.
        if finished.try_exists()? {
            return Err(BlobError::AlreadyStaged);
        }
        Ok(FileSink { file: Some(BufWriter::with_capacity(WRITE_BUFFER, file)), pending, finished })
    }

    pub(crate) fn put_manifest(&self, id: StagingId, manifest: &[u8]) -> Result<()> {
        if manifest.len() > MANIFEST_LIMIT {
            return Err(BlobError::TooLarge { limit: MANIFEST_LIMIT as u64 });
        }
        let temporary = self.staging.join(format!("{id}.{}", StagingId::random()?));
        let mut pending = PendingFile(Some(temporary.clone()));
        write_durably(&temporary, manifest)?;
        fs::rename(&temporary, self.manifest(id))?;
        pending.keep();
        Ok(sync_folder(&self.staging)?)
    }

    pub(crate) fn get_manifest(&self, id: StagingId) -> Result<Option<Vec<u8>>> {
        let file = match File::open(self.manifest(id)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut manifest = Vec::new();
        file.take(MANIFEST_LIMIT as u64).read_to_end(&mut manifest)?;
        Ok(Some(manifest))
    }

    pub(crate) fn open_staged(&self, id: StagingId) -> Result<File> {
        Ok(File::open(self.staged(id))?)
    }

    /// The content itself reached the disk when its sink was finished; what is left are its name and its folders.
    pub(crate) fn promote(&self, id: StagingId, key: BlobKey) -> Result<()> {
        let blob = self.blob(key);
        let folder = blob.parent().expect("a key's path has two folders");
        let [first, second, ..] = key.sha256().0;
        self.create_blob_folder(folder, [first, second])?;
        match fs::rename(self.staged(id), &blob) {
            // Promoted before, perhaps by a process that died before it synchronized the folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound && blob.try_exists()? => {}
            outcome => outcome?,
        }
        Ok(sync_folder(folder)?)
    }

    /// Creates `blobs/aa/bb` unless this process knows that it is there to stay. That another process created it does
    /// not suffice: it may not have come to synchronize the parents yet.
    fn create_blob_folder(&self, folder: &Path, name: [u8; 2]) -> io::Result<()> {
        let durable = || self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        if durable().contains(&name) {
            return Ok(());
        }
        create_folder(folder)?;
        for parent in folder.ancestors().skip(1).take_while(|parent| parent.starts_with(&self.blobs)) {
            sync_folder(parent)?;
        }
        durable().insert(name);
        Ok(())
    }

    pub(crate) fn remove_staged(&self, id: StagingId) -> Result<()> {
        remove_if_there(&self.staged(id))?;
        Ok(remove_if_there(&self.manifest(id))?)
    }

    pub(crate) fn open_blob(&self, key: BlobKey) -> Result<(File, u64)> {
        let file = File::open(self.blob(key))?;
        let size = file.metadata()?.len();
        Ok((file, size))
    }

    pub(crate) fn size(&self, key: BlobKey) -> Result<Option<u64>> {
        match fs::metadata(self.blob(key)) {
            Ok(metadata) => Ok(Some(metadata.len())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn delete(&self, key: BlobKey) -> Result<()> {
        Ok(remove_if_there(&self.blob(key))?)
    }

    /// See [`crate::BlobStore::list`]. Folders are named as what is in them begins, so that their order is the keys'.
    pub(crate) fn list(&self, after: Option<BlobKey>, limit: usize) -> Result<Vec<ListedBlob>> {
        let place = after.map(BlobKey::path).unwrap_or_default();
        let (first_place, second_place) = (place.get(..2).unwrap_or(""), place.get(..5).unwrap_or(""));
        let mut listed = Vec::new();
        for first in names(&self.blobs)?.into_iter().filter(|name| name.as_str() >= first_place) {
            for second in names(&self.blobs.join(&first))? {
                let folder = format!("{first}/{second}");
                if folder.as_str() < second_place {
                    continue;
                }
                let keys =
                    names(&self.blobs.join(folder))?.into_iter().filter_map(|name| BlobKey::of_name(&name));
                for key in keys.filter(|key| after.is_none_or(|after| *key > after)) {
                    // Gone since: it is not there.
                    let Ok(metadata) = fs::metadata(self.blob(key)) else { continue };
                    // From the future: as young as can be.
                    let age = metadata.modified()?.elapsed().unwrap_or_default();
                    listed.push(ListedBlob { key, size: metadata.len(), age });
                    if listed.len() == limit {
                        return Ok(listed);
                    }
                }
            }
        }
        Ok(listed)
    }

    pub(crate) fn sweep_staging(&self, older_than: Duration) -> Result<usize> {
        let mut swept = HashSet::new();
        for entry in fs::read_dir(&self.staging)? {
            let path = entry?.path();
            // Gone or from the future: leave it.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let Some(age) = metadata.modified().ok().map(|changed| changed.elapsed().unwrap_or_default())
            else {
                continue;
            };
            let is_abandoned = || {
                path.extension() == Some(OsStr::new(PART))
                    && (metadata.len() > 0 || age >= LOCKED_BY_NOW)
                    && has_lost_its_writer(&path)
            };
            if age >= older_than || is_abandoned() {
                remove_if_there(&path)?;
                swept.insert(path.with_extension(""));
            }
        }
        Ok(swept.len())
    }

    /// Does once what an upload does, across the two folders: they have to be on one file system.
    pub(crate) fn check(&self) -> Result<()> {
        match self.check_version() {
            Err(BlobError::NotFound) => {
                return Err(BlobError::Unavailable("the folder of the store is not there".into()));
            }
            other => other?,
        }
        let name = format!("check.{}", StagingId::random()?);
        let (from, to) = (self.staging.join(&name), self.blobs.join(&name));
        let pending = [PendingFile(Some(from.clone())), PendingFile(Some(to.clone()))];
        let outcome = create_new(&from).and_then(|mut file| file.write_all(b"check"));
        let outcome = outcome.and_then(|()| fs::rename(&from, &to));
        drop(pending);
        outcome.map_err(|error| match BlobError::from(error) {
            BlobError::NotFound => BlobError::Unavailable("a folder of the store is not there".into()),
            other => other,
        })
    }
}

/// An upload on its way to the disk.
pub(crate) struct FileSink {
    /// There until finished.
    file: Option<BufWriter<File>>,
    pending: PendingFile,
    finished: PathBuf,
}

impl StageSink for FileSink {
    fn write_all(&mut self, bytes: &[u8]) -> Result<()> {
        let file = self.file.as_mut().expect("a sink is finished by value");
        Ok(file.write_all(bytes)?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let file = self.file.take().expect("a sink is finished by value");
        // Open, and so locked, until it has its other name.
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        if let Some(part) = &self.pending.0 {
            // Swept away meanwhile: the caller cannot mend that by naming something else.
            fs::rename(part, &self.finished).map_err(|error| BlobError::Unavailable(error.into()))?;
        }
        self.pending.keep();
        Ok(())
    }
}

impl Drop for FileSink {
    fn drop(&mut self) {
        // What is still buffered is not worth writing.
        if let Some(file) = self.file.take() {
            drop(file.into_parts());
        }
    }
}

/// A file that goes away again unless it is kept.
struct PendingFile(Option<PathBuf>);

impl PendingFile {
    fn keep(&mut self) {
        self.0 = None;
    }
}

impl Drop for PendingFile {
    fn drop(&mut self) {
        if let Some(path) = self.0.take()
            && let Err(error) = remove_if_there(&path)
        {
            tracing::warn!(%error, "An abandoned upload stays until the next sweep");
        }
    }
}

/// Names in a folder, sorted; none where there is no such folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

fn create_new(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Takes the lock that tells sweepers of other processes that somebody writes the file. It goes with the process, however that
/// ends. A file system without locks has to do without: there the age alone tells.
fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        // The sweeper that looks at this moment: it leaves the file, which is empty and young.
        Err(TryLockError::WouldBlock) => file.lock(),
        Err(TryLockError::Error(error)) if !has_no_locks(&error) => Err(error),
        _ => Ok(()),
    }
}

/// Whether it is the file system that has no locks, as NFS without a daemon for them.
fn has_no_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error() == Some(Errno::NOLCK.raw_os_error())
}

/// Whether an upload's file is locked by nobody: what wrote it has died.
fn has_lost_its_writer(part: &Path) -> bool {
    File::open(part).is_ok_and(|file| file.try_lock().is_ok())
}

fn write_durably(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = create_new(path)?;
    file.write_all(content)?;
    file.sync_all()
}

fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
