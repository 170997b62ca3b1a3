//! Design decision 5 as a table, and what is to be expected of a caller by it.
//!
//! Written from the table and from nothing else: what is tested is that `access`, and every door that asks it, agrees.

use domain::{PackageFormat, RegistryAccessLevel, Role, Visibility};

/// What can be done with a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// See it in lists and details.
    View,
    /// Read its files and the indexes that name it.
    Pull,
    /// Publish files, versions and tags.
    Publish,
    /// Delete.
    Delete,
}

/// The least standing that an action takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Least {
    Anyone,
    SignedIn,
    Member(Role),
}

const DEVELOPER: Least = Least::Member(Role::Developer);
const MAINTAINER: Least = Least::Member(Role::Maintainer);
const REPORTER: Least = Least::Member(Role::Reporter);

/// The table of the product: view, pull, publish, delete.
const TABLE: [(Visibility, [Least; 4]); 3] = [
    (Visibility::Public, [Least::Anyone, Least::Anyone, DEVELOPER, MAINTAINER]),
    (Visibility::Internal, [Least::SignedIn, Least::SignedIn, DEVELOPER, MAINTAINER]),
    (Visibility::Private, [REPORTER, REPORTER, DEVELOPER, MAINTAINER]),
];

fn least(visibility: Visibility, action: Action) -> Least {
    let (_, row) = TABLE.iter().find(|(of, _)| *of == visibility).expect("a row for each visibility");
    match action {
        Action::View => row[0],
        Action::Pull => row[1],
        Action::Publish => row[2],
        Action::Delete => row[3],
    }
}

/// What a project, and the instance, are set to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) visibility: Visibility,
    pub(crate) level: RegistryAccessLevel,
    pub(crate) instance: Instance,
}

/// What the instance is set to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instance {
    /// Whether the registry is on.
    pub(crate) enabled: bool,
    /// Whether registries may be open to everyone.
    pub(crate) anyone_may_pull: bool,
}

/// Who somebody is to a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Presents nothing.
    Nobody,
    /// Presents what is not accepted.
    Rejected,
    /// Signed in, with this role.
    User(Option<Role>),
    /// Administers the instance.
    Administrator,
    /// A deploy token, made for the project, or for something else.
    DeployToken { covers: bool },
    /// A deploy token, made for a group above the project.
    GroupDeployToken,
    /// A CI job in the name of a member, of a project whose jobs are not let in.
    ShutOutJob,
    /// CI that the project trusts; one that another project trusts is as good as a deploy token of something else.
    TrustedPublisher,
}

/// Who asks, and how far the presented token reaches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller {
    pub(crate) standing: Standing,
    /// Whether the token's scopes let packages be read.
    pub(crate) reads: bool,
    /// Whether the token's scopes let packages be written.
    pub(crate) writes: bool,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is done.
    Done,
    /// A credential is asked for.
    Challenged,
    /// There is no such thing, as far as the caller may know.
    Hidden,
    /// The caller may know, and may not do.
    Forbidden,
    /// The registry of the project is off.
    Off,
    /// The registry of the instance is off.
    InstanceOff,
}

impl Outcome {
    /// What the addresses of formats, and changes in REST, answer.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Done => 200,
            Self::Challenged => 401,
            Self::Hidden | Self::InstanceOff => 404,
            Self::Forbidden | Self::Off => 403,
        }
    }

    /// The code of the GraphQL error.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Done => "OK",
            Self::Challenged => "UNAUTHENTICATED",
            Self::Hidden => "NOT_FOUND",
            Self::Forbidden => "FORBIDDEN",
            Self::Off | Self::InstanceOff => "REGISTRY_DISABLED",
        }
    }
}

impl Caller {
    fn is_nobody(self) -> bool {
        self.standing == Standing::Nobody
    }

    /// Whether the caller's standing is at least `least`. A deploy token has any standing in the project it was made for, and none
    /// elsewhere: only its scopes limit it. One of a group has a developer's below it, and so has a trusted publisher where it is
    /// trusted. A job that is not let in is somebody signed in.
    fn has(self, least: Least) -> bool {
        match (self.standing, least) {
            (Standing::Rejected, _) => false,
            (Standing::Administrator | Standing::DeployToken { covers: true }, _)
            | (_, Least::Anyone)
            | (Standing::User(_) | Standing::ShutOutJob, Least::SignedIn) => true,
            (Standing::Nobody | Standing::DeployToken { covers: false } | Standing::ShutOutJob, _) => false,
            (Standing::User(role), Least::Member(least)) => role >= Some(least),
            (Standing::TrustedPublisher | Standing::GroupDeployToken, least) => least <= DEVELOPER,
        }
    }

    /// Whether the caller may know that a project exists: a private one is known to its members.
    fn knows(self, visibility: Visibility) -> bool {
        self.has(match visibility {
            Visibility::Public => Least::Anyone,
            Visibility::Internal => Least::SignedIn,
            Visibility::Private => Least::Member(Role::Guest),
        })
    }
}

/// What is to become of `action`, asked by `caller` of a project that is set to `setting`.
pub(crate) fn expected(setting: Setting, caller: Caller, action: Action) -> Outcome {
    let Setting { visibility, level, instance } = setting;
    if caller.standing == Standing::Rejected {
        return Outcome::Challenged;
    }
    let reads = matches!(action, Action::View | Action::Pull);
    // "Allow anyone to pull" opens viewing and pulling, unless the instance forbids that.
    let open = level == RegistryAccessLevel::Public && instance.anyone_may_pull && reads;
    if !(open || caller.knows(visibility)) {
        return match caller.standing {
            Standing::Nobody => Outcome::Challenged,
            // Its user knows of the project, and is told what to do.
            Standing::ShutOutJob => Outcome::Forbidden,
            _ => Outcome::Hidden,
        };
    }
    if !instance.enabled {
        return Outcome::InstanceOff;
    }
    if level == RegistryAccessLevel::Disabled {
        return Outcome::Off;
    }
    // A registry for members only is for members only, whatever the project's visibility.
    let members_only = level == RegistryAccessLevel::Private;
    let at_least = if members_only { Least::Member(Role::Guest) } else { Least::Anyone };
    if !(open || caller.has(least(visibility, action).max(at_least))) {
        return if caller.is_nobody() { Outcome::Challenged } else { Outcome::Forbidden };
    }
    let scoped = if reads { caller.reads } else { caller.writes };
    if scoped { Outcome::Done } else { Outcome::Forbidden }
}

/// What is to become of a read at the address of a group that everybody may know, or of the instance: a package that the caller
/// may not pull is not there.
pub(crate) fn elsewhere(setting: Setting, caller: Caller, of_group: bool) -> Outcome {
    match expected(setting, caller, Action::Pull) {
        Outcome::Done => Outcome::Done,
        _ if caller.standing == Standing::Rejected => Outcome::Challenged,
        // The group itself is asked for before anything in it.
        _ if of_group && !setting.instance.enabled => Outcome::InstanceOff,
        _ if of_group && !caller.reads => Outcome::Forbidden,
        _ if caller.is_nobody() => Outcome::Challenged,
        _ => Outcome::Hidden,
    }
}

/// What a token is limited to, as seen from a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// To packages of this format.
    pub(crate) format: Option<PackageFormat>,
    /// To packages with names that fit a pattern; whether the package's own name does.
    pub(crate) fits: Option<bool>,
}

impl Limit {
    /// Whether it lets the token reach the package, which has this format.
    pub(crate) fn reaches(self, format: PackageFormat) -> bool {
        self.format.is_none_or(|of| of == format) && self.fits.unwrap_or(true)
    }

    /// Whether it lets the token reach all packages of a format.
    pub(crate) fn reaches_all_of(self, format: PackageFormat) -> bool {
        self.format.is_none_or(|of| of == format) && self.fits.is_none()
    }
}

/// What becomes of what would become `outcome` without limits. They take away and never add; who is limited may know that there is
/// something.
pub(crate) fn limited(outcome: Outcome, is_within: bool) -> Outcome {
    if outcome == Outcome::Done && !is_within { Outcome::Forbidden } else { outcome }
}
