//! Rust types of the schema's scalars, under the names that graphql_client looks for: it writes `ID` as `Id`, `JSON` as
//! `Json`. (A variable of the built-in type `ID` does not compile there; put it into an input object.)

/// An instant in ISO 8601, as the schema prints it.
pub type Time = String;
/// A day in ISO 8601.
pub type Date = String;
/// A whole number that may be larger than 32 bits, as text.
pub type BigInt = String;
/// Any JSON value.
pub type Json = serde_json::Value;

macro_rules! id_scalars {
    ($($name:ident),+ $(,)?) => {
        $(
            /// A global id of the class that the name says.
            pub type $name = String;
        )+
    };
}

id_scalars! {
    PackagesPackageId,
    PackagesPackageFileId,
    PackagesDependencyId,
    PackagesDependencyLinkId,
    PackagesUploadId,
    PackagesProtectionRuleId,
    UserId,
    UserSessionId,
    UserIdentityId,
    PersonalAccessTokenId,
    DeployTokenId,
    AuditEventId,
    CiPipelineId,
    CiJobId,
}

/// The decimal number at the end of a global id (`gid://gitlab/Packages::Package/42` gives 42).
pub fn number_of(global_id: &str) -> Option<i64> {
    global_id.rsplit('/').next()?.parse().ok()
}
