//! How an operation fails, in words that every door can translate.

use std::borrow::Cow;

use thiserror::Error;

use crate::Throttled;

macro_rules! error_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:ident),+ $(,)?) => {
        /// Why an operation was refused. Finer than HTTP: each door maps it to its own dialect.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[doc = $doc])+ $variant),+ }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in `extensions.code` of a GraphQL error.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => stringify!($name)),+ }
            }

            /// The code called `name`.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.name() == name)
            }
        }
    };
}

error_codes! {
    /// No credential, or one that is not accepted, where one is needed.
    Unauthenticated = UNAUTHENTICATED,
    /// The caller is known and may not do this.
    Forbidden = FORBIDDEN,
    /// It does not exist, or the caller may not know that it does.
    NotFound = NOT_FOUND,
    /// The package registry is switched off for the project or the instance.
    RegistryDisabled = REGISTRY_DISABLED,
    /// A protection rule forbids it.
    Protected = PROTECTED,
    /// It exists already and may not be replaced.
    Duplicate = DUPLICATE,
    /// The input breaks a rule; `field` says which part.
    Invalid = INVALID,
    /// The input is larger than the limit.
    TooLarge = TOO_LARGE,
    /// A quota is used up.
    Quota = QUOTA,
    /// Too many requests.
    RateLimited = RATE_LIMITED,
    /// The caller acted on an outdated state.
    Stale = STALE,
    /// Another operation holds the object.
    Locked = LOCKED,
    /// The server does not do this.
    Unsupported = UNSUPPORTED,
    /// A back end is out of reach; trying again later may help.
    Unavailable = UNAVAILABLE,
    /// The server's own fault; the log has the cause.
    Internal = INTERNAL,
}

/// What a failure is about, for doors whose texts name it ("404 Project Not Found").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The whole instance.
    Instance,
    /// A user.
    User,
    /// A group.
    Group,
    /// A project.
    Project,
    /// A membership.
    Member,
    /// A token.
    Token,
    /// Somewhere a user is signed in.
    Session,
    /// An account at a provider that signs in as a user.
    Identity,
    /// A job of CI.
    Job,
    /// Whose ID tokens a project accepts.
    TrustedPublisher,
    /// A package or one of its versions.
    Package,
    /// A file of a package.
    PackageFile,
    /// A tag of a package.
    PackageTag,
    /// An upload.
    Upload,
    /// A protection rule.
    ProtectionRule,
    /// An event of the audit log.
    AuditEvent,
}

impl Subject {
    /// Every subject.
    pub const ALL: &[Self] = &[
        Self::Instance,
        Self::User,
        Self::Group,
        Self::Project,
        Self::Member,
        Self::Token,
        Self::Session,
        Self::Identity,
        Self::Job,
        Self::TrustedPublisher,
        Self::Package,
        Self::PackageFile,
        Self::PackageTag,
        Self::Upload,
        Self::ProtectionRule,
        Self::AuditEvent,
    ];

    /// The subject in GitLab's texts.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Instance => "Instance",
            Self::User => "User",
            Self::Group => "Group",
            Self::Project => "Project",
            Self::Member => "Member",
            Self::Token => "Token",
            Self::Session => "Session",
            Self::Identity => "Identity",
            Self::Job => "Job",
            Self::TrustedPublisher => "Trusted publisher",
            Self::Package => "Package",
            Self::PackageFile => "Package File",
            Self::PackageTag => "Package tag",
            Self::Upload => "Upload",
            Self::ProtectionRule => "Package protection rule",
            Self::AuditEvent => "Audit event",
        }
    }

    /// The subject with this title.
    pub fn from_title(title: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|subject| subject.title() == title)
    }
}

/// An expected failure: a code, a text for people, and what it is about. Never holds a secret or an internal cause.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Failure {
    /// Why.
    pub code: ErrorCode,
    /// What was refused, which value, what to do. Read by people.
    pub message: Cow<'static, str>,
    /// The part of the input at fault, in the vocabulary of the schema ("name", "files.0.sha256").
    pub field: Option<Cow<'static, str>>,
    /// What kind of thing it is about.
    pub subject: Option<Subject>,
    /// Which rate of requests was exceeded, if that is why.
    pub throttled: Option<Box<Throttled>>,
}

impl Failure {
    /// A failure with `code` and a text for people.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into(), field: None, subject: None, throttled: None }
    }

    /// The part `field` of the input breaks a rule.
    pub fn invalid(field: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { field: Some(field.into()), ..Self::new(ErrorCode::Invalid, message) }
    }

    /// `subject` does not exist, as far as this caller may know.
    pub fn not_found(subject: Subject) -> Self {
        let message = format!("{} not found", subject.title());
        Self { subject: Some(subject), ..Self::new(ErrorCode::NotFound, message) }
    }

    /// The caller is known and may not do this.
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorCode::Forbidden, message)
    }

    /// No accepted credential where one is needed.
    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "Authentication is required")
    }

    /// Too many requests came.
    pub fn throttled(throttled: Throttled) -> Self {
        let Throttled { throttle, rate, retry_after, .. } = throttled;
        let message = format!(
            "Too many requests: {} lets {} through in {} seconds, try again in {retry_after} seconds",
            throttle.name(),
            rate.requests,
            rate.seconds
        );
        Self { throttled: Some(Box::new(throttled)), ..Self::new(ErrorCode::RateLimited, message) }
    }

    /// The server's own fault. The cause belongs into the log, not in here.
    pub fn internal() -> Self {
        Self::new(ErrorCode::Internal, "Internal server error")
    }

    /// The same failure, said to be about `subject`.
    #[must_use]
    pub fn about(mut self, subject: Subject) -> Self {
        self.subject = Some(subject);
        self
    }
}
