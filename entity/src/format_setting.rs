//! What owners of a namespace decide about its packages of one format. A null leaves it to the namespaces above.

use sea_orm::entity::prelude::*;

/// What owners of a namespace decide about its packages of one format. A null leaves it to the namespaces above.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "format_settings")]
pub struct Model {
    /// The namespace.
    #[sea_orm(primary_key, auto_increment = false)]
    pub namespace_id: i64,
    /// Number of `domain::PackageFormat`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub format: i16,
    /// Whether the same thing may be published twice.
    pub duplicates_allowed: Option<bool>,
    /// A pattern of names and versions for which the opposite holds; empty for none.
    #[sea_orm(column_type = "Text")]
    pub duplicate_exception: String,
    /// Whether requests for what is not here are forwarded.
    pub forwarding: Option<bool>,
    /// Whether those below may not decide otherwise.
    pub forwarding_locked: bool,
}

impl ActiveModelBehavior for ActiveModel {}
