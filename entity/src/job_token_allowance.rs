//! A project whose jobs another project lets in.

use sea_orm::entity::prelude::*;

/// A project whose jobs another project lets in.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_token_allowances")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The project that lets jobs in.
    pub project_id: i64,
    /// The project whose jobs are let in.
    pub source_project_id: i64,
    /// Who added it.
    pub added_by_id: Option<i64>,
    /// When.
    pub created_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
