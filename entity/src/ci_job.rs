//! A job of a pipeline, with its token.

use sea_orm::entity::prelude::*;

/// A job of a pipeline, with its token.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ci_jobs")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The pipeline it belongs to.
    pub pipeline_id: i64,
    /// In whose name it runs.
    pub user_id: i64,
    /// The name people read.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// SHA-256 of the token in hexadecimal; unique.
    #[sea_orm(column_type = "Text")]
    pub token_hash: String,
    /// From when on the token no longer counts, should nobody say that the job has ended.
    pub expires_at: TimeDateTimeWithTimeZone,
    /// When the job ended.
    pub finished_at: Option<TimeDateTimeWithTimeZone>,
    /// When the token was last used, to ten minutes.
    pub last_used_at: Option<TimeDateTimeWithTimeZone>,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
