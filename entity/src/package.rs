//! One version of one package.

use sea_orm::entity::prelude::*;

/// One version of one package.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "packages")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The name it stands under.
    pub name_id: i64,
    /// The project, as in the name's row.
    pub project_id: i64,
    /// Number of `domain::PackageFormat`, as in the name's row.
    pub format: i16,
    /// The name, as published.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The version, as published.
    #[sea_orm(column_type = "Text", nullable)]
    pub version: Option<String>,
    /// The version in its format's normal form; unique per name among what is not deleted.
    #[sea_orm(column_type = "Text", nullable)]
    pub version_key: Option<String>,
    /// Sorts as text the way the format orders versions.
    #[sea_orm(column_type = "Text", nullable)]
    pub version_order: Option<String>,
    /// Number of `domain::PackageStatus`.
    pub status: i16,
    /// What went wrong, for status error.
    #[sea_orm(column_type = "Text", nullable)]
    pub status_message: Option<String>,
    /// What the format knows of it.
    #[sea_orm(column_type = "JsonBinary")]
    pub metadata: Json,
    /// Why it is advised against.
    #[sea_orm(column_type = "Text", nullable)]
    pub deprecation: Option<String>,
    /// The user who published it.
    pub creator_id: Option<i64>,
    /// The deploy token that published it.
    pub deploy_token_id: Option<i64>,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
    /// When a file of it was last downloaded.
    pub last_downloaded_at: Option<TimeDateTimeWithTimeZone>,
    /// When it was deleted; the row stays as a tombstone.
    pub deleted_at: Option<TimeDateTimeWithTimeZone>,
}

impl ActiveModelBehavior for ActiveModel {}
