//! A file of a package.

use sea_orm::entity::prelude::*;

/// A file of a package.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "package_files")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The package.
    pub package_id: i64,
    /// The bytes.
    pub blob_id: i64,
    /// The name.
    #[sea_orm(column_type = "Text")]
    pub file_name: String,
    /// A sub-index of the format that lists it (a component, a channel).
    #[sea_orm(column_type = "Text", nullable)]
    pub channel: Option<String>,
    /// What the format knows of it.
    #[sea_orm(column_type = "JsonBinary")]
    pub properties: Json,
    /// The pipeline whose job published it. No reference: the pipeline may be gone.
    pub pipeline_id: Option<i64>,
    /// Number of `domain::FileStatus`.
    pub status: i16,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
    /// When it was deleted; the row stays as a tombstone.
    pub deleted_at: Option<TimeDateTimeWithTimeZone>,
}

impl ActiveModelBehavior for ActiveModel {}
