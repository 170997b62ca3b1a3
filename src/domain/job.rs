//! Work that servers do beside requests.

/// What kind of work. The names are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum JobKind {
    /// Removes uploads that nobody published.
    UploadSweep,
    /// Removes stored bytes that nothing refers to any more.
    BlobCollection,
    /// Removes sessions that have ended.
    SessionSweep,
    /// Puts the policies of projects and groups on the list that are due.
    PolicySchedule,
    /// Deletes duplicated files of a project.
    PackageCleanup,
    /// Deletes versions that the retention policy of a project or group lets go.
    PackageRetention,
}

impl JobKind {
    /// Every kind.
    pub const ALL: &[Self] = &[
        Self::UploadSweep,
        Self::BlobCollection,
        Self::SessionSweep,
        Self::PolicySchedule,
        Self::PackageCleanup,
        Self::PackageRetention,
    ];

    /// The name, as it is stored.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UploadSweep => "upload_sweep",
            Self::BlobCollection => "blob_collection",
            Self::SessionSweep => "session_sweep",
            Self::PolicySchedule => "policy_schedule",
            Self::PackageCleanup => "package_cleanup",
            Self::PackageRetention => "package_retention",
        }
    }

    /// The kind called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// How one time that a job was done went. The numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum JobRunStatus {
    /// Some server is at it.
    Running = 0,
    /// It came to its end.
    Succeeded = 1,
    /// It failed; the job is tried again.
    Failed = 2,
    /// The server that was at it no longer said so, and the job was given to another.
    Abandoned = 3,
    /// It used up its time and goes on in the next run.
    Paused = 4,
}

impl JobRunStatus {
    /// Every status.
    pub const ALL: &[Self] = &[Self::Running, Self::Succeeded, Self::Failed, Self::Abandoned, Self::Paused];

    /// The stored number.
    pub const fn number(self) -> i16 {
        self as i16
    }

    /// The status with this stored number.
    pub fn from_number(number: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.number() == number)
    }
}
