//! Stored bytes, by content.

use sea_orm::entity::prelude::*;

/// Stored bytes, by content.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blobs")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// SHA-256 in hexadecimal; unique; the address in the blob store.
    #[sea_orm(column_type = "Text")]
    pub sha256: String,
    /// Length in bytes.
    pub size: i64,
    /// MD5 in hexadecimal.
    #[sea_orm(column_type = "Text", nullable)]
    pub md5: Option<String>,
    /// SHA-1 in hexadecimal.
    #[sea_orm(column_type = "Text", nullable)]
    pub sha1: Option<String>,
    /// SHA-512 in hexadecimal.
    #[sea_orm(column_type = "Text", nullable)]
    pub sha512: Option<String>,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was found that nothing refers to the bytes. A publish that takes them up takes that back.
    pub condemned_at: Option<TimeDateTimeWithTimeZone>,
    /// When some server set out to remove the bytes; none once they are gone.
    pub removal_started_at: Option<TimeDateTimeWithTimeZone>,
    /// When the bytes were gone; none while they are there.
    pub removed_at: Option<TimeDateTimeWithTimeZone>,
    /// How often somebody set out to remove the bytes.
    pub removals: i64,
}

impl ActiveModelBehavior for ActiveModel {}
