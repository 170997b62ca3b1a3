//! A run of CI.

use sea_orm::entity::prelude::*;

/// A run of CI.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "pipelines")]
pub struct Model {
    /// The id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The project whose code it runs.
    pub project_id: i64,
    /// Its number in the project.
    pub iid: i64,
    /// The branch or tag.
    #[sea_orm(column_type = "Text")]
    pub reference: String,
    /// The commit.
    #[sea_orm(column_type = "Text")]
    pub sha: String,
    /// What started it.
    #[sea_orm(column_type = "Text")]
    pub source: String,
    /// Where it is on the web.
    #[sea_orm(column_type = "Text", nullable)]
    pub web_url: Option<String>,
    /// Who started it.
    pub user_id: Option<i64>,
    /// When it was created.
    pub created_at: TimeDateTimeWithTimeZone,
    /// When it was last changed.
    pub updated_at: TimeDateTimeWithTimeZone,
}

impl ActiveModelBehavior for ActiveModel {}
