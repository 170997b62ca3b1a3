//! GitLab's global ids: `gid://gitlab/<class>/<number>`, one scalar per class.

use std::fmt::Display;

use domain::{
    AccessTokenId, AuditEventId, BackgroundJobId, BackgroundJobRunId, CiJobId, DependencyId,
    DependencyLinkId, DeployTokenId, PackageFileId, PackageId, PipelineId, ProtectionRuleId,
    TrustedPublisherId, UserId, UserIdentityId, UserSessionId,
};

/// The global id of a `class`.
pub(crate) fn print(class: &str, key: impl Display) -> String {
    format!("gid://gitlab/{class}/{key}")
}

/// The key in a global id of `class`; none when the text is an id of another class or no id at all.
pub(crate) fn parse<'a>(class: &str, text: &'a str) -> Option<&'a str> {
    text.strip_prefix("gid://gitlab/")?.strip_prefix(class)?.strip_prefix('/').filter(|key| !key.is_empty())
}

macro_rules! global_ids {
    ($($scalar:ident($inner:ident) = $class:literal),+ $(,)?) => {
        /// The class whose ids the scalar called `scalar` holds, if it holds global ids.
        pub(crate) fn class_of(scalar: &str) -> Option<&'static str> {
            match scalar {
                $(stringify!($scalar) => Some($class),)+
                _ => None,
            }
        }

        $(
            #[doc = concat!("A global id of `", $class, "`.")]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(crate) struct $scalar(pub(crate) $inner);

            #[doc = concat!("A global id of `", $class, "`, such as `gid://gitlab/", $class, "/1`.")]
            #[async_graphql::Scalar]
            impl async_graphql::ScalarType for $scalar {
                fn parse(value: async_graphql::Value) -> async_graphql::InputValueResult<Self> {
                    if let async_graphql::Value::String(text) = &value
                        && let Some(number) = parse($class, text).and_then(|key| key.parse().ok())
                    {
                        return Ok(Self($inner(number)));
                    }
                    Err(async_graphql::InputValueError::custom(format!(
                        concat!("{} is not a global id of ", $class, ", such as gid://gitlab/", $class, "/1"), value
                    )))
                }

                fn to_value(&self) -> async_graphql::Value {
                    async_graphql::Value::String(print($class, self.0))
                }
            }

            impl From<$inner> for $scalar {
                fn from(id: $inner) -> Self {
                    Self(id)
                }
            }
        )+
    };
}

global_ids! {
    PackagesPackageID(PackageId) = "Packages::Package",
    PackagesPackageFileID(PackageFileId) = "Packages::PackageFile",
    PackagesDependencyID(DependencyId) = "Packages::Dependency",
    PackagesDependencyLinkID(DependencyLinkId) = "Packages::DependencyLink",
    PackagesProtectionRuleID(ProtectionRuleId) = "Packages::Protection::Rule",
    UserID(UserId) = "User",
    UserSessionID(UserSessionId) = "UserSession",
    UserIdentityID(UserIdentityId) = "UserIdentity",
    PersonalAccessTokenID(AccessTokenId) = "PersonalAccessToken",
    DeployTokenID(DeployTokenId) = "DeployToken",
    TrustedPublisherID(TrustedPublisherId) = "TrustedPublisher",
    CiPipelineID(PipelineId) = "Ci::Pipeline",
    CiJobID(CiJobId) = "Ci::Build",
    AuditEventID(AuditEventId) = "AuditEvent",
    BackgroundJobID(BackgroundJobId) = "BackgroundJob",
    BackgroundJobRunID(BackgroundJobRunId) = "BackgroundJobRun",
}

/// The id of an upload: a sealed token rather than a number, so that it is good for its holder only and for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PackagesUploadID(pub(crate) String);

/// The id of an upload, such as `gid://gitlab/Packages::Upload/<token>`. Good for the caller who asked for it, for one
/// publish, until it expires.
#[async_graphql::Scalar]
impl async_graphql::ScalarType for PackagesUploadID {
    fn parse(value: async_graphql::Value) -> async_graphql::InputValueResult<Self> {
        match &value {
            async_graphql::Value::String(text) if parse(Self::CLASS, text).is_some() => {
                Ok(Self(text.clone()))
            }
            _ => Err(async_graphql::InputValueError::custom(
                "not the id of an upload: take it from createUpload",
            )),
        }
    }

    fn to_value(&self) -> async_graphql::Value {
        async_graphql::Value::String(self.0.clone())
    }
}

impl PackagesUploadID {
    const CLASS: &'static str = "Packages::Upload";

    /// The id that carries `token`.
    pub(crate) fn from_token(token: &str) -> Self {
        Self(print(Self::CLASS, token))
    }

    /// The token an id carries, if it is the id of an upload.
    pub(crate) fn token_of(id: &str) -> Option<&str> {
        parse(Self::CLASS, id)
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn another_class_is_no_id() {
        assert_eq!(parse("Packages::Package", "gid://gitlab/Packages::Package/42"), Some("42"));
        for text in [
            "gid://gitlab/Packages::PackageFile/42",
            "gid://gitlab/Packages::Package/",
            "42",
            "gid://gitlab/Project/42",
        ] {
            assert_eq!(parse("Packages::Package", text), None, "{text}");
        }
    }
}
